//! Changes to requests, from plausible to broken.
//!
//! The head stays something that a server can hand on: no NUL and no line end in it, and a protocol
//! that begins with `HTTP/`, as libmodsecurity's interface cannot be told others.

use parapet::cli::{Request, Response};

use crate::benign;
use crate::exchange::find;
use crate::random::Random;

/// Characters that parsers and rules stop at.
const META: &[&[u8]] = &[
    b"'",
    b"\"",
    b"<",
    b">",
    b"&",
    b"=",
    b";",
    b"%",
    b"%%",
    b"%u0027",
    b"%c0%a7",
    b"%00",
    b"+",
    b"\\",
    b"/",
    b"../",
    b"--",
    b"#",
    b"/*",
    b"*/",
    b"(",
    b")",
    b"{",
    b"}",
    b"[",
    b"]",
    b"|",
    b"`",
    b"$",
    b"\x00",
    b"\r\n",
    b"\n",
    b"\t",
    b"\xff",
    b"\xc2\xa0",
    b"\xe2\x80\xae",
    b"\xed\xa0\x80",
    b"\x7f",
    b"\x1b",
    b"&#39;",
    b"&lt;",
    b"\\u0027",
    b"\\x27",
    b",",
    b":",
    b"?",
    b"@",
    b"!",
    b"^",
    b"~",
];

const TYPES: &[&str] = &[
    "application/x-www-form-urlencoded",
    "application/json",
    "text/xml",
    "application/xml; charset=utf-16",
    "text/plain",
    "multipart/form-data",
    "multipart/form-data; boundary=xyz",
    "multipart/form-data; boundary=\"xyz\"",
    "multipart/form-data;boundary =xyz",
    "multipart/form-data boundary=xyz",
    "Application/JSON",
    "application/x-www-form-urlencoded; charset=utf-7",
    "application/csp-report",
    "multipart/related; boundary=xyz",
    "application/soap+xml",
    "",
    "application/json; charset=ibm500",
    "multipart/form-data; boundary=x; boundary=y",
];

/// Changes a request; `times` changes are made.
pub fn request(request: &mut Request, times: usize, random: &mut Random) {
    for _ in 0..times {
        match random.below(100) {
            0..16 => target(&mut request.target, random),
            16..30 => headers(request, random),
            30..36 => {
                let method = random.pick(&[
                    "GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH", "TRACE", "get",
                    "PROPFIND",
                ]);
                request.method = method.as_bytes().to_vec();
            }
            36..40 => {
                let protocol = random.pick(&[
                    "HTTP/1.0", "HTTP/1.1", "HTTP/2", "HTTP/2.0", "HTTP/3.0", "HTTP/0.9",
                    "HTTP/1.2",
                ]);
                request.protocol = protocol.as_bytes().to_vec();
            }
            _ if request.body.is_empty() => target(&mut request.target, random),
            _ => body(request, random),
        }
    }
    if random.chance(70) {
        fit_length(request);
    }
    make_sendable(request);
}

/// Changes a response's body and headers.
pub fn response(response: &mut Response, random: &mut Random) {
    if response.body.is_empty() || random.chance(20) {
        let kind = random.pick(&[
            "text/html",
            "TEXT/PLAIN",
            "application/json",
            "text/html;charset=x",
            "",
            "image/gif",
        ]);
        set_header(&mut response.headers, "Content-Type", kind.as_bytes());
    } else {
        bytes(&mut response.body, random);
    }
}

/// Replaces what cannot be sent in the head of a request.
pub fn make_sendable(request: &mut Request) {
    let replace = |text: &mut Vec<u8>, spaces: bool| {
        text.retain(|&byte| !matches!(byte, 0 | b'\r' | b'\n') && !(spaces && byte == b' '));
    };
    replace(&mut request.method, true);
    replace(&mut request.target, true);
    replace(&mut request.protocol, true);
    for (name, value) in &mut request.headers {
        replace(name, true);
        replace(value, false);
        *value = value.trim_ascii().to_vec();
    }
    request.headers.retain(|(name, _)| !name.is_empty());
    if request.method.is_empty() {
        request.method = b"GET".to_vec();
    }
    if request.target.is_empty() {
        request.target = b"/".to_vec();
    }
    if !request.protocol.starts_with(b"HTTP/") {
        request.protocol = b"HTTP/1.1".to_vec();
    }
}

