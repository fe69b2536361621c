//! Requests of one shape with other words in them, so that no cache of values is measured.
//!
//! The letters of words in the values of the query, of cookies and of form and JSON bodies change;
//! their number and everything else stays.

use std::ops::Range;

use super::message::{Request, header};

/// Shorter runs of letters stay: they are units and abbreviations.
const SHORTEST: usize = 3;

/// A request and the places of its words.
pub(super) struct Variations {
    request: Request,
    target: Vec<Range<usize>>,
    cookie: Option<(usize, Vec<Range<usize>>)>,
    body: Vec<Range<usize>>,
    random: u64,
}

impl Variations {
    pub(super) fn new(request: Request) -> Self {
        let query = memchr::memchr(b'?', &request.target).map_or(request.target.len(), |at| at);
        let cookie = request
            .headers
            .iter()
            .position(|(name, _)| name.eq_ignore_ascii_case(b"cookie"))
            .and_then(|place| {
                let (_, value) = request.headers.get(place)?;
                Some((place, pairs(value, 0, b';')))
            });
        let kind = header(&request.headers, b"content-type").unwrap_or_default();
        let body = if kind.starts_with(b"application/x-www-form-urlencoded") {
            pairs(&request.body, 0, b'&')
        } else if kind.starts_with(b"application/json") {
            json(&request.body)
        } else {
            Vec::new()
        };
        let target = pairs(&request.target, query, b'&');
        Self {
            target,
            cookie,
            body,
            request,
            random: 0x9e37_79b9_7f4a_7c15,
        }
    }

    /// The next request.
    pub(super) fn next(&mut self) -> Request {
        let mut request = self.request.clone();
        self.fill(&mut request.target, &self.target.clone());
        if let Some((place, words)) = self.cookie.clone()
            && let Some((_, value)) = request.headers.get_mut(place)
        {
            self.fill(value, &words);
        }
        self.fill(&mut request.body, &self.body.clone());
        request
    }

    fn fill(&mut self, text: &mut [u8], words: &[Range<usize>]) {
        for word in words {
            for byte in text.get_mut(word.clone()).unwrap_or_default() {
                let first = if byte.is_ascii_uppercase() {
                    b'A'
                } else {
                    b'a'
                };
                *byte = first.saturating_add(self.letter());
            }
        }
    }

    /// 0 to 25 (xorshift64).
    fn letter(&mut self) -> u8 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        u8::try_from((self.random >> 32).checked_rem(26).unwrap_or(0)).unwrap_or(0)
    }
}

/// The words in the values of `name=value` pairs, from `start` on.
fn pairs(text: &[u8], start: usize, separator: u8) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut in_value = false;
    let mut run = Run::default();
    let mut escape = 0_u8;
    for (at, &byte) in text.iter().enumerate().skip(start) {
        let escaped = escape > 0;
        escape = escape.saturating_sub(1);
        let letter = in_value && !escaped && byte.is_ascii_alphabetic();
        run.step(at, letter, &mut words);
        match byte {
            b'=' => in_value = true,
            b'%' => escape = 2,
            _ if byte == separator => in_value = false,
            _ => {}
        }
    }
    run.step(text.len(), false, &mut words);
    words
}

/// The words in the string values of a JSON document; member names stay.
fn json(text: &[u8]) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut rest = text.iter().enumerate();
    while let Some((_, &byte)) = rest.next() {
        if byte != b'"' {
            continue;
        }
        let mut inside = Vec::new();
        let mut run = Run::default();
        let mut escape = false;
        for (at, &byte) in rest.by_ref() {
            run.step(at, !escape && byte.is_ascii_alphabetic(), &mut inside);
            match byte {
                b'"' if !escape => break,
                b'\\' => escape = !escape,
                _ => escape = false,
            }
        }
        let next = rest
            .clone()
            .map(|(_, &byte)| byte)
            .find(|byte| !byte.is_ascii_whitespace());
        if next != Some(b':') {
            words.append(&mut inside);
        }
    }
    words
}

/// A run of letters.
#[derive(Default)]
struct Run {
    start: Option<usize>,
}

impl Run {
    fn step(&mut self, at: usize, letter: bool, words: &mut Vec<Range<usize>>) {
        match (letter, self.start) {
            (true, None) => self.start = Some(at),
            (false, Some(start)) => {
                self.start = None;
                if at.saturating_sub(start) >= SHORTEST {
                    words.push(start..at);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Variations;
    use crate::cli::message::{Request, header};

    fn shape(text: &[u8]) -> Vec<u8> {
        let class = |&byte: &u8| match byte {
            b'a'..=b'z' => b'a',
            b'A'..=b'Z' => b'A',
            other => other,
        };
        text.iter().map(class).collect()
    }

    fn check(raw: &[u8], kept: &[&[u8]], changed: &[&[u8]]) {
        let request = Request::parse(raw);
        let mut variations = Variations::new(request.clone());
        let (one, two) = (variations.next(), variations.next());
        assert_ne!(one, two);
        let cookie = |request: &Request| header(&request.headers, b"cookie").map(<[u8]>::to_vec);
        let all = |request: &Request| {
            [
                &request.target[..],
                &cookie(request).unwrap_or_default(),
                &request.body,
            ]
            .join(&b' ')
        };
        assert_eq!(shape(&all(&one)), shape(&all(&request)));
        for text in kept {
            assert!(
                memchr::memmem::find(&all(&one), text).is_some(),
                "{}",
                text.escape_ascii()
            );
        }
        for text in changed {
            assert!(
                memchr::memmem::find(&all(&one), text).is_none(),
                "{}",
                text.escape_ascii()
            );
        }
    }

    #[test]
    fn words_of_query_and_cookie_change() {
        check(
            b"GET /path/words?name=gardens-tools%41bc&n=de HTTP/1.1\r\nCookie: id=secrets; b=x\r\n\r\n",
            &[b"/path/words?name=", b"%41", b"&n=de", b"id=", b"; b=x"],
            &[b"gardens", b"tools", b"secrets"],
        );
    }

    #[test]
    fn words_of_forms_change() {
        check(
            b"POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n\
              Content-Length: 27\r\n\r\nfield=Wordy+words%40here&x=",
            &[b"field=", b"%40", b"&x="],
            &[b"Wordy", b"words", b"here"],
        );
    }

    #[test]
    fn words_of_json_strings_change_and_names_stay() {
        let body = br#"{"member": "wordy \"words\" \\n", "other":[true, null, "letters"]}"#;
        let head = format!(
            "POST / HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        check(
            &[head.as_bytes(), body].concat(),
            &[br#"{"member": ""#, br#"\""#, br#""other":[true, null, ""#],
            &[b"wordy", b"words", b"letters"],
        );
    }
}
