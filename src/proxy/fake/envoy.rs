//! A little Envoy: one filter between a client and an upstream, with the flow control that was
//! seen in the real one, with and without `allow_on_headers_stop_iteration`.

use std::rc::Rc;

use super::{FakeHost, FakeRules};
use crate::proxy::host::Direction::{self, Request, Response};
use crate::proxy::host::LocalReply;
use crate::proxy::pairs::Pairs;
use crate::proxy::{Filter, Flow, Selection, Settings, Shadowed, Stream, Vm};

/// What a client got.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Client {
    pub status: Option<u16>,
    pub body: Vec<u8>,
    /// The response is complete.
    pub complete: bool,
    pub reset: bool,
}

#[derive(Clone, Debug)]
enum Event {
    Data(Vec<u8>, bool),
    Trailers,
}

/// One half of a stream.
#[derive(Debug, Default)]
struct Half {
    /// The head; after it went on, as it went on.
    head: Pairs,
    /// The head waits, and can be read and changed.
    head_held: bool,
    /// The head went on.
    head_passed: bool,
    /// Paused without holding: nothing more is called back until a resume.
    stopped: bool,
    waiting: Vec<Event>,
    buffer: Vec<u8>,
    passed: Vec<u8>,
    ended: bool,
}

struct Exchange {
    stream: Stream<Shadowed<FakeRules>>,
    request: Half,
    response: Half,
    status: u16,
    client: Client,
    /// Answered by the filter or reset.
    over: bool,
    /// The filter's own answer.
    reply: Option<LocalReply>,
}

pub struct Envoy {
    pub host: Rc<FakeHost>,
    pub filter: Rc<Filter<Shadowed<FakeRules>>>,
    pub vm: Rc<Vm>,
    /// `per_connection_buffer_limit_bytes`.
    pub buffer_limit: usize,
    /// `allow_on_headers_stop_iteration`.
    pub holds: bool,
    exchanges: Vec<Exchange>,
}

impl Envoy {
    pub fn new(holds: bool, settings: Settings, rules: FakeRules) -> Self {
        Self::shadowed(holds, settings, Shadowed::alone(rules))
    }

    pub fn shadowed(holds: bool, settings: Settings, rules: Shadowed<FakeRules>) -> Self {
        let vm = Rc::new(Vm::default());
        let filter = Filter::new(settings, vec![rules], Selection::all(0), Rc::clone(&vm));
        let host = FakeHost::default();
        host.set_fake_property(&["source", "address"], b"192.0.2.1:4711");
        Self {
            host: Rc::new(host),
            vm,
            buffer_limit: 1 << 20,
            filter: Rc::new(filter),
            holds,
            exchanges: Vec::new(),
        }
    }

    /// A new configuration with other rules: streams under way keep the old one.
    pub fn reconfigure(&mut self, rules: FakeRules) {
        let settings = self.filter.settings().clone();
        let vm = Rc::clone(&self.vm);
        let rules = vec![Shadowed::alone(rules)];
        self.filter = Rc::new(Filter::new(settings, rules, Selection::all(0), vm));
    }

    /// A request arrives. The number of its exchange is its context.
    pub fn request(&mut self, headers: &[(&str, &str)], end: bool) -> usize {
        let id = self.exchanges.len();
        self.exchanges.push(Exchange {
            stream: Stream::new(Rc::clone(&self.filter), u32::try_from(id).unwrap()),
            request: Half::default(),
            response: Half::default(),
            status: 0,
            client: Client::default(),
            over: false,
            reply: None,
        });
        let pairs: Pairs = headers.iter().copied().collect();
        self.host.state(|state| {
            state.request_headers = Some(pairs);
            state.properties.remove("response.code_details");
        });
        let flow = self.call(id, |stream, host| stream.on_request_headers(host, end));
        self.after_head(id, Request, flow, end);
        id
    }

    pub fn request_data(&mut self, id: usize, bytes: &[u8], end: bool) {
        self.event(id, Request, Event::Data(bytes.to_vec(), end));
    }

    pub fn request_trailers(&mut self, id: usize) {
        self.event(id, Request, Event::Trailers);
    }

    /// The upstream answers, or (with other details) Envoy itself.
    pub fn respond(
        &mut self,
        id: usize,
        status: u16,
        headers: &[(&str, &str)],
        end: bool,
        details: &str,
    ) {
        if self.exchanges[id].over {
            return;
        }
        self.exchanges[id].status = status;
        let text = status.to_string();
        let pairs: Pairs = [(":status", text.as_str())]
            .iter()
            .chain(headers)
            .copied()
            .collect();
        self.host
            .set_fake_property(&["response", "code_details"], details.as_bytes());
        self.host
            .state(|state| state.response_headers = Some(pairs));
        let flow = self.call(id, |stream, host| stream.on_response_headers(host, end));
        self.after_head(id, Response, flow, end);
    }

