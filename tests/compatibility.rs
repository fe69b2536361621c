//! Pages say what the tables and types say. `PARAPET_BLESS=1` writes them.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads the page, and a panic is a failure"
)]

fn is_current(name: &str, page: &str) {
    if std::env::var_os("PARAPET_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(name, page).unwrap();
    }
    let written = std::fs::read_to_string(name).unwrap();
    assert!(
        written == page,
        "{name} is out of date; PARAPET_BLESS=1 writes it"
    );
}

#[test]
fn the_compatibility_page_is_current() {
    is_current("COMPATIBILITY.md", &parapet::reference::compatibility());
}

#[cfg(feature = "cli")]
#[test]
fn the_page_of_audit_records_is_current() {
    let page = parapet::audit::page();
    for member in [
        "`transaction.messages[].details.ruleId`",
        "`transaction.request.headers`",
    ] {
        assert!(page.contains(member), "{member}");
    }
    is_current("AUDIT.md", &page);
}
