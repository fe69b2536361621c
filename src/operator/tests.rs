//! What holds for every member of the table.

use super::*;
use crate::matching::Scratch;

/// Data files for tests: every name names the same contents.
#[derive(Default)]
struct OneFile {
    contents: Vec<u8>,
    lines: Vec<Vec<u8>>,
}

impl DataFiles for OneFile {
    fn read(&mut self, name: &str) -> Result<Vec<u8>, String> {
        if name == "missing" {
            Err("no such file".to_owned())
        } else {
            Ok(self.contents.clone())
        }
    }

    fn dataset(&self, name: &str) -> Option<&[Vec<u8>]> {
        (name != "missing").then_some(&*self.lines)
    }
}

/// Compiles and asks operators.
pub(super) struct Harness {
    files: OneFile,
    phrases: PhrasePool,
    scratch: Scratch,
    rx_cache: RxCache,
    captures: Captures,
    has_macros: bool,
    product: Product,
    geography: Option<Geography>,
}

impl Harness {
    pub(super) fn new() -> Self {
        Self {
            files: OneFile::default(),
            phrases: PhrasePool::new(),
            scratch: Scratch::new(),
            rx_cache: RxCache::new(),
            captures: Captures::new(),
            has_macros: false,
            product: Product::Nothing,
            geography: None,
        }
    }

    fn data(&mut self, data: &[u8]) {
        self.files.contents = data.to_vec();
        self.files.lines = data
            .split(|&byte| byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect();
    }

    pub(super) fn compile(
        &mut self,
        name: &str,
        argument: &[u8],
    ) -> Result<Operator, CompileError> {
        Operator::compile(
            name,
            argument,
            &mut Compile {
                files: &mut self.files,
                phrases: &mut self.phrases,
                dialect: Dialect::default(),
                has_macros: self.has_macros,
            },
        )
    }

    fn eval(
        &mut self,
        operator: &Operator,
        argument: &[u8],
        value: &[u8],
        capture: Capture,
    ) -> bool {
        self.captures.clear();
        operator.eval(
            value,
            argument,
            &mut Eval {
                scratch: &mut self.scratch,
                rx_cache: &mut self.rx_cache,
                capture,
                captures: &mut self.captures,
                macros: &[],
                geography: self.geography.as_ref(),
                product: &mut self.product,
            },
        )
    }

    /// What the operator asked last made.
    pub(super) fn product(&self) -> Product {
        self.product.clone()
    }

    /// Compiles and asks.
    pub(super) fn ask(&mut self, name: &str, argument: &[u8], value: &[u8]) -> bool {
        let operator = self.compile(name, argument).unwrap();
        self.eval(&operator, argument, value, Capture::Groups)
    }

    /// Compiles and asks, and gives the explanation.
    pub(super) fn explain(
        &mut self,
        name: &str,
        argument: &[u8],
        value: &[u8],
        target: &[u8],
    ) -> String {
        let operator = self.compile(name, argument).unwrap();
        assert!(self.eval(&operator, argument, value, Capture::None));
        let text = operator.explain(false, argument, &self.captures, value, target);
        String::from_utf8(text).unwrap()
    }

    fn captured<'a>(&'a self, value: &'a [u8]) -> Vec<&'a [u8]> {
        (0..self.captures.len())
            .map(|at| self.captures.get(at, value).unwrap())
            .collect()
    }
}

fn names(def: &'static Def) -> impl Iterator<Item = &'static str> {
    std::iter::once(def.name).chain(def.aliases.iter().copied())
}

#[test]
fn names_are_unique() {
    let mut seen: Vec<String> = Operator::all()
        .flat_map(names)
        .map(str::to_ascii_lowercase)
        .collect();
    let number = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), number);
}

#[test]
fn every_name_is_found_and_compiles_to_its_member() {
    let mut harness = Harness::new();
    harness.data(b"10.0.0.1\n");
    for def in Operator::all() {
        for name in names(def) {
            assert_eq!(
                Operator::def_by_name(&name.to_ascii_uppercase())
                    .unwrap()
                    .name,
                def.name
            );
            let argument: &[u8] = match def.argument {
                Argument::Addresses => b"10.0.0.1",
                Argument::Special if name == "rsub" => b"s/a/b/",
                Argument::Special => b"us x",
                _ => b"10",
            };
            match (harness.compile(name, argument), def.support) {
                (Ok(operator), Support::Full) => assert_eq!(operator.def().name, def.name),
                (Ok(operator), Support::Sandbox(reason)) => {
                    assert_eq!(operator.def().name, def.name);
                    assert_eq!(operator.sandboxed(), Some(reason));
                    assert!(!harness.eval(&operator, argument, b"10", Capture::Groups));
                }
                (outcome, _) => panic!("{name}: {outcome:?}"),
            }
        }
    }
}

