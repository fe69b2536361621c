//! Drafts to program: numbers for rules, places for markers, bits for the prefilters.

use super::Compiler;
use super::actions::ActionSet;
use super::captures::GroupReaders;
use super::draft::{Draft, Item};
use super::fold::{Folding, Linked, reads_earlier_matches};
use super::spec::RuleMatcher;
use crate::action::{Action, Ctl, Disruptive, Mask, Phase, RuleSpec};
use crate::diagnostic::{Code, Diagnostic, SourceId, Span};
use crate::matching::{PrefilterBuilder, Scratch};
use crate::operator::Capture;
use crate::program::{
    ChainTable, Decision, Effect, Flow, Fold, KeyPatterns, PhaseEntry, PhaseProgram, Plans,
    Program, Rule, RuleIndex, RuleMeta, Settings, SharedTargets, TargetRemoval, Test,
};
use crate::seclang::ast;
use crate::template::{Macro, Template};
use crate::transform::Transformation;
use crate::variable::Variable;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many times as long a value may become by the transformations of one rule.
const MOST_GROWTH: usize = 64;
/// The length that growth is measured on, so that constant additions do not count.
const GROWTH_UNIT: usize = 65_536;
/// The status of a denial that names none.
const DENIED: u16 = 403;
/// The status of `proxy` where there is no proxy, as in v2.
const NO_PROXY: u16 = 500;
/// The status of a redirection that names none, or one that is not a redirection.
const FOUND: u16 = 302;

