//! What searches of a pattern cost, in steps: known from pattern and value alone, since what is
//! charged must not depend on what the caches hold.
//!
//! A lazy DFA takes one step for a byte whose state it knows. Where it has to build the state it
//! takes as many as the state has parts, and there are two reasons why it has to. The cache is cold:
//! the states that values of one kind lead to are built once, so that the first bytes of a
//! transaction are charged more than those after them. Or the pattern counts something that can
//! begin in many places (`a.{0,40}b`): each set of beginnings is a state of its own, there are more
//! than any cache holds, and each beginning is charged for as long as it is being counted.

use super::super::syntax::{Assertion, ByteSet, Node};
use crate::bytes::set_bits;
use crate::work::{Work, cost};

/// Most bytes of a pattern and transaction that are charged as searched with a cold cache.
const COLD_BYTES: usize = 4096;
/// How many bytes it takes to meet the states of one position of the pattern.
const COLD_BYTES_OF_POSITION: usize = 8;
/// Repetitions that count less than this have so few states that a cache holds them.
const NARROW: usize = 12;
/// The same where each round can be of any length: few rounds are as good as loops.
const NARROW_LOOPS: usize = 100;
/// Most kinds of beginnings that are told apart: as many as [`Regions`] has bits for.
const REGIONS: usize = 16;
/// Most bytes before a repetition that are looked at.
const TRIGGER: usize = 6;

/// The prices of one pattern.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::matching) struct Tariff {
    /// Bytes of a transaction that are charged as cold.
    cold_bytes: usize,
    /// What is counted from many places; none at all in most patterns.
    regions: Option<Box<Regions>>,
}

/// The counted repetitions of a pattern.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Regions {
    each: Box<[Region]>,
    /// By byte: a bit for each region that can begin behind it.
    behind: [u16; 256],
}

/// A counted repetition that several ways can be in at once.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Region {
    /// The bytes just before it.
    trigger: Trigger,
    /// Positions that one beginning goes through; none if there is no end to it.
    lifetime: Option<usize>,
    /// Positions there are.
    width: usize,
}

/// Sets of the last bytes that were read, the last one last.
type Trigger = Vec<ByteSet>;

impl Tariff {
    /// The prices of a pattern with this tree.
    pub(super) fn of(root: &Node) -> Self {
        let mut walk = Walk {
            ambiguous: !starts_once(root),
            regions: Vec::new(),
        };
        walk.part(root, Trigger::new());
        Self {
            cold_bytes: positions(root)
                .saturating_mul(COLD_BYTES_OF_POSITION)
                .min(COLD_BYTES),
            regions: Regions::of(walk.regions).map(Box::new),
        }
    }

    /// Whether a search for the first match in a value may begin: what its beginnings cost is
    /// charged before. `false` if that is more than is left; then all is spent.
    pub(in crate::matching) fn admits(&self, hay: &[u8], work: &Work) -> bool {
        let Some(regions) = &self.regions else {
            return true;
        };
        let positions = regions.visits(hay);
        let admits = work.affords(positions, cost::SEARCH_POSITION);
        if admits {
            work.charge_each(positions, cost::SEARCH_POSITION);
        }
        admits
    }

    /// Charges a search: the bytes that automata went over, and those of a match whose groups were
    /// filled. `pattern` names the pattern.
    pub(in crate::matching) fn charge(
        &self,
        pattern: u64,
        scanned: usize,
        spanned: usize,
        work: &Work,
    ) {
        let cold = work.first_of(pattern, scanned, self.cold_bytes);
        work.charge(cost::SEARCH);
        work.charge_each(scanned, cost::SEARCH_BYTE);
        work.charge_each(cold, cost::SEARCH_COLD_BYTE);
        if spanned > 0 {
            work.charge(cost::GROUPS);
            work.charge_each(spanned, cost::GROUPS_BYTE);
        }
    }
}

impl Regions {
    fn of(each: Vec<Region>) -> Option<Self> {
        if each.is_empty() {
            return None;
        }
        let mut behind = [0u16; 256];
        for (byte, regions) in (0..=u8::MAX).zip(&mut behind) {
            for (number, region) in (0u32..).zip(&each) {
                let can_begin = region.trigger.last().is_none_or(|last| last.contains(byte));
                *regions |= u16::from(can_begin).wrapping_shl(number);
            }
        }
        Some(Self {
            each: each.into(),
            behind,
        })
    }

    /// How many positions the beginnings in a value go through together, at most; what counting
    /// the beginnings costs is in it.
    fn visits(&self, hay: &[u8]) -> usize {
        let mut beginnings = [0usize; REGIONS];
        for (at, &byte) in hay.iter().enumerate() {
            let regions = self.behind.get(usize::from(byte)).copied();
            for number in set_bits(regions.unwrap_or(0).into()).map(usize::from) {
                let (region, count) = (self.each.get(number), beginnings.get_mut(number));
                if let (Some(region), Some(count)) = (region, count) {
                    *count = count.saturating_add(usize::from(region.begins(hay, at)));
                }
            }
        }
        let visits = self.each.iter().zip(beginnings);
        visits
            .map(|(region, beginnings)| region.visits(hay, beginnings))
            .fold(hay.len() / 4, usize::saturating_add)
    }
}

