//! Whether rules read what an earlier rule matched.

use crate::action::{Action, Mask};
use crate::compile::actions::ActionSet;
use crate::compile::draft::{Draft, Item};
use crate::template::{Macro, Template};
use crate::variable::Variable;

/// Whether some rule may read what a rule before it matched, and not its own chain: MATCHED_VAR and
/// MATCHED_VAR_NAME are kept until the next match. Then matches can be seen that leave nothing else.
pub(in crate::compile) fn reads_earlier_matches(items: &[Item]) -> bool {
    let mut chains = items.iter().filter_map(|item| match item {
        Item::Rules(drafts) => Some(drafts),
        Item::Marker(_) => None,
    });
    chains.any(|drafts| reads_earlier(drafts))
}

fn reads_earlier(chain: &[Draft]) -> bool {
    for draft in chain {
        let Some(test) = &draft.test else {
            // SecAction matches no value.
            if sets(draft).any(|set| set.effects.iter().any(|(action, _)| reads(action))) {
                return true;
            }
            continue;
        };
        let targets = draft.targets.iter().map(|target| target.variable);
        let macros = test.argument.macros().map(variable_of);
        return targets.chain(macros.flatten()).any(is_of_match);
    }
    // No rule of the chain matched a value when it logs and decides.
    chain
        .iter()
        .flat_map(sets)
        .flat_map(ActionSet::texts)
        .any(reads_match)
}

/// The actions of a rule, and those that it has by default.
fn sets(draft: &Draft) -> impl Iterator<Item = &ActionSet> {
    draft.default.as_deref().into_iter().chain([&draft.actions])
}

fn reads(action: &Action) -> bool {
    let masks = matches!(
        action,
        Action::Sanitise(Mask::Matched | Mask::MatchedBytes { .. })
    );
    masks || action.templates().into_iter().any(reads_match)
}

fn reads_match(template: &Template) -> bool {
    template.macros().filter_map(variable_of).any(is_of_match)
}

const fn variable_of(what: &Macro) -> Option<Variable> {
    match what {
        Macro::Tx(_) => None,
        Macro::Variable(variable) | Macro::Entry(variable, _) | Macro::Matching(variable, _) => {
            Some(*variable)
        }
    }
}

/// RULE shows `msg` and `logdata`, and what is in them.
const fn is_of_match(variable: Variable) -> bool {
    matches!(
        variable,
        Variable::MatchedVar | Variable::MatchedVarName | Variable::Rule
    )
}
