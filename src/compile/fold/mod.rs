//! Which rules come to the same for every transaction, and what that is ([`crate::program::Fold`]).
//!
//! Evaluation only goes forward, so one pass over the entries of each phase, in the order of the
//! phases, tells what is known of TX at each: nothing is set when a transaction begins; a rule that
//! looks at nothing but variables whose values are known comes to the same for everyone; any other
//! may have done all that it can do, or some of it, or nothing. Where evaluation comes to from
//! several places only that is known which is known at each.
//!
//! A phase begins with what is known wherever one before it may have ended: at its end, at an
//! interruption (then phase 5 follows), at `allow`. DetectionOnly goes on behind both, so evaluation
//! always may. What else may end a phase, or keep one from running, is not followed: spent work, a
//! transaction that is over before it began. The engine evaluates every rule then, and also once a
//! `ctl` removes a rule from whose outcome others follow, so that removals need not be followed either.

mod deeds;
mod earlier;
mod facts;
mod outcome;
mod runs;

use std::collections::BTreeMap;

use crate::action::{AllowScope, Phase};
use crate::matching;
use crate::program::{
    ChainTable, Constants, Decision, Flow, Fold, Rule, RuleIndex, RuleMeta, Settings,
};
use crate::variable::KeyTable;
pub(super) use earlier::reads_earlier_matches;
use facts::{Facts, Pool};
use outcome::{Judge, Outcome};
use runs::{Run, Runs};

/// Most facts that may wait for the places that skips lead to. Beyond, nothing is known there.
const MOST_WAITING: usize = 1 << 17;

/// The linked rules.
pub(super) struct Linked<'a> {
    pub rules: &'a [Rule],
    pub meta: &'a [RuleMeta],
    /// The starters of each phase.
    pub entries: &'a [Vec<RuleIndex>; 5],
    pub chains: &'a ChainTable,
    pub keys: &'a KeyTable,
    pub settings: &'a Settings,
    /// See [`reads_earlier_matches`].
    pub matches_are_seen: bool,
}

/// What is known of the rules of a program.
pub(super) struct Folding {
    /// By entry of each phase: the run that begins there.
    pub folds: [Vec<Option<Fold>>; 5],
    pub constants: Constants,
    /// By rule: what is known of it.
    pub rules: Vec<RuleFacts>,
}

/// What is known of a rule.
#[derive(Clone, Copy, Default)]
pub(super) struct RuleFacts {
    /// Others follow from its outcome.
    pub is_known: bool,
    /// The engine comes to it in the ordinary course, and evaluates it.
    pub is_evaluated: bool,
}

impl Folding {
    /// Finds out all of it.
    pub(super) fn of(linked: &Linked<'_>) -> Self {
        let mut walk = Walk {
            judge: Judge {
                rules: linked.rules,
                meta: linked.meta,
                chains: linked.chains,
                keys: linked.keys,
                settings: linked.settings,
                matches_are_seen: linked.matches_are_seen,
                pool: Pool::new(),
                scratch: matching::Scratch::new(),
            },
            rules: vec![RuleFacts::default(); linked.rules.len()],
            beginnings: [Some(Facts::at_start(linked.keys)), None, None, None, None],
        };
        let mut runs = Runs::default();
        let folds = Phase::ALL.map(|phase| {
            let entries = linked.entries.get(phase.index());
            walk.phase(phase, entries.map_or(&[], Vec::as_slice), &mut runs)
        });
        Self {
            folds,
            constants: runs.into_constants(&walk.judge.pool),
            rules: walk.rules,
        }
    }
}

/// The pass over all phases.
struct Walk<'a> {
    judge: Judge<'a>,
    rules: Vec<RuleFacts>,
    /// What is known when each phase begins; none for one that nothing leads to yet.
    beginnings: [Option<Facts>; 5],
}

/// Facts that wait for the entries that they hold at.
#[derive(Default)]
struct Waiting {
    facts: BTreeMap<usize, Facts>,
    count: usize,
}

impl Waiting {
    fn take(&mut self, entry: usize) -> Option<Facts> {
        let facts = self.facts.remove(&entry)?;
        self.count = self.count.saturating_sub(facts.len());
        Some(facts)
    }

    fn add(&mut self, entry: usize, facts: &Facts) {
        if let Some(known) = self.facts.get_mut(&entry) {
            self.count = self.count.saturating_sub(known.len());
            known.join(facts);
            self.count = self.count.saturating_add(known.len());
            return;
        }
        let count = self.count.saturating_add(facts.len());
        if count > MOST_WAITING {
            self.facts.insert(entry, Facts::default());
        } else {
            self.count = count;
            self.facts.insert(entry, facts.clone());
        }
    }
}

