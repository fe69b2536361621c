//! `@detectXSS`.

use super::libinjection::xss;
use super::text::Line;
use super::{Argument, Capture, Compile, CompileError, Def, Eval, Example, Match, Member, Support};
use crate::bytes::ClassSet;
use crate::work::cost;

/// Whether the value looks like an injection of a script into a page.
#[derive(Clone, Debug)]
pub(super) struct DetectXss;

impl Member for DetectXss {
    const DEF: Def = Def {
        name: "detectXSS",
        aliases: &[],
        summary: "Whether the value looks like an injection of a script into a page. TX.0 is the \
            value.",
        spec: "ModSecurity manual, @detectXSS; libinjection's reading of HTML 5 in five contexts: \
            text, tag, and attribute values in each kind of quotes.",
        argument: Argument::None,
        macros: false,
        support: Support::Full,
        examples: &[
            Example::captures(b"", b"<script>", &[b"<script>"]),
            Example::captures(b"", b"\" onload=x", &[b"\" onload=x"]),
            Example::no(b"", b"a < b and b > c"),
            Example::no(b"", b""),
        ],
    };

    fn compile(_: &[u8], _: &mut Compile<'_>) -> Result<Self, CompileError> {
        Ok(Self)
    }

    fn eval(&self, value: &[u8], _: &[u8], eval: &mut Eval<'_>) -> bool {
        let work = eval.scratch.work();
        work.charge_each(value.len(), cost::INJECTION_BYTE);
        let found = xss::detect(value);
        if found && eval.capture != Capture::None {
            eval.captures.push_span(0..value.len());
        }
        found
    }

    /// Tags, comments and declarations begin with one, values of attributes with the other; nothing
    /// else counts.
    fn classes(&self) -> Option<ClassSet> {
        Some(ClassSet::of(b"<="))
    }

    fn explain(&self, _: &Match<'_>) -> Vec<u8> {
        Line::new("detected XSS using libinjection.").done()
    }
}
