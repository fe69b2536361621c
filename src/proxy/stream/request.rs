//! The request's half.

use std::rc::Rc;

use super::collect::Collected;
use super::{Decision, Failure, Flow, Side, Stream};
use crate::engine::{Connection, RequestHead, UniqueId};
use crate::proxy::filter::Chosen;
use crate::proxy::host::HeaderMap;
use crate::proxy::host::{Direction, Host};
use crate::proxy::identity::{self, Client};
use crate::proxy::inspect::{Inspect, Rules};
use crate::proxy::message::{Framing, Request};
use crate::proxy::metrics::{Count, Uninspected};
use crate::proxy::pairs::Pairs;
use crate::proxy::settings::Grpc;

const REQUEST: Direction = Direction::Request;

/// What a head tells of its body.
struct Head {
    framing: Framing,
    /// The length that it announces.
    length: Option<usize>,
    is_grpc: bool,
}

impl<R: Rules> Stream<R> {
    /// The head of the request; `end` if there is no body.
    pub fn on_request_headers(&mut self, host: &dyn Host, end: bool) -> Flow {
        let flow = self.request_headers(host, end);
        self.claim_held();
        self.filter.note_in_flight(host);
        flow
    }

    fn request_headers(&mut self, host: &dyn Host, end: bool) -> Flow {
        self.filter.holding().new_turn();
        self.notice_watchdog();
        if self.ended.is_some() {
            return Flow::Pause;
        }
        if self.request != Side::New {
            return self.fail(host, REQUEST, Failure::Order("a second request head"));
        }
        self.count(host, Count::Transaction);
        if self.filter.is_full() {
            return self.overload(host, REQUEST);
        }
        let pairs = match host.headers(HeaderMap::Request) {
            Ok(pairs) => pairs,
            Err(error) => return self.fail(host, REQUEST, Failure::Host(error)),
        };
        let (head, decision) = match self.begin(host, &pairs, end) {
            Ok(begun) => begun,
            Err(failure) => return self.fail(host, REQUEST, failure),
        };
        self.edit_request_head(host);
        match decision {
            Decision::Ended(flow) => flow,
            Decision::Skip => self.end_head(host, REQUEST, end),
            Decision::Inspect if end => self.end_head(host, REQUEST, end),
            Decision::Inspect => self.await_body(host, &head),
        }
    }

    /// More of the request's body. `size`: bytes in the host's buffer.
    pub fn on_request_body(&mut self, host: &dyn Host, size: usize, end: bool) -> Flow {
        let flow = self.request_body(host, size, end);
        self.claim_held();
        self.filter.note_in_flight(host);
        flow
    }

    fn request_body(&mut self, host: &dyn Host, size: usize, end: bool) -> Flow {
        self.notice_body(host, REQUEST, size > 0 || end);
        self.notice_watchdog();
        if self.ended.is_some() {
            return Flow::Pause;
        }
        self.collect(host, REQUEST, size, end)
    }

    /// The request ends with trailers.
    pub fn on_request_trailers(&mut self, host: &dyn Host) -> Flow {
        let flow = self.request_trailers(host);
        self.claim_held();
        self.filter.note_in_flight(host);
        flow
    }

    fn request_trailers(&mut self, host: &dyn Host) -> Flow {
        self.notice_body(host, REQUEST, true);
        self.notice_watchdog();
        if self.ended.is_some() {
            return Flow::Pause;
        }
        match self.request {
            Side::Collect(_) => self.end_collected(host, REQUEST, true),
            _ => {
                self.observe(host, REQUEST, 0, 0, true);
                self.uncollected(host, REQUEST, 0)
            }
        }
    }

