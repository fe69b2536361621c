//! Rules whose outcome is known are not evaluated: nothing else may come of it.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "small numbers under random choices"
)]

use std::fmt::Write as _;

use super::*;
use crate::program::Program;

/// Everything that can be told of a transaction after a step.
type Seen = (
    Option<Interruption>,
    Vec<RuleMatch>,
    Vec<(Vec<u8>, Vec<u8>)>,
    u32,
);

/// A rule set with and without what is known of it.
struct Both([Rc<Waf>; 2]);

impl Both {
    fn new(program: &Arc<Program>) -> Self {
        Self([false, true].map(|folding| {
            let ablation = Ablation {
                folding,
                ..Ablation::default()
            };
            Waf::ablated(Arc::clone(program), Rc::new(Noon), ablation)
        }))
    }

    /// Takes a request through its phases, up to one: what was seen, with both.
    fn run(&self, target: &str, phases: usize) -> [(Vec<Seen>, Record); 2] {
        self.0.each_ref().map(|waf| {
            let mut transaction = Transaction::new(waf, Connection::default());
            let mut seen = Vec::new();
            let response = ResponseHead {
                status: 200,
                protocol: b"HTTP/1.1",
                headers: &[(b"content-type", b"text/html")],
            };
            for phase in 1..=phases {
                let _ = match phase {
                    1 => transaction.request_head(&head(target, &[])),
                    2 => transaction.end_request_body(),
                    3 => transaction.response_head(&response),
                    _ => transaction.end_response_body(),
                };
                seen.push(look(&mut transaction));
            }
            let record = transaction.finish();
            seen.push(look(&mut transaction));
            (seen, record)
        })
    }

    fn check(&self, target: &str, phases: usize, rules: &str) {
        let [(with, record), (without, other)] = self.run(target, phases);
        assert_eq!(with, without, "{target} {phases}\n{rules}");
        let told = |record: &Record| {
            (
                record.highest_severity,
                record.audit,
                record.masks.clone(),
                record.engine,
            )
        };
        assert_eq!(told(&record), told(&other), "{target} {phases}\n{rules}");
    }
}

fn look(transaction: &mut Transaction) -> Seen {
    (
        transaction.interruption().cloned(),
        transaction.drain_matches(),
        transaction.tx_variables(),
        transaction.pause(),
    )
}

fn program(rules: &str) -> Arc<Program> {
    let text = format!("SecRuleEngine On\nSecResponseBodyAccess On\n{rules}");
    let compiled = compile(&[("test.conf".into(), text.into_bytes())], &NoFiles);
    compiled
        .program
        .unwrap_or_else(|| panic!("{rules}\n{:?}", compiled.diagnostics))
}

