//! Location paths: the part of XPath 1.0 that selects by walking down.
//!
//! A path is `/` or `//` and steps parted by them: `name`, `prefix:name`, `prefix:*`, `*`, and as
//! the last step also `@name`, `@*` or `text()`. An element step may have predicates: `[2]`,
//! `[local-name()='x']`, `[@name]`, `[@name='value']`, `[text()]`, `[name]`. As in XPath, a name without a prefix means
//! no namespace. A path without `/` in front begins at the document, too.

use std::fmt;

use super::document::{Attribute, Document, Element, Name};
use crate::http::split_where;

/// A compiled path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    steps: Vec<Step>,
    last: Last,
}

/// Why an expression is no path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathError {
    /// Not XPath, or a part of XPath that is not supported, from this byte on.
    Unsupported {
        /// Offset in the expression.
        at: usize,
    },
    /// A prefix that no `xmlns` action declares.
    UnknownPrefix(Vec<u8>),
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported { at } => write!(f, "unsupported XPath expression at byte {at}"),
            Self::UnknownPrefix(prefix) => {
                write!(
                    f,
                    "no xmlns action declares the prefix `{}`",
                    prefix.escape_ascii()
                )
            }
        }
    }
}

impl std::error::Error for PathError {}

/// A step to elements.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Step {
    axis: Axis,
    test: Test,
    predicates: Vec<Predicate>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Axis {
    Child,
    Descendant,
}

/// What the path ends in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Last {
    Elements,
    Attributes(Axis, Test),
    Texts(Axis),
}

/// A test of names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Test {
    Any,
    Namespace(Vec<u8>),
    Name {
        namespace: Option<Vec<u8>>,
        local: Vec<u8>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Predicate {
    /// Counted from one, among those of the same parent.
    Position(usize),
    LocalName(Vec<u8>),
    /// Has text of its own.
    Text,
    /// Has such a child.
    Child(Test),
    Attribute {
        test: Test,
        value: Option<Vec<u8>>,
    },
}

/// Steps of a path.
const STEPS: usize = 64;

impl Path {
    /// Compiles an expression. `namespaces` are the prefixes and URIs of `xmlns` actions.
    pub fn parse(expression: &[u8], namespaces: &[(&[u8], &[u8])]) -> Result<Self, PathError> {
        Parser {
            expression,
            rest: expression,
            namespaces,
        }
        .path()
    }
}

struct Parser<'a> {
    expression: &'a [u8],
    rest: &'a [u8],
    namespaces: &'a [(&'a [u8], &'a [u8])],
}

impl<'a> Parser<'a> {
    fn path(mut self) -> Result<Path, PathError> {
        let mut path = Path {
            steps: Vec::new(),
            last: Last::Elements,
        };
        if self.rest == b"/" {
            return Ok(path);
        }
        let mut axis = self.axis().unwrap_or(Axis::Child);
        loop {
            if self.take(b"@") {
                path.last = Last::Attributes(axis, self.test()?);
                break;
            }
            if self.take(b"text()") {
                path.last = Last::Texts(axis);
                break;
            }
            let test = self.test()?;
            let mut predicates = Vec::new();
            while self.take(b"[") {
                predicates.push(self.predicate()?);
            }
            path.steps.push(Step {
                axis,
                test,
                predicates,
            });
            match self.axis() {
                Some(next) if path.steps.len() < STEPS => axis = next,
                _ => break,
            }
        }
        if self.rest.is_empty() {
            Ok(path)
        } else {
            Err(self.unsupported())
        }
    }

    fn unsupported(&self) -> PathError {
        PathError::Unsupported {
            at: self.expression.len().saturating_sub(self.rest.len()),
        }
    }

    fn take(&mut self, token: &[u8]) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn axis(&mut self) -> Option<Axis> {
        if self.take(b"//") {
            Some(Axis::Descendant)
        } else if self.take(b"/") {
            Some(Axis::Child)
        } else {
            None
        }
    }

