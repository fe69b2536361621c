//! Transformations and operators on any value with any argument, alone and through the engine.
//!
//! The input: what is done; then, for transformations, how many and which; for operators, which, and
//! a line with the argument; then the value.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use parapet::bytes::Profile;
use parapet::compile::{NoFiles, compile};
use parapet::matching::{Candidates, Dialect, PhrasePool, PrefilterBuilder, Scratch};
use parapet::operator::{
    Argument, Capture, Captures, Compile, DataFiles, Def, Eval, Operator, Product, RxCache, Support,
};
use parapet::transform::{Context, Outcome, Transformation, TransformationSet, UnicodeMap};
use parapet_fuzz::input::{Input, states};
use parapet_fuzz::meaning;
use parapet_fuzz::measure::bounded;
use parapet_fuzz::seeds::{self, Seeds, TEXTS};
use parapet_fuzz::waf::{Exchange, variants};

fuzz_target!(init: seeds::offer(offer), |data: &[u8]| run(data));

/// The most states of a pattern times bytes of the value.
const WORK: usize = 512 << 10;

/// Longest value that goes to the next step of a chain.
const LONGEST: usize = 64 << 10;

fn run(data: &[u8]) {
    let mut input = Input(data);
    match input.byte() % 4 {
        0 => transformations(input),
        1 | 2 => operator(input),
        _ => rule(input),
    }
}

fn time(bytes: usize) -> Duration {
    Duration::from_millis(20) + Duration::from_micros(2) * u32::try_from(bytes).unwrap()
}

/// A chain: each step does what its entry in the table promises.
fn transformations(mut input: Input<'_>) {
    use Transformation as T;
    let (count, how) = (1 + input.below(4), input.byte());
    let chain: Vec<T> = (0..count)
        .map(|_| T::ALL[input.below(T::ALL.len())])
        .collect();
    let map = UnicodeMap::new([(0x0131, b'i'), (0xFF0F, b'/'), (0x2028, b'\n')]);
    let context = Context {
        unicode_map: (how & 1 == 1).then_some(&map),
    };
    let mut value = input.rest(how);
    for one in chain {
        if value.len() > LONGEST {
            return;
        }
        value = transform(one, &value, context);
    }
}

fn transform(one: Transformation, value: &[u8], context: Context<'_>) -> Vec<u8> {
    let def = one.def();
    let name = def.name;
    let mut output = vec![b'?'; 3];
    let outcome = bounded(
        name,
        4096 + 4 * def.growth.bound(value.len()),
        time(value.len()),
        || one.apply(value, &mut output, context),
    );
    if outcome == Outcome::Unchanged {
        assert!(output.is_empty(), "{name}: {value:?}");
        return value.to_vec();
    }
    assert!(output != value, "{name}: not changed: {value:?}");
    let acting = TransformationSet::acting_on(Profile::of(value));
    assert!(acting.contains(one), "{name}: {value:?}");
    assert!(
        output.len() <= def.growth.bound(value.len()),
        "{name}: {value:?}"
    );
    meaning::check(one, value, &output, context);
    output
}

/// Every name names the same contents.
struct OneFile(Vec<u8>, Vec<Vec<u8>>);

impl DataFiles for OneFile {
    fn read(&mut self, _: &str) -> Result<Vec<u8>, String> {
        Ok(self.0.clone())
    }

    fn dataset(&self, _: &str) -> Option<&[Vec<u8>]> {
        Some(&self.1)
    }
}

fn operators() -> Vec<&'static Def> {
    Operator::all()
        .filter(|def| def.support == Support::Full)
        .collect()
}

/// What asking needs.
struct Asking {
    scratch: Scratch,
    rx_cache: RxCache,
    captures: Captures,
}

impl Asking {
    fn new() -> Self {
        Self {
            scratch: Scratch::new(),
            rx_cache: RxCache::new(),
            captures: Captures::new(),
        }
    }

    fn ask(
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
                geography: None,
                product: &mut Product::default(),
            },
        )
    }
}

fn compiled(def: &Def, argument: &[u8], has_macros: bool, dialect: Dialect) -> Option<Operator> {
    // What stands in files and data sets of the argument's name: the argument itself.
    let lines = argument
        .split(|&byte| byte == b',')
        .map(<[u8]>::to_vec)
        .collect();
    let mut files = OneFile(
        argument
            .split(|&byte| byte == b',')
            .collect::<Vec<_>>()
            .join(&b'\n'),
        lines,
    );
    let mut compile = Compile {
        files: &mut files,
        phrases: &mut PhrasePool::new(),
        dialect,
        has_macros,
    };
    let operator = bounded(def.name, 64 << 20, Duration::from_secs(1), || {
        Operator::compile(def.name, argument, &mut compile)
    });
    if let Err(error) = &operator {
        assert!(
            error.offset.is_none_or(|offset| offset <= argument.len()),
            "{error:?}"
        );
        assert!(!error.message.is_empty());
    }
    operator.ok()
}

