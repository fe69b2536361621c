//! The list of known failures and of members to come.
//!
//! One entry a line: a kind, an id, and the reason in words. `fails SUITE/CASE REASON` expects a
//! case to fail; `v2-wins SUITE/MECHANISM REASON` names a mechanism by which cases differ because
//! ModSecurity 2.9 is followed where they are not; `not-apply SUITE/MECHANISM REASON` names one by
//! which they want what this project cannot have; `not-yet SUITE/MEMBER REASON` says that the project
//! does not have a member.

use std::collections::BTreeMap;

/// What is expected to differ.
pub struct Expectations(BTreeMap<String, Entry>);

struct Entry {
    kind: Kind,
    reason: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Fails,
    V2Wins,
    NotApply,
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
                Some("v2-wins") => Kind::V2Wins,
                Some("not-apply") => Kind::NotApply,
                Some("not-yet") => Kind::NotYet,
                _ => {
                    return Err(format!(
                        "expected `fails`, `v2-wins`, `not-apply` or `not-yet`: {line}"
                    ));
                }
            };
            let id = words.next().ok_or(format!("an entry without id: {line}"))?;
            let reason = words.collect::<Vec<_>>().join(" ");
            if reason.is_empty() {
                return Err(format!("an entry without reason: {line}"));
            }
            if entries
                .insert(id.to_owned(), Entry { kind, reason })
                .is_some()
            {
                return Err(format!("a second entry for {id}"));
            }
        }
        Ok(Self(entries))
    }

    /// Whether a case is expected to fail.
    pub fn fails(&self, case: &str) -> bool {
        self.kind(case) == Some(Kind::Fails)
    }

    /// Whether an entry names a mechanism.
    pub fn is_mechanism(&self, id: &str) -> bool {
        matches!(self.kind(id), Some(Kind::V2Wins | Kind::NotApply))
    }

    /// Why ModSecurity 2.9 is followed where cases of a mechanism are not.
    pub fn v2_wins(&self, mechanism: &str) -> Option<&str> {
        self.reason(mechanism, Kind::V2Wins)
    }

    /// Why cases of a mechanism do not apply.
    pub fn not_apply(&self, mechanism: &str) -> Option<&str> {
        self.reason(mechanism, Kind::NotApply)
    }

    fn reason(&self, case: &str, kind: Kind) -> Option<&str> {
        let entry = self.0.get(case)?;
        (entry.kind == kind).then_some(&*entry.reason)
    }

    /// Whether a member is still missing.
    pub fn is_not_yet(&self, member: &str) -> bool {
        self.kind(member) == Some(Kind::NotYet)
    }

    fn kind(&self, id: &str) -> Option<Kind> {
        self.0.get(id).map(|entry| entry.kind)
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
        let list = Expectations::parse(
            "# x\n\nfails a/b#1 a reason\nnot-yet a/c later\nv2-wins a/d a b\nnot-apply a/e c",
        )
        .unwrap();
        assert!(list.fails("a/b#1") && !list.fails("a/c"));
        assert!(list.is_mechanism("a/d") && list.v2_wins("a/b#1").is_none());
        assert_eq!(list.v2_wins("a/d"), Some("a b"));
        assert_eq!(
            (list.not_apply("a/e"), list.not_apply("a/d")),
            (Some("c"), None)
        );
        assert!(!list.fails("a/e") && !list.is_mechanism("a/b#1"));
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
