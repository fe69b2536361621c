//! The tree of a document: an arena in document order.
//!
//! All text stands in one buffer in document order, so that the text of an element with everything
//! inside it is one stretch of that buffer. Selecting copies nothing, however often text is
//! selected again by the elements around it.

use std::ops::Range;

use super::path::{Path, select};

/// A parsed document, or as much of it as was well-formed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    pub(super) elements: Vec<Element>,
    pub(super) attributes: Vec<Attribute>,
    pub(super) texts: Vec<Text>,
    /// The text of all text nodes.
    pub(super) content: Vec<u8>,
    /// The values of all attributes.
    pub(super) values: Vec<u8>,
    /// The names of all elements and attributes.
    pub(super) names: Vec<u8>,
    /// URIs of namespaces.
    pub(super) namespaces: Vec<Vec<u8>>,
}

/// A name: where the local part stands in [`Document::names`], and the index of its namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) local: Range<usize>,
    pub(super) namespace: Option<usize>,
}

/// An element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Element {
    /// Index of the element around it; `None` for the root.
    pub(super) parent: Option<usize>,
    pub(super) name: Name,
    /// Its stretch of [`Document::content`].
    pub(super) content: Range<usize>,
    /// Its stretch of [`Document::attributes`].
    pub(super) attributes: Range<usize>,
}

/// An attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attribute {
    /// Index of its element.
    pub(super) element: usize,
    pub(super) name: Name,
    /// Its stretch of [`Document::values`].
    pub(super) value: Range<usize>,
}

/// A text node: text between two tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    /// Index of the element around it.
    pub(super) parent: usize,
    /// Its stretch of [`Document::content`].
    pub(super) content: Range<usize>,
}

impl Document {
    /// Bytes of memory that the document takes.
    pub fn held_bytes(&self) -> usize {
        let namespaces = self.namespaces.iter().map(Vec::capacity);
        [
            self.elements
                .capacity()
                .saturating_mul(size_of::<Element>()),
            self.attributes
                .capacity()
                .saturating_mul(size_of::<Attribute>()),
            self.texts.capacity().saturating_mul(size_of::<Text>()),
            self.content.capacity(),
            self.values.capacity(),
            self.names.capacity(),
        ]
        .into_iter()
        .chain(namespaces)
        .fold(0, usize::saturating_add)
    }

    /// Number of elements, attributes and texts.
    pub fn nodes(&self) -> usize {
        self.elements
            .len()
            .saturating_add(self.attributes.len())
            .saturating_add(self.texts.len())
    }

    /// The values of the nodes that a path selects, in document order: the text of an element with
    /// everything inside it, the value of an attribute, the text of a text node.
    pub fn select(&self, path: &Path) -> Vec<&[u8]> {
        select(self, path)
    }

    /// The names of all elements and attributes without their prefixes, and what each holds: an
    /// element the text of everything inside it.
    pub fn named_values(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let elements = self.elements.iter();
        let elements =
            elements.map(|element| (self.local(&element.name), self.content(&element.content)));
        let attributes = self.attributes.iter();
        elements.chain(attributes.map(|one| (self.local(&one.name), self.value(one))))
    }

    pub(super) fn local(&self, name: &Name) -> &[u8] {
        self.names.get(name.local.clone()).unwrap_or_default()
    }

    pub(super) fn namespace(&self, name: &Name) -> Option<&[u8]> {
        name.namespace
            .and_then(|index| self.namespaces.get(index))
            .map(Vec::as_slice)
    }

    pub(super) fn content(&self, range: &Range<usize>) -> &[u8] {
        self.content.get(range.clone()).unwrap_or_default()
    }

    pub(super) fn value(&self, attribute: &Attribute) -> &[u8] {
        self.values.get(attribute.value.clone()).unwrap_or_default()
    }
}