#[test]
fn every_member_is_documented() {
    for def in Operator::all() {
        assert!(
            def.summary.ends_with('.') && def.summary.len() > 10,
            "{}",
            def.name
        );
        assert!(!def.spec.is_empty(), "{}", def.name);
        assert!(
            !def.examples.is_empty() || def.support != Support::Full,
            "{}",
            def.name
        );
    }
}

#[test]
fn examples_hold() {
    for def in Operator::all() {
        for example in def.examples {
            let told = format!("@{} {}", def.name, example.argument.escape_ascii());
            // Macros: the same argument, known only when it is asked for.
            for has_macros in [false, true] {
                if has_macros && !def.macros {
                    continue;
                }
                let mut harness = Harness::new();
                harness.has_macros = has_macros;
                harness.data(example.data);
                let operator = harness.compile(def.name, example.argument).unwrap();
                for capture in [Capture::None, Capture::Whole, Capture::Groups] {
                    let answer = harness.eval(&operator, example.argument, example.value, capture);
                    assert_eq!(answer, example.matches, "{told}");
                }
                if example.matches {
                    assert_eq!(harness.captured(example.value), example.captures, "{told}");
                }
            }
        }
    }
}

#[test]
fn whole_capture_is_the_first_of_the_groups() {
    for def in Operator::all() {
        for example in def.examples.iter().filter(|example| example.matches) {
            let mut harness = Harness::new();
            harness.data(example.data);
            let operator = harness.compile(def.name, example.argument).unwrap();
            harness.eval(&operator, example.argument, example.value, Capture::Whole);
            assert_eq!(
                harness.captured(example.value).first(),
                example.captures.first(),
                "{}",
                def.name
            );
        }
    }
}

#[test]
fn explanations_name_the_target() {
    const SILENT: &[&str] = &["detectSQLi", "detectXSS", "unconditionalMatch"];
    for def in Operator::all() {
        for example in def.examples.iter().filter(|example| example.matches) {
            let mut harness = Harness::new();
            harness.data(example.data);
            let text = harness.explain(def.name, example.argument, example.value, b"ARGS:x");
            assert!(
                text.contains("ARGS:x") || SILENT.contains(&def.name),
                "{text}"
            );
            let operator = harness.compile(def.name, example.argument).unwrap();
            let text = operator.explain(true, example.argument, &Captures::new(), b"", b"ARGS:x");
            let text = String::from_utf8(text).unwrap();
            assert!(
                text.starts_with(&format!("Match of \"{} ", def.name)),
                "{text}"
            );
            assert!(text.ends_with("\" against \"ARGS:x\" required."), "{text}");
        }
    }
}

#[test]
fn explanations_have_the_words_of_version_2() {
    let mut harness = Harness::new();
    for (name, argument, value, told) in [
        ("rx", "a(b)", "xab", "Pattern match \"a(b)\" at ARGS:x."),
        ("ge", "5", "7", "Operator GE matched 5 at ARGS:x."),
        (
            "pm",
            "one two",
            "xTWOx",
            "Matched phrase \"TWO\" at ARGS:x.",
        ),
        (
            "within",
            "a b",
            "b",
            "String match within \"a b\" at ARGS:x.",
        ),
        ("streq", "a", "a", "String match \"a\" at ARGS:x."),
        (
            "ipMatch",
            "10.0.0.0/8",
            "10.0.0.1",
            "IPmatch: \"10.0.0.1\" matched at ARGS:x.",
        ),
        (
            "verifyCC",
            r"\d+",
            "4111111111111111",
            "CC# match \"\\\\d+\" at ARGS:x.",
        ),
        (
            "detectXSS",
            "",
            "<script>",
            "detected XSS using libinjection.",
        ),
        (
            "detectSQLi",
            "",
            "1' OR '1'='1",
            "detected SQLi using libinjection with fingerprint 's&sos'",
        ),
    ] {
        let text = harness.explain(name, argument.as_bytes(), value.as_bytes(), b"ARGS:x");
        assert_eq!(text, told);
    }
}

