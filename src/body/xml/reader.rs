//! From text to tree: quick-xml cuts the events, this checks what it does not (names, attributes,
//! references, one root) and builds the arena.

use quick_xml::Reader as EventReader;
use quick_xml::errors::{Error, IllFormedError};
use quick_xml::events::Event;

use super::document::{Attribute, Document, Element, Name, Text};
use super::entities::Entities;
use crate::body::{End, NameBudget, Sink, printable};
use crate::http::{is_space, split_where, trim_start};
use crate::limits::Limits;

/// Namespace declarations in scope at the same time.
const BINDINGS: usize = 256;

/// Builds a tree, and reports arguments on the way where they are wanted.
pub(super) struct Reader<'a> {
    limits: &'a Limits,
    arguments: Option<Arguments<'a>>,
    document: Document,
    entities: Entities,
    open: Vec<Open>,
    /// Prefix and index of the URI, of the elements that are open. Without a prefix: the default.
    bindings: Vec<(Vec<u8>, usize)>,
    /// Whether the next text continues the last text node.
    in_text: bool,
}

/// An element whose end has not come.
struct Open {
    element: usize,
    has_children: bool,
    /// Length of the bindings outside of it.
    bindings: usize,
    /// Length of the argument name outside of it.
    name: usize,
}

/// SecParseXmlIntoArgs: every element without child elements is an argument, named `xml` and the
/// local names on the way to it.
pub(super) struct Arguments<'a> {
    sink: &'a mut dyn Sink,
    name: Vec<u8>,
    names: NameBudget,
    over_limit: bool,
}

