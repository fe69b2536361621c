//! `@detectSQLi`.

use super::libinjection::sqli;
use super::text::Line;
use super::{Argument, Capture, Compile, CompileError, Def, Eval, Example, Match, Member, Support};
use crate::bytes::ClassSet;
use crate::work::cost;

/// Whether the value looks like an injection of SQL.
#[derive(Clone, Debug)]
pub(super) struct DetectSqli;

impl Member for DetectSqli {
    const DEF: Def = Def {
        name: "detectSQLi",
        aliases: &[],
        summary: "Whether the value looks like an injection of SQL. TX.0 is the fingerprint.",
        spec: "ModSecurity manual, @detectSQLi; the fingerprints and verdicts of libinjection 3.9.",
        argument: Argument::None,
        macros: false,
        support: Support::Full,
        examples: &[
            Example::captures(b"", b"1' OR '1'='1", &[b"s&sos"]),
            Example::captures(b"", b"1 UNION SELECT password FROM users", &[b"1UEnk"]),
            Example::no(b"", b"select a table near the window"),
            Example::no(b"", b""),
        ],
    };

    fn compile(_: &[u8], _: &mut Compile<'_>) -> Result<Self, CompileError> {
        Ok(Self)
    }

    fn eval(&self, value: &[u8], _: &[u8], eval: &mut Eval<'_>) -> bool {
        let work = eval.scratch.work();
        work.charge_each(value.len(), cost::INJECTION_BYTE);
        let Some(fingerprint) = sqli::detect(value) else {
            return false;
        };
        if eval.capture != Capture::None {
            eval.captures.push_owned(fingerprint.as_bytes());
        }
        true
    }

    /// Letters and underscores alone are one word, and no injection is one word.
    fn classes(&self) -> Option<ClassSet> {
        Some(ClassSet::ALL.without(ClassSet::LETTERS.union(ClassSet::of(b"_"))))
    }

    fn explain(&self, found: &Match<'_>) -> Vec<u8> {
        let fingerprint = sqli::detect(found.value);
        Line::new("detected SQLi using libinjection with fingerprint '")
            .bytes(
                fingerprint
                    .as_ref()
                    .map_or(&[], sqli::Fingerprint::as_bytes),
            )
            .text("'")
            .done()
    }
}
