//! The way of an exchange through the filter, callback by callback, as Envoy goes it.

use super::exchange::{Exchange, Incoming, LocalReply, Reply, Response, UpstreamRequest};
use super::plugin::Plugin;
use super::stream::{Callback, Direction, Side};
use super::{HostError, Pairs};

/// Ticks that a stuck stream waits for its filter.
const PATIENCE: u32 = 16;

/// How one direction ended.
enum Flow {
    /// It went through.
    Passed(Response),
    /// The filter answered; the flag says that a head had gone out before.
    Replied(LocalReply, bool),
    /// The buffer of the paused stream overflowed; the flag as above.
    Overflow(bool),
    /// The filter closed the stream.
    Closed,
    /// The filter paused and never went on.
    Stuck,
}

/// How far one callback lets the stream go.
enum Step {
    Continue,
    Pause,
    Stop(Flow),
}

/// One exchange under way.
pub(super) struct Run<'a> {
    plugin: &'a mut Plugin,
    id: u32,
    length_broken: bool,
    /// The head of the current direction as it left, once it has left.
    released: Option<Pairs>,
    /// The answer came before the body was sent.
    overtaken: bool,
    /// The response under way is a local reply, which the filter cannot answer again.
    own_reply: bool,
}

impl<'a> Run<'a> {
    pub(super) fn new(plugin: &'a mut Plugin, id: u32) -> Self {
        Self {
            plugin,
            id,
            length_broken: false,
            released: None,
            overtaken: false,
            own_reply: false,
        }
    }

    /// A body left that does not have the length its head announced.
    pub(super) fn length_broken(&self) -> bool {
        self.length_broken
    }

    /// The request to the upstream and the answer back: what the client got, and what the upstream.
    pub(super) fn both_ways(
        &mut self,
        exchange: &Exchange,
        upstream: &mut dyn FnMut(&UpstreamRequest) -> Incoming,
    ) -> Result<(Reply, Option<UpstreamRequest>), HostError> {
        let early = exchange.answer_before_body;
        let flow = self.send(Direction::Request, &exchange.request, early)?;
        let head = self.released.take();
        let partial = head.map(|headers| UpstreamRequest {
            headers,
            ..Default::default()
        });
        match flow {
            Flow::Passed(message) => {
                let request = UpstreamRequest {
                    headers: message.headers,
                    body: message.body,
                    trailers: message.trailers,
                    complete: !std::mem::take(&mut self.overtaken),
                };
                let answer = upstream(&request);
                let reply = self.answer(&answer)?;
                Ok((reply, Some(request)))
            }
            Flow::Replied(reply, _) => {
                self.show_local_reply(&reply)?;
                Ok((Reply::Local(reply), partial))
            }
            Flow::Overflow(_) => {
                let details = "request_payload_too_large";
                self.show_proxy_reply(413, details)?;
                Ok((Reply::Proxy(413, details), partial))
            }
            Flow::Closed => Ok((Reply::Closed, partial)),
            Flow::Stuck => Ok((Reply::Nothing, partial)),
        }
    }

    /// The upstream's answer on its way to the client.
    fn answer(&mut self, answer: &Incoming) -> Result<Reply, HostError> {
        self.note(status(&answer.headers), b"via_upstream");
        let flow = self.send(Direction::Response, answer, false)?;
        let headers = self.released.take().unwrap_or_default();
        let cut = || {
            Reply::Cut(Response {
                headers: headers.clone(),
                ..Default::default()
            })
        };
        Ok(match flow {
            Flow::Passed(response) => Reply::Upstream(response),
            Flow::Replied(reply, false) => Reply::Local(reply),
            Flow::Overflow(false) => Reply::Proxy(500, "response_payload_too_large"),
            Flow::Replied(_, true) | Flow::Overflow(true) => cut(),
            Flow::Closed if headers.is_empty() => Reply::Closed,
            Flow::Closed => cut(),
            Flow::Stuck => Reply::Nothing,
        })
    }

    /// A local reply passes the filter's response callbacks, where nothing may happen any more.
    fn show_local_reply(&mut self, reply: &LocalReply) -> Result<(), HostError> {
        self.note(Some(reply.status), &reply.details);
        let mut headers = reply.headers.clone();
        headers.push((b":status".to_vec(), reply.status.to_string().into_bytes()));
        let chunks = if reply.body.is_empty() {
            Vec::new()
        } else {
            vec![reply.body.clone()]
        };
        let message = Incoming {
            headers,
            chunks,
            ..Default::default()
        };
        self.own_reply = true;
        self.send(Direction::Response, &message, false).map(drop)
    }