    /// Begins the transaction and runs phase 1.
    fn begin(
        &mut self,
        host: &dyn Host,
        pairs: &Pairs,
        end: bool,
    ) -> Result<(Head, Decision), Failure> {
        let filter = Rc::clone(&self.filter);
        // Neither rules nor logs nor the upstream see the secret.
        let asks = filter.debug_requests();
        let asks = asks.and_then(|debug| Some((debug, debug.without_secret(pairs)?)));
        let pairs = asks.as_ref().map_or(pairs, |(_, others)| others);
        if let Some((debug, _)) = &asks {
            host.remove_header(HeaderMap::Request, debug.name())
                .map_err(Failure::Host)?;
        }
        let mut request = Request::new(host, pairs).map_err(Failure::Host)?;
        request.restore_transfer_encoding(!end);
        self.is_connect = request.method == b"CONNECT";
        self.is_head = request.method == b"HEAD";
        let Chosen {
            rules,
            page,
            metrics,
        } = filter
            .profile(host, request.authority)
            .ok_or(Failure::NoRules)?;
        self.page = Rc::clone(page);
        self.metrics = Rc::clone(metrics);
        self.metrics.count_transaction(filter.vm_metrics(), host);
        self.engine_time = filter.times_this_one().then_some(0);
        let connection = self.connect(host, request.request_id, rules.reads_server());
        self.transaction = Some(Box::new(rules.begin(&connection)));
        if let (Some((debug, _)), Some(transaction)) = (&asks, &mut self.transaction) {
            transaction.set_debug_log_level(debug.level());
        }
        if filter.is_half_full() {
            self.drop_shadow(host);
        }
        // From here on the head has been seen, whatever becomes of it.
        self.request = Side::Collect(Collected::default());
        let step = self.step(host, |transaction| {
            transaction.request_head(&RequestHead {
                method: request.method,
                target: request.target,
                protocol: &request.protocol,
                headers: &request.headers,
            })
        });
        let head = Head {
            framing: request.framing(),
            length: request.content_length(),
            is_grpc: request.is_grpc(),
        };
        self.request_is_message = matches!(head.framing, Framing::Message)
            && !(head.is_grpc && self.filter.settings().grpc == Grpc::Stream);
        self.protocol = request.protocol;
        Ok((head, self.decide(host, REQUEST, step)))
    }

    /// Reads who talks to whom. The name of the transaction is random: the request's own name may be
    /// the client's choice, and rules take what is in UNIQUE_ID for random (CRS samples by it).
    fn connect(&mut self, host: &dyn Host, request_id: &[u8], server: bool) -> Rc<Connection> {
        let client = identity::client(host, self.filter.settings().forwarded_trusted);
        if matches!(client, Client::Untrusted(_)) {
            self.count(host, Count::UntrustedAddress);
        }
        let connection = Rc::new(Connection {
            client: match client {
                Client::Known(endpoint) => Some(endpoint),
                Client::Unknown | Client::Untrusted(_) => None,
            },
            server: if server { identity::server(host) } else { None },
            unique_id: UniqueId::Random(self.filter.random(host)),
            request_id: identity::request_id(request_id),
        });
        self.connection = Some(Rc::clone(&connection));
        connection
    }

    /// The rules want the body: waits for it, unless it is none that ends.
    fn await_body(&mut self, host: &dyn Host, head: &Head) -> Flow {
        let body = match head.framing {
            Framing::Message if head.is_grpc && self.filter.settings().grpc == Grpc::Stream => {
                return self.let_body_pass(host, Uninspected::Grpc);
            }
            Framing::Message => Collected::message(head.length),
            Framing::Tunnel => return self.let_body_pass(host, Uninspected::Tunnel),
            Framing::BodyThenTunnel(length) => Collected::before_tunnel(length),
            Framing::Ambiguous => return self.fail(host, REQUEST, Failure::AmbiguousUpgrade),
        };
        self.await_collected(host, REQUEST, body)
    }

    fn let_body_pass(&mut self, host: &dyn Host, reason: Uninspected) -> Flow {
        self.count(host, Count::Uninspected(reason));
        self.end_head(host, REQUEST, false)
    }
}
