//! The manual: a text for each member, and lines of rule files that show it.
//!
//! A file for each family. A section begins with `## NAME`; a line in backticks says how the member
//! is written, lines behind four blanks are examples, all others are text. The examples of a
//! section load together, as a test sees to.

/// One section.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Section {
    /// How it is written.
    pub usage: Option<&'static str>,
    /// The text, in lines.
    pub text: Vec<&'static str>,
    /// Lines of a rule file.
    pub examples: Vec<&'static str>,
}

pub(super) const DIRECTIVES: &str = include_str!("manual/directives.md");
pub(super) const VARIABLES: &str = include_str!("manual/variables.md");
pub(super) const OPERATORS: &str = include_str!("manual/operators.md");
pub(super) const ACTIONS: &str = include_str!("manual/actions.md");
pub(super) const CTL: &str = include_str!("manual/ctl.md");

/// The section of a name; an empty one if it has none, which a test rules out.
pub(super) fn section(file: &'static str, name: &str) -> Section {
    sections(file)
        .find(|(title, _)| *title == name)
        .map(|(_, body)| Section::read(body))
        .unwrap_or_default()
}

/// The names and bodies of all sections.
pub(super) fn sections(file: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    file.split("## ")
        .skip(1)
        .map(|section| section.split_once('\n').unwrap_or((section, "")))
}

impl Section {
    fn read(body: &'static str) -> Self {
        let mut section = Self::default();
        for line in body.lines() {
            if let Some(example) = line.strip_prefix("    ") {
                section.examples.push(example);
            } else if section.text.is_empty() && line.starts_with('`') && line.ends_with('`') {
                section.usage = Some(line.trim_matches('`').trim_ascii());
            } else if !line.is_empty() {
                section.text.push(line);
            }
        }
        section
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_read() {
        const FILE: &str = "## a\n`a X`\nText\nof it.\n\n    one\n    two\n\n## b\nMore.\n";
        let expected = Section {
            usage: Some("a X"),
            text: vec!["Text", "of it."],
            examples: vec!["one", "two"],
        };
        assert_eq!(section(FILE, "a"), expected);
        assert_eq!(section(FILE, "b").text, ["More."]);
        assert_eq!(section(FILE, "c"), Section::default());
        let names: Vec<&str> = sections(FILE).map(|(name, _)| name).collect();
        assert_eq!(names, ["a", "b"]);
    }
}