impl Region {
    /// How many positions so many beginnings go through together.
    fn visits(&self, hay: &[u8], beginnings: usize) -> usize {
        // No more ways are open than bytes were read.
        let open = self.width.min(hay.len());
        let all = hay.len().saturating_mul(open);
        self.lifetime.map_or(all, |lifetime| {
            beginnings.saturating_mul(lifetime.min(hay.len())).min(all)
        })
    }

    /// Whether the bytes before the last of the trigger stand before this place, too.
    fn begins(&self, hay: &[u8], at: usize) -> bool {
        let Some((_, before)) = self.trigger.split_last() else {
            return true;
        };
        at.checked_sub(before.len()).is_some_and(|start| {
            let here = hay.iter().skip(start);
            let mut pairs = before.iter().zip(here);
            pairs.all(|(set, &byte)| set.contains(byte))
        })
    }
}

/// Whether a match can only start in one place.
fn starts_once(node: &Node) -> bool {
    match node {
        Node::Assert(Assertion::Start, _) => true,
        Node::Group(_, node) | Node::Atomic(node, _) => starts_once(node),
        Node::Concat(parts) => parts.first().is_some_and(starts_once),
        Node::Alternation(branches) => branches.iter().all(starts_once),
        _ => false,
    }
}

/// Looks for counted repetitions, from left to right.
struct Walk {
    /// Several ways, of different lengths or from different places, lead to what comes next.
    ambiguous: bool,
    regions: Vec<Region>,
}

impl Walk {
    /// Goes over a part that stands behind such bytes, and returns the last bytes behind it.
    fn part(&mut self, node: &Node, mut before: Trigger) -> Trigger {
        match node {
            Node::Set(set) => {
                before.push(*set);
                let surplus = before.len().saturating_sub(TRIGGER);
                before.drain(..surplus);
                before
            }
            Node::Group(_, node) | Node::Atomic(node, _) => self.part(node, before),
            Node::Concat(parts) => parts
                .iter()
                .fold(before, |before, part| self.part(part, before)),
            Node::Alternation(branches) => {
                let ambiguous = self.ambiguous;
                let mut after = ambiguous || !is_fixed(node);
                let mut ends: Option<Trigger> = None;
                for branch in branches {
                    self.ambiguous = ambiguous;
                    let end = self.part(branch, before.clone());
                    ends = Some(match ends {
                        Some(ends) => either(&ends, &end),
                        None => end,
                    });
                    after |= self.ambiguous;
                }
                self.ambiguous = after;
                ends.unwrap_or_default()
            }
            Node::Repeat {
                node: body,
                min,
                max,
                ..
            } => {
                let copies = usize::try_from(max.unwrap_or(*min)).unwrap_or(usize::MAX);
                let fixed = is_fixed(body);
                if copies > 1 && (self.ambiguous || !fixed) {
                    self.region(body, copies, &before);
                    self.ambiguous = true;
                }
                self.ambiguous |= !is_fixed(node);
                // Later rounds begin behind earlier ones.
                let inside = if copies == 1 && max.is_some() {
                    before.clone()
                } else {
                    Trigger::new()
                };
                let end = self.part(body, inside);
                if *min == 0 {
                    either(&before, &end)
                } else {
                    end
                }
            }
            _ => before,
        }
    }

    fn region(&mut self, body: &Node, copies: usize, trigger: &Trigger) {
        let each = positions(body);
        let width = each.saturating_mul(copies);
        let (narrow, lifetime) = if is_bounded(body) {
            (NARROW, Some(width))
        } else {
            (NARROW_LOOPS, None)
        };
        if copies < narrow {
            return;
        }
        let region = Region {
            trigger: trigger.clone(),
            lifetime,
            width,
        };
        let full = self.regions.len() >= REGIONS;
        let same = self
            .regions
            .iter_mut()
            .find(|known| full || known.trigger == region.trigger);
        match same {
            Some(known) => known.unite(&region),
            None => self.regions.push(region),
        }
    }
}

impl Region {
    /// Covers another one, too.
    fn unite(&mut self, other: &Self) {
        self.trigger = either(&self.trigger, &other.trigger);
        self.width = self.width.saturating_add(other.width);
        self.lifetime = self
            .lifetime
            .zip(other.lifetime)
            .map(|(one, other)| one.saturating_add(other));
    }
}

/// The last bytes where either of two parts was read.
fn either(one: &Trigger, other: &Trigger) -> Trigger {
    let pairs = one.iter().rev().zip(other.iter().rev());
    let mut sets: Trigger = pairs.map(|(one, other)| one.union(other)).collect();
    sets.reverse();
    sets
}

