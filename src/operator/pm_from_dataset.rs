//! `@pmFromDataset`.

use super::text::data_lines;
use super::{
    Argument, Compile, CompileError, Def, Eval, Example, Match, Member, Support, files, phrases,
};
use crate::matching::PhraseSet;

/// Whether one of the phrases of a data set stands anywhere in the value, in either letter case.
#[derive(Clone, Debug)]
pub(super) struct PmFromDataset(PhraseSet);

impl Member for PmFromDataset {
    const DEF: Def = Def {
        name: "pmFromDataset",
        aliases: &[],
        summary: "Whether one of the phrases of a data set stands anywhere in the value, in either letter case.",
        spec: "Coraza's @pmFromDataset; the lines of a SecDataset as those of a file.",
        argument: Argument::Dataset,
        macros: false,
        support: Support::Full,
        examples: &[
            Example::captures(b"words", b"a Word", &[b"Word"]).with_data(b"phrase\nword\n"),
            Example::no(b"words", b"nothing").with_data(b"phrase\nword\n"),
        ],
    };

    fn compile(argument: &[u8], cx: &mut Compile<'_>) -> Result<Self, CompileError> {
        let lines: Vec<Vec<u8>> = files::dataset(argument, cx)?
            .iter()
            .flat_map(|line| data_lines(line))
            .map(<[u8]>::to_vec)
            .collect();
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