impl<'a> Arguments<'a> {
    pub(super) fn new(sink: &'a mut dyn Sink) -> Self {
        Self {
            sink,
            name: b"xml".to_vec(),
            names: NameBudget::new(),
            over_limit: false,
        }
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(limits: &'a Limits, arguments: Option<Arguments<'a>>) -> Self {
        Self {
            limits,
            arguments,
            document: Document {
                namespaces: vec![XML_NAMESPACE.to_vec()],
                ..Document::default()
            },
            entities: Entities::new(),
            open: Vec::new(),
            bindings: Vec::new(),
            in_text: false,
        }
    }

    /// Whether there were more arguments than the sink takes.
    pub(super) fn over_limit(&self) -> bool {
        self.arguments
            .as_ref()
            .is_some_and(|arguments| arguments.over_limit)
    }

    /// The tree; elements that never ended do so here.
    pub(super) fn into_document(mut self) -> Document {
        let end = self.document.content.len();
        for open in &self.open {
            if let Some(element) = self.document.elements.get_mut(open.element) {
                element.content.end = end;
            }
        }
        self.document
    }

    /// Reads a document. The error says why it is not well-formed, or which bound it exceeds.
    pub(super) fn read(&mut self, text: &str, end: End) -> Result<(), String> {
        let mut events = EventReader::from_str(text);
        events.config_mut().expand_empty_elements = true;
        events.config_mut().check_comments = true;
        let mut first = true;
        loop {
            let event = match events.read_event() {
                Ok(Event::Eof) if end == End::Cut => return Ok(()),
                Ok(event) => event,
                Err(error) => {
                    let read = usize::try_from(events.buffer_position()).unwrap_or(usize::MAX);
                    let unclosed = matches!(
                        error,
                        Error::Syntax(_) | Error::IllFormed(IllFormedError::UnclosedReference)
                    );
                    if end == End::Cut && unclosed && read >= text.len() {
                        return Ok(());
                    }
                    let at = events.error_position();
                    return Err(format!(
                        "{} at byte {at}",
                        printable(error.to_string().as_bytes())
                    ));
                }
            };
            let over = matches!(event, Event::Eof);
            let read = usize::try_from(events.buffer_position()).unwrap_or(usize::MAX);
            self.event(event, first, read)
                .map_err(|error| format!("{error} at byte {read}"))?;
            first = false;
            if over {
                return Ok(());
            }
        }
    }

    fn event(&mut self, event: Event<'_>, first: bool, read: usize) -> Result<(), &'static str> {
        match event {
            Event::Start(tag) | Event::Empty(tag) => self.start(
                tag.name().as_ref().as_bytes(),
                tag.attributes_raw().as_bytes(),
            ),
            Event::End(_) => self.end(read),
            Event::Text(text) => {
                let content = text.xml10_content();
                self.text(content.as_bytes())?;
                if memchr::memmem::find(content.as_bytes(), b"]]>").is_some() {
                    return Err("']]>' in text");
                }
                Ok(())
            }
            Event::CData(_) if self.open.is_empty() => Err(OUTSIDE),
            Event::CData(text) => self.text(text.xml10_content().as_bytes()),
            Event::GeneralRef(_) if self.open.is_empty() => Err(OUTSIDE),
            Event::GeneralRef(name) => {
                let mut text = Vec::new();
                let result = self
                    .entities
                    .expand(name.xml10_content().as_bytes(), &mut text);
                self.text(&text)?;
                result
            }
            Event::Decl(_) if first => Ok(()),
            Event::Decl(_) => Err("XML declaration not at the start"),
            Event::PI(instruction) => {
                self.in_text = false;
                if instruction.target().eq_ignore_ascii_case("xml") {
                    return Err("XML declaration not at the start");
                }
                is_name(instruction.target().as_bytes())
                    .then_some(())
                    .ok_or(BAD_NAME)
            }
            Event::Comment(_) => {
                self.in_text = false;
                Ok(())
            }
            Event::DocType(declaration) => {
                if !self.document.elements.is_empty() {
                    return Err("document type not before the root element");
                }
                self.entities.declare(declaration.as_ref().as_bytes());
                Ok(())
            }
            Event::Eof if self.document.elements.is_empty() => Err("document is empty"),
            Event::Eof if !self.open.is_empty() => Err("premature end of the document"),
            Event::Eof => Ok(()),
        }
    }

    fn start(&mut self, name: &[u8], attributes: &[u8]) -> Result<(), &'static str> {
        if self.open.is_empty() && !self.document.elements.is_empty() {
            return Err("extra content behind the root element");
        }
        if self.open.len() >= self.limits.xml_depth {
            return Err("elements nested too deep");
        }
        if !is_name(name) {
            return Err(BAD_NAME);
        }
        self.in_text = false;
        let attributes = parse_attributes(attributes)?;
        self.room(attributes.len().saturating_add(1))?;

        let bindings = self.bindings.len();
        let parent = self.open.last_mut().map(|open| {
            open.has_children = true;
            open.element
        });
        for (name, value) in &attributes {
            match name.strip_prefix(b"xmlns") {
                Some([]) => self.bind(&[], value)?,
                Some([b':', prefix @ ..]) => self.bind(prefix, value)?,
                _ => {}
            }
        }
        let element = self.document.elements.len();
        let name = self.name(name, true);
        if let Some(arguments) = &mut self.arguments {
            let length = arguments.name.len();
            arguments.name.push(b'.');
            arguments.name.extend_from_slice(self.document.local(&name));
            self.open.push(Open {
                element,
                has_children: false,
                bindings,
                name: length,
            });
        } else {
            self.open.push(Open {
                element,
                has_children: false,
                bindings,
                name: 0,
            });
        }
        let first_attribute = self.document.attributes.len();
        let content = self.document.content.len();
        self.document.elements.push(Element {
            parent,
            name,
            content: content..content,
            attributes: first_attribute..first_attribute,
        });
        for (name, value) in attributes {
            if name == b"xmlns" || name.starts_with(b"xmlns:") {
                continue;
            }
            let start = self.document.values.len();
            self.entities.attribute(value, &mut self.document.values)?;
            let value = start..self.document.values.len();
            let name = self.name(name, false);
            self.document.attributes.push(Attribute {
                element,
                name,
                value,
            });
            let end = self.document.attributes.len();
            if let Some(element) = self.document.elements.last_mut() {
                element.attributes.end = end;
            }
        }
        Ok(())
    }

    fn end(&mut self, read: usize) -> Result<(), &'static str> {
        self.in_text = false;
        let Some(open) = self.open.pop() else {
            return Err("end tag without start tag");
        };
        self.bindings.truncate(open.bindings);
        let end = self.document.content.len();
        let Some(element) = self.document.elements.get_mut(open.element) else {
            return Ok(());
        };
        element.content.end = end;
        if let Some(arguments) = &mut self.arguments {
            if !open.has_children && !arguments.over_limit {
                if !arguments.names.allows(arguments.name.len(), read) {
                    return Err("argument names too long");
                }
                let range = element.content.clone();
                let value = self.document.content.get(range).unwrap_or_default();
                arguments.over_limit = !arguments.sink.argument(&arguments.name, value);
            }
            arguments.name.truncate(open.name);
        }
        Ok(())
    }