impl Compiler<'_> {
    /// Makes the program. Messages may be added; with an error among them it is not to be used.
    pub(super) fn link(&mut self) -> Option<Program> {
        let items = std::mem::take(&mut self.items);
        let map = Map::new(&items);
        let readers = GroupReaders::of(&items);
        let mut files = BTreeMap::new();
        let mut rules = Vec::new();
        let mut meta = Vec::new();
        let mut item_number = 0usize;
        for (place, item) in items.iter().enumerate() {
            let Item::Rules(drafts) = item else { continue };
            for (link, draft) in drafts.iter().enumerate() {
                let captures = readers.needs(item_number, link);
                let blind = self.lacks_database(draft);
                let test = draft.test.as_ref().map(|test| Test {
                    operator: test.operator.clone(),
                    argument: test.argument.clone(),
                    negated: test.negated && !blind,
                    capture: match (draft.actions.capture, captures) {
                        (false, _) => Capture::None,
                        (true, false) => Capture::Whole,
                        (true, true) => Capture::Groups,
                    },
                    slot: None,
                });
                let effects = self.effects(draft, &items, &map);
                self.note_reads(draft);
                let chain = draft.actions.chain(draft.default.as_deref());
                self.check_growth(&chain, draft.span);
                rules.push(Rule {
                    targets: draft.targets.as_slice().into(),
                    exclusions: draft.exclusions.as_slice().into(),
                    transformations: self.chains.intern(&chain),
                    test,
                    multi_match: draft.actions.multi_match,
                    effects,
                    chained: link.saturating_add(1) < drafts.len(),
                    is_known: false,
                    shared: Box::default(),
                    list: None,
                });
                let flow = if link == 0 {
                    self.flow(drafts, draft.phase, place, &map)
                } else {
                    Flow::Next
                };
                let file = self.file(draft.span.source, &mut files);
                meta.push(self.rule_meta(
                    drafts.get(link..).unwrap_or_default(),
                    draft,
                    file,
                    flow,
                ));
            }
            item_number = item_number.saturating_add(1);
        }
        if shows_rules(&self.settings, &rules) {
            let drafts = items.iter().filter_map(|item| match item {
                Item::Rules(drafts) => Some(drafts),
                _ => None,
            });
            for (meta, draft) in meta.iter_mut().zip(drafts.flatten()) {
                meta.text = Some(on_one_line(self.sources.slice(draft.span)));
            }
        }
        let matches_are_seen = reads_earlier_matches(&items);
        // What is built from here on takes much memory for a while: what was read makes room for it.
        drop(items);
        let shared = SharedTargets::of(&mut rules);
        let patterns = std::mem::take(&mut self.patterns);
        let patterns = KeyPatterns::new(patterns, &rules, &self.keys);
        let folding = Folding::of(&Linked {
            rules: &rules,
            meta: &meta,
            entries: &map.entries,
            chains: &self.chains,
            keys: &self.keys,
            settings: &self.settings,
            matches_are_seen,
        });
        let prefilters = prefilters(&mut rules, &meta, &folding);
        let phases = phases(&map, prefilters, &rules, &meta, &self.chains, folding.folds)?;
        Some(Program {
            shared,
            constants: folding.constants,
            settings: self.settings.clone(),
            rules: rules.into(),
            meta: meta.into(),
            phases,
            keys: self.keys.clone(),
            chains: self.chains.clone(),
            patterns,
            reads: std::mem::take(&mut self.reads),
            names_arguments: self.names_arguments,
            expands_matched: self.expands_matched,
        })
    }

    /// Whether a rule looks into a database that no directive names; says so. Such a rule never
    /// matches, negated or not.
    fn lacks_database(&mut self, draft: &Draft) -> bool {
        let test = draft.test.as_ref();
        let Some(test) = test.filter(|test| test.operator.needs_geography()) else {
            return false;
        };
        if self.settings.geography.is_some() {
            return false;
        }
        let message = "@geoLookup never matches: there is no database to look into";
        self.report(
            Diagnostic::new(Code::NoDatabase, test.span, message)
                .hint("name a MaxMind DB file with `SecGeoLookupDb FILE.mmdb`"),
        );
        true
    }

    /// A chain that multiplies the length of a value: a few bytes of a request must not become
    /// many megabytes.
    fn check_growth(&mut self, chain: &[Transformation], span: Span) {
        let longest = chain
            .iter()
            .fold(GROWTH_UNIT, |length, one| one.def().growth.bound(length));
        if longest > GROWTH_UNIT.saturating_mul(MOST_GROWTH) {
            let message =
                format!("these transformations can make a value {MOST_GROWTH} times as long");
            self.report(
                Diagnostic::new(Code::TooMuchGrowth, span, message)
                    .hint("leave out some that encode"),
            );
        }
    }

    /// Adds the variables that the macros of a rule name.
    fn note_reads(&mut self, draft: &Draft) {
        let default = draft.default.as_deref();
        let argument = draft.test.as_ref().map(|test| &test.argument);
        let texts = default
            .into_iter()
            .chain([&draft.actions])
            .flat_map(ActionSet::templates);
        for what in argument.into_iter().chain(texts).flat_map(Template::macros) {
            match what {
                Macro::Tx(_) => {}
                Macro::Variable(variable) => self.reads.insert(*variable),
                Macro::Entry(variable, _) | Macro::Matching(variable, _) => {
                    self.reads.insert(*variable);
                    self.names_arguments |= variable.shows_json();
                }
            }
            self.expands_matched |= matches!(
                what,
                Macro::Variable(Variable::MatchedVars | Variable::MatchedVarsNames)
                    | Macro::Entry(Variable::MatchedVars | Variable::MatchedVarsNames, _)
                    | Macro::Matching(Variable::MatchedVars | Variable::MatchedVarsNames, _)
            );
        }
    }

    fn file(&self, source: SourceId, files: &mut BTreeMap<SourceId, Arc<str>>) -> Arc<str> {
        files
            .entry(source)
            .or_insert_with(|| self.source_name(source).into())
            .clone()
    }

    /// The metadata of a rule; what it does not say, a later rule of its chain may (v3).
    fn rule_meta(&self, chain: &[Draft], draft: &Draft, file: Arc<str>, flow: Flow) -> RuleMeta {
        let own = &draft.actions;
        let sets = || chain.iter().map(|link| &link.actions);
        let status = sets().find_map(|set| set.status);
        let default = draft.default.as_deref();
        let inherited = |read: fn(&ActionSet) -> Option<bool>| default.and_then(read);
        RuleMeta {
            id: draft.id(),
            phase: draft.phase,
            file,
            line: self.sources.location(draft.span).line,
            text: None,
            msg: sets().find_map(|set| set.msg.clone()),
            logdata: sets().find_map(|set| set.logdata.clone()),
            tags: default
                .into_iter()
                .flat_map(|default| &default.tags)
                .chain(&own.tags)
                .map(|(_, tag)| tag.clone())
                .collect(),
            rev: sets().find_map(|set| set.rev.clone()),
            ver: sets().find_map(|set| set.ver.clone()),
            severity: sets().find_map(|set| set.severity),
            maturity: sets().find_map(|set| set.maturity),
            accuracy: sets().find_map(|set| set.accuracy),
            log: own.log.or_else(|| inherited(|set| set.log)).unwrap_or(true),
            audit: own
                .audit
                .or_else(|| inherited(|set| set.audit))
                .unwrap_or(true),
            decision: decision(own, status, default),
            pause: own
                .pause
                .clone()
                .or_else(|| default.and_then(|default| default.pause.clone())),
            flow,
        }
    }

    /// Where evaluation goes on after the rule at `place` matched.
    fn flow(&mut self, chain: &[Draft], phase: Phase, place: usize, map: &Map) -> Flow {
        let mut sets = chain.iter().map(|link| &link.actions);
        let Some(set) = sets.find(|set| set.skip_after.is_some() || set.skip.is_some()) else {
            return Flow::Next;
        };
        if let Some((label, span)) = &set.skip_after {
            if let Some(entry) = map.after(label, place, phase) {
                return Flow::Goto(entry);
            }
            let name = String::from_utf8_lossy(label).into_owned();
            let message = format!("no marker `{name}` follows: the rest of the phase is skipped");
            self.report(Diagnostic::new(Code::UnknownMarker, *span, message));
            return Flow::EndOfPhase;
        }
        set.skip.map_or(Flow::Next, Flow::Skip)
    }

    /// What a rule does at each match: the default's effects first.
    fn effects(&mut self, draft: &Draft, items: &[Item], map: &Map) -> Box<[Effect]> {
        let default = draft.default.clone();
        let inherited = default
            .as_deref()
            .map_or(&[][..], |default| &default.effects);
        let mut effects = Vec::new();
        for (action, span) in inherited.iter().chain(&draft.actions.effects) {
            if let Some(effect) = self.effect(action, *span, items, map) {
                effects.push(effect);
            }
        }
        effects.into()
    }

    fn effect(&mut self, action: &Action, span: Span, items: &[Item], map: &Map) -> Option<Effect> {
        Some(match action {
            Action::SetVar(set) => Effect::SetVar(set.clone()),
            Action::ExpireVar(expire) => Effect::ExpireVar(expire.clone()),
            Action::DeprecateVar(deprecate) => Effect::DeprecateVar(deprecate.clone()),
            Action::InitCol(init) => Effect::InitCol(init.clone()),
            Action::SetEnv(name, value) => Effect::SetEnv(name.clone(), value.clone()),
            Action::Sanitise(mask) => {
                self.names_arguments |= matches!(mask, Mask::Argument(_));
                Effect::Sanitise(mask.clone())
            }
            Action::Inject(edge, text) => Effect::Inject(*edge, text.clone()),
            Action::Ctl(Ctl::RuleRemove(spec)) => {
                Effect::RemoveRules(self.rules_meant(spec, span, items, map, false))
            }
            Action::Ctl(Ctl::RuleRemoveTarget(spec, targets)) => {
                let word = ast::Word::synthetic(&**targets, span);
                let list = self.target_list(&word, &[]);
                let targets = list.targets.into_iter().chain(list.exclusions).collect();
                let rules = self.rules_meant(spec, span, items, map, true);
                Effect::RemoveTargets(Arc::new(TargetRemoval { rules, targets }))
            }
            Action::Ctl(Ctl::Ignored(option)) => {
                let message = format!("`ctl:{option}` has no meaning here and is ignored");
                self.report(Diagnostic::new(Code::IgnoredDirective, span, message));
                return None;
            }
            Action::Ctl(ctl) => Effect::Ctl(ctl.clone()),
            _ => return None,
        })
    }

    /// The rules a `ctl` means: starters, or all rules of their chains.
    fn rules_meant(
        &mut self,
        spec: &RuleSpec,
        span: Span,
        items: &[Item],
        map: &Map,
        links: bool,
    ) -> Box<[RuleIndex]> {
        let matcher = RuleMatcher::new(spec);
        let scratch = &mut Scratch::new();
        let mut found = Vec::new();
        for (item, &first) in items.iter().zip(&map.first_rule) {
            let Item::Rules(drafts) = item else { continue };
            if !drafts
                .first()
                .is_some_and(|starter| matcher.matches(starter, scratch))
            {
                continue;
            }
            let mut index = first;
            for _ in drafts.iter().take(if links { usize::MAX } else { 1 }) {
                found.push(index);
                index = index.next();
            }
        }
        if found.is_empty() {
            let message = "no rule is meant by this `ctl`: none matches";
            self.report(Diagnostic::new(Code::UnusedUpdate, span, message));
        }
        found.into()
    }
}

