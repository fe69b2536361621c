//! What each piece of syntax matches: tables of pattern, value and the span of the match.

use super::super::{Candidates, Dialect, Pattern, PatternError, PrefilterBuilder, Scratch};
use crate::bytes::Profile;

type Case<'a> = (&'a [u8], &'a [u8], Option<(usize, usize)>);

fn check_with(dialect: Dialect, cases: &[Case<'_>]) {
    let mut scratch = Scratch::new();
    for (source, hay, expected) in cases {
        let shown = source.escape_ascii();
        let pattern =
            Pattern::new(source, dialect).unwrap_or_else(|error| panic!("{shown}: {error}"));
        let found = pattern
            .find(hay, &mut scratch)
            .map(|range| (range.start, range.end));
        assert_eq!(
            found,
            *expected,
            "/{shown}/ on {:?}",
            hay.escape_ascii().to_string()
        );
        assert_eq!(
            pattern.is_match(hay, &mut scratch),
            expected.is_some(),
            "/{shown}/"
        );
    }
}

fn check(cases: &[Case<'_>]) {
    check_with(Dialect::default(), cases);
}

fn error(source: &[u8]) -> PatternError {
    let shown = source.escape_ascii();
    Pattern::new(source, Dialect::default()).expect_err(&format!("/{shown}/ is an error"))
}

#[test]
fn literals() {
    check(&[
        (b"", b"abc", Some((0, 0))),
        (b"b", b"abc", Some((1, 2))),
        (b"B", b"abc", None),
        (b"]", b"a]", Some((1, 2))),
        (b"}", b"a}", Some((1, 2))),
        (b"a{", b"a{", Some((0, 2))),
        (b"a{,3}", b"a{,3}", Some((0, 5))),
        (b"a{x}", b"a{x}", Some((0, 4))),
        (b"${jndi", b"${jndi", None),
        (br"\${jndi", b"x${jndi", Some((1, 7))),
        (b"a&&b--c~~d", b"a&&b--c~~d", Some((0, 10))),
        (br"\<b\>", b"<b>", Some((0, 3))),
        (br"\-\_\@\#\ \%\&\~\`\'\!\/", b"-_@# %&~`'!/", Some((0, 12))),
        (b"a\xFFb", b"a\xFFb", Some((0, 3))),
        (b"\\\xFF", b"\xFF", Some((0, 1))),
        (b"\xC3\xA9+", b"\xC3\xA9\xA9", Some((0, 3))),
        (b"a\0b", b"a\0b", Some((0, 3))),
    ]);
}

#[test]
fn escapes_of_bytes() {
    check(&[
        (br"\a\e\f\n\r\t", b"\x07\x1B\x0C\n\r\t", Some((0, 6))),
        (br"\x41\x{42}\x6z", b"AB\x06z", Some((0, 4))),
        (br"a\xz", b"a\0z", Some((0, 3))),
        (br"\x{ff}\xfe", b"\xFF\xFE", Some((0, 2))),
        (br"\0a", b"\0a", Some((0, 2))),
        (br"\012", b"\n", Some((0, 1))),
        (br"\0123", b"\n3", Some((0, 2))),
        (br"\101", b"A", Some((0, 1))),
        (br"\o{101}", b"A", Some((0, 1))),
        (br"\10", b"\x08", Some((0, 1))),
        (br"\cA\c[\cz", b"\x01\x1B\x1A", Some((0, 3))),
        (br"(?i)\x41", b"a", Some((0, 1))),
        (br"\Qa.b\E.", b"a.bc", Some((0, 4))),
        (br"\Qa*", b"a*", Some((0, 2))),
        (br"\Qab\E+", b"abb", Some((0, 3))),
        (br"a\E+", b"aa", Some((0, 2))),
    ]);
}

#[test]
fn escapes_of_classes() {
    check(&[
        (br"\s", b"\x0B", Some((0, 1))),
        (br"\s", b"\x85\xA0", None),
        (br"\S", b" \x85", Some((1, 2))),
        (br"\d+", b"a12b", Some((1, 3))),
        (br"\D", b"1\xFF", Some((1, 2))),
        (br"\w+", b"-a_Z9\xE9", Some((1, 5))),
        (br"\W", b"a\xE9", Some((1, 2))),
        (br"\h+", b"a\t \xA0b", Some((1, 4))),
        (br"\H", b" \n", Some((1, 2))),
        (br"\v+", b"\n\x0B\x0C\r\x85 ", Some((0, 5))),
        (br"\V", b"\n ", Some((1, 2))),
        (br"\N+", b"\nab\n", Some((1, 3))),
        (br"\N{2}", b"\nab\n", Some((1, 3))),
        (br"\C", b"\n", Some((0, 1))),
        (br".", b"\n", Some((0, 1))),
        (br"(?-s).", b"\n\xFF", Some((1, 2))),
        (br"\R", b"a\r\nb", Some((1, 3))),
        (br"\R", b"\x85", Some((0, 1))),
        (br"a\Rb", b"a\rb a\r\nb", Some((0, 3))),
    ]);
}

#[test]
fn bracketed_classes() {
    check(&[
        (b"[abc]+", b"xcab", Some((1, 4))),
        (b"[^a]", b"a\n", Some((1, 2))),
        (b"[^a]", b"a\xFF", Some((1, 2))),
        (b"[]a]+", b"a]", Some((0, 2))),
        (b"[^]a]", b"]ab", Some((2, 3))),
        (b"[a-c-e]+", b"d-e", Some((1, 3))),
        (b"[-a]+[a-]+", b"-a-a", Some((0, 4))),
        (b"[+--]+", b"*+,-.", Some((1, 4))),
        (b"[[a]+", b"[a", Some((0, 2))),
        (b"[a&&b]+", b"b&a", Some((0, 3))),
        (b"[a~~b]+", b"a~b", Some((0, 3))),
        (br"[\b]", b"\x08", Some((0, 1))),
        (br"[\x41-\x{43}]+", b"ABCD", Some((0, 3))),
        (br"[\101\0\1]+", b"A\0\x01", Some((0, 3))),
        (br"[\w-.]+", b"a-.", Some((0, 3))),
        (br"[+-\d]+", b"+-7,", Some((0, 3))),
        (br"[\d\-z]+", b"1-z", Some((0, 3))),
        (br"[\]\\\^]+", br"]\^", Some((0, 3))),
        (br"[^\s\W]", b" -a", Some((2, 3))),
        (br"[\Q^]\E-]+", b"^-]", Some((0, 3))),
        (br"[\E\Q\E^\E]a]", b"]a^", Some((2, 3))),
        (br"(?xx)[ ^ a]", b" a^", Some((0, 1))),
        (br"[a\Q-\Ez]+", b"mz-a", Some((1, 4))),
        (b"[[:alpha:][:digit:]]+", b"-aZ9-", Some((1, 4))),
        (b"[[:^alpha:]]", b"a1", Some((1, 2))),
        (b"[^[:space:]]", b"\x0Ba", Some((1, 2))),
        (b"[[:punct:]]+", b"a!/:@[`{~b", Some((1, 9))),
        (b"[[:cntrl:][:blank:]]+", b"a\x7F\x01\t b", Some((1, 5))),
        (b"[[:xdigit:]]+[[:upper:]]", b"afFG", Some((0, 4))),
        (
            b"[[:graph:]]+[[:print:]][[:ascii:]]",
            b"! \x7F",
            Some((0, 3)),
        ),
        (b"[[:word:][:alnum:][:lower:]]", b"_", Some((0, 1))),
        (b"[[:alpha]+", b":[", Some((0, 2))),
        (b"[a[:]+", b"[:", Some((0, 2))),
        (b"[\x80-\xFF]", b"a\xC3", Some((1, 2))),
        (b"[[:<:]]b+[[:>:]]", b"ab b c", Some((3, 4))),
    ]);
}

#[test]
fn case() {
    check(&[
        (b"(?i)select", b"SeLeCt", Some((0, 6))),
        (b"(?i)[a-c]+", b"AbC", Some((0, 3))),
        (b"(?i)[^a]", b"Aa", None),
        (b"(?i)\xE9", b"\xC9", None),
        (b"(?i)k", b"\xE2\x84\xAA", None),
        (b"(?i)[[:upper:]]", b"a", Some((0, 1))),
        (b"(?i)[[:^upper:]]", b"aZ", None),
        (b"a(?i)b|c", b"C", Some((0, 1))),
        (b"(a(?i)b)c", b"aBC", None),
        (b"(?i:a)b", b"Ab", Some((0, 2))),
        (b"(?i:a)b", b"AB", None),
        (b"(?i)a(?-i)b", b"Ab", Some((0, 2))),
        (b"(?i)a(?-i)b", b"AB", None),
        (b"(?i)a(?^)b", b"AB", None),
    ]);
    check_with(
        Dialect {
            case_insensitive: true,
            ..Dialect::default()
        },
        &[(b"a-z", b"A-Z", Some((0, 3))), (b"(?-i)a", b"A", None)],
    );
}

#[test]
fn places() {
    check(&[
        (b"^a$", b"a", Some((0, 1))),
        (b"a$", b"a\n", None),
        (b"^a", b"\na", None),
        (b"^$", b"", Some((0, 0))),
        (br"\Aa\z", b"a", Some((0, 1))),
        (br"a\Z", b"a\n", Some((0, 1))),
        (br"a\Z", b"a\n\n", None),
        (br"(a\s*)\Z", b"a\n", Some((0, 2))),
        (br"(a\s*?)\Z", b"a \n", Some((0, 2))),
        (br"\bfoo\b", b"xfoo foo", Some((5, 8))),
        (br"\Boo", b"oo foo", Some((4, 6))),
        (br"\bb", b"\xE9b", Some((1, 2))),
        (br"(?m)^b$", b"a\nb\nc", Some((2, 3))),
        (br"(?m)b$", b"ab\r\n", None),
        (br"(?m)^a", b"\n", None),
        (br"a\Kb", b"ab", Some((1, 2))),
        (br"(?:a\K)*b", b"aab", Some((2, 3))),
    ]);
    check_with(
        Dialect {
            multi_line: true,
            ..Dialect::default()
        },
        &[
            (b"^b$", b"a\nb\n", Some((2, 3))),
            (b"(?-m)^b", b"a\nb", None),
        ],
    );
    check_with(
        Dialect {
            dot_matches_new_line: false,
            ..Dialect::default()
        },
        &[(b"a.b", b"a\nb", None), (b"(?s)a.b", b"a\nb", Some((0, 3)))],
    );
}

#[test]
fn quantifiers() {
    check(&[
        (b"a*", b"aaa", Some((0, 3))),
        (b"a+?", b"aaa", Some((0, 1))),
        (b"a??b", b"ab", Some((0, 2))),
        (b"a{2}", b"aaa", Some((0, 2))),
        (b"a{2,}", b"aaa", Some((0, 3))),
        (b"a{1,2}?", b"aaa", Some((0, 1))),
        (b"a{0}b", b"ab", Some((1, 2))),
        (b"(?U)a+", b"aaa", Some((0, 1))),
        (b"(?U)a+?", b"aaa", Some((0, 3))),
        (b"(?:ab){2}", b"abab", Some((0, 4))),
        (b"(?x) a b + # b's", b"abb", Some((0, 3))),
        (b"(?x)a\\ [ b]", b"a  ", Some((0, 3))),
        (b"(?x)a\x85b", b"ab", Some((0, 2))),
        (b"(?xx)[a b]+", b"a b", Some((0, 1))),
        (b"(?x)\\Qa b\\E", b"a b", Some((0, 3))),
        (b"(?x-x)a b", b"a b", Some((0, 3))),
        (b"a(?#comment)+", b"aa", Some((0, 2))),
        (b"a|ab", b"ab", Some((0, 1))),
        (b"(?:|a)+", b"aaa", Some((0, 0))),
    ]);
}

#[test]
fn groups() {
    let mut scratch = Scratch::new();
    let mut slots = Vec::new();
    let mut captures = |source: &[u8], hay: &[u8]| {
        let pattern = Pattern::new(source, Dialect::default()).unwrap();
        assert!(pattern.captures(hay, &mut scratch, &mut slots));
        assert_eq!(slots.len(), pattern.group_count() + 1);
        slots
            .iter()
            .map(|slot| {
                slot.clone()
                    .map(|range| hay[range].escape_ascii().to_string())
            })
            .map(|group| group.unwrap_or("-".to_owned()))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(captures(b"(?P<a>x)(?<b>y)(?'c'z)", b"xyz"), "xyz x y z");
    assert_eq!(captures(b"(?:a)(b)|(c)", b"c"), "c - c");
    assert_eq!(captures(b"(?n)(a)(?<b>b)", b"ab"), "ab b");
    assert_eq!(captures(b"(?|a(b)|c(d)(e))(f)", b"abf"), "abf b - f");
    assert_eq!(captures(b"(?|a(b)|c(d)(e))(f)", b"cdef"), "cdef d e f");
    assert_eq!(captures(br"(foo\b|fo)(o)?", b"foox"), "foo fo o");
    assert_eq!(captures(br"(a\Z)", b"a\n"), "a a");
    assert_eq!(captures(br"(a\Kb)(c)", b"abc"), "bc ab c");
    assert_eq!(captures(b"(a){0}(b)?c", b"c"), "c - -");
    assert_eq!(captures(b"(*NO_JIT)(*LIMIT_MATCH=10)(a)(?C1)", b"a"), "a a");
    assert_eq!(captures(b"(?J)(?<n>a)|(?<n>b)", b"b"), "b - b");
    assert_eq!(captures(b"((a)|b)+", b"ab"), "ab b a");
}

#[test]
fn atomic_parts_that_are_only_hints() {
    check(&[
        (br"a\s*+b", b"a  b", Some((0, 4))),
        (br"\s++", b"  ", Some((0, 2))),
        (br"\d++$", b"12", Some((0, 2))),
        (br"[^\]]++\]", b"ab]", Some((0, 3))),
        (br"(?>abc)d", b"abcd", Some((0, 4))),
        (br"(?>\s+)x", b" x", Some((0, 2))),
        (br"(?:a++b)*c", b"aabc", Some((0, 4))),
        (br"(?>ab|cd)x", b"cdx", Some((0, 3))),
        (br"(?>abc|ab)x", b"abx", Some((0, 3))),
    ]);
}

#[test]
fn parts_that_need_backtracking() {
    for (source, offset) in [
        (&b"x(?=a)"[..], 1),
        (b"(?!a)", 0),
        (b"(?<=a)b", 0),
        (b"(?<!a)b", 0),
        (b"a(*nla:b)", 1),
        (br"(a)\1", 3),
        (br"(a)\g{-1}", 3),
        (br"(?<n>a)\k<n>", 7),
        (b"(?<n>a)(?P=n)", 7),
        (b"(a)?(?(1)b|c)", 4),
        (b"(?>a|ab)c", 0),
        (b"a++a", 1),
        (b"a?+a", 1),
        (br"\s*+\s", 2),
        (br"\s*+\b", 2),
        (br"\s*+\Z", 2),
        (br"(?:a++){2}", 4),
        (br"\R\n", 0),
        (br"\Ga", 0),
        (b"(?m)^$", 4),
        (br"a\Zb?", 1),
        (br"(?:a\Z)+", 4),
    ] {
        let pattern = Pattern::new(source, Dialect::default()).unwrap();
        let construct = pattern.needs_backtracking();
        assert_eq!(
            construct.map(|construct| construct.offset),
            Some(offset),
            "{pattern:?}: {construct:?}"
        );
    }
    for source in ["a", "(?>abc)d", r"a\s*+b", r"(a)\Z", "(?m)^a"] {
        let pattern = Pattern::new(source.as_bytes(), Dialect::default()).unwrap();
        assert_eq!(pattern.needs_backtracking(), None, "{source}");
    }
}

#[test]
fn parts_without_engine() {
    for (source, offset) in [
        (&b"(a)(?1)"[..], 3),
        (b"(?R)", 0),
        (b"(?<n>a)(?&n)", 7),
        (b"(?<n>a)(?P>n)", 7),
        (b"(a)(?-1)", 3),
        (br"(a)\g<1>", 3),
        (b"a(*COMMIT)b", 1),
        (b"a(*napla:b)", 1),
        (b"(a)(?(R)b)", 3),
    ] {
        let error = error(source);
        let shown = source.escape_ascii();
        assert!(
            error.message.contains("is not supported"),
            "{shown}: {error}"
        );
        assert_eq!(error.offset, Some(offset), "{shown}: {error}");
    }
}

#[test]
fn malformed_patterns() {
    for (source, offset, part) in [
        (&b"a)"[..], 1, "unmatched closing"),
        (b"a(b", 1, "lacks its closing parenthesis"),
        (b"a(?:b", 1, "lacks its closing parenthesis"),
        (b"a[b", 1, "lacks its closing bracket"),
        (b"[]", 0, "lacks its closing bracket"),
        (b"[z-a]", 1, "out of order"),
        (b"[a--b]x", 1, "out of order"),
        (b"*a", 0, "quantifier"),
        (b"a**", 2, "quantifier"),
        (b"a|+", 2, "quantifier"),
        (b"^*", 1, "quantifier"),
        (br"\b+", 2, "quantifier"),
        (b"(?i)?", 4, "quantifier"),
        (b"(*a)", 0, "not supported"),
        (b"a{2,1}", 1, "out of order"),
        (b"a{65536}", 1, "above 65535"),
        (b"a\\", 1, "backslash"),
        (br"\x{100}", 0, "above 255"),
        (br"\x{}", 0, "digits"),
        (br"\x{4", 0, "digits"),
        (br"\o{9}", 0, "digits"),
        (br"\400", 0, "above 255"),
        (br"\p{L}", 0, "Unicode"),
        (br"a\y", 1, "no meaning"),
        (br"[\R]", 1, "not allowed in a class"),
        (b"[[:foo:]]", 1, "unknown"),
        (b"[[.a.]]", 1, "collating"),
        (b"a[:alpha:]", 1, "outside a bracketed class"),
        (b"(?<1a>b)", 3, "start with a letter"),
        (b"(?<a>b)(?<a>c)", 10, "same name"),
        (b"(?<a", 4, "lacks its end"),
        (b"(?q)", 2, "unknown option"),
        (b"a(?#b", 1, "comment"),
        (b"(*UTF8)a", 0, "not supported"),
        (b"(?", 2, "ends after"),
        (b"\xFF\xFE(", 2, "closing parenthesis"),
        (br"(a)\2", 3, "does not exist"),
        (br"\g{-1}(a)", 0, "does not exist"),
        (br"\k<n>", 0, "does not exist"),
        (br"\k1", 0, "must be followed by a name"),
        (br"\g", 0, "must be followed by a number"),
        (br"(a)\g{1", 7, "closing brace"),
        (b"(?(2)a)(b)", 2, "does not exist"),
        (b"(a)(?(1)a|b|c)", 3, "more than two branches"),
        (b"(?(DEFINE)a|b)", 0, "more than one branch"),
        (b"(?(?:a)b)", 2, "must be an assertion"),
        (b"(a)(?(1a)", 7, "closing parenthesis"),
        (b"x(?<=a*)b", 1, "different lengths"),
        (b"(?<=a(b|cd))", 0, "different lengths"),
        (br"(a)(?<=\1)", 3, "different lengths"),
        (br"(?=a\K)", 4, "not allowed in an assertion"),
        (b"(?=a", 0, "closing parenthesis"),
    ] {
        let error = error(source);
        let shown = source.escape_ascii();
        assert!(error.message.contains(part), "{shown}: {error}");
        assert_eq!(error.offset, Some(offset), "{shown}: {error}");
    }
}

#[test]
fn limits() {
    let mut scratch = Scratch::new();
    assert!(error(&nested(101)).message.contains("nested deeper"));
    assert!(error(b"(?:a{1000}){1000}").message.contains("too large"));
    let long = b"a|".repeat(20_000);
    assert!(
        Pattern::new(&long, Dialect::default())
            .unwrap()
            .is_match(b"", &mut scratch)
    );
}

/// The deepest pattern, on the stack that a wasm module has, in a build that needs much of it.
#[test]
fn nesting_fits_the_stack() {
    let work = || {
        let pattern = Pattern::new(&nested(100), Dialect::default()).unwrap();
        let mut builder = PrefilterBuilder::new();
        let slot = builder.add_pattern(&pattern);
        let mut candidates = Candidates::new();
        builder
            .build()
            .candidates(b"ab", Profile::of(b"ab"), &mut candidates);
        let (mut scratch, mut slots) = (Scratch::new(), Vec::new());
        assert!(candidates.contains(slot));
        assert!(pattern.captures(b"xab", &mut scratch, &mut slots));
        assert_eq!((slots.len(), slots[100].clone()), (101, Some(2..3)));
    };
    std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(work)
        .unwrap()
        .join()
        .unwrap();
}

/// Groups in groups, each with branches and repeated.
fn nested(depth: usize) -> Vec<u8> {
    [b"(".repeat(depth), b"a".to_vec(), b"|b)+".repeat(depth)].concat()
}
