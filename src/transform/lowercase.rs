//! `t:lowercase`.

use super::{ActsOn, Context, Def, Example, Outcome};
use crate::bytes::ClassSet;

pub(super) const DEF: Def = Def {
    name: "lowercase",
    aliases: &[],
    summary: "Turns the letters A to Z to lower case.",
    spec: "ModSecurity manual, t:lowercase; ASCII only, as v2 and v3.",
    examples: &[Example { input: b"ABC\xC3 1", output: b"abc\xC3 1" }],
    acts_on: ActsOn { classes: ClassSet::EMPTY, upper: true, empty: false },
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    if !input.iter().any(u8::is_ascii_uppercase) {
        return Outcome::Unchanged;
    }
    output.extend(input.iter().map(u8::to_ascii_lowercase));
    Outcome::Changed
}
