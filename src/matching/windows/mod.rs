//! Windows: two or three byte classes in a row, the landmarks of literals.
//!
//! Whatever contains a literal contains each window of it. Waiting for the rarest window of every
//! literal takes a small table and one look-up for each byte, however many literals there are; what
//! it lets through is then looked at closely. Letter case is gone at this level, and the digits are
//! one class: a window occurs at least where its literal does.

mod automaton;
mod frequency;

pub(super) use automaton::{Automaton, WINDOW_LIMIT};

use crate::bytes::ClassSet;

/// One to three classes in a row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Window {
    /// A class.
    One(u8),
    /// Two in a row.
    Two(u8, u8),
    /// Three in a row.
    Three(u8, u8, u8),
}

impl Window {
    /// The rarest window of classes in a row, and where it ends: three long if they are. `None`
    /// without classes.
    pub(super) fn rarest(classes: &[u8]) -> Option<(Self, usize)> {
        match classes {
            [] => None,
            [one] => Some((Self::One(*one), 1)),
            [one, two] => Some((Self::Two(*one, *two), 2)),
            _ => classes
                .windows(3)
                .filter_map(|three| match three {
                    [one, two, three] => Some(Self::Three(*one, *two, *three)),
                    _ => None,
                })
                .zip(3..)
                .min_by_key(|(window, _)| window.frequency()),
        }
    }

    /// How often it occurs: 2³⁰ is always.
    pub(super) fn frequency(&self) -> u64 {
        let of = |class: &u8| frequency::of_class(*class);
        match self {
            Self::One(a) => of(a).saturating_mul(1 << 20),
            Self::Two(a, b) => of(a).saturating_mul(of(b)).saturating_mul(1 << 10),
            Self::Three(a, b, c) => of(a).saturating_mul(of(b)).saturating_mul(of(c)),
        }
    }
}

/// The rarest class of some.
pub(super) fn rarest_class(classes: &[u8]) -> Option<u8> {
    classes
        .iter()
        .copied()
        .min_by_key(|&class| frequency::of_class(class))
}

/// How often one of the classes of a set occurs: 1024 is always.
pub(super) fn frequency_of_set(set: ClassSet) -> u64 {
    members(set)
        .map(frequency::of_class)
        .fold(0, u64::saturating_add)
}

/// The classes of a set, ascending.
pub(super) fn members(set: ClassSet) -> impl Iterator<Item = u8> {
    (0u8..64).filter(move |&class| set.0 & 1u64.wrapping_shl(u32::from(class)) != 0)
}
