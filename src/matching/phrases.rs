//! Phrase lists: `@pm` and its relatives.
//!
//! Aho and Corasick's automaton takes a state for each byte of each phrase, megabytes for the lists
//! of the Core Rule Set, and follows failure links through them. Here the rarest window of each
//! phrase leads to it: the value is scanned for windows, and only where one occurs are its phrases
//! compared with the value in place, by binary search. Time is linear in the value: at each byte at
//! most two windows end, and a window belongs to few groups (phrases with the window at the same
//! offset), each of which costs one search.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::syntax::ByteSet;
use super::windows::{Finder, Landmark, Wanted};
use crate::bytes::ClassSet;
use crate::work::{Work, cost};

/// A list of phrases, searched for all at once in either ASCII letter case: immutable, shared by
/// cloning.
#[derive(Clone)]
pub struct PhraseSet {
    inner: Arc<Inner>,
}

struct Inner {
    list: Arc<List>,
    has_empty: bool,
    /// Phrases of one byte, in either case.
    single: ByteSet,
    finder: Option<Finder>,
    groups: Box<[Group]>,
    /// The phrases of the groups, one sorted list after the other.
    members: Box<[u32]>,
}

/// Phrases that have the same window at the same place. None starts with another.
#[derive(Clone, Copy, Debug)]
struct Group {
    /// From the start of the phrase to the end of the window, in bytes.
    window_end: usize,
    first: u32,
    count: u32,
}

/// The phrases in lower case, in the order given.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct List {
    bytes: Box<[u8]>,
    ends: Box<[u32]>,
}

/// Why a list of phrases cannot be used: it is longer than 4 GiB.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PhraseSetError {
    /// What is wrong, in a phrase without a final stop.
    pub message: String,
}

impl fmt::Display for PhraseSetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PhraseSetError {}

impl PhraseSet {
    /// Builds the tables of a list.
    ///
    /// # Errors
    /// The list is too long.
    pub fn new<P: AsRef<[u8]>>(
        phrases: impl IntoIterator<Item = P>,
    ) -> Result<Self, PhraseSetError> {
        Ok(Self::of_list(Arc::new(
            List::new(phrases).ok_or_else(PhraseSetError::too_long)?,
        )))
    }

    /// The phrases in lower case, in the order given.
    pub fn phrases(&self) -> impl Iterator<Item = &[u8]> {
        self.inner.list.iter()
    }

    /// The occurrence of a phrase that ends first; of several there, the longest. An empty phrase
    /// occurs at once.
    pub fn find(&self, hay: &[u8]) -> Option<Range<usize>> {
        self.find_charged(hay, &Work::unlimited())
    }

    /// The same, charged to an account.
    pub fn find_charged(&self, hay: &[u8], work: &Work) -> Option<Range<usize>> {
        let mut places = 0usize;
        let found = self.search(hay, &mut places);
        let scanned = found.as_ref().map_or(hay.len(), |found| found.end);
        work.charge_each(scanned, cost::PHRASE_BYTE);
        work.charge_each(places, cost::PHRASE_PLACE);
        found
    }

    /// Searches, and counts where a phrase might have stood.
    fn search(&self, hay: &[u8], places: &mut usize) -> Option<Range<usize>> {
        let inner = &*self.inner;
        if inner.has_empty {
            return Some(0..0);
        }
        let mut found: Option<Range<usize>> = None;
        if !inner.single.is_empty() {
            let at = hay.iter().position(|&byte| inner.single.contains(byte));
            found = at.map(|at| at..at.saturating_add(1));
        }
        let Some(finder) = &inner.finder else {
            return found;
        };
        let until = found.as_ref().map_or(hay.len(), |found| found.end);
        finder.scan(hay.get(..until).unwrap_or_default(), |window_end, group| {
            *places = places.saturating_add(1);
            let occurrence = inner.occurrence(group, window_end, hay)?;
            let earlier = found
                .as_ref()
                .is_none_or(|found| (occurrence.end, occurrence.start) < (found.end, found.start));
            if earlier {
                found = Some(occurrence);
            }
            // What is found from here on ends later than its window.
            found.as_ref().map(|found| found.end)
        });
        found
    }

