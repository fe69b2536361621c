//! What coraza-proxy-wasm's end-to-end list asks for: true and false positives of every phase,
//! trailers, rules by authority. Its backend echoes requests and answers with headers it is told.

use super::house;
use crate::client::{VERSIONS, Version};
use crate::exchange::upstream::{Play, Upstream};
use crate::exchange::{Ask, End, Framing};

/// One rule for each phase, beside the Core Rule Set.
pub const RULES: &[&str] = &[
    "SecResponseBodyMimeType text/plain text/html application/json",
    "SecRule REQUEST_URI \"@streq /admin\" \"id:2001,phase:1,t:lowercase,deny,log\"",
    "SecRule REQUEST_BODY \"@contains harmful payload\" \"id:2002,phase:2,t:lowercase,deny,log\"",
    "SecRule RESPONSE_HEADERS:x-pass \"@streq leak\" \"id:2003,phase:3,t:lowercase,deny,log\"",
    "SecRule RESPONSE_BODY \"@contains secret of the house\" \"id:2004,phase:4,deny,log\"",
];
pub const FOO: &str = "SecRule REQUEST_URI \"@beginsWith /foo\" \"id:2101,phase:1,deny,log\"";
pub const BAR: &str = "SecRule REQUEST_URI \"@beginsWith /bar\" \"id:2102,phase:1,deny,log\"";

const BROWSER: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari";

fn get(path: &str) -> Ask {
    Ask::get(path).to("peer.example").header("accept", "*/*")
}

fn browse(path: &str) -> Ask {
    get(path).header("user-agent", BROWSER)
}

fn post(body: &str) -> Ask {
    let form = Ask::form(body).to("peer.example").at("/anything");
    form.header("accept", "*/*").header("user-agent", BROWSER)
}

/// What `/anything` of their backend answers: the request, as JSON.
fn echo(body: &str) -> Play {
    let text = serde_json::json!({ "form": { "data": body }, "method": "POST" }).to_string();
    Play::full(200, &["content-type: application/json"], &text)
}

#[test]
fn the_peers_own_list() {
    let page = Play::text("hello");
    let trailing = |body: &str| post(body).framed(Framing::Chunked).trailer("1");
    let cases = [
        ("phase 1, benign", browse("/?arg=arg_1"), page.clone(), 200),
        ("phase 1, own rule", browse("/admin"), page.clone(), 403),
        (
            "phase 1, own rule, other case",
            browse("/Admin"),
            page.clone(),
            403,
        ),
        (
            "phase 2, benign",
            post("data=a+payload"),
            echo("a payload"),
            200,
        ),
        (
            "phase 2, own rule",
            post("data=a+harmful payload"),
            page.clone(),
            403,
        ),
        (
            "phase 3, benign",
            browse("/response-headers?pass=fine"),
            Play::full(200, &["x-pass: fine"], "{}"),
            200,
        ),
        (
            "phase 3, own rule",
            browse("/response-headers?pass=it"),
            Play::full(200, &["x-pass: leak"], "{}"),
            403,
        ),
        (
            "phase 4, benign",
            post("data=Hello+world"),
            echo("Hello world"),
            200,
        ),
        (
            "phase 4, own rule",
            post("data=what"),
            echo("a secret of the house"),
            403,
        ),
        (
            "trailers, benign",
            trailing("data=a+payload"),
            echo("a payload"),
            200,
        ),
        (
            "trailers, phase 2",
            trailing("data=a+harmful payload"),
            page.clone(),
            403,
        ),
        (
            "trailers, phase 4",
            browse("/anything"),
            Play::chunks(
                "application/json",
                &["{\"a\":\"a secret ", "of the house\"}"],
                true,
            ),
            403,
        ),
        (
            "script in the query",
            browse("/anything?arg=%3Cscript%3Ealert(0)%3C/script%3E"),
            page.clone(),
            403,
        ),
        (
            "SQL in a form",
            post("1%27%20ORDER%20BY%203--%2B"),
            page.clone(),
            403,
        ),
        (
            "a scanner's name",
            get("/anything").header("user-agent", "Nikto/2.5.0 (X11; Linux x86_64)"),
            page.clone(),
            403,
        ),
        ("a browser's name", browse("/anything"), page, 200),
    ];
    let house = house();
    for (name, ask, play, status) in cases {
        for version in VERSIONS {
            let upstream = Upstream::start(&play);
            let got = ask.exchange(version, house.address, &upstream);
            let case = format!("{name}, {version:?}");
            assert_eq!(
                (got.status, got.end),
                (Some(status), End::Complete),
                "{case}\n{}",
                house.log()
            );
            // Where the peer's answers are emptied or filled with NULs, there is a 403 here.
            let body = if status == 200 {
                &play.body[..]
            } else {
                b"Request blocked.\n"
            };
            assert_eq!(got.body, body, "{case}");
        }
    }
}

#[test]
fn each_authority_has_its_rules_and_only_those() {
    let house = house();
    let cases = [
        ("foo.example", "/foo", 403),
        ("foo.example", "/bar", 200),
        ("FOO.example.:8080", "/foo", 403),
        ("bar.example", "/foo", 200),
        ("bar.example", "/bar", 403),
        ("peer.example", "/admin", 403),
        ("other.example", "/foo", 200),
        ("other.example", "/admin", 200),
        // Whatever the rules of the others are, the default is the Core Rule Set.
        ("other.example", "/?id=1'%20OR%20'1'='1", 403),
        ("foo.example", "/?id=1'%20OR%20'1'='1", 200),
    ];
    for (authority, path, status) in cases {
        for version in VERSIONS {
            // `FOO.example.:8080` is no URI of the HTTP/2 client's.
            if version == Version::Http2 && authority.ends_with(":8080") {
                continue;
            }
            let upstream = Upstream::start(&Play::text("hello"));
            let got = browse(path)
                .to(authority)
                .exchange(version, house.address, &upstream);
            let case = format!("{version:?} {authority}{path}");
            assert_eq!(got.status, Some(status), "{case}\n{}", house.log());
        }
    }
}
