//! UTF-16 and UTF-32.

use super::{Surrogates, push};

/// Bytes of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::body) enum Width {
    /// UTF-16.
    Two,
    /// UTF-32.
    Four,
}

/// Which byte of a unit comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::body) enum Order {
    /// The most significant.
    Big,
    /// The least significant.
    Little,
}

/// A text being decoded.
#[derive(Debug)]
pub(super) struct Wide {
    width: Width,
    order: Option<Order>,
    /// Whether a text without byte order mark, of a charset that leaves the order open, is an
    /// error: backends differ in what they take it for.
    needs_mark: bool,
    started: bool,
    /// Bytes of the next unit.
    unit: Vec<u8>,
    surrogates: Surrogates,
    malformed: Option<&'static str>,
}

impl Wide {
    /// A text of its own.
    pub(super) fn text(width: Width, order: Option<Order>) -> Self {
        Self {
            width,
            order,
            needs_mark: true,
            started: false,
            unit: Vec::with_capacity(4),
            surrogates: Surrogates::default(),
            malformed: None,
        }
    }

    /// A piece of a text.
    pub(super) fn value(width: Width, order: Option<Order>) -> Self {
        Self {
            needs_mark: false,
            ..Self::text(width, order)
        }
    }

    pub(super) fn feed(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        let width = self.bytes();
        for &byte in chunk {
            self.unit.push(byte);
            if self.unit.len() == width {
                self.take_unit(out);
                self.unit.clear();
            }
        }
    }

    pub(super) fn finish(mut self, out: &mut Vec<u8>) -> Option<&'static str> {
        if !self.unit.is_empty() || self.surrogates.is_open() {
            push(char::REPLACEMENT_CHARACTER, out);
            self.malformed.get_or_insert("it ends within a character");
        }
        self.malformed
    }

    fn bytes(&self) -> usize {
        match self.width {
            Width::Two => 2,
            Width::Four => 4,
        }
    }

    fn take_unit(&mut self, out: &mut Vec<u8>) {
        let big = self
            .unit
            .iter()
            .fold(0u32, |unit, &byte| (unit << 8) | u32::from(byte));
        let swapped = match self.width {
            Width::Two => big.swap_bytes() >> 16,
            Width::Four => big.swap_bytes(),
        };
        if !std::mem::replace(&mut self.started, true) && self.begins(big, swapped) {
            return;
        }
        let unit = match self.order {
            Some(Order::Little) => swapped,
            Some(Order::Big) | None => big,
        };
        let well_formed = match (self.width, u16::try_from(unit)) {
            (Width::Two, Ok(unit)) => self.surrogates.unit(unit, out),
            _ => {
                let character = char::from_u32(unit);
                push(character.unwrap_or(char::REPLACEMENT_CHARACTER), out);
                character.is_some()
            }
        };
        if !well_formed {
            self.malformed
                .get_or_insert("it holds what is no character");
        }
    }

    /// Finds out the order at the first unit. True if that was a byte order mark.
    fn begins(&mut self, big: u32, swapped: u32) -> bool {
        const MARK: u32 = 0xFEFF;
        let marked = match (big, swapped) {
            (MARK, _) => Some(Order::Big),
            (_, MARK) => Some(Order::Little),
            _ => None,
        };
        match (self.order, marked) {
            (None, Some(order)) => self.order = Some(order),
            (None, None) => {
                // Most texts begin with a character of ASCII.
                let little = swapped < 0x80 && big >= 0x80;
                self.order = Some(if little { Order::Little } else { Order::Big });
                if self.needs_mark {
                    self.malformed
                        .get_or_insert("its byte order is not declared");
                }
            }
            (Some(order), Some(marked)) if order != marked => {
                self.malformed
                    .get_or_insert("its byte order mark contradicts the charset");
            }
            (Some(_), _) => {}
        }
        marked.is_some()
    }
}
