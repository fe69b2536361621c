//! One search: the instructions of a program, one way after the other.

use std::ops::Range;

use super::super::syntax::{Assertion, ByteSet};
use super::machine::{BYTES, Exceeded, Frame, Machine, Site};
use super::program::{Greed, Inst, NONE, Program, at};

/// Bytes compared that are as much work as one instruction.
const COMPARED: usize = 32;

/// One search.
pub(super) struct Search<'a> {
    pub(super) program: &'a Program,
    pub(super) hay: &'a [u8],
    /// Where it started.
    pub(super) start: usize,
    pub(super) machine: &'a mut Machine,
}

/// What an instruction leads to: the next place in code and value, or nothing.
type Next = Option<(u32, usize)>;

impl Search<'_> {
    /// Tries one place after the other.
    pub(super) fn leftmost(&mut self) -> Result<Option<usize>, Exceeded> {
        let mut pos = self.start;
        loop {
            if let Some(first) = &self.program.first
                && !self.program.anchored
            {
                let rest = self.hay.get(pos..).unwrap_or_default();
                let Some(skipped) = rest.iter().position(|&byte| first.contains(byte)) else {
                    return Ok(None);
                };
                self.machine.spend(skipped / BYTES)?;
                pos = pos.saturating_add(skipped);
            }
            self.machine.spend(1)?;
            self.machine.restore(0, pos);
            if let Some(end) = self.run(pos)? {
                return Ok(Some(end));
            }
            if self.program.anchored || pos >= self.hay.len() {
                return Ok(None);
            }
            pos = pos.saturating_add(1);
        }
    }

    /// Runs the program from one place on; returns where the match ends.
    fn run(&mut self, pos: usize) -> Result<Option<usize>, Exceeded> {
        let (mut pc, mut pos) = (0u32, pos);
        loop {
            self.machine.spend(1)?;
            let Some(&inst) = self.program.code.get(at(pc)) else {
                return Ok(None);
            };
            let next = match inst {
                Inst::Match => return Ok(Some(pos)),
                Inst::Byte(_) | Inst::Set(_) => self
                    .accepts(inst, pos)
                    .then(|| (pc.wrapping_add(1), pos.saturating_add(1))),
                Inst::Assert(assertion) => self
                    .holds(assertion, pos)
                    .then(|| (pc.wrapping_add(1), pos)),
                Inst::Jump(to) => Some((to, pos)),
                Inst::Split(first, second) => {
                    self.machine.push(Frame::Choice { pc: second, pos })?;
                    Some((first, pos))
                }
                Inst::Run {
                    set,
                    min,
                    max,
                    greed,
                } => self.bytes(pc, pos, (at(set), at(min), max), greed)?,
                Inst::Save(register) => {
                    self.machine.save(register, pos)?;
                    Some((pc.wrapping_add(1), pos))
                }
                Inst::Close { open, group } => {
                    let start = self.machine.register(open);
                    self.machine.save(group, start)?;
                    self.machine.save(group.wrapping_add(1), pos)?;
                    Some((pc.wrapping_add(1), pos))
                }
                Inst::Zero(counter) => {
                    self.machine.save(counter, 0)?;
                    Some((pc.wrapping_add(1), pos))
                }
                Inst::Count { .. } => Some((self.count(inst, pc, pos)?, pos)),
                Inst::ExitIfEmpty { mark, to } => {
                    let empty = self.machine.register(mark) == pos;
                    Some((if empty { to } else { pc.wrapping_add(1) }, pos))
                }
                Inst::Reference {
                    reference,
                    caseless,
                } => self
                    .repeats(reference, caseless, pos)?
                    .map(|pos| (pc.wrapping_add(1), pos)),
                Inst::IfGroup {
                    reference,
                    otherwise,
                } => {
                    let has_matched = self.referent(reference).is_some();
                    let next = if has_matched {
                        pc.wrapping_add(1)
                    } else {
                        otherwise
                    };
                    Some((next, pos))
                }
                Inst::Back(length) => pos
                    .checked_sub(at(length))
                    .map(|pos| (pc.wrapping_add(1), pos)),
                Inst::Enter { .. } | Inst::Commit { .. } | Inst::Refute(_) => {
                    self.part(inst, pc, pos)?
                }
            };
            match next {
                Some(next) => (pc, pos) = next,
                None => match self.other_way()? {
                    Some(next) => (pc, pos) = next,
                    None => return Ok(None),
                },
            }
        }
    }

    /// The edges of atomic parts and assertions.
    fn part(&mut self, inst: Inst, pc: u32, pos: usize) -> Result<Next, Exceeded> {
        match inst {
            Inst::Enter { site, otherwise } => {
                let height = self.machine.stack.len();
                if let Some(place) = self.machine.sites.get_mut(at(site)) {
                    *place = Site { height, pos };
                }
                if otherwise != NONE {
                    let pc = otherwise;
                    self.machine.push(Frame::Choice { pc, pos })?;
                }
                Ok(Some((pc.wrapping_add(1), pos)))
            }
            Inst::Commit { site, rewind } => {
                let site = self.machine.site(site);
                self.machine.commit(site.height)?;
                let pos = if rewind { site.pos } else { pos };
                Ok(Some((pc.wrapping_add(1), pos)))
            }
            Inst::Refute(site) => {
                let site = self.machine.site(site);
                self.machine.undo(site.height)?;
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// The end of a counted round: where to go on.
    fn count(&mut self, inst: Inst, pc: u32, pos: usize) -> Result<u32, Exceeded> {
        let on = pc.wrapping_add(1);
        let Inst::Count {
            counter,
            mark,
            min,
            max,
            greedy,
            body,
        } = inst
        else {
            return Ok(on);
        };
        let rounds = self.machine.register(counter).saturating_add(1);
        self.machine.save(counter, rounds)?;
        if rounds < at(min) {
            return Ok(body);
        }
        let empty = mark != NONE && self.machine.register(mark) == pos;
        if empty || (max != NONE && rounds >= at(max)) {
            return Ok(on);
        }
        let (first, second) = if greedy { (body, on) } else { (on, body) };
        self.machine.push(Frame::Choice { pc: second, pos })?;
        Ok(first)
    }

    /// Bytes of a set.
    fn bytes(
        &mut self,
        pc: u32,
        pos: usize,
        (set, min, max): (usize, usize, u32),
        greed: Greed,
    ) -> Result<Next, Exceeded> {
        let (Some(set), Some(rest)) = (self.program.sets.get(set), self.hay.get(pos..)) else {
            return Ok(None);
        };
        let most = if max == NONE { usize::MAX } else { at(max) }.min(rest.len());
        let wanted = if greed == Greed::Lazy {
            min.min(most)
        } else {
            most
        };
        let taken = run_length(set, rest, wanted);
        self.machine.spend(taken / BYTES)?;
        if taken < min {
            return Ok(None);
        }
        let end = pos.saturating_add(taken);
        let next = pc.wrapping_add(1);
        match greed {
            Greed::Greedy if taken > min => self.machine.push(Frame::Retreat {
                pc: next,
                pos: end,
                low: pos.saturating_add(min),
            })?,
            Greed::Lazy if most > min => self.machine.push(Frame::Advance {
                pc,
                pos: end,
                high: pos.saturating_add(most),
            })?,
            _ => {}
        }
        Ok(Some((next, end)))
    }

    /// Takes up the last way left.
    fn other_way(&mut self) -> Result<Next, Exceeded> {
        while let Some(frame) = self.machine.stack.pop() {
            let next = match frame {
                Frame::Choice { pc, pos } => Some((pc, pos)),
                Frame::Restore { register, value } => {
                    self.machine.restore(register, value);
                    None
                }
                Frame::Retreat { pc, pos, low } => self.retreat(pc, pos, low)?,
                Frame::Advance { pc, pos, high } => self.advance(pc, pos, high)?,
            };
            if next.is_some() {
                return Ok(next);
            }
        }
        Ok(None)
    }

    /// Gives back bytes of a greedy run, up to where the code can go on.
    fn retreat(&mut self, pc: u32, pos: usize, low: usize) -> Result<Next, Exceeded> {
        let next = self.program.code.get(at(pc)).copied();
        let mut end = pos;
        while end > low {
            end = end.saturating_sub(1);
            if next.is_none_or(|inst| self.can_go_on(inst, end)) {
                self.machine.spend(pos.saturating_sub(end) / BYTES)?;
                if end > low {
                    self.machine.push(Frame::Retreat { pc, pos: end, low })?;
                }
                return Ok(Some((pc, end)));
            }
        }
        self.machine.spend(pos.saturating_sub(end) / BYTES)?;
        Ok(None)
    }

    /// Takes more bytes of a lazy run, up to where the code can go on.
    fn advance(&mut self, pc: u32, pos: usize, high: usize) -> Result<Next, Exceeded> {
        let Some(Inst::Run { set, .. }) = self.program.code.get(at(pc)) else {
            return Ok(None);
        };
        let set = self.program.sets.get(at(*set));
        let on = pc.wrapping_add(1);
        let next = self.program.code.get(at(on)).copied();
        let mut end = pos;
        while end < high {
            let byte = self.hay.get(end).copied();
            if !byte.is_some_and(|byte| set.is_some_and(|set| set.contains(byte))) {
                break;
            }
            end = end.saturating_add(1);
            if next.is_none_or(|inst| self.can_go_on(inst, end)) {
                self.machine.spend(end.saturating_sub(pos) / BYTES)?;
                if end < high {
                    self.machine.push(Frame::Advance { pc, pos: end, high })?;
                }
                return Ok(Some((on, end)));
            }
        }
        self.machine.spend(end.saturating_sub(pos) / BYTES)?;
        Ok(None)
    }

    /// Whether an instruction may lead on at a place: a quick look, no more.
    #[inline]
    fn can_go_on(&self, inst: Inst, pos: usize) -> bool {
        match inst {
            Inst::Byte(_) | Inst::Set(_) => self.accepts(inst, pos),
            _ => true,
        }
    }

    #[inline]
    fn accepts(&self, inst: Inst, pos: usize) -> bool {
        self.hay.get(pos).is_some_and(|&byte| match inst {
            Inst::Byte(wanted) => byte == wanted,
            Inst::Set(set) => self
                .program
                .sets
                .get(at(set))
                .is_some_and(|set| set.contains(byte)),
            _ => false,
        })
    }

    fn holds(&self, assertion: Assertion, pos: usize) -> bool {
        let after = self.hay.get(pos);
        let before = pos.checked_sub(1).and_then(|pos| self.hay.get(pos));
        let word = |byte: Option<&u8>| {
            byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        };
        match assertion {
            Assertion::Start => pos == 0,
            Assertion::End => after.is_none(),
            Assertion::StartLine => pos == 0 || (before == Some(&b'\n') && after.is_some()),
            Assertion::EndLine => after.is_none_or(|&byte| byte == b'\n'),
            Assertion::FinalEnd => matches!(self.hay.get(pos..), None | Some([] | [b'\n'])),
            Assertion::SearchStart => pos == self.start,
            Assertion::Keep => true,
            Assertion::WordBoundary => word(before) != word(after),
            Assertion::NotWordBoundary => word(before) == word(after),
            Assertion::WordStart => !word(before) && word(after),
            Assertion::WordEnd => word(before) && !word(after),
        }
    }

    /// What the groups of a reference have matched: the first that has.
    fn referent(&self, reference: u32) -> Option<Range<usize>> {
        self.program
            .references
            .get(at(reference))?
            .iter()
            .find_map(|&group| self.machine.group(group))
    }

    /// Where the text of a group ends, if it stands here once more.
    fn repeats(
        &mut self,
        reference: u32,
        caseless: bool,
        pos: usize,
    ) -> Result<Option<usize>, Exceeded> {
        let Some(text) = self.referent(reference).and_then(|span| self.hay.get(span)) else {
            return Ok(None);
        };
        let end = pos.saturating_add(text.len());
        let Some(here) = self.hay.get(pos..end) else {
            return Ok(None);
        };
        let same = if caseless {
            here.eq_ignore_ascii_case(text)
        } else {
            here == text
        };
        self.machine.spend(text.len() / COMPARED)?;
        Ok(same.then_some(end))
    }
}

fn run_length(set: &ByteSet, rest: &[u8], most: usize) -> usize {
    if *set == ByteSet::ALL {
        return most.min(rest.len());
    }
    rest.iter()
        .take(most)
        .take_while(|&&byte| set.contains(byte))
        .count()
}
