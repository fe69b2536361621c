//! The response's half.

use super::collect::Collected;
use super::{Decision, Ended, Failure, Flow, Side, Stream};
use crate::engine::ResponseHead;
use crate::proxy::host::{Direction, HeaderMap, Host};
use crate::proxy::inspect::{Inspect, Rules};
use crate::proxy::message::Response;
use crate::proxy::metrics::{Count, Uninspected};
use crate::proxy::pairs::Pairs;
use crate::proxy::settings::Grpc;

const RESPONSE: Direction = Direction::Response;

impl<R: Rules> Stream<R> {
    /// The head of the response; `end` if there is no body.
    pub fn on_response_headers(&mut self, host: &dyn Host, end: bool) -> Flow {
        let flow = self.response_headers(host, end);
        self.claim_held();
        self.filter.note_in_flight(host);
        flow
    }

    fn response_headers(&mut self, host: &dyn Host, end: bool) -> Flow {
        self.filter.holding().new_turn();
        self.notice_watchdog();
        if let Some(ended) = self.ended {
            return self.after(ended);
        }
        if self.response != Side::New {
            return self.fail(host, RESPONSE, Failure::Order("a second response head"));
        }
        let pairs = host.headers(HeaderMap::Response);
        if is_local(host, pairs.as_ref().ok()) {
            // An answer of the host itself: nothing came from the upstream, and whatever of the
            // request was not inspected does not go there.
            if matches!(self.request, Side::Collect(_)) {
                self.cut_request();
            }
            self.edit_response_head(host);
            return self.pass(RESPONSE);
        }
        if self.transaction.is_none() {
            return match self.request {
                _ if self.logged => {
                    self.fail(host, RESPONSE, Failure::Order("a response after its end"))
                }
                Side::New => {
                    self.fail(host, RESPONSE, Failure::Order("a response without request"))
                }
                // A policy has let the request go without rules.
                _ => self.pass(RESPONSE),
            };
        }
        if matches!(self.request, Side::Collect(_)) {
            // The upstream answered before the request was there. Phase 2 judges what came; the
            // rest stays, for nobody would inspect it.
            self.count(host, Count::Uninspected(Uninspected::EarlyResponse));
            let step = self.step(host, Inspect::end_request_body);
            if let Decision::Ended(flow) = self.decide(host, RESPONSE, step) {
                return flow;
            }
            self.cut_request();
        }
        let pairs = match pairs {
            Ok(pairs) => pairs,
            Err(error) => return self.fail(host, RESPONSE, Failure::Host(error)),
        };
        self.edit_response_head(host);
        self.judge_response(host, &pairs, end)
    }

    /// More of the response's body. `size`: bytes in the host's buffer.
    pub fn on_response_body(&mut self, host: &dyn Host, size: usize, end: bool) -> Flow {
        let flow = self.response_body(host, size, end);
        self.claim_held();
        self.filter.note_in_flight(host);
        flow
    }

    fn response_body(&mut self, host: &dyn Host, size: usize, end: bool) -> Flow {
        self.notice_body(host, RESPONSE, size > 0 || end);
        self.notice_watchdog();
        if let Some(ended) = self.ended {
            return self.after(ended);
        }
        self.collect(host, RESPONSE, size, end)
    }

    /// The response ends with trailers.
    pub fn on_response_trailers(&mut self, host: &dyn Host) -> Flow {
        let flow = self.response_trailers(host);
        self.claim_held();
        self.filter.note_in_flight(host);
        flow
    }

    fn response_trailers(&mut self, host: &dyn Host) -> Flow {
        self.notice_body(host, RESPONSE, true);
        self.notice_watchdog();
        if let Some(ended) = self.ended {
            return self.after(ended);
        }
        match self.response {
            Side::Collect(_) => self.end_collected(host, RESPONSE, true),
            _ => {
                self.observe(host, RESPONSE, 0, 0, true);
                self.uncollected(host, RESPONSE, 0)
            }
        }
    }

    /// After an end of ours: our own answer passes as it is, once it is given; anything else stays.
    fn after(&self, ended: Ended) -> Flow {
        let waits = self.delay.as_ref().is_some_and(|delay| delay.get());
        match ended {
            Ended::Answered if !waits => Flow::Continue,
            Ended::Answered | Ended::Cut => Flow::Pause,
        }
    }

    /// Phase 3, and what is to be done with the body.
    fn judge_response(&mut self, host: &dyn Host, pairs: &Pairs, end: bool) -> Flow {
        let response = match Response::new(pairs) {
            Ok(response) => response,
            Err(error) => return self.fail(host, RESPONSE, Failure::Host(error)),
        };
        self.response = Side::Collect(Collected::default());
        let protocol = std::mem::take(&mut self.protocol);
        let step = self.step(host, |transaction| {
            transaction.response_head(&ResponseHead {
                status: response.status,
                protocol: &protocol,
                headers: &response.headers,
            })
        });
        let streamed = response.is_stream(self.is_connect)
            || (response.is_grpc() && self.filter.settings().grpc == Grpc::Stream);
        self.response_is_message = !streamed;
        match self.decide(host, RESPONSE, step) {
            Decision::Ended(flow) => return flow,
            Decision::Skip => return self.end_head(host, RESPONSE, end),
            Decision::Inspect if end => return self.end_head(host, RESPONSE, end),
            Decision::Inspect => {}
        }
        if streamed {
            self.count(host, Count::Uninspected(Uninspected::Stream));
            return self.end_head(host, RESPONSE, false);
        }
        let length = response.content_length();
        self.await_collected(host, RESPONSE, Collected::message(length))
    }
}

/// Whether the host itself answered. A host that does not say is taken to pass on what an upstream
/// said.
fn is_local(host: &dyn Host, head: Option<&Pairs>) -> bool {
    // Envoy writes this into what came from an upstream, and there is no need to ask. Should an
    // answer of its own ever have it, the rules look at that as well.
    if head.is_some_and(|head| head.first(b"x-envoy-upstream-service-time").is_some()) {
        return false;
    }
    host.property("response\0code_details")
        .is_some_and(|details| !details.is_empty() && details != b"via_upstream")
}
