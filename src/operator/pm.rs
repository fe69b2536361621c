//! `@pm`.

use super::text::hex_bytes;
use super::{Argument, Compile, CompileError, Def, Eval, Example, Match, Member, Support, phrases};
use crate::matching::PhraseSet;

/// Whether one of the phrases of the argument stands anywhere in the value, in either letter case.
#[derive(Clone, Debug)]
pub(super) struct Pm(PhraseSet);

impl Member for Pm {
    const DEF: Def = Def {
        name: "pm",
        aliases: &[],
        summary: "Whether one of the phrases of the argument stands anywhere in the value, in either letter case.",
        spec: "ModSecurity manual, @pm, and version 2: blanks part phrases; between bars stand bytes in hexadecimal; \\: \\; \\\\ and \\\" stand for the sign itself.",
        argument: Argument::Phrases,
        macros: false,
        support: Support::Full,
        examples: &[
            Example::captures(b"gzip deflate br", b"a GZip x", &[b"GZip"]),
            Example::captures(b"a|42 43|d", b"xabcdx", &[b"abcd"]),
            Example::captures(br"\\windows", br"c:\Windows", &[br"\Windows"]),
            Example::no(b"gzip deflate", b"identity"),
        ],
    };

    fn compile(argument: &[u8], cx: &mut Compile<'_>) -> Result<Self, CompileError> {
        Ok(Self(cx.phrases.set(phrase_list(argument)?)?))
    }

    fn eval(&self, value: &[u8], _: &[u8], eval: &mut Eval<'_>) -> bool {
        phrases::eval(&self.0, value, eval)
    }

    fn explain(&self, found: &Match<'_>) -> Vec<u8> {
        phrases::explain(&self.0, found)
    }

    fn phrases(&self) -> Option<&PhraseSet> {
        Some(&self.0)
    }
}

/// Reads phrases with their escapes. Quotes around all of them are dropped.
fn phrase_list(argument: &[u8]) -> Result<Vec<Vec<u8>>, CompileError> {
    let (text, start) = match argument {
        [b'"', text @ .., b'"'] => (text, 1usize),
        _ => (argument, 0),
    };
    let bad = |message: &str, at: usize| CompileError::argument(message, at).after(start);
    let mut phrases = vec![Vec::new()];
    let mut bytes = text.iter().copied().enumerate();
    while let Some((at, byte)) = bytes.next() {
        let byte = match byte {
            b'|' => {
                let hex: Vec<u8> = bytes
                    .by_ref()
                    .map(|(_, byte)| byte)
                    .take_while(|&byte| byte != b'|')
                    .collect();
                let end = at.saturating_add(hex.len()).saturating_add(1);
                if text.get(end).is_none() {
                    return Err(bad("the bar is not closed", at)
                        .hint("bars enclose bytes in hexadecimal, as in |41 42|; write the bar itself as |7C|"));
                }
                let decoded = hex_bytes(&hex)
                    .ok_or_else(|| bad("expected bytes in hexadecimal between the bars", at))?;
                append(&mut phrases, &decoded);
                continue;
            }
            b'\\' => match bytes.next() {
                Some((_, sign @ (b':' | b';' | b'\\' | b'"'))) => sign,
                _ => {
                    return Err(bad("unsupported escape sequence", at)
                        .hint("a backslash stands before : ; \\ or \" alone"));
                }
            },
            _ if byte.is_ascii_whitespace() => {
                phrases.push(Vec::new());
                continue;
            }
            _ => byte,
        };
        append(&mut phrases, &[byte]);
    }
    phrases.retain(|phrase| !phrase.is_empty());
    if phrases.is_empty() {
        return Err(CompileError::argument("expected phrases", None));
    }
    Ok(phrases)
}

fn append(phrases: &mut [Vec<u8>], bytes: &[u8]) {
    if let Some(phrase) = phrases.last_mut() {
        phrase.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(argument: &str) -> Vec<String> {
        let phrases = phrase_list(argument.as_bytes()).unwrap();
        phrases
            .iter()
            .map(|phrase| phrase.escape_ascii().to_string())
            .collect()
    }

    #[test]
    fn phrases_are_read() {
        assert_eq!(list("a  b\tc"), ["a", "b", "c"]);
        assert_eq!(list("\"a b\""), ["a", "b"]);
        assert_eq!(list("|41 42|c|43|"), ["ABcC"]);
        assert_eq!(list("|4142| |20|x"), ["AB", " x"]);
        assert_eq!(list(r"a\:b\;c\\d"), ["a:b;c\\\\d"]);
        assert_eq!(list("?> ( )"), ["?>", "(", ")"]);
    }

    #[test]
    fn malformed_phrases_are_refused() {
        for (argument, at) in [
            ("a |41", Some(2)),
            ("|4|", Some(0)),
            ("|4x|", Some(0)),
            (r"ab\n", Some(2)),
            ("", None),
            ("  ", None),
            ("a\\", Some(1)),
        ] {
            let error = phrase_list(argument.as_bytes()).unwrap_err();
            assert_eq!(error.offset, at, "{argument}");
        }
    }
}
