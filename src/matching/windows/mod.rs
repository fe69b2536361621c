//! Windows: two or three byte classes in a row, the landmarks of literals.
//!
//! Whatever contains a literal contains each window of it. Waiting for the rarest window of every
//! literal takes a small table and one look-up for each byte, however many literals there are; what
//! it lets through is then looked at closely. Letter case is gone at this level, and the digits are
//! one class: a window occurs at least where its literal does.

mod automaton;
mod frequency;

pub(super) use automaton::{Automaton, WINDOW_LIMIT};

use crate::bytes::{ClassSet, set_bits};

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
        let together = |before: u64, class: u8, next: u8| {
            let by_chance = before.saturating_mul(frequency::of_class(next));
            by_chance.saturating_mul(frequency::affinity(class, next)) / frequency::CHANCE
        };
        match self {
            Self::One(a) => of(a).saturating_mul(1 << 20),
            Self::Two(a, b) => together(of(a).saturating_mul(1 << 10), *a, *b),
            Self::Three(a, b, c) => together(together(of(a), *a, *b), *b, *c),
        }
    }
}

/// A window in a longer run, and the classes that stand around it there: most places where a window
/// occurs are not in the run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Landmark {
    /// The window.
    pub(super) window: Window,
    /// What stands around it.
    pub(super) around: Around,
}

/// The two classes before a window of three and the two behind it, as far as they are known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub(super) struct Around {
    /// A byte each.
    classes: u32,
    /// All bits of the bytes that are known.
    known: u32,
}

/// Stands for a place outside the value.
const OUTSIDE: u8 = u8::MAX;

impl Landmark {
    /// Nothing but a class.
    pub(super) const fn class(class: u8) -> Self {
        Self {
            window: Window::One(class),
            around: Around {
                classes: 0,
                known: 0,
            },
        }
    }

    /// The rarest window of a run, with what stands around it. `None` without classes.
    pub(super) fn of(run: &[u8]) -> Option<Self> {
        let (window, end) = Window::rarest(run)?;
        let around = Around::expected(run, window, end);
        Some(Self { window, around })
    }

    /// How often it occurs: 2³⁰ is always.
    pub(super) fn frequency(&self) -> u64 {
        let classes = self.around.classes.to_le_bytes();
        let known = self.around.known.to_le_bytes();
        let around = classes.iter().zip(known).filter(|(_, known)| *known != 0);
        around.fold(self.window.frequency(), |frequency, (class, _)| {
            frequency.saturating_mul(frequency::of_class(*class)) >> 10
        })
    }
}

impl Around {
    /// What stands around the window that ends at a place of a value.
    pub(super) fn found(hay: &[u8], end: usize) -> Self {
        let whole = end
            .checked_sub(5)
            .and_then(|start| hay.get(start..end.saturating_add(2)));
        if let Some(&[a, b, _, _, _, c, d]) = whole {
            let classes = [a, b, c, d].map(ClassSet::class_of);
            return Self {
                classes: u32::from_le_bytes(classes),
                known: u32::MAX,
            };
        }
        Self::new(end, |at| hay.get(at).map(|&byte| ClassSet::class_of(byte)))
    }

    /// What has to stand around a window of a run, if the value is to contain the run; anything
    /// around windows that are shorter than three.
    pub(super) fn expected(run: &[u8], window: Window, end: usize) -> Self {
        match window {
            Window::Three(..) => Self::new(end, |at| run.get(at).copied()),
            _ => Self::default(),
        }
    }

    /// Of that, the nearest class on either side.
    pub(super) fn nearest(self) -> Surroundings {
        let [_, before, behind, _] = self.classes.to_le_bytes();
        let [_, before_known, behind_known, _] = self.known.to_le_bytes();
        let set = |class: u8, known: u8| match known {
            0 => u64::MAX,
            _ => 1u64.wrapping_shl(u32::from(class)),
        };
        Surroundings {
            before: set(before, before_known),
            behind: set(behind, behind_known),
        }
    }

    fn new(end: usize, class: impl Fn(usize) -> Option<u8>) -> Self {
        let before = |distance| end.checked_sub(distance).and_then(&class);
        let places = [
            before(5),
            before(4),
            class(end),
            class(end.saturating_add(1)),
        ];
        let byte = |place: Option<u8>, none| place.unwrap_or(none);
        Self {
            classes: u32::from_le_bytes(places.map(|place| byte(place, OUTSIDE))),
            known: u32::from_le_bytes(places.map(|place| place.map_or(0, |_| u8::MAX))),
        }
    }

    /// Whether what is known of this one stands in the other.
    pub(super) const fn agrees_with(self, found: Self) -> bool {
        (self.classes ^ found.classes) & self.known == 0
    }
}

/// The classes that may stand right before a window of three and right behind it, where it matters.
/// All of them also stand for the edge of the value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Surroundings {
    before: u64,
    behind: u64,
}

impl Surroundings {
    /// It matters nowhere.
    pub(super) const NONE: Self = Self {
        before: 0,
        behind: 0,
    };

    /// Where one of two matters.
    pub(super) const fn or(self, other: Self) -> Self {
        Self {
            before: self.before | other.before,
            behind: self.behind | other.behind,
        }
    }

    /// Whether the window that ends at a place of a value matters there.
    fn admit(self, hay: &[u8], end: usize) -> bool {
        let admits = |set: u64, place: Option<&u8>| match place {
            _ if set == u64::MAX => true,
            Some(&byte) => ClassSet(set).intersects(ClassSet::of(&[byte])),
            None => false,
        };
        admits(self.behind, hay.get(end))
            && admits(self.before, end.checked_sub(4).and_then(|at| hay.get(at)))
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
    set_bits(set.0)
        .map(frequency::of_class)
        .fold(0, u64::saturating_add)
}
