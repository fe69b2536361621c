//! Landmarks: byte classes in a row, around the rarest three of a literal.
//!
//! Whatever contains a literal contains each part of it. Waiting for the rarest three classes in a
//! row of every literal, its window, takes a small table and one look-up for each byte, however many
//! literals there are; two classes on either side tell whether it is the literal's. Letter case is
//! gone at this level, and the digits are one class: a landmark occurs at least where its literal
//! does.
//!
//! The edges of a value count as a class of their own in front of it and behind it, so that "begins
//! with" and "ends with" are literals too.

mod finder;
mod frequency;

pub(super) use finder::{Finder, Wanted};

use crate::bytes::{ClassSet, set_bits};

/// Stands in a run for an edge of the value: no class of a byte.
pub(super) const EDGE: u8 = 64;

/// Places of a landmark: two before the window, three in it, two behind it.
const PLACES: u32 = 7;
/// The first place of a window, and the one behind it.
const WINDOW: (usize, usize) = (2, 5);
/// Bits of a class.
const PLACE_BITS: u32 = 6;
/// All bits of one class.
const COLUMN: u32 = (1 << PLACE_BITS) - 1;

/// Classes in a row as far as they are known: a window with what stands around it.
///
/// Each place has six bits, the last one the lowest; above them all there is a bit for each place,
/// the first one the lowest, that says whether it is known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct Landmark(u64);

impl Landmark {
    /// Nothing but a class.
    pub(super) fn class(class: u8) -> Self {
        Self::around(&[class], 1, 1)
    }

    /// The rarest landmark of a run, and where its window ends; of as many classes as the run has, if
    /// these are fewer than three. `None` without classes of bytes.
    pub(super) fn of(run: &[u8]) -> Option<(Self, usize)> {
        if run.iter().all(|&class| class == EDGE) {
            return None;
        }
        let length = run.len().min(3);
        // The finder looks up the window and one class behind it.
        let looked_up = |end: &usize| {
            let classes = run.iter().skip(end.saturating_sub(length));
            frequency_of(classes.take(length.saturating_add(1)).copied())
        };
        let end = (length..=run.len()).min_by_key(looked_up)?;
        Some((Self::around(run, end, length), end))
    }

    /// The same without what stands around the window.
    pub(super) fn alone(self) -> Self {
        let window = Self::mask(WINDOW.0..WINDOW.1);
        let known = (WINDOW.0..WINDOW.1).filter(|&place| self.at(place).is_some());
        let known = known.fold(0, |known, place| known | known_bit(place));
        Self(self.0 & window | known)
    }

    /// The class, if it is nothing but one.
    pub(super) fn lone_class(self) -> Option<u8> {
        match self.at(WINDOW.1.saturating_sub(2)) {
            Some(_) => None,
            None => self.at(WINDOW.1.saturating_sub(1)),
        }
    }

    /// The classes that may stand right behind the window.
    pub(super) fn behind(self) -> ClassSet {
        self.at(WINDOW.1).map_or(ClassSet::ALL, |class| {
            ClassSet(1u64.wrapping_shl(u32::from(class)))
        })
    }

    /// How often it occurs: 2³⁰ is always.
    pub(super) fn frequency(self) -> u64 {
        let places = 0..usize::try_from(PLACES).unwrap_or_default();
        frequency_of(places.filter_map(|place| self.at(place)))
    }

    /// Part of a run: a window of some classes that ends at a place, and what stands around it there.
    /// Windows that are shorter than three stand alone.
    fn around(run: &[u8], end: usize, length: usize) -> Self {
        let places = match length {
            3.. => 0..usize::try_from(PLACES).unwrap_or_default(),
            _ => WINDOW.1.saturating_sub(length)..WINDOW.1,
        };
        places.fold(Self(0), |landmark, place| {
            let at = end.saturating_add(place).checked_sub(WINDOW.1);
            match at.and_then(|at| run.get(at)) {
                Some(&class) => landmark.with(place, class),
                None => landmark,
            }
        })
    }

    fn with(self, place: usize, class: u8) -> Self {
        let class = u64::from(column(class));
        Self(self.0 | class.wrapping_shl(shift_of(place)) | known_bit(place))
    }