/// Random arguments and values: whatever happens, it is an answer or an error.
#[test]
fn nothing_panics() {
    let mut random = Random(0x5EED);
    let mut answers = 0u32;
    for def in Operator::all() {
        let arguments: Vec<&[u8]> = def
            .examples
            .iter()
            .map(|example| example.argument)
            .collect();
        for _ in 0..300 {
            let mut harness = Harness::new();
            harness.has_macros = def.macros && random.below(2) == 0;
            let data = random.bytes();
            harness.data(&data);
            let argument = match random.below(4) {
                0 => random.bytes(),
                _ => random.pick(&arguments).map_or(Vec::new(), <[u8]>::to_vec),
            };
            let Ok(operator) = harness.compile(def.name, &argument) else {
                continue;
            };
            for value in [random.bytes(), Vec::new(), b"0".to_vec(), argument.clone()] {
                for capture in [Capture::None, Capture::Whole, Capture::Groups] {
                    let other = random.bytes();
                    for argument in [&argument, &other, &Vec::new()] {
                        harness.eval(&operator, argument, &value, capture);
                        operator.explain(false, argument, &harness.captures, &value, &argument[..]);
                        answers += 1;
                    }
                }
            }
        }
    }
    assert!(answers > 10_000);
}

#[test]
fn captures_do_not_change_the_answer() {
    let mut random = Random(7);
    for def in Operator::all() {
        for example in def.examples {
            let mut harness = Harness::new();
            harness.data(example.data);
            let operator = harness.compile(def.name, example.argument).unwrap();
            for _ in 0..50 {
                let mut value = example.value.to_vec();
                value.extend(random.bytes());
                let plain = harness.eval(&operator, example.argument, &value, Capture::None);
                for capture in [Capture::Whole, Capture::Groups] {
                    assert_eq!(
                        harness.eval(&operator, example.argument, &value, capture),
                        plain
                    );
                }
            }
        }
    }
}

#[test]
fn unknown_names_are_told_with_a_suggestion() {
    let mut harness = Harness::new();
    let error = harness.compile("containz", b"x").unwrap_err();
    assert_eq!(
        error.kind,
        CompileErrorKind::Unknown {
            suggestion: Some("contains")
        }
    );
    let error = harness.compile("validateurlencodng", b"").unwrap_err();
    assert_eq!(
        error.kind,
        CompileErrorKind::Unknown {
            suggestion: Some("validateUrlEncoding")
        }
    );
    for name in ["", "zzzzzz", &"x".repeat(1000)] {
        let error = harness.compile(name, b"x").unwrap_err();
        assert_eq!(
            error.kind,
            CompileErrorKind::Unknown { suggestion: None },
            "{name}"
        );
    }
}

#[test]
fn files_and_data_sets_that_are_missing_are_told() {
    let mut harness = Harness::new();
    for (name, argument, kind) in [
        ("pmFromFile", &b"missing"[..], CompileErrorKind::File),
        ("pmFromFile", b"present missing", CompileErrorKind::File),
        ("pmFromFile", b"https://list/", CompileErrorKind::File),
        ("pmFromFile", b"  ", CompileErrorKind::Argument),
        ("ipMatchFromFile", b"missing", CompileErrorKind::File),
        ("pmFromDataset", b"missing", CompileErrorKind::Dataset),
        ("ipMatchFromDataset", b"missing", CompileErrorKind::Dataset),
        ("ipMatch", b"10.0.0.1,x", CompileErrorKind::Argument),
        ("rx", b"(", CompileErrorKind::BadRegex),
        ("validateNid", b"de \\d+", CompileErrorKind::Argument),
        ("validateNid", b"us (", CompileErrorKind::BadRegex),
    ] {
        let error = harness.compile(name, argument).unwrap_err();
        assert_eq!(error.kind, kind, "{name} {}", argument.escape_ascii());
    }
    harness.data(b"10.0.0.1\nten\n");
    assert_eq!(
        harness.compile("ipMatchFromFile", b"f").unwrap_err().kind,
        CompileErrorKind::File
    );
}

#[test]
fn operators_stay_small() {
    assert!(size_of::<Operator>() <= 5 * size_of::<usize>() + 16);
}

/// Numbers that look random and are the same in every run (xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next().checked_rem(limit).unwrap_or(0)
    }

    fn pick<'a>(&mut self, from: &[&'a [u8]]) -> Option<&'a [u8]> {
        let number = u64::try_from(from.len()).unwrap().max(1);
        from.get(usize::try_from(self.below(number)).unwrap())
            .copied()
    }

    fn bytes(&mut self) -> Vec<u8> {
        const SIGNS: &[u8] = b"<>'\"`%&#;=/*-+(){}[]|\\ \0\xFFaAxX019.,:@$\n";
        let length = self.below(40);
        (0..length)
            .map(|_| match self.below(3) {
                0 => u8::try_from(self.below(256)).unwrap(),
                _ => {
                    SIGNS[usize::try_from(self.below(u64::try_from(SIGNS.len()).unwrap())).unwrap()]
                }
            })
            .collect()
    }
}