/// Rules under random choices: what sets and asks variables of TX, and all that may come between.
struct Random {
    state: u64,
    /// Whether rules read what others matched: little is left out then.
    reads_matches: bool,
}

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state >> 33).unwrap() % limit
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    fn name(&mut self) -> &'static str {
        self.pick(&["a", "b", "c", "d", "n1"])
    }

    fn change(&mut self) -> String {
        let name = self.name();
        let value = self.pick(&["0", "1", "2", "", "+1", "-1", "1", "b"]);
        match self.below(16) {
            0 => format!("setvar:!tx.{name}"),
            1 => format!("setvar:tx.{name}=%{{tx.{}}}", self.name()),
            2 => format!("setvar:tx.{name}=+%{{tx.{}}}", self.name()),
            3 => format!("setvar:tx.{name}=%{{ARGS.q}}"),
            4 => format!("setvar:tx.%{{tx.{name}}}={value}"),
            5 => format!("setvar:tx.n%{{ARGS.q}}={value}"),
            6 if self.reads_matches => format!("setvar:tx.{name}=%{{MATCHED_VAR}}"),
            7 => format!("setvar:tx.{}=x{}", name, "y".repeat(300)),
            8 => format!("setvar:tx.{name}=%{{rule.id}}"),
            _ => format!("setvar:tx.{name}={value}"),
        }
    }

    fn question(&mut self) -> String {
        let name = self.name();
        let number = self.below(3);
        let not = if self.one_in(4) { "!" } else { "" };
        let comparison = self.pick(&["@eq", "@ge", "@lt", "@streq", "@within", "@contains", "@rx"]);
        match self.below(14) {
            0..=3 => format!("&TX:{name} \"{not}@eq {number}\""),
            4..=7 => format!("TX:{name} \"{not}{comparison} {number}\""),
            8 => format!("TX:{name}|TX:{} \"{not}@eq {number}\"", self.name()),
            9 => format!("TX:{name} \"{not}@eq %{{tx.{}}}\"", self.name()),
            10 => format!("TX:/^[a{name}]/ \"{not}@eq {number}\""),
            11 if self.reads_matches => format!("MATCHED_VAR \"{not}@eq {number}\""),
            12 => format!("&TX \"{not}@ge {number}\""),
            _ => format!("ARGS:q \"{not}@ge {number}\""),
        }
    }

    fn rule(&mut self, id: usize, ids: usize, text: &mut String) {
        let phase = self.below(5) + 1;
        let mut actions = vec![format!("id:{id},phase:{phase}")];
        actions.push(if self.one_in(3) { "log" } else { "nolog" }.into());
        let decisions = ["deny", "allow", "allow:phase", "allow:request", "block"];
        actions.push(if phase < 5 && self.one_in(12) {
            self.pick(&decisions).into()
        } else {
            "pass".into()
        });
        for _ in 0..self.below(3) {
            actions.push(self.change());
        }
        match self.below(10) {
            0 | 1 => actions.push(format!("skipAfter:M{}", self.below(4))),
            2 => actions.push(format!("skip:{}", self.below(3) + 1)),
            _ => {}
        }
        let other = self.below(ids) + 1;
        match self.below(40) {
            0 => actions.push(format!("ctl:ruleRemoveById={other}")),
            1 => actions.push(format!("ctl:ruleRemoveTargetById={other};TX")),
            2 => actions.push(format!(
                "ctl:ruleRemoveTargetById={other};TX:{}",
                self.name()
            )),
            3 => actions.push("ctl:ruleEngine=DetectionOnly".into()),
            4 => actions.push("ctl:ruleEngine=Off".into()),
            5 => actions.push("severity:2".into()),
            6 | 7 | 14..=17 => actions.push("capture".into()),
            13 => actions.push("multiMatch,t:length".into()),
            8 if self.reads_matches => actions.push("sanitiseMatched".into()),
            9 if self.reads_matches => {
                actions.push("logdata:'%{MATCHED_VAR} %{MATCHED_VAR_NAME} %{tx.a}'".into())
            }
            10 => actions.push("t:length".into()),
            11 => actions.push("setenv:x=%{tx.a}".into()),
            12 => actions.push("auditlog".into()),
            _ => {}
        }
        let links = if self.one_in(4) { self.below(2) + 1 } else { 0 };
        for link in 0..=links {
            if link > 0 {
                actions = (0..self.below(2)).map(|_| self.change()).collect();
            }
            if link < links {
                actions.push("chain".into());
            }
            let actions = match actions.is_empty() {
                true => String::new(),
                false => format!(" \"{}\"", actions.join(",")),
            };
            if self.one_in(3) && !actions.is_empty() {
                writeln!(text, "SecAction{actions}").unwrap();
            } else {
                writeln!(text, "SecRule {}{actions}", self.question()).unwrap();
            }
        }
    }

    fn rules(&mut self) -> String {
        self.reads_matches = self.one_in(4);
        let count = self.below(14) + 2;
        let mut text = String::new();
        for id in 1..=count {
            self.rule(id, count, &mut text);
            if self.one_in(3) {
                writeln!(text, "SecMarker M{}", self.below(4)).unwrap();
            }
        }
        text
    }
}

#[test]
fn random_rules_come_to_the_same() {
    let mut random = Random {
        state: 0x9E37_79B9_7F4A_7C15,
        reads_matches: false,
    };
    let (mut folds, mut assignments) = (0, 0);
    for _ in 0..4000 {
        let rules = random.rules();
        let program = program(&rules);
        let runs = program.phases.iter().flat_map(|phase| &phase.entries);
        for fold in runs.filter_map(|entry| entry.fold.as_ref()) {
            folds += 1;
            assignments += program.constants.assignments(fold).len();
        }
        let both = Both::new(&program);
        for target in ["/", "/?q=1", "/?q=2&q=0"] {
            both.check(target, random.below(5), &rules);
        }
        // Memory of the transactions before.
        both.check("/?q=a", 4, &rules);
    }
    assert!(folds > 8000 && assignments > 2000, "{folds} {assignments}");
}

/// Takes a request through all phases with both: the ids that match, which must be the same.
fn ids(rules: &str, target: &str) -> Vec<u64> {
    let both = Both::new(&program(rules));
    both.check(target, 4, rules);
    let [(seen, _), _] = both.run(target, 4);
    let matches = seen.iter().flat_map(|(_, matches, ..)| matches);
    matches.map(|found| found.rule_id).collect()
}

#[test]
fn rules_that_are_removed_while_others_follow_from_them() {
    let rules = |removal: &str| {
        format!(
            "SecRule ARGS:q \"@eq 1\" \"id:1,phase:1,nolog,pass,ctl:{removal}\"\n\
             SecAction \"id:2,phase:1,nolog,pass,setvar:tx.a=5\"\n\
             SecRule TX:a \"@eq 5\" \"id:3,phase:1,nolog,pass,skipAfter:END\"\n\
             SecRule ARGS:q \"@rx 1\" \"id:4,phase:1,log,pass\"\n\
             SecMarker END\n\
             SecRule &TX:a \"@eq 1\" \"id:5,phase:2,log,pass\""
        )
    };
    for (removal, found) in [
        ("ruleRemoveById=2", vec![4]),
        ("ruleRemoveById=3", vec![4, 5]),
        ("ruleRemoveById=4", vec![5]),
        ("ruleRemoveTargetById=3;TX", vec![4, 5]),
        ("ruleRemoveTargetById=3;ARGS", vec![5]),
        ("ruleRemoveTargetById=5;TX", vec![]),
    ] {
        assert_eq!(ids(&rules(removal), "/?q=1"), found, "{removal}");
        assert_eq!(ids(&rules(removal), "/?q=2"), [5], "{removal}");
    }
}