/// What a match of a rule decides: its own action, or for `block` and none the default's.
fn decision(own: &ActionSet, status: Option<u16>, default: Option<&ActionSet>) -> Decision {
    let inherited = default.and_then(|default| default.disruptive.as_ref());
    let chosen = match &own.disruptive {
        None | Some(Disruptive::Block) => inherited,
        Some(chosen) => Some(chosen),
    };
    let status = status.or_else(|| default.and_then(|default| default.status));
    match chosen {
        None | Some(Disruptive::Pass | Disruptive::Block) => Decision::Pass,
        Some(Disruptive::Deny) => Decision::Deny(status.unwrap_or(DENIED)),
        Some(Disruptive::Drop) => Decision::Drop(status.unwrap_or(DENIED)),
        Some(Disruptive::Redirect(location)) => {
            let status = status.filter(|status| matches!(status, 301 | 302 | 303 | 307 | 308));
            Decision::Redirect(status.unwrap_or(FOUND), location.clone())
        }
        Some(Disruptive::Allow(scope)) => Decision::Allow(*scope),
        Some(Disruptive::Proxy) => Decision::Deny(NO_PROXY),
    }
}

/// Where everything ends up.
struct Map {
    /// The first rule of each item; for a marker, the rule after it.
    first_rule: Vec<RuleIndex>,
    /// The starters of each phase.
    entries: [Vec<RuleIndex>; 5],
    /// Labels and rule ids that skipAfter can name: label, item, and the entry of each phase at
    /// which evaluation goes on.
    landings: Vec<(Box<[u8]>, usize, [u32; 5])>,
}

