//! What a transformation says about itself.

use super::{Context, Outcome};
use crate::bytes::{ClassSet, Profile};

/// One member of the family.
#[derive(Debug)]
pub struct Def {
    /// The name as ModSecurity's manual spells it.
    pub name: &'static str,
    /// Other spellings.
    pub aliases: &'static [&'static str],
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// The source it follows, and where it departs from it.
    pub spec: &'static str,
    /// At least one.
    pub examples: &'static [Example],
    /// The values it can change.
    pub acts_on: ActsOn,
    /// The byte classes that its output can have.
    pub makes: Makes,
    /// How much longer than its input the output can be.
    pub growth: Growth,
    /// Writes the output to the (empty) buffer. What it leaves there after
    /// [`Outcome::Unchanged`] counts for nothing.
    pub(super) apply: fn(input: &[u8], output: &mut Vec<u8>, context: Context<'_>) -> Outcome,
}

/// An input and what becomes of it: run as a test, printed as documentation.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// The value.
    pub input: &'static [u8],
    /// The transformed value.
    pub output: &'static [u8],
}

/// An example, short enough for a table of them.
pub(super) const fn example(input: &'static [u8], output: &'static [u8]) -> Example {
    Example { input, output }
}

/// The values a transformation can change: all others it maps to themselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ActsOn {
    /// Only values with a byte of these classes …
    pub classes: ClassSet,
    /// … or with bytes of one of these classes and no other …
    pub alone: ClassSet,
    /// … or with an ASCII upper-case letter …
    pub upper: bool,
    /// … or the empty value.
    pub empty: bool,
}

impl ActsOn {
    /// Any value may change.
    pub const ANY: Self = Self {
        classes: ClassSet::ALL,
        alone: ClassSet::EMPTY,
        upper: true,
        empty: true,
    };

    /// Any value but the empty one may change.
    pub const NOT_EMPTY: Self = Self::classes(ClassSet::ALL);

    /// Values with a byte of these classes.
    pub const fn classes(classes: ClassSet) -> Self {
        Self {
            classes,
            alone: ClassSet::EMPTY,
            upper: false,
            empty: false,
        }
    }

    /// Values with a byte of the classes that these bytes belong to.
    pub const fn bytes(bytes: &[u8]) -> Self {
        Self::classes(ClassSet::of(bytes))
    }

    /// Whether a value of this profile can change.
    pub const fn may_change(self, profile: Profile) -> bool {
        let alone = profile.classes.0.is_power_of_two() && self.alone.intersects(profile.classes);
        self.classes.intersects(profile.classes)
            || alone
            || (self.upper && profile.upper)
            || (self.empty && profile.classes.0 == 0)
    }
}

/// The byte classes that an output can have, told from those of the input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Makes {
    /// No output has these, unless they are added.
    pub loses: ClassSet,
    /// Any output can have these.
    pub adds: ClassSet,
    /// Inputs with one of these …
    pub marks: ClassSet,
    /// … can give these.
    pub decoded: ClassSet,
}

impl Makes {
    /// None that the input does not have.
    pub const SAME: Self = Self {
        loses: ClassSet::EMPTY,
        adds: ClassSet::EMPTY,
        marks: ClassSet::EMPTY,
        decoded: ClassSet::EMPTY,
    };

    /// Any.
    pub const ANYTHING: Self = Self::only(ClassSet::ALL);

    /// These, whatever the input has.
    pub const fn only(classes: ClassSet) -> Self {
        Self {
            loses: ClassSet::ALL,
            adds: classes,
            ..Self::SAME
        }
    }

    /// Any that the input has, and those of these bytes.
    pub const fn also(bytes: &[u8]) -> Self {
        Self {
            adds: ClassSet::of(bytes),
            ..Self::SAME
        }
    }

    /// Any that the input has, and all if one of these bytes is in it.
    pub const fn decodes(marks: &[u8]) -> Self {
        Self {
            marks: ClassSet::of(marks),
            decoded: ClassSet::ALL,
            ..Self::SAME
        }
    }

    /// The classes that outputs can have for inputs with some of these and no others.
    #[must_use]
    pub const fn of(self, input: ClassSet) -> ClassSet {
        let classes = input.without(self.loses).union(self.adds);
        if self.marks.intersects(input) {
            classes.union(self.decoded)
        } else {
            classes
        }
    }
}

/// A bound on the length of the output: `factor` times the length of the input, plus `extra` bytes.
///
/// A chain multiplies the factors of its members; who runs chains of a stranger's rules has to
/// bound the product.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Growth {
    /// Output bytes for each byte of input.
    pub factor: u8,
    /// Output bytes whatever the input.
    pub extra: u8,
}

impl Growth {
    /// The output is never longer than the input.
    pub const NONE: Self = Self::factor(1);

    /// At most so many times the input.
    pub const fn factor(factor: u8) -> Self {
        Self { factor, extra: 0 }
    }

    /// The longest output for an input of this length, in bytes.
    pub fn bound(self, input_len: usize) -> usize {
        input_len
            .saturating_mul(usize::from(self.factor))
            .saturating_add(usize::from(self.extra))
    }
}
