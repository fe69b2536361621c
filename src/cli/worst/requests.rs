//! Where a client can put values: requests filled up to the recommended limits.

use super::super::message::{Headers, Request};

/// Bytes of a body: just below SecRequestBodyNoFilesLimit of `@recommended-conf`.
const BODY: usize = 131_000;
/// Bytes of a head: just below what proxies take by default.
const HEAD: usize = 58_000;
/// Arguments: just below SecArgumentsLimit.
const ARGUMENTS: usize = 990;
/// Nesting: just below SecRequestBodyJsonDepthLimit of `@recommended-conf`.
const DEPTH: usize = 500;
/// Headers: just below what proxies take by default.
const HEADERS: usize = 90;

/// Where the values stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Placement {
    FormField,
    FormFields,
    FormNames,
    JsonText,
    JsonTexts,
    JsonNames,
    JsonLongName,
    JsonDeep,
    XmlTexts,
    XmlAttributes,
    PartTexts,
    PartNames,
    Query,
    Path,
    Cookies,
    Header,
    Headers,
}

impl Placement {
    pub(super) const ALL: [Self; 17] = [
        Self::FormField,
        Self::FormFields,
        Self::FormNames,
        Self::JsonText,
        Self::JsonTexts,
        Self::JsonNames,
        Self::JsonLongName,
        Self::JsonDeep,
        Self::XmlTexts,
        Self::XmlAttributes,
        Self::PartTexts,
        Self::PartNames,
        Self::Query,
        Self::Path,
        Self::Cookies,
        Self::Header,
        Self::Headers,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::FormField => "form-field",
            Self::FormFields => "form-fields",
            Self::FormNames => "form-names",
            Self::JsonText => "json-text",
            Self::JsonTexts => "json-texts",
            Self::JsonNames => "json-names",
            Self::JsonLongName => "json-long-name",
            Self::JsonDeep => "json-deep",
            Self::XmlTexts => "xml-texts",
            Self::XmlAttributes => "xml-attributes",
            Self::PartTexts => "part-texts",
            Self::PartNames => "part-names",
            Self::Query => "query",
            Self::Path => "path",
            Self::Cookies => "cookies",
            Self::Header => "header",
            Self::Headers => "headers",
        }
    }

    /// A request with values of given lengths in this place.
    pub(super) fn request(self, text: &mut dyn FnMut(usize) -> Vec<u8>) -> Request {
        let form = b"application/x-www-form-urlencoded".as_slice();
        let json = b"application/json".as_slice();
        match self {
            Self::FormField => body(form, fill(b"a=", &url(&text(BODY)), b"", BODY)),
            Self::FormFields => body(
                form,
                list(ARGUMENTS, BODY, b"&", &mut |at, room| {
                    fill(format!("a{at}=").as_bytes(), &url(&text(room)), b"", room)
                }),
            ),
            Self::FormNames => body(
                form,
                list(ARGUMENTS, BODY, b"&", &mut |at, room| {
                    let end = format!("{at}=1");
                    fill(b"", &url(&text(room)), end.as_bytes(), room)
                }),
            ),
            Self::JsonText => body(json, fill(b"{\"a\":\"", &escape(&text(BODY)), b"\"}", BODY)),
            Self::JsonTexts => body(
                json,
                wrap(
                    b"{",
                    b"}",
                    list(ARGUMENTS, BODY, b",", &mut |at, room| {
                        let start = format!("\"k{at}\":\"");
                        fill(start.as_bytes(), &escape(&text(room)), b"\"", room)
                    }),
                ),
            ),
            Self::JsonNames => body(
                json,
                wrap(
                    b"{",
                    b"}",
                    list(ARGUMENTS, BODY, b",", &mut |at, room| {
                        let end = format!("{at}\":1");
                        fill(b"\"", &escape(&text(room)), end.as_bytes(), room)
                    }),
                ),
            ),
            Self::JsonLongName => {
                let items = ["1"; ARGUMENTS].join(",");
                let end = format!("\":[{items}]}}");
                body(
                    json,
                    fill(b"{\"", &escape(&text(BODY)), end.as_bytes(), BODY),
                )
            }
            Self::JsonDeep => {
                let room = BODY.saturating_sub(ARGUMENTS.saturating_mul(2));
                let names = list(DEPTH, room, b"", &mut |_, room| {
                    fill(b"{\"", &escape(&text(room)), b"\":", room)
                });
                let items = format!("[{}]{}", ["1"; ARGUMENTS].join(","), "}".repeat(DEPTH));
                body(json, [names, items.into_bytes()].concat())
            }
            Self::XmlTexts => body(
                b"text/xml",
                wrap(
                    b"<r>",
                    b"</r>",
                    list(ARGUMENTS, BODY, b"", &mut |_, room| {
                        fill(b"<a>", &markup(&text(room)), b"</a>", room)
                    }),
                ),
            ),
            Self::XmlAttributes => body(
                b"text/xml",
                wrap(
                    b"<r>",
                    b"</r>",
                    list(ARGUMENTS, BODY, b"", &mut |_, room| {
                        fill(b"<a b=\"", &markup(&text(room)), b"\"/>", room)
                    }),
                ),
            ),
            Self::PartTexts => parts(BODY, ARGUMENTS, &mut |at, room| {
                let head = format!("form-data; name=\"a{at}\"\r\n\r\n");
                [head.into_bytes(), text(room.saturating_sub(90))].concat()
            }),
            Self::PartNames => parts(BODY, HEADERS, &mut |_, room| {
                let name: Vec<u8> = text(room.saturating_sub(150))
                    .into_iter()
                    .filter(|byte| !matches!(byte, b'"' | b'\\' | b'\r' | b'\n' | 0))
                    .collect();
                let half = name.len().checked_div(2).unwrap_or(0);
                let (name, file) = name.split_at_checked(half).unwrap_or_default();
                [
                    b"form-data; name=\"",
                    name,
                    b"\"; filename=\"",
                    file,
                    b"\"\r\n\r\nx",
                ]
                .concat()
            }),
            Self::Query => {
                let query = list(ARGUMENTS, HEAD, b"&", &mut |at, room| {
                    fill(format!("a{at}=").as_bytes(), &url(&text(room)), b"", room)
                });
                head([b"/a?".to_vec(), query].concat(), Headers::new())
            }
            Self::Path => head(fill(b"/", &url(&text(HEAD)), b"", HEAD), Headers::new()),
            Self::Cookies => {
                let cookies = list(ARGUMENTS, HEAD, b"; ", &mut |at, room| {
                    [
                        format!("c{at}=").into_bytes(),
                        line(&text(room.saturating_sub(6))),
                    ]
                    .concat()
                });
                head(b"/".to_vec(), vec![(b"cookie".to_vec(), cookies)])
            }
            Self::Header => {
                let value = line(&text(HEAD));
                head(b"/".to_vec(), vec![(b"referer".to_vec(), value)])
            }
            Self::Headers => {
                let each = HEAD.checked_div(HEADERS).unwrap_or(0);
                let headers = (0..HEADERS)
                    .map(|at| (format!("x-{at}").into_bytes(), line(&text(each))))
                    .collect();
                head(b"/".to_vec(), headers)
            }
        }
    }
}

