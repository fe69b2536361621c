//! The limit of work: SecParapetWorkLimit.

use std::sync::Arc;

use super::*;

/// Looks at every argument in phase 2, and counts in phases 3 and 5.
const RULES: &str = "SecParapetWorkLimit 40000\n\
    SecRule ARGS \"@rx a[0-9]+b\" \"id:1,phase:2,pass\"\n\
    SecRule ARGS \"@rx zz\" \"id:2,phase:2,pass\"\n\
    SecRule TX:MSC_WORK_LIMIT_EXCEEDED \"@eq 1\" \"id:3,phase:3,pass\"\n\
    SecRule TX:MSC_WORK_LIMIT_EXCEEDED \"@eq 1\" \"id:4,phase:5,pass\"";

/// A query that takes so many bytes.
fn query(bytes: usize) -> String {
    format!("/?q={}zz", "a1".repeat(bytes / 2))
}

/// Takes a query through all phases: the interruption, the ids and texts of what was logged.
fn run(rules: &str, target: &str) -> (Option<Interruption>, Vec<(u64, String)>, Transaction) {
    let mut transaction = begin(rules);
    let _ = transaction.request_head(&head(target, &[]));
    let _ = transaction.end_request_body();
    let _ = transaction.response_head(&ResponseHead {
        status: 200,
        protocol: b"HTTP/1.1",
        headers: &[],
    });
    let _ = transaction.end_response_body();
    transaction.finish();
    let logged = transaction
        .drain_matches()
        .into_iter()
        .map(|one| (one.rule_id, String::from_utf8(one.explanation).unwrap()))
        .collect();
    (transaction.interruption().cloned(), logged, transaction)
}

#[test]
fn a_request_that_takes_too_much_is_denied() {
    let (interruption, logged, mut transaction) = run(RULES, &query(100));
    assert_eq!(interruption, None);
    assert_eq!(logged.iter().map(|one| one.0).collect::<Vec<_>>(), [2]);
    assert!(!transaction.take_limits_reached().work);

    let (interruption, logged, mut transaction) = run(RULES, &query(20_000));
    let interruption = interruption.unwrap();
    assert_eq!((interruption.rule_id, interruption.status), (0, 403));
    // The search that came to the limit is neither a match nor none.
    assert_eq!(logged.iter().map(|one| one.0).collect::<Vec<_>>(), [0, 4]);
    assert!(
        logged[0]
            .1
            .starts_with("Work limit of 40000 steps is spent"),
        "{logged:?}"
    );
    assert!(transaction.take_limits_reached().work);
    assert!(!transaction.take_limits_reached().work);
}

#[test]
fn a_request_may_pass_with_what_was_evaluated() {
    let partial = format!("{RULES}\nSecParapetWorkLimitAction ProcessPartial");
    let detecting = format!("{RULES}\nSecRuleEngine DetectionOnly");
    for rules in [partial, detecting] {
        let (interruption, logged, mut transaction) = run(&rules, &query(20_000));
        assert_eq!(interruption, None);
        // The response has a limit of its own, and phase 5 a share.
        assert_eq!(
            logged.iter().map(|one| one.0).collect::<Vec<_>>(),
            [0, 3, 4],
            "{logged:?}"
        );
        assert!(transaction.take_limits_reached().work);
    }
}

#[test]
fn no_limit_is_no_limit() {
    let rules = RULES.replace("40000", "0");
    let (interruption, logged, _) = run(&rules, &query(200_000));
    assert_eq!(interruption, None);
    assert_eq!(logged.iter().map(|one| one.0).collect::<Vec<_>>(), [2]);
}

#[test]
fn a_negated_rule_does_not_take_the_end_for_an_answer() {
    let rules = "SecParapetWorkLimit 20000\nSecParapetWorkLimitAction ProcessPartial\n\
        SecRule ARGS \"!@rx (?:a1)+$\" \"id:1,phase:1,deny,status:418\"\n\
        SecRule ARGS \"!@rx x.{50}y\" \"id:2,phase:1,deny,status:419\"";
    let (interruption, ..) = run(rules, "/?q=a1a1");
    assert_eq!(interruption.unwrap().status, 419);
    let target = format!("/?q=y{}a1", "x1a1".repeat(100));
    let (interruption, logged, _) = run(rules, &target);
    assert_eq!(interruption, None);
    assert_eq!(logged[0].0, 0);
}

/// Phase 5 has a share of its own, and does not deny.
#[test]
fn the_last_phase_is_limited_too() {
    let rules = "SecParapetWorkLimit 20000\n\
        SecRule ARGS \"@rx zz\" \"id:1,phase:5,pass\"\n\
        SecAction \"id:2,phase:5,pass\"";
    let (interruption, logged, mut transaction) = run(rules, &query(400));
    assert_eq!(interruption, None);
    assert_eq!(logged.iter().map(|one| one.0).collect::<Vec<_>>(), [0]);
    assert!(transaction.take_limits_reached().work);
}

#[test]
fn bodies_are_work() {
    let rules = "SecParapetWorkLimit 50000\nSecRule ARGS \"@rx never\" \"id:1,phase:2,pass\"";
    let mut transaction = begin(rules);
    let _ = transaction.request_head(&head("/", &[FORM]));
    let body = b"a=1&".repeat(5000);
    let mut ended = None;
    for chunk in body.chunks(1000) {
        ended = ended.or(transaction.request_body(chunk).interruption);
    }
    assert_eq!(ended.unwrap().status, 403, "before the end");
    assert!(transaction.work() < 100_000, "{}", transaction.work());
}

/// What is spent depends on rules and request alone, not on what others left in the caches.
#[test]
fn the_same_request_spends_the_same() {
    let text = format!(
        "SecRuleEngine On\n{RULES}\n\
         SecRule ARGS \"@rx x[(]y\" \"id:90,phase:2,pass,t:lowercase,t:removeWhitespace\""
    );
    let compiled = compile(&[("test.conf".into(), text.into_bytes())], &NoFiles);
    let waf = Waf::new(compiled.program.unwrap(), Rc::new(Noon));
    let spend = |waf: &Rc<Waf>, target: &str| {
        let mut transaction = Transaction::new(waf, Connection::default());
        let _ = transaction.request_head(&head(target, &[]));
        let _ = transaction.end_request_body();
        transaction.finish();
        transaction.record().work
    };
    let first = spend(&waf, &query(150));
    let mixed = "/?a=x+y&b=1&c=x(+y&d=.&e=-&f=~&g=a-b&h=a.b&i=1.2";
    let of_mixed = spend(&waf, mixed);
    for other in [10, 1000, 100_000] {
        spend(&waf, &query(other));
    }
    // Values of many classes of bytes, of which something is kept for all transactions.
    for number in 0..5000u32 {
        let signs = "-.~!$*_,;:@ab1".bytes().zip(0..);
        let chosen = signs.filter(|(_, bit)| number >> bit & 1 != 0);
        let text: String = chosen.map(|(sign, _)| char::from(sign)).collect();
        spend(&waf, &format!("/?a={text}"));
    }
    assert_eq!(spend(&waf, &query(150)), first);
    assert_eq!(spend(&waf, mixed), of_mixed);
    let fresh = Waf::new(Arc::clone(waf.program()), Rc::new(Noon));
    assert_eq!(spend(&fresh, &query(150)), first);
}
