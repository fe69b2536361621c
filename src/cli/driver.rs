//! What the tests and benchmarks drive: an engine that takes a request and says what it did.

use super::message::{Request, Response};

/// The server behind the firewall.
pub(crate) trait Backend {
    /// Answers a request that got through.
    fn respond(&self, request: &Request) -> Response;
}

/// What came of one exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Exchanged {
    /// The error log lines of the exchange, in order.
    pub(crate) log: Vec<Vec<u8>>,
    /// What the client got; `None` if it got no answer.
    pub(crate) reply: Option<Response>,
    /// The rules decided the answer, not the backend.
    pub(crate) interrupted: bool,
}

/// An engine under test.
pub(crate) trait Driver {
    /// Runs one exchange.
    ///
    /// # Errors
    ///
    /// A text for people: the engine broke. No later exchange can be trusted.
    fn exchange(&mut self, request: &Request, backend: &dyn Backend) -> Result<Exchanged, String>;
}

/// Makes drivers for variants of a configuration.
pub(crate) trait DriverFactory {
    /// What to call the engine in reports: `native` or `wasm`.
    fn name(&self) -> &str;

    /// A driver whose configuration begins with these directives.
    ///
    /// # Errors
    ///
    /// A text for people: the configuration cannot be loaded.
    fn driver(&mut self, first_directives: &str) -> Result<Box<dyn Driver>, String>;
}