    fn test(&mut self) -> Result<Test, PathError> {
        if self.take(b"*") {
            return Ok(Test::Any);
        }
        let first = self.word()?;
        // `child::a`, `text()` in the middle and functions end here.
        if self.rest.starts_with(b"::") || self.rest.starts_with(b"(") {
            return Err(self.unsupported());
        }
        if !self.take(b":") {
            return Ok(Test::Name {
                namespace: None,
                local: first.to_vec(),
            });
        }
        let Some((_, uri)) = self.namespaces.iter().find(|(prefix, _)| *prefix == first) else {
            return Err(PathError::UnknownPrefix(first.to_vec()));
        };
        let uri = uri.to_vec();
        if self.take(b"*") {
            return Ok(Test::Namespace(uri));
        }
        Ok(Test::Name {
            namespace: Some(uri),
            local: self.word()?.to_vec(),
        })
    }

    fn word(&mut self) -> Result<&'a [u8], PathError> {
        let (word, rest) = split_where(self.rest, |byte| {
            !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | 0x80..))
        });
        let starts_well = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | 0x80..);
        if !word.first().is_some_and(starts_well) {
            return Err(self.unsupported());
        }
        self.rest = rest;
        Ok(word)
    }

    fn predicate(&mut self) -> Result<Predicate, PathError> {
        let predicate = if self.rest.first().is_some_and(u8::is_ascii_digit) {
            let (digits, rest) = split_where(self.rest, |byte| !byte.is_ascii_digit());
            let number = std::str::from_utf8(digits)
                .ok()
                .and_then(|digits| digits.parse().ok());
            let Some(number) = number else {
                return Err(self.unsupported());
            };
            self.rest = rest;
            Predicate::Position(number)
        } else if self.take(b"@") {
            let test = self.test()?;
            self.blanks();
            let value = if self.take(b"=") {
                Some(self.literal()?)
            } else {
                None
            };
            Predicate::Attribute { test, value }
        } else if self.take(b"local-name()") {
            self.blanks();
            if !self.take(b"=") {
                return Err(self.unsupported());
            }
            Predicate::LocalName(self.literal()?)
        } else if self.take(b"text()") {
            Predicate::Text
        } else {
            Predicate::Child(self.test()?)
        };
        self.blanks();
        if self.take(b"]") {
            Ok(predicate)
        } else {
            Err(self.unsupported())
        }
    }

    fn literal(&mut self) -> Result<Vec<u8>, PathError> {
        self.blanks();
        let [quote @ (b'"' | b'\''), rest @ ..] = self.rest else {
            return Err(self.unsupported());
        };
        let (literal, rest) = split_where(rest, |byte| byte == *quote);
        let Some((_, rest)) = rest.split_first() else {
            return Err(self.unsupported());
        };
        self.rest = rest;
        Ok(literal.to_vec())
    }

    fn blanks(&mut self) {
        self.rest = crate::http::trim_start(self.rest);
    }
}

/// The values of the nodes that a path selects. Every step is one pass over the elements.
pub(super) fn select<'a>(document: &'a Document, path: &Path) -> Vec<&'a [u8]> {
    let elements = &document.elements;
    let mut at = Selection {
        document: true,
        elements: vec![false; elements.len()],
    };
    for step in &path.steps {
        at = at.step(document, step);
    }
    match &path.last {
        Last::Elements if at.document => elements
            .first()
            .map(|root| document.content(&root.content))
            .into_iter()
            .collect(),
        Last::Elements => elements
            .iter()
            .enumerate()
            .filter(|(index, _)| at.has(Some(*index)))
            .map(|(_, element)| document.content(&element.content))
            .collect(),
        Last::Attributes(axis, test) => {
            let owners = at.owners(document, *axis);
            document
                .attributes
                .iter()
                .filter(|attribute| owners.has(Some(attribute.element)))
                .filter(|attribute| test.fits(document, &attribute.name))
                .map(|attribute| document.value(attribute))
                .collect()
        }
        Last::Texts(axis) => {
            let owners = at.owners(document, *axis);
            document
                .texts
                .iter()
                .filter(|text| owners.has(Some(text.parent)))
                .map(|text| document.content(&text.content))
                .collect()
        }
    }
}

