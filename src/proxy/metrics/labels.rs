//! Labels in the names of metrics: hosts know names only, and Envoy makes labels of their parts
//! (`envoy/stats-tags.yaml`).

/// Longest key or value, in characters.
const LONGEST: usize = 64;

/// What stands in names besides what is counted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Labels {
    /// `_profile=NAME`; nothing where there is only one profile, as names then are the peer's.
    pub(super) profile: String,
    /// `metric_labels`.
    pub(super) fixed: String,
}

impl Labels {
    /// Those of a profile, if it is one of several, and those of the plugin configuration. What is
    /// not printable ASCII becomes `_`, and so do `=`, which stands between key and value alone, and
    /// bytes that exporters take for their own. Keys and values are cut at 64 characters.
    pub fn new(profile: Option<&str>, metric_labels: &[(String, String)]) -> Self {
        let mut labels = Self::default();
        if let Some(name) = profile {
            push(&mut labels.profile, "profile", name);
        }
        for (key, value) in metric_labels {
            push(&mut labels.fixed, key, value);
        }
        labels
    }
}

fn push(suffix: &mut String, key: &str, value: &str) {
    suffix.push('_');
    push_fitting(suffix, key);
    suffix.push('=');
    push_fitting(suffix, value);
}

/// Appends a key or a value.
pub(super) fn push_fitting(name: &mut String, text: &str) {
    let chars = text.chars().take(LONGEST);
    name.extend(chars.map(|c| if fits(c) { c } else { '_' }));
}

fn fits(c: char) -> bool {
    c.is_ascii_graphic() && !matches!(c, '=' | '|' | '"' | '\\')
}

#[cfg(test)]
mod tests {
    use super::Labels;

    #[test]
    fn labels_are_cut_and_hold_no_second_key() {
        let labels = [("a".to_owned(), format!("x_phase=1|\"\\é{}", "y".repeat(99)))];
        let labels = Labels::new(Some("shop 1"), &labels);
        assert_eq!(labels.fixed, format!("_a=x_phase_1____{}", "y".repeat(51)));
        assert_eq!(labels.profile, "_profile=shop_1");
    }
}
