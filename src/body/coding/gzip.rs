//! Gzip: deflate between a head and a checksum, any number of times.

use miniz_oxide::DataFormat;

use super::Fault;
use super::deflate::Stream;

/// A `gzip` body.
#[derive(Debug, Default)]
pub(super) struct Gzip {
    state: State,
    /// Flags of the head that were not dealt with yet.
    flags: u8,
    check: Check,
}

#[derive(Debug)]
enum State {
    /// The fixed part of a head, as far as it came.
    Head(Vec<u8>),
    /// The length of the extra field, then the field.
    ExtraLength(Vec<u8>),
    Extra(usize),
    /// A text that a NUL ends: the name, then the comment.
    Text,
    /// The checksum of the head.
    HeadCheck(Vec<u8>),
    Data(Stream),
    /// Checksum and size, as far as they came.
    Tail(Vec<u8>),
    /// Behind a member: the end, or another one.
    Between,
}

impl Default for State {
    fn default() -> Self {
        Self::Head(Vec::new())
    }
}

const HEAD: usize = 10;
const TAIL: usize = 8;

const HEAD_CHECK: u8 = 2;
const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;
const RESERVED: u8 = 0xE0;

impl Gzip {
    pub(super) fn is_complete(&self) -> bool {
        matches!(self.state, State::Between)
    }

    pub(super) fn step(
        &mut self,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<(usize, usize), Fault> {
        if let State::Data(stream) = &mut self.state {
            let (consumed, written) = stream.step(input, output)?;
            self.check.add(output.get(..written).unwrap_or_default());
            if stream.is_complete() {
                self.state = State::Tail(Vec::new());
                // Progress even where there was nothing left to read or to write.
                if (consumed, written) == (0, 0) && !input.is_empty() {
                    return self.step(input, output);
                }
            }
            return Ok((consumed, written));
        }
        let mut consumed = 0usize;
        for &byte in input {
            if matches!(self.state, State::Data(_)) {
                break;
            }
            self.byte(byte)?;
            consumed = consumed.saturating_add(1);
        }
        Ok((consumed, 0))
    }

    /// Takes a byte that is no data.
    fn byte(&mut self, byte: u8) -> Result<(), Fault> {
        match &mut self.state {
            State::Head(head) => {
                head.push(byte);
                const MAGIC: [u8; 3] = [0x1F, 0x8B, 8];
                if head.iter().zip(&MAGIC).any(|(byte, magic)| byte != magic) {
                    return Err(Fault::Corrupt);
                }
                if head.len() == HEAD {
                    self.flags = head.get(MAGIC.len()).copied().unwrap_or(RESERVED);
                    if self.flags & RESERVED != 0 {
                        return Err(Fault::Corrupt);
                    }
                    self.next_field();
                }
            }
            State::ExtraLength(length) => {
                length.push(byte);
                if let &[low, high] = length.as_slice() {
                    let length = usize::from(u16::from_le_bytes([low, high]));
                    if length == 0 {
                        self.next_field();
                    } else {
                        self.state = State::Extra(length);
                    }
                }
            }
            State::Extra(left) => {
                *left = left.saturating_sub(1);
                if *left == 0 {
                    self.next_field();
                }
            }
            State::Text if byte == 0 => self.next_field(),
            State::Text => {}
            State::HeadCheck(check) => {
                check.push(byte);
                if check.len() == 2 {
                    self.next_field();
                }
            }
            State::Tail(tail) => {
                tail.push(byte);
                if tail.len() == TAIL {
                    if *tail != self.check.tail() {
                        return Err(Fault::Corrupt);
                    }
                    self.state = State::Between;
                }
            }
            State::Between if byte == 0x1F => self.state = State::Head(vec![byte]),
            State::Between => return Err(Fault::Trailing),
            // Not asked here.
            State::Data(_) => {}
        }
        Ok(())
    }

    /// Goes on to what the flags announce next.
    fn next_field(&mut self) {
        let mut announced = |flag: u8| {
            let set = self.flags & flag != 0;
            self.flags &= !flag;
            set
        };
        self.state = if announced(EXTRA) {
            State::ExtraLength(Vec::new())
        } else if announced(NAME) || announced(COMMENT) {
            State::Text
        } else if announced(HEAD_CHECK) {
            State::HeadCheck(Vec::new())
        } else {
            self.check = Check::default();
            State::Data(Stream::new(DataFormat::Raw))
        };
    }
}

/// CRC-32 and size of what came out.
#[derive(Debug)]
struct Check {
    sum: u32,
    size: u32,
}

impl Default for Check {
    fn default() -> Self {
        Self { sum: !0, size: 0 }
    }
}

impl Check {
    fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.sum ^= u32::from(byte);
            for _ in 0..2 {
                let low = usize::try_from(self.sum & 15).unwrap_or(0);
                self.sum = (self.sum >> 4) ^ NIBBLES.get(low).copied().unwrap_or(0);
            }
            self.size = self.size.wrapping_add(1);
        }
    }

    /// What stands behind the data.
    fn tail(&self) -> Vec<u8> {
        [(!self.sum).to_le_bytes(), self.size.to_le_bytes()].concat()
    }
}

/// The CRC-32 of each half byte (polynomial 0xEDB88320).
const NIBBLES: [u32; 16] = [
    0x0000_0000,
    0x1DB7_1064,
    0x3B6E_20C8,
    0x26D9_30AC,
    0x76DC_4190,
    0x6B6B_51F4,
    0x4DB2_6158,
    0x5005_713C,
    0xEDB8_8320,
    0xF00F_9344,
    0xD6D6_A3E8,
    0xCB61_B38C,
    0x9B64_C2B0,
    0x86D3_D2D4,
    0xA00A_E278,
    0xBDBD_F21C,
];
