//! The real engine behind [`Rules`] and [`Inspect`].

use std::rc::Rc;
use std::sync::Arc;

use super::collector::Destination;
use super::config::{PluginConfig, Problems};
use super::files::PluginFiles;
use super::filter::Filter;
use super::host::{Direction, Host};
use super::inspect::{Inspect, NoCollectorUrl, Rules};
use super::programs::{Content, Digests, Programs};
use super::setup;
use super::shadow::Shadowed;
use super::vm::Vm;
use crate::audit::{ErrorLog, Random, audit_record, debug_lines, one_line};
use crate::compile::{self, Layer};
use crate::engine::{
    BodyEdits, Clock, Connection, LimitsReached, ReplacedBody, RequestHead, ResponseHead,
    RuleMatch, Step, Transaction, Waf,
};
use crate::program::{AuditFormat, AuditLogType, Program};
use crate::variable::Variable;

impl Rules for Rc<Waf> {
    type Transaction = Transaction;

    fn begin(&self, connection: &Rc<Connection>) -> Transaction {
        Transaction::new(self, Rc::clone(connection))
    }

    fn reads_server(&self) -> bool {
        let reads = &self.program().reads;
        self.may_audit()
            || reads.contains(Variable::ServerAddr)
            || reads.contains(Variable::ServerPort)
    }

    fn collector(&self) -> Option<Result<Destination, NoCollectorUrl>> {
        destination(self.program()).filter(|_| self.may_audit())
    }
}

fn destination(program: &Program) -> Option<Result<Destination, NoCollectorUrl>> {
    let audit = &program.settings.audit;
    if audit.to != AuditLogType::Https {
        return None;
    }
    let url = audit.collector.as_ref().ok_or(NoCollectorUrl);
    let content_type = match audit.format {
        AuditFormat::Native => "text/plain; charset=utf-8",
        _ => "application/x-ndjson",
    };
    Some(url.map(|url| Destination {
        url: Arc::clone(url),
        content_type,
    }))
}

impl Inspect for Transaction {
    fn request_head(&mut self, head: &RequestHead<'_>) -> Step {
        self.request_head(head)
    }

    fn request_body(&mut self, bytes: &[u8]) -> Step {
        self.request_body(bytes)
    }

    fn end_request_body(&mut self) -> Step {
        self.end_request_body()
    }

    fn response_head(&mut self, head: &ResponseHead<'_>) -> Step {
        self.response_head(head)
    }

    fn response_body(&mut self, bytes: &[u8]) -> Step {
        self.response_body(bytes)
    }

    fn end_response_body(&mut self) -> Step {
        self.end_response_body()
    }

    fn streams_large_body(&self, direction: Direction) -> bool {
        match direction {
            Direction::Request => self.streams_large_request(),
            Direction::Response => self.streams_large_response(),
        }
    }

    fn body_limit(&self, direction: Direction) -> usize {
        match direction {
            Direction::Request => self.request_body_limit(),
            Direction::Response => self.response_body_limit(),
        }
    }

    fn held_bytes(&self) -> usize {
        self.held_bytes()
    }

    fn pause(&self) -> u32 {
        Self::pause(self)
    }

    fn take_limits_reached(&mut self) -> LimitsReached {
        Self::take_limits_reached(self)
    }

    fn replaced_body(&self, direction: Direction) -> Option<&ReplacedBody> {
        match direction {
            Direction::Request => self.replaced_request_body(),
            Direction::Response => self.replaced_response_body(),
        }
    }

    fn response_edits(&self) -> &BodyEdits {
        self.response_edits()
    }

    fn wants_plain_response(&self) -> bool {
        self.wants_plain_response()
    }

    fn server_signature(&self) -> Option<&[u8]> {
        self.server_signature()
    }

    fn finish(&mut self) {
        self.finish();
    }

    fn has_news(&self) -> bool {
        self.has_news()
    }

    fn drain_matches(&mut self) -> Vec<RuleMatch> {
        self.drain_matches()
    }

    fn log_lines(&self, matches: &[RuleMatch]) -> Vec<Vec<u8>> {
        let log = ErrorLog::new(self);
        let lines = matches.iter().map(|found| log.line(found).into_bytes());
        lines.collect()
    }

    fn debug_lines(&mut self) -> Vec<Vec<u8>> {
        if !self.has_evaluations() {
            return Vec::new();
        }
        debug_lines(self)
    }

    fn set_debug_log_level(&mut self, level: u8) {
        Self::set_debug_log_level(self, level);
    }

    fn audit_record(&self, random: &mut Random<'_>) -> Option<Vec<u8>> {
        let record = audit_record(self, random)?;
        Some(one_line(&record, self.program().settings.audit.format))
    }

    fn audit_destination(&self) -> Option<Destination> {
        destination(self.program())?.ok()
    }

    fn tx_variable(&self, name: &[u8]) -> Option<&[u8]> {
        self.tx_variable(name)
    }
}

/// Makes a filter of the plugin configuration that the host hands over; where it hands none over,
/// of the one that the module was packed with. `None` if it is refused: the log says why.
pub fn configure(
    host: &dyn Host,
    bytes: &[u8],
    vm: &Rc<Vm>,
    clock: &Rc<dyn Clock>,
) -> Option<Filter<Shadowed<Rc<Waf>>>> {
    let waf = |program, shadow: Option<&str>| {
        Waf::with_collections(program, Rc::clone(clock), vm.collections(shadow))
    };
    if let Some(packed) = vm.packed.get()
        && PluginConfig::is_absent(bytes)
    {
        return setup::apply(host, packed.config(), Rc::clone(vm), |lineage, shadow| {
            let (program, problems) = packed.program(lineage);
            (program.map(|program| waf(program, shadow)), problems)
        });
    }
    let config = setup::read(host, bytes)?;
    let files = Digests::new(&config.data_files);
    setup::apply(host, &config, Rc::clone(vm), |lineage, shadow| {
        let (program, problems) = config.program(lineage, &files, &vm.programs);
        (program.map(|program| waf(program, shadow)), problems)
    })
}

impl PluginConfig {
    /// Compiles one list of directives behind those that it extends (see
    /// [`PluginConfig::lineages`]), with the files of this configuration, which `files` stands for,
    /// and the embedded ones. The program is missing if one of the messages is an error. One that is
    /// in use already is taken from `programs`, without the messages that were told of it.
    pub(super) fn program(
        &self,
        lineage: &[Layer],
        files: &Digests,
        programs: &Programs,
    ) -> (Option<Arc<Program>>, Problems) {
        let content = Content::new(lineage, files);
        if let Some(program) = programs.find(&content) {
            return (Some(program), Problems::default());
        }
        let compiled = compile::compile_profile(lineage, &PluginFiles::new(&self.data_files));
        let problems = Problems {
            diagnostics: compiled.diagnostics,
            sources: compiled.sources,
        };
        if let Some(program) = &compiled.program {
            programs.keep(content, program);
        }
        (compiled.program, problems)
    }
}

#[cfg(test)]
pub(super) mod tests;
