//! `t:phpArgsNames`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};
use crate::bytes::is_space;

pub(super) const DEF: Def = Def {
    name: "phpArgsNames",
    aliases: &[],
    summary: "Writes an argument's name as PHP's variables show it.",
    spec: "v3.1, after PHP's registration of request variables: leading spaces are dropped; space \
        and . before the first [ become _; a first [ that nothing closes becomes _ and the rest is \
        kept; [ ] becomes []; what stands behind the last index is dropped; a name that starts \
        with [ is empty.",
    examples: &[
        example(b" a b.c[d.e][ ]x", b"a_b_c[d.e][]"),
        example(b"a[b c", b"a_b c"),
        example(b"[a]", b""),
    ],
    acts_on: ActsOn::bytes(b" .["),
    makes: Makes::also(b"_"),
    growth: Growth::NONE,
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    let (_, name) = parts::split_while(input, |byte| byte == b' ');
    let (plain, mut rest) = parts::split_while(name, |byte| byte != b'[');
    if !plain.is_empty() {
        output.extend(plain.iter().map(|&byte| match byte {
            b' ' | b'.' => b'_',
            _ => byte,
        }));
        if let [_, after @ ..] = rest
            && !after.contains(&b']')
        {
            output.push(b'_');
            output.extend_from_slice(after);
            rest = &[];
        }
        while let Some((index, after)) = index(rest) {
            output.push(b'[');
            output.extend_from_slice(index);
            output.push(b']');
            rest = after;
        }
    }
    parts::compare(input, output)
}

/// The index in brackets that the text starts with, and what follows it.
fn index(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let [b'[', text @ ..] = text else { return None };
    match parts::split_while(text, |byte| byte != b']') {
        // PHP skips one blank before it looks for the bracket.
        ([blank], [_, after @ ..]) if is_space(*blank) => Some((&[], after)),
        (index, [_, after @ ..]) => Some((index, after)),
        (_, []) => None,
    }
}
