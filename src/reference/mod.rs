//! What there is: every member of every family, described from the tables that define it.
//!
//! `parapet explain` and the compatibility page are printed from here.

mod engines;
mod page;

use crate::action;
use crate::compile::DirectiveDef;
use crate::diagnostic::{Code, Severity, suggest};
use crate::operator::{self, Operator};
use crate::transform::Transformation;
use crate::variable::{self, Variable};

pub use page::compatibility;

/// A kind of member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// `SecRule` and the others.
    Directive,
    /// What rules look at.
    Variable,
    /// What they ask.
    Operator,
    /// What happens to a value first.
    Transformation,
    /// What they do.
    Action,
    /// Codes of messages.
    Code,
}

impl Family {
    /// All, in the order of the page.
    pub const ALL: [Self; 6] = [
        Self::Directive,
        Self::Variable,
        Self::Operator,
        Self::Transformation,
        Self::Action,
        Self::Code,
    ];

    /// The family's name, for one member of it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Directive => "directive",
            Self::Variable => "variable",
            Self::Operator => "operator",
            Self::Transformation => "transformation",
            Self::Action => "action",
            Self::Code => "message",
        }
    }

    /// How a rule file marks members of it: `@rx`, `t:trim`.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Operator => "@",
            Self::Transformation => "t:",
            _ => "",
        }
    }
}

/// How far Parapet carries a member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It works.
    Full,
    /// It is accepted with a warning, and has no or another effect.
    Limited,
}

impl Standing {
    /// In a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Full => "yes",
            Self::Limited => "accepted",
        }
    }
}

/// One member.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Where it belongs.
    pub family: Family,
    /// The name as ModSecurity's manual spells it; of a message, its code.
    pub name: &'static str,
    /// Other spellings.
    pub aliases: &'static [&'static str],
    /// What it is.
    pub summary: String,
    /// More lines about it.
    pub details: Vec<String>,
    /// ModSecurity 2, ModSecurity 3, Coraza: in a word each; none for a message.
    pub engines: Option<[&'static str; 3]>,
    /// Parapet.
    pub standing: Standing,
    /// What is special about it in some engine.
    pub note: String,
    /// Lines that show it.
    pub examples: Vec<String>,
}

/// Every member, by family and name.
pub fn entries() -> Vec<Entry> {
    let mut all: Vec<Entry> = DirectiveDef::all().iter().map(directive).collect();
    all.extend(Variable::ALL.iter().map(|one| variable(one.def())));
    all.extend(Operator::all().map(operator));
    all.extend(Transformation::ALL.iter().map(|one| transformation(*one)));
    all.extend(action::Name::ALL.iter().map(|one| action(*one)));
    all.extend(Code::ALL.iter().map(|one| message(*one)));
    all
}

/// The members of a name, whatever its letter case: `rx`, `@rx`, `t:trim`, `ARGS`, `P0101`. A name
/// may stand for several, as `status` does.
pub fn find(name: &str) -> Vec<Entry> {
    let wanted = name.trim();
    entries()
        .into_iter()
        .filter(|entry| {
            let prefix = entry.family.prefix();
            let bare = wanted.strip_prefix(prefix).unwrap_or(wanted);
            std::iter::once(&entry.name)
                .chain(entry.aliases)
                .any(|known| known.eq_ignore_ascii_case(bare))
        })
        .collect()
}

/// The name of a member that a person may have meant.
pub fn nearest(name: &str) -> Option<&'static str> {
    suggest(name, entries().iter().map(|entry| entry.name))
}

impl Entry {
    fn new(family: Family, name: &'static str, summary: &str) -> Self {
        Self {
            family,
            name,
            aliases: &[],
            summary: summary.to_owned(),
            details: Vec::new(),
            engines: None,
            standing: Standing::Full,
            note: String::new(),
            examples: Vec::new(),
        }
    }

    /// Adds what the table of engines says. One that is missing there shows as unknown; a test
    /// keeps the tables whole.
    fn engines(mut self, table: &[engines::Row]) -> (Self, &'static str) {
        let (_, letters, example, note) =
            engines::find(table, self.name).unwrap_or(("", "---", "", ""));
        let mut words = letters.chars().map(word);
        let mut next = || words.next().unwrap_or("unknown");
        self.engines = Some([next(), next(), next()]);
        note.clone_into(&mut self.note);
        (self, example)
    }

    /// The documentation of the member, as lines of text.
    pub fn text(&self) -> String {
        let mut lines = vec![
            format!(
                "{}{} ({})",
                self.family.prefix(),
                self.name,
                self.family.name()
            ),
            format!("  {}", self.summary),
        ];
        lines.extend(self.details.iter().map(|line| format!("  {line}")));
        if !self.aliases.is_empty() {
            lines.push(format!("  Also: {}.", self.aliases.join(", ")));
        }
        if let Some([two, three, coraza]) = self.engines {
            let parapet = self.standing.word();
            lines.push(format!(
                "  ModSecurity 2: {two}. ModSecurity 3: {three}. Coraza: {coraza}. \
                 Parapet: {parapet}."
            ));
        }
        if !self.note.is_empty() {
            lines.push(format!("  {}", self.note));
        }
        if !self.examples.is_empty() {
            lines.push("  Examples:".to_owned());
            lines.extend(self.examples.iter().map(|line| format!("    {line}")));
        }
        lines.join("\n")
    }
}