    /// Memory of the tables, in bytes.
    pub fn memory_usage(&self) -> usize {
        let inner = &*self.inner;
        size_of_val(&*inner.groups)
            .saturating_add(size_of_val(&*inner.members))
            .saturating_add(size_of_val(&*inner.list.bytes))
            .saturating_add(size_of_val(&*inner.list.ends))
            .saturating_add(inner.finder.as_ref().map_or(0, Finder::memory_usage))
    }

    fn of_list(list: Arc<List>) -> Self {
        let mut has_empty = false;
        let mut single = ByteSet::EMPTY;
        let mut by_window: BTreeMap<(Landmark, usize), (ClassSet, Vec<u32>)> = BTreeMap::new();
        for (number, phrase) in (0u32..).zip(list.iter()) {
            let classes: Vec<u8> = phrase
                .iter()
                .map(|&byte| ClassSet::class_of(byte))
                .collect();
            match (phrase, Landmark::of(&classes)) {
                ([byte], _) => single = single.union(&ByteSet::of(*byte).case_folded()),
                (_, Some((landmark, end))) => {
                    let (behind, phrases) = by_window
                        .entry((landmark.alone(), end))
                        .or_insert((ClassSet::EMPTY, Vec::new()));
                    *behind = behind.union(landmark.behind());
                    phrases.push(number);
                }
                (_, None) => has_empty = true,
            }
        }
        let mut wanted: Vec<Wanted> = Vec::new();
        let (mut groups, mut members) = (Vec::new(), Vec::new());
        for ((window, window_end), (behind, mut phrases)) in by_window {
            phrases.sort_unstable_by_key(|&number| list.phrase(number));
            // A phrase that starts with another never ends first.
            phrases.dedup_by(|next, kept| list.phrase(*next).starts_with(list.phrase(*kept)));
            let number = |length| u32::try_from(length).unwrap_or(u32::MAX);
            wanted.push((window, behind, number(groups.len())));
            let (first, count) = (number(members.len()), number(phrases.len()));
            groups.push(Group {
                window_end,
                first,
                count,
            });
            members.extend(phrases);
        }
        let (groups, members) = (groups.into(), members.into());
        Self {
            inner: Arc::new(Inner {
                list,
                has_empty,
                single,
                finder: Finder::new(wanted),
                groups,
                members,
            }),
        }
    }
}

impl PhraseSetError {
    fn too_long() -> Self {
        Self {
            message: "phrase list is longer than 4 GiB".to_owned(),
        }
    }
}

impl fmt::Debug for PhraseSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhraseSet({} phrases)", self.inner.list.ends.len())
    }
}

impl Inner {
    /// The phrase of a group that stands around a window, if one does.
    fn occurrence(&self, group: u32, window_end: usize, hay: &[u8]) -> Option<Range<usize>> {
        let group = self.groups.get(usize::try_from(group).ok()?)?;
        let start = window_end.checked_sub(group.window_end)?;
        let text = hay.get(start..)?;
        let first = usize::try_from(group.first).ok()?;
        let end = first.checked_add(usize::try_from(group.count).ok()?)?;
        let members = self.members.get(first..end)?;
        // The last phrase that is not after the text is the only one it can start with.
        let after = members.partition_point(|&number| !is_after(self.list.phrase(number), text));
        let phrase = self.list.phrase(*members.get(after.checked_sub(1)?)?);
        let same = text.get(..phrase.len())?.eq_ignore_ascii_case(phrase);
        same.then(|| start..start.saturating_add(phrase.len()))
    }
}

/// Whether a phrase in lower case comes after a text in the order of bytes. One that the text
/// starts with does not.
fn is_after(phrase: &[u8], text: &[u8]) -> bool {
    let text = text.iter().take(phrase.len()).map(u8::to_ascii_lowercase);
    phrase.iter().copied().gt(text)
}

impl List {
    /// `None`, if it is too long.
    fn new<P: AsRef<[u8]>>(phrases: impl IntoIterator<Item = P>) -> Option<Self> {
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        for phrase in phrases {
            bytes.extend(phrase.as_ref().iter().map(u8::to_ascii_lowercase));
            ends.push(u32::try_from(bytes.len()).ok()?);
        }
        u32::try_from(ends.len()).ok()?;
        Some(Self {
            bytes: bytes.into(),
            ends: ends.into(),
        })
    }

