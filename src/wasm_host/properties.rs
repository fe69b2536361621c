//! Properties: facts about a stream and its surroundings, by path.
//!
//! Formats are Envoy's: text for addresses and names, 8 bytes little-endian for numbers. The
//! `request.*` family goes away with the request's head, as header maps do.

use super::state::State;
use super::stream::{Direction, Stream, first};

/// The bytes of a property; `None` where the proxy has none now.
pub(super) fn lookup(state: &State, path: &[u8]) -> Option<Vec<u8>> {
    let parts: Vec<&[u8]> = path.split(|&byte| byte == 0).collect();
    let dotted = parts.join(&b'.');
    if let Some(text) = std::str::from_utf8(&dotted).ok()
        && let Some(value) = state.settings.properties.get(text)
    {
        return Some(value.clone());
    }
    match parts.as_slice() {
        [b"plugin_name"] => return Some(state.settings.plugin_name.clone().into_bytes()),
        [b"plugin_root_id"] => return Some(state.settings.root_id.clone().into_bytes()),
        [b"plugin_vm_id"] => return Some(state.settings.vm_id.clone().into_bytes()),
        _ => {}
    }
    let stream = state.stream()?;
    match parts.as_slice() {
        [b"source", part] => endpoint(&stream.source, part),
        [b"destination", part] => endpoint(&stream.destination, part),
        [b"connection", b"mtls"] => Some(vec![0]),
        [b"connection", b"id"] | [b"connection_id"] => {
            Some(u64::from(state.context).to_le_bytes().to_vec())
        }
        [b"request", rest @ ..] => request(stream, rest),
        [b"response", rest @ ..] => response(stream, rest),
        [b"filter_state", key] => stream.filter_state.get(*key).cloned(),
        _ => stream
            .filter_state
            .get([b"wasm.", dotted.as_slice()].concat().as_slice())
            .cloned(),
    }
}

fn request(stream: &Stream, path: &[&[u8]]) -> Option<Vec<u8>> {
    // What belongs to the stream and not to its head stays.
    match path {
        [b"protocol"] => return some_text(&stream.protocol),
        [b"time"] => return Some(stream.started.to_le_bytes().to_vec()),
        _ => {}
    }
    if !stream.head_readable(Direction::Request) {
        return None;
    }
    let headers = &stream.request.headers;
    let header = |name: &[u8]| first(headers, name).map(<[u8]>::to_vec);
    match path {
        [b"path"] => header(b":path"),
        [b"url_path"] => header(b":path").map(|path| split_query(&path).0.to_vec()),
        [b"query"] => header(b":path").map(|path| split_query(&path).1.to_vec()),
        [b"host"] => header(b":authority"),
        [b"scheme"] => header(b":scheme"),
        [b"method"] => header(b":method"),
        [b"referer"] => header(b"referer"),
        [b"useragent"] => header(b"user-agent"),
        [b"id"] => header(b"x-request-id"),
        [b"headers", name] => {
            let values: Vec<&[u8]> = headers
                .iter()
                .filter(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.as_slice())
                .collect();
            (!values.is_empty()).then(|| values.join(&b','))
        }
        [b"size" | b"total_size"] => Some(
            u64::try_from(stream.request.body.len())
                .ok()?
                .to_le_bytes()
                .to_vec(),
        ),
        _ => None,
    }
}

fn response(stream: &Stream, path: &[&[u8]]) -> Option<Vec<u8>> {
    match path {
        [b"code"] => stream
            .status
            .map(|status| u64::from(status).to_le_bytes().to_vec()),
        [b"code_details"] => stream.details.clone(),
        [b"headers", name] if stream.head_readable(Direction::Response) => {
            first(&stream.response.headers, name).map(<[u8]>::to_vec)
        }
        _ => None,
    }
}

/// `address` is the whole text, `port` what follows the last colon.
fn endpoint(text: &[u8], part: &[u8]) -> Option<Vec<u8>> {
    match part {
        b"address" => some_text(text),
        b"port" => {
            let digits = text.rsplit(|&byte| byte == b':').next()?;
            let port: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
            Some(port.to_le_bytes().to_vec())
        }
        _ => None,
    }
}

fn some_text(text: &[u8]) -> Option<Vec<u8>> {
    (!text.is_empty()).then(|| text.to_vec())
}

fn split_query(path: &[u8]) -> (&[u8], &[u8]) {
    let Some(mark) = path.iter().position(|&byte| byte == b'?') else {
        return (path, &[]);
    };
    let (before, after) = path.split_at_checked(mark).unwrap_or((path, &[]));
    (before, after.get(1..).unwrap_or(&[]))
}
