//! The real engine behind [`Rules`] and [`Inspect`].

use std::rc::Rc;

use super::config::{PluginConfig, Problems};
use super::files::PluginFiles;
use super::inspect::{Inspect, Rules};
use crate::audit::error_log_line;
use crate::compile;
use crate::engine::{
    Clock, Connection, RequestHead, ResponseHead, RuleMatch, Step, Transaction, Waf,
};

impl Rules for Rc<Waf> {
    type Transaction = Transaction;

    fn begin(&self, connection: Connection) -> Transaction {
        Transaction::new(self, connection)
    }
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

    fn finish(&mut self) {
        self.finish();
    }

    fn drain_matches(&mut self) -> Vec<RuleMatch> {
        self.drain_matches()
    }

    fn log_line(&self, matched: &RuleMatch) -> Vec<u8> {
        error_log_line(matched, &self.log_context()).into_bytes()
    }
}

impl PluginConfig {
    /// Compiles one list of directives, with the files of this configuration and the embedded
    /// ones. The rules are missing if one of the messages is an error.
    pub fn compile(
        &self,
        name: &str,
        directives: String,
        clock: &Rc<dyn Clock>,
    ) -> (Option<Rc<Waf>>, Problems) {
        let sources = [(name.to_owned(), directives.into_bytes())];
        let compiled = compile::compile(&sources, &PluginFiles::new(&self.data_files));
        let problems = Problems {
            diagnostics: compiled.diagnostics,
            sources: compiled.sources,
        };
        (
            compiled
                .program
                .map(|program| Waf::new(program, Rc::clone(clock))),
            problems,
        )
    }
}
