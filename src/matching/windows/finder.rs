//! Which landmarks occur in a value, in one scan.
//!
//! At each byte the three classes before it are looked up in a small table, which says of each class
//! that may stand behind them whether some landmark goes on so: one word for three classes, one bit
//! for the fourth. Nearly all places of a value end there. Only at the others the landmarks with
//! these three classes are compared, with all that is known of them.

use super::{COLUMN, EDGE, Landmark, PLACE_BITS, class_at, column};
use crate::bytes::ClassSet;

/// Nothing but edges, as many as are read before.
const OUTSIDE: u32 = {
    let mut outside = 0;
    let mut place = 0;
    while place < 5 {
        outside = outside << PLACE_BITS | column(EDGE);
        place += 1;
    }
    outside
};
/// Lists of landmarks that are two classes long: one for each first class.
const PAIRS: usize = 64;

/// So many landmarks are compared in the time of one report.
const COMPARED: usize = 4;

/// The tables.
#[derive(Debug)]
pub(in crate::matching) struct Finder {
    filter: Filter,
    /// By class: the classes that make a landmark behind it, alone.
    pairs: Box<[u64; PAIRS]>,
    /// By word of the filter, then by class for pairs: where the landmarks begin. They end where the
    /// next ones begin.
    starts: Box<[u32]>,
    landmarks: Box<[Landmark]>,
    /// What the landmarks report.
    numbers: Box<[u32]>,
}

/// By the hash of three classes: those that may stand behind them. Of some sizes that the compiler
/// knows, so that it leaves out bounds.
#[derive(Debug)]
enum Filter {
    Small(Box<[u64; 512]>),
    Medium(Box<[u64; 4096]>),
    Large(Box<[u64; 16384]>),
}

impl Finder {
    /// Builds the tables, from landmarks and what to report of them. Single classes are not for them.
    /// `None` without landmarks.
    pub(in crate::matching) fn new(mut wanted: Vec<(Landmark, u32)>) -> Option<Self> {
        if wanted.is_empty() {
            return None;
        }
        let mut filter = Filter::for_landmarks(wanted.len());
        let words = filter.words_mut();
        let count = words.len();
        let list = |landmark: Landmark| match landmark.is_pair() {
            false => hash(landmark.window(), count),
            true => count.saturating_add(place(landmark.window() >> PLACE_BITS)),
        };
        wanted.sort_by_cached_key(|&(landmark, number)| (list(landmark), landmark, number));
        let mut pairs = Box::new([0u64; PAIRS]);
        let mut starts = vec![0u32; count.saturating_add(PAIRS).saturating_add(1)];
        for &(landmark, _) in &wanted {
            let at = list(landmark);
            if let Some(word) = words.get_mut(at) {
                *word |= landmark.behind().0;
            } else if let Some(pair) = pairs.get_mut(at.saturating_sub(count)) {
                *pair |= 1u64.wrapping_shl(landmark.window() & COLUMN);
            }
            if let Some(count) = starts.get_mut(at.saturating_add(1)) {
                *count = count.saturating_add(1);
            }
        }
        let mut sum = 0u32;
        for start in &mut starts {
            sum = sum.checked_add(*start)?;
            *start = sum;
        }
        Some(Self {
            filter,
            pairs,
            starts: starts.into(),
            landmarks: wanted.iter().map(|&(landmark, _)| landmark).collect(),
            numbers: wanted.iter().map(|&(_, number)| number).collect(),
        })
    }

    /// Scans a value and hands over where the window of a landmark ends and what it reports,
    /// repeatedly where it repeats. A window that ends with the edge of the value ends behind it. The
    /// answer may say where to stop instead of at the end. Returns how much it compared, in reports
    /// ([`crate::work::cost::REPORT`]).
    pub(in crate::matching) fn scan(
        &self,
        hay: &[u8],
        report: impl FnMut(usize, u32) -> Option<usize>,
    ) -> usize {
        match &self.filter {
            Filter::Small(filter) => self.scan_with(filter, hay, report),
            Filter::Medium(filter) => self.scan_with(filter, hay, report),
            Filter::Large(filter) => self.scan_with(filter, hay, report),
        }
    }

    fn scan_with<const WORDS: usize>(
        &self,
        filter: &[u64; WORDS],
        hay: &[u8],
        mut report: impl FnMut(usize, u32) -> Option<usize>,
    ) -> usize {
        let mut compared = 0usize;
        let mut read = OUTSIDE;
        let mut stop = hay.len();
        let mut bytes = hay.iter();
        while let Some(&byte) = bytes.next() {
            let class = u32::from(ClassSet::class_of(byte));
            if self.may_end(filter, read, class) {
                let behind = stop.saturating_sub(bytes.len());
                let at = behind.saturating_sub(1);
                let earlier = self.compare(filter, hay, at, read, &mut compared, &mut report);
                if let Some(earlier) = earlier.filter(|&earlier| earlier < stop) {
                    stop = earlier.max(behind);
                    bytes = hay.get(behind..stop).unwrap_or_default().iter();
                }
            }
            read = read << PLACE_BITS | class;
        }
        // Windows that end with the last byte, and with the edge.
        for at in [stop, stop.saturating_add(1)] {
            let class = class_at(hay, at);
            if self.may_end(filter, read, class) {
                self.compare(filter, hay, at, read, &mut compared, &mut report);
            }
            read = read << PLACE_BITS | class;
        }
        compared / COMPARED
    }

