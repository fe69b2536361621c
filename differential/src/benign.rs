//! Ordinary requests: queries, forms, JSON, XML and multipart bodies, and responses.
//!
//! Names and values come from small lists, with now and then a value that rules look at, so that
//! the mutations have something to work on.

mod words;

use parapet::cli::{Request, Response};

use crate::random::Random;
use words::{AGENTS, NAMES, PATHS, SHARP, VALUES};

/// A benign request of a random kind; `kind` says which.
pub fn request(random: &mut Random) -> (&'static str, Request) {
    match random.below(100) {
        0..20 => ("query", head(random, "GET", None, Vec::new())),
        20..45 => {
            let body = pairs(random, 8);
            (
                "form",
                with_body(random, "application/x-www-form-urlencoded", body),
            )
        }
        45..65 => {
            let mut body = Vec::new();
            json(random, 0, &mut body);
            let kind = random.pick(&[
                "application/json",
                "application/json; charset=utf-8",
                "application/vnd.api+json",
            ]);
            ("json", with_body(random, kind, body))
        }
        65..80 => {
            let body = xml_document(random);
            let kind = random.pick(&[
                "application/xml",
                "text/xml",
                "application/soap+xml; charset=utf-8",
            ]);
            ("xml", with_body(random, kind, body))
        }
        _ => multipart(random),
    }
}

/// A response of the kinds that rules look into, and some that they do not.
pub fn response(random: &mut Random) -> Response {
    let kind = random.pick(&[
        "text/html",
        "text/html; charset=utf-8",
        "text/plain",
        "application/json",
        "text/xml",
        "image/png",
    ]);
    let mut body = Vec::new();
    for _ in 0..random.below(6) {
        body.extend_from_slice(
            random
                .pick(&[
                    "<html><body><h1>Welcome</h1>",
                    "<p>Price: 5 USD</p>\n",
                    "{\"ok\":true}",
                    "Warning: mysql_connect() failed",
                    "ORA-00933: SQL command not properly ended",
                    "<title>Index of /</title>",
                    "at java.lang.Thread.run(Thread.java:1)",
                    "<?php echo 1; ?>",
                    "You have an error in your SQL syntax",
                    "-----BEGIN RSA PRIVATE KEY-----",
                    "\u{1f8b}",
                    "plain text ",
                    "Microsoft OLE DB Provider for SQL Server",
                    "uid=0(root) gid=0(root)",
                    "Traceback (most recent call last):\n",
                ])
                .as_bytes(),
        );
    }
    let status = [200, 200, 200, 301, 404, 500, 503][random.below(7)];
    let mut headers = vec![
        pair("Content-Type", kind),
        pair("Content-Length", &body.len().to_string()),
    ];
    if random.chance(20) {
        headers.push(pair("Set-Cookie", "sid=1; Path=/"));
    }
    Response {
        status,
        protocol: b"HTTP/1.1".to_vec(),
        headers,
        body,
    }
}

/// A header.
pub fn pair(name: &str, value: &str) -> (Vec<u8>, Vec<u8>) {
    (name.as_bytes().to_vec(), value.as_bytes().to_vec())
}

/// A value, mostly harmless.
pub fn value(random: &mut Random) -> &'static str {
    if random.chance(12) {
        random.pick(SHARP)
    } else {
        random.pick(VALUES)
    }
}

