//! `t:parityOdd7bit`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};

pub(super) const DEF: Def = Def {
    name: "parityOdd7bit",
    aliases: &[],
    summary: "Sets the eighth bit of each byte so that the byte has odd parity.",
    spec: "ModSecurity manual: the parity of the low seven bits, whatever the eighth was. v2's \
        code counts the eighth in, so that applying it twice undoes it.",
    examples: &[example(b"c1", b"\xE3\x31")],
    acts_on: ActsOn::NOT_EMPTY,
    makes: Makes::ANYTHING,
    growth: Growth::NONE,
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    parts::map(input, output, |byte| {
        let low = byte & 0x7F;
        if low.count_ones() & 1 == 0 {
            low | 0x80
        } else {
            low
        }
    })
}
