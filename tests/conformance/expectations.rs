//! The list of known failures and of members to come.
//!
//! One entry a line: a kind, an id, and the reason in words. `fails SUITE/CASE REASON` expects a
//! case to fail; `not-yet SUITE/MEMBER REASON` says that the project does not have a member.

use std::collections::BTreeMap;

/// What is expected to differ.
pub struct Expectations(BTreeMap<String, Kind>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Fails,
    NotYet,
}

/// The list in the repository.
pub fn committed() -> Expectations {
    Expectations::parse(include_str!("expectations.txt")).unwrap()
}

impl Expectations {
    /// Reads a list; `#` at the start of a line makes a comment.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut entries = BTreeMap::new();
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let mut words = line.split_whitespace();
            let kind = match words.next() {
                Some("fails") => Kind::Fails,
                Some("not-yet") => Kind::NotYet,
                _ => return Err(format!("expected `fails` or `not-yet`: {line}")),
            };
            let id = words.next().ok_or(format!("an entry without id: {line}"))?;
            words
                .next()
                .ok_or(format!("an entry without reason: {line}"))?;
            if entries.insert(id.to_owned(), kind).is_some() {
                return Err(format!("a second entry for {id}"));
            }
        }
        Ok(Self(entries))
    }

    /// Whether a case is expected to fail.
    pub fn fails(&self, case: &str) -> bool {
        self.0.get(case) == Some(&Kind::Fails)
    }

    /// Whether a member is still missing.
    pub fn is_not_yet(&self, member: &str) -> bool {
        self.0.get(member) == Some(&Kind::NotYet)
    }

    /// What the entries are about.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_kind_id_and_reason() {
        let list = Expectations::parse("# x\n\nfails a/b#1 a reason\nnot-yet a/c later\n").unwrap();
        assert!(list.fails("a/b#1") && !list.fails("a/c"));
        assert!(list.is_not_yet("a/c") && !list.is_not_yet("a/b#1"));
        for bad in [
            "fails a/b",
            "fails",
            "passes a/b x",
            "fails a x\nnot-yet a y",
        ] {
            assert!(Expectations::parse(bad).is_err(), "{bad}");
        }
    }
}
