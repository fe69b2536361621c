//! Injections of SQL.

mod fold;
mod lexer;
mod literal;
mod token;
mod verdict;
mod words;

pub use token::{Kind, Token};

/// Largest number of tokens in a fingerprint.
const LONGEST: usize = 5;

/// Which dialect of SQL a value is read in, and within which quotes it begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mode {
    /// A quote that is thought to stand before the value.
    pub quote: Option<u8>,
    /// MySQL: `#` begins a comment, and `--` only before a blank.
    pub mysql: bool,
}

impl Mode {
    /// The value as it stands, in standard SQL.
    pub const PLAIN: Self = Self {
        quote: None,
        mysql: false,
    };
}

/// The kinds of up to five tokens, a letter or sign each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Fingerprint {
    letters: [u8; LONGEST],
    length: usize,
}

impl Fingerprint {
    /// The letters.
    pub fn as_bytes(&self) -> &[u8] {
        self.letters.get(..self.length).unwrap_or(&self.letters)
    }

    fn of(kinds: impl IntoIterator<Item = Kind>) -> Self {
        let mut fingerprint = Self::default();
        for (letter, kind) in fingerprint.letters.iter_mut().zip(kinds) {
            *letter = kind.letter();
            fingerprint.length = fingerprint.length.saturating_add(1);
        }
        fingerprint
    }
}

/// The fingerprint by which the value is taken for an injection, or `None` if it is not.
///
/// It is read as it stands, and where it contains a quote, as what follows such a quote; standard
/// SQL first, then MySQL where the two part ways.
pub fn detect(value: &[u8]) -> Option<Fingerprint> {
    if value.is_empty() {
        return None;
    }
    let contains = |byte| memchr::memchr(byte, value).is_some();
    both_dialects(value, None)
        .or_else(|| {
            contains(b'\'')
                .then(|| both_dialects(value, Some(b'\'')))
                .flatten()
        })
        .or_else(|| {
            let mode = Mode {
                quote: Some(b'"'),
                mysql: true,
            };
            contains(b'"')
                .then(|| verdict::judge(&fold::fold(value, mode)))
                .flatten()
        })
}

fn both_dialects(value: &[u8], quote: Option<u8>) -> Option<Fingerprint> {
    let folded = fold::fold(
        value,
        Mode {
            quote,
            mysql: false,
        },
    );
    verdict::judge(&folded).or_else(|| {
        folded
            .differs_in_mysql
            .then(|| verdict::judge(&fold::fold(value, Mode { quote, mysql: true })))
            .flatten()
    })
}

/// The tokens of a value before folding.
pub fn tokens(value: &[u8], mode: Mode) -> Vec<Token> {
    let mut lexer = lexer::Lexer::new(value, mode);
    std::iter::from_fn(|| lexer.next_token()).collect()
}

/// The tokens of a value after folding: at most five, six if the last is an evil one.
pub fn folded_tokens(value: &[u8], mode: Mode) -> Vec<Token> {
    fold::fold(value, mode).tokens().to_vec()
}