    /// Whether a window may end with the classes that were read last, in front of another.
    #[inline]
    fn may_end<const WORDS: usize>(&self, filter: &[u64; WORDS], read: u32, class: u32) -> bool {
        let follows = follows(filter, read).wrapping_shr(class);
        let pair = self.pair(read).wrapping_shr(read & COLUMN);
        (follows | pair) & 1 != 0
    }

    /// The classes that make a landmark behind the last class but one.
    #[inline]
    fn pair(&self, read: u32) -> u64 {
        let pair = self.pairs.get(place(read >> PLACE_BITS));
        pair.copied().unwrap_or_default()
    }

    /// Compares the landmarks whose window may end at a place. The earliest answer.
    #[inline(never)]
    fn compare<const WORDS: usize>(
        &self,
        filter: &[u64; WORDS],
        hay: &[u8],
        at: usize,
        read: u32,
        compared: &mut usize,
        report: &mut impl FnMut(usize, u32) -> Option<usize>,
    ) -> Option<usize> {
        let class = class_at(hay, at);
        let found = [class, class_at(hay, at.saturating_add(1))];
        let found = found.iter().fold(u64::from(read), |found, &class| {
            found << PLACE_BITS | u64::from(class)
        });
        let three = follows(filter, read).wrapping_shr(class) & 1 != 0;
        let two = self.pair(read).wrapping_shr(read & COLUMN) & 1 != 0;
        let lists = [
            three.then(|| hash(read, WORDS)),
            two.then(|| WORDS.saturating_add(place(read >> PLACE_BITS))),
        ];
        let mut earliest = None;
        for list in lists.into_iter().flatten() {
            let (landmarks, numbers) = self.list(list);
            *compared = compared.saturating_add(landmarks.len());
            for (landmark, &number) in landmarks.iter().zip(numbers) {
                if landmark.agrees_with(found)
                    && let Some(stop) = report(at, number)
                {
                    earliest = Some(earliest.map_or(stop, |known: usize| known.min(stop)));
                }
            }
        }
        earliest
    }

    fn list(&self, list: usize) -> (&[Landmark], &[u32]) {
        let place = |at: usize| {
            let start = self.starts.get(at).copied().unwrap_or_default();
            usize::try_from(start).unwrap_or(usize::MAX)
        };
        let range = place(list)..place(list.saturating_add(1));
        let landmarks = self.landmarks.get(range.clone());
        let numbers = self.numbers.get(range);
        (landmarks.unwrap_or_default(), numbers.unwrap_or_default())
    }

    /// Memory of the tables, in bytes.
    pub(in crate::matching) fn memory_usage(&self) -> usize {
        size_of_val(self.filter.words())
            .saturating_add(size_of_val(&*self.pairs))
            .saturating_add(size_of_val(&*self.starts))
            .saturating_add(size_of_val(&*self.landmarks))
            .saturating_add(size_of_val(&*self.numbers))
    }
}

impl Filter {
    /// One of about as many words as there are landmarks.
    fn for_landmarks(count: usize) -> Self {
        match count {
            0..600 => Self::Small(Box::new([0; _])),
            600..12000 => Self::Medium(Box::new([0; _])),
            _ => Self::Large(
                vec![0; 16384]
                    .try_into()
                    .unwrap_or_else(|_| Box::new([0; _])),
            ),
        }
    }

    fn words(&self) -> &[u64] {
        match self {
            Self::Small(words) => &**words,
            Self::Medium(words) => &**words,
            Self::Large(words) => &**words,
        }
    }

    fn words_mut(&mut self) -> &mut [u64] {
        match self {
            Self::Small(words) => &mut **words,
            Self::Medium(words) => &mut **words,
            Self::Large(words) => &mut **words,
        }
    }
}

/// The classes that may stand behind the three that were read last.
#[inline]
fn follows<const WORDS: usize>(filter: &[u64; WORDS], read: u32) -> u64 {
    let word = filter.get(hash(read, WORDS));
    word.copied().unwrap_or_default()
}

/// The word for the three classes that were read last, of so many: a power of two.
#[inline]
fn hash(read: u32, words: usize) -> usize {
    const THREE: u32 = (1 << (3 * PLACE_BITS)) - 1;
    const SPREAD: u32 = 0x9E37_79B1;
    let unused = u32::BITS.saturating_sub(words.trailing_zeros());
    let hash = (read & THREE).wrapping_mul(SPREAD).wrapping_shr(unused);
    usize::try_from(hash).unwrap_or_default() & words.saturating_sub(1)
}

/// The last class of those that were read.
#[inline]
fn place(read: u32) -> usize {
    usize::try_from(read & COLUMN).unwrap_or_default()
}