fn head(random: &mut Random, method: &str, kind: Option<&str>, body: Vec<u8>) -> Request {
    let mut target = random.pick(PATHS).as_bytes().to_vec();
    if random.chance(if kind.is_some() { 30 } else { 85 }) {
        target.push(b'?');
        target.extend(pairs(random, 6));
    }
    let mut headers = vec![pair(
        "Host",
        random.pick(&[
            "localhost",
            "shop.example:8080",
            "192.0.2.7",
            "xn--bcher-kva.example",
        ]),
    )];
    if random.chance(95) {
        headers.push(pair("User-Agent", random.pick(AGENTS)));
    }
    if random.chance(80) {
        headers.push(pair(
            "Accept",
            "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
        ));
    }
    if random.chance(30) {
        headers.push(pair("Cookie", &cookies(random)));
    }
    if random.chance(20) {
        headers.push(pair(
            "Referer",
            random.pick(&["https://example.org/", "https://www.example.com/a?b=c", ""]),
        ));
    }
    if random.chance(15) {
        headers.push(pair("X-Requested-With", "XMLHttpRequest"));
    }
    if let Some(kind) = kind {
        headers.push(pair("Content-Type", kind));
        headers.push(pair("Content-Length", &body.len().to_string()));
    }
    let protocol = random.pick(&["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/2.0", "HTTP/1.0"]);
    Request {
        method: method.as_bytes().to_vec(),
        target,
        protocol: protocol.as_bytes().to_vec(),
        headers,
        body,
    }
}

fn with_body(random: &mut Random, kind: &str, body: Vec<u8>) -> Request {
    let method = random.pick(&["POST", "POST", "POST", "PUT", "PATCH", "DELETE"]);
    head(random, method, Some(kind), body)
}

fn cookies(random: &mut Random) -> String {
    let mut out = String::new();
    for _ in 0..random.between(1, 4) {
        if !out.is_empty() {
            out.push_str(random.pick(&["; ", ";", " ; ", "; "]));
        }
        out.push_str(random.pick(&["sid", "lang", "theme", "_ga", "cart", "PHPSESSID"]));
        if random.chance(90) {
            out.push('=');
            out.push_str(random.pick(&[
                "abc123",
                "en-GB",
                "dark",
                "GA1.2.3",
                "a=b",
                "\"quoted\"",
                "",
                "%7B%22a%22%3A1%7D",
                "1' or 1=1",
                "<b>",
            ]));
        }
    }
    out
}

/// `a=1&b=2`, percent-encoded as browsers do it.
fn pairs(random: &mut Random, most: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for number in 0..random.between(1, most) {
        if number > 0 {
            out.push(b'&');
        }
        encode(random.pick(NAMES).as_bytes(), &mut out);
        out.push(b'=');
        encode(value(random).as_bytes(), &mut out);
    }
    out
}

fn encode(text: &[u8], out: &mut Vec<u8>) {
    for &byte in text {
        match byte {
            b' ' => out.push(b'+'),
            b'*' | b'-' | b'.' | b'_' => out.push(byte),
            _ if byte.is_ascii_alphanumeric() => out.push(byte),
            _ => out.extend(format!("%{byte:02X}").bytes()),
        }
    }
}

fn json(random: &mut Random, depth: usize, out: &mut Vec<u8>) {
    let kind = if depth == 0 {
        random.between(4, 5)
    } else if depth > 3 {
        random.below(4)
    } else {
        random.below(6)
    };
    match kind {
        0 => out.extend(
            random
                .pick(&["0", "-1", "12345678901234567890", "1.5e3", "0.1"])
                .bytes(),
        ),
        1 => out.extend(random.pick(&["true", "false", "null"]).bytes()),
        2 | 3 => quoted(value(random), random, out),
        4 => {
            out.push(b'{');
            for number in 0..random.below(6) {
                if number > 0 {
                    out.extend(random.pick(&[",", ", ", " ,\n"]).bytes());
                }
                quoted(random.pick(NAMES), random, out);
                out.extend(random.pick(&[":", ": ", " : "]).bytes());
                json(random, depth + 1, out);
            }
            out.push(b'}');
        }
        _ => {
            out.push(b'[');
            for number in 0..random.below(5) {
                if number > 0 {
                    out.push(b',');
                }
                json(random, depth + 1, out);
            }
            out.push(b']');
        }
    }
}

