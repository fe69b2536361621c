//! The table of directives, and which part of the compiler reads each.

use super::Compiler;
use super::draft::Item;
use super::update::By;
use crate::diagnostic::{Code, Diagnostic, Severity, shown, suggest};
use crate::program::Settings;
use crate::seclang::ast;
use crate::variable::Support;

/// What a directive is: one line of the table.
#[derive(Debug)]
pub struct DirectiveDef {
    /// The name as ModSecurity's manual spells it.
    pub name: &'static str,
    /// Fewest and most arguments.
    pub arguments: (usize, usize),
    /// What reads it.
    kind: Kind,
    /// What it does; for an ignored one, why it has no meaning here.
    pub summary: &'static str,
}

#[derive(Debug)]
enum Kind {
    /// Adds to or changes the rules.
    Rules(fn(&mut Compiler<'_>, &ast::Directive)),
    /// Sets something.
    Setting(fn(&mut Settings, &[ast::Word]) -> Result<(), String>),
    /// Has no meaning in a proxy filter: accepted with a warning.
    Ignored,
    /// The same, with a warning of its own.
    IgnoredBy(fn(&mut Compiler<'_>, &ast::Directive)),
}

impl Compiler<'_> {
    /// Carries out one directive.
    pub(super) fn directive(&mut self, directive: &ast::Directive) {
        let name = shown(&directive.name);
        let Some(def) = DirectiveDef::by_name(&name) else {
            self.unknown_directive(&name, directive);
            return;
        };
        let (least, most) = def.arguments;
        let given = directive.arguments.len();
        if directive.broken {
            // Reported by the parser; a chain that waits must not take the next rule for its own.
            return;
        }
        if given < least || given > most {
            self.report(argument_count(def, given, directive));
            return;
        }
        if !self.overlay_allows(def.name, directive) {
            return;
        }
        match &def.kind {
            Kind::Rules(read) | Kind::IgnoredBy(read)
                if self.ignore_rule_errors && is_rule(def) =>
            {
                self.rule_unless_bad(directive, *read);
            }
            Kind::Rules(read) | Kind::IgnoredBy(read) => read(self, directive),
            Kind::Setting(set) => self.setting(def, *set, directive),
            Kind::Ignored => {
                let message = format!("{} is ignored: {}", def.name, def.summary);
                self.report(Diagnostic::new(
                    Code::IgnoredDirective,
                    directive.span,
                    message,
                ));
            }
        }
    }

    fn setting(
        &mut self,
        def: &DirectiveDef,
        set: fn(&mut Settings, &[ast::Word]) -> Result<(), String>,
        directive: &ast::Directive,
    ) {
        if let Err(why) = set(&mut self.settings, &directive.arguments) {
            let span = directive
                .arguments
                .first()
                .map_or(directive.span, |one| one.span);
            let message = format!("{}: {why}", def.name);
            self.report(Diagnostic::new(Code::DirectiveValue, span, message));
        }
    }

    /// Reads a rule under SecIgnoreRuleCompilationErrors: one with errors is left out with its
    /// whole chain, and its errors become warnings, as in Coraza.
    fn rule_unless_bad(
        &mut self,
        directive: &ast::Directive,
        read: fn(&mut Compiler<'_>, &ast::Directive),
    ) {
        let (messages, items) = (self.diagnostics.len(), self.items.len());
        if self.leaving_out {
            // A link of a chain that is gone, to be read as one.
            self.open = Some(Vec::new());
        }
        read(self, directive);
        let mut bad = self.leaving_out;
        for diagnostic in self.diagnostics.iter_mut().skip(messages) {
            if diagnostic.severity == Severity::Error && !diagnostic.code.is_refusal() {
                diagnostic.severity = Severity::Warning;
                bad = true;
            }
        }
        if !bad {
            return;
        }
        self.leaving_out = self.open.is_some();
        let mut rules = self.open.take().unwrap_or_default();
        for item in self.items.drain(items..) {
            if let Item::Rules(chain) = item {
                rules.extend(chain);
            }
        }
        self.ids
            .retain(|_, span| !rules.iter().any(|rule| rule.span == *span));
    }

    fn unknown_directive(&mut self, name: &str, directive: &ast::Directive) {
        let message = format!("unknown directive `{name}`");
        let mut diagnostic = Diagnostic::new(Code::UnknownDirective, directive.name.span, message);
        diagnostic.hint = suggest(name, DIRECTIVES.iter().map(|def| def.name))
            .map(|name| format!("did you mean `{name}`?"));
        self.report(diagnostic);
    }

    /// `SecDataset NAME` and lines: blank ones and comments do not count.
    fn sec_dataset(&mut self, directive: &ast::Directive) {
        let [name, lines] = directive.arguments.as_slice() else {
            return;
        };
        let entries = lines
            .text
            .split(|&byte| byte == b'\n')
            .map(<[u8]>::trim_ascii)
            .filter(|line| !line.is_empty() && !line.starts_with(b"#"))
            .map(<[u8]>::to_vec)
            .collect();
        self.datasets.insert(name.text.clone(), entries);
    }
}

/// Whether it makes a rule.
fn is_rule(def: &DirectiveDef) -> bool {
    matches!(def.name, "SecRule" | "SecAction" | "SecRuleScript")
}

fn argument_count(def: &DirectiveDef, given: usize, directive: &ast::Directive) -> Diagnostic {
    let (least, most) = def.arguments;
    let takes = match (least, most) {
        (0, 0) => "no arguments".to_owned(),
        (1, 1) => "one argument".to_owned(),
        (least, most) if least == most => format!("{least} arguments"),
        (least, usize::MAX) => format!("at least {least} arguments"),
        (least, most) => format!("{least} to {most} arguments"),
    };
    let message = format!("{} takes {takes}, but {given} are given", def.name);
    let diagnostic = Diagnostic::new(Code::ArgumentCount, directive.span, message);
    if given > most {
        diagnostic.hint("an argument with blanks needs quotes around it")
    } else {
        diagnostic
    }
}

impl DirectiveDef {
    /// Every directive there is.
    pub fn all() -> &'static [Self] {
        DIRECTIVES
    }

    /// How far it is carried out.
    pub const fn support(&self) -> Support {
        match self.kind {
            Kind::Rules(_) | Kind::Setting(_) => Support::Full,
            Kind::Ignored | Kind::IgnoredBy(_) => Support::Sandbox,
        }
    }

    /// Finds one by name, whatever the letter case.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        DIRECTIVES
            .iter()
            .find(|def| def.name.eq_ignore_ascii_case(name))
    }
}

macro_rules! directives {
    ($($name:ident $least:literal..$most:tt $kind:ident $(($read:expr))?, $summary:literal;)+) => {
        const DIRECTIVES: &[DirectiveDef] = &[$(DirectiveDef {
            name: stringify!($name),
            arguments: ($least, directives!(@most $most)),
            kind: directives!(@kind $kind $(($read))?),
            summary: $summary,
        },)+];
    };
    (@most any) => { usize::MAX };
    (@most $most:literal) => { $most };
    (@kind Rules ($read:expr)) => { Kind::Rules($read) };
    (@kind Setting ($set:expr)) => { Kind::Setting($set) };
    (@kind IgnoredBy ($read:expr)) => { Kind::IgnoredBy($read) };
    (@kind Ignored) => { Kind::Ignored };
}

use super::{logging as log, settings as set};

directives! {
    Include 1..1 Rules(|c, d| if let Some(path) = d.arguments.first() { c.include(path, false) }), "Reads another file here.";
    IncludeOptional 1..1 Rules(|c, d| if let Some(path) = d.arguments.first() { c.include(path, true) }), "Reads another file here, if there is one.";
    SecAction 1..1 Rules(|c, d| c.sec_action(d)), "Actions without a condition.";
    SecArgumentSeparator 1..1 Setting(set::argument_separator), "The byte between arguments.";
    SecArgumentsLimit 1..1 Setting(set::arguments_limit), "Most arguments of a request.";
    SecAuditEngine 1..1 Setting(log::audit_engine), "Which transactions the audit log records.";
    SecAuditLog 1..1 Rules(|c, d| c.audit_log(d)), "Where records go: a collector, or the proxy's log.";
    SecAuditLog2 1..1 Rules(|c, d| c.log_file(d)), "Where records go as well: the proxy's log.";
    SecAuditLogDirMode 1..1 Ignored, "a filter writes no files.";
    SecAuditLogFileMode 1..1 Ignored, "a filter writes no files.";
    SecAuditLogFormat 1..1 Setting(log::audit_log_format), "How a record looks.";
    SecAuditLogParts 1..1 Setting(log::audit_log_parts), "What a record holds.";
    SecAuditLogRelevantStatus 1..1 Setting(log::audit_log_relevant_status), "Which status makes a transaction relevant.";
    SecAuditLogStorageDir 1..1 Ignored, "a filter writes no files.";
    SecAuditLogType 1..1 Setting(log::audit_log_type), "How records go: by HTTP to a collector, or into the proxy's log.";
    SecCacheTransformations 1..2 Ignored, "results of transformations are always shared.";
    SecChrootDir 1..1 Ignored, "the sandbox has no file system.";
    SecCollectionTimeout 1..1 Setting(set::collection_timeout), "Seconds until an idle record of a persistent collection goes.";
    SecComponentSignature 1..1 Setting(set::component_signature), "Names a rule set in audit records.";
    SecConnEngine 1..1 Ignored, "connections are the proxy's.";
    SecConnReadStateLimit 1..2 Ignored, "connections are the proxy's.";
    SecConnWriteStateLimit 1..2 Ignored, "connections are the proxy's.";
    SecContentInjection 1..1 Setting(set::content_injection), "Whether append, prepend and @rsub change responses.";
    SecCookieFormat 1..1 Setting(set::cookie_format), "0: Netscape cookies, 1: RFC 2109.";
    SecCookieV0Separator 1..1 Setting(set::cookie_v0_separator), "The byte between Netscape cookies.";
    SecDataDir 1..1 Ignored, "persistent collections live in the proxy's memory.";
    SecDataset 2..2 Rules(|c, d| c.sec_dataset(d)), "A list for @pmFromDataset and @ipMatchFromDataset.";
    SecDebugLog 1..1 Rules(|c, d| c.log_file(d)), "Where debug lines go: the proxy's log, whatever it names.";
    SecDebugLogLevel 1..1 Setting(set::debug_log_level), "How much is told, 0 to 9.";
    SecDefaultAction 1..1 Rules(|c, d| c.sec_default_action(d)), "What rules of a phase do unless they say otherwise.";
    SecDisableBackendCompression 1..1 Setting(set::disable_backend_compression), "Asks the backend for plain responses: accept-encoding is taken off requests.";
    SecGeoLookupDb 1..2 Rules(|c, d| c.geo_lookup_db(d)), "The database of @geoLookup, a MaxMind DB file (.mmdb).";
    SecGsbLookupDb 1..1 Ignored, "the service behind @gsbLookup has ended.";
    SecGuardianLog 1..2 Ignored, "a filter runs no programs.";
    SecHashEngine 1..1 Ignored, "links of responses are not rewritten.";
    SecHashKey 1..2 Ignored, "links of responses are not rewritten.";
    SecHashMethodPm 2..any Ignored, "links of responses are not rewritten.";
    SecHashMethodRx 2..2 Ignored, "links of responses are not rewritten.";
    SecHashParam 1..1 Ignored, "links of responses are not rewritten.";
    SecHttpBlKey 1..1 Ignored, "a filter cannot ask name servers.";
    SecIgnoreRuleCompilationErrors 1..1 Rules(|c, d| c.ignore_rule_errors(d)), "Leaves bad rules out instead of refusing the configuration.";
    SecInterceptOnError 1..1 Setting(set::intercept_on_error), "Whether an operator that fails counts as a match.";
    SecMarker 1..1 Rules(|c, d| c.sec_marker(d)), "A place for skipAfter.";
    SecParapetAuditBodyLimit 1..1 Setting(log::audit_body_limit), "Most bytes of a body in an audit record; 65536 unless set.";
    SecParapetCollectionIpv6Prefix 1..1 Setting(set::collection_ipv6_prefix), "How many bits of an IPv6 client's address stand in the keys of collections; 128 unless set.";
    SecParapetDecodeCharsets 1..1 Setting(set::decode_charsets), "Whether bodies in charsets that hide ASCII (UTF-16, UTF-32, UTF-7, EBCDIC, ISO 2022) are read decoded.";
    SecParapetInflateLayersLimit 1..1 Setting(set::inflate_layers_limit), "Most codings of one body; 3 unless set.";
    SecParapetInflateRatioLimit 1..1 Setting(set::inflate_ratio_limit), "How many times its size a compressed body may grow to, and 128 KiB; 200 unless set.";
    SecParapetInflateRequestBody 1..1 Setting(set::inflate_request_body), "Whether compressed request bodies (gzip, deflate, br) are inflated for the rules.";
    SecParapetInflateResponseBody 1..1 Setting(set::inflate_response_body), "Whether compressed response bodies (gzip, deflate, br) are inflated for the rules.";
    SecParapetLargeRequestBody 1..1 Setting(set::large_request_body), "What becomes of a request body that is larger than the proxy keeps: refused, or inspected while it goes on.";
    SecParapetLargeResponseBody 1..1 Setting(set::large_response_body), "What becomes of a response body that is larger than the proxy keeps: refused, or inspected while it goes on.";
    SecParapetLogCutLengths 2..2 Setting(log::log_cut_lengths), "Most bytes of a value in an error log line, and of the match text and the address; 512 and 1024 unless set.";
    SecParapetRedactArguments 1..any Setting(log::redact_arguments), "Words in names of arguments whose values no log shows; with + and - in front they are added to or taken off the list.";
    SecParapetRedactHeaders 1..any Setting(log::redact_headers), "Names of headers whose values no log shows; with + and - in front they are added to or taken off the list.";
    SecParapetRedaction 1..1 Setting(log::redaction), "Whether logs show a marker instead of values of credentials; On unless set.";
    SecParapetSealKey 1..1 Setting(log::seal_key), "The X25519 public key that audit records seal what matched to, for `parapet decrypt`.";
    SecParapetWorkLimit 1..1 Setting(set::work_limit), "Most steps of work for a request, and for its response; 44000000 unless set, 0 for no limit.";
    SecParapetWorkLimitAction 1..1 Setting(set::work_limit_action), "What happens to one that takes more.";
    SecPcreMatchLimit 1..1 Setting(set::pcre_match_limit), "Most steps in one value of a pattern that cannot run in linear time; 100000 unless set, 500000 at most.";
    SecPcreMatchLimitRecursion 1..1 Ignored, "patterns are matched without recursion.";
    SecParseXmlIntoArgs 1..1 Setting(set::parse_xml_into_args), "Whether leaves of XML documents are arguments.";
    SecReadStateLimit 1..2 Ignored, "connections are the proxy's.";
    SecRemoteRules 2..3 IgnoredBy(|c, d| c.remote_rules(d)), "a filter gets its rules by configuration, not from a server.";
    SecRemoteRulesFailAction 1..1 Rules(|c, d| c.remote_rules_fail_action(d)), "What happens when the server of SecRemoteRules gives none: Abort refuses the configuration, Warn loads it without them.";
    SecRequestBodyAccess 1..1 Setting(set::request_body_access), "Whether request bodies are inspected.";
    SecRequestBodyInMemoryLimit 1..1 Ignored, "bodies are always held in memory.";
    SecRequestBodyJsonDepthLimit 1..1 Setting(set::json_depth_limit), "Deepest nesting of a JSON body.";
    SecRequestBodyLimit 1..1 Setting(set::request_body_limit), "Largest request body, in bytes.";
    SecRequestBodyLimitAction 1..1 Setting(set::request_body_limit_action), "What happens to a larger one.";
    SecRequestBodyNoFilesLimit 1..1 Setting(set::request_body_no_files_limit), "Largest request body without its files, in bytes.";
    SecRequestEncoding 1..1 Ignored, "arguments are bytes.";
    SecResponseBodyAccess 1..1 Setting(set::response_body_access), "Whether response bodies are inspected.";
    SecResponseBodyLimit 1..1 Setting(set::response_body_limit), "Largest response body, in bytes.";
    SecResponseBodyLimitAction 1..1 Setting(set::response_body_limit_action), "What happens to a larger one.";
    SecResponseBodyMimeType 1..any Setting(set::response_body_mime_type), "Which responses are inspected.";
    SecResponseBodyMimeTypesClear 0..0 Setting(set::response_body_mime_types_clear), "Forgets the list of types.";
    SecRule 2..3 Rules(|c, d| c.sec_rule(d)), "Targets, an operator, actions.";
    SecRuleEngine 1..1 Setting(set::rule_engine), "On, Off, or DetectionOnly.";
    SecRuleInheritance 1..1 Setting(set::rule_inheritance), "Whether a profile that extends another begins with its rules.";
    SecRulePerfTime 1..1 Setting(set::rule_perf_time), "Reports rules that take longer, in microseconds.";
    SecRuleRemoveById 1..any Rules(|c, d| c.rule_remove(d, By::Id)), "Removes rules by id.";
    SecRuleRemoveByMsg 1..1 Rules(|c, d| c.rule_remove(d, By::Msg)), "Removes rules by message.";
    SecRuleRemoveByTag 1..1 Rules(|c, d| c.rule_remove(d, By::Tag)), "Removes rules by tag.";
    SecRuleScript 1..2 IgnoredBy(|c, d| c.sec_rule_script(d)), "a filter runs no Lua; the rule never matches.";
    SecRuleUpdateActionById 2..2 Rules(|c, d| c.rule_update_action(d)), "Changes actions of a rule.";
    SecRuleUpdateTargetById 2..3 Rules(|c, d| c.rule_update_target(d, By::Id)), "Changes targets of rules by id.";
    SecRuleUpdateTargetByMsg 2..3 Rules(|c, d| c.rule_update_target(d, By::Msg)), "Changes targets of rules by message.";
    SecRuleUpdateTargetByTag 2..3 Rules(|c, d| c.rule_update_target(d, By::Tag)), "Changes targets of rules by tag.";
    SecRxPreFilter 1..1 Setting(set::rx_pre_filter), "Whether patterns have a prefilter: they always have.";
    SecSensorId 1..1 Setting(set::sensor_id), "Names this sensor in audit records.";
    SecServerSignature 1..1 Setting(set::server_signature), "What the server header of responses says.";
    SecStatusEngine 1..1 Ignored, "nothing is reported to the project.";
    SecStreamInBodyInspection 1..1 Setting(set::stream_input), "Fills STREAM_INPUT_BODY.";
    SecStreamOutBodyInspection 1..1 Setting(set::stream_output), "Fills STREAM_OUTPUT_BODY.";
    SecTmpDir 1..1 Ignored, "bodies are held in memory.";
    SecTmpSaveUploadedFiles 1..1 Setting(set::tmp_save_uploaded_files), "Extracts files, in memory, for FILES_TMP_CONTENT.";
    SecUnicodeCodePage 1..1 Rules(|c, d| c.unicode_code_page(d)), "The code page of %uHHHH.";
    SecUnicodeMap 1..2 Rules(|c, d| c.unicode_map_file(d)), "The same as SecUnicodeMapFile.";
    SecUnicodeMapFile 1..2 Rules(|c, d| c.unicode_map_file(d)), "The map of %uHHHH to bytes.";
    SecUploadDir 1..1 Ignored, "a filter writes no files.";
    SecUploadFileLimit 1..1 Setting(set::upload_file_limit), "Most files of a request.";
    SecUploadFileMode 1..1 Ignored, "a filter writes no files.";
    SecUploadKeepFiles 1..1 Setting(set::upload_keep_files), "Extracts files, in memory, for FILES_TMP_CONTENT.";
    SecWebAppId 1..1 Setting(set::web_app_id), "Names the application.";
    SecWriteStateLimit 1..2 Ignored, "connections are the proxy's.";
    SecXmlExternalEntity 1..1 Rules(|c, d| c.xml_external_entity(d)), "Whether XML may load entities: never here.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names: Vec<String> = DIRECTIVES
            .iter()
            .map(|def| def.name.to_ascii_lowercase())
            .collect();
        names.sort();
        let before = names.len();
        names.dedup();
        assert_eq!(before, names.len());
    }
}