impl Walk<'_> {
    /// The entries of a phase.
    fn phase(&mut self, phase: Phase, entries: &[RuleIndex], runs: &mut Runs) -> Vec<Option<Fold>> {
        let mut here = self
            .beginnings
            .get_mut(phase.index())
            .and_then(Option::take);
        let mut waiting = Waiting::default();
        runs.begin(entries.len());
        if here.is_some() {
            runs.enter(0);
        }
        for (at, &starter) in entries.iter().enumerate() {
            join(&mut here, waiting.take(at));
            let Some(mut facts) = here.take() else {
                continue;
            };
            let next = at.saturating_add(1);
            let flow = self.judge.meta.get(starter.index()).map(|meta| meta.flow);
            // Where a match leads; none at the end of the phase.
            let target = match flow {
                Some(Flow::Next) | None => next,
                Some(Flow::Skip(count)) => {
                    next.saturating_add(usize::try_from(count).unwrap_or(usize::MAX))
                }
                Some(Flow::Goto(entry)) => usize::try_from(entry).unwrap_or(usize::MAX).max(next),
                Some(Flow::EndOfPhase) => entries.len(),
            };
            let target = target.min(entries.len());
            let outcome = self.judge.judge(starter, &mut facts);
            let (matches, misses) = match &outcome {
                Outcome::Open => {
                    self.judge.may_happen(starter, &mut facts);
                    (true, true)
                }
                Outcome::Known(known) => (known.matches, !known.matches),
            };
            self.note(starter, &outcome);
            let decision = self
                .judge
                .meta
                .get(starter.index())
                .map(|meta| &meta.decision);
            if matches && let Some(decision) = decision {
                self.may_end(phase, decision, &facts);
            }
            let leaves = match outcome {
                Outcome::Known(known) => known.leaves,
                Outcome::Open => None,
            };
            let goes_to = if matches { target } else { next };
            match leaves {
                Some(leaves) => runs.add(
                    at,
                    Run {
                        leaves,
                        next: goes_to,
                    },
                ),
                None => {
                    runs.enter(goes_to);
                    if misses {
                        runs.enter(next);
                    }
                }
            }
            if matches && target != next {
                waiting.add(target, &facts);
            }
            if misses || target == next {
                here = Some(facts);
            }
        }
        join(&mut here, waiting.take(entries.len()));
        if let Some(facts) = here {
            let following = phase.index().saturating_add(1);
            self.lead_to(following, &facts);
            self.lead_to(Phase::Logging.index(), &facts);
        }
        runs.folds()
    }

    /// Notes what is known of the rules of a chain.
    fn note(&mut self, starter: RuleIndex, outcome: &Outcome) {
        let (known, evaluated) = match outcome {
            Outcome::Open => (0, true),
            Outcome::Known(known) => (known.links, known.leaves.is_none()),
        };
        let links = self.judge.links(starter).count();
        let rules = self.rules.iter_mut().skip(starter.index()).take(links);
        for (link, rule) in rules.enumerate() {
            rule.is_known |= link < known;
            rule.is_evaluated |= evaluated;
        }
    }

    /// A phase may end at a rule that decides.
    fn may_end(&mut self, phase: Phase, decision: &Decision, facts: &Facts) {
        let next = phase.index().saturating_add(1);
        match decision {
            Decision::Pass => return,
            Decision::Deny(_) | Decision::Drop(_) | Decision::Redirect(..) => {}
            Decision::Allow(AllowScope::All) => {}
            Decision::Allow(AllowScope::Phase) => self.lead_to(next, facts),
            Decision::Allow(AllowScope::Request) => {
                self.lead_to(next.max(Phase::ResponseHeaders.index()), facts);
            }
        }
        self.lead_to(Phase::Logging.index(), facts);
    }

    /// A phase may begin with these facts.
    fn lead_to(&mut self, phase: usize, facts: &Facts) {
        match self.beginnings.get_mut(phase) {
            Some(Some(known)) => known.join(facts),
            Some(beginning) => *beginning = Some(facts.clone()),
            None => {}
        }
    }
}

/// What is known where evaluation comes to from two places, if it comes from both.
fn join(here: &mut Option<Facts>, other: Option<Facts>) {
    match (here.as_mut(), other) {
        (Some(here), Some(other)) => here.join(&other),
        (None, other) => *here = other,
        (Some(_), None) => {}
    }
}

#[cfg(test)]
mod tests;
