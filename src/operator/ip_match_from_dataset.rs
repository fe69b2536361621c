//! `@ipMatchFromDataset`.

use super::address::{Addresses, Builder};
use super::text::{Line, data_lines};
use super::{Argument, Compile, CompileError, Def, Eval, Example, Match, Member, Support, files};

/// Whether the value is an address in one of the networks of a data set.
#[derive(Clone, Debug)]
pub(super) struct IpMatchFromDataset(Addresses);

impl Member for IpMatchFromDataset {
    const DEF: Def = Def {
        name: "ipMatchFromDataset",
        aliases: &[],
        summary: "Whether the value is an address in one of the networks of a data set.",
        spec: "Coraza's @ipMatchFromDataset; the lines of a SecDataset as those of a file.",
        argument: Argument::Dataset,
        macros: false,
        support: Support::Full,
        examples: &[
            Example::yes(b"networks", b"10.9.8.7").with_data(b"10.0.0.0/8\n::1\n"),
            Example::no(b"networks", b"::2").with_data(b"10.0.0.0/8\n::1\n"),
        ],
    };

    fn compile(argument: &[u8], cx: &mut Compile<'_>) -> Result<Self, CompileError> {
        let mut addresses = Builder::default();
        for line in files::dataset(argument, cx)?
            .iter()
            .flat_map(|line| data_lines(line))
        {
            addresses.add(line).map_err(|message| {
                CompileError::file(format!("data set {}: {message}", argument.escape_ascii()))
            })?;
        }
        Ok(Self(addresses.build()))
    }

    fn eval(&self, value: &[u8], _: &[u8], _: &mut Eval<'_>) -> bool {
        self.0.contains(value)
    }

    fn explain(&self, found: &Match<'_>) -> Vec<u8> {
        Line::new("IPmatchFromDataset: \"")
            .bytes(found.value)
            .text("\" matched")
            .at(found.target)
    }
}
