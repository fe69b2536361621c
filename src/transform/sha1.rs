//! `t:sha1`.

use super::def::example;
use ::sha1::Digest as _;

use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};

pub(super) const DEF: Def = Def {
    name: "sha1",
    aliases: &[],
    summary: "Replaces the value by its SHA-1 digest: 20 raw bytes (t:hexEncode makes them \
        readable).",
    spec: "ModSecurity manual, v2; FIPS 180-4.",
    examples: &[example(
        b"abc",
        b"\xA9\x99\x3E\x36\x47\x06\x81\x6A\xBA\x3E\x25\x71\x78\x50\xC2\x6C\x9C\xD0\xD8\x9D",
    )],
    acts_on: ActsOn::ANY,
    makes: Makes::ANYTHING,
    growth: Growth {
        factor: 0,
        extra: 20,
    },
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    output.extend_from_slice(&::sha1::Sha1::digest(input));
    parts::compare(input, output)
}
