//! Building the state that a byte leads to.

use regex_automata::nfa::thompson::{NFA, State};
use regex_automata::util::look::Look;
use regex_automata::util::primitives::StateID;

use super::cache::{Cache, Entry, Row};
use super::{Column, Context, Direction, LazyDfa, holds};

/// What building a state writes. Nothing of it outlives that, so one serves all patterns.
#[derive(Debug, Default)]
pub(in crate::matching) struct Workspace {
    /// The set that is being made.
    next: Vec<StateID>,
    /// The NFA's states that are in it or that led to some that are.
    reached: Marks,
    /// The NFA's states that were asked about the byte, behind conditions.
    asked: Marks,
    stack: Vec<StateID>,
}

/// A set of NFA states that is emptied at once.
#[derive(Debug, Default)]
struct Marks {
    /// By state: when it was marked last.
    times: Vec<u32>,
    now: u32,
}

impl LazyDfa {
    /// Works out where a column leads from a row.
    pub(super) fn step(
        &self,
        row: Row,
        column: usize,
        cache: &mut Cache,
        workspace: &mut Workspace,
    ) -> Entry {
        if cache.is_full() {
            return self.step_afresh(row, column, cache, workspace);
        }
        self.work_out(row, column, cache, workspace)
    }

    /// The same with no other state than this one.
    #[cold]
    fn step_afresh(
        &self,
        row: Row,
        column: usize,
        cache: &mut Cache,
        workspace: &mut Workspace,
    ) -> Entry {
        let old = cache.take();
        let Some(state) = old.state_of(row) else {
            return Entry::DEAD;
        };
        let same = cache.state(old.members(state), state.before, state.open);
        self.work_out(same.row(), column, cache, workspace)
    }

    /// The same, whatever memory it takes.
    fn work_out(
        &self,
        row: Row,
        column: usize,
        cache: &mut Cache,
        workspace: &mut Workspace,
    ) -> Entry {
        let (Some(state), Some(&read)) = (cache.state_of(row), self.columns.get(column)) else {
            return Entry::DEAD;
        };
        // Where the beginnings lead is known from the state of nothing but beginnings.
        let idle = cache.state(&[], state.before, true).row();
        let begun = if state.open && idle != row {
            let known = cache.entries().get(idle, column);
            if known.is_unknown() {
                self.work_out(idle, column, cache, workspace)
            } else {
                known
            }
        } else {
            Entry::DEAD
        };
        workspace.begin(self.nfa.states().len());
        let set = if state.open && idle == row {
            &self.beginnings
        } else {
            cache.members(state)
        };
        let mut matched = false;
        for &member in set {
            matched |= self.advance(member, state.before, read, workspace);
            // What is preferred less than a match is given up.
            if matched && self.direction == Direction::Forward {
                break;
            }
        }
        let cut = matched && self.direction == Direction::Forward;
        let mut open = state.open && idle == row && self.reopens && !cut;
        if !cut && state.open && idle != row {
            matched |= begun.is_match();
            if let Some(target) = cache.state_of(begun.row()).filter(|_| !begun.is_dead()) {
                workspace.add(cache.members(target));
                open = target.open;
            }
        }
        let entry = if read.byte.is_some() {
            cache.state(&workspace.next, self.kept(read.context), open)
        } else {
            Entry::DEAD
        };
        let entry = entry.with_match(matched);
        cache.set(row, column, entry);
        entry
    }

    /// Adds what a state of the NFA leads to. Says whether it is a match before the byte.
    fn advance(
        &self,
        member: StateID,
        before: Context,
        read: Column,
        workspace: &mut Workspace,
    ) -> bool {
        let next = match self.nfa.states().get(member.as_usize()) {
            Some(State::ByteRange { trans }) => read
                .byte
                .filter(|&byte| trans.matches_byte(byte))
                .map(|_| trans.next),
            Some(State::Sparse(sparse)) => read.byte.and_then(|byte| sparse.matches_byte(byte)),
            Some(State::Dense(dense)) => read.byte.and_then(|byte| dense.matches_byte(byte)),
            Some(State::Match { .. }) => return true,
            Some(State::Look { .. }) => return self.ask(member, before, read, workspace),
            _ => None,
        };
        if let Some(next) = next {
            workspace.reach(&self.nfa, next);
        }
        false
    }

