//! What a proxy does to a request before any filter sees it.
//!
//! The suites are written for a server that tidies a little before rules run. The rules meet what
//! Envoy hands over (seen on 1.36 and 1.40, HTTP/1.1, with a backend that prints what it gets):
//! repeats of a field that it keeps once are joined by a comma, and a carriage return inside a
//! value is dropped. A request that Envoy refuses is still passed on, because what the rules say of
//! it is what a test wants to know.

use super::super::message::Request;

/// Fields of which Envoy keeps one value. Host and Content-Length are not here: it refuses their
/// repeats.
const KEPT_ONCE: [&[u8]; 11] = [
    b"accept",
    b"accept-encoding",
    b"authorization",
    b"cache-control",
    b"content-encoding",
    b"content-type",
    b"expect",
    b"origin",
    b"referer",
    b"user-agent",
    b"via",
];

/// The request as a filter meets it.
pub(super) fn hand_over(mut request: Request) -> Request {
    let mut headers: Vec<(Vec<u8>, Vec<u8>)> = Vec::with_capacity(request.headers.len());
    for (name, mut value) in request.headers {
        value.retain(|&byte| byte != b'\r');
        let once = KEPT_ONCE.iter().any(|kept| name.eq_ignore_ascii_case(kept));
        let earlier = headers
            .iter_mut()
            .find(|(other, _)| once && other.eq_ignore_ascii_case(&name));
        match earlier {
            Some((_, first)) => {
                first.push(b',');
                first.append(&mut value);
            }
            None => headers.push((name, value)),
        }
    }
    request.headers = headers;
    request
}

#[cfg(test)]
mod tests {
    use super::{Request, hand_over};

    #[test]
    fn repeats_are_joined_where_one_value_is_kept() {
        let request = hand_over(Request::parse(
            b"GET / HTTP/1.1\r\nContent-Type: a/b\r\nX: 1\r\ncontent-type: c/d\r\nX: 2\r\n\r\n",
        ));
        let expected: [(&[u8], &[u8]); 3] =
            [(b"Content-Type", b"a/b,c/d"), (b"X", b"1"), (b"X", b"2")];
        let expected = expected.map(|(name, value)| (name.to_vec(), value.to_vec()));
        assert_eq!(request.headers, expected);
    }

    #[test]
    fn a_bare_carriage_return_is_dropped() {
        let request = hand_over(Request::parse(b"GET / HTTP/1.1\r\nA: x\rB: y\r\n\r\n"));
        assert_eq!(request.headers, [(b"A".to_vec(), b"xB: y".to_vec())]);
    }
}
