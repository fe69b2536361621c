//! `COMPATIBILITY.md` says what the tables say. `PARAPET_BLESS=1` writes it.

#![expect(
    clippy::disallowed_methods,
    reason = "a test reads the page, and a panic is a failure"
)]

#[test]
fn the_compatibility_page_is_current() {
    let page = parapet::reference::compatibility();
    if std::env::var_os("PARAPET_BLESS").is_some_and(|value| value == "1") {
        std::fs::write("COMPATIBILITY.md", &page).unwrap();
    }
    let written = std::fs::read_to_string("COMPATIBILITY.md").unwrap();
    assert!(
        written == page,
        "COMPATIBILITY.md is out of date; PARAPET_BLESS=1 writes it"
    );
}
