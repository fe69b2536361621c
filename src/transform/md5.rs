//! `t:md5`.

use super::def::example;
use ::md5::Digest as _;

use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};

pub(super) const DEF: Def = Def {
    name: "md5",
    aliases: &[],
    summary: "Replaces the value by its MD5 digest: 16 raw bytes (t:hexEncode makes them \
        readable).",
    spec: "ModSecurity manual, v2; RFC 1321.",
    examples: &[example(
        b"abc",
        b"\x90\x01\x50\x98\x3C\xD2\x4F\xB0\xD6\x96\x3F\x7D\x28\xE1\x7F\x72",
    )],
    acts_on: ActsOn::ANY,
    makes: Makes::ANYTHING,
    growth: Growth {
        factor: 0,
        extra: 16,
    },
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    output.extend_from_slice(&::md5::Md5::digest(input));
    parts::compare(input, output)
}
