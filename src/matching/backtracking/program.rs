//! The program of a pattern.

use super::super::syntax::{Assertion, ByteSet};

/// No instruction, or no number.
pub(super) const NONE: u32 = u32::MAX;

/// A compiled pattern: immutable.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) code: Box<[Inst]>,
    pub(super) sets: Box<[ByteSet]>,
    /// The groups that references name.
    pub(super) references: Box<[Box<[usize]>]>,
    /// Number of registers: two for every group, then places where groups were opened, then what
    /// repetitions count.
    pub(super) registers: usize,
    /// Number of atomic parts and assertions.
    pub(super) sites: usize,
    /// The bytes a match can start with, if it reads one at all.
    pub(super) first: Option<ByteSet>,
    /// If there is a match, there is one at the first place tried.
    pub(super) anchored: bool,
}

/// One instruction. Numbers are places in the code, in the table of sets or of registers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Inst {
    /// The end of the pattern.
    Match,
    /// One byte.
    Byte(u8),
    /// One byte of a set.
    Set(u32),
    /// Bytes of a set.
    Run {
        set: u32,
        min: u32,
        /// [`NONE`] without limit.
        max: u32,
        greed: Greed,
    },
    /// A condition on the place.
    Assert(Assertion),
    /// Goes on at the first, and later at the second.
    Split(u32, u32),
    /// Goes on elsewhere.
    Jump(u32),
    /// Notes the place in a register.
    Save(u32),
    /// The end of a group.
    Close {
        /// The register with its start.
        open: u32,
        /// The first of its two registers.
        group: u32,
    },
    /// Starts counting rounds.
    Zero(u32),
    /// The end of a counted round.
    Count {
        counter: u32,
        /// The register with the start of the round, [`NONE`] if it does not matter.
        mark: u32,
        min: u32,
        /// [`NONE`] without limit.
        max: u32,
        greedy: bool,
        /// Where a round starts.
        body: u32,
    },
    /// Leaves a repetition whose round read nothing.
    ExitIfEmpty {
        /// The register with the start of the round.
        mark: u32,
        to: u32,
    },
    /// What a group matched.
    Reference { reference: u32, caseless: bool },
    /// Goes on elsewhere, unless one of the groups has matched.
    IfGroup { reference: u32, otherwise: u32 },
    /// Goes back so many bytes.
    Back(u32),
    /// The start of an atomic part or an assertion.
    Enter {
        site: u32,
        /// Where to go on if the part does not match; [`NONE`]: nowhere.
        otherwise: u32,
    },
    /// The part matched: forgets its other ways.
    Commit {
        site: u32,
        /// Goes back to where the part started.
        rewind: bool,
    },
    /// The part matched but should not: undoes it.
    Refute(u32),
}

/// How a run takes its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Greed {
    Greedy,
    Lazy,
    Possessive,
}

/// A number of an instruction as an index.
pub(super) fn at(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