    fn phrase(&self, number: u32) -> &[u8] {
        let end = |at: usize| self.ends.get(at).and_then(|&end| usize::try_from(end).ok());
        let at = usize::try_from(number).unwrap_or(usize::MAX);
        let start = at.checked_sub(1).map_or(Some(0), end);
        start
            .zip(end(at))
            .and_then(|(start, end)| self.bytes.get(start..end))
            .unwrap_or_default()
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0u32..)
            .zip(&self.ends)
            .map(|(number, _)| self.phrase(number))
    }
}

/// Phrase sets by content, so that rules with equal lists share one.
#[derive(Default)]
pub struct PhrasePool {
    sets: BTreeMap<Arc<List>, PhraseSet>,
}

impl PhrasePool {
    /// An empty pool.
    pub fn new() -> Self {
        Self::default()
    }

    /// The set of a list, built on first sight.
    ///
    /// # Errors
    /// As for [`PhraseSet::new`].
    pub fn set<P: AsRef<[u8]>>(
        &mut self,
        phrases: impl IntoIterator<Item = P>,
    ) -> Result<PhraseSet, PhraseSetError> {
        let list = Arc::new(List::new(phrases).ok_or_else(PhraseSetError::too_long)?);
        let set = self
            .sets
            .entry(list.clone())
            .or_insert_with(|| PhraseSet::of_list(list));
        Ok(set.clone())
    }
}

impl fmt::Debug for PhrasePool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhrasePool({} sets)", self.sets.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(phrases: &[&str], hay: &str) -> Option<(usize, usize)> {
        let set = PhraseSet::new(phrases).unwrap();
        set.find(hay.as_bytes())
            .map(|range| (range.start, range.end))
    }

    #[test]
    fn finds_what_ends_first_and_of_that_the_longest() {
        assert_eq!(find(&["select", "union"], "1 UNION Select"), Some((2, 7)));
        assert_eq!(find(&["union all", "on a"], "union all"), Some((3, 7)));
        assert_eq!(find(&["ab", "abc", "bc"], "xabc"), Some((1, 3)));
        assert_eq!(find(&["bc", "abc"], "xabc"), Some((1, 4)));
        assert_eq!(find(&["abcdef", "d"], "xabcdef"), Some((4, 5)));
        assert_eq!(find(&["e", "abcd"], "abcde"), Some((0, 4)));
        assert_eq!(find(&["abc"], "ab"), None);
        assert_eq!(find(&["abc", "abd", "abe"], "ABDABE"), Some((0, 3)));
        assert_eq!(find(&["a1b", "a2b"], "a3b a2b"), Some((4, 7)));
        assert_eq!(find(&["x", ""], "abc"), Some((0, 0)));
        assert_eq!(find(&["Z"], "xyz"), Some((2, 3)));
        assert_eq!(find(&[], "abc"), None);
        assert_eq!(find(&["abc"], ""), None);
    }

    #[test]
    fn bytes_are_bytes() {
        let set = PhraseSet::new([&b"\0\xFF\xC3"[..], b"\xE4\xF6"]).unwrap();
        assert_eq!(set.find(b"a\0\xFF\xC3"), Some(1..4));
        assert_eq!(set.find(b"\xE4\xD6"), None);
        assert_eq!(set.find(b"\xE4\xF6"), Some(0..2));
    }

    #[test]
    fn equal_lists_are_shared() {
        let mut pool = PhrasePool::new();
        let one = pool.set(["a", "bc"]).unwrap();
        let other = pool.set(["A", "bc"]).unwrap();
        let third = pool.set(["ab", "c"]).unwrap();
        assert!(Arc::ptr_eq(&one.inner, &other.inner));
        assert!(!Arc::ptr_eq(&one.inner, &third.inner));
        assert_eq!(
            third.phrases().collect::<Vec<_>>(),
            [b"ab".as_slice(), b"c"]
        );
    }
}
