//! Names of tags and attributes that run scripts, and addresses that do.

use super::super::table;

/// Names of events, sorted, a line each: an attribute whose name is `on` and begins so is
/// forbidden. No name begins with another.
const EVENTS: &[u8] = include_bytes!("events.txt");

/// Names of tags.
const TAGS: &[&str] = &[
    "APPLET", "BASE", "COMMENT", "EMBED", "FRAME", "FRAMESET", "HANDLER", "IFRAME", "IMPORT",
    "ISINDEX", "LINK", "LISTENER", "META", "NOSCRIPT", "OBJECT", "SCRIPT", "STYLE", "VMLFRAME",
    "XML", "XSS",
];

/// What an attribute's value may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Attribute {
    /// Nothing.
    Harmless,
    /// Run a script, or style the page so that one runs, whatever the value.
    Forbidden,
    /// Run a script if it is such an address.
    Url,
    /// It is itself the name of an attribute (SVG).
    Indirect,
}

const ATTRIBUTES: &[(&str, Attribute)] = &[
    ("ACTION", Attribute::Url),
    ("ATTRIBUTENAME", Attribute::Indirect),
    ("BY", Attribute::Url),
    ("BACKGROUND", Attribute::Url),
    ("DATAFORMATAS", Attribute::Forbidden),
    ("DATASRC", Attribute::Forbidden),
    ("DYNSRC", Attribute::Url),
    ("FILTER", Attribute::Forbidden),
    ("FORMACTION", Attribute::Url),
    ("FOLDER", Attribute::Url),
    ("FROM", Attribute::Url),
    ("HANDLER", Attribute::Url),
    ("HREF", Attribute::Url),
    ("LOWSRC", Attribute::Url),
    ("POSTER", Attribute::Url),
    ("SRC", Attribute::Url),
    ("STYLE", Attribute::Forbidden),
    ("TO", Attribute::Url),
    ("VALUES", Attribute::Url),
    ("XLINK:HREF", Attribute::Url),
];

/// Whether a tag of that name can run scripts.
pub(super) fn is_tag(name: &[u8]) -> bool {
    let Some(start) = name.get(..3) else {
        return false;
    };
    TAGS.iter().any(|tag| is_word(name, tag))
        || start.eq_ignore_ascii_case(b"SVG")
        || start.eq_ignore_ascii_case(b"XSL")
}

/// What an attribute of that name may do.
pub(super) fn attribute(name: &[u8]) -> Attribute {
    if name.len() < 2 {
        return Attribute::Harmless;
    }
    if name.len() >= 5 {
        if let [b'o' | b'O', b'n' | b'N', event @ ..] = name
            && is_event(event)
        {
            return Attribute::Forbidden;
        }
        if begins_with_word(name, b"XMLNS") || begins_with_word(name, b"XLINK") {
            return Attribute::Forbidden;
        }
    }
    ATTRIBUTES
        .iter()
        .find(|(known, _)| is_word(name, known))
        .map_or(Attribute::Harmless, |(_, attribute)| *attribute)
}

/// Whether an address runs a script. Bytes that browsers skip in front, character references and
/// NUL bytes do not hide one.
pub(super) fn is_script_url(url: &[u8]) -> bool {
    let start = url
        .iter()
        .position(|byte| matches!(byte, 0x21..=0x7E))
        .unwrap_or(url.len());
    let url = url.get(start..).unwrap_or(&[]);
    ["DATA", "VIEW-SOURCE", "JAVA", "VBSCRIPT"]
        .iter()
        .any(|scheme| begins_with_scheme(url, scheme))
}

/// Whether text begins with the name of an event. As no name begins with another, none but the last
/// that is not behind the text can.
fn is_event(text: &[u8]) -> bool {
    table::floor(EVENTS, text.iter().map(u8::to_ascii_uppercase))
        .is_some_and(|(event, _)| begins_with_word(text, event))
}

