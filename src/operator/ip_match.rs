//! `@ipMatch`.

use super::address::{Addresses, Builder};
use super::text::{Line, trim};
use super::{Argument, Compile, CompileError, Def, Eval, Example, Match, Member, Support};

/// Whether the value is an address in one of the networks of the argument.
#[derive(Clone, Debug)]
pub(super) struct IpMatch(Addresses);

impl Member for IpMatch {
    const DEF: Def = Def {
        name: "ipMatch",
        aliases: &[],
        summary: "Whether the value is an address in one of the networks of the argument.",
        spec: "ModSecurity manual, @ipMatch; IPv4 and IPv6, with or without prefix length; an IPv4 address written as IPv6 is an IPv6 address.",
        argument: Argument::Addresses,
        macros: false,
        support: Support::Full,
        examples: &[
            Example::yes(b"127.0.0.1,::1", b"::1"),
            Example::yes(b"10.0.0.0/8, 192.168.1.1", b"10.9.8.7"),
            Example::no(b"10.0.0.0/8", b"11.0.0.1"),
            Example::no(b"10.0.0.0/8", b"not an address"),
        ],
    };

    fn compile(argument: &[u8], _: &mut Compile<'_>) -> Result<Self, CompileError> {
        let mut addresses = Builder::default();
        let mut start = 0usize;
        for part in argument.split(|&byte| byte == b',') {
            addresses
                .add(trim(part))
                .map_err(|message| CompileError::argument(message, start))?;
            start = start.saturating_add(part.len()).saturating_add(1);
        }
        Ok(Self(addresses.build()))
    }

    fn eval(&self, value: &[u8], _: &[u8], _: &mut Eval<'_>) -> bool {
        self.0.contains(value)
    }

    fn explain(&self, found: &Match<'_>) -> Vec<u8> {
        Line::new("IPmatch: \"")
            .bytes(found.value)
            .text("\" matched")
            .at(found.target)
    }
}
