//! What rules have beside their text: the database of @geoLookup, and rules from servers.

use std::sync::Arc;

use super::Compiler;
use super::include::resolve;
use super::settings::{choice, text};
use crate::diagnostic::{Code, Diagnostic, Severity, Span};
use crate::operator::{Geography, GeographyError};
use crate::seclang::ast;

impl Compiler<'_> {
    /// `SecGeoLookupDb FILE`: v3 names the kind of the file before it, which the file itself tells.
    pub(super) fn geo_lookup_db(&mut self, directive: &ast::Directive) {
        let Some(file) = directive.arguments.last() else {
            return;
        };
        let path = resolve(self.source_name(file.span.source), &text(file));
        let bytes = match self.loader.read(&path) {
            Ok(bytes) => bytes,
            Err(why) => {
                let message = format!("cannot read `{path}`: {why}");
                self.report(Diagnostic::new(Code::FileNotFound, file.span, message));
                return;
            }
        };
        match Geography::open(bytes) {
            Ok(geography) => self.settings.geography = Some(Arc::new(geography)),
            Err(error) => {
                let message = format!("cannot look into `{path}`: {error}");
                let mut diagnostic = Diagnostic::new(Code::BadDatabase, file.span, message);
                if error == GeographyError::Legacy {
                    diagnostic.hint = Some(
                        "give a MaxMind DB file (.mmdb), such as GeoLite2-City, which has the same \
                         facts"
                            .to_owned(),
                    );
                }
                self.report(diagnostic);
            }
        }
    }

    /// `SecRemoteRules [crypto] KEY URL`: a filter gets its rules by configuration alone.
    pub(super) fn remote_rules(&mut self, directive: &ast::Directive) {
        self.remote_rules.asked.push(directive.span);
    }

    /// `SecRemoteRulesFailAction Abort|Warn`: holds for all servers, wherever it stands.
    pub(super) fn remote_rules_fail_action(&mut self, directive: &ast::Directive) {
        match choice(&directive.arguments, &[("Abort", true), ("Warn", false)]) {
            Ok(abort) => self.remote_rules.abort = abort,
            Err(why) => {
                let message = format!("SecRemoteRulesFailAction: {why}");
                self.report(Diagnostic::new(
                    Code::DirectiveValue,
                    directive.span,
                    message,
                ));
            }
        }
    }

    /// Says what becomes of remote rules. Who wrote Abort wants no traffic without them.
    pub(super) fn check_remote_rules(&mut self) {
        let RemoteRules { asked, abort } = std::mem::take(&mut self.remote_rules);
        for span in asked {
            let message = "SecRemoteRules is ignored: a filter gets its rules by configuration";
            let mut diagnostic = Diagnostic::new(Code::IgnoredDirective, span, message)
                .hint("fetch the file when the configuration is made, and Include it");
            if abort {
                diagnostic.severity = Severity::Error;
                diagnostic.message =
                    "the rules of SecRemoteRules cannot be had, and SecRemoteRulesFailAction says \
                     Abort"
                        .to_owned();
            }
            self.report(diagnostic);
        }
    }
}

/// SecRemoteRules and SecRemoteRulesFailAction.
#[derive(Debug, Default)]
pub(super) struct RemoteRules {
    /// Where rules from a server are asked for.
    asked: Vec<Span>,
    /// Abort was written.
    abort: bool,
}
