//! References in text and attribute values, and the entities that a document type declares.
//!
//! libxml2 shows the text of internal entities in the values of the nodes around them, so rules
//! of v2 see it; hiding an attack in an entity must not pay here either. Expansion is bounded, and
//! nothing outside of the document is ever loaded.

use std::collections::BTreeMap;

use crate::http::{is_space, split_where, trim_start};

/// Declared entities.
#[derive(Debug)]
pub(super) struct Entities {
    /// Replacement texts by name. Declarations of the same name follow each other: which of them
    /// is in force does not matter to who looks for an attack in any.
    declared: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Whether declarations that are not read may exist (an external subset, parameter entities).
    incomplete: bool,
    /// Bytes that expansion may still add.
    budget: usize,
}

/// Bytes that all expansions of a document may add together.
const EXPANSION: usize = 1 << 20;
/// Entities within entities.
const DEPTH: usize = 8;

impl Entities {
    /// Without a document type: only the predefined entities.
    pub(super) fn new() -> Self {
        Self {
            declared: BTreeMap::new(),
            incomplete: false,
            budget: EXPANSION,
        }
    }

    /// Reads the inside of `<!DOCTYPE …>`.
    pub(super) fn declare(&mut self, doctype: &[u8]) {
        let (outside, subset) = split_where(doctype, |byte| byte == b'[');
        let words = || outside.split(|&byte| is_space(byte));
        self.incomplete = words().any(|word| word == b"SYSTEM" || word == b"PUBLIC")
            || memchr::memchr(b'%', subset).is_some();
        let mut rest = subset;
        while let Some(at) = memchr::memmem::find(rest, ENTITY) {
            rest = rest
                .get(at.saturating_add(ENTITY.len())..)
                .unwrap_or_default();
            let (name, definition) = split_where(trim_start(rest), is_space);
            let value = match trim_start(definition) {
                [quote @ (b'"' | b'\''), value @ ..] => split_where(value, |byte| byte == *quote).0,
                // External: not loaded, so it stands for nothing.
                _ => &[],
            };
            self.declared
                .entry(name.to_vec())
                .or_default()
                .extend_from_slice(value);
        }
    }

    /// Appends what `&name;` stands for.
    pub(super) fn expand(&mut self, name: &[u8], out: &mut Vec<u8>) -> Result<(), &'static str> {
        self.expand_within(name, out, 0)
    }

    /// Appends an attribute value: references expanded, line ends and tabs as spaces.
    pub(super) fn attribute(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<(), &'static str> {
        let mut rest = raw;
        loop {
            let (plain, tail) =
                split_where(rest, |byte| matches!(byte, b'&' | b'\t' | b'\n' | b'\r'));
            out.extend_from_slice(plain);
            rest = match tail {
                [] => return Ok(()),
                [b'&', reference @ ..] => {
                    let (name, after) = split_where(reference, |byte| byte == b';');
                    let Some((_, after)) = after.split_first() else {
                        return Err(UNCLOSED);
                    };
                    self.expand(name, out)?;
                    after
                }
                [b'\r', b'\n', after @ ..] | [_, after @ ..] => {
                    out.push(b' ');
                    after
                }
            };
        }
    }

    fn expand_within(
        &mut self,
        name: &[u8],
        out: &mut Vec<u8>,
        depth: usize,
    ) -> Result<(), &'static str> {
        if let Some(number) = name.strip_prefix(b"#") {
            let character = character(number).ok_or("invalid character reference")?;
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            return Ok(());
        }
        if let Some(byte) = predefined(name) {
            out.push(byte);
            return Ok(());
        }
        let Some(text) = self.declared.get(name) else {
            if !self.incomplete {
                return Err("entity not defined");
            }
            self.spend(name.len())?;
            out.extend_from_slice(&[b"&", name, b";"].concat());
            return Ok(());
        };
        if depth >= DEPTH {
            return Err("entities nested too deep");
        }
        // A copy, so that the text may refer to other entities; the budget pays for it.
        let text = text.clone();
        self.spend(text.len())?;
        let mut rest = &text[..];
        loop {
            let (plain, tail) = split_where(rest, |byte| byte == b'&');
            out.extend_from_slice(plain);
            let Some((_, reference)) = tail.split_first() else {
                return Ok(());
            };
            let (name, after) = split_where(reference, |byte| byte == b';');
            let Some((_, after)) = after.split_first() else {
                return Err(UNCLOSED);
            };
            self.expand_within(name, out, depth.saturating_add(1))?;
            rest = after;
        }
    }

    fn spend(&mut self, bytes: usize) -> Result<(), &'static str> {
        // One more, so that empty entities are not for nothing.
        let left = self.budget.checked_sub(bytes.saturating_add(1));
        self.budget = left.ok_or("entities too large")?;
        Ok(())
    }
}

const ENTITY: &[u8] = b"<!ENTITY";
const UNCLOSED: &str = "reference without semicolon";

fn predefined(name: &[u8]) -> Option<u8> {
    match name {
        b"lt" => Some(b'<'),
        b"gt" => Some(b'>'),
        b"amp" => Some(b'&'),
        b"quot" => Some(b'"'),
        b"apos" => Some(b'\''),
        _ => None,
    }
}

/// The character of `65` or `x41`, if it may stand in a document.
fn character(number: &[u8]) -> Option<char> {
    let (digits, radix) = match number.strip_prefix(b"x") {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    if !digits.first()?.is_ascii_hexdigit() {
        return None;
    }
    let code = u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()?;
    let allowed = matches!(code, 0x09 | 0x0A | 0x0D | 0x20..=0xFFFD | 0x1_0000..);
    if allowed { char::from_u32(code) } else { None }
}
