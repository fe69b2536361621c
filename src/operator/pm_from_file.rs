//! `@pmFromFile`.

use super::text::data_lines;
use super::{
    Argument, Compile, CompileError, Def, Eval, Example, Match, Member, Support, files, phrases,
};
use crate::matching::PhraseSet;

/// Whether one of the phrases that files list stands anywhere in the value, in either letter case.
#[derive(Clone, Debug)]
pub(super) struct PmFromFile(PhraseSet);

impl Member for PmFromFile {
    const DEF: Def = Def {
        name: "pmFromFile",
        aliases: &["pmf"],
        summary: "Whether one of the phrases that files list stands anywhere in the value, in either letter case.",
        spec: "ModSecurity manual, @pmFromFile; one phrase a line, blanks around it dropped, empty lines and lines that begin with # left out; no escapes; several files with blanks between their names.",
        argument: Argument::File,
        macros: false,
        support: Support::Full,
        examples: &[
            Example::captures(b"words.data", b"x=/etc/PASSWD", &[b"etc/PASSWD"])
                .with_data(b"# files\n  etc/passwd \n\netc/shadow\n"),
            Example::no(b"words.data", b"# files").with_data(b"# files\n  etc/passwd \n"),
        ],
    };

    fn compile(argument: &[u8], cx: &mut Compile<'_>) -> Result<Self, CompileError> {
        let files = files::read_all(argument, cx)?;
        let lines = files.iter().flat_map(|(_, contents)| data_lines(contents));
        Ok(Self(cx.phrases.set(lines)?))
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
