//! The one template function that test data uses: `{{ "text" | repeat 3 }}`, also written
//! `{{ repeat 3 "text" }}`. Anything else between double braces stays as it is; attack strings
//! look like that.

/// Most bytes a template may make.
const LIMIT: usize = 16 << 20;

/// Replaces the templates in a text.
pub(crate) fn expand(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        match after
            .split_once("}}")
            .and_then(|(inside, tail)| Some((repeat(inside)?, tail)))
        {
            Some((value, tail)) => {
                out.push_str(&value);
                rest = tail;
            }
            None => {
                out.push_str("{{");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn repeat(inside: &str) -> Option<String> {
    let inside = inside.trim();
    let (literal, count) = match inside.strip_prefix("repeat") {
        Some(arguments) => {
            let (count, literal) = arguments.trim().split_once(char::is_whitespace)?;
            (literal.trim(), count)
        }
        None => {
            let (literal, call) = inside.rsplit_once('|')?;
            (literal.trim(), call.trim().strip_prefix("repeat")?.trim())
        }
    };
    let text = unquote(literal)?;
    let count: usize = count.parse().ok()?;
    (text.len().checked_mul(count)? <= LIMIT).then(|| text.repeat(count))
}

/// A Go string: in double quotes with escapes, or in backticks without.
fn unquote(literal: &str) -> Option<String> {
    if let Some(raw) = literal.strip_prefix('`') {
        return raw.strip_suffix('`').map(str::to_owned);
    }
    let inner = literal.strip_prefix('"')?.strip_suffix('"')?;
    let mut out = String::new();
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        out.push(match char {
            '\\' => match chars.next()? {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                '\\' => '\\',
                '"' => '"',
                'x' => {
                    let digits: String = chars.by_ref().take(2).collect();
                    char::from(u8::from_str_radix(&digits, 16).ok().filter(u8::is_ascii)?)
                }
                _ => return None,
            },
            '"' => return None,
            other => other,
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn repeats_are_expanded() {
        assert_eq!(
            expand(r#"a={{ "xy" | repeat 3 }}&b={{repeat 2 `"`}}"#),
            r#"a=xyxyxy&b="""#
        );
        assert_eq!(expand(r#"{{ "\r\n" | repeat 2 }}"#), "\r\n\r\n");
        assert_eq!(expand(r#"{{ "|" | repeat 2 }}"#), "||");
    }

    #[test]
    fn anything_else_stays() {
        for text in [
            "{{constructor.constructor('alert(1)')()}}",
            "{{7*7}} {{",
            r#"{{ "a" | repeat many }}"#,
            r#"{{ "a" | repeat 99999999999 }}"#,
            r#"{{ "a | repeat 2 }}"#,
        ] {
            assert_eq!(expand(text), text);
        }
    }
}
