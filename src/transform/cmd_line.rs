//! `t:cmdLine`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};
use crate::bytes::ClassSet;

pub(super) const DEF: Def = Def {
    name: "cmdLine",
    aliases: &[],
    summary: "Undoes the disguises of command lines: quotes, backslashes and carets vanish, \
        separators become one space, none before / and (, letters turn to lower case.",
    spec: "v2's code: deletes double and single quotes, backslash and caret; a run of space, tab, \
        CR, LF, comma and semicolon becomes one space, also across deleted bytes; that space is \
        deleted before / and (; ASCII lower case. v2 cuts the value at NUL, which would hide what \
        follows: here NUL is an ordinary byte, as in v3.",
    examples: &[
        example(b"C^OM\"MAND\" /C,;DIR", b"command/c dir"),
        example(b"a \\ ( b\0C", b"a( b\0c"),
    ],
    acts_on: ActsOn {
        classes: ClassSet::of(b"\"'\\^,; \t\r\n"),
        alone: ClassSet::EMPTY,
        upper: true,
        empty: false,
    },
    makes: Makes {
        loses: ClassSet::of(b"\"'\\^,;\r\n"),
        ..Makes::also(b" ")
    },
    growth: Growth::NONE,
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    let mut space = false;
    for &byte in input {
        match byte {
            b'"' | b'\'' | b'\\' | b'^' => {}
            b' ' | b'\t' | b'\r' | b'\n' | b',' | b';' => space = true,
            _ => {
                if space && !matches!(byte, b'/' | b'(') {
                    output.push(b' ');
                }
                space = false;
                output.push(byte.to_ascii_lowercase());
            }
        }
    }
    if space {
        output.push(b' ');
    }
    parts::compare(input, output)
}