fn target(text: &mut Vec<u8>, random: &mut Random) {
    let question = text.iter().position(|&byte| byte == b'?');
    match (random.below(5), question) {
        (0..3, Some(at)) => {
            let mut query = text.split_off(at + 1);
            arguments(&mut query, random);
            text.extend(query);
        }
        (3, None) => {
            text.extend(b"?a=");
            text.extend(
                benign::value(random)
                    .bytes()
                    .filter(|byte| !byte.is_ascii_whitespace()),
            );
        }
        _ => bytes(text, random),
    }
}

/// Changes to `a=1&b=2`.
fn arguments(text: &mut Vec<u8>, random: &mut Random) {
    let mut parts: Vec<Vec<u8>> = text
        .split(|&byte| byte == b'&')
        .map(<[u8]>::to_vec)
        .collect();
    let at = random.below(parts.len());
    match random.below(8) {
        0 => parts.insert(at, parts[at].clone()),
        1 => {
            let moved = parts.remove(at);
            let to = random.below(parts.len() + 1);
            parts.insert(to, moved);
        }
        2 => parts.insert(at, Vec::new()),
        3 => parts[at].retain(|&byte| byte != b'='),
        4 => {
            let mut changed = Vec::new();
            for &byte in &parts[at] {
                if byte != b'=' && random.chance(40) {
                    changed.extend(
                        match random.below(4) {
                            0 => format!("%{byte:02x}"),
                            1 => format!("%u00{byte:02x}"),
                            2 => format!("%25{byte:02x}"),
                            _ => format!("%{byte:02X}"),
                        }
                        .bytes(),
                    );
                } else {
                    changed.push(byte);
                }
            }
            parts[at] = changed;
        }
        5 => {
            let extra = benign::value(random);
            parts[at].extend(extra.bytes());
        }
        _ => bytes(&mut parts[at], random),
    }
    *text = parts.join(&b'&');
}

/// Changes that know nothing of what they change.
fn bytes(text: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(text.len() + 1);
    let end = (at + random.between(1, 12)).min(text.len());
    match random.below(9) {
        0..3 => drop(text.splice(at..at, META[random.below(META.len())].iter().copied())),
        3 if at < text.len() => text[at] ^= 1 << random.below(8),
        4 if at < text.len() => text[at] = random.byte(),
        5 => drop(text.drain(at..end)),
        6 => {
            let copy = text[at..end].to_vec();
            let to = random.below(text.len() + 1);
            drop(text.splice(to..to, copy));
        }
        7 => {
            for byte in &mut text[at..end] {
                *byte = if byte.is_ascii_lowercase() {
                    byte.to_ascii_uppercase()
                } else {
                    byte.to_ascii_lowercase()
                };
            }
        }
        8 if text.len() > 4 && random.chance(40) => text.truncate(at.max(1)),
        _ => drop(text.splice(at..at, benign::value(random).bytes())),
    }
}

fn headers(request: &mut Request, random: &mut Random) {
    let list = &mut request.headers;
    let at = random.below(list.len().max(1));
    match random.below(9) {
        0 if !list.is_empty() => drop(list.remove(at)),
        1 if !list.is_empty() => list.insert(at, list[at].clone()),
        2 if list.len() > 1 => {
            let moved = list.remove(at);
            list.push(moved);
        }
        3 if !list.is_empty() => {
            let name = &mut list[at].0;
            *name = if random.chance(50) {
                name.to_ascii_uppercase()
            } else {
                name.to_ascii_lowercase()
            };
        }
        4 => set_header(list, "Content-Type", random.pick(TYPES).as_bytes()),
        5 => {
            let value = benign::value(random);
            let name = random.pick(&[
                "X-Forwarded-For",
                "Referer",
                "X-Custom",
                "Accept-Encoding",
                "Range",
                "Authorization",
                "Accept-Charset",
                "Transfer-Encoding",
                "Content-Encoding",
            ]);
            list.push(benign::pair(name, value));
        }
        6 => {
            let mut cookie = find(list, "cookie").unwrap_or(b"a=1; b=2").to_vec();
            match random.below(3) {
                0 => cookie.extend(
                    random
                        .pick(&[
                            ";",
                            "; ;c",
                            "; =x",
                            ",d=1",
                            "; a=1; a=2",
                            "; \"q\"=\"w\"",
                            "; $Version=1",
                            " ;  e = f ",
                        ])
                        .bytes(),
                ),
                _ => bytes(&mut cookie, random),
            }
            set_header(list, "Cookie", &cookie);
        }
        _ if !list.is_empty() => bytes(&mut list[at].1, random),
        _ => list.push(benign::pair("Host", "localhost")),
    }
}

