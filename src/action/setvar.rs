//! `setvar`: ModSecurity manual, "setvar"; the forms of v2.

use super::collection::VarName;
use super::parse::{ActionError, template};
use crate::template::Template;
use crate::variable::KeyTable;

/// One `setvar`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetVar {
    /// What is set.
    pub name: VarName,
    /// How.
    pub change: Change,
}

/// What `setvar` does to a variable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// `!tx.x`.
    Unset,
    /// `tx.x=text`; `tx.x` alone sets `1`.
    Set(Template),
    /// `tx.x=+n`: whole numbers; anything else counts as 0.
    Add(Template),
    /// `tx.x=-n`: never below 0, as in v2.
    Subtract(Template),
}

impl SetVar {
    /// Reads the value of the action.
    ///
    /// # Errors
    /// An unknown collection or macro, a missing name.
    pub fn parse(text: &[u8], keys: &mut KeyTable) -> Result<Self, ActionError> {
        if let Some(name) = text.strip_prefix(b"!") {
            return Ok(Self {
                name: VarName::parse(name, keys)?,
                change: Change::Unset,
            });
        }
        let Some(at) = equals_outside_macros(text) else {
            let change = Change::Set(Template::literal(b"1"));
            return Ok(Self {
                name: VarName::parse(text, keys)?,
                change,
            });
        };
        let (name, value) = text.split_at_checked(at).unwrap_or_default();
        let value = value.get(1..).unwrap_or_default();
        let change = match value.split_first() {
            Some((b'+', amount)) => Change::Add(template(amount, keys)?),
            Some((b'-', amount)) => Change::Subtract(template(amount, keys)?),
            _ => Change::Set(template(value, keys)?),
        };
        Ok(Self {
            name: VarName::parse(name, keys)?,
            change,
        })
    }
}

/// The first `=` that is not inside `%{…}`: a key of a macro may hold one.
fn equals_outside_macros(text: &[u8]) -> Option<usize> {
    let mut inside = false;
    let mut previous = 0;
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            b'{' if previous == b'%' => inside = true,
            b'}' => inside = false,
            b'=' if !inside => return Some(at),
            _ => {}
        }
        previous = byte;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::variable::Variable;

    fn parsed(text: &str) -> SetVar {
        SetVar::parse(text.as_bytes(), &mut KeyTable::default()).unwrap()
    }

    #[test]
    fn forms() {
        assert_eq!(parsed("tx.x").change, Change::Set(Template::literal(b"1")));
        assert_eq!(parsed("!tx.x").change, Change::Unset);
        assert_eq!(
            parsed("tx.x=5").change,
            Change::Set(Template::literal(b"5"))
        );
        assert_eq!(
            parsed("tx.x=+5").change,
            Change::Add(Template::literal(b"5"))
        );
        assert_eq!(
            parsed("tx.x=-5").change,
            Change::Subtract(Template::literal(b"5"))
        );
        assert_eq!(parsed("tx.x=").change, Change::Set(Template::default()));
        assert!(
            matches!(parsed("ip.a.b=c=d").name, VarName::Named(Variable::Ip, key) if &*key == b"a.b")
        );
        assert!(matches!(
            parsed("tx.%{rule.id}-x=1").name,
            VarName::Dynamic(Variable::Tx, _)
        ));
    }

    #[test]
    fn errors() {
        let mut keys = KeyTable::default();
        for text in ["x=1", "nope.x=1", "tx.=1", "args.x=1", "tx.x=%{nope}"] {
            assert!(SetVar::parse(text.as_bytes(), &mut keys).is_err(), "{text}");
        }
    }
}
