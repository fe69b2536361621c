//! The rule files that are part of the library, by the names that `Include` uses.
//!
//! | name | what it is |
//! |---|---|
//! | `@recommended-conf` | engine settings, detection only |
//! | `@demo-conf` | the same with the engine on |
//! | `@baseline/*.conf` | our own small rule set, always there |
//! | `@crs-setup-conf` | the Core Rule Set's example set-up |
//! | `@crs-setup-demo-conf` | the same, blocking as early as the rules allow |
//! | `@owasp_crs/*.conf` | the Core Rule Set, its `.data` files beside it |
//! | `@ftw-conf` | engine and set-up for the Core Rule Set's own regression tests |
//!
//! The Core Rule Set is embedded where it was in `rules/crs` when the library was built. Comments
//! are blank in the embedded text, so lines keep their numbers.

mod table {
    include!(concat!(env!("OUT_DIR"), "/rules.rs"));
}

/// The text of an embedded file; `None` for a name that is not embedded.
#[must_use]
pub fn embedded(name: &str) -> Option<&'static [u8]> {
    let position = table::FILES
        .binary_search_by(|(known, _)| (*known).cmp(name))
        .ok()?;
    table::FILES.get(position).map(|(_, text)| *text)
}

/// The names of all embedded files in byte order, the order in which `Include` takes the matches of
/// a pattern.
pub fn list() -> impl Iterator<Item = &'static str> {
    table::FILES.iter().map(|(name, _)| *name)
}

/// The version of the embedded Core Rule Set as its rules give it, such as `4.29.0-dev`; `None`
/// where the library was built without it.
#[must_use]
pub fn crs_version() -> Option<&'static str> {
    table::CRS_VERSION
}

/// Whether a name or pattern asks for the Core Rule Set, so that a message about a missing file can
/// say that it was not there when the library was built.
#[must_use]
pub fn belongs_to_crs(name: &str) -> bool {
    name.starts_with("@owasp_crs/") || name.starts_with("@crs-setup")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_files_are_always_there() {
        for name in ["@recommended-conf", "@demo-conf", "@ftw-conf"] {
            let text = embedded(name).expect(name);
            assert!(!text.trim_ascii().is_empty(), "{name} is empty");
        }
        assert!(list().any(|name| name.starts_with("@baseline/") && name.ends_with(".conf")));
        assert_eq!(embedded("@recommended"), None);
        assert_eq!(embedded(""), None);
    }

    #[test]
    fn every_listed_name_is_found_and_the_list_is_sorted() {
        assert!(list().is_sorted());
        assert!(list().all(|name| embedded(name).is_some()));
    }

    #[test]
    fn the_core_rule_set_is_there_as_a_whole_or_not_at_all() {
        let rules = list()
            .filter(|name| name.starts_with("@owasp_crs/"))
            .count();
        let setup = list().filter(|name| name.starts_with("@crs-setup")).count();
        match crs_version() {
            Some(version) => {
                assert!(
                    version.starts_with(|it: char| it.is_ascii_digit()),
                    "{version}"
                );
                assert!(rules > 40, "{rules} files");
                assert_eq!(setup, 2);
            }
            None => assert_eq!((rules, setup), (0, 0)),
        }
    }

    #[test]
    fn comments_are_blank_and_lines_keep_their_numbers() {
        let source = include_str!("../rules/recommended.conf");
        let embedded = std::str::from_utf8(embedded("@recommended-conf").unwrap()).unwrap();
        assert_eq!(source.lines().count(), embedded.lines().count());
        for (written, kept) in source.lines().zip(embedded.lines()) {
            assert!(kept == written || (kept.is_empty() && written.trim_start().starts_with('#')));
        }
        assert!(!embedded.lines().any(|line| line.starts_with('#')));
    }

    #[test]
    fn names_of_the_core_rule_set_are_known_without_it() {
        assert!(belongs_to_crs("@owasp_crs/*.conf") && belongs_to_crs("@crs-setup-conf"));
        assert!(!belongs_to_crs("@baseline/*.conf") && !belongs_to_crs("@demo-conf"));
    }
}