fn quoted(text: &str, random: &mut Random, out: &mut Vec<u8>) {
    let escape_all = random.chance(8);
    out.push(b'"');
    for character in text.chars() {
        match character {
            '"' => out.extend(b"\\\""),
            '\\' => out.extend(b"\\\\"),
            '\n' => out.extend(b"\\n"),
            '/' if escape_all => out.extend(b"\\/"),
            _ if escape_all || (character as u32) < 0x20 => {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    out.extend(format!("\\u{unit:04x}").bytes());
                }
            }
            _ => out.extend(character.to_string().bytes()),
        }
    }
    out.push(b'"');
}

fn xml_document(random: &mut Random) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(
        random
            .pick(&[
                "",
                "<?xml version=\"1.0\"?>",
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
                "<?xml version='1.0' standalone='yes'?>",
                "<!-- greeting -->",
            ])
            .bytes(),
    );
    element(random, 0, &mut out);
    if random.chance(30) {
        out.push(b'\n');
    }
    out
}

fn element(random: &mut Random, depth: usize, out: &mut Vec<u8>) {
    let name = random.pick(&["order", "item", "ns:price", "a", "Note", "b-c", "d.e"]);
    let tag = if name == "ns:price" && random.chance(70) {
        "ns:price xmlns:ns=\"urn:x\""
    } else {
        name
    };
    out.extend(format!("<{tag}").bytes());
    for attribute in ["id", "class", "href"] {
        if random.chance(20) {
            out.extend(format!(" {attribute}=\"").bytes());
            xml_text(value(random), out);
            out.push(b'"');
        }
    }
    if random.chance(12) {
        out.extend(b"/>");
        return;
    }
    out.push(b'>');
    for _ in 0..random.below(4) {
        match random.below(8) {
            0..3 => xml_text(value(random), out),
            3..6 if depth < 4 => element(random, depth + 1, out),
            6 => out.extend(format!("<![CDATA[{}]]>", value(random)).bytes()),
            7 => out.extend(
                random
                    .pick(&[
                        "<!-- remark -->",
                        "<?target data?>",
                        "&#65;",
                        "&#x42;",
                        "&quot;",
                    ])
                    .bytes(),
            ),
            _ => out.extend(b"\n  "),
        }
    }
    out.extend(format!("</{name}>").bytes());
}

fn xml_text(text: &str, out: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            b'<' => out.extend(b"&lt;"),
            b'&' => out.extend(b"&amp;"),
            b'"' => out.extend(b"&quot;"),
            0 => out.extend(b"?"),
            _ => out.push(byte),
        }
    }
}

fn multipart(random: &mut Random) -> (&'static str, Request) {
    let boundary = random.pick(&[
        "----WebKitFormBoundary7MA4YWxkTrZu0gW",
        "xyz",
        "0123456789",
        "--a",
    ]);
    let mut body = Vec::new();
    for _ in 0..random.between(1, 5) {
        body.extend(
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"",
                random.pick(NAMES)
            )
            .bytes(),
        );
        if random.chance(35) {
            let name = random.pick(&[
                "notes.txt",
                "a.php",
                "photo.jpg",
                "",
                "caf\u{e9}.pdf",
                "a;b.txt",
                "x.tar.gz",
                "..\\x.exe",
            ]);
            body.extend(
                format!(
                    "; filename=\"{name}\"\r\nContent-Type: {}",
                    random.pick(&[
                        "text/plain",
                        "image/jpeg",
                        "application/octet-stream",
                        "text/plain; charset=utf-7"
                    ])
                )
                .bytes(),
            );
        } else if random.chance(10) {
            body.extend(b"\r\nContent-Type: text/plain; charset=utf-8");
        }
        if random.chance(5) {
            body.extend(b"\r\nContent-Transfer-Encoding: binary");
        }
        body.extend(format!("\r\n\r\n{}\r\n", value(random).replace('\n', "\r\n")).bytes());
    }
    body.extend(format!("--{boundary}--\r\n").bytes());
    (
        "multipart",
        with_body(
            random,
            &format!("multipart/form-data; boundary={boundary}"),
            body,
        ),
    )
}