impl Map {
    fn new(items: &[Item]) -> Self {
        let mut map = Self {
            first_rule: Vec::new(),
            entries: Default::default(),
            landings: Vec::new(),
        };
        let mut next = RuleIndex(0);
        for (place, item) in items.iter().enumerate() {
            map.first_rule.push(next);
            let label = match item {
                Item::Marker(label) => label.clone(),
                Item::Rules(drafts) => {
                    let Some(starter) = drafts.first() else {
                        continue;
                    };
                    if let Some(entries) = map.entries.get_mut(starter.phase.index()) {
                        entries.push(next);
                    }
                    for _ in drafts {
                        next = next.next();
                    }
                    starter.id().to_string().into_bytes().into()
                }
            };
            let positions = map
                .entries
                .each_ref()
                .map(|list| u32::try_from(list.len()).unwrap_or(u32::MAX));
            map.landings.push((label, place, positions));
        }
        map
    }

    /// The entry behind the first landing of this name after an item.
    fn after(&self, label: &[u8], place: usize, phase: Phase) -> Option<u32> {
        self.landings
            .iter()
            .find(|(name, at, _)| *at > place && **name == *label)
            .and_then(|(_, _, positions)| positions.get(phase.index()).copied())
    }
}

/// Tells rules what is known of their outcome, and gives those that are evaluated a bit in the
/// prefilter of their phase: what no transaction comes to is not looked for.
fn prefilters(rules: &mut [Rule], meta: &[RuleMeta], folding: &Folding) -> [PrefilterBuilder; 5] {
    let mut prefilters: [PrefilterBuilder; 5] = Default::default();
    for ((rule, meta), facts) in rules.iter_mut().zip(meta).zip(&folding.rules) {
        rule.is_known = facts.is_known;
        if let Some(prefilter) = prefilters.get_mut(meta.phase.index())
            && let Some(test) = &mut rule.test
            && facts.is_evaluated
        {
            test.slot = test.operator.add_to(prefilter);
        }
    }
    prefilters
}

/// What runs in each phase.
fn phases(
    map: &Map,
    prefilters: [PrefilterBuilder; 5],
    rules: &[Rule],
    meta: &[RuleMeta],
    chains: &ChainTable,
    folds: [Vec<Option<Fold>>; 5],
) -> Option<[PhaseProgram; 5]> {
    let phases: Vec<PhaseProgram> = map
        .entries
        .iter()
        .zip(prefilters)
        .zip(folds)
        .zip(Phase::ALL)
        .map(|(((entries, prefilter), folds), phase)| {
            let own = rules
                .iter()
                .zip(meta)
                .filter(|(_, meta)| meta.phase == phase);
            let entry = |(&starter, fold): (&RuleIndex, Option<Fold>)| PhaseEntry {
                starter,
                gate: rules.get(starter.index()).and_then(Rule::gate),
                fold,
            };
            let plans = Plans::of(own.map(|(rule, _)| rule), chains, prefilter.words());
            PhaseProgram {
                entries: entries.iter().zip(folds).map(entry).collect(),
                decoded: prefilter.build_only(&plans.decoded_slots()),
                prefilter: prefilter.build(),
                plans,
            }
        })
        .collect();
    phases.try_into().ok()
}

/// Whether audit records may show the texts of rules.
fn shows_rules(settings: &Settings, rules: &[Rule]) -> bool {
    let asks = |effect: &Effect| matches!(effect, Effect::Ctl(Ctl::AuditLogParts(parts)) if parts.contains(&b'K'));
    let mut effects = rules.iter().flat_map(|rule| &rule.effects);
    settings.audit.parts.contains(&b'K') || effects.any(asks)
}

/// A directive without its line ends: the backslash that continues a line and the blanks around become
/// one blank.
fn on_one_line(text: &[u8]) -> Box<[u8]> {
    let lines = text.split(|&byte| byte == b'\n').map(|line| {
        let line = line.trim_ascii();
        line.strip_suffix(b"\\").unwrap_or(line).trim_ascii_end()
    });
    lines.collect::<Vec<_>>().join(&b' ').into()
}