    /// The same for a condition: what is behind it reads the same byte.
    fn ask(
        &self,
        member: StateID,
        before: Context,
        read: Column,
        workspace: &mut Workspace,
    ) -> bool {
        let bottom = workspace.stack.len();
        let mut matched = false;
        workspace.stack.push(member);
        while workspace.stack.len() > bottom {
            let Some(id) = workspace.stack.pop().filter(|&id| workspace.asked.mark(id)) else {
                continue;
            };
            match self.nfa.states().get(id.as_usize()) {
                Some(&State::Look { look, next }) => {
                    if holds(look, before, read.context) {
                        workspace.stack.push(next);
                    }
                }
                Some(state) if state.is_epsilon() => follow(state, &mut workspace.stack),
                _ => {
                    matched |= self.advance(id, before, read, workspace);
                    if matched && self.direction == Direction::Forward {
                        workspace.stack.truncate(bottom);
                    }
                }
            }
        }
        matched
    }
}

impl Workspace {
    fn begin(&mut self, states: usize) {
        self.next.clear();
        self.stack.clear();
        self.reached.clear(states);
        self.asked.clear(states);
    }

    /// Adds states of the NFA that are known to read, ask or match.
    fn add(&mut self, more: &[StateID]) {
        for &id in more {
            if self.reached.mark(id) {
                self.next.push(id);
            }
        }
    }

    /// Adds the states of the NFA that one leads to without reading, in order of preference.
    fn reach(&mut self, nfa: &NFA, target: StateID) {
        let bottom = self.stack.len();
        self.stack.push(target);
        while self.stack.len() > bottom {
            let Some(id) = self.stack.pop().filter(|&id| self.reached.mark(id)) else {
                continue;
            };
            match nfa.states().get(id.as_usize()) {
                // Behind a byte is no beginning.
                None
                | Some(
                    State::Fail
                    | State::Look {
                        look: Look::Start, ..
                    },
                ) => {}
                Some(State::Look { .. }) => self.next.push(id),
                Some(state) if state.is_epsilon() => follow(state, &mut self.stack),
                Some(_) => self.next.push(id),
            }
        }
    }

    /// Memory of its buffers, in bytes.
    pub(in crate::matching) fn memory_usage(&self) -> usize {
        let lists = self.next.capacity().saturating_add(self.stack.capacity());
        let marks = self.reached.times.capacity();
        let marks = marks.saturating_add(self.asked.times.capacity());
        lists.saturating_add(marks).saturating_mul(size_of::<u32>())
    }
}

impl Marks {
    fn clear(&mut self, states: usize) {
        if self.times.len() < states {
            self.times.resize(states, 0);
        }
        self.now = self.now.wrapping_add(1);
        if self.now == 0 {
            self.times.fill(0);
            self.now = 1;
        }
    }

    /// Whether the state is marked for the first time.
    fn mark(&mut self, id: StateID) -> bool {
        match self.times.get_mut(id.as_usize()) {
            Some(time) if *time != self.now => {
                *time = self.now;
                true
            }
            _ => false,
        }
    }
}

/// The states of the NFA at which a match begins, in order of preference.
pub(super) fn beginnings(nfa: &NFA) -> Box<[StateID]> {
    let mut marks = Marks::default();
    marks.clear(nfa.states().len());
    let mut found = Vec::new();
    let mut stack = vec![nfa.start_anchored()];
    while let Some(id) = stack.pop() {
        if !marks.mark(id) {
            continue;
        }
        match nfa.states().get(id.as_usize()) {
            None | Some(State::Fail) => {}
            Some(State::Look { .. }) => found.push(id),
            Some(state) if state.is_epsilon() => follow(state, &mut stack),
            Some(_) => found.push(id),
        }
    }
    found.into()
}

/// Puts on the stack where a state of the NFA leads without reading, the preferred one on top.
fn follow(state: &State, stack: &mut Vec<StateID>) {
    match state {
        State::Union { alternates } => stack.extend(alternates.iter().rev()),
        State::BinaryUnion { alt1, alt2 } => stack.extend([*alt2, *alt1]),
        State::Capture { next, .. } | State::Look { next, .. } => stack.push(*next),
        _ => {}
    }
}