fn operator(mut input: Input<'_>) {
    let all = operators();
    let def = all[input.below(all.len())];
    let how = input.byte();
    let argument = input.line();
    let dialect = Dialect {
        case_insensitive: how & 2 != 0,
        ..Dialect::default()
    };
    // The argument as it is, or as it would come from macros.
    let expanded = how & 1 == 1 && def.macros;
    let Some(operator) = compiled(def, argument, expanded, dialect) else {
        return;
    };
    let mut value = input.rest(how);
    if matches!(def.argument, Argument::Pattern | Argument::Special) {
        value.truncate(WORK / states(argument));
    }
    let mut asking = Asking::new();
    let steps = how >= 0x80 && def.argument == Argument::Pattern;
    if steps {
        asking.scratch.set_step_limit(1000);
    }
    // Patterns have a target of their own; here they are bounded roughly.
    let time = match def.argument {
        Argument::Pattern | Argument::Special => Duration::from_secs(2),
        _ => time(value.len() + argument.len()),
    };
    let answer = bounded(def.name, 64 << 20, time, || {
        asking.ask(&operator, argument, &value, Capture::None)
    });
    let limited = asking.scratch.take_limit_exceeded();
    for capture in [Capture::Whole, Capture::Groups, Capture::None] {
        let again = asking.ask(&operator, argument, &value, capture);
        let limited = asking.scratch.take_limit_exceeded() || limited;
        assert!(again == answer || limited, "{}, {capture:?}", def.name);
        if again {
            for index in 0..asking.captures.len() {
                assert!(asking.captures.get(index, &value).is_some());
            }
            let _ = operator.explain(false, argument, &asking.captures, &value, b"ARGS:x");
        }
    }
    let _ = operator.explain(true, argument, &asking.captures, &value, b"ARGS:x");
    if answer {
        passes_prefilter(&operator, &value);
    }
    if let Some(wanted) = simply(def.name, argument, &value) {
        assert_eq!(answer, wanted, "@{} {argument:?} on {value:?}", def.name);
    }
}

/// What matches is a candidate, alone and beside others.
fn passes_prefilter(operator: &Operator, value: &[u8]) {
    let mut builder = PrefilterBuilder::new();
    let Some(slot) = operator.add_to(&mut builder) else {
        return;
    };
    let mut candidates = Candidates::new();
    builder
        .build()
        .candidates(value, Profile::of(value), &mut candidates);
    assert!(candidates.contains(slot), "{operator:?} on {value:?}");
    assert!(candidates.iter().eq([slot]));
}

/// The answers of operators that a line can state.
fn simply(name: &str, argument: &[u8], value: &[u8]) -> Option<bool> {
    let holds = |whole: &[u8], part: &[u8]| {
        part.is_empty() || whole.windows(part.len()).any(|window| window == part)
    };
    Some(match name {
        "contains" | "strmatch" => holds(value, argument),
        "within" => holds(argument, value),
        "streq" => argument == value,
        "beginsWith" => value.starts_with(argument),
        "endsWith" => value.ends_with(argument),
        "unconditionalMatch" => true,
        "noMatch" => false,
        _ => return None,
    })
}

