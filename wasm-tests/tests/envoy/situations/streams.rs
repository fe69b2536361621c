//! What has no end to wait for.

use super::house::Door;
use super::{Situation, row, situation};
use crate::client::Version::Http2;
use crate::exchange::upstream::Play;
use crate::exchange::{Ask, Tunnel};

pub fn situations() -> Vec<Situation> {
    vec![
        situation(
            "WebSocket",
            vec![
                row("benign", websocket().send("hello"))
                    .play(Play::tunnel())
                    .both("tunnel", "everything"),
                row(
                    "attack in a header",
                    websocket().header("x-probe", "attack"),
                )
                .play(Play::tunnel())
                .both("403 by phase 1", "nothing"),
                row("attack in the query", websocket().at("/chat?a=attack"))
                    .play(Play::tunnel())
                    .both("403 by phase 2", "nothing"),
                row("attack in a message", websocket().send("attack"))
                    .play(Play::tunnel())
                    .both("tunnel", "everything"),
                row(
                    "attack in a body of the handshake",
                    Ask::raw(HANDSHAKE).send("a=attack"),
                )
                .held("403 by phase 2", "nothing")
                .plain("403 by phase 2", super::AT_MOST_HEAD),
                row("refused by the upstream, with a leak", websocket())
                    .play(Play::full(400, &["content-type: text/html"], "a leak"))
                    .held("403 by phase 4", "everything")
                    .plain("400, then cut", "everything"),
            ],
        ),
        situation(
            "CONNECT",
            vec![
                row("benign", connect().send("hello"))
                    .play(Play::tunnel())
                    .both("tunnel", "everything"),
                row("attack in a header", connect().header("x-probe", "attack"))
                    .play(Play::tunnel())
                    .both("403 by phase 1", "nothing"),
                row("attack in the tunnel", connect().send("attack"))
                    .play(Play::tunnel())
                    .both("tunnel", "everything"),
            ],
        ),
        situation(
            "server-sent events",
            vec![
                row("benign, one by one", Ask::get("/"))
                    .play(Play::events(&["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"]))
                    .both("200", "everything"),
                row("attack in the query", Ask::get("/?a=attack"))
                    .play(Play::events(&["data: 1\n\n"]))
                    .both("403 by phase 2", "nothing"),
                row("leak in an event", Ask::get("/"))
                    .play(Play::events(&["data: 1\n\n", "data: a leak\n\n"]))
                    .both("200", "everything"),
            ],
        ),
        situation(
            "gRPC",
            vec![
                row("benign", Ask::grpc("an order"))
                    .play(Play::grpc("", "a receipt"))
                    .both("200 (grpc-status 0)", "everything")
                    .only(Http2),
                row(
                    "attack in a header",
                    Ask::grpc("an order").header("x-probe", "attack"),
                )
                .play(Play::grpc("", "a receipt"))
                .both("200 (grpc-status 7) by phase 1", "nothing")
                .only(Http2),
                row("attack in a message", Ask::grpc("an attack"))
                    .play(Play::grpc("", "a receipt"))
                    .both("200 (grpc-status 0)", "everything")
                    .only(Http2),
                row("attack in a message", Ask::grpc("an attack"))
                    .door(Door::Grpc)
                    .play(Play::grpc("", "a receipt"))
                    .held("200 (grpc-status 7) by phase 2", "nothing")
                    .plain("200 (grpc-status 7) by phase 2", super::AT_MOST_HEAD)
                    .only(Http2),
                row("leak in a header", Ask::grpc("an order"))
                    .play(Play::grpc("x-probe: leak", "a receipt"))
                    .both("200 (grpc-status 7) by phase 3", "everything")
                    .only(Http2),
                row("leak in a message", Ask::grpc("an order"))
                    .play(Play::grpc("", "a leak"))
                    .both("200 (grpc-status 0)", "everything")
                    .only(Http2),
                row("benign", Ask::grpc("an order"))
                    .door(Door::Grpc)
                    .play(Play::grpc("", "a receipt"))
                    .both("200 (grpc-status 0)", "everything")
                    .only(Http2),
                row("leak in a message", Ask::grpc("an order"))
                    .door(Door::Grpc)
                    .play(Play::grpc("", "a leak"))
                    .held("200 (grpc-status 7) by phase 4", "everything")
                    .plain("200, then cut", "everything")
                    .only(Http2),
            ],
        ),
    ]
}

/// An upgrade that declares a body: an upstream that ignores the upgrade would read it.
const HANDSHAKE: &str = "POST /chat HTTP/1.1\r\nhost: shop.example\r\nx-upstream: {upstream}\r\n\
    connection: Upgrade\r\nupgrade: websocket\r\ncontent-length: 8\r\n\
    content-type: application/x-www-form-urlencoded\r\n\r\n";

fn websocket() -> Ask {
    Ask::get("/chat").tunnel(Tunnel::WebSocket)
}

fn connect() -> Ask {
    Ask {
        method: "CONNECT",
        authority: "db.example:5432",
        ..Ask::get("")
    }
    .tunnel(Tunnel::Connect)
}
