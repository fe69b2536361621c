//! Rules whose operator compares, answered before they are evaluated: they look at one target, and most
//! of them find nothing there.

use super::scratch::Scratch;
use super::state::State;
use super::values::ValueId;
use crate::operator::{Capture, Captures, Eval, Product};
use crate::program::{Compared, Program, RuleIndex, Test};
use crate::work::cost;

impl State {
    /// Whether nothing in the only target of a rule compares as it asks. What `ctl` excludes for it only
    /// makes fewer values, but for those that say how many there are.
    pub(super) fn compares_in_vain(
        &mut self,
        program: &Program,
        rule: RuleIndex,
        compared: Compared,
        scratch: &mut Scratch,
    ) -> bool {
        let Some((rule, test)) = program
            .rule(rule)
            .and_then(|rule| Some((rule, rule.test.as_ref()?)))
        else {
            return false;
        };
        let counts = rule.targets.iter().any(|target| target.count);
        if counts && !self.target_removals.is_empty() {
            return false;
        }
        let mut expanded = std::mem::take(&mut scratch.argument);
        let argument = test.argument.fixed().unwrap_or_else(|| {
            expanded.clear();
            test.argument.expand(self, &mut expanded);
            &expanded
        });
        let is_vain = match compared {
            Compared::Tx(slot) => {
                let value = self.store.tx.get(slot);
                value.is_none_or(|value| !self.compares(test, value, argument, scratch))
            }
            Compared::Kept(target) => match self.listed(program, target, scratch) {
                Some(listed) => {
                    let mut subjects = std::mem::take(&mut scratch.sharing.subjects);
                    let kept = listed.of(&subjects);
                    let is_vain = kept.is_some_and(|kept| {
                        kept.iter()
                            .all(|one| !self.compares(test, one.value, argument, scratch))
                    });
                    std::mem::swap(&mut scratch.sharing.subjects, &mut subjects);
                    is_vain
                }
                None => false,
            },
        };
        scratch.argument = expanded;
        is_vain && !self.work.is_spent()
    }

    /// Whether a value compares as a rule asks.
    fn compares(
        &self,
        test: &Test,
        value: ValueId,
        argument: &[u8],
        scratch: &mut Scratch,
    ) -> bool {
        let value = self.values.get(value);
        self.work.charge(cost::VALUE);
        self.work
            .charge_each(value.len().saturating_add(argument.len()), 1);
        let mut eval = Eval {
            scratch: &mut scratch.matching,
            rx_cache: &mut scratch.rx_cache,
            capture: Capture::None,
            captures: &mut Captures::new(),
            macros: &[],
            geography: None,
            product: &mut Product::Nothing,
        };
        test.operator.eval(value, argument, &mut eval) != test.negated
    }
}
