//! `sanitise…`: what the audit log does not show. ModSecurity manual, "sanitiseArg" and following.

use super::Name;
use super::parse::{ActionError, lossy};

/// What a rule masks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mask {
    /// `sanitiseArg`: the arguments of a name.
    Argument(Box<[u8]>),
    /// `sanitiseRequestHeader`.
    RequestHeader(Box<[u8]>),
    /// `sanitiseResponseHeader`.
    ResponseHeader(Box<[u8]>),
    /// `sanitiseMatched`: the variable that matched.
    Matched,
    /// `sanitiseMatchedBytes:n/m`: what matched in it, but for its first and last bytes.
    MatchedBytes {
        /// How many bytes at the start of the match are shown.
        first: usize,
        /// How many at its end.
        last: usize,
    },
}

impl Mask {
    /// Reads the value of a `sanitise…` action.
    ///
    /// # Errors
    /// A name that is none of these actions, or a value of `sanitiseMatchedBytes` that is not two
    /// numbers with a slash between.
    pub(super) fn parse(name: Name, text: &[u8]) -> Result<Self, ActionError> {
        Ok(match name {
            Name::SanitiseArg => Self::Argument(text.into()),
            Name::SanitiseRequestHeader => Self::RequestHeader(text.into()),
            Name::SanitiseResponseHeader => Self::ResponseHeader(text.into()),
            Name::SanitiseMatchedBytes => shown_bytes(text)?,
            _ => Self::Matched,
        })
    }
}

fn shown_bytes(text: &[u8]) -> Result<Mask, ActionError> {
    if text.is_empty() {
        return Ok(Mask::MatchedBytes { first: 0, last: 0 });
    }
    let numbers = std::str::from_utf8(text).ok().and_then(|text| {
        let (first, last) = text.split_once('/')?;
        Some((first.trim().parse().ok()?, last.trim().parse().ok()?))
    });
    let (first, last) = numbers.ok_or_else(|| {
        ActionError::value(format!(
            "`sanitiseMatchedBytes` does not take `{}`",
            lossy(text)
        ))
        .hint("write how many bytes stay at the start and at the end, such as `1/4`")
    })?;
    Ok(Mask::MatchedBytes { first, last })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_stay() {
        let parse = |text: &str| Mask::parse(Name::SanitiseMatchedBytes, text.as_bytes());
        assert_eq!(parse(""), Ok(Mask::MatchedBytes { first: 0, last: 0 }));
        assert_eq!(parse("1/4"), Ok(Mask::MatchedBytes { first: 1, last: 4 }));
        for wrong in ["1", "a/b", "-1/2", "1/2/3"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
