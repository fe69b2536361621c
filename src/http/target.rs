//! Request targets: what REQUEST_URI, REQUEST_FILENAME, REQUEST_BASENAME and QUERY_STRING are cut
//! from. REQUEST_URI_RAW is the target itself.

use super::split_where;

/// A request target in its pieces, none of them decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// Path and query as received, without `scheme://host` and without a fragment (REQUEST_URI).
    pub uri: &'a [u8],
    /// The path; REQUEST_FILENAME is this decoded.
    pub path: &'a [u8],
    /// What follows the first `?`; empty where there is none (QUERY_STRING).
    pub query: &'a [u8],
}

impl<'a> Target<'a> {
    /// Cuts a target.
    ///
    /// Absolute form loses scheme and authority; an empty path there is `/`. A fragment belongs to
    /// none of the pieces, as on httpd. The authority form of CONNECT has neither path nor query,
    /// and its REQUEST_URI is the target. `*` is a path.
    pub fn split(method: &[u8], raw: &'a [u8]) -> Self {
        if method == b"CONNECT" {
            return Self {
                uri: raw,
                path: &[],
                query: &[],
            };
        }
        let local = without_authority(raw);
        let absolute = local.len() != raw.len();
        let (uri, _fragment) = split_where(local, |byte| byte == b'#');
        let (path, query) = split_where(uri, |byte| byte == b'?');
        Self {
            uri: if absolute && uri.is_empty() {
                b"/"
            } else {
                uri
            },
            path: if absolute && path.is_empty() {
                b"/"
            } else {
                path
            },
            query: query.split_first().map_or(&[], |(_, query)| query),
        }
    }
}

/// A path behind its last `/` or `\` (REQUEST_BASENAME).
pub fn basename(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/' || byte == b'\\')
        .next()
        .unwrap_or(&[])
}

/// The target behind `scheme://authority`, or all of it where that does not stand in front.
fn without_authority(raw: &[u8]) -> &[u8] {
    let (scheme, rest) = split_where(raw, |byte| matches!(byte, b':' | b'/' | b'?' | b'#'));
    match rest {
        [b':', b'/', b'/', rest @ ..] if !scheme.is_empty() => {
            split_where(rest, |byte| matches!(byte, b'/' | b'?' | b'#')).1
        }
        _ => raw,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, raw: &str, uri: &str, path: &str, base: &str, query: &str) {
        let target = Target::split(method.as_bytes(), raw.as_bytes());
        let found = [target.uri, target.path, basename(target.path), target.query]
            .map(|piece| String::from_utf8_lossy(piece).into_owned());
        assert_eq!(found, [uri, path, base, query], "{method} {raw}");
    }

    #[test]
    fn origin_form() {
        check("GET", "/", "/", "/", "", "");
        check(
            "GET",
            "/a/b.php?x=1&y",
            "/a/b.php?x=1&y",
            "/a/b.php",
            "b.php",
            "x=1&y",
        );
        check("GET", "/a%2fb?%41", "/a%2fb?%41", "/a%2fb", "a%2fb", "%41");
        check("GET", "/a/?", "/a/?", "/a/", "", "");
        check("GET", "/a\\b?c?d", "/a\\b?c?d", "/a\\b", "b", "c?d");
        check("GET", "//host/a", "//host/a", "//host/a", "a", "");
        check(
            "GET",
            "/a?u=http://b/c",
            "/a?u=http://b/c",
            "/a",
            "a",
            "u=http://b/c",
        );
        check("GET", "/http://b/c", "/http://b/c", "/http://b/c", "c", "");
        check("GET", "", "", "", "", "");
        check("GET", "name", "name", "name", "name", "");
    }

    #[test]
    fn fragments_belong_to_no_piece() {
        check("GET", "/a?x=1#f", "/a?x=1", "/a", "a", "x=1");
        check("GET", "/a#f?x=1", "/a", "/a", "a", "");
        check("GET", "http://h#f", "/", "/", "", "");
    }

    #[test]
    fn absolute_form() {
        check("GET", "http://h:80/a?b", "/a?b", "/a", "a", "b");
        check("GET", "HTTPS://u:p@[::1]:8/a", "/a", "/a", "a", "");
        check("GET", "http://h", "/", "/", "", "");
        check("GET", "http://h?q=1", "?q=1", "/", "", "q=1");
        check("GET", "://h/a", "://h/a", "://h/a", "a", "");
    }

    #[test]
    fn the_other_forms() {
        check("OPTIONS", "*", "*", "*", "*", "");
        check("CONNECT", "h:443", "h:443", "", "", "");
    }
}
