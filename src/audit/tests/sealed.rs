use super::super::{SealKey, formatted};
use super::{Exchange, drawn, transaction};
use crate::engine::Transaction;
use crate::program::AuditFormat;

const ALL: [AuditFormat; 5] = [
    AuditFormat::Native,
    AuditFormat::Json,
    AuditFormat::Coraza,
    AuditFormat::JsonLegacy,
    AuditFormat::Ocsf,
];

/// A transaction whose password matches a rule.
fn matched(directives: &str) -> Transaction {
    let rules = format!(
        "SecAuditEngine On\nSecAuditLogParts ABFHZ\n{directives}\n\
         SecRule ARGS_GET \"@contains correct\" \"id:1,phase:1,pass,log,msg:'%{{MATCHED_VAR}}'\""
    );
    let mut transaction = transaction(&rules);
    let exchange = Exchange {
        target: "/?password=correct-horse&q=correct",
        headers: &[],
        body: b"",
        response_headers: &[],
        response_body: b"",
    };
    exchange.run(&mut transaction);
    transaction
}

#[test]
fn the_owner_of_the_key_reads_what_records_do_not_show() {
    let key = SealKey::generate(&mut drawn).unwrap();
    let transaction = matched(&format!("SecParapetSealKey {}", key.public()));
    for format in ALL {
        let record = formatted(&transaction, format, &mut drawn);
        let shown = String::from_utf8_lossy(&record);
        assert!(!shown.contains("correct-horse"), "{shown}");
        let opened: Vec<_> = key.open(&record).collect();
        let [Some(content)] = &*opened else {
            panic!("{format:?}: {shown}");
        };
        let content: serde_json::Value = serde_json::from_slice(content).unwrap();
        let value = |target: &str, value: &str| serde_json::json!({ "rule_id": 1, "phase": 1, "target": target, "value": value });
        let matches = [
            value("ARGS_GET:password", "correct-horse"),
            value("ARGS_GET:q", "correct"),
        ];
        assert_eq!(content["unique_id"], "u");
        let found = content["matches"].as_array().unwrap();
        assert!(found.iter().all(|one| matches.contains(one)), "{content}");
        assert!(!found.is_empty());
    }
}

#[test]
fn nothing_is_sealed_without_a_key_or_without_chance() {
    let key = SealKey::generate(&mut drawn).unwrap();
    let with_key = format!("SecParapetSealKey {}", key.public());
    let without_h = format!("{with_key}\nSecAuditLogParts ABZ");
    for format in ALL {
        for directives in ["", &without_h] {
            let record = formatted(&matched(directives), format, &mut drawn);
            assert_eq!(key.open(&record).count(), 0, "{format:?}");
        }
        let record = formatted(&matched(&with_key), format, &mut |_| false);
        assert_eq!(key.open(&record).count(), 0, "{format:?}");
    }
}
