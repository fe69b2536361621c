//! The compatibility page, in Markdown.

use super::{Family, entries};

const HEAD: &str = "# Compatibility

What ModSecurity 2 (v2), ModSecurity 3 (v3), Coraza and Parapet make of each member of the rule
language. Written by `parapet explain --compatibility` from the tables in the sources; a test keeps
it current.

* yes: works.
* partly: works in part, or differently.
* ignored: read, without effect.
* refused: known, but an error.
* unknown: an error as any unknown name.
* accepted (Parapet): loads with a warning; a sandboxed filter cannot do it.
";

/// The page.
pub fn compatibility() -> String {
    let all = entries();
    let mut page = HEAD.to_owned();
    for family in Family::ALL {
        let mut members: Vec<_> = all
            .iter()
            .filter(|entry| entry.family == family)
            .filter_map(|entry| Some((entry, entry.engines?)))
            .collect();
        if members.is_empty() {
            continue;
        }
        members.sort_by_key(|(entry, _)| entry.name.to_ascii_lowercase());
        let title = match family {
            Family::Directive => "Directives",
            Family::Variable => "Variables",
            Family::Operator => "Operators",
            Family::Transformation => "Transformations",
            Family::Action => "Actions",
            Family::Code => "Messages",
        };
        page.push_str(&format!(
            "\n## {title}\n\n| Name | v2 | v3 | Coraza | Parapet | Note |\n|---|---|---|---|---|---|\n"
        ));
        for (entry, [two, three, coraza]) in members {
            page.push_str(&format!(
                "| `{}` | {two} | {three} | {coraza} | {} | {} |\n",
                entry.name,
                entry.standing.word(),
                entry.note
            ));
        }
    }
    page
}
