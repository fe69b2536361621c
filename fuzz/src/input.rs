//! An input taken apart: first a few bytes that choose, then text.

/// What is left of an input.
#[derive(Clone, Copy)]
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    /// The next byte; 0 behind the end.
    pub fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        first
    }

    /// A number below a limit.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::from(self.byte()) % limit.max(1)
    }

    /// What stands before the next line feed.
    pub fn line(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|&byte| byte == b'\n');
        let (line, rest) = match end {
            Some(end) => (&self.0[..end], &self.0[end + 1..]),
            None => (self.0, &[][..]),
        };
        self.0 = rest;
        line
    }

    /// The rest; if the byte says so, with a piece of it repeated until it is long, or very long.
    /// Short inputs find branches, long ones find work that grows faster than the input.
    pub fn rest(self, how: u8) -> Vec<u8> {
        let length = match how {
            0xFC.. => 64 << 10,
            0xE0.. => 2 << 10,
            _ => return self.0.to_vec(),
        };
        if self.0.is_empty() {
            return Vec::new();
        }
        // Three of its bits say where the piece begins, two how long it is.
        let begin = self.0.len() * usize::from(how >> 2 & 7) / 8;
        let piece = &self.0[begin..];
        let piece = &piece[..piece.len().min(1 << (2 * usize::from(how & 3)))];
        let mut text = self.0[..begin].to_vec();
        while text.len() + piece.len() <= length {
            text.extend_from_slice(piece);
        }
        text.extend_from_slice(&self.0[begin + piece.len()..]);
        text
    }
}

/// Cuts bytes into chunks, in a way that a seed chooses; some are empty.
pub fn chunks(bytes: &[u8], seed: u8) -> Vec<&[u8]> {
    let mut state = u32::from(seed) * 2 + 1;
    let mut rest = bytes;
    let mut chunks = Vec::new();
    while !rest.is_empty() {
        let size = match seed {
            0 => 1,
            _ => {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let most = [1, 3, 16, 200, 1024][usize::from(seed) % 5];
                usize::try_from(state >> 16).unwrap() % (most + 1)
            }
        };
        let (chunk, after) = rest.split_at(size.min(rest.len()));
        chunks.push(chunk);
        rest = after;
    }
    chunks
}

/// About how many states a pattern has: its parts, by all numbers of repetitions. The linear engine's
/// time is bounded by their number times the length of the value.
pub fn states(source: &[u8]) -> usize {
    let mut states = source.len() / 8 + 1;
    for text in source.split(|&byte| byte == b'{').skip(1) {
        let numbers = text.split(|byte| !byte.is_ascii_digit()).take(2);
        let most = numbers
            .filter_map(|number| std::str::from_utf8(number).ok()?.parse().ok())
            .max();
        states = states.saturating_mul(most.unwrap_or(1).max(1));
    }
    states.min(1 << 16)
}
