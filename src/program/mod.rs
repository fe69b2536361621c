//! The compiled rules: immutable, shared by all transactions.
//!
//! Every name, default, pattern, marker, update and removal is resolved when rules are loaded; at
//! run time there are only numbers. A rule that continues a chain stands right after the rule
//! before it.

mod chain;
mod fold;
mod patterns;
mod plan;
mod sensitive;
mod settings;
mod shared;

use std::sync::Arc;

pub use chain::{ChainId, ChainTable};
pub use fold::{Assignment, ConstantId, Constants, Fold};
pub use patterns::{KeyPatterns, PatternId};
pub use plan::{Plan, Plans, Prospects};
pub(crate) use sensitive::is_separator;
pub use sensitive::{SensitiveNames, SensitiveWords};
pub use settings::{
    AuditEngine, AuditFormat, AuditLogType, AuditSettings, BodyLimitAction, CollectorUrl,
    CookieFormat, CutLengths, EngineMode, LargeBody, SECRET_KEY, Settings,
};
pub use shared::{ListId, SharedTarget, SharedTargetId, SharedTargets};

use crate::action::{Ctl, DeprecateVar, Edge, ExpireVar, InitCol, Mask, Phase, SetVar};
use crate::body::xml;
use crate::matching::Prefilter;
use crate::operator::{Capture, Comparison, Operator};
use crate::template::{Macro, Template};
use crate::variable::{KeySlot, KeyTable, Variable, VariableSet};

/// The rules of one configuration.
#[derive(Debug)]
pub struct Program {
    /// What the directives set.
    pub settings: Settings,
    /// Rules, links of chains included, in the order written.
    pub rules: Box<[Rule]>,
    /// What only logging and decisions need of each rule; same indices as `rules`.
    pub meta: Box<[RuleMeta]>,
    /// What runs in each phase, by [`Phase::index`].
    pub phases: [PhaseProgram; 5],
    /// TX names.
    pub keys: KeyTable,
    /// Chains of transformations.
    pub chains: ChainTable,
    /// Patterns of selectors.
    pub patterns: KeyPatterns,
    /// The variables that some target or macro names: what none reads need not be kept.
    pub reads: VariableSet,
    /// Targets that rules share.
    pub shared: SharedTargets,
    /// What rules set whose outcome is known.
    pub constants: Constants,
    /// Whether some rule names arguments (`ARGS:x`, `%{ARGS.x}`, `sanitiseArg:x`): then members of
    /// JSON documents need the names that other engines give them.
    pub names_arguments: bool,
    /// Whether some macro reads MATCHED_VARS or MATCHED_VARS_NAMES: then they are listed at each
    /// match, and otherwise when a target looks there.
    pub expands_matched: bool,
}

/// The rules of one phase.
#[derive(Debug)]
pub struct PhaseProgram {
    /// The starters of chains and single rules, in the order written.
    pub entries: Box<[PhaseEntry]>,
    /// Tells which rules of the phase a value cannot match.
    pub prefilter: Prefilter,
    /// The same for what plans that decode make, and for their rules alone (see [`Plan::decodes`]).
    pub decoded: Prefilter,
    /// What the rules it can rule out do with a value first, and where they look.
    pub plans: Plans,
}

/// A single rule, or a chain, in the loop of its phase.
#[derive(Clone, Copy, Debug)]
pub struct PhaseEntry {
    /// The rule, or the first of the chain.
    pub starter: RuleIndex,
    /// What tells that it cannot match; none if nothing does.
    pub gate: Option<Gate>,
    /// What the run of rules that begins here comes to, if that is known.
    pub fold: Option<Fold>,
}

/// What tells that a rule cannot match. Most rules of most requests are ruled out, and nothing else of
/// them is looked at.
#[derive(Clone, Copy, Debug)]
pub enum Gate {
    /// What the prefilter said of its values.
    Prefilter {
        /// Its bit.
        slot: u32,
        /// Its targets.
        list: ListId,
    },
    /// A number that rules keep.
    Flag(Flag),
    /// What its only target holds: its operator does nothing but compare.
    Comparison(Compared),
}

/// Where a rule looks whose operator compares.
#[derive(Clone, Copy, Debug)]
pub enum Compared {
    /// At one variable of TX.
    Tx(KeySlot),
    /// At a target whose values are kept.
    Kept(SharedTargetId),
}

