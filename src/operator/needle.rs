//! Text that is searched for in values: fixed, or known only when it is asked for.

use memchr::memmem::{self, Finder};

/// Where a text first stands in a value, for texts that are asked for once: what a search prepares
/// would cost more than short values take to go over.
pub(super) fn find_once(value: &[u8], text: &[u8]) -> Option<usize> {
    let Some((&first, rest)) = text.split_first() else {
        return Some(0);
    };
    let places = value.len().checked_sub(rest.len())?;
    // Bytes that may be compared in vain.
    let mut patience = value.len();
    for at in memchr::memchr_iter(first, value.get(..places)?) {
        let behind = value.get(at.saturating_add(1)..)?;
        let same = behind
            .iter()
            .zip(rest)
            .take_while(|(one, other)| one == other);
        let same = same.count();
        if same == rest.len() {
            return Some(at);
        }
        patience = match patience.checked_sub(same) {
            Some(left) => left,
            None => return memmem::find(value, text),
        };
    }
    None
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
    }
}