    pub fn response_data(&mut self, id: usize, bytes: &[u8], end: bool) {
        self.event(id, Response, Event::Data(bytes.to_vec(), end));
    }

    pub fn response_trailers(&mut self, id: usize) {
        self.event(id, Response, Event::Trailers);
    }

    /// The stream is over.
    pub fn log(&mut self, id: usize) {
        let host = Rc::clone(&self.host);
        self.exchanges[id].stream.on_log(&*host);
    }

    /// Time passes; ticks come if they were asked for.
    pub fn wait(&mut self, milliseconds: u64) {
        let mut left = milliseconds;
        while left > 0 {
            let period = u64::from(self.host.state(|state| state.tick_period));
            let step = if period == 0 { left } else { period.min(left) };
            self.host.state(|state| state.now += step * 1_000_000);
            left -= step;
            if period != 0 && step == period {
                self.tick();
            }
        }
    }

    fn tick(&mut self) {
        let host = Rc::clone(&self.host);
        self.filter.on_tick(&*host);
        let (resumed, refused) = host.state(|state| {
            state.effective_context = None;
            (
                std::mem::take(&mut state.resumed),
                std::mem::take(&mut state.refused),
            )
        });
        for context in refused {
            let id = usize::try_from(context).unwrap();
            let during = if self.exchanges[id].status == 0 {
                Request
            } else {
                Response
            };
            self.answered(id, during);
        }
        for (context, direction) in resumed {
            host.state(|state| state.now += 20_000);
            self.resume(usize::try_from(context).unwrap(), direction);
        }
    }

    fn resume(&mut self, id: usize, direction: Direction) {
        self.pass_head(id, direction);
        let half = self.half(id, direction);
        half.stopped = false;
        for event in std::mem::take(&mut half.waiting) {
            self.event(id, direction, event);
        }
    }

    /// The body and head that reached the upstream; `None` if it never heard of the request.
    pub fn upstream(&self, id: usize) -> Option<(&[u8], bool)> {
        let request = &self.exchanges[id].request;
        request
            .head_passed
            .then_some((&request.passed[..], request.ended))
    }

    pub fn client(&self, id: usize) -> Client {
        self.exchanges[id].client.clone()
    }

    /// The value of a header as it went to the upstream or to the client.
    pub fn header(&self, id: usize, direction: Direction, name: &str) -> Option<String> {
        let exchange = &self.exchanges[id];
        let half = match direction {
            Request => &exchange.request,
            Response => &exchange.response,
        };
        assert!(half.head_passed, "the head has not gone on");
        let value = half.head.first(name.as_bytes())?;
        Some(String::from_utf8(value.to_vec()).unwrap())
    }

    /// The value of a header of the filter's own answer.
    pub fn reply_header(&self, id: usize, name: &str) -> Option<String> {
        let reply = self.exchanges[id].reply.as_ref().expect("an answer");
        let (_, value) = reply
            .headers
            .iter()
            .find(|(key, _)| key == name.as_bytes())?;
        Some(String::from_utf8(value.clone()).unwrap())
    }

    fn event(&mut self, id: usize, direction: Direction, event: Event) {
        if self.exchanges[id].over {
            return;
        }
        let half = self.half(id, direction);
        if half.stopped {
            half.waiting.push(event);
            return;
        }
        let (bytes, end) = match &event {
            Event::Data(bytes, end) => (&bytes[..], *end),
            Event::Trailers => (&b""[..], true),
        };
        let mut kept = std::mem::take(&mut half.buffer);
        let waited = !kept.is_empty();
        kept.extend_from_slice(bytes);
        let size = kept.len();
        // What is added to a paused body counts before the filter sees it.
        if waited && size > self.buffer_limit {
            return self.overflow(id, direction);
        }
        self.host.state(|state| match direction {
            Request => state.request_body = Some(kept),
            Response => state.response_body = Some(kept),
        });
        let flow = self.call(id, |stream, host| match (direction, &event) {
            (Request, Event::Data(..)) => stream.on_request_body(host, size, end),
            (Request, Event::Trailers) => stream.on_request_trailers(host),
            (Response, Event::Data(..)) => stream.on_response_body(host, size, end),
            (Response, Event::Trailers) => stream.on_response_trailers(host),
        });
        let mut visible = self.host.state(|state| {
            let bodies = (state.request_body.take(), state.response_body.take());
            match direction {
                Request => bodies.0.unwrap(),
                Response => bodies.1.unwrap(),
            }
        });
        if self.take_outcome(id, direction) {
            return;
        }
        match flow {
            Flow::Continue => {
                self.pass_head(id, direction);
                let half = self.half(id, direction);
                half.passed.append(&mut visible);
                half.ended |= end;
                // A real connection hangs or mixes up requests when this does not hold.
                let length = half.head.first(b"content-length");
                if let (true, Some(length)) = (half.ended, length) {
                    let passed = half.passed.len().to_string();
                    assert_eq!(length, passed.as_bytes(), "the announced length");
                }
            }
            Flow::Pause if size > self.buffer_limit => return self.overflow(id, direction),
            Flow::Pause => self.half(id, direction).buffer = visible,
        }
        self.show_client(id);
    }