    fn text(&mut self, text: &[u8]) -> Result<(), &'static str> {
        let Some(open) = self.open.last() else {
            return if text.iter().all(|&byte| is_space(byte)) {
                Ok(())
            } else {
                Err(OUTSIDE)
            };
        };
        let parent = open.element;
        if text.is_empty() {
            return Ok(());
        }
        let start = self.document.content.len();
        if !self.in_text {
            self.room(1)?;
            self.document.texts.push(Text {
                parent,
                content: start..start,
            });
            self.in_text = true;
        }
        self.document.content.extend_from_slice(text);
        let end = self.document.content.len();
        if let Some(node) = self.document.texts.last_mut() {
            node.content.end = end;
        }
        Ok(())
    }

    /// Whether so many more nodes may stand in the tree.
    fn room(&self, more: usize) -> Result<(), &'static str> {
        let document = &self.document;
        let nodes = [
            document.elements.len(),
            document.attributes.len(),
            document.texts.len(),
            more,
        ];
        let total = nodes
            .iter()
            .fold(0usize, |sum, &count| sum.saturating_add(count));
        if total > self.limits.xml_nodes {
            Err("too many nodes")
        } else {
            Ok(())
        }
    }

    fn bind(&mut self, prefix: &[u8], raw: &[u8]) -> Result<(), &'static str> {
        if self.bindings.len() >= BINDINGS {
            return Err("too many namespace declarations");
        }
        let mut uri = Vec::new();
        self.entities.attribute(raw, &mut uri)?;
        self.bindings
            .push((prefix.to_vec(), self.document.namespaces.len()));
        self.document.namespaces.push(uri);
        Ok(())
    }

    /// Resolves a name. One whose prefix is not bound is kept whole, without a namespace, as
    /// libxml2 does; attributes without a prefix have none.
    fn name(&mut self, qualified: &[u8], takes_default: bool) -> Name {
        let (prefix, local) =
            crate::http::form::split_once(qualified, b':').unwrap_or((&[], qualified));
        let bound = self
            .bindings
            .iter()
            .rev()
            .find(|(bound, _)| bound == prefix);
        let (local, namespace) = match bound {
            _ if prefix == b"xml" => (local, Some(0)),
            Some((_, index)) if !prefix.is_empty() || takes_default => (local, Some(*index)),
            _ => (qualified, None),
        };
        // `xmlns=""` takes the default namespace back.
        let namespace = namespace.filter(|&index| {
            self.document
                .namespaces
                .get(index)
                .is_some_and(|uri| !uri.is_empty())
        });
        let start = self.document.names.len();
        self.document.names.extend_from_slice(local);
        Name {
            local: start..self.document.names.len(),
            namespace,
        }
    }
}

/// What the prefix `xml` means without a declaration.
const XML_NAMESPACE: &[u8] = b"http://www.w3.org/XML/1998/namespace";

const OUTSIDE: &str = "text outside of the root element";
const BAD_NAME: &str = "invalid name";
const BAD_ATTRIBUTE: &str = "invalid attribute";

/// A name and a value as written.
type RawAttribute<'a> = (&'a [u8], &'a [u8]);

/// The attributes of a tag. Two of one name are an error.
fn parse_attributes(raw: &[u8]) -> Result<Vec<RawAttribute<'_>>, &'static str> {
    let mut attributes = Vec::new();
    let mut rest = raw;
    loop {
        let next = trim_start(rest);
        if next.is_empty() {
            break;
        }
        if next.len() == rest.len() {
            return Err(BAD_ATTRIBUTE);
        }
        let (name, tail) = split_where(next, |byte| byte == b'=' || is_space(byte));
        if !is_name(name) {
            return Err(BAD_NAME);
        }
        let [b'=', tail @ ..] = trim_start(tail) else {
            return Err(BAD_ATTRIBUTE);
        };
        let [quote @ (b'"' | b'\''), tail @ ..] = trim_start(tail) else {
            return Err(BAD_ATTRIBUTE);
        };
        let (value, tail) = split_where(tail, |byte| byte == *quote);
        let Some((_, tail)) = tail.split_first() else {
            return Err(BAD_ATTRIBUTE);
        };
        if value.contains(&b'<') {
            return Err("'<' in an attribute value");
        }
        attributes.push((name, value));
        rest = tail;
    }
    let mut names: Vec<&[u8]> = attributes.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    if names.array_windows().any(|[one, other]| one == other) {
        return Err("attribute redefined");
    }
    Ok(attributes)
}

/// XML's names, all characters beyond ASCII taken as letters.
fn is_name(name: &[u8]) -> bool {
    let starts = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b':' | 0x80..);
    let continues = |byte: u8| starts(byte) || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    match name {
        [first, rest @ ..] => starts(*first) && rest.iter().all(|&byte| continues(byte)),
        [] => false,
    }
}