fn head(target: Vec<u8>, more: Headers) -> Request {
    Request {
        method: b"GET".to_vec(),
        target,
        protocol: b"HTTP/1.1".to_vec(),
        headers: [
            vec![
                (b"host".to_vec(), b"www.example.com".to_vec()),
                (b"user-agent".to_vec(), b"worst".to_vec()),
                (b"accept".to_vec(), b"*/*".to_vec()),
            ],
            more,
        ]
        .concat(),
        body: Vec::new(),
    }
}

fn body(content_type: &[u8], body: Vec<u8>) -> Request {
    let length = body.len().to_string().into_bytes();
    let headers = vec![
        (b"content-type".to_vec(), content_type.to_vec()),
        (b"content-length".to_vec(), length),
    ];
    Request {
        method: b"POST".to_vec(),
        body,
        ..head(b"/a".to_vec(), headers)
    }
}

/// A multipart body of so many parts.
fn parts(length: usize, count: usize, part: &mut dyn FnMut(usize, usize) -> Vec<u8>) -> Request {
    let mut all = list(count, length, b"\r\n", &mut |at, room| {
        let part = part(at, room.saturating_sub(40));
        [b"--worst\r\ncontent-disposition: ", part.as_slice()].concat()
    });
    all.extend_from_slice(b"\r\n--worst--\r\n");
    body(b"multipart/form-data; boundary=worst", all)
}

/// So many pieces with something between them, each with its share of the room.
fn list(
    count: usize,
    room: usize,
    between: &[u8],
    piece: &mut dyn FnMut(usize, usize) -> Vec<u8>,
) -> Vec<u8> {
    let each = room
        .checked_div(count)
        .unwrap_or(0)
        .saturating_sub(between.len());
    let pieces: Vec<Vec<u8>> = (0..count).map(|at| piece(at, each)).collect();
    pieces.join(between)
}

/// As many of the units as fit between start and end.
fn fill(start: &[u8], units: &[Vec<u8>], end: &[u8], room: usize) -> Vec<u8> {
    let mut out = start.to_vec();
    let room = room.saturating_sub(end.len());
    for unit in units {
        if out.len().saturating_add(unit.len()) > room {
            break;
        }
        out.extend_from_slice(unit);
    }
    out.extend_from_slice(end);
    out
}

fn wrap(start: &[u8], end: &[u8], inside: Vec<u8>) -> Vec<u8> {
    [start, &inside, end].concat()
}

/// Bytes as they stand in a query or form.
fn url(text: &[u8]) -> Vec<Vec<u8>> {
    let encode = |&byte: &u8| match byte {
        b' ' => b"+".to_vec(),
        b'&' | b'=' | b'%' | b'+' | b'#' | b';' | b'?' => format!("%{byte:02X}").into_bytes(),
        b'!'..=b'~' => vec![byte],
        _ => format!("%{byte:02X}").into_bytes(),
    };
    text.iter().map(encode).collect()
}

/// Bytes as they stand in a JSON text; those beyond ASCII as if they were Latin-1.
fn escape(text: &[u8]) -> Vec<Vec<u8>> {
    let encode = |&byte: &u8| match byte {
        b'"' | b'\\' => vec![b'\\', byte],
        b' '..=b'~' => vec![byte],
        _ => format!("\\u00{byte:02x}").into_bytes(),
    };
    text.iter().map(encode).collect()
}

/// Bytes as they stand in an XML text or attribute; what may not stand there is left out.
fn markup(text: &[u8]) -> Vec<Vec<u8>> {
    let encode = |&byte: &u8| match byte {
        b'<' => Some(b"&lt;".to_vec()),
        b'&' => Some(b"&amp;".to_vec()),
        b'"' => Some(b"&quot;".to_vec()),
        b' '..=b'~' => Some(vec![byte]),
        _ => None,
    };
    text.iter().filter_map(encode).collect()
}

/// Bytes as they may stand in a header.
fn line(text: &[u8]) -> Vec<u8> {
    text.iter()
        .copied()
        .filter(|byte| !matches!(byte, b'\r' | b'\n' | 0))
        .collect()
}