    fn show_proxy_reply(&mut self, status: u16, details: &str) -> Result<(), HostError> {
        self.note(Some(status), details.as_bytes());
        let headers = vec![(b":status".to_vec(), status.to_string().into_bytes())];
        let message = Incoming {
            headers,
            ..Default::default()
        };
        self.own_reply = true;
        self.send(Direction::Response, &message, false).map(drop)
    }

    /// One message through the filter. With `head_only` it ends where the head has gone out, if it
    /// goes out before the body.
    fn send(
        &mut self,
        direction: Direction,
        message: &Incoming,
        head_only: bool,
    ) -> Result<Flow, HostError> {
        self.released = None;
        self.put_head(direction, message);
        let bodiless = self.head_would_end(message);
        let mut waiting = false;
        match self.head(direction, message, bodiless)? {
            Step::Continue => {
                self.release_head(direction);
                if head_only && !bodiless {
                    self.overtaken = true;
                    let headers = self.take_head(direction);
                    return Ok(Flow::Passed(Response {
                        headers,
                        ..Default::default()
                    }));
                }
            }
            Step::Stop(flow) => return Ok(flow),
            Step::Pause => {
                if bodiless || !self.plugin.settings().holds_headers {
                    if !self.wait(direction)? {
                        return Ok(self.stuck());
                    }
                    // What arrived in the meantime comes in one piece.
                    waiting = true;
                    self.release_head(direction);
                } else {
                    self.hold_head(direction);
                }
            }
        }
        let mut forwarded = Vec::new();
        if !bodiless {
            let joined = [message.chunks.concat()];
            let chunks = if waiting {
                joined.as_slice()
            } else {
                message.chunks.as_slice()
            };
            if let Some(flow) = self.body(direction, message, chunks, &mut forwarded)? {
                return Ok(flow);
            }
        }
        self.release_head(direction);
        Ok(Flow::Passed(self.finish(direction, forwarded)))
    }

    fn head(
        &mut self,
        direction: Direction,
        message: &Incoming,
        end: bool,
    ) -> Result<Step, HostError> {
        let name = match direction {
            Direction::Request => "proxy_on_request_headers",
            Direction::Response => "proxy_on_response_headers",
        };
        let arguments = (self.id, count(message.headers.len()), u32::from(end));
        self.step(direction, Callback::Headers(direction), name, arguments)
    }

    /// All pieces of a body, and the trailers. `None`: everything was let through.
    fn body(
        &mut self,
        direction: Direction,
        message: &Incoming,
        chunks: &[Vec<u8>],
        forwarded: &mut Vec<u8>,
    ) -> Result<Option<Flow>, HostError> {
        let mut pieces: Vec<(&[u8], bool)> = chunks.iter().map(|c| (c.as_slice(), false)).collect();
        if message.trailers.is_empty() {
            match pieces.last_mut() {
                Some(last) if message.end_with_last_chunk => last.1 = true,
                _ => pieces.push((&[], true)),
            }
        }
        let name = match direction {
            Direction::Request => "proxy_on_request_body",
            Direction::Response => "proxy_on_response_body",
        };
        let mut paused = false;
        for (piece, end) in pieces {
            let size = self.put_body(direction, piece, paused);
            let arguments = (self.id, count(size), u32::from(end));
            match self.step(direction, Callback::Body(direction), name, arguments)? {
                Step::Continue => {
                    paused = false;
                    self.release_head(direction);
                    forwarded.extend(self.take_body(direction));
                }
                Step::Stop(flow) => return Ok(Some(flow)),
                Step::Pause if end => {
                    if !self.wait(direction)? {
                        return Ok(Some(self.stuck()));
                    }
                    self.release_head(direction);
                    forwarded.extend(self.take_body(direction));
                }
                Step::Pause => {
                    paused = true;
                    if self.body_size(direction) > self.plugin.settings().buffer_limit {
                        return Ok(Some(Flow::Overflow(self.released.is_some())));
                    }
                }
            }
        }
        if message.trailers.is_empty() {
            return Ok(None);
        }
        self.put_trailers(direction, message);
        let name = match direction {
            Direction::Request => "proxy_on_request_trailers",
            Direction::Response => "proxy_on_response_trailers",
        };
        let arguments = (self.id, count(message.trailers.len()));
        match self.step(direction, Callback::Trailers(direction), name, arguments)? {
            Step::Continue => {}
            Step::Stop(flow) => return Ok(Some(flow)),
            Step::Pause => {
                if !self.wait(direction)? {
                    return Ok(Some(self.stuck()));
                }
            }
        }
        forwarded.extend(self.take_body(direction));
        Ok(None)
    }

