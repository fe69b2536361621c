//! What clients send.

use super::house::{Door, LIMIT, SMALL};
use super::{AT_MOST_HEAD, Situation, row, situation};
use crate::client::Version::{Http1, Http2};
use crate::exchange::upstream::Play;
use crate::exchange::{Ask, Framing, Piece};

const BENIGN: &str = "a=1&b=blue";
const ATTACK: &str = "a=1&b=attack";

/// A form in chunks, or in HTTP/2 without its length.
fn chunked(pieces: &[&str]) -> Ask {
    let ask = Ask::form("").framed(Framing::Chunked);
    pieces.iter().fold(ask, |ask, piece| ask.send(piece))
}

fn probe(ask: Ask) -> Ask {
    ask.header("x-probe", "attack")
}

/// A form of so many bytes with the attack before its end, or without any.
fn long(size: usize, end: &str) -> String {
    let start = "a=";
    start.to_owned() + &"x".repeat(size - start.len() - end.len()) + end
}

pub fn situations() -> Vec<Situation> {
    vec![
        situation(
            "GET without body",
            vec![
                row("benign", Ask::get("/?a=blue")).both("200", "everything"),
                row("attack in a header", probe(Ask::get("/"))).both("403 by phase 1", "nothing"),
                row("a rule that drops", Ask::get("/").header("x-probe", "drop"))
                    .both("cut", "nothing"),
                row("attack in the query", Ask::get("/?a=attack"))
                    .both("403 by phase 2", "nothing"),
            ],
        ),
        situation(
            "GET with a body",
            vec![
                row("benign", get_with(BENIGN)).both("200", "everything"),
                row("attack in the body", get_with(ATTACK))
                    .held("403 by phase 2", "nothing")
                    .plain("403 by phase 2", AT_MOST_HEAD),
            ],
        ),
        situation(
            "HEAD",
            vec![
                row("benign", Ask::new("HEAD", "/?a=blue")).both("200", "everything"),
                row("attack in the query", Ask::new("HEAD", "/?a=attack"))
                    .both("403 by phase 2", "nothing"),
            ],
        ),
        situation(
            "body with its length",
            vec![
                row("benign", Ask::form(BENIGN)).both("200", "everything"),
                row("attack in a header", probe(Ask::form(BENIGN)))
                    .both("403 by phase 1", "nothing"),
                row("attack in the body", Ask::form(ATTACK))
                    .held("403 by phase 2", "nothing")
                    .plain("403 by phase 2", AT_MOST_HEAD),
            ],
        ),
        situation(
            "body in chunks, without its length",
            vec![
                row("benign", chunked(&["a=1&b=", "bl", "ue"])).both("200", "everything"),
                row("attack over two chunks", chunked(&["a=1&b=att", "ack"]))
                    .held("403 by phase 2", "nothing")
                    .plain("403 by phase 2", AT_MOST_HEAD),
            ],
        ),
        situation(
            "`content-length: 0`",
            vec![
                row("benign", Ask::form("")).both("200", "everything"),
                row("attack in the query", Ask::form("").at("/?a=attack"))
                    .both("403 by phase 2", "nothing"),
            ],
        ),
        situation(
            "body that comes later than the head",
            vec![
                row("benign", late(BENIGN)).both("200", "everything"),
                row("attack in the body", late(ATTACK))
                    .held("403 by phase 2", "nothing")
                    .plain("403 by phase 2", "the head"),
            ],
        ),
        situation(
            "trailers behind the body",
            vec![
                row("benign", chunked(&[BENIGN]).trailer("1")).both("200", "everything"),
                row("attack in the body", chunked(&[ATTACK]).trailer("1"))
                    .held("403 by phase 2", "nothing")
                    .plain("403 by phase 2", AT_MOST_HEAD),
                // Rules have no variable for trailers.
                row("attack in a trailer", chunked(&[BENIGN]).trailer("attack"))
                    .both("200", "everything"),
            ],
        ),
        situation(
            "`Expect: 100-continue`",
            vec![
                row("benign", expecting(BENIGN))
                    .both("200", "everything")
                    .only(Http2),
                row("benign", expecting(BENIGN))
                    .both("100, 200", "everything")
                    .only(Http1),
                row("attack in a header", probe(expecting(BENIGN)))
                    .both("403 by phase 1", "nothing")
                    .only(Http2),
                row("attack in a header", probe(expecting(BENIGN)))
                    .both("100, 403 by phase 1", "nothing")
                    .only(Http1),
                row("attack in the body", expecting(ATTACK))
                    .held("100, 403 by phase 2", "nothing")
                    .plain("100, 403 by phase 2", "the head")
                    .only(Http1),
            ],
        ),
        situation(
            "HTTP/1.0",
            vec![
                row("benign GET", Ask::get("/?a=blue").old()).both("200", "everything"),
                row("attack in the query", Ask::get("/?a=attack").old())
                    .both("403 by phase 2", "nothing"),
                row("benign body", Ask::form(BENIGN).old()).both("200", "everything"),
                row("attack in the body", Ask::form(ATTACK).old())
                    .held("403 by phase 2", "nothing")
                    .plain("403 by phase 2", AT_MOST_HEAD),
            ],
        ),
        situation(
            "upstream answers before the body is there",
            vec![
                row("benign", unfinished("a=1&", "b=blue"))
                    .play(Play::text("hello").early())
                    .held("200", "everything")
                    .plain("200", "the head"),
                row("attack before the answer", unfinished("b=attack&", "a=1"))
                    .play(Play::text("hello").early())
                    .held("403 by phase 2", "nothing")
                    .plain("403 by phase 2", "the head"),
                row("leak in the answer", unfinished("a=1&", "b=blue"))
                    .play(Play::text("a leak").early())
                    .held("403 by phase 4", "everything")
                    .plain("200, then cut", "the head"),
                row("attack after the answer", unfinished("a=1&", "b=attack"))
                    .play(Play::text("hello").early())
                    .held("403 by phase 2", "nothing")
                    .plain("200", "the head"),
            ],
        ),
        situation(
            "client leaves in the middle of the body",
            vec![
                row("benign", leaving("a=1&"))
                    .held("left", "nothing")
                    .plain("left", "the head"),
                row("attack in what it sent", leaving("b=attack&"))
                    .held("left", "nothing")
                    .plain("left", "the head"),
            ],
        ),
        situation(
            "body over the rules' limit, `Reject`",
            vec![
                row("length told", Ask::form(&long(LIMIT + 1, "")))
                    .both("413 by a limit", "nothing"),
                row("length not told", chunked(&[&long(LIMIT + 1, "")]))
                    .held("413 by a limit", "nothing")
                    .plain("413 by a limit", AT_MOST_HEAD),
                row("attack just below it", Ask::form(&long(LIMIT, "attack")))
                    .held("403 by phase 2", "nothing")
                    .plain("403 by phase 2", AT_MOST_HEAD),
            ],
        ),
        situation(
            "body over the rules' limit, `ProcessPartial`",
            vec![
                row("benign", partial("a=blue&", "")).both("200", "everything"),
                row("attack before the limit", partial("a=attack&", ""))
                    .held("403 by phase 2", "nothing")
                    .plain("403 by phase 2", AT_MOST_HEAD),
                row("attack behind the limit", partial("a=blue&", "attack"))
                    .both("200", "everything"),
            ],
        ),
        situation(
            "body over Envoy's buffer",
            vec![
                row("benign", over_buffer("a=1"))
                    .door(Door::Small)
                    .held("413 by Envoy", "nothing")
                    .plain("413 by Envoy", AT_MOST_HEAD),
                row("attack behind the buffer", over_buffer("b=attack"))
                    .door(Door::Small)
                    .held("413 by Envoy", "nothing")
                    .plain("413 by Envoy", AT_MOST_HEAD),
                row(
                    "attack behind it, `buffer_limit` set",
                    over_buffer("b=attack"),
                )
                .door(Door::Told)
                .both("413 by a limit", "nothing"),
                row(
                    "benign, `SecParapetLargeRequestBody Stream`",
                    over_buffer("a=1").to("stream.example"),
                )
                .door(Door::Told)
                .both("200", "everything"),
                row(
                    "attack behind it, `SecParapetLargeRequestBody Stream`",
                    over_buffer("b=attack").to("stream.example"),
                )
                .door(Door::Told)
                .both("403 by phase 2", "a part of the body"),
            ],
        ),
    ]
}

