//! What one request can make the engine keep and do.

use super::*;

/// Found by fuzzing: a variable that holds itself twice doubled with every match.
#[test]
fn variables_do_not_grow_without_bound() {
    let rules = "SecParapetWorkLimit 0\n\
                 SecAction \"id:1,phase:1,pass,nolog,setvar:tx.a=aaaaaaaa\"\n\
                 SecRule ARGS \"@unconditionalMatch\" \"id:2,phase:1,pass,nolog,\
                 setvar:'tx.a=%{tx.a}%{tx.a}',setvar:tx.count=+1,setvar:'tx.%{tx.a}=1'\"\n\
                 SecRule TX:a \"@unconditionalMatch\" \"id:3,phase:1,pass,log,logdata:'%{tx.a}'\"";
    let mut transaction = begin(rules);
    let target = format!("/?{}", "x=y&".repeat(100));
    let _ = transaction.request_head(&head(&target, &[]));
    assert_eq!(
        tx(&transaction, "a").unwrap().len(),
        crate::limits::EXPANDED
    );
    assert_eq!(tx(&transaction, "count").as_deref(), Some("100"));
    assert!(
        transaction
            .tx_variables()
            .iter()
            .all(|(name, _)| name.len() <= 4096)
    );
    let found = transaction.drain_matches().pop().unwrap();
    assert_eq!((found.data.len(), found.value.len()), (4096, 4096));
}

/// Found by fuzzing: each removal was noted for each rule it means and compared with all others.
#[test]
fn many_removals_of_targets_take_little_time() {
    let mut rules: String = (1..1000)
        .map(|id| {
            format!(
                "SecAction \"id:{id},phase:1,pass,nolog,ctl:ruleRemoveTargetById=1-9999;ARGS:x{id}\"\n"
            )
        })
        .collect();
    rules.push_str("SecRule ARGS \"@rx a\" \"id:5000,phase:1,pass,log\"");
    let logged = |target| -> Vec<u64> {
        matched(&rules, target)
            .into_iter()
            .filter(|&id| id == 5000)
            .collect()
    };
    assert_eq!(logged("/?x7=a&x998=a"), [0u64; 0]);
    assert_eq!(logged("/?x7=a&x1000=a"), [5000]);
}

/// A rule that matches every argument leaves room in the log for the rules behind it.
#[test]
fn one_rule_does_not_drown_the_others() {
    let rules = "SecRule ARGS \"@rx x\" \"id:1,phase:1,pass,log,setvar:tx.count=+1\"\n\
                 SecRule ARGS \"@rx x\" \"id:2,phase:1,pass,log\"";
    let mut transaction = begin(rules);
    let target = format!("/?{}", "a=x&".repeat(900));
    let _ = transaction.request_head(&head(&target, &[]));
    transaction.finish();
    let record = transaction.record();
    assert_eq!(tx(&transaction, "count").as_deref(), Some("900"));
    let matches = transaction.drain_matches();
    let of = |id| matches.iter().filter(|found| found.rule_id == id).count();
    assert_eq!((of(1), of(2), record.suppressed), (25, 25, 2 * 875));
}
