//! SecRule, SecAction, SecMarker, SecDefaultAction.

use std::sync::Arc;

use super::Compiler;
use super::actions::{ActionSet, Place};
use super::draft::{Draft, DraftTest, Item};
use super::include::resolve;
use super::target::TargetList;
use crate::action::{Disruptive, Phase};
use crate::diagnostic::{Code, Diagnostic, Severity, Span, shown};
use crate::matching::Pattern;
use crate::operator::{self, Argument, CompileErrorKind, DataFiles, Operator};
use crate::seclang::{self, ast};
use crate::template::Template;

impl Compiler<'_> {
    /// `SecRule TARGETS "OPERATOR" ["ACTIONS"]`.
    pub(super) fn sec_rule(&mut self, directive: &ast::Directive) {
        let [targets, operator, rest @ ..] = directive.arguments.as_slice() else {
            return;
        };
        let actions = self.rule_actions(rest.first());
        let list = self.target_list(targets, &actions.xmlns);
        if list.targets.is_empty() && !list.exclusions.is_empty() {
            let message = "the rule only says what not to look at";
            self.report(
                Diagnostic::new(Code::NoTarget, targets.span, message)
                    .hint("name what to look at first, such as `ARGS|!ARGS:name`"),
            );
        }
        let test = self.test(operator);
        if let Some(test) = test.as_ref().filter(|test| test.operator.replaces()) {
            self.check_streams(&list, targets.span);
            self.check_overlay_operator(test.operator.def().name, test.span);
        }
        self.add_rule(Draft {
            span: directive.span,
            targets: list.targets,
            exclusions: list.exclusions,
            test,
            actions,
            default: None,
            phase: Phase::RequestBody,
            overlay: None,
        });
    }

    /// `SecAction "ACTIONS"`.
    pub(super) fn sec_action(&mut self, directive: &ast::Directive) {
        let actions = self.rule_actions(directive.arguments.first());
        self.add_rule(Draft {
            span: directive.span,
            targets: Vec::new(),
            exclusions: Vec::new(),
            test: None,
            actions,
            default: None,
            phase: Phase::RequestBody,
            overlay: None,
        });
    }

    /// `SecRuleScript FILE ["ACTIONS"]`: a rule, for chains and `skip` count it, that never matches.
    pub(super) fn sec_rule_script(&mut self, directive: &ast::Directive) {
        let [_, rest @ ..] = directive.arguments.as_slice() else {
            return;
        };
        let message = "this SecRuleScript never matches: a filter runs no Lua";
        self.report(Diagnostic::new(
            Code::IgnoredDirective,
            directive.span,
            message,
        ));
        let mut actions = self.rule_actions(rest.first());
        // v2 asks no id of a script.
        actions.broken |= actions.id.is_none();
        let name = &directive.name;
        let never = ast::Word::synthetic(b"@noMatch".as_slice(), name.span);
        let test = self.test(&never);
        self.add_rule(Draft {
            span: directive.span,
            targets: Vec::new(),
            exclusions: Vec::new(),
            test,
            actions,
            default: None,
            phase: Phase::RequestBody,
            overlay: None,
        });
    }

    /// `SecMarker LABEL`.
    pub(super) fn sec_marker(&mut self, directive: &ast::Directive) {
        if let Some(label) = directive.arguments.first() {
            self.items.push(Item::Marker(label.text.as_slice().into()));
        }
    }

    /// `SecDefaultAction "ACTIONS"`: in force for the rules of its phase that follow.
    pub(super) fn sec_default_action(&mut self, directive: &ast::Directive) {
        let Some(word) = directive.arguments.first() else {
            return;
        };
        let set = self.action_set(word, Place::Default);
        let Some(phase) = set.phase else {
            let message = "SecDefaultAction names no phase";
            self.report(
                Diagnostic::new(Code::DefaultAction, word.span, message)
                    .hint("add `phase:N`, the phase it is the default of"),
            );
            return;
        };
        if set.disruptive.is_none() {
            let message = "SecDefaultAction needs an action that decides";
            self.report(
                Diagnostic::new(Code::DefaultAction, word.span, message)
                    .hint("add `pass`, `deny`, `drop`, `redirect:…` or `allow`"),
            );
        }
        if let Some(default) = self.defaults.get_mut(phase.index()) {
            *default = Some(Arc::new(set));
        }
    }

    fn rule_actions(&mut self, word: Option<&ast::Word>) -> ActionSet {
        let place = if self.open.is_some() {
            Place::Link
        } else {
            Place::Starter
        };
        word.map_or_else(ActionSet::default, |word| self.action_set(word, place))
    }

    /// Adds a rule: to the chain that waits for it, or as one that stands alone or starts one.
    fn add_rule(&mut self, mut rule: Draft) {
        rule.overlay = self.overlay.as_ref().map(|one| Arc::clone(one.policy()));
        let waits = rule.actions.chain;
        let mut rules = match self.open.take() {
            Some(rules) => {
                if let Some(starter) = rules.first() {
                    rule.phase = starter.phase;
                    rule.default.clone_from(&starter.default);
                }
                rules
            }
            None => {
                self.start_rule(&mut rule);
                Vec::new()
            }
        };
        rules.push(rule);
        if waits {
            self.open = Some(rules);
        } else {
            self.items.push(Item::Rules(rules));
        }
    }

    /// What holds for starters only: phase, default action, a unique id, no interception in the
    /// logging phase.
    fn start_rule(&mut self, rule: &mut Draft) {
        rule.phase = rule.actions.phase.unwrap_or(Phase::RequestBody);
        rule.default = self.default_action(rule.phase);
        self.check_overlay_id(rule);
        let decides = matches!(
            rule.actions.disruptive,
            Some(Disruptive::Deny | Disruptive::Drop | Disruptive::Redirect(_) | Disruptive::Proxy)
        );
        if rule.phase == Phase::Logging && decides {
            let message = "a rule of phase 5 cannot stop the transaction: it is over";
            self.report(Diagnostic::new(Code::ActionPhase, rule.span, message));
        }
        let Some(id) = rule.actions.id else {
            if rule.actions.broken {
                return;
            }
            // v3 takes SecAction without one, v2 does not.
            let severity = match rule.test {
                Some(_) => Severity::Error,
                None => Severity::Warning,
            };
            self.report(Diagnostic {
                severity,
                ..Diagnostic::new(Code::MissingId, rule.span, "the rule has no id")
                    .hint("add `id:NUMBER`, a number no other rule has")
            });
            return;
        };
        if let Some(&first) = self.ids.get(&id) {
            self.report(
                Diagnostic::new(
                    Code::DuplicateId,
                    rule.span,
                    format!("rule id {id} is taken"),
                )
                .related(first, "first used here")
                .hint("give each rule a number of its own; is the file included twice?"),
            );
        } else {
            self.ids.insert(id, rule.span);
        }
    }

    /// The operator argument of a SecRule.
    fn test(&mut self, word: &ast::Word) -> Option<DraftTest> {
        let expr = seclang::operator(word, &mut self.diagnostics)?;
        let name = shown(&expr.name);
        let takes_macros = Operator::def_by_name(&name).is_some_and(|def| def.macros);
        let argument = if takes_macros {
            match Template::parse(&expr.argument, &mut self.keys) {
                Ok(template) => template,
                Err(error) => {
                    let message = format!("`%{{{}}}` names no variable", shown(&error.name));
                    let end = error
                        .offset
                        .saturating_add(error.name.len())
                        .saturating_add(3);
                    let span = expr.argument.span_of(error.offset..end);
                    self.report(Diagnostic::new(Code::MacroSyntax, span, message));
                    return None;
                }
            }
        } else {
            Template::literal(&expr.argument)
        };
        let from = self.source_name(word.span.source).to_owned();
        let mut files = RuleFiles {
            loader: self.loader,
            from: &from,
            datasets: &self.datasets,
        };
        let has_macros = argument.fixed().is_none();
        let mut context = operator::Compile {
            files: &mut files,
            phrases: &mut self.phrases,
            dialect: crate::matching::Dialect::default(),
            has_macros,
        };
        match Operator::compile(&name, &expr.argument, &mut context) {
            Ok(operator) => {
                self.note_backtracking(&expr, &operator);
                let sandboxed = operator.sandboxed();
                if let Some(reason) = sandboxed {
                    let name = operator.def().name;
                    let message = format!("@{name} never matches here: {reason}");
                    self.report(Diagnostic::new(Code::SandboxLimit, expr.name.span, message));
                }
                Some(DraftTest {
                    operator,
                    argument,
                    // A question that cannot be asked has no answer to turn round.
                    negated: expr.negated && sandboxed.is_none(),
                    span: expr.name.span,
                })
            }
            Err(error) => {
                self.operator_error(&expr, error);
                None
            }
        }
    }

    /// Says which targets are not bodies that can be changed.
    fn check_streams(&mut self, list: &TargetList, span: Span) {
        for target in &list.targets {
            if target.count || !target.variable.is_stream() {
                let name = target.variable.name();
                let message = format!("@rsub cannot change {name} and never matches there");
                self.report(
                    Diagnostic::new(Code::OperatorTarget, span, message)
                        .hint("it changes STREAM_INPUT_BODY and STREAM_OUTPUT_BODY"),
                );
            }
        }
    }

    /// Says which part of a pattern keeps it from running in linear time.
    fn note_backtracking(&mut self, expr: &ast::OperatorExpr, operator: &Operator) {
        let Some(construct) = operator.pattern().and_then(Pattern::needs_backtracking) else {
            return;
        };
        let span = match operator.def().argument {
            Argument::Pattern => {
                let end = construct.offset.saturating_add(1);
                expr.argument.span_of(construct.offset..end)
            }
            _ => expr.argument.span,
        };
        let message = format!("the pattern needs backtracking: {}", construct.name);
        self.report(
            Diagnostic::new(Code::Backtracks, span, message)
                .hint("its searches take SecPcreMatchLimit steps at most"),
        );
    }

    fn operator_error(&mut self, expr: &ast::OperatorExpr, error: operator::CompileError) {
        let (code, word) = match error.kind {
            CompileErrorKind::Unknown { .. } => (Code::UnknownOperator, &expr.name),
            CompileErrorKind::BadRegex => (Code::BadRegex, &expr.argument),
            CompileErrorKind::Argument => (Code::OperatorArgument, &expr.argument),
            CompileErrorKind::File => (Code::FileNotFound, &expr.argument),
            CompileErrorKind::Dataset => (Code::UnknownDataset, &expr.argument),
        };
        let span = match error.offset {
            Some(offset) => word.span_of(offset..offset.saturating_add(1)),
            None => word.span,
        };
        let mut diagnostic = Diagnostic::new(code, span, error.message);
        diagnostic.hint = error.hint;
        self.report(diagnostic);
    }
}

/// The files that operators read, relative to the rule file.
struct RuleFiles<'a> {
    loader: &'a dyn super::Loader,
    from: &'a str,
    datasets: &'a std::collections::BTreeMap<Vec<u8>, Vec<Vec<u8>>>,
}

impl DataFiles for RuleFiles<'_> {
    fn read(&mut self, name: &str) -> Result<Vec<u8>, String> {
        self.loader.read(&resolve(self.from, name))
    }

    fn dataset(&self, name: &str) -> Option<&[Vec<u8>]> {
        self.datasets.get(name.as_bytes()).map(Vec::as_slice)
    }
}
