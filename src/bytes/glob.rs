//! File name patterns.

/// Whether a name matches a pattern of the shell's kind: `*` and `?` stand for anything but `/`,
/// `[a-z]` and `[!a-z]` for one byte of a set. A `[` that is not closed stands for itself.
///
/// Only the last `*` is ever tried again, so the work is at most pattern times name.
pub fn glob_matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut pattern, mut name) = (pattern, name);
    // After the last star: the pattern behind it, and where its match began.
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        if let [b'*', behind @ ..] = pattern {
            star = Some((behind, name));
            pattern = behind;
            continue;
        }
        let one = name
            .split_first()
            .and_then(|(&byte, rest)| Some((element(pattern, byte)?, rest)));
        if let Some(next) = one {
            (pattern, name) = next;
        } else if pattern.is_empty() && name.is_empty() {
            return true;
        } else {
            let Some((behind, [byte, rest @ ..])) = star else {
                return false;
            };
            if *byte == b'/' {
                return false;
            }
            star = Some((behind, rest));
            (pattern, name) = (behind, rest);
        }
    }
}

/// The pattern behind its first element, if that matches the byte.
fn element(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    let (&first, rest) = pattern.split_first()?;
    let (matched, rest) = match first {
        b'?' => (byte != b'/', rest),
        b'[' => match set(rest) {
            Some((negated, members, behind)) => {
                (byte != b'/' && contains(members, byte) != negated, behind)
            }
            None => (byte == b'[', rest),
        },
        literal => (literal == byte, rest),
    };
    matched.then_some(rest)
}

/// Splits what follows a `[`. A `]` in the first place is a member.
fn set(pattern: &[u8]) -> Option<(bool, &[u8], &[u8])> {
    let (negated, members) = match pattern {
        [b'!' | b'^', members @ ..] => (true, members),
        members => (false, members),
    };
    let close = members
        .iter()
        .skip(1)
        .position(|&byte| byte == b']')?
        .saturating_add(1);
    let (members, behind) = members.split_at_checked(close)?;
    Some((negated, members, behind.get(1..)?))
}

fn contains(mut members: &[u8], byte: u8) -> bool {
    loop {
        members = match members {
            [] => return false,
            [low, b'-', high, ..] if (*low..=*high).contains(&byte) => return true,
            [_, b'-', _, rest @ ..] => rest,
            [only, ..] if *only == byte => return true,
            [_, rest @ ..] => rest,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::glob_matches;

    #[test]
    fn patterns_match_names() {
        for (pattern, name, wanted) in [
            (
                "@owasp_crs/*.conf",
                "@owasp_crs/REQUEST-942-SQLI.conf",
                true,
            ),
            ("@owasp_crs/*.conf", "@owasp_crs/x.data", false),
            ("@owasp_crs/*.conf", "@owasp_crs/more/x.conf", false),
            ("*", "", true),
            ("*", "a/b", false),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("x*y*z", "x1y2y3z", true),
            ("x*y*z", "x1y2y3", false),
            ("9[0-4]?.conf", "942.conf", true),
            ("9[0-4]?.conf", "952.conf", false),
            ("[!a-c]", "d", true),
            ("[!a-c]", "b", false),
            ("[]a]", "]", true),
            ("[a-]", "-", true),
            ("[abc", "[abc", true),
            ("", "", true),
            ("", "a", false),
            ("a", "", false),
        ] {
            let found = glob_matches(pattern.as_bytes(), name.as_bytes());
            assert_eq!(found, wanted, "{pattern} {name}");
        }
    }

    #[test]
    fn many_stars_take_no_long_time() {
        let pattern = b"a*".repeat(2_000);
        assert!(!glob_matches(
            &pattern,
            &[&b"a".repeat(4_000)[..], b"/"].concat()
        ));
    }
}