fn get_with(body: &str) -> Ask {
    Ask {
        method: "GET",
        ..Ask::form(body)
    }
}

/// The head goes alone until the upstream could have seen it.
fn late(body: &str) -> Ask {
    let ask = Ask::form("").framed(Framing::Declared(body.len()));
    ask.then(Piece::AwaitUpstream).send(body)
}

fn expecting(body: &str) -> Ask {
    let ask = Ask::form("").framed(Framing::Declared(body.len()));
    ask.header("expect", "100-continue")
        .then(Piece::AwaitUpstream)
        .send(body)
}

/// The rest comes when an answer is there.
fn unfinished(first: &str, rest: &str) -> Ask {
    let length = first.len() + rest.len();
    let ask = Ask::form(first).framed(Framing::Declared(length));
    ask.then(Piece::AwaitAnswer).send(rest)
}

fn leaving(first: &str) -> Ask {
    let ask = Ask::form(first).framed(Framing::Declared(1_000));
    ask.then(Piece::AwaitUpstream).then(Piece::Leave)
}

/// Longer than the limit by far.
fn partial(start: &str, end: &str) -> Ask {
    let body = start.to_owned() + &long(LIMIT * 2, end);
    Ask::form(&body).to("partial.example")
}

/// The end comes when Envoy has seen that there is more than it keeps.
fn over_buffer(end: &str) -> Ask {
    let start = long(SMALL * 2, "&");
    let ask = Ask::form(&start).framed(Framing::Declared(start.len() + end.len()));
    ask.then(Piece::AwaitAnswer).send(end)
}