    fn step<P: wasmtime::WasmParams>(
        &mut self,
        direction: Direction,
        callback: Callback,
        name: &'static str,
        arguments: P,
    ) -> Result<Step, HostError> {
        let action = self.plugin.deliver(self.id, callback, name, arguments)?;
        let gone = self.released.is_some();
        let Some(stream) = self.plugin.stream(self.id) else {
            return Ok(Step::Stop(Flow::Closed));
        };
        if stream.closed {
            return Ok(Step::Stop(Flow::Closed));
        }
        if let Some(reply) = &stream.local_reply
            && !self.own_reply
        {
            return Ok(Step::Stop(Flow::Replied(reply.clone(), gone)));
        }
        let resumed = std::mem::take(&mut stream.side_mut(direction).resumed);
        Ok(if action == 0 || resumed {
            Step::Continue
        } else {
            Step::Pause
        })
    }

    /// Lets ticks come until the filter resumes the direction.
    fn wait(&mut self, direction: Direction) -> Result<bool, HostError> {
        for _ in 0..PATIENCE {
            let Some(stream) = self.plugin.stream(self.id) else {
                return Ok(false);
            };
            if std::mem::take(&mut stream.side_mut(direction).resumed) {
                return Ok(true);
            }
            if stream.closed || stream.local_reply.is_some() || self.plugin.tick_period() == 0 {
                return Ok(false);
            }
            let period = u64::from(self.plugin.tick_period()).saturating_mul(1_000_000);
            self.plugin.settings().clock.pass(period);
            self.plugin.tick()?;
        }
        Ok(false)
    }

    /// How a stream that was not resumed ends: by what a tick did to it, or not at all.
    fn stuck(&mut self) -> Flow {
        let gone = self.released.is_some();
        match self.plugin.stream(self.id) {
            Some(stream) if stream.closed => Flow::Closed,
            Some(stream) => stream
                .local_reply
                .clone()
                .map_or(Flow::Stuck, |reply| Flow::Replied(reply, gone)),
            None => Flow::Closed,
        }
    }

    fn head_would_end(&self, message: &Incoming) -> bool {
        message.chunks.is_empty() && message.trailers.is_empty()
    }

    fn note(&mut self, status: Option<u16>, details: &[u8]) {
        if let Some(stream) = self.plugin.stream(self.id) {
            stream.status = status;
            stream.details = Some(details.to_vec());
        }
    }

    fn side(&mut self, direction: Direction) -> Option<&mut Side> {
        self.plugin
            .stream(self.id)
            .map(|stream| stream.side_mut(direction))
    }

    fn put_head(&mut self, direction: Direction, message: &Incoming) {
        if let Some(side) = self.side(direction) {
            side.headers.clone_from(&message.headers);
            side.body.clear();
        }
    }

    fn hold_head(&mut self, direction: Direction) {
        if let Some(side) = self.side(direction) {
            side.head_held = true;
        }
    }

    fn release_head(&mut self, direction: Direction) {
        if self.released.is_none() {
            self.released = Some(self.take_head(direction));
        }
    }

    fn take_head(&mut self, direction: Direction) -> Pairs {
        self.side(direction)
            .map(|side| side.headers.clone())
            .unwrap_or_default()
    }

    fn put_trailers(&mut self, direction: Direction, message: &Incoming) {
        if let Some(side) = self.side(direction) {
            side.trailers.clone_from(&message.trailers);
        }
    }

    /// Adds a piece to what a paused stream buffers, or makes it all there is.
    fn put_body(&mut self, direction: Direction, piece: &[u8], paused: bool) -> usize {
        self.side(direction).map_or(0, |side| {
            if !paused {
                side.body.clear();
            }
            side.body.extend_from_slice(piece);
            side.body.len()
        })
    }

    fn take_body(&mut self, direction: Direction) -> Vec<u8> {
        self.side(direction)
            .map(|side| std::mem::take(&mut side.body))
            .unwrap_or_default()
    }

    fn body_size(&mut self, direction: Direction) -> usize {
        self.side(direction).map_or(0, |side| side.body.len())
    }

    fn finish(&mut self, direction: Direction, body: Vec<u8>) -> Response {
        let headers = self.released.clone().unwrap_or_default();
        let trailers = self
            .side(direction)
            .map(|side| side.trailers.clone())
            .unwrap_or_default();
        let announced = headers.iter().find(|(name, _)| name == b"content-length");
        self.length_broken |= announced
            .and_then(|(_, value)| std::str::from_utf8(value).ok()?.parse::<usize>().ok())
            .is_some_and(|length| length != body.len());
        Response {
            headers,
            body,
            trailers,
        }
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// The status that a head says.
pub(super) fn status(headers: &Pairs) -> Option<u16> {
    let (_, value) = headers.iter().find(|(name, _)| name == b":status")?;
    std::str::from_utf8(value).ok()?.parse().ok()
}
