//! Names of variables that rules write, and the actions on persistent collections.
//!
//! ModSecurity manual, "initcol", "expirevar", "deprecatevar", "setsid", "setuid", "setrsc".

use super::parse::{ActionError, lossy, template};
use crate::template::Template;
use crate::variable::{KeySlot, KeyTable, Variable};

/// A variable that rules may write: TX or a persistent collection, and a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum VarName {
    /// `tx.name`, resolved.
    Tx(KeySlot),
    /// `ip.name`; the key in lower case.
    Named(Variable, Box<[u8]>),
    /// A key with a macro in it.
    Dynamic(Variable, Template),
}

/// The collections that rules may write.
const WRITABLE: [Variable; 6] = [
    Variable::Tx,
    Variable::Ip,
    Variable::Global,
    Variable::Session,
    Variable::User,
    Variable::Resource,
];

impl VarName {
    /// Reads `collection.key`; the first dot splits, later ones belong to the key.
    ///
    /// # Errors
    /// No dot, an empty key, a collection that cannot be written, an unknown macro.
    pub fn parse(text: &[u8], keys: &mut KeyTable) -> Result<Self, ActionError> {
        let text = text.trim_ascii();
        let at = text.iter().position(|&byte| byte == b'.');
        let (collection, key) = match at {
            Some(at) => {
                let (collection, key) = text.split_at_checked(at).unwrap_or_default();
                (collection, key.get(1..).unwrap_or_default())
            }
            None => (text, b"".as_slice()),
        };
        let variable = writable(collection)?;
        if key.is_empty() {
            return Err(
                ActionError::value(format!("`{}` names no variable", lossy(text)))
                    .hint("write `COLLECTION.name`, such as `tx.score`"),
            );
        }
        let key = template(key, keys)?;
        Ok(match (key.fixed(), variable) {
            (Some(name), Variable::Tx) => Self::Tx(keys.slot(name)),
            (Some(name), _) => Self::Named(variable, name.to_ascii_lowercase().into()),
            (None, _) => Self::Dynamic(variable, key),
        })
    }

    /// The key, where it has a macro in it.
    pub const fn template(&self) -> Option<&Template> {
        match self {
            Self::Dynamic(_, key) => Some(key),
            Self::Tx(_) | Self::Named(..) => None,
        }
    }

    /// The collection.
    pub const fn collection(&self) -> Variable {
        match self {
            Self::Tx(_) => Variable::Tx,
            Self::Named(variable, _) | Self::Dynamic(variable, _) => *variable,
        }
    }
}

/// A collection that rules may write, by name.
fn writable(name: &[u8]) -> Result<Variable, ActionError> {
    Variable::by_name(name)
        .filter(|variable| WRITABLE.contains(variable))
        .ok_or_else(|| {
            ActionError::value(format!(
                "`{}` is not a collection that rules can write",
                lossy(name)
            ))
            .hint(format!(
                "these are {}",
                WRITABLE.map(Variable::name).join(", ")
            ))
        })
}

/// `initcol:collection=key`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InitCol {
    /// The collection.
    pub collection: Variable,
    /// The key of the record.
    pub key: Template,
}

impl InitCol {
    /// Reads the value of the action.
    ///
    /// # Errors
    /// No `=`, an unknown collection, an unknown macro.
    pub fn parse(text: &[u8], keys: &mut KeyTable) -> Result<Self, ActionError> {
        let at = text.iter().position(|&byte| byte == b'=').ok_or_else(|| {
            ActionError::value("`initcol` takes a collection and a key")
                .hint("write `initcol:ip=%{REMOTE_ADDR}`")
        })?;
        let (name, key) = text.split_at_checked(at).unwrap_or_default();
        let collection = writable(name)?;
        if collection == Variable::Tx {
            return Err(ActionError::value("TX is not a persistent collection"));
        }
        Self::of(collection, key.get(1..).unwrap_or_default(), keys)
    }

    /// `setsid`, `setuid`, `setrsc`: the collection is given.
    ///
    /// # Errors
    /// An unknown macro.
    pub fn of(collection: Variable, key: &[u8], keys: &mut KeyTable) -> Result<Self, ActionError> {
        Ok(Self {
            collection,
            key: template(key, keys)?,
        })
    }
}

/// `expirevar:collection.name=seconds`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExpireVar {
    /// The variable.
    pub name: VarName,
    /// Seconds from now.
    pub seconds: Template,
}

impl ExpireVar {
    /// Reads the value of the action.
    ///
    /// # Errors
    /// No `=`, an unknown collection or macro.
    pub fn parse(text: &[u8], keys: &mut KeyTable) -> Result<Self, ActionError> {
        let at = text.iter().position(|&byte| byte == b'=').ok_or_else(|| {
            ActionError::value("`expirevar` takes a variable and seconds")
                .hint("write `expirevar:ip.blocked=60`")
        })?;
        let (name, seconds) = text.split_at_checked(at).unwrap_or_default();
        Ok(Self {
            name: VarName::parse(name, keys)?,
            seconds: template(seconds.get(1..).unwrap_or_default(), keys)?,
        })
    }
}

/// `deprecatevar:collection.name=amount/seconds`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeprecateVar {
    /// The variable.
    pub name: VarName,
    /// How much to take away …
    pub amount: u32,
    /// … every so many seconds; not 0.
    pub seconds: u32,
}

impl DeprecateVar {
    /// Reads the value of the action.
    ///
    /// # Errors
    /// Anything but `name=amount/seconds`.
    pub fn parse(text: &[u8], keys: &mut KeyTable) -> Result<Self, ActionError> {
        let bad = || {
            ActionError::value("`deprecatevar` takes a variable, an amount and seconds")
                .hint("write `deprecatevar:session.score=60/300`")
        };
        let at = text.iter().position(|&byte| byte == b'=').ok_or_else(bad)?;
        let (name, rate) = text.split_at_checked(at).unwrap_or_default();
        let rate = std::str::from_utf8(rate.get(1..).unwrap_or_default()).map_err(|_| bad())?;
        let (amount, seconds) = rate.split_once('/').ok_or_else(bad)?;
        let amount = amount.trim().parse().map_err(|_| bad())?;
        let seconds = seconds
            .trim()
            .parse()
            .ok()
            .filter(|&s| s > 0)
            .ok_or_else(bad)?;
        Ok(Self {
            name: VarName::parse(name, keys)?,
            amount,
            seconds,
        })
    }
}
