//! What effects do to TX.

use super::facts::{Fact, Facts, Pool};
use crate::action::{Change, SetVar, VarName};
use crate::bytes::leading_integer;
use crate::limits::{EXPANDED, SHORT_TEXT, SHORT_VALUE};
use crate::program::{Assignment, Effect};
use crate::template::Template;
use crate::variable::{KeySlot, KeyTable, Variable};

/// What an effect does to TX, as far as that is known.
pub(super) struct Deed<'a> {
    what: What<'a>,
    /// Bytes of the value it sets, if that is a long one.
    long_bytes: usize,
}

enum What<'a> {
    /// Nothing else than this, and nothing outside TX either.
    Assigns(Assignment),
    /// A variable becomes something else.
    Changes(KeySlot),
    /// A variable with a name that begins so becomes something else.
    ChangesLike(&'a [u8]),
    /// Nothing in TX.
    Nothing,
}

impl<'a> Deed<'a> {
    /// That of an effect where this is known.
    pub(super) fn of(effect: &'a Effect, facts: &Facts, pool: &mut Pool) -> Self {
        let set = match effect {
            Effect::SetVar(set) => set,
            Effect::SetEnv(_, value) => {
                let length = value
                    .as_ref()
                    .map_or(Some(0), |value| length(value, facts, pool));
                return Self {
                    what: What::Nothing,
                    long_bytes: long(length),
                };
            }
            _ => {
                return Self {
                    what: What::Nothing,
                    long_bytes: 0,
                };
            }
        };
        let long_bytes = match &set.change {
            Change::Set(value) => long(length(value, facts, pool)),
            Change::Unset | Change::Add(_) | Change::Subtract(_) => 0,
        };
        let what = match &set.name {
            VarName::Tx(slot) => match assigned(set, *slot, facts, pool) {
                Some(assignment) if long_bytes == 0 || facts.has_room(long_bytes) => {
                    What::Assigns(assignment)
                }
                _ => What::Changes(*slot),
            },
            VarName::Dynamic(Variable::Tx, name) => {
                let start = name.start();
                What::ChangesLike(start.get(..SHORT_TEXT).unwrap_or(start))
            }
            VarName::Named(..) | VarName::Dynamic(..) => What::Nothing,
        };
        Self { what, long_bytes }
    }

    /// What it comes to, if that is all it does.
    pub(super) const fn assignment(&self) -> Option<Assignment> {
        match self.what {
            What::Assigns(assignment) => Some(assignment),
            _ => None,
        }
    }

    /// Bytes of the value it sets, if that is a long one.
    pub(super) const fn long_bytes(&self) -> usize {
        self.long_bytes
    }

    /// Notes that it was done, once.
    pub(super) fn is_done(&self, facts: &mut Facts, keys: &KeyTable) {
        match self.what {
            What::Assigns(Assignment { variable, value }) => facts.set(variable, fact(value)),
            What::Changes(slot) => facts.set(slot, Fact::Unknown),
            What::ChangesLike(start) => facts.forget_like(start, keys),
            What::Nothing => {}
        }
        facts.take_room(self.long_bytes);
    }

    /// Notes that it may have been done, and how often nobody knows.
    pub(super) fn may_be_done(&self, facts: &mut Facts, keys: &KeyTable) {
        match self.what {
            What::Assigns(Assignment { variable, value }) => facts.may_set(variable, fact(value)),
            What::Changes(slot) => facts.set(slot, Fact::Unknown),
            What::ChangesLike(start) => facts.forget_like(start, keys),
            What::Nothing => {}
        }
        if self.long_bytes > 0 {
            facts.take_any_room();
        }
    }
}

fn fact(value: Option<crate::program::ConstantId>) -> Fact {
    value.map_or(Fact::Unset, Fact::Value)
}

/// What a variable becomes, if that is known. As the engine does it: a number is at least 0, and a
/// text that is none counts as 0.
fn assigned(set: &SetVar, variable: KeySlot, facts: &Facts, pool: &mut Pool) -> Option<Assignment> {
    if facts.get(variable) == Fact::Engines {
        return None;
    }
    let value = match &set.change {
        Change::Unset => None,
        Change::Set(value) => {
            let text = pool.text(value, facts)?;
            Some(pool.add(&text)?)
        }
        Change::Add(amount) | Change::Subtract(amount) => {
            let amount = leading_integer(&pool.text(amount, facts)?);
            let before = match facts.get(variable) {
                Fact::Value(value) => leading_integer(pool.get(value)),
                Fact::Unset => 0,
                Fact::Unknown | Fact::Engines => return None,
            };
            let amount = match &set.change {
                Change::Subtract(_) => 0i64.saturating_sub(amount),
                _ => amount,
            };
            let sum = before.saturating_add(amount).max(0);
            Some(pool.add(sum.to_string().as_bytes())?)
        }
    };
    Some(Assignment { variable, value })
}

/// How long a text is, if that is known.
fn length(text: &Template, facts: &Facts, pool: &Pool) -> Option<usize> {
    pool.text(text, facts).map(|text| text.len())
}

/// What a value of this length takes of the room for long ones, at most.
fn long(length: Option<usize>) -> usize {
    match length {
        Some(length) if length <= SHORT_VALUE => 0,
        Some(length) => length,
        None => EXPANDED,
    }
}
