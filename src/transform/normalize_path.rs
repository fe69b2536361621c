//! `t:normalizePath`.

use super::def::example;
use super::parts;
use super::{ActsOn, Context, Def, Growth, Makes, Outcome};
use crate::bytes::ClassSet;

pub(super) const DEF: Def = Def {
    name: "normalizePath",
    aliases: &["normalisePath"],
    summary: "Resolves a path: no empty, . and .. segments.",
    spec: "ModSecurity manual, v2: .. does not climb above the root, but is kept where it leads out \
        of a relative path; a slash at the end is kept only if there was one, so that /a/.. gives \
        the empty value. v2 and v3 take a segment such as foo.. for .. too; here only .. is one.",
    examples: &[
        example(b"/a//b/./c/../d/../../e/", b"/a/e/"),
        example(b"a/../../b/.", b"../b"),
        example(b"/../x", b"/x"),
        example(b"/a/../", b"/"),
        example(b"/a/..", b""),
        example(b"a/../", b""),
        example(b".", b""),
    ],
    acts_on: ActsOn {
        alone: ClassSet::of(b"."),
        ..ActsOn::bytes(b"/")
    },
    makes: Makes::also(b"/."),
    growth: Growth::NONE,
    apply,
};

fn apply(input: &[u8], output: &mut Vec<u8>, _: Context<'_>) -> Outcome {
    resolve(input, output, |byte| byte == b'/');
    parts::compare(input, output)
}

/// Writes the path that is meant, with slashes for all separators.
pub(super) fn resolve(path: &[u8], output: &mut Vec<u8>, is_separator: fn(u8) -> bool) {
    let is_end_separator = |byte: Option<&u8>| byte.is_some_and(|&byte| is_separator(byte));
    let absolute = is_end_separator(path.first());
    if absolute {
        output.push(b'/');
    }
    // Segments that a `..` can take back.
    let mut depth = 0_usize;
    for segment in path.split(|&byte| is_separator(byte)) {
        match segment {
            b"" | b"." => {}
            b".." if depth > 0 => {
                depth = depth.saturating_sub(1);
                pop(output, absolute);
            }
            b".." if absolute => {}
            _ => {
                if segment != b".." {
                    depth = depth.saturating_add(1);
                }
                if output.last().is_some_and(|&byte| byte != b'/') {
                    output.push(b'/');
                }
                output.extend_from_slice(segment);
            }
        }
    }
    if !is_end_separator(path.last()) {
        if output == b"/" {
            output.clear();
        }
    } else if output.last().is_some_and(|&byte| byte != b'/') {
        output.push(b'/');
    }
}

/// Takes the last segment back, with the slash before it unless that is the root.
fn pop(output: &mut Vec<u8>, absolute: bool) {
    let slash = output
        .iter()
        .rposition(|&byte| byte == b'/')
        .unwrap_or_default();
    output.truncate(if absolute { slash.max(1) } else { slash });
}