    /// A paused body is larger than Envoy keeps: it answers by itself.
    fn overflow(&mut self, id: usize, direction: Direction) {
        let gone = self.exchanges[id].response.head_passed;
        if direction == Request {
            self.respond(id, 413, &[], true, "request_payload_too_large");
        } else if !gone {
            self.exchanges[id].client.status = Some(500);
        }
        self.exchanges[id].over = true;
        self.exchanges[id].client.reset = gone;
    }

    fn after_head(&mut self, id: usize, direction: Direction, flow: Flow, end: bool) {
        if self.take_outcome(id, direction) {
            return;
        }
        match flow {
            Flow::Continue => {
                self.pass_head(id, direction);
                self.half(id, direction).ended |= end;
            }
            Flow::Pause => {
                let holds = self.holds;
                let half = self.half(id, direction);
                half.stopped = !holds;
                half.head_held = holds;
            }
        }
        self.show_client(id);
    }

    fn pass_head(&mut self, id: usize, direction: Direction) {
        let half = self.half(id, direction);
        half.head_passed = true;
        half.head_held = false;
        if direction == Response {
            let status = self.exchanges[id].status;
            self.exchanges[id].client.status = Some(status);
        }
    }

    fn show_client(&mut self, id: usize) {
        let exchange = &mut self.exchanges[id];
        exchange.client.body.clone_from(&exchange.response.passed);
        exchange.client.complete = exchange.response.ended;
    }

    /// Runs a callback. Header maps stay readable only while their head is held.
    fn call(
        &mut self,
        id: usize,
        run: impl FnOnce(&mut Stream<Shadowed<FakeRules>>, &FakeHost) -> Flow,
    ) -> Flow {
        let host = Rc::clone(&self.host);
        let exchange = &mut self.exchanges[id];
        host.state(|state| {
            if exchange.request.head_held {
                state.request_headers = Some(exchange.request.head.clone());
            }
            if exchange.response.head_held {
                state.response_headers = Some(exchange.response.head.clone());
            }
        });
        let flow = run(&mut exchange.stream, &host);
        host.state(|state| {
            if let Some(head) = state.request_headers.take() {
                exchange.request.head = head;
            }
            if let Some(head) = state.response_headers.take() {
                exchange.response.head = head;
            }
        });
        flow
    }

    /// Carries out what the filter ordered in the callback. True if the exchange is over.
    fn take_outcome(&mut self, id: usize, during: Direction) -> bool {
        if self.host.state(|state| !state.replies.is_empty()) {
            self.answered(id, during);
        }
        if !self
            .host
            .state(|state| std::mem::take(&mut state.closed))
            .is_empty()
        {
            self.exchanges[id].over = true;
            self.exchanges[id].client.reset = true;
        }
        self.exchanges[id].over
    }

    fn answered(&mut self, id: usize, during: Direction) {
        let Some(reply) = self.host.state(|state| state.replies.pop()) else {
            return;
        };
        self.exchanges[id].over = true;
        self.exchanges[id].reply = Some(reply.clone());
        if self.exchanges[id].response.head_passed {
            self.exchanges[id].client.reset = true;
            return;
        }
        if during == Request {
            // Our own answer passes our own callbacks, and must come through as it is.
            let text = reply.status.to_string();
            let pairs: Pairs = [(":status", text.as_str())].into_iter().collect();
            self.host
                .set_fake_property(&["response", "code_details"], reply.details.as_bytes());
            self.host.state(|state| {
                state.response_headers = Some(pairs);
                state.response_body = Some(reply.body.clone());
            });
            let head = self.call(id, |stream, host| stream.on_response_headers(host, false));
            let size = reply.body.len();
            let body = self.call(id, |stream, host| stream.on_response_body(host, size, true));
            assert_eq!(
                (head, body),
                (Flow::Continue, Flow::Continue),
                "our own answer was held"
            );
        }
        let client = &mut self.exchanges[id].client;
        *client = Client {
            status: Some(reply.status),
            body: reply.body,
            complete: true,
            reset: false,
        };
    }

    fn half(&mut self, id: usize, direction: Direction) -> &mut Half {
        match direction {
            Request => &mut self.exchanges[id].request,
            Response => &mut self.exchanges[id].response,
        }
    }
}