fn body(request: &mut Request, random: &mut Random) {
    let kind = find(&request.headers, "content-type")
        .unwrap_or_default()
        .to_ascii_lowercase();
    let text = &mut request.body;
    if kind.starts_with(b"application/x-www-form") && random.chance(60) {
        arguments(text, random);
    } else if kind.starts_with(b"multipart/") && random.chance(50) {
        multipart(text, random);
    } else if (kind.ends_with(b"json") || kind.ends_with(b"xml")) && random.chance(25) {
        structure(text, random);
    } else if random.chance(4) {
        let utf16: Vec<u8> = text.iter().flat_map(|&byte| [byte, 0]).collect();
        *text = utf16;
    } else {
        bytes(text, random);
    }
}

/// What multipart readers disagree on.
fn multipart(text: &mut Vec<u8>, random: &mut Random) {
    let (from, to): (&[u8], &[u8]) = match random.below(16) {
        0 => (b"\r\n", b"\n"),
        1 => (b"form-data;", b"form-data"),
        2 => (b"name=\"", b"name='"),
        3 => (b"name=", b"NAME="),
        4 => (b"Content-Disposition:", b"content-disposition :"),
        5 => (b"form-data; ", b"form-data;\r\n "),
        6 => (b"form-data; ", b"form-data;\r\n\x0b"),
        7 => (b"\r\n\r\n", b"\r\nX-More: 1\r\n\r\n"),
        8 => (b"name=\"", b"filename=\"x\"; name=\""),
        9 => (b"name=\"", b"name=\"a\"; name=\""),
        10 => (b"--\r\n", b"--"),
        11 => (b"--\r\n", b"--\r\nepilogue"),
        12 => (b"\r\n--", b"\r\n --"),
        13 => (b"filename=", b"filename*=UTF-8''"),
        14 => (b"--", b"preamble\r\n--"),
        _ => (b"\r\n\r\n", b"\r\n--not the boundary\r\n\r\n"),
    };
    let places: Vec<usize> = (0..text.len())
        .filter(|&at| text[at..].starts_with(from))
        .collect();
    if places.is_empty() {
        return bytes(text, random);
    }
    let at = if from == b"--" {
        places[0]
    } else {
        places[random.below(places.len())]
    };
    drop(text.splice(at..at + from.len(), to.iter().copied()));
}

/// What readers of JSON and XML disagree on.
fn structure(text: &mut Vec<u8>, random: &mut Random) {
    let piece = random.pick(&[
        "{\"a\":1}",
        ",",
        "\"",
        "\\",
        "null",
        "/* c */",
        "\u{feff}",
        "[[[[",
        "]]",
        "NaN",
        "1.",
        "\\ud800",
        "<a>",
        "</a>",
        "<a b='c'>x</a>",
        "&nbsp;",
        "<!DOCTYPE a [<!ENTITY e \"v\">]>",
        "&e;",
        "<![CDATA[",
        "]]>",
        "<?xml?>",
        " \n",
        "\u{0}",
        "\u{b}",
        "&#0;",
        "&#x110000;",
    ]);
    let at = [0, text.len(), random.below(text.len() + 1)][random.below(3)];
    drop(text.splice(at..at, piece.bytes()));
}

fn set_header(list: &mut Vec<(Vec<u8>, Vec<u8>)>, name: &str, value: &[u8]) {
    match list
        .iter_mut()
        .find(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()))
    {
        Some((_, old)) => *old = value.to_vec(),
        None => list.push((name.as_bytes().to_vec(), value.to_vec())),
    }
}

fn fit_length(request: &mut Request) {
    if find(&request.headers, "content-length").is_some() {
        let length = request.body.len().to_string();
        set_header(&mut request.headers, "Content-Length", length.as_bytes());
    }
}