    /// The class at a place, if it is known.
    fn at(self, place: usize) -> Option<u8> {
        let class = self.0.wrapping_shr(shift_of(place)) & u64::from(COLUMN);
        let class = u8::try_from(class).unwrap_or_default();
        (self.0 & known_bit(place) != 0).then_some(class)
    }

    /// Whether its window has two classes.
    fn is_pair(self) -> bool {
        self.at(WINDOW.0).is_none()
    }

    /// The classes of its window, the last one lowest.
    fn window(self) -> u32 {
        const THREE: u64 = (1 << (3 * PLACE_BITS)) - 1;
        let behind = self.0 >> (2 * PLACE_BITS);
        u32::try_from(behind & THREE).unwrap_or_default()
    }

    /// Whether what is known of it stands in seven classes of a value.
    #[inline]
    fn agrees_with(self, found: u64) -> bool {
        const KNOWN: usize = 1 << PLACES;
        const MASKS: [u64; KNOWN] = masks();
        let known = usize::try_from(self.0 >> (PLACES * PLACE_BITS)).unwrap_or_default();
        let mask = MASKS.get(known).copied().unwrap_or(u64::MAX);
        (self.0 ^ found) & mask == 0
    }

    /// The bits of the classes of some places.
    fn mask(places: std::ops::Range<usize>) -> u64 {
        let one = |place| u64::from(COLUMN).wrapping_shl(shift_of(place));
        places.fold(0, |mask, place| mask | one(place))
    }
}

/// How often classes occur in a row: 2³⁰ is always.
fn frequency_of(classes: impl Iterator<Item = u8>) -> u64 {
    let mut known: Option<(u64, u8)> = None;
    for class in classes {
        let of_class = frequency::of_class(class);
        let frequency = match known {
            None => of_class << 20,
            Some((frequency, before)) => {
                let affinity = frequency::affinity(before, class);
                let together = frequency.saturating_mul(of_class).saturating_mul(affinity);
                (together / frequency::CHANCE) >> 10
            }
        };
        known = Some((frequency, class));
    }
    known.map_or(1 << 30, |(frequency, _)| frequency)
}

/// For all bits that say which places are known: the bits of these places' classes.
#[expect(
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "evaluated by the compiler, which refuses what is out of bounds"
)]
const fn masks<const COUNT: usize>() -> [u64; COUNT] {
    let mut masks = [0; COUNT];
    let mut known = 0;
    while known < COUNT {
        let mut place = 0;
        while place < PLACES {
            if known >> place & 1 != 0 {
                masks[known] |= (COLUMN as u64) << ((PLACES - 1 - place) * PLACE_BITS);
            }
            place += 1;
        }
        known += 1;
    }
    masks
}

fn shift_of(place: usize) -> u32 {
    let place = u32::try_from(place).unwrap_or(PLACES);
    let behind = PLACES.saturating_sub(1).saturating_sub(place);
    behind.saturating_mul(PLACE_BITS)
}

fn known_bit(place: usize) -> u64 {
    let place = u32::try_from(place).unwrap_or(PLACES);
    1u64.wrapping_shl(PLACES.saturating_mul(PLACE_BITS).saturating_add(place))
}

/// How a class stands in a landmark. The edge passes for a control byte, since six bits are full:
/// a landmark is found in more places then, and in none less.
#[expect(clippy::as_conversions, reason = "`u32::from` is no constant function")]
const fn column(class: u8) -> u32 {
    if class == EDGE {
        ClassSet::class_of(0) as u32
    } else {
        class as u32
    }
}

/// The class at a place of a value, or outside of it.
#[inline]
fn class_at(hay: &[u8], at: usize) -> u32 {
    hay.get(at)
        .map_or(column(EDGE), |&byte| u32::from(ClassSet::class_of(byte)))
}

/// The rarest class of some that a byte has.
pub(super) fn rarest_class(classes: &[u8]) -> Option<u8> {
    let of_bytes = classes.iter().copied().filter(|&class| class != EDGE);
    of_bytes.min_by_key(|&class| frequency::of_class(class))
}

/// How often one of the classes of a set occurs: 1024 is always.
pub(super) fn frequency_of_set(set: ClassSet) -> u64 {
    set_bits(set.0)
        .map(frequency::of_class)
        .fold(0, u64::saturating_add)
}
