//! Callbacks one by one, in any order: what no proxy does, a filter must survive all the same.

use super::exchange::LocalReply;
use super::plugin::Plugin;
use super::state::Fault;
use super::stream::{Callback, Direction, Side, Stream};
use super::{HostError, Pairs};

/// What a stream has to show, whenever it is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scene {
    /// The head of the request.
    pub request: Pairs,
    /// The head of the response.
    pub response: Pairs,
    /// The trailers of both.
    pub trailers: Pairs,
    /// `source.address`; none without one.
    pub source: Vec<u8>,
    /// `request.protocol`; none without one.
    pub protocol: Vec<u8>,
    /// `response.code_details`; none without them.
    pub details: Vec<u8>,
}

/// One callback of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cue {
    /// The stream begins. Any other cue may come before it, or without it.
    Create,
    /// The head of the request; the flag is the end of the stream, here and below.
    RequestHeaders(bool),
    /// What the proxy has of the body.
    RequestBody(Vec<u8>, bool),
    /// Trailers of the request.
    RequestTrailers,
    /// The head of the response.
    ResponseHeaders(bool),
    /// What the proxy has of the body.
    ResponseBody(Vec<u8>, bool),
    /// Trailers of the response.
    ResponseTrailers,
    /// `on_log`
    Log,
    /// `on_done`
    Done,
    /// `on_delete`
    Delete,
}

/// What the filter said in a callback, and did to the stream so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The callback's answer: 0 to go on, 1 to pause. Nothing for callbacks without one.
    pub action: Option<u32>,
    /// The filter's own answer, if it gave one by now.
    pub reply: Option<LocalReply>,
    /// The filter closed the stream.
    pub closed: bool,
}

impl Told {
    /// Whether the callback lets go on what it was about.
    pub fn goes_on(&self) -> bool {
        self.action == Some(0) && self.reply.is_none() && !self.closed
    }
}

impl Plugin {
    /// Sets a stream up and returns its id. The filter hears of it with [`Cue::Create`].
    pub fn stage(&mut self, scene: &Scene) -> u32 {
        let side = |headers: &Pairs| Side {
            headers: headers.clone(),
            trailers: scene.trailers.clone(),
            // Whatever the order, heads can be read: what can be read wrongly then is.
            head_held: true,
            ..Side::default()
        };
        let started = self.settings().clock.wall();
        self.enter_stream(Stream {
            request: side(&scene.request),
            response: side(&scene.response),
            source: scene.source.clone(),
            protocol: scene.protocol.clone(),
            details: (!scene.details.is_empty()).then(|| scene.details.clone()),
            started,
            ..Stream::default()
        })
    }

    /// One callback.
    ///
    /// # Errors
    ///
    /// [`HostError::Trap`].
    pub fn cue(&mut self, id: u32, cue: &Cue) -> Result<Told, HostError> {
        use Direction::{Request, Response};
        let action = match cue {
            Cue::Create => {
                self.create(id)?;
                None
            }
            Cue::RequestHeaders(end) => {
                let count = self.count(id, Request, |side| side.headers.len());
                let arguments = (id, count, u32::from(*end));
                self.direct(
                    id,
                    Callback::Headers(Request),
                    "proxy_on_request_headers",
                    arguments,
                )?
            }
            Cue::RequestBody(body, end) => {
                let arguments = (id, self.put(id, Request, body), u32::from(*end));
                self.direct(
                    id,
                    Callback::Body(Request),
                    "proxy_on_request_body",
                    arguments,
                )?
            }
            Cue::RequestTrailers => {
                let arguments = (id, self.count(id, Request, |side| side.trailers.len()));
                self.direct(
                    id,
                    Callback::Trailers(Request),
                    "proxy_on_request_trailers",
                    arguments,
                )?
            }
            Cue::ResponseHeaders(end) => {
                let count = self.count(id, Response, |side| side.headers.len());
                let arguments = (id, count, u32::from(*end));
                self.direct(
                    id,
                    Callback::Headers(Response),
                    "proxy_on_response_headers",
                    arguments,
                )?
            }
            Cue::ResponseBody(body, end) => {
                let arguments = (id, self.put(id, Response, body), u32::from(*end));
                self.direct(
                    id,
                    Callback::Body(Response),
                    "proxy_on_response_body",
                    arguments,
                )?
            }
            Cue::ResponseTrailers => {
                let arguments = (id, self.count(id, Response, |side| side.trailers.len()));
                self.direct(
                    id,
                    Callback::Trailers(Response),
                    "proxy_on_response_trailers",
                    arguments,
                )?
            }
            Cue::Log => {
                self.enter(id, Callback::Log);
                self.optional::<u32>("proxy_on_log", id)?;
                None
            }
            Cue::Done => {
                self.enter(id, Callback::Outside);
                let _: u32 = self.call("proxy_on_done", id)?;
                None
            }
            Cue::Delete => {
                self.enter(id, Callback::Outside);
                self.optional::<u32>("proxy_on_delete", id)?;
                None
            }
        };
        let stream = self.stream(id);
        Ok(Told {
            action,
            reply: stream
                .as_ref()
                .and_then(|stream| stream.local_reply.clone()),
            closed: stream.is_some_and(|stream| stream.closed),
        })
    }

    /// Takes a stream away from the proxy's side.
    pub fn strike(&mut self, id: u32) {
        self.remove(id);
    }

    /// From now on an import answers a status and does nothing; without a name any import, with a
    /// number only that call, counted from [`Plugin::calls`]. Only with
    /// [`super::Settings::faults`].
    pub fn fail(&mut self, import: Option<&str>, call: Option<u64>, status: u32) {
        self.state().fault = Some(Fault {
            import: import.map(str::to_owned),
            call,
            status,
        });
    }

    /// From now on all imports work again.
    pub fn heal(&mut self) {
        self.state().fault = None;
    }

    /// How many imports were called so far, with [`super::Settings::faults`].
    pub fn calls(&mut self) -> u64 {
        self.state().calls
    }

    fn direct<P: wasmtime::WasmParams>(
        &mut self,
        id: u32,
        callback: Callback,
        name: &'static str,
        arguments: P,
    ) -> Result<Option<u32>, HostError> {
        self.deliver(id, callback, name, arguments).map(Some)
    }

    fn count(&mut self, id: u32, direction: Direction, of: impl Fn(&Side) -> usize) -> u32 {
        let count = self
            .stream(id)
            .map_or(0, |stream| of(stream.side(direction)));
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    fn put(&mut self, id: u32, direction: Direction, body: &[u8]) -> u32 {
        if let Some(stream) = self.stream(id) {
            stream.side_mut(direction).body = body.to_vec();
        }
        u32::try_from(body.len()).unwrap_or(u32::MAX)
    }
}
