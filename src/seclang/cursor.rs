//! A place in a rule file that sees logical lines: continued lines look like one.

use memchr::memchr;

/// Walks one logical line at a time. Continuations are stepped over before a byte is seen.
#[derive(Clone)]
pub(super) struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
    /// The first `\` that continues a line although blanks follow it, in this logical line.
    pub(super) blank_after_backslash: Option<usize>,
    /// The first comment that stands between continued lines, in this logical line.
    pub(super) comment_between: Option<usize>,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(text: &'a [u8], at: usize) -> Self {
        Self {
            text,
            at,
            blank_after_backslash: None,
            comment_between: None,
        }
    }

    /// The current offset. After [`Cursor::peek`] it is that of the byte seen.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    pub(super) const fn is_at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    /// All that follows, continuations and line ends included.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next byte of the logical line; `None` at its end.
    pub(super) fn peek(&mut self) -> Option<u8> {
        while let Some(length) = continuation(self.rest()) {
            if !matches!(self.rest(), [_] | [_, b'\n', ..] | [_, b'\r', b'\n', ..]) {
                self.blank_after_backslash.get_or_insert(self.at);
            }
            self.step(length);
            while starts_comment(self.rest()) {
                self.comment_between.get_or_insert(self.at);
                self.next_physical_line();
            }
        }
        match self.rest() {
            [] | [b'\n', ..] | [b'\r', b'\n', ..] => None,
            [byte, ..] => Some(*byte),
        }
    }

    /// Steps over the byte that [`Cursor::peek`] has seen.
    pub(super) const fn bump(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    /// Steps over raw bytes.
    pub(super) const fn step(&mut self, length: usize) {
        self.at = self.at.saturating_add(length);
    }

    pub(super) fn skip_blanks(&mut self) {
        while self.peek().is_some_and(is_blank) {
            self.bump();
        }
    }

    /// Steps over the rest of the logical line, before its line end.
    pub(super) fn skip_logical_line(&mut self) {
        while self.peek().is_some() {
            let run = self
                .rest()
                .iter()
                .skip(1)
                .position(|b| matches!(b, b'\\' | b'\r' | b'\n'));
            self.step(run.map_or(self.rest().len(), |run| run.saturating_add(1)));
        }
    }

    /// Steps behind the next line end; to the end of the text if there is none.
    pub(super) fn next_physical_line(&mut self) {
        let rest = self.rest();
        self.step(memchr(b'\n', rest).map_or(rest.len(), |end| end.saturating_add(1)));
    }

    /// Whether only blanks stand before the current place in its physical line.
    pub(super) fn begins_physical_line(&self) -> bool {
        let before = self.text.get(..self.at).unwrap_or_default();
        before
            .iter()
            .rev()
            .find(|byte| !is_blank(**byte))
            .is_none_or(|byte| *byte == b'\n')
    }
}

/// Length of the continuation a text begins with: `\`, then blanks only up to the line end or the
/// end of the text.
fn continuation(rest: &[u8]) -> Option<usize> {
    let after = rest.strip_prefix(b"\\")?;
    match after.iter().position(|byte| !is_blank(*byte)) {
        Some(blanks) => (after.get(blanks) == Some(&b'\n')).then(|| blanks.saturating_add(2)),
        None => Some(rest.len()),
    }
}

/// Whether the first byte of a physical line that is no blank is `#`.
fn starts_comment(line: &[u8]) -> bool {
    line.iter().find(|byte| !is_blank(**byte)) == Some(&b'#')
}

/// Blanks part words. A carriage return is one unless a line feed follows.
pub(super) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | 0x0B | 0x0C)
}
