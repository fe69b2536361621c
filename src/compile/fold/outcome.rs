//! What a rule with its chain comes to, where that follows from what is known of TX.

use super::deeds::Deed;
use super::facts::{Fact, Facts, Pool};
use crate::matching;
use crate::operator::{Capture, Captures, Eval, Product, RxCache};
use crate::program::{
    Assignment, ChainTable, Decision, Rule, RuleIndex, RuleMeta, Settings, TargetSelector, Test,
};
use crate::transform::{self, Context};
use crate::variable::{KeyTable, Variable};

/// The rules, and what is needed to ask them.
pub(super) struct Judge<'a> {
    pub rules: &'a [Rule],
    pub meta: &'a [RuleMeta],
    pub chains: &'a ChainTable,
    pub keys: &'a KeyTable,
    pub settings: &'a Settings,
    /// Whether some rule reads what an earlier one matched.
    pub matches_are_seen: bool,
    pub pool: Pool,
    pub scratch: matching::Scratch,
}

/// What a rule with its chain comes to.
pub(super) enum Outcome {
    /// It depends on the request.
    Open,
    /// The same for every transaction.
    Known(Known),
}

/// What is the same for every transaction.
pub(super) struct Known {
    pub matches: bool,
    /// How many rules of the chain this follows from.
    pub links: usize,
    /// What it leaves, if that is all that can be seen of it.
    pub leaves: Option<Leaves>,
}

/// What a rule leaves.
#[derive(Default)]
pub(super) struct Leaves {
    pub assignments: Vec<Assignment>,
    /// Bytes of long values.
    pub long_bytes: usize,
}

/// What one link of a chain comes to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Open,
    No,
    /// For one value, so that its effects are carried out once.
    Yes,
}

impl<'a> Judge<'a> {
    /// What a rule with its chain comes to. If that is known, so is what it does to TX.
    pub(super) fn judge(&mut self, starter: RuleIndex, facts: &mut Facts) -> Outcome {
        facts.begin();
        let outcome = self.chain(starter, facts);
        if matches!(outcome, Outcome::Open) {
            facts.undo();
        }
        outcome
    }

    fn chain(&mut self, starter: RuleIndex, facts: &mut Facts) -> Outcome {
        // With SecRulePerfTime every rule that is evaluated is seen.
        let mut leaves = (self.settings.rule_perf_time == 0).then(Leaves::default);
        let mut at = starter;
        for links in 1usize.. {
            let rules = self.rules;
            let Some(rule) = rules.get(at.index()) else {
                return Outcome::Open;
            };
            let answer = self.answer(rule, facts);
            if answer == Answer::Yes {
                let is_seen = rule.test.as_ref().is_some_and(|test| self.is_seen(test));
                leaves = leaves.filter(|_| !is_seen);
                for effect in &rule.effects {
                    let deed = Deed::of(effect, facts, &mut self.pool);
                    match (&mut leaves, deed.assignment()) {
                        (Some(leaves), Some(assignment)) => {
                            leaves.assignments.push(assignment);
                            leaves.long_bytes = leaves.long_bytes.saturating_add(deed.long_bytes());
                        }
                        _ => leaves = None,
                    }
                    deed.is_done(facts, self.keys);
                }
            }
            let matches = match answer {
                Answer::Open => return Outcome::Open,
                Answer::Yes if rule.chained => {
                    at = at.next();
                    continue;
                }
                Answer::Yes => true,
                Answer::No => false,
            };
            if matches && !self.is_silent(starter) {
                leaves = None;
            }
            return Outcome::Known(Known {
                matches,
                links,
                leaves,
            });
        }
        Outcome::Open
    }

    /// Notes what a rule with its chain may do: all of it, some, or nothing, any number of times.
    pub(super) fn may_happen(&mut self, starter: RuleIndex, facts: &mut Facts) {
        // Values that macros stand for may have changed before.
        let nothing = Facts::default();
        for rule in self.links(starter) {
            for effect in &rule.effects {
                let deed = Deed::of(effect, &nothing, &mut self.pool);
                deed.may_be_done(facts, self.keys);
            }
        }
    }

    /// The rules of a chain.
    pub(super) fn links(&self, starter: RuleIndex) -> impl Iterator<Item = &'a Rule> + use<'a> {
        let rules: &'a [Rule] = self.rules;
        let rules = rules.get(starter.index()..).unwrap_or_default();
        let after = rules.iter().take_while(|rule| rule.chained).count();
        rules.iter().take(after.saturating_add(1))
    }

    /// Whether a match of one link leaves more than its effects do.
    fn is_seen(&self, test: &Test) -> bool {
        self.matches_are_seen || (test.capture != Capture::None && !test.negated)
    }

    /// Whether a match of a rule is kept for no log and decides nothing.
    fn is_silent(&self, starter: RuleIndex) -> bool {
        self.meta.get(starter.index()).is_some_and(|meta| {
            !meta.log && !meta.audit && meta.severity.is_none() && meta.decision == Decision::Pass
        })
    }

    fn answer(&mut self, rule: &Rule, facts: &Facts) -> Answer {
        let Some(test) = &rule.test else {
            return Answer::Yes;
        };
        let Some(values) = self.values(rule, facts) else {
            return Answer::Open;
        };
        if values.is_empty() {
            return Answer::No;
        }
        let asks_between = rule.multi_match && !self.chains.steps(rule.transformations).is_empty();
        if asks_between || !test.operator.compares() {
            return Answer::Open;
        }
        let Some(argument) = self.pool.text(&test.argument, facts) else {
            return Answer::Open;
        };
        let matching = values
            .iter()
            .filter(|value| self.asks(rule, test, value, &argument))
            .count();
        match matching {
            0 => Answer::No,
            1 => Answer::Yes,
            _ => Answer::Open,
        }
    }

    /// The values that a rule looks at, if they are known.
    fn values(&self, rule: &Rule, facts: &Facts) -> Option<Vec<Vec<u8>>> {
        let mut values = Vec::new();
        if !rule.exclusions.is_empty() {
            return None;
        }
        for target in &rule.targets {
            let slot = match target.selector {
                TargetSelector::Tx(slot) if target.variable == Variable::Tx => slot,
                _ => return None,
            };
            match (facts.get(slot), target.count) {
                (Fact::Unknown | Fact::Engines, _) => return None,
                (Fact::Unset, true) => values.push(b"0".to_vec()),
                (Fact::Value(_), true) => values.push(b"1".to_vec()),
                (Fact::Unset, false) => {}
                (Fact::Value(value), false) => values.push(self.pool.get(value).to_vec()),
            }
        }
        Some(values)
    }

    /// Whether a value matches.
    fn asks(&mut self, rule: &Rule, test: &Test, value: &[u8], argument: &[u8]) -> bool {
        let context = Context {
            unicode_map: self.settings.unicode_map.as_ref(),
        };
        let (mut value, mut changed) = (value.to_vec(), Vec::new());
        for &(_, step) in self.chains.steps(rule.transformations) {
            if step.apply(&value, &mut changed, context) == transform::Outcome::Changed {
                std::mem::swap(&mut value, &mut changed);
            }
        }
        let mut eval = Eval {
            scratch: &mut self.scratch,
            rx_cache: &mut RxCache::new(),
            capture: Capture::None,
            captures: &mut Captures::new(),
            macros: &[],
            geography: None,
            product: &mut Product::Nothing,
        };
        test.operator.eval(&value, argument, &mut eval) != test.negated
    }
}
