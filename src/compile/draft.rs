//! Rules between reading and linking: resolved, but still open to updates.

use std::sync::Arc;

use super::actions::ActionSet;
use super::overlay::OverlayPolicy;
use crate::action::Phase;
use crate::diagnostic::Span;
use crate::operator::Operator;
use crate::program::Target;
use crate::template::Template;

/// What stands in a configuration, in order.
#[derive(Debug)]
pub(super) enum Item {
    /// A rule and the links of its chain.
    Rules(Vec<Draft>),
    /// SecMarker.
    Marker(Box<[u8]>),
}

/// One rule.
#[derive(Debug)]
pub(super) struct Draft {
    /// The directive.
    pub span: Span,
    /// What it looks at.
    pub targets: Vec<Target>,
    /// What it does not look at.
    pub exclusions: Vec<Target>,
    /// What it asks; none for SecAction.
    pub test: Option<DraftTest>,
    /// Its own actions.
    pub actions: ActionSet,
    /// The default action in force where the rule stands; links have their starter's.
    pub default: Option<Arc<ActionSet>>,
    /// The phase; links have their starter's.
    pub phase: Phase,
    /// What it may do, if it stands in an overlay.
    pub overlay: Option<Arc<OverlayPolicy>>,
}

/// The operator of a rule.
#[derive(Debug)]
pub(super) struct DraftTest {
    pub operator: Operator,
    pub argument: Template,
    pub negated: bool,
    /// The operator's name.
    pub span: Span,
}

impl Draft {
    /// The rule's id; 0 for links.
    pub(super) fn id(&self) -> u64 {
        self.actions.id.unwrap_or(0)
    }
}
