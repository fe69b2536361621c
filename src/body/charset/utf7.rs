//! UTF-7 (RFC 2152): ASCII, and UTF-16 in base64 between `+` and `-`.

use super::{Surrogates, push};
use crate::bytes::base64::sextet;

/// A text being decoded.
#[derive(Debug, Default)]
pub(super) struct Utf7 {
    shift: Option<Shift>,
    /// A character or a mark has been seen.
    started: bool,
    malformed: Option<&'static str>,
}

/// A stretch of base64.
#[derive(Debug, Default)]
struct Shift {
    any: bool,
    bits: u32,
    count: u32,
    surrogates: Surrogates,
}

const BAD_SHIFT: &str = "a stretch of base64 is broken";

impl Utf7 {
    pub(super) fn feed(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        for &byte in chunk {
            self.byte(byte, out);
        }
    }

    pub(super) fn finish(mut self, out: &mut Vec<u8>) -> Option<&'static str> {
        if let Some(shift) = self.shift.take() {
            self.end(&shift, None, out);
        }
        self.malformed
    }

    fn byte(&mut self, byte: u8, out: &mut Vec<u8>) {
        match (&mut self.shift, sextet(byte)) {
            (Some(shift), Some(sextet)) => {
                shift.any = true;
                shift.bits = (shift.bits << 6) | u32::from(sextet);
                shift.count = shift.count.saturating_add(6);
                if let Some(left) = shift.count.checked_sub(16) {
                    let unit = u16::try_from((shift.bits >> left) & 0xFFFF).unwrap_or(0);
                    shift.count = left;
                    // At most fourteen bits wait, so nothing is ever shifted out unread.
                    shift.bits &= 0x3FFF;
                    let mark = !std::mem::replace(&mut self.started, true) && unit == 0xFEFF;
                    if !mark && !shift.surrogates.unit(unit, out) {
                        self.malformed.get_or_insert(BAD_SHIFT);
                    }
                }
            }
            (Some(_), None) => {
                if let Some(shift) = self.shift.take() {
                    self.end(&shift, Some(byte), out);
                }
            }
            (None, _) if byte == b'+' => self.shift = Some(Shift::default()),
            (None, _) => self.plain(byte, out),
        }
    }

    fn plain(&mut self, byte: u8, out: &mut Vec<u8>) {
        self.started = true;
        if byte.is_ascii() {
            out.push(byte);
        } else {
            push(char::REPLACEMENT_CHARACTER, out);
            self.malformed.get_or_insert("it holds what is no ASCII");
        }
    }

    /// Ends a stretch, before the byte that is not part of it.
    fn end(&mut self, shift: &Shift, byte: Option<u8>, out: &mut Vec<u8>) {
        let padding = shift.bits & (1u32 << shift.count.min(31)).saturating_sub(1);
        if shift.count >= 6 || padding != 0 || shift.surrogates.is_open() {
            push(char::REPLACEMENT_CHARACTER, out);
            self.malformed.get_or_insert(BAD_SHIFT);
        }
        if !shift.any {
            self.plain(b'+', out);
            if byte != Some(b'-') {
                self.malformed.get_or_insert(BAD_SHIFT);
            }
        }
        if let Some(byte) = byte.filter(|&byte| byte != b'-') {
            self.plain(byte, out);
        }
    }
}