fn word(letter: char) -> &'static str {
    match letter {
        'Y' => "yes",
        'p' => "partly",
        'n' => "ignored",
        'E' => "refused",
        _ => "unknown",
    }
}

const fn standing(support: variable::Support) -> Standing {
    match support {
        variable::Support::Full => Standing::Full,
        variable::Support::Sandbox => Standing::Limited,
    }
}

fn directive(def: &'static DirectiveDef) -> Entry {
    let (mut entry, example) =
        Entry::new(Family::Directive, def.name, def.summary).engines(engines::DIRECTIVES);
    entry.standing = standing(def.support());
    if entry.standing == Standing::Limited {
        entry.summary = format!("Accepted with a warning: {}", def.summary);
    }
    let (least, most) = def.arguments;
    entry.details.push(match (least, most) {
        (least, usize::MAX) => format!("Arguments: {least} or more."),
        (least, most) if least == most => format!("Arguments: {least}."),
        (least, most) => format!("Arguments: {least} to {most}."),
    });
    entry.examples = example.lines().map(str::to_owned).collect();
    entry
}

fn variable(def: &'static variable::Def) -> Entry {
    let (mut entry, example) =
        Entry::new(Family::Variable, def.name, def.summary).engines(engines::VARIABLES);
    entry.aliases = def.aliases;
    entry.standing = standing(def.support);
    let shape = match def.shape {
        variable::Shape::Scalar => "One value",
        variable::Shape::Collection => "A collection",
    };
    entry
        .details
        .push(format!("{shape}, from phase {} on.", def.phase));
    entry.examples.push(variable_rule(def, example));
    entry
}

fn variable_rule(def: &variable::Def, example: &str) -> String {
    format!("SecRule {example} \"id:1,phase:{},pass,log\"", def.phase)
}

fn operator(def: &'static operator::Def) -> Entry {
    let (mut entry, _) =
        Entry::new(Family::Operator, def.name, def.summary).engines(engines::OPERATORS);
    entry.aliases = def.aliases;
    entry.details.push(def.spec.to_owned());
    if def.macros {
        entry
            .details
            .push("Macros in its argument are expanded.".to_owned());
    }
    if let operator::Support::Sandbox(reason) = def.support {
        entry.standing = Standing::Limited;
        entry
            .details
            .push(format!("Accepted with a warning, never matches: {reason}."));
    }
    entry.examples = def
        .examples
        .iter()
        .map(|example| {
            let verb = if example.matches {
                "matches"
            } else {
                "does not match"
            };
            let mut line = format!(
                "\"@{} {}\" {verb} \"{}\"",
                def.name,
                example.argument.escape_ascii(),
                example.value.escape_ascii()
            );
            for (number, capture) in example.captures.iter().enumerate() {
                line.push_str(&format!(", TX.{number} \"{}\"", capture.escape_ascii()));
            }
            line
        })
        .collect();
    entry
}

fn transformation(one: Transformation) -> Entry {
    let def = one.def();
    let (mut entry, _) =
        Entry::new(Family::Transformation, def.name, def.summary).engines(engines::TRANSFORMATIONS);
    entry.aliases = def.aliases;
    entry.details.push(def.spec.to_owned());
    entry.examples = def
        .examples
        .iter()
        .map(|example| {
            format!(
                "\"{}\" becomes \"{}\"",
                example.input.escape_ascii(),
                example.output.escape_ascii()
            )
        })
        .collect();
    entry
}

fn action(name: action::Name) -> Entry {
    let def = name.def();
    let (mut entry, example) =
        Entry::new(Family::Action, def.name, def.summary).engines(engines::ACTIONS);
    entry.aliases = def.aliases;
    if def.placement == action::Placement::Starter {
        let line = "Stands on the first rule of a chain, or a rule alone.";
        entry.details.push(line.to_owned());
    }
    use action::Name as N;
    if matches!(name, N::Append | N::Prepend | N::Exec | N::Proxy) {
        entry.standing = Standing::Limited;
    }
    entry.examples.push(action_rule(name, example));
    entry
}

fn action_rule(name: action::Name, example: &str) -> String {
    use action::Name as N;
    let head = "SecRule ARGS \"@rx attack\"";
    match name {
        N::Id => format!("{head} \"{example},phase:2,pass\""),
        N::PhaseAction => format!("{head} \"id:1,{example},pass\""),
        _ => format!("{head} \"id:1,phase:2,{example}\""),
    }
}

fn message(code: Code) -> Entry {
    let mut entry = Entry::new(Family::Code, code.as_str(), code.description());
    entry.details.push(
        match code.severity() {
            Severity::Error => "An error: the rules do not load.",
            Severity::Warning => "A warning: the rules load; with --strict they do not.",
            Severity::Note => "A note.",
        }
        .to_owned(),
    );
    entry
}

#[cfg(test)]
mod tests;
