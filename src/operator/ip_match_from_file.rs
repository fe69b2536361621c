//! `@ipMatchFromFile`.

use super::address::{Addresses, Builder};
use super::text::{Line, data_lines};
use super::{Argument, Compile, CompileError, Def, Eval, Example, Match, Member, Support, files};

/// Whether the value is an address in one of the networks that a file lists.
#[derive(Clone, Debug)]
pub(super) struct IpMatchFromFile(Addresses);

impl Member for IpMatchFromFile {
    const DEF: Def = Def {
        name: "ipMatchFromFile",
        aliases: &["ipMatchF"],
        summary: "Whether the value is an address in one of the networks that a file lists.",
        spec: "ModSecurity manual, @ipMatchFromFile; one network a line, empty lines and lines that begin with # left out.",
        argument: Argument::File,
        macros: false,
        support: Support::Full,
        examples: &[
            Example::yes(b"networks.data", b"10.9.8.7").with_data(b"# own\n10.0.0.0/8\n\n::1\n"),
            Example::no(b"networks.data", b"11.0.0.1").with_data(b"# own\n10.0.0.0/8\n\n::1\n"),
        ],
    };

    fn compile(argument: &[u8], cx: &mut Compile<'_>) -> Result<Self, CompileError> {
        let mut addresses = Builder::default();
        for (name, contents) in files::read_all(argument, cx)? {
            for line in data_lines(&contents) {
                addresses.add(line).map_err(|message| {
                    CompileError::file(format!("{}: {message}", name.escape_ascii()))
                })?;
            }
        }
        Ok(Self(addresses.build()))
    }

    fn eval(&self, value: &[u8], _: &[u8], _: &mut Eval<'_>) -> bool {
        self.0.contains(value)
    }

    fn explain(&self, found: &Match<'_>) -> Vec<u8> {
        Line::new("IPmatchFromFile: \"")
            .bytes(found.value)
            .text("\" matched")
            .at(found.target)
    }
}