/// Whether all matches of a part have one length, as far as can be seen at a glance.
fn is_fixed(node: &Node) -> bool {
    match node {
        Node::Empty | Node::Set(_) | Node::Assert(..) => true,
        Node::Group(_, node) | Node::Atomic(node, _) => is_fixed(node),
        Node::Concat(parts) => parts.iter().all(is_fixed),
        Node::Alternation(branches) => branches.iter().all(|one| matches!(one, Node::Set(_))),
        Node::Repeat { node, min, max, .. } => *max == Some(*min) && is_fixed(node),
        _ => false,
    }
}

/// Whether no match of a part is longer than all its positions.
fn is_bounded(node: &Node) -> bool {
    match node {
        Node::Group(_, node) | Node::Atomic(node, _) => is_bounded(node),
        Node::Concat(parts) | Node::Alternation(parts) => parts.iter().all(is_bounded),
        Node::Repeat { node, max, .. } => max.is_some() && is_bounded(node),
        _ => true,
    }
}

/// How many parts of the pattern, with repetitions written out, read a byte.
fn positions(node: &Node) -> usize {
    match node {
        Node::Set(_) => 1,
        Node::Group(_, node) | Node::Atomic(node, _) => positions(node),
        Node::Concat(parts) | Node::Alternation(parts) => {
            parts.iter().map(positions).fold(0, usize::saturating_add)
        }
        Node::Repeat { node, min, max, .. } => {
            let copies = max.unwrap_or(*min).max(1);
            positions(node).saturating_mul(usize::try_from(copies).unwrap_or(usize::MAX))
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::syntax::{Dialect, Text};
    use super::*;

    fn tariff(source: &str) -> Tariff {
        let text = Text {
            source: source.as_bytes().into(),
            dialect: Dialect::default(),
        };
        Tariff::of(&text.parse().unwrap().root)
    }

    fn widths(source: &str) -> Vec<usize> {
        let regions = tariff(source).regions;
        let each = regions.iter().flat_map(|regions| &regions.each);
        each.map(|region| region.width).collect()
    }

    /// Positions visited in a value.
    fn visits(source: &str, hay: &str) -> usize {
        tariff(source).regions.map_or(0, |regions| {
            regions.visits(hay.as_bytes()).saturating_sub(hay.len() / 4)
        })
    }

    #[test]
    fn what_counts_from_anywhere_is_a_region() {
        assert_eq!(widths("abc|[a-z]+x*"), [0; 0]);
        assert_eq!(widths("a.{0,11}b"), [0; 0]);
        assert_eq!(widths("a.{0,40}b"), [40]);
        assert_eq!(widths("[^x]{0,5000}xy"), [5000]);
        assert_eq!(widths("(?:a|b)*?a(?:a|b){20}c"), [40]);
        assert_eq!(widths(".{100,}"), [100]);
        assert_eq!(widths("a.{20}|b.{30}|a.{50}"), [70, 30]);
    }

    #[test]
    fn what_counts_from_the_start_is_none() {
        assert_eq!(widths("^[^x]{0,5000}$"), [0; 0]);
        assert_eq!(widths("^abc[0-9]{20}[a-f]{5,100}$"), [0; 0]);
        assert_eq!(widths("^a*[0-9]{20}"), [20]);
        assert_eq!(widths("^a{1,100}b{1,90}"), [90]);
    }

    #[test]
    fn beginnings_are_counted() {
        let behind = |start: &str| format!("{start}{}", "-".repeat(100));
        assert_eq!(visits("ab.{40}c", &behind("abababxb")), 3 * 40);
        assert_eq!(visits("a[bc]+.{40}c", &behind("abcxbb")), 4 * 40);
        assert_eq!(visits("(?:ab|cd)x?.{40}", &behind("abxcd")), 3 * 40);
        assert_eq!(visits("ab.{40}c", &behind("ba")), 0);
        assert_eq!(visits("a(?:bc?){20}", &behind("ab")), 40);
        assert_eq!(visits("a(?:b*c){20}", &behind("xa")), 0);
        assert_eq!(visits(".{40}", &behind("")), 100 * 40);
        assert_eq!(visits("a.{40}", "aba"), 2 * 3);
        assert_eq!(visits("a(?:b*c){200}", "xa"), 2 * 2);
    }

    #[test]
    fn a_search_that_is_too_dear_does_not_begin() {
        let work = Work::new(1000);
        assert!(tariff("a+b").admits(&[b'a'; 1000], &work));
        assert!(tariff("xyz.{40}a").admits(&[b'a'; 100], &work));
        assert!(!work.is_spent());
        assert!(!tariff("a.{40}b").admits(&[b'a'; 100], &work));
        assert!(work.is_spent());
    }
}