/// A question about one variable of TX: paranoia levels, switches and scores of the Core Rule Set.
#[derive(Clone, Copy, Debug)]
pub struct Flag {
    /// The variable.
    pub variable: KeySlot,
    /// Whether it is there is asked (1 or 0), not what it holds.
    pub count: bool,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what.
    pub number: i32,
    /// `!`.
    pub negated: bool,
}

/// A rule by its place in [`Program::rules`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RuleIndex(pub u32);

impl RuleIndex {
    /// As an index.
    pub fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    /// The rule after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// What evaluation needs of a rule.
#[derive(Debug)]
pub struct Rule {
    /// Where it looks; empty for SecAction.
    pub targets: Box<[Target]>,
    /// What it does not look at.
    pub exclusions: Box<[Target]>,
    /// What happens to a value first.
    pub transformations: ChainId,
    /// What it asks; none for SecAction, which always matches.
    pub test: Option<Test>,
    /// Ask before the first and after every changing transformation.
    pub multi_match: bool,
    /// What is done at each match.
    pub effects: Box<[Effect]>,
    /// The next rule continues the chain.
    pub chained: bool,
    /// Its outcome, and that of its chain, is known when rules are loaded, and others follow from it.
    pub is_known: bool,
    /// For each target, where its values are kept for the phase if they can be.
    pub shared: Box<[Option<SharedTargetId>]>,
    /// All of them, if each is kept.
    pub list: Option<ListId>,
}

impl Rule {
    /// Its bit in the prefilter, if a clear bit means that it does not match.
    pub fn decisive_slot(&self) -> Option<u32> {
        self.test
            .as_ref()
            .filter(|test| !test.negated)
            .and_then(|test| test.slot)
    }

    /// What tells that it cannot match.
    pub fn gate(&self) -> Option<Gate> {
        let by_prefilter = self.decisive_slot().zip(self.list);
        by_prefilter
            .map(|(slot, list)| Gate::Prefilter { slot, list })
            .or_else(|| self.flag().map(Gate::Flag))
            .or_else(|| self.compared().map(Gate::Comparison))
    }

    /// Its only target, if all that it does with what is there is to compare.
    fn compared(&self) -> Option<Compared> {
        let (test, [target], [kept]) = (self.test.as_ref()?, &*self.targets, &*self.shared) else {
            return None;
        };
        // Other macros may stand for the rule that is evaluated, or for what matched in its chain.
        let mut macros = test.argument.macros();
        let is_plain = macros.all(|what| matches!(what, Macro::Tx(_)));
        if !is_plain || self.transformations != ChainId::EMPTY || !test.operator.compares() {
            return None;
        }
        match target.selector {
            TargetSelector::Tx(slot) if !target.count && self.exclusions.is_empty() => {
                Some(Compared::Tx(slot))
            }
            _ => kept.map(Compared::Kept),
        }
    }

    /// The question it asks, if that is one about a variable of TX and a fixed number.
    fn flag(&self) -> Option<Flag> {
        let (test, [target]) = (self.test.as_ref()?, &*self.targets) else {
            return None;
        };
        let plain = self.transformations == ChainId::EMPTY && self.exclusions.is_empty();
        let TargetSelector::Tx(variable) = target.selector else {
            return None;
        };
        let (comparison, number) = test.operator.comparison().filter(|_| plain)?;
        Some(Flag {
            variable,
            count: target.count,
            comparison,
            number: i32::try_from(number).ok()?,
            negated: test.negated,
        })
    }
}

/// The question of a rule.
#[derive(Debug)]
pub struct Test {
    /// The operator.
    pub operator: Operator,
    /// Its argument.
    pub argument: Template,
    /// `!`.
    pub negated: bool,
    /// What of a match is stored in TX.0 to TX.9.
    pub capture: Capture,
    /// The rule's bit in the prefilter of its phase; none if nothing is known of the values that
    /// match, or if no transaction comes to the rule that takes its ordinary course ([`Fold`]).
    pub slot: Option<u32>,
}

/// Where a rule looks.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Target {
    /// The variable.
    pub variable: Variable,
    /// Which of its entries.
    pub selector: TargetSelector,
    /// `&`: how many, not which.
    pub count: bool,
}

/// Which entries of a collection, resolved.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum TargetSelector {
    /// All.
    All,
    /// Those of one name; in lower case.
    Key(Box<[u8]>),
    /// One TX variable.
    Tx(KeySlot),
    /// Those whose name matches a pattern.
    Pattern(PatternId),
    /// Nodes of an XML document.
    Path(Arc<xml::Path>),
}