/// Where a path has come to: the document, or elements.
struct Selection {
    document: bool,
    elements: Vec<bool>,
}

impl Selection {
    /// Whether an element is selected; `None` is the document, the parent of the root.
    fn has(&self, element: Option<usize>) -> bool {
        match element {
            Some(index) => self.elements.get(index).is_some_and(|selected| *selected),
            None => self.document,
        }
    }

    fn step(&self, document: &Document, step: &Step) -> Self {
        let from = match step.axis {
            Axis::Child => None,
            Axis::Descendant => Some(self.owners(document, step.axis)),
        };
        let from = from.as_ref().unwrap_or(self);
        let mut selected: Vec<bool> = document
            .elements
            .iter()
            .map(|element| from.has(element.parent) && step.test.fits(document, &element.name))
            .collect();
        for predicate in &step.predicates {
            predicate.filter(document, &mut selected);
        }
        Self {
            document: false,
            elements: selected,
        }
    }

    /// The selected nodes, and for `//` everything below them.
    fn owners(&self, document: &Document, axis: Axis) -> Self {
        let mut owners = Self {
            document: self.document,
            elements: self.elements.clone(),
        };
        if axis == Axis::Descendant {
            // Parents stand before their children.
            for (index, element) in document.elements.iter().enumerate() {
                if owners.has(element.parent)
                    && let Some(selected) = owners.elements.get_mut(index)
                {
                    *selected = true;
                }
            }
        }
        owners
    }
}

impl Test {
    fn fits(&self, document: &Document, name: &Name) -> bool {
        match self {
            Self::Any => true,
            Self::Namespace(uri) => document.namespace(name) == Some(uri),
            Self::Name { namespace, local } => {
                document.local(name) == local && document.namespace(name) == namespace.as_deref()
            }
        }
    }
}

impl Predicate {
    fn filter(&self, document: &Document, selected: &mut [bool]) {
        // Candidates so far below each element; those without a parent are the root.
        let mut counts = vec![0usize; document.elements.len()];
        let holders = self.holders(document);
        let nodes = document.elements.iter().zip(holders);
        for (selected, (element, holds)) in selected.iter_mut().zip(nodes) {
            if *selected {
                *selected = match self {
                    Self::Text | Self::Child(_) => holds,
                    Self::Position(wanted) => {
                        let count = element.parent.and_then(|parent| counts.get_mut(parent));
                        let position = match count {
                            Some(count) => {
                                *count = count.saturating_add(1);
                                *count
                            }
                            None => 1,
                        };
                        position == *wanted
                    }
                    Self::LocalName(wanted) => document.local(&element.name) == wanted,
                    Self::Attribute { test, value } => attributes(document, element).any(|own| {
                        test.fits(document, &own.name)
                            && value
                                .as_ref()
                                .is_none_or(|value| document.value(own) == value)
                    }),
                };
            }
        }
    }

    /// The elements that hold what the predicate asks for, where that is a node below them.
    fn holders(&self, document: &Document) -> Vec<bool> {
        let mut holders = vec![false; document.elements.len()];
        let mut mark = |parent: Option<usize>| {
            if let Some(holder) = parent.and_then(|parent| holders.get_mut(parent)) {
                *holder = true;
            }
        };
        match self {
            Self::Text => {
                for text in &document.texts {
                    mark(Some(text.parent));
                }
            }
            Self::Child(test) => {
                for child in &document.elements {
                    if test.fits(document, &child.name) {
                        mark(child.parent);
                    }
                }
            }
            Self::Position(_) | Self::LocalName(_) | Self::Attribute { .. } => {}
        }
        holders
    }
}

fn attributes<'a>(
    document: &'a Document,
    element: &Element,
) -> impl Iterator<Item = &'a Attribute> {
    document
        .attributes
        .get(element.attributes.clone())
        .unwrap_or_default()
        .iter()
}
