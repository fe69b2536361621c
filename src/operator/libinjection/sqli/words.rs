//! The words of SQL, and the fingerprints of injections.

use super::super::table::{self, Sieve};
use super::Fingerprint;
use super::token::Kind;

/// A word or operator and its kind's letter each, in capitals.
const WORDS: &[u8] = include_bytes!("words.txt");

static WORDS_SIEVE: Sieve<256> = Sieve::of(WORDS);

/// Fingerprints, in capitals.
const FINGERPRINTS: &[u8] = include_bytes!("fingerprints.txt");

static FINGERPRINTS_SIEVE: Sieve<1024> = Sieve::of(FINGERPRINTS);

/// The kind of a word, of two words with a blank between them, or of an operator of two bytes.
pub(super) fn kind_of(word: &[u8]) -> Option<Kind> {
    let word = word.iter().map(u8::to_ascii_uppercase);
    if !WORDS_SIEVE.may_have(word.clone()) {
        return None;
    }
    match table::find(WORDS, word)? {
        [letter] => Kind::from_letter(*letter),
        _ => None,
    }
}

/// Whether a fingerprint is one of an injection.
pub(super) fn is_known(fingerprint: &Fingerprint) -> bool {
    let letters = fingerprint.as_bytes().iter().map(u8::to_ascii_uppercase);
    FINGERPRINTS_SIEVE.may_have(letters.clone()) && table::find(FINGERPRINTS, letters).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(table: &[u8]) -> Vec<&[u8]> {
        table
            .split(|&byte| byte == b'\n')
            .filter(|line| !line.is_empty())
            .collect()
    }

    #[test]
    fn words_are_sorted_and_have_kinds() {
        let keys: Vec<(&[u8], &[u8])> = lines(WORDS)
            .iter()
            .map(|line| {
                let tab = line.iter().position(|&byte| byte == b'\t').unwrap();
                (&line[..tab], &line[tab + 1..])
            })
            .collect();
        assert_eq!(keys.len(), 985);
        assert!(keys.is_sorted_by(|a, b| a.0 < b.0));
        for (word, letter) in keys {
            assert_eq!(
                kind_of(word).map(|kind| vec![kind.letter()]),
                Some(letter.to_vec())
            );
            assert_eq!(kind_of(&word.to_ascii_lowercase()), kind_of(word));
        }
        assert_eq!(kind_of(b""), None);
        assert_eq!(kind_of(b"SELEC"), None);
        assert_eq!(kind_of(b"SELECT\0"), None);
    }

    #[test]
    fn fingerprints_are_sorted() {
        let fingerprints = lines(FINGERPRINTS);
        assert_eq!(fingerprints.len(), 8367);
        assert!(fingerprints.is_sorted_by(|a, b| a < b));
        assert!(fingerprints.iter().all(|line| line.len() <= 5));
    }
}