pub fn answered_by_envoy() -> Vec<Situation> {
    vec![
        situation(
            "route with a direct response",
            vec![
                row("benign", Ask::get("/direct?a=blue")).both("200 by Envoy", "nothing"),
                row("attack in the query", Ask::get("/direct?a=attack"))
                    .both("403 by phase 2", "nothing"),
                row("attack in the body", Ask::form(ATTACK).at("/direct"))
                    .held("403 by phase 2", "nothing")
                    .plain("200 by Envoy", "nothing"),
            ],
        ),
        situation(
            "route with a redirect",
            vec![
                row("benign", Ask::get("/moved?a=blue")).both("301 by Envoy", "nothing"),
                row("attack in the query", Ask::get("/moved?a=attack"))
                    .both("403 by phase 2", "nothing"),
                row("attack in the body", Ask::form(ATTACK).at("/moved"))
                    .held("403 by phase 2", "nothing")
                    .plain("301 by Envoy", "nothing"),
            ],
        ),
        situation(
            "no route",
            vec![
                row("benign", nowhere("/?a=blue")).both("404 by Envoy", "nothing"),
                row("attack in the query", nowhere("/?a=attack")).both("403 by phase 2", "nothing"),
            ],
        ),
        situation(
            "upstream unreachable",
            vec![
                row("benign", Ask::get("/?a=blue"))
                    .play(Play::unreachable())
                    .both("503 by Envoy", "nothing"),
                row("attack in the body", Ask::form(ATTACK))
                    .play(Play::unreachable())
                    .held("403 by phase 2", "nothing")
                    .plain("403 by phase 2 or 503 by Envoy", "nothing"),
            ],
        ),
        situation(
            "an earlier filter denies",
            vec![
                row("benign", Ask::get("/private?a=blue")).both("403 by Envoy", "nothing"),
                row("attack in the query", Ask::get("/private?a=attack"))
                    .both("403 by Envoy", "nothing"),
            ],
        ),
        situation(
            "a later filter denies",
            vec![
                row("benign", Ask::get("/internal?a=blue")).both("403 by Envoy", "nothing"),
                row("attack in the query", Ask::get("/internal?a=attack"))
                    .both("403 by phase 2", "nothing"),
                row("attack in the body", Ask::form(ATTACK).at("/internal"))
                    .held("403 by phase 2", "nothing")
                    .plain("403 by Envoy", "nothing"),
            ],
        ),
        situation(
            "not HTTP",
            vec![
                row(
                    "no host",
                    Ask::raw("GET /?a=attack HTTP/1.1\r\nx-upstream: {upstream}\r\n\r\n"),
                )
                .both("400 by Envoy", "nothing"),
                row(
                    "two lengths of the body",
                    Ask::raw(
                        "POST / HTTP/1.1\r\nhost: a\r\nx-upstream: {upstream}\r\n\
                         content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
                    ),
                )
                .both("400 by Envoy", "nothing"),
                row(
                    "a control character in a header",
                    Ask::raw(
                        "GET / HTTP/1.1\r\nhost: a\r\nx-upstream: {upstream}\r\nx-a: \x01\r\n\r\n",
                    ),
                )
                .both("400 by Envoy", "nothing"),
                row(
                    "an unknown method",
                    Ask::raw("G@T / HTTP/1.1\r\nhost: a\r\nx-upstream: {upstream}\r\n\r\n"),
                )
                .both("400 by Envoy", "nothing"),
                row(
                    "a shorter body than its length",
                    Ask::form(BENIGN).framed(Framing::Declared(BENIGN.len() + 1)),
                )
                .held("cut", "nothing")
                .plain("cut", AT_MOST_HEAD)
                .only(Http2),
            ],
        ),
    ]
}

/// The route wants a header that this request has not.
fn nowhere(path: &'static str) -> Ask {
    Ask {
        raw: Some(match path {
            "/?a=blue" => "GET /?a=blue HTTP/1.1\r\nhost: a\r\n\r\n",
            _ => "GET /?a=attack HTTP/1.1\r\nhost: a\r\n\r\n",
        }),
        ..Ask::get(path)
    }
}
