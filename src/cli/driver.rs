//! What the tests and benchmarks drive: an engine that takes a request and says what it did.

use super::message::{Request, Response};

/// The server behind the firewall.
pub(crate) trait Backend {
    /// Answers a request that got through.
    fn respond(&self, request: &Request) -> Response;
}

/// A request on its way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    /// The bytes that a client sends.
    pub(crate) bytes: Vec<u8>,
    /// What the rules meet of them.
    pub(crate) request: Request,
    /// What the backend answers whatever it is asked, where a test wants that.
    pub(crate) answer: Option<Response>,
}

impl Sent {
    /// A request that the backend answers as it likes.
    pub(crate) fn new(bytes: Vec<u8>, request: Request) -> Self {
        Self {
            bytes,
            request,
            answer: None,
        }
    }
}

/// Who decided the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Decider {
    /// The backend: nothing stood in front of it that could refuse a malformed request.
    #[default]
    Backend,
    /// The rules.
    Rules,
    /// A whole server; whatever it said is what a client gets.
    Server,
}

/// What came of one exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Exchanged {
    /// The error log lines of the exchange, in order.
    pub(crate) log: Vec<Vec<u8>>,
    /// What the client got; `None` if it got no answer.
    pub(crate) reply: Option<Response>,
    /// Whose answer it is.
    pub(crate) decider: Decider,
}

/// An engine under test.
pub(crate) trait Driver {
    /// Runs one exchange.
    ///
    /// # Errors
    ///
    /// A text for people: the engine broke. No later exchange can be trusted.
    fn exchange(&mut self, sent: &Sent, backend: &dyn Backend) -> Result<Exchanged, String>;
}

/// Makes drivers for variants of a configuration.
pub(crate) trait DriverFactory {
    /// What to call the engine in reports: `native`, `wasm` or `server`.
    fn name(&self) -> &str;

    /// A driver whose configuration begins with these directives.
    ///
    /// # Errors
    ///
    /// A text for people: the configuration cannot be loaded.
    fn driver(&mut self, first_directives: &str) -> Result<Box<dyn Driver>, String>;
}
