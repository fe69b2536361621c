//! What there is: every member of every family, described from the tables that define it.
//!
//! `parapet explain` and the compatibility page are printed from here.

mod engines;
mod manual;
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
    /// What the action `ctl` changes.
    Ctl,
    /// Codes of messages.
    Code,
}

impl Family {
    /// All, in the order of the page.
    pub const ALL: [Self; 7] = [
        Self::Directive,
        Self::Variable,
        Self::Operator,
        Self::Transformation,
        Self::Action,
        Self::Ctl,
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
            Self::Ctl => "ctl option",
            Self::Code => "message",
        }
    }

    /// How a rule file marks members of it: `@rx`, `t:trim`, `ctl:ruleEngine`.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Operator => "@",
            Self::Transformation => "t:",
            Self::Ctl => "ctl:",
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
    /// How it is written.
    pub usage: Option<&'static str>,
    /// More lines about it.
    pub details: Vec<String>,
    /// ModSecurity 2, ModSecurity 3, Coraza: in a word each; none for a message.
    pub engines: Option<[&'static str; 3]>,
    /// Parapet.
    pub standing: Standing,
    /// What differs between the engines; empty where nothing is known to.
    pub note: &'static str,
    /// What it makes of some values, one line each.
    pub cases: Vec<String>,
    /// Lines of a rule file that show it; together they load.
    pub examples: Vec<String>,
}

/// Every member, by family and name.
pub fn entries() -> Vec<Entry> {
    let mut all: Vec<Entry> = DirectiveDef::all().iter().map(directive).collect();
    all.extend(Variable::ALL.iter().map(|one| variable(one.def())));
    all.extend(Operator::all().map(operator));
    all.extend(Transformation::ALL.iter().map(|one| transformation(*one)));
    all.extend(action::Name::ALL.iter().map(|one| action(*one)));
    all.extend(action::CtlOption::ALL.iter().map(ctl));
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

/// The name of a member that a person may have meant, as a rule file writes it. A prefix such as
/// `t:` says among which to look.
pub fn nearest(name: &str) -> Option<String> {
    let family = Family::ALL.into_iter().find(|family| {
        let prefix = family.prefix();
        !prefix.is_empty() && name.starts_with(prefix)
    });
    let all = entries();
    let candidates = all
        .iter()
        .filter(|entry| family.is_none_or(|family| entry.family == family));
    let bare = family.map_or(name, |family| {
        name.strip_prefix(family.prefix()).unwrap_or(name)
    });
    let names = candidates
        .flat_map(|entry| std::iter::once(entry.name).chain(entry.aliases.iter().copied()));
    let meant = suggest(bare, names)?;
    let prefix = family.map_or("", Family::prefix);
    Some(format!("{prefix}{meant}"))
}

impl Entry {
    fn new(family: Family, name: &'static str, summary: &str) -> Self {
        Self {
            family,
            name,
            aliases: &[],
            summary: summary.to_owned(),
            usage: None,
            details: Vec::new(),
            engines: None,
            standing: Standing::Full,
            note: "",
            cases: Vec::new(),
            examples: Vec::new(),
        }
    }

    /// Adds what the table of engines says. One that is missing there shows as unknown; a test
    /// keeps the tables whole.
    fn engines(mut self, table: &[engines::Row]) -> Self {
        let (_, letters, note) = engines::find(table, self.name).unwrap_or(("", "---", ""));
        let mut words = letters.chars().map(word);
        let mut next = || words.next().unwrap_or("unknown");
        self.engines = Some([next(), next(), next()]);
        self.note = note;
        self
    }

    /// Adds what the manual says.
    fn manual(mut self, file: &'static str) -> Self {
        let section = manual::section(file, self.name);
        self.usage = section.usage;
        self.details
            .extend(section.text.into_iter().map(str::to_owned));
        self.examples
            .extend(section.examples.into_iter().map(str::to_owned));
        self
    }

    /// The documentation of the member, as lines of text.
    pub fn text(&self) -> String {
        let mut lines = vec![format!(
            "{}{} ({})",
            self.family.prefix(),
            self.name,
            self.family.name()
        )];
        lines.extend(
            wrapped(&self.summary)
                .into_iter()
                .map(|line| format!("  {line}")),
        );
        lines.extend(self.usage.map(|usage| format!("  Written: {usage}")));
        for line in &self.details {
            lines.extend(wrapped(line).into_iter().map(|line| format!("  {line}")));
        }
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
            lines.push(format!("  In short: {}", self.note));
        }
        if !self.cases.is_empty() {
            lines.push("  Cases:".to_owned());
            lines.extend(self.cases.iter().map(|line| format!("    {line}")));
        }
        if !self.examples.is_empty() {
            lines.push("  Examples:".to_owned());
            lines.extend(self.examples.iter().map(|line| format!("    {line}")));
        }
        lines.join("\n")
    }
}

/// A line cut at blanks, so that a terminal shows it well.
fn wrapped(line: &str) -> Vec<String> {
    const WIDTH: usize = 100;
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        if let Some(last) = lines.last_mut()
            && (last.is_empty() || last.len().saturating_add(word.len()) < WIDTH)
        {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
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
    let mut entry = Entry::new(Family::Directive, def.name, def.summary)
        .engines(engines::DIRECTIVES)
        .manual(manual::DIRECTIVES);
    entry.standing = standing(def.support());
    if entry.standing == Standing::Limited {
        entry.summary = format!("Accepted with a warning: {}", def.summary);
    }
    entry
}

fn variable(def: &'static variable::Def) -> Entry {
    let mut entry = Entry::new(Family::Variable, def.name, def.summary).engines(engines::VARIABLES);
    entry.aliases = def.aliases;
    entry.standing = standing(def.support);
    let shape = match def.shape {
        variable::Shape::Scalar => "One value",
        variable::Shape::Collection => "A collection",
    };
    entry
        .details
        .push(format!("{shape}, from phase {} on.", def.phase));
    entry.manual(manual::VARIABLES)
}

fn operator(def: &'static operator::Def) -> Entry {
    let mut entry = Entry::new(Family::Operator, def.name, def.summary)
        .engines(engines::OPERATORS)
        .manual(manual::OPERATORS);
    entry.aliases = def.aliases;
    entry.details.push(format!("Follows: {}", def.spec));
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
    entry.cases = def
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
    let mut entry =
        Entry::new(Family::Transformation, def.name, def.summary).engines(engines::TRANSFORMATIONS);
    entry.aliases = def.aliases;
    entry.details.push(format!("Follows: {}", def.spec));
    entry.examples = vec![format!(
        "SecRule ARGS \"@rx attack\" \"id:1,phase:2,pass,log,t:none,t:{}\"",
        def.name
    )];
    entry.cases = def
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
    let mut entry = Entry::new(Family::Action, def.name, def.summary)
        .engines(engines::ACTIONS)
        .manual(manual::ACTIONS);
    entry.aliases = def.aliases;
    if def.placement == action::Placement::Starter {
        let line = "Stands on the first rule of a chain, or a rule alone.";
        entry.details.push(line.to_owned());
    }
    use action::Name as N;
    if matches!(name, N::Exec | N::Proxy) {
        entry.standing = Standing::Limited;
    }
    entry
}

fn ctl(def: &'static action::CtlOption) -> Entry {
    let mut entry = Entry::new(Family::Ctl, def.name, def.summary)
        .engines(engines::CTL)
        .manual(manual::CTL);
    if !def.carried_out {
        entry.standing = Standing::Limited;
        entry.summary = format!("Accepted with a warning: {}", def.summary);
    }
    entry
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
