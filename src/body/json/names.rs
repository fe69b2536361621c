//! What a member of a JSON document is called: by v3, whose names are reported, and by v2 and
//! Coraza, in whose schemes a rule may have been written.

use std::io::Write;

use crate::body::MemberName;

/// The names of the current value, built up and cut back as the document is read.
#[derive(Debug)]
pub(super) struct Names {
    /// v3's: `json.list.array_0`.
    reported: Vec<u8>,
    /// Nobody asks for the other ones unless rules name arguments.
    others: Option<Others>,
}

#[derive(Debug, Default)]
struct Others {
    /// v2's: no prefix, and the elements of an array repeat its key: `list.list`, `array.array`.
    v2: Vec<u8>,
    /// Where the last key in `v2` begins.
    key: usize,
    /// Coraza's: `json.list.0`.
    coraza: Vec<u8>,
}

/// The lengths of the names of an object or array.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    reported: usize,
    v2: usize,
    key: usize,
    coraza: usize,
    /// v2 gives the object that is the document no name and its members no dot.
    bare: bool,
}

impl Names {
    pub(super) fn new(with_others: bool) -> Self {
        Self {
            reported: b"json".to_vec(),
            others: with_others.then(|| Others {
                coraza: b"json".to_vec(),
                ..Others::default()
            }),
        }
    }

    /// The names of the current value.
    pub(super) fn current(&self) -> MemberName<'_> {
        MemberName {
            reported: &self.reported,
            others: self
                .others
                .as_ref()
                .map(|others| [&*others.v2, &others.coraza]),
        }
    }

    pub(super) fn held_bytes(&self) -> usize {
        let others = self.others.as_ref().map_or(0, |others| {
            others
                .v2
                .capacity()
                .saturating_add(others.coraza.capacity())
        });
        self.reported.capacity().saturating_add(others)
    }

    /// Bytes of the names that are not reported.
    pub(super) fn others_length(&self) -> usize {
        self.others.as_ref().map_or(0, |others| {
            others.v2.len().saturating_add(others.coraza.len())
        })
    }

    /// The current value is the document, and an array; v2 calls that `array`.
    pub(super) fn document_is_array(&mut self) {
        if let Some(others) = &mut self.others {
            others.v2 = b"array".to_vec();
        }
    }

    /// The place of the current value, which holds others.
    pub(super) fn place(&self, bare: bool) -> Place {
        let others = self.others.as_ref();
        Place {
            reported: self.reported.len(),
            v2: others.map_or(0, |others| others.v2.len()),
            key: others.map_or(0, |others| others.key),
            coraza: others.map_or(0, |others| others.coraza.len()),
            bare,
        }
    }

    /// The current value is a member of the object at a place.
    pub(super) fn member(&mut self, within: Place, key: &[u8]) {
        self.reported.truncate(within.reported);
        self.reported.push(b'.');
        let shown = if key.is_empty() { b"empty-key" } else { key };
        self.reported.extend_from_slice(shown);
        if let Some(others) = &mut self.others {
            others.v2.truncate(within.v2);
            if !within.bare {
                others.v2.push(b'.');
            }
            others.key = others.v2.len();
            others.v2.extend_from_slice(key);
            others.coraza.truncate(within.coraza);
            others.coraza.push(b'.');
            others.coraza.extend_from_slice(key);
        }
    }

    /// The current value is an element of the array at a place.
    pub(super) fn element(&mut self, within: Place, number: usize) {
        self.reported.truncate(within.reported);
        // Writing to a vector cannot fail.
        let _ = write!(self.reported, ".array_{number}");
        if let Some(others) = &mut self.others {
            others.v2.truncate(within.v2);
            let key = others.v2.get(within.key..).unwrap_or_default().to_vec();
            others.v2.push(b'.');
            others.key = others.v2.len();
            others.v2.extend_from_slice(&key);
            others.coraza.truncate(within.coraza);
            let _ = write!(others.coraza, ".{number}");
        }
    }
}