/// Whether text equals a word in capitals, whatever the letter case, NUL bytes left out.
fn is_word(text: &[u8], word: &str) -> bool {
    text.iter()
        .filter(|&&byte| byte != 0)
        .map(u8::to_ascii_uppercase)
        .eq(word.bytes())
}

/// Whether text begins with a word, whatever the letter case.
pub(super) fn begins_with_word(text: &[u8], word: &[u8]) -> bool {
    text.get(..word.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(word))
}

fn begins_with_scheme(url: &[u8], scheme: &str) -> bool {
    let mut signs = Decoded { rest: url };
    let mut first = true;
    let mut wanted = scheme.bytes().peekable();
    while let Some(expected) = wanted.peek().copied() {
        let Some(code_point) = signs.next() else {
            return false;
        };
        if first && code_point <= 0x20 {
            continue;
        }
        first = false;
        if code_point == 0 || code_point == 0x0A {
            continue;
        }
        // Letters are compared by the low byte of the code point, in capitals if it is a letter.
        let byte = code_point.to_le_bytes();
        let [low, ..] = byte;
        let low = if code_point <= 0x7F {
            low.to_ascii_uppercase()
        } else {
            low
        };
        if low != expected {
            return false;
        }
        wanted.next();
    }
    true
}

/// The code points of text with numeric character references.
struct Decoded<'a> {
    rest: &'a [u8],
}

/// References above it are no references.
const LARGEST: u32 = 0x10_00FF;

impl Iterator for Decoded<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let (&first, behind) = self.rest.split_first()?;
        let (number, length) = match self.rest {
            [b'&', b'#', b'x' | b'X', digits @ ..] => reference(digits, 16, 3),
            [b'&', b'#', digits @ ..] => reference(digits, 10, 2),
            _ => None,
        }
        .unwrap_or((u32::from(first), 1));
        self.rest = self.rest.get(length..).unwrap_or(behind);
        Some(number)
    }
}

/// Reads the digits of a reference, and a semicolon if there is one. `before` bytes stand in front.
fn reference(digits: &[u8], radix: u32, before: usize) -> Option<(u32, usize)> {
    let mut number = char::from(*digits.first()?).to_digit(radix)?;
    let mut length = 1usize;
    for byte in digits.iter().skip(1) {
        if *byte == b';' {
            length = length.saturating_add(1);
            break;
        }
        let Some(digit) = char::from(*byte).to_digit(radix) else {
            break;
        };
        number = number.saturating_mul(radix).saturating_add(digit);
        if number > LARGEST {
            return None;
        }
        length = length.saturating_add(1);
    }
    Some((number, before.saturating_add(length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_sorted_and_begin_with_no_other() {
        let events: Vec<&str> = std::str::from_utf8(EVENTS).unwrap().lines().collect();
        assert_eq!(events.len(), 362);
        assert!(events.is_sorted_by(|a, b| a < b && !b.starts_with(a)));
        for event in events {
            assert!(is_event(event.to_ascii_lowercase().as_bytes()), "{event}");
            assert!(is_event(format!("{event}x").as_bytes()), "{event}");
            assert!(
                !is_event(format!("x{event}").as_bytes()) || event.starts_with('X'),
                "{event}"
            );
        }
        assert!(!is_event(b""));
        assert!(!is_event(b"LO\0AD"));
    }

    #[test]
    fn script_addresses() {
        for url in [
            "javascript:x",
            "JaVa",
            " \u{1}\u{e9}java",
            "&#106;ava",
            "&#x6A;&#0000097;va",
            "j\0a\nva",
            "&#x20;data:",
            "view-source:x",
            "&#x14a;ava",
        ] {
            assert!(is_script_url(url.as_bytes()), "{url}");
        }
        for url in [
            "",
            "jav",
            "http://java",
            "&java",
            "&#xjava",
            "&#1114112;java",
            "/java",
        ] {
            assert!(!is_script_url(url.as_bytes()), "{url}");
        }
    }
}