#[test]
fn an_interruption_leaves_variables_as_they_were() {
    let rules = "SecAction \"id:1,phase:1,nolog,pass,setvar:tx.a=1\"\n\
        SecRule ARGS:q \"@eq 1\" \"id:2,phase:1,nolog,deny\"\n\
        SecAction \"id:3,phase:1,nolog,pass,setvar:tx.b=1\"\n\
        SecRule &TX:b \"@eq 0\" \"id:4,phase:5,log,pass\"";
    assert_eq!(ids(rules, "/?q=1"), [2, 4]);
    assert_eq!(ids(rules, "/?q=2"), [0u64; 0]);
    let mut transaction = begin(rules);
    let _ = transaction.request_head(&head("/?q=1", &[]));
    assert_eq!(tx(&transaction, "a").as_deref(), Some("1"));
    assert_eq!(tx(&transaction, "b"), None);
}

#[test]
fn detection_only_goes_on() {
    let rules = "SecAction \"id:1,phase:1,nolog,pass,ctl:ruleEngine=DetectionOnly\"\n\
        SecAction \"id:2,phase:1,nolog,deny,setvar:tx.a=1\"\n\
        SecAction \"id:3,phase:1,nolog,allow\"\n\
        SecRule &TX:a \"@eq 1\" \"id:4,phase:2,log,pass\"";
    assert_eq!(ids(rules, "/"), [4]);
}

#[test]
fn a_transaction_whose_phases_did_not_run() {
    let rules = "SecAction \"id:1,phase:1,nolog,pass,setvar:tx.a=1\"\n\
        SecRule &TX:a \"@eq 1\" \"id:2,phase:5,log,pass\"";
    let both = Both::new(&program(rules));
    both.check("/", 0, rules);
    let [(seen, _), _] = both.run("/", 0);
    assert!(seen[0].1.is_empty() && seen[0].2.is_empty());
}

#[test]
fn spent_work_leaves_nothing_known() {
    let rules = "SecParapetWorkLimitAction ProcessPartial\n\
        SecAction \"id:1,phase:1,nolog,pass,setvar:tx.a=1\"\n\
        SecRule &TX:a \"@eq 1\" \"id:2,phase:3,nolog,pass,skipAfter:END\"\n\
        SecRule REQUEST_METHOD \"@rx G\" \"id:3,phase:3,log,pass\"\n\
        SecMarker END\n\
        SecRule TX:a \"@eq 1\" \"id:4,phase:5,log,pass\"";
    for is_spent in [false, true] {
        let waf = Waf::new(program(rules), Rc::new(Noon));
        let mut transaction = Transaction::new(&waf, Connection::default());
        if is_spent {
            transaction.state().work.exhaust();
        }
        let _ = transaction.request_head(&head("/", &[]));
        let _ = transaction.end_request_body();
        let _ = transaction.response_head(&ResponseHead {
            status: 200,
            protocol: b"HTTP/1.1",
            headers: &[],
        });
        let _ = transaction.finish();
        let matches = transaction.drain_matches();
        let ids: Vec<u64> = matches.iter().map(|found| found.rule_id).collect();
        assert_eq!(ids, if is_spent { vec![0, 3] } else { vec![4] });
    }
}

#[test]
fn a_trace_tells_of_every_rule() {
    let rules = "SecAction \"id:1,phase:1,nolog,pass,setvar:tx.a=1\"\n\
        SecRule TX:a \"@eq 1\" \"id:2,phase:1,nolog,pass\"\n\
        SecRule TX:a \"@eq 2\" \"id:3,phase:2,nolog,pass\"";
    let told = |late: bool| {
        let mut transaction = begin(rules);
        if !late {
            transaction.trace();
        }
        let _ = transaction.request_head(&head("/", &[]));
        transaction.trace();
        let _ = transaction.end_request_body();
        let done = transaction.evaluations().iter();
        done.map(|one| one.rule_id).collect::<Vec<_>>()
    };
    assert_eq!(told(true), [3]);
    // A trace begun anew forgets what it has.
    assert_eq!(told(false), [3]);
    let mut transaction = begin(rules);
    transaction.trace();
    let _ = transaction.request_head(&head("/", &[]));
    assert_eq!(transaction.evaluations().len(), 2);
}

#[test]
fn long_values_count_as_if_they_were_set_one_by_one() {
    let long = "x".repeat(1000);
    let rules =
        format!("SecAction \"id:1,phase:1,nolog,pass,setvar:tx.a={long},setvar:tx.b={long}\"");
    for waf in Both::new(&program(&rules)).0 {
        let mut transaction = Transaction::new(&waf, Connection::default());
        let _ = transaction.request_head(&head("/", &[]));
        assert_eq!(transaction.state().set_bytes, 2000);
    }
}