/// What a rule does at each match, besides deciding.
#[derive(Debug)]
pub enum Effect {
    /// `setvar`.
    SetVar(SetVar),
    /// `expirevar`.
    ExpireVar(ExpireVar),
    /// `deprecatevar`.
    DeprecateVar(DeprecateVar),
    /// `initcol`, `setsid`, `setuid`, `setrsc`.
    InitCol(InitCol),
    /// `setenv`.
    SetEnv(Template, Option<Template>),
    /// `ctl` on the engine's switches.
    Ctl(Ctl),
    /// `ctl:ruleRemoveBy…`: starters of the rules meant, sorted.
    RemoveRules(Box<[RuleIndex]>),
    /// `ctl:ruleRemoveTargetBy…`. Shared: one that means many rules is noted once, not for each.
    RemoveTargets(Arc<TargetRemoval>),
    /// `sanitise…`: what to mask in the audit log.
    Sanitise(Mask),
    /// `prepend` and `append`.
    Inject(Edge, Template),
}

/// What rules must not look at for the rest of a transaction.
#[derive(Debug)]
pub struct TargetRemoval {
    /// The rules meant, sorted.
    pub rules: Box<[RuleIndex]>,
    /// What they must not look at.
    pub targets: Box<[Target]>,
}

/// What logging and decisions need of a rule; that of a chain is its starter's.
#[derive(Clone, Debug)]
pub struct RuleMeta {
    /// `id`; 0 for links of chains.
    pub id: u64,
    /// The phase it runs in.
    pub phase: Phase,
    /// The file, and the line its directive begins on.
    pub file: Arc<str>,
    /// See `file`.
    pub line: u32,
    /// The directive as written, on one line; only where audit records may show it (part K).
    pub text: Option<Box<[u8]>>,
    /// `msg`.
    pub msg: Option<Template>,
    /// `logdata`.
    pub logdata: Option<Template>,
    /// `tag`s.
    pub tags: Box<[Template]>,
    /// `rev`.
    pub rev: Option<Box<[u8]>>,
    /// `ver`.
    pub ver: Option<Box<[u8]>>,
    /// `severity`.
    pub severity: Option<u8>,
    /// `maturity`.
    pub maturity: Option<u8>,
    /// `accuracy`.
    pub accuracy: Option<u8>,
    /// Write matches to the error log.
    pub log: bool,
    /// Matches make the transaction relevant for the audit log.
    pub audit: bool,
    /// What a match decides.
    pub decision: Decision,
    /// `pause`: how many milliseconds an interruption waits.
    pub pause: Option<Template>,
    /// Where evaluation goes on after a match.
    pub flow: Flow,
}

/// What a match decides; `block` is resolved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Decision {
    /// Go on.
    Pass,
    /// Answer with this status.
    Deny(u16),
    /// Close the connection; the status is for the log.
    Drop(u16),
    /// Answer with this status and location.
    Redirect(u16, Template),
    /// Skip rules.
    Allow(crate::action::AllowScope),
}

impl Decision {
    /// Whether it stops the transaction.
    pub const fn interrupts(&self) -> bool {
        matches!(self, Self::Deny(_) | Self::Drop(_) | Self::Redirect(..))
    }
}

/// Where evaluation goes on after a match.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// With the next rule.
    Next,
    /// After skipping so many rules; a chain counts once.
    Skip(u32),
    /// At an entry of the phase.
    Goto(u32),
    /// Nowhere: the phase is over.
    EndOfPhase,
}

impl Program {
    /// One rule.
    pub fn rule(&self, at: RuleIndex) -> Option<&Rule> {
        self.rules.get(at.index())
    }

    /// What logging needs of a rule.
    pub fn meta(&self, at: RuleIndex) -> Option<&RuleMeta> {
        self.meta.get(at.index())
    }

    /// The texts of a rule and of the links of its chain, as far as they are kept ([`RuleMeta::text`]).
    pub fn texts(&self, id: u64) -> impl Iterator<Item = &[u8]> {
        let starter = self.meta.iter().position(|meta| meta.id == id && id != 0);
        let start = starter.unwrap_or(self.meta.len());
        let rules = self.meta.iter().zip(&self.rules).skip(start);
        let mut goes_on = true;
        let chain =
            rules.take_while(move |(_, rule)| std::mem::replace(&mut goes_on, rule.chained));
        chain.filter_map(|(meta, _)| meta.text.as_deref())
    }
}
