//! What overlays may do, and what they may if nobody says otherwise.

use crate::action::RuleSpec;

/// What overlays may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverlayPolicy {
    /// The directives that may stand in one: some of [`OverlayPolicy::ALLOWABLE`].
    pub directives: Vec<&'static str>,
    /// Ranges of ids that its rules may have.
    pub ids: Vec<(u64, u64)>,
    /// Rules of the base that it may not touch, besides those locked anyway.
    pub locked: Vec<RuleSpec>,
    /// Rules of the base that it may touch, besides [`OverlayPolicy::TUNABLE`].
    pub unlocked: Vec<RuleSpec>,
    /// TX variables of the base that it may set; in lower case.
    pub variables: Vec<String>,
    /// TX variables of the base that it may add to; in lower case.
    pub scores: Vec<String>,
    /// Most rules of the base that overlays may take out, for all requests or for some.
    pub most_removed: usize,
}

impl OverlayPolicy {
    /// The directives that a policy may allow, and whether it does unless it says otherwise. All
    /// others set something of the engine.
    pub const ALLOWABLE: [(&'static str, bool); 14] = [
        ("Include", true),
        ("IncludeOptional", true),
        ("SecAction", true),
        ("SecComponentSignature", true),
        ("SecDataset", true),
        ("SecMarker", true),
        ("SecRule", true),
        ("SecRuleRemoveById", true),
        ("SecRuleRemoveByMsg", true),
        ("SecRuleRemoveByTag", true),
        ("SecRuleUpdateActionById", false),
        ("SecRuleUpdateTargetById", true),
        ("SecRuleUpdateTargetByMsg", true),
        ("SecRuleUpdateTargetByTag", true),
    ];

    /// The ids of rules that only find something and decide nothing by themselves: those of the
    /// Core Rule Set and of the embedded baseline. Every other rule of a base is locked unless its
    /// policy frees it.
    pub const TUNABLE: [(u64, u64); 3] = [
        (910_000, 948_999),
        (950_000, 958_999),
        (8_010_000, 8_089_999),
    ];
}

impl Default for OverlayPolicy {
    fn default() -> Self {
        let allowed = Self::ALLOWABLE.iter().filter(|(_, default)| *default);
        let scores = [
            "inbound_anomaly_score",
            "outbound_anomaly_score",
            "anomaly_score",
        ]
        .iter()
        .flat_map(|score| (1..=4).map(move |level| format!("{score}_pl{level}")));
        Self {
            directives: allowed.map(|(name, _)| *name).collect(),
            ids: vec![(1, 99_999)],
            locked: Vec::new(),
            unlocked: Vec::new(),
            variables: Vec::new(),
            scores: scores.collect(),
            most_removed: 100,
        }
    }
}
