//! Values that come close to what a rule waits for.

use crate::matching::PhraseSet;
use crate::program::Program;

/// Most words that are taken of one rule.
const WORDS: usize = 400;

/// What a rule waits for.
pub(super) struct Bait {
    /// Its id; a link of a chain has that of its starter.
    pub(super) rule: u64,
    words: Vec<Vec<u8>>,
    signs: Vec<u8>,
}

/// How a value is made from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Taste {
    /// Its words with its signs between them.
    Words,
    /// The same without the last byte of each.
    Almost,
    /// Its signs alone.
    Signs,
    /// Words, signs, digits and blanks.
    Mixed,
    /// The same, with encodings in each other.
    Encoded,
    /// One word again and again.
    Again,
    /// One sign again and again, with a word now and then.
    Run,
    /// Any bytes.
    Bytes,
}

impl Taste {
    pub(super) const ALL: [Self; 8] = [
        Self::Words,
        Self::Almost,
        Self::Signs,
        Self::Mixed,
        Self::Encoded,
        Self::Again,
        Self::Run,
        Self::Bytes,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Almost => "almost",
            Self::Signs => "signs",
            Self::Mixed => "mixed",
            Self::Encoded => "encoded",
            Self::Again => "again",
            Self::Run => "run",
            Self::Bytes => "bytes",
        }
    }
}

/// What the rules with a pattern or phrases wait for.
pub(super) fn baits(program: &Program) -> Vec<Bait> {
    let mut starter = 0;
    let mut continues = false;
    let mut baits = Vec::new();
    for (rule, meta) in program.rules.iter().zip(&program.meta) {
        if !continues {
            starter = meta.id;
        }
        continues = rule.chained;
        let Some(test) = &rule.test else { continue };
        let (words, signs) = match (test.operator.pattern(), test.operator.phrases()) {
            (Some(pattern), _) => of_pattern(pattern.source()),
            (None, Some(phrases)) => of_phrases(phrases),
            (None, None) => continue,
        };
        baits.push(Bait {
            rule: starter,
            words,
            signs,
        });
    }
    baits
}

fn of_pattern(source: &[u8]) -> (Vec<Vec<u8>>, Vec<u8>) {
    let mut words = Vec::new();
    let mut word = Vec::new();
    let mut escaped = false;
    for &byte in source {
        // `\b` and its like are no letters.
        let escape = escaped;
        escaped = byte == b'\\' && !escape;
        if byte.is_ascii_alphanumeric() && !escape {
            word.push(byte);
        } else if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
    }
    words.push(word);
    words.retain(|word| word.len() > 1);
    words.truncate(WORDS);
    let mut signs: Vec<u8> = source
        .iter()
        .copied()
        .filter(|byte| byte.is_ascii_graphic())
        .collect();
    signs.extend_from_slice(b" '\"");
    signs.sort_unstable();
    signs.dedup();
    (words, signs)
}

fn of_phrases(phrases: &PhraseSet) -> (Vec<Vec<u8>>, Vec<u8>) {
    let words = phrases.phrases().take(WORDS).map(<[u8]>::to_vec).collect();
    (words, b" ./='\"(".to_vec())
}

impl Bait {
    /// A value of this length.
    pub(super) fn text(&self, taste: Taste, length: usize, random: &mut Random) -> Vec<u8> {
        let mut out = Vec::with_capacity(length.saturating_add(64));
        let one = self.word(random);
        while out.len() < length {
            match taste {
                Taste::Words => {
                    out.extend(self.word(random));
                    out.push(self.sign(random));
                }
                Taste::Almost => {
                    let mut word = self.word(random);
                    word.pop();
                    out.extend(word);
                    out.push(self.sign(random));
                }
                Taste::Signs => out.push(self.sign(random)),
                Taste::Mixed => self.piece(random, &mut out),
                Taste::Encoded => {
                    let mut piece = Vec::new();
                    self.piece(random, &mut piece);
                    for byte in piece {
                        encode(byte, random, &mut out);
                    }
                }
                Taste::Again => out.extend_from_slice(&one),
                Taste::Run => {
                    let sign = self.sign(random);
                    out.extend(std::iter::repeat_n(sign, random.below(200)));
                    out.extend(self.word(random));
                }
                Taste::Bytes => out.push(u8::try_from(random.below(256)).unwrap_or(0)),
            }
        }
        out.truncate(length);
        out
    }

    fn piece(&self, random: &mut Random, out: &mut Vec<u8>) {
        match random.below(6) {
            0 => out.extend(self.word(random)),
            1 => out.push(b' '),
            2 => out.extend(random.below(1000).to_string().bytes()),
            _ => out.push(self.sign(random)),
        }
    }

    fn word(&self, random: &mut Random) -> Vec<u8> {
        random
            .pick(&self.words)
            .map_or_else(|| b"x'".to_vec(), Clone::clone)
    }

    fn sign(&self, random: &mut Random) -> u8 {
        random.pick(&self.signs).copied().unwrap_or(b'\'')
    }
}

/// Writes a byte in one of the ways that transformations decode.
fn encode(byte: u8, random: &mut Random, out: &mut Vec<u8>) {
    let text = match random.below(8) {
        0 => format!("%{byte:02x}"),
        1 => format!("%25{byte:02x}"),
        2 => format!("%u00{byte:02x}"),
        3 => format!("&#x{byte:x};"),
        4 => format!("\\x{byte:02x}"),
        5 => format!("\\u00{byte:02x}"),
        _ => {
            out.push(byte);
            return;
        }
    };
    out.extend(text.bytes());
}

/// Numbers that look random, the same from the same seed.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below a bound; 0 for the bound 0.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0.wrapping_shl(13);
        self.0 ^= self.0.wrapping_shr(7);
        self.0 ^= self.0.wrapping_shl(17);
        let number = usize::try_from(self.0.wrapping_shr(33)).unwrap_or(0);
        number.checked_rem(bound).unwrap_or(0)
    }

    /// One of some things.
    pub(super) fn pick<'a, T>(&mut self, things: &'a [T]) -> Option<&'a T> {
        things.get(self.below(things.len()))
    }
}
