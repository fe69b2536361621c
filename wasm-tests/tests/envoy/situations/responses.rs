//! What upstreams answer.

use super::house::{Door, LIMIT};
use super::{Situation, row, situation};
use crate::exchange::Ask;
use crate::exchange::upstream::{Move, Play};

const HTML: &str = "content-type: text/html";
const LEAK: &str = "x-probe: leak";

fn get() -> Ask {
    Ask::get("/")
}

pub fn situations() -> Vec<Situation> {
    vec![
        situation(
            "body with its length",
            vec![
                row("benign", get()).both("200", "everything"),
                row("leak in a header", get())
                    .play(Play::full(200, &[HTML, LEAK], "hello"))
                    .both("403 by phase 3", "everything"),
                row("leak in the body", get())
                    .play(Play::text("a leak"))
                    .held("403 by phase 4", "everything")
                    .plain("200, then cut", "everything"),
                row(
                    "leak in the body, after a request with a body",
                    Ask::form("a=1"),
                )
                .play(Play::text("a leak"))
                .held("403 by phase 4", "everything")
                .plain("200, then cut", "everything"),
            ],
        ),
        situation(
            "body in chunks",
            vec![
                row("benign", get())
                    .play(Play::chunks("text/html", &["hello, ", "world"], false))
                    .both("200", "everything"),
                row("leak over two chunks", get())
                    .play(Play::chunks("text/html", &["a le", "ak"], false))
                    .held("403 by phase 4", "everything")
                    .plain("200, then cut", "everything"),
            ],
        ),
        situation(
            "trailers behind the body",
            vec![
                row("benign", get())
                    .play(Play::chunks("text/html", &["hello"], true))
                    .both("200", "everything"),
                row("leak in the body", get())
                    .play(Play::chunks("text/html", &["a leak"], true))
                    .held("403 by phase 4", "everything")
                    .plain("200, then cut", "everything"),
            ],
        ),
        situation(
            "body that ends with the connection",
            vec![
                row("benign", get())
                    .play(Play::status(200, &[HTML]).send("hello").then(Move::Close))
                    .both("200", "everything"),
                row("leak in the body", get())
                    .play(Play::status(200, &[HTML]).send("a leak").then(Move::Close))
                    .held("403 by phase 4", "everything")
                    .plain("200, then cut", "everything"),
            ],
        ),
        situation(
            "answer to HEAD",
            vec![
                row("benign", Ask::new("HEAD", "/")).both("200", "everything"),
                row("leak in a header", Ask::new("HEAD", "/"))
                    .play(Play::full(200, &[HTML, LEAK], "hello"))
                    .both("403 by phase 3", "everything"),
            ],
        ),
        situation("204", no_body(204)),
        situation("304", no_body(304)),
        situation(
            "`content-length: 0`",
            vec![
                row("benign", get())
                    .play(Play::full(200, &[HTML], ""))
                    .both("200", "everything"),
                row("leak in a header", get())
                    .play(Play::full(200, &[HTML, LEAK], ""))
                    .both("403 by phase 3", "everything"),
            ],
        ),
        situation(
            "103 before the answer",
            vec![
                row("benign", get())
                    .play(Play::text("hello").after_hints())
                    .both("200", "everything"),
                row("leak in the body", get())
                    .play(Play::text("a leak").after_hints())
                    .held("403 by phase 4", "everything")
                    .plain("200, then cut", "everything"),
            ],
        ),
        situation(
            "an error page of the upstream",
            vec![
                row("benign", get())
                    .play(Play::full(500, &[HTML], "sorry"))
                    .both("500", "everything"),
                row("leak in the body", get())
                    .play(Play::full(500, &[HTML], "a leak"))
                    .held("403 by phase 4", "everything")
                    .plain("500, then cut", "everything"),
            ],
        ),
        situation(
            "a type that is not inspected",
            vec![
                row("leak in the body", get())
                    .play(Play::full(200, &["content-type: image/png"], "a leak"))
                    .both("200", "everything"),
            ],
        ),
        situation(
            "body over the rules' limit, `ProcessPartial`",
            vec![
                row("benign", get())
                    .play(Play::text(&long("", "")))
                    .both("200", "everything"),
                row("leak before the limit", get())
                    .play(Play::text(&long("a leak", "")))
                    .held("403 by phase 4", "everything")
                    .plain("200, then cut", "everything"),
                row("leak behind the limit", get())
                    .play(Play::text(&long("", "a leak")))
                    .both("200", "everything"),
            ],
        ),
        situation(
            "body over the rules' limit, `Reject`",
            vec![
                row("length told", get().to("strict.example"))
                    .play(Play::text(&long("", "")))
                    .both("500 by a limit", "everything"),
                row("length not told", get().to("strict.example"))
                    .play(Play::chunks("text/html", &[&long("", "")], false))
                    .held("500 by a limit", "everything")
                    .plain("200, then cut", "everything"),
            ],
        ),
        situation(
            "body over Envoy's buffer",
            vec![
                row("benign", get())
                    .door(Door::Small)
                    .play(Play::text(&long("", "")))
                    .held("500 by Envoy", "everything")
                    .plain("200, then cut", "everything"),
                row("benign, `buffer_limit` set", get())
                    .door(Door::Told)
                    .play(Play::text(&long("", "")))
                    .both("500 by a limit", "everything"),
                row(
                    "benign, `SecParapetLargeResponseBody Stream`",
                    get().to("stream.example"),
                )
                .door(Door::Told)
                .play(Play::text(&long("", "")))
                .both("200", "everything"),
                row(
                    "leak behind it, `SecParapetLargeResponseBody Stream`",
                    get().to("stream.example"),
                )
                .door(Door::Told)
                .play(Play::text(&long("", "a leak")))
                .both("200, then cut", "everything"),
            ],
        ),
        situation(
            "upstream breaks off",
            vec![
                row("before its head", get())
                    .play(
                        Play {
                            head: String::new(),
                            ..Play::status(200, &[])
                        }
                        .then(Move::Close),
                    )
                    .both("503 by Envoy", "everything"),
                row("in its body", get())
                    .play(
                        Play::status(200, &[HTML, "content-length: 100"])
                            .send("hello")
                            .then(Move::Close),
                    )
                    .held("502 by Envoy", "everything")
                    .plain("200, then cut", "everything"),
                row("in its body, after a leak", get())
                    .play(
                        Play::status(200, &[HTML, "content-length: 100"])
                            .send("a leak")
                            .then(Move::Close),
                    )
                    .held("502 by Envoy", "everything")
                    .plain("200, then cut", "everything"),
            ],
        ),
    ]
}

fn no_body(status: u16) -> Vec<super::Row> {
    vec![
        row("benign", get())
            .play(Play::status(status, &[]))
            .both(&status.to_string(), "everything"),
        row("leak in a header", get())
            .play(Play::status(status, &[LEAK]))
            .both("403 by phase 3", "everything"),
    ]
}

/// Longer than the limit by far.
fn long(start: &str, end: &str) -> String {
    format!("{start}{}{end}", "x".repeat(LIMIT * 2))
}
