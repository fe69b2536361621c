//! The machine that runs programs: what a search writes, and how much it may do.

use std::ops::Range;

use super::program::{Program, at};
use super::search::Search;
use crate::work::{Work, cost};

/// Work counted as one step: instructions, or [`BYTES`] bytes of a run each. PCRE counts only the
/// ways it tries, and several instructions lead to each.
const WORK: usize = 4;
/// Bytes of a run that are as much work as one instruction.
pub(super) const BYTES: usize = 4;
/// Most frames on the stack; 2 MiB in wasm.
const FRAMES: usize = 1 << 17;
/// Frames whose memory is kept from search to search.
const KEPT_FRAMES: usize = 1 << 12;
/// A register without value.
const UNSET: usize = usize::MAX;

/// What searches write, kept to be used again.
#[derive(Debug)]
pub(in crate::matching) struct Machine {
    /// Most work of the searches in one value.
    limit: usize,
    /// Work left.
    left: usize,
    exceeded: bool,
    pub(super) stack: Vec<Frame>,
    registers: Vec<usize>,
    pub(super) sites: Vec<Site>,
}

/// What to do when the way taken leads nowhere.
#[derive(Clone, Copy, Debug)]
pub(super) enum Frame {
    /// Another way.
    Choice { pc: u32, pos: usize },
    /// A greedy run that can end earlier, down to `low`. The code goes on at `pc`.
    Retreat { pc: u32, pos: usize, low: usize },
    /// A lazy run that can go on, up to `high`; the instruction is at `pc`.
    Advance { pc: u32, pos: usize, high: usize },
    /// Not a way: a register gets its value back.
    Restore { register: u32, value: usize },
}

/// Where an atomic part or an assertion started. No way leads back into one that has ended, so each
/// needs to be noted only once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Site {
    pub(super) height: usize,
    pub(super) pos: usize,
}

/// The limit of work or of the stack was reached.
pub(super) struct Exceeded;

impl Machine {
    /// Gives buffers back that have grown beyond so many bytes.
    pub(in crate::matching) fn relax(&mut self, kept: usize) {
        if self.stack.capacity().saturating_mul(size_of::<Frame>()) > kept {
            self.stack = Vec::new();
        }
    }

    /// Bytes of memory that the buffers take.
    pub(in crate::matching) fn held_bytes(&self) -> usize {
        self.stack
            .capacity()
            .saturating_mul(size_of::<Frame>())
            .saturating_add(self.registers.capacity().saturating_mul(size_of::<usize>()))
            .saturating_add(self.sites.capacity().saturating_mul(size_of::<Site>()))
    }

    /// A machine with a limit of steps.
    pub(in crate::matching) fn new(steps: usize) -> Self {
        Self {
            limit: steps.saturating_mul(WORK),
            left: 0,
            exceeded: false,
            stack: Vec::new(),
            registers: Vec::new(),
            sites: Vec::new(),
        }
    }

    /// Limits the steps of the searches in one value.
    pub(in crate::matching) fn set_limit(&mut self, steps: usize) {
        self.limit = steps.saturating_mul(WORK);
        self.left = self.left.min(self.limit);
    }

    /// Whether a search came to a limit since this was asked last.
    pub(in crate::matching) fn take_exceeded(&mut self) -> bool {
        std::mem::take(&mut self.exceeded)
    }

    /// Searches from `start` on and returns where the leftmost match ends. A search that starts
    /// inside the value shares the steps of the one before: they look for one match after the other.
    /// Where the work of the transaction ends before the steps do, all of it is spent.
    pub(super) fn search(
        &mut self,
        program: &Program,
        hay: &[u8],
        start: usize,
        work: &Work,
    ) -> Option<usize> {
        if start == 0 {
            self.left = self.limit;
        }
        let affordable = work.left().checked_div(cost::INSTRUCTION).unwrap_or(0);
        let withheld = self
            .left
            .saturating_sub(usize::try_from(affordable).unwrap_or(usize::MAX));
        self.left = self.left.saturating_sub(withheld);
        let begun = self.left;
        self.registers.clear();
        self.registers.resize(program.registers, UNSET);
        self.sites.clear();
        self.sites.resize(program.sites, Site::default());
        self.stack.clear();
        let mut search = Search {
            program,
            hay,
            start,
            machine: self,
        };
        let end = search.leftmost();
        self.stack.clear();
        self.stack.shrink_to(KEPT_FRAMES);
        let end = end.unwrap_or_else(|Exceeded| {
            self.left = 0;
            if withheld > 0 {
                work.exhaust();
            } else {
                self.exceeded = true;
            }
            None
        });
        work.charge_each(begun.saturating_sub(self.left), cost::INSTRUCTION);
        self.left = self.left.saturating_add(withheld);
        end
    }

    /// Where the last match starts.
    pub(super) fn start(&self) -> usize {
        self.registers.first().copied().unwrap_or(0)
    }

    /// A group of the last match.
    pub(super) fn group(&self, group: usize) -> Option<Range<usize>> {
        let first = group.checked_mul(2)?;
        match self.registers.get(first..first.checked_add(2)?)? {
            [UNSET, _] | [_, UNSET] => None,
            [start, end] => Some(*start..*end),
            _ => None,
        }
    }

    #[inline]
    pub(super) fn spend(&mut self, work: usize) -> Result<(), Exceeded> {
        self.left = self.left.checked_sub(work).ok_or(Exceeded)?;
        Ok(())
    }

    #[inline]
    pub(super) fn push(&mut self, frame: Frame) -> Result<(), Exceeded> {
        if self.stack.len() >= FRAMES {
            return Err(Exceeded);
        }
        self.stack.push(frame);
        Ok(())
    }

    pub(super) fn register(&self, register: u32) -> usize {
        self.registers.get(at(register)).copied().unwrap_or(UNSET)
    }

    /// Writes a register that has to get its value back when this way leads nowhere.
    #[inline]
    pub(super) fn save(&mut self, register: u32, value: usize) -> Result<(), Exceeded> {
        let Some(place) = self.registers.get_mut(at(register)) else {
            return Ok(());
        };
        let old = std::mem::replace(place, value);
        self.push(Frame::Restore {
            register,
            value: old,
        })
    }

    pub(super) fn restore(&mut self, register: u32, value: usize) {
        if let Some(place) = self.registers.get_mut(at(register)) {
            *place = value;
        }
    }

    pub(super) fn site(&self, site: u32) -> Site {
        self.sites.get(at(site)).copied().unwrap_or_default()
    }

    /// Forgets the ways above a height of the stack. What they wrote is still to be undone when a
    /// way below is taken.
    pub(super) fn commit(&mut self, height: usize) -> Result<(), Exceeded> {
        self.spend(self.stack.len().saturating_sub(height) / BYTES)?;
        let mut kept = height;
        for index in height..self.stack.len() {
            let Some(&frame @ Frame::Restore { .. }) = self.stack.get(index) else {
                continue;
            };
            if let Some(place) = self.stack.get_mut(kept) {
                *place = frame;
            }
            kept = kept.saturating_add(1);
        }
        self.stack.truncate(kept);
        Ok(())
    }

    /// Undoes everything above a height of the stack.
    pub(super) fn undo(&mut self, height: usize) -> Result<(), Exceeded> {
        self.spend(self.stack.len().saturating_sub(height) / BYTES)?;
        while self.stack.len() > height {
            if let Some(Frame::Restore { register, value }) = self.stack.pop() {
                self.restore(register, value);
            }
        }
        Ok(())
    }
}
