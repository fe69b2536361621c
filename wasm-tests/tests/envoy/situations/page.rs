//! The page of situations, written from the expectations.

use super::house::Door;
use super::{AT_MOST_HEAD, Group, Row};
use crate::client::Version;
use std::fmt::Write;

const HEAD: &str = "# What happens in each situation

This page is made from the expectations of the end-to-end suite (`make e2e`), which brings each
situation about on a real Envoy, the oldest and the newest that is promised, over HTTP/1.1 and
HTTP/2 unless the line names one of them. `PARAPET_BLESS=1 make e2e` writes it anew.

*Held*: `allow_on_headers_stop_iteration: true` in Envoy, `hold_headers: auto` (the default) in the
plugin. *Plain*: without the one, `hold_headers: off` in the other. The rules deny a header of the
request (phase 1), an argument or body (phase 2), a header of the response (phase 3), a text in its
body (phase 4).

What the client saw: the status, and who gave it if it was not the upstream: *by phase N* is a
denial of the rules, *by a limit* one of a configured limit, *by Envoy* an answer of Envoy itself.
*Cut*: the connection (HTTP/1.1) or the stream (HTTP/2) ended without an answer, or in the middle of
one; in HTTP/1.1 Envoy lets the connection stand for its `delayed_close_timeout`, a second. What the
upstream saw: *nothing* means that there was not even a connection.

Some rows show attacks that pass: nobody inspects trailers (rules have no variable for them), the
bytes of tunnels, events, messages of gRPC unless the plugin says `grpc: inspect`, and what lies
behind a limit under `ProcessPartial`.
";

pub fn page(groups: &[Group]) -> String {
    let mut page = HEAD.to_owned();
    for group in groups {
        write!(
            page,
            "\n## {}\n\n| situation | | held: client | held: upstream | plain: client | plain: \
             upstream |\n|---|---|---|---|---|---|\n",
            group.title
        )
        .unwrap();
        for situation in &group.situations {
            let mut name = situation.name;
            for row in &situation.rows {
                writeln!(page, "| {name} | {} |", cells(row)).unwrap();
                name = "";
            }
        }
    }
    write!(
        page,
        "\n*{AT_MOST_HEAD}*: body and connection to the upstream race; a body that comes later than \
         the head finds the head gone.\n"
    )
    .unwrap();
    page
}

fn cells(row: &Row) -> String {
    let mut variant = row.variant.to_owned();
    if row.door == Door::Grpc {
        variant += ", `grpc: inspect`";
    }
    match row.version {
        _ if row.ask.old || row.ask.raw.is_some() => {}
        Some(Version::Http1) => variant += " (HTTP/1.1)",
        Some(Version::Http2) => variant += " (HTTP/2)",
        None => {}
    }
    let cells = [
        &variant,
        &row.held.client,
        &row.held.upstream,
        &row.plain.client,
        &row.plain.upstream,
    ];
    cells.map(String::as_str).join(" | ")
}
