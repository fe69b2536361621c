//! Text that is searched for in values: fixed, or known only when it is asked for.

use memchr::memmem::{self, Finder};

/// Where a text first stands in a value, for texts that are asked for once: what a search prepares
/// would cost more than short values take to go over.
pub(super) fn find_once(value: &[u8], text: &[u8]) -> Option<usize> {
    if text.is_empty() {
        return Some(0);
    }
    let places = value.len().checked_sub(text.len())?.saturating_add(1);
    let (anchor, byte) = anchor(text);
    // Bytes that may be compared in vain.
    let mut patience = value.len();
    let anchors = value.get(anchor..anchor.saturating_add(places))?;
    for at in memchr::memchr_iter(byte, anchors) {
        let here = value.get(at..)?.iter();
        let same = here.zip(text).take_while(|(one, other)| one == other);
        let same = same.count();
        if same == text.len() {
            return Some(at);
        }
        patience = match patience.checked_sub(same) {
            Some(left) => left,
            None => return memmem::find(value, text),
        };
    }
    None
}

/// The byte of a text to look for first, and its place: one that is seldom elsewhere, near the
/// beginning.
fn anchor(text: &[u8]) -> (usize, u8) {
    /// So many bytes are looked at.
    const NEAR: usize = 16;
    // The Core Rule Set's lists for `@within` have slashes, bars or spaces around each word.
    let rarity = |byte: u8| match byte {
        b'/' | b'|' | b' ' => 0,
        b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' => 1,
        _ => 2,
    };
    let near = text.iter().copied().take(NEAR).enumerate().rev();
    let rarest = near.max_by_key(|&(_, byte)| rarity(byte));
    rarest.unwrap_or_default()
}

/// A text to search for.
#[derive(Clone, Debug)]
pub(super) enum Needle {
    /// Known when the rule was compiled.
    Fixed(Box<Finder<'static>>),
    /// The argument, once its macros are expanded.
    Argument,
}

impl Needle {
    /// Prepares the search unless macros stand in the text.
    pub(super) fn new(argument: &[u8], has_macros: bool) -> Self {
        if has_macros {
            Self::Argument
        } else {
            Self::Fixed(Box::new(Finder::new(argument).into_owned()))
        }
    }

    /// Where the text first stands in the value. The empty text stands everywhere.
    pub(super) fn find(&self, value: &[u8], argument: &[u8]) -> Option<usize> {
        match self {
            Self::Fixed(finder) => finder.find(value),
            Self::Argument => find_once(value, argument),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_as_by_a_prepared_search() {
        let mut values = vec![Vec::new()];
        for length in 1..=7usize {
            for bits in 0..1usize << length {
                values.push((0..length).map(|at| b"ab"[bits >> at & 1]).collect());
            }
        }
        for value in &values {
            for text in &values {
                let expected = memmem::find(value, text);
                assert_eq!(find_once(value, text), expected, "{value:?} {text:?}");
            }
        }
        let mut long = vec![b'a'; 1000];
        long.push(b'b');
        let text = [&[b'a'; 500][..], b"b"].concat();
        assert_eq!(find_once(&long, &text), Some(500));
        let list = b"/accept-charset/ /content-encoding/ /proxy/ /lock-token/";
        for text in [
            "/proxy/",
            "/lock-token/",
            "/token/",
            "/",
            "/accept-charset/",
        ] {
            let expected = memmem::find(list, text.as_bytes());
            assert_eq!(find_once(list, text.as_bytes()), expected, "{text}");
        }
    }
}
