//! What an engine says about an exchange, and how two of them differ.

use std::collections::BTreeMap;

/// Which engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    Parapet,
    ModSecurity,
}

/// What a rule matched on, as its engine tells it. libmodsecurity shortens long values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hit {
    pub target: Vec<u8>,
    pub value: Vec<u8>,
    /// The operator as libmodsecurity names it; empty for our own hits.
    pub operator: Vec<u8>,
}

/// The rules that matched, and how the exchange ended.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    pub hits: BTreeMap<u64, Hit>,
    /// The interruption: the status it answers with, and the rule behind it.
    pub interrupted: Option<(u16, u64)>,
}

/// One thing that one engine says and the other does not.
#[derive(Clone, Debug)]
pub struct Difference {
    /// Who says it.
    pub side: Side,
    /// The rule; 0 stands for the interruption.
    pub rule: u64,
    pub hit: Hit,
}

/// All differences; two different interruptions count for both sides.
pub fn differences(parapet: &Verdict, modsecurity: &Verdict) -> Vec<Difference> {
    let mut found = Vec::new();
    for (side, one, other) in [
        (Side::Parapet, parapet, modsecurity),
        (Side::ModSecurity, modsecurity, parapet),
    ] {
        let only = one.hits.iter();
        let only = only.filter(|(rule, _)| !other.hits.contains_key(rule));
        found.extend(only.map(|(&rule, hit)| Difference {
            side,
            rule,
            hit: hit.clone(),
        }));
        if let Some((status, rule)) = one.interrupted
            && other.interrupted != one.interrupted
        {
            let hit = Hit {
                target: b"status".to_vec(),
                value: format!("{status} by {rule}").into_bytes(),
                ..Hit::default()
            };
            found.push(Difference { side, rule: 0, hit });
        }
    }
    found
}
