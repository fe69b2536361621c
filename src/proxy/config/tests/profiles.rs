//! Profiles that extend others, and overlays.

use super::*;

#[test]
fn profiles_extend_others_in_any_order() {
    let config = PluginConfig::parse(
        br#"{"directives_map": {"shop": {"extends": "site", "directives": ["C"]},
                                "site": {"extends": "base", "directives": "B"},
                                "base": ["A"], "same": {"directives": ["A"]}},
             "default_directives": "shop", "per_authority_directives": {"s": "same"}}"#,
    )
    .unwrap();
    assert_eq!(
        chosen(&config, None),
        "directives_map.base: A + directives_map.site: B + directives_map.shop: C"
    );
    // `base` was compiled before.
    assert_eq!(chosen(&config, Some("s")), "directives_map.base: A");
    let cycle = refused(
        r#"{"directives_map": {"a": {"extends": "b"}, "b": {"extends": "a"}, "c": {"extends": "c"}}}"#,
    );
    assert_eq!(cycle.matches("P0603").count(), 2, "{cycle}");
}

#[test]
fn overlays_are_under_the_policy_of_their_nearest_base() {
    let config = PluginConfig::parse(
        br#"{"directives_map": {
                "root": {"overlay_policy": {"ids": [7], "locked": [1, "5-6", "tag:x"],
                         "unlocked": "10-20", "variables": ["TX:A", "b"], "scores": [],
                         "directives": ["secrule"], "most_removed": 0}},
                "base": {"extends": "root"},
                "own": {"extends": "root", "overlay_policy": {}},
                "team": {"extends": "base", "overlay": true},
                "squad": {"extends": "team", "overlay": true},
                "other": {"extends": "own", "overlay": true},
                "plain": [], "late": {"extends": "plain", "overlay": true}},
             "default_directives": "base"}"#,
    )
    .unwrap();
    let policies = |at: usize| -> Vec<Option<OverlayPolicy>> {
        let lineages = config.lineages();
        let policies = lineages[at].iter().map(|layer| layer.overlay.as_deref());
        policies.map(Option::<&OverlayPolicy>::cloned).collect()
    };
    let ids = |first, last| RuleSpec::Ids([(first, last)].into());
    let tag = RuleSpec::Tag(b"x".as_slice().into());
    let root = OverlayPolicy {
        directives: vec!["SecRule"],
        ids: vec![(7, 7)],
        locked: vec![ids(1, 1), ids(5, 6), tag],
        unlocked: vec![ids(10, 20)],
        variables: vec!["a".into(), "b".into()],
        scores: Vec::new(),
        most_removed: 0,
    };
    assert_eq!(policies(1), [None, None]);
    assert_eq!(policies(4), [None, None, Some(root.clone()), Some(root)]);
    assert_eq!(policies(5), [None, None, Some(OverlayPolicy::default())]);
    assert_eq!(policies(7), [None, Some(OverlayPolicy::default())]);
}
