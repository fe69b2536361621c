//! Times of one transaction, for the PERF_… variables and the record. ModSecurity manual,
//! "PERF_COMBINED" and following.

use super::UnixNanos;
use super::state::State;
use super::store::Entry;
use crate::action::Phase;
use crate::bytes::leading_integer;
use crate::program::RuleIndex;
use crate::variable::Variable as V;

/// Nanoseconds spent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Perf {
    /// Whether a rule reads any of it: the clock is not asked otherwise.
    pub wanted: bool,
    phases: [u64; 5],
    read: u64,
    write: u64,
}

/// What time was spent on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Spent {
    Phase(Phase),
    /// Reading persistent collections.
    Reading,
    /// Writing them.
    Writing,
}

/// Whether it is one of the PERF_… scalars.
pub(super) const fn is_perf(variable: V) -> bool {
    matches!(
        variable,
        V::PerfAll
            | V::PerfCombined
            | V::PerfGc
            | V::PerfLogging
            | V::PerfPhase1
            | V::PerfPhase2
            | V::PerfPhase3
            | V::PerfPhase4
            | V::PerfPhase5
            | V::PerfSread
            | V::PerfSwrite
    )
}

impl Perf {
    /// Nothing spent yet. `wanted`: some rule reads it.
    pub(super) fn new(wanted: bool) -> Self {
        Self {
            wanted,
            ..Self::default()
        }
    }

    /// The text of a PERF_… scalar, in whole microseconds; none for any other variable.
    pub(super) fn text(&self, variable: V) -> Option<String> {
        if !is_perf(variable) {
            return None;
        }
        let micros = |nanos: u64| nanos.checked_div(1000).unwrap_or(0);
        let [one, two, three, four, five] = self.phases.map(micros);
        let (read, write) = (micros(self.read), micros(self.write));
        // Reading happens inside the phases; writing does not.
        let combined = self
            .phases
            .iter()
            .fold(self.write, |sum, &one| sum.saturating_add(one));
        let combined = micros(combined);
        let number = match variable {
            V::PerfAll => {
                return Some(format!(
                    "combined={combined}, p1={one}, p2={two}, p3={three}, p4={four}, p5={five}, \
                     sr={read}, sw={write}, l=0, gc=0"
                ));
            }
            V::PerfCombined => combined,
            V::PerfPhase1 => one,
            V::PerfPhase2 => two,
            V::PerfPhase3 => three,
            V::PerfPhase4 => four,
            V::PerfPhase5 => five,
            V::PerfSread => read,
            V::PerfSwrite => write,
            V::PerfGc | V::PerfLogging => 0,
            _ => return None,
        };
        Some(number.to_string())
    }
}

impl State {
    /// The time, if any rule wants to know how long things take.
    pub(super) fn begin_timing(&self) -> Option<UnixNanos> {
        self.perf.wanted.then(|| self.clock.now())
    }

    /// Counts the time since [`Self::begin_timing`].
    pub(super) fn end_timing(&mut self, begun: Option<UnixNanos>, spent: Spent) {
        let Some(begun) = begun else { return };
        let elapsed = self.clock.now().saturating_sub(begun);
        let total = match spent {
            Spent::Phase(phase) => match self.perf.phases.get_mut(phase.index()) {
                Some(total) => total,
                None => return,
            },
            Spent::Reading => &mut self.perf.read,
            Spent::Writing => &mut self.perf.write,
        };
        *total = total.saturating_add(elapsed);
    }

    /// The time, with SecRulePerfTime.
    pub(super) fn begin_rule(&self) -> Option<UnixNanos> {
        (self.program.settings.rule_perf_time > 0).then(|| self.clock.now())
    }

    /// Adds to PERF_RULES what a rule with its chain took, if that was long enough.
    pub(super) fn end_rule(&mut self, begun: Option<UnixNanos>, starter: RuleIndex) {
        let Some(begun) = begun else { return };
        let elapsed = self.clock.now().saturating_sub(begun);
        let micros = elapsed.checked_div(1000).unwrap_or(0);
        if micros < self.program.settings.rule_perf_time {
            return;
        }
        let id = self.program.meta(starter).map_or(0, |meta| meta.id);
        let name = self.values.intern(id.to_string().as_bytes());
        let before = self
            .store
            .collection(V::PerfRules)
            .iter()
            .find(|entry| entry.name == name)
            .map_or(0, |entry| leading_integer(self.values.get(entry.value)));
        let total = u64::try_from(before).unwrap_or(0).saturating_add(micros);
        let value = self.values.intern(total.to_string().as_bytes());
        self.store.set_entry(V::PerfRules, Entry { name, value });
    }

    /// Rule ids and microseconds, for the record.
    pub(super) fn slow_rules(&self) -> Vec<(u64, u64)> {
        let number = |value| {
            let number = leading_integer(self.values.get(value));
            u64::try_from(number).unwrap_or(0)
        };
        let entries = self.store.collection(V::PerfRules).iter();
        entries
            .map(|entry| (number(entry.name), number(entry.value)))
            .collect()
    }
}
