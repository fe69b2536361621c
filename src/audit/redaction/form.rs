//! Where values of names stand in query strings and bodies as they came.

use std::ops::Range;

use crate::http::form;

/// The arguments of a query string or of a form body: the name decoded, and where the value stands.
pub(super) fn arguments(text: &[u8], separator: u8, found: &mut dyn FnMut(&[u8], Range<usize>)) {
    for segment in segments(text, separator) {
        let Some(bytes) = text.get(segment.clone()) else {
            continue;
        };
        let Some(equals) = bytes.iter().position(|&byte| byte == b'=') else {
            continue;
        };
        let (name, _) = form::decode(bytes.get(..equals).unwrap_or_default());
        let value = segment.start.saturating_add(equals).saturating_add(1);
        found(&name, value..segment.end);
    }
}

/// The members of a multipart body: the name, and where the content stands. Files are left out.
pub(super) fn parts(body: &[u8], found: &mut dyn FnMut(&[u8], Range<usize>)) {
    let mut at = 0;
    let mut name: Option<Vec<u8>> = None;
    let mut content: Option<usize> = None;
    for line in segments(body, b'\n') {
        let text = body.get(line.clone()).unwrap_or_default();
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if text.starts_with(b"--") {
            if let (Some(name), Some(start)) = (&name, content) {
                // The line end before a boundary belongs to it.
                found(name, start.min(at)..at);
            }
            (name, content) = (None, None);
        } else if content.is_none() && text.is_empty() {
            content = Some(line.end.saturating_add(1).min(body.len()));
        } else if content.is_none() && text.len() > DISPOSITION.len() {
            let (start, rest) = text.split_at(DISPOSITION.len());
            if start.eq_ignore_ascii_case(DISPOSITION) {
                name = part_name(rest);
            }
        }
        at = line.end;
    }
    if let (Some(name), Some(start)) = (&name, content) {
        found(name, start.min(body.len())..body.len());
    }
}

const DISPOSITION: &[u8] = b"content-disposition:";

/// What `name=` says, where there is no `filename=`.
fn part_name(parameters: &[u8]) -> Option<Vec<u8>> {
    let mut name = None;
    for segment in segments(parameters, b';') {
        let text = parameters.get(segment).unwrap_or_default().trim_ascii();
        let Some(equals) = text.iter().position(|&byte| byte == b'=') else {
            continue;
        };
        let (key, value) = text.split_at(equals);
        let value = value.get(1..).unwrap_or_default();
        let value: Vec<u8> = value
            .iter()
            .copied()
            .filter(|byte| !b"\"'\\".contains(byte))
            .collect();
        match key.trim_ascii().to_ascii_lowercase().as_slice() {
            b"name" => name = Some(value),
            b"filename" | b"filename*" => return None,
            _ => {}
        }
    }
    name
}

/// The stretches between separators.
fn segments(text: &[u8], separator: u8) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0_usize;
    text.split(move |&byte| byte == separator)
        .map(move |piece| {
            let segment = start..start.saturating_add(piece.len());
            start = segment.end.saturating_add(1);
            segment
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    type Finder = fn(&[u8], &mut dyn FnMut(&[u8], Range<usize>));

    fn found(find: Finder, text: &str) -> Vec<(String, String)> {
        let mut all = Vec::new();
        find(text.as_bytes(), &mut |name, range| {
            let name = String::from_utf8(name.to_vec()).unwrap();
            all.push((name, text.get(range).unwrap().to_owned()));
        });
        all
    }

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn values_of_forms_have_places() {
        let form: Finder = |text, found| arguments(text, b'&', found);
        assert_eq!(
            found(form, "a=1&p%61ss=x%20y&flag&b==&="),
            owned(&[("a", "1"), ("pass", "x%20y"), ("b", "="), ("", "")])
        );
    }

    #[test]
    fn parts_of_a_multipart_body_have_places() {
        let body = "--b\r\nContent-Disposition: form-data; name=\"pin\"\r\n\r\n12\r\n34\r\n--b\r\n\
                    Content-Type: text/plain\r\nContent-Disposition: form-data; name=\"f\"; \
                    filename=\"x\"\r\n\r\nfile\r\n--b\r\ncontent-disposition: form-data; name=cut\r\n\r\nhalf";
        assert_eq!(
            found(parts, body),
            owned(&[("pin", "12\r\n34\r"), ("cut", "half")])
        );
        assert_eq!(
            found(
                parts,
                "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n"
            ),
            owned(&[("a", "")])
        );
    }
}
