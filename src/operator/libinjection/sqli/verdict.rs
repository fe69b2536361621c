//! From folded tokens to a verdict: the list of fingerprints, and exceptions from it.

use super::fold::Folded;
use super::token::{Kind, Token};
use super::{Fingerprint, words};

/// The fingerprint, if it is one of an injection and no exception holds.
pub(super) fn judge(folded: &Folded<'_>) -> Option<Fingerprint> {
    let fingerprint = fingerprint(folded.tokens());
    (words::is_known(&fingerprint) && !is_harmless(folded, &fingerprint)).then_some(fingerprint)
}

fn fingerprint(tokens: &[Token]) -> Fingerprint {
    if tokens.iter().any(|token| token.kind == Kind::Evil) {
        return Fingerprint::of([Kind::Evil]);
    }
    let last = tokens.len().saturating_sub(1);
    Fingerprint::of(tokens.iter().enumerate().map(|(at, token)| {
        if at >= 2 && at == last && is_open_back_quote(token) {
            Kind::Comment
        } else {
            token.kind
        }
    }))
}

/// A back quote at the end comments out what the application writes behind it.
fn is_open_back_quote(token: &Token) -> bool {
    token.kind == Kind::Bareword
        && token.open == Some(b'`')
        && token.close.is_none()
        && token.text().is_empty()
}

/// Exceptions: text that many people write, though its fingerprint is one of an injection.
fn is_harmless(folded: &Folded<'_>, fingerprint: &Fingerprint) -> bool {
    let letters = fingerprint.as_bytes();
    if letters == [Kind::Evil.letter()] {
        return false;
    }
    // SQL Server keeps statements with this word out of its log, even in a comment.
    if letters.len() > 1
        && letters.ends_with(b"c")
        && memchr::memmem::find(folded.value, b"sp_password").is_some()
    {
        return false;
    }
    match folded.tokens() {
        [a, b] => is_harmless_pair(folded, a, b),
        [a, b, c] => is_harmless_triple(folded, letters, a, b, c),
        _ => false,
    }
}

fn is_harmless_pair(folded: &Folded<'_>, a: &Token, b: &Token) -> bool {
    if b.kind == Kind::Union {
        // Only if nothing was folded: a number, and the word.
        return folded.count == 2;
    }
    match (a.kind, b.kind, b.first()) {
        (_, _, b'#') => true,
        (Kind::Bareword, Kind::Comment, sign) if sign != b'/' => true,
        (Kind::Number, Kind::Comment, b'/') => false,
        (Kind::Number, Kind::Comment, _) if folded.count > 2 => false,
        (Kind::Number, Kind::Comment, _) => {
            // `1234--` is suspicious, `1234-abc--` is not: see what follows the number.
            let next = |offset: usize| {
                let at = a.text().len().saturating_add(offset);
                folded.value.get(at).copied().unwrap_or(0)
            };
            !matches!((next(0), next(1)), (0..=0x20 | 0x80.., _) | (b'/', b'*') | (b'-', b'-'))
        }
        // Two dashes in running text; at the end alone they are suspicious.
        (_, _, b'-') => b.text().len() > 2,
        _ => false,
    }
}

fn is_harmless_triple(
    folded: &Folded<'_>,
    letters: &[u8],
    a: &Token,
    b: &Token,
    c: &Token,
) -> bool {
    match letters {
        // Strings count if they began and end outside the value: `foo' + 'bar`.
        b"sos" | b"s&s" => !(a.open.is_none() && c.close.is_none() && a.close == c.open),
        b"s&n" | b"n&1" | b"1&1" | b"1&v" | b"1&s" => folded.count == 3,
        _ if b.kind == Kind::Keyword => {
            let text = b.text();
            let into = text
                .get(..4)
                .is_some_and(|start| start.eq_ignore_ascii_case(b"INTO"));
            text.len() < 5 || !into
        }
        _ => false,
    }
}