/// A rule: the engine finds what its parts find one by one, with and without shortcuts.
fn rule(mut input: Input<'_>) {
    use Transformation as T;
    let all = operators();
    let def = all[input.below(all.len())];
    let (flags, count) = (input.byte(), input.below(4));
    let chain: Vec<T> = (0..count)
        .map(|_| T::ALL[input.below(T::ALL.len())])
        .collect();
    let argument = input.line();
    let value = input.0;
    let plain = argument
        .iter()
        .all(|&byte| (b' '..=b'~').contains(&byte) && !b"\"\\%`".contains(&byte));
    if !plain
        || argument.trim_ascii() != argument
        || matches!(def.argument, Argument::File | Argument::Dataset)
    {
        return;
    }
    let Some(operator) = compiled(def, argument, false, Dialect::default()) else {
        return;
    };
    let (negated, multi, capture) = (flags & 1 == 1, flags & 2 == 2, flags & 4 == 4);
    let steps: String = chain
        .iter()
        .map(|one| format!(",t:{}", one.def().name))
        .collect();
    let text = format!(
        "SecRuleEngine On\nSecPcreMatchLimit 100000\nSecRule ARGS:a \"{}@{} {}\" \"id:1,phase:1,pass,log,t:none{steps}{}{}\"\n\
         SecRule ARGS \"@rx (?i)(select|<scr|\\.\\./)\" \"id:2,phase:1,pass,log,t:none{steps}\"\n\
         SecRule TX:MSC_PCRE_LIMITS_EXCEEDED \"@eq 1\" \"id:3,phase:1,pass,log\"\n",
        if negated { "!" } else { "" },
        def.name,
        String::from_utf8_lossy(argument),
        if multi { ",multiMatch" } else { "" },
        if capture {
            ",capture,setvar:tx.found=%{tx.0}"
        } else {
            ""
        },
    );
    let compiled = compile(
        &[("values.conf".to_owned(), text.clone().into_bytes())],
        &NoFiles,
    );
    let program = compiled
        .program
        .unwrap_or_else(|| panic!("{text}: {:?}", compiled.diagnostics));

    let mut target = b"/?b=c&a=".to_vec();
    target.extend(
        value
            .iter()
            .flat_map(|byte| format!("%{byte:02X}").into_bytes()),
    );
    let exchange = Exchange {
        method: b"GET",
        target: &target,
        headers: &[],
        body: Vec::new(),
        response: Vec::new(),
    };
    let outcomes = variants(&program).map(|waf| exchange.run(&waf));
    let limited =
        |outcome: &parapet_fuzz::waf::Outcome| outcome.matches.iter().any(|one| one.rule_id == 3);
    let [outcome, others @ ..] = &outcomes;
    for other in others {
        assert!(
            outcome == other || limited(other),
            "{text}: {outcome:?}, {other:?}"
        );
    }

    let context = Context::default();
    let mut values = vec![value.to_vec()];
    for one in chain {
        let last = values.last().unwrap();
        let mut output = Vec::new();
        if one.apply(last, &mut output, context) == Outcome::Changed {
            values.push(output);
        }
    }
    if !multi {
        values = values.split_off(values.len() - 1);
    }
    let mut asking = Asking::new();
    // There is no database and ARGS is no stream: such an operator says neither yes nor no.
    let never = operator.sandboxed().is_some() || operator.needs_geography() || operator.replaces();
    let found = values
        .iter()
        .filter(|_| !never)
        .filter(|value| asking.ask(&operator, argument, value, Capture::None) != negated)
        .count();
    let said = outcome
        .matches
        .iter()
        .filter(|one| one.rule_id == 1)
        .count();
    let exceeded = asking.scratch.take_limit_exceeded() || limited(outcome);
    assert!(
        found == said || exceeded,
        "{text} on {value:?}: {said} matches, not {found}"
    );
}

fn offer(seeds: &mut Seeds) {
    for (index, one) in (0u8..).zip(Transformation::ALL) {
        let def = one.def();
        for example in def.examples {
            for how in [0, 1, 0xE6] {
                seeds.input(&[&[0, 0, how, index], example.input]);
            }
        }
        for text in TEXTS {
            seeds.input(&[&[0, 3, 0, index, 24, 5, 12], text]);
            seeds.input(&[&[0, 1, 0xF7, index, index], text]);
        }
    }
    for (index, def) in (0u8..).zip(operators()) {
        for example in def.examples {
            let argument = if example.data.is_empty() {
                example.argument
            } else {
                example.data
            };
            let argument: Vec<u8> = argument
                .iter()
                .map(|&byte| if byte == b'\n' { b',' } else { byte })
                .collect();
            for how in [0, 1, 2, 0xEB] {
                seeds.input(&[&[1, index, how], &argument, b"\n", example.value]);
            }
            for flags in 0..8 {
                seeds.input(&[
                    &[3, index, flags, 2, 12, 30],
                    &argument,
                    b"\n",
                    example.value,
                ]);
            }
        }
        for text in TEXTS {
            seeds.input(&[&[1, index, 0xF3], b"a b,c\n", text]);
        }
    }
    seeds.words([
        "%u0041",
        "%41",
        "&#x41;",
        "&#65;",
        "&lt;",
        "&nbsp;",
        "\\x41",
        "\\u0041",
        "\\101",
        "/*",
        "*/",
        "-->",
        "<!--",
        "--",
        "#",
        "/./",
        "/../",
        "\\",
        "0x41",
        "\r\n",
        "\u{a0}",
        "=",
        "==",
        "a|41 42|b",
        "1-255",
        "192.168.0.0/16",
        "::1/128",
        "select",
        "union",
        "' or 1=1",
        "<script",
        "javascript:",
        "onerror=",
        "4111 1111 1111 1111",
        "123-45-6789",
        "123.456.789-09",
        "(?i)",
        "\\b",
        "[^a]",
        "$",
        "cl ",
    ]);
}
