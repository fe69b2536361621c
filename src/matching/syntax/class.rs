//! Bracketed classes.

use super::escape::{DIGIT, Escape, SPACE, WORD};
use super::parser::{Item, Parser};
use super::{Assertion, ByteSet, Node, PatternError};

impl<'a> Parser<'a> {
    /// `[…]`.
    pub(super) fn class(&mut self) -> Result<Item, PatternError> {
        let start = self.at;
        for (text, assertion) in [
            (b"[[:<:]]", Assertion::WordStart),
            (b"[[:>:]]", Assertion::WordEnd),
        ] {
            if self.eat(text) {
                return Ok(Item::fixed(Node::Assert(assertion, start)));
            }
        }
        if self.posix_name().is_some() {
            return Err(self.error("POSIX class stands outside a bracketed class"));
        }
        self.advance(1);
        let negated = self.class_negation();
        let mut set = ByteSet::EMPTY;
        let mut first = true;
        let mut quoting = false;
        loop {
            self.skip_class_ignored(&mut quoting);
            let Some(byte) = self.peek() else {
                return Err(PatternError::malformed(
                    "class lacks its closing bracket",
                    start,
                ));
            };
            if byte == b']' && !first && !quoting {
                self.advance(1);
                break;
            }
            first = false;
            let item_at = self.at;
            match self.class_item(byte, quoting)? {
                Escape::Byte(low) => self.range_from(low, item_at, &mut quoting, &mut set)?,
                Escape::Set(more) => set = set.union(&more),
                Escape::Other(other) => set.insert(other),
            }
        }
        if self.flags.caseless {
            set = set.case_folded();
        }
        Ok(Item::repeatable(Node::Set(if negated {
            set.negated()
        } else {
            set
        })))
    }

    /// A caret in the first place. What means nothing, such as `\E`, may stand before it.
    fn class_negation(&mut self) -> bool {
        loop {
            let blank = self.flags.extended_more && matches!(self.peek(), Some(b' ' | b'\t'));
            if blank {
                self.advance(1);
            } else if !self.eat(b"\\E") && !self.eat(b"\\Q\\E") {
                return self.eat(b"^");
            }
        }
    }

    /// A byte was read: adds it, or the range it starts.
    fn range_from(
        &mut self,
        low: u8,
        start: usize,
        quoting: &mut bool,
        set: &mut ByteSet,
    ) -> Result<(), PatternError> {
        set.insert(low);
        self.skip_class_ignored(quoting);
        if *quoting || self.peek() != Some(b'-') {
            return Ok(());
        }
        let hyphen = self.at;
        self.advance(1);
        self.skip_class_ignored(quoting);
        let Some(byte) = self.peek().filter(|&byte| byte != b']' || *quoting) else {
            // A hyphen in the last place is itself.
            self.at = hyphen;
            set.insert(b'-');
            self.advance(1);
            return Ok(());
        };
        match self.class_item(byte, *quoting)? {
            Escape::Byte(high) if high < low => Err(PatternError::malformed(
                "range of a class is out of order",
                start,
            )),
            Escape::Byte(high) => {
                set.insert_range(low, high);
                Ok(())
            }
            // Not a range: a hyphen before `\d` and its like is itself.
            Escape::Set(more) => {
                set.insert(b'-');
                *set = set.union(&more);
                Ok(())
            }
            Escape::Other(other) => {
                set.insert_range(low.min(other), other);
                Ok(())
            }
        }
    }

    fn class_item(&mut self, byte: u8, quoting: bool) -> Result<Escape, PatternError> {
        if !quoting {
            if byte == b'\\' {
                return self.class_escape();
            }
            if let Some(name) = self.posix_name() {
                return self.posix_class(name);
            }
        }
        self.advance(1);
        Ok(Escape::Byte(byte))
    }

    /// Skips the marks of quoting and, in doubly extended mode, blanks.
    fn skip_class_ignored(&mut self, quoting: &mut bool) {
        loop {
            if self.eat(b"\\E") {
                *quoting = false;
            } else if *quoting {
                return;
            } else if self.eat(b"\\Q") {
                *quoting = true;
            } else if self.flags.extended_more && matches!(self.peek(), Some(b' ' | b'\t')) {
                self.advance(1);
            } else {
                return;
            }
        }
    }

    /// What stands between `[:` and `:]` (also `[.` and `[=`), mark included, if PCRE takes this
    /// place for it. Otherwise the bracket is a literal.
    fn posix_name(&self) -> Option<&'a [u8]> {
        let (b'[', rest) = self.rest().split_first()? else {
            return None;
        };
        let (mark @ (b':' | b'.' | b'='), text) = rest.split_first()? else {
            return None;
        };
        let mut at = 0usize;
        loop {
            match (text.get(at)?, text.get(at.saturating_add(1))) {
                (b'\\', Some(b']' | b'\\')) => at = at.saturating_add(1),
                (b'[', Some(next)) if next == mark => return None,
                (b']', _) => return None,
                (end, Some(b']')) if end == mark => break,
                _ => {}
            }
            at = at.saturating_add(1);
        }
        rest.get(..=at)
    }

    fn posix_class(&mut self, name: &[u8]) -> Result<Escape, PatternError> {
        let start = self.at;
        let Some((b':', name)) = name.split_first() else {
            return Err(self.error("POSIX collating elements are not supported"));
        };
        let (negated, word) = match name.split_first() {
            Some((b'^', word)) => (true, word),
            _ => (false, name),
        };
        let caseless = self.flags.caseless;
        let ranges: &[(u8, u8)] = match word {
            b"upper" | b"lower" | b"alpha" if caseless => &[(b'A', b'Z'), (b'a', b'z')],
            b"alpha" => &[(b'A', b'Z'), (b'a', b'z')],
            b"lower" => &[(b'a', b'z')],
            b"upper" => &[(b'A', b'Z')],
            b"alnum" => &[(b'0', b'9'), (b'A', b'Z'), (b'a', b'z')],
            b"ascii" => &[(0, 127)],
            b"blank" => &[(b'\t', b'\t'), (b' ', b' ')],
            b"cntrl" => &[(0, 31), (127, 127)],
            b"digit" => DIGIT,
            b"graph" => &[(33, 126)],
            b"print" => &[(32, 126)],
            b"punct" => &[(33, 47), (58, 64), (91, 96), (123, 126)],
            b"space" => SPACE,
            b"word" => WORD,
            b"xdigit" => &[(b'0', b'9'), (b'A', b'F'), (b'a', b'f')],
            _ => {
                return Err(PatternError::malformed(
                    format!("POSIX class `{}` is unknown", word.escape_ascii()),
                    start,
                ));
            }
        };
        // Both brackets and both colons.
        self.advance(name.len().saturating_add(4));
        let set = ByteSet::of_ranges(ranges);
        Ok(Escape::Set(if negated { set.negated() } else { set }))
    }
}
