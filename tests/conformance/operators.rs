//! The operators of the SecLang language tests.

use parapet::matching::{Dialect, PhrasePool, Scratch};
use parapet::operator::{
    Capture, Captures, Compile, CompileErrorKind, DataFiles, Eval, Operator, Product, RxCache,
    Support,
};
use serde::Deserialize;

use super::json;
use super::runner::{NO_DIVERGENCES, Run, Suite};

pub const SUITE: Suite = Suite {
    name: "operators",
    load: |directory| json::load(directory, prepare),
    divergences: NO_DIVERGENCES,
    whole: true,
};

/// One question and its answer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    /// The value; [`json::unescape`] gives its bytes.
    input: String,
    /// The operator's argument, as it is.
    #[serde(default)]
    param: String,
    /// 1 if the operator matches.
    ret: u8,
    /// What it captures, the whole match first.
    re_groups: Option<Vec<String>>,
    /// What the case cannot do without, such as a GeoIP database. The not-yet list names the
    /// members that need one.
    #[serde(rename = "resource")]
    _resource: Option<String>,
}

fn prepare(case: Case) -> Result<Option<Run>, String> {
    if case.kind != "op" {
        return Err(format!("of type {}, not op", case.kind));
    }
    let Some(def) = Operator::def_by_name(&case.name) else {
        return Ok(None);
    };
    if def.support != Support::Full {
        return Ok(None);
    }
    Ok(Some(Box::new(move || check(&case).into())))
}

fn check(case: &Case) -> Result<(), String> {
    let value = json::unescape(&case.input);
    let argument = case.param.as_bytes();
    let told = format!("@{} {} on {}", case.name, case.param, value.escape_ascii());
    let compiled = Operator::compile(
        &case.name,
        argument,
        &mut Compile {
            files: &mut Lists,
            phrases: &mut PhrasePool::new(),
            dialect: Dialect::default(),
            has_macros: false,
        },
    );
    let operator = match compiled {
        Ok(operator) => operator,
        // The runner that the data was made for asks operators that refused their argument, and
        // they do not match.
        Err(error) if error.kind == CompileErrorKind::Argument && case.ret == 0 => return Ok(()),
        Err(error) => return Err(format!("{told}: {error}")),
    };
    for capture in [Capture::None, Capture::Whole, Capture::Groups] {
        let mut captures = Captures::new();
        let answer = operator.eval(
            &value,
            argument,
            &mut Eval {
                scratch: &mut Scratch::new(),
                rx_cache: &mut RxCache::new(),
                capture,
                captures: &mut captures,
                macros: &[],
                geography: None,
                product: &mut Product::default(),
            },
        );
        if answer != (case.ret == 1) {
            return Err(format!("{told} gives {answer} with capture {capture:?}"));
        }
        if let (Capture::Groups, Some(groups)) = (capture, &case.re_groups) {
            let captured: Vec<_> = (0..captures.len())
                .map(|at| {
                    captures
                        .get(at, &value)
                        .unwrap_or(b"?")
                        .escape_ascii()
                        .to_string()
                })
                .collect();
            let groups: Vec<_> = groups
                .iter()
                .map(|group| json::unescape(group).escape_ascii().to_string())
                .collect();
            // Of @rxGlobal the cases list the first captures only.
            let all = !case.name.eq_ignore_ascii_case("rxGlobal");
            if !captured.starts_with(&groups) || (all && captured.len() != groups.len()) {
                return Err(format!(
                    "{told} captures {captured:?} instead of {groups:?}"
                ));
            }
        }
    }
    Ok(())
}

/// The only data file that the cases name does not come with them. By their answers it lists
/// `def` and something that stands in `xxx yyy zzz`, but neither in `xxx yyy` nor in `xxxyyyzzz`.
struct Lists;

impl DataFiles for Lists {
    fn read(&mut self, name: &str) -> Result<Vec<u8>, String> {
        match name.rsplit('/').next() {
            Some("pmFromFile-01.dat") => Ok(b"abc\ndef\nghi\nyyy zzz\n".to_vec()),
            _ => Err("no such file".to_owned()),
        }
    }

    fn dataset(&self, _: &str) -> Option<&[Vec<u8>]> {
        None
    }
}
