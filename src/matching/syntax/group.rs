//! What starts with a parenthesis.

use super::parser::{Flags, Item, NESTING_LIMIT, Parser};
use super::{ByteSet, Node, PatternError};

/// Longest name of a group, as in PCRE.
const NAME_LIMIT: usize = 32;

/// Options at the very start of a pattern that only steer PCRE's own optimisations and limits.
const WITHOUT_EFFECT: [&[u8]; 4] = [
    b"NO_AUTO_POSSESS",
    b"NO_DOTSTAR_ANCHOR",
    b"NO_JIT",
    b"NO_START_OPT",
];

impl<'a> Parser<'a> {
    /// Skips `(*NO_JIT)`, `(*LIMIT_MATCH=…)` and their like in front of the pattern.
    pub(super) fn start_options(&mut self) -> Result<(), PatternError> {
        while self.starts_with(b"(*") {
            let start = self.at;
            self.advance(2);
            let name = self.take_while(usize::MAX, |&byte| byte != b')' && byte != b'=');
            let limit = name.starts_with(b"LIMIT_") && self.eat(b"=") && !self.digits().is_empty();
            if !(limit || WITHOUT_EFFECT.contains(&name)) || !self.eat(b")") {
                // Not an option: a verb, which `group` reads.
                self.at = start;
                return Ok(());
            }
        }
        Ok(())
    }

    pub(super) fn group(&mut self) -> Result<Item, PatternError> {
        let start = self.at;
        self.advance(1);
        if self.eat(b"*") {
            return self.verb(start);
        }
        if !self.eat(b"?") {
            return if self.flags.no_auto_capture {
                self.body(start, false).map(Item::repeatable)
            } else {
                self.capture(start)
            };
        }
        let backtracks = |what| Err(PatternError::needs_backtracking(what, start));
        let Some(byte) = self.peek() else {
            return Err(self.error("pattern ends after `(?`"));
        };
        match byte {
            b':' => {
                self.advance(1);
                self.body(start, false).map(Item::repeatable)
            }
            b'|' => {
                self.advance(1);
                self.body(start, true).map(Item::repeatable)
            }
            b'>' => {
                self.advance(1);
                self.contextual = true;
                let node = self.body(start, false)?;
                Ok(Item::repeatable(Node::Atomic(Box::new(node), start)))
            }
            b'=' | b'!' => backtracks("lookahead"),
            b'<' if self.starts_with(b"<=") || self.starts_with(b"<!") => backtracks("lookbehind"),
            b'<' => self.named(start, 1, b'>'),
            b'\'' => self.named(start, 1, b'\''),
            b'P' if self.starts_with(b"P<") => self.named(start, 2, b'>'),
            b'P' if self.starts_with(b"P=") => backtracks("a back reference"),
            b'P' if self.starts_with(b"P>") => backtracks("a subroutine call"),
            b'R' | b'&' | b'0'..=b'9' | b'+' => backtracks("a subroutine call"),
            b'-' if self.rest().get(1).is_some_and(u8::is_ascii_digit) => {
                backtracks("a subroutine call")
            }
            b'(' => backtracks("a conditional group"),
            b'C' => {
                // A callout without anybody to call.
                self.advance(1);
                self.digits();
                if !self.eat(b")") {
                    return Err(self.error("callout lacks its closing parenthesis"));
                }
                Ok(Item::fixed(Node::Empty))
            }
            _ => self.options(start),
        }
    }

    /// `(…)`, after the opening parenthesis or the name.
    fn capture(&mut self, start: usize) -> Result<Item, PatternError> {
        self.groups = self.groups.saturating_add(1);
        let index = self.groups;
        let node = self.body(start, false)?;
        Ok(Item::repeatable(Node::Group(index, Box::new(node))))
    }

    /// A group's branches and its closing parenthesis. The flags end with it.
    fn body(&mut self, start: usize, reset: bool) -> Result<Node, PatternError> {
        let flags = self.flags;
        self.depth = self.depth.saturating_add(1);
        if self.depth > NESTING_LIMIT {
            return Err(PatternError::malformed(
                format!("groups are nested deeper than {NESTING_LIMIT}"),
                start,
            ));
        }
        let node = self.alternation(reset)?;
        if !self.eat(b")") {
            return Err(PatternError::malformed(
                "group lacks its closing parenthesis",
                start,
            ));
        }
        self.depth = self.depth.saturating_sub(1);
        self.flags = flags;
        Ok(node)
    }

    /// `(?<name>…)` and the other two spellings; `skip` bytes lead to the name.
    fn named(&mut self, start: usize, skip: usize, close: u8) -> Result<Item, PatternError> {
        self.advance(skip);
        let name_at = self.at;
        let name = self.take_while(usize::MAX, |&byte| {
            byte == b'_' || byte.is_ascii_alphanumeric()
        });
        let error = |message: &str| Err(PatternError::malformed(message, name_at));
        if name.first().is_none_or(u8::is_ascii_digit) {
            return error("name of a group must start with a letter or an underscore");
        }
        if name.len() > NAME_LIMIT {
            return error("name of a group is longer than 32 bytes");
        }
        if self.peek() != Some(close) {
            return Err(self.error("name of a group lacks its end"));
        }
        if self.names.contains(&name) && !self.flags.duplicate_names {
            return error("two groups have the same name");
        }
        self.names.push(name);
        self.advance(1);
        self.capture(start)
    }

    /// `(?i)`, `(?i-s:…)`.
    fn options(&mut self, start: usize) -> Result<Item, PatternError> {
        let outer = self.flags;
        let mut flags = self.flags;
        if self.eat(b"^") {
            flags = Flags {
                duplicate_names: flags.duplicate_names,
                ..Flags::default()
            };
        }
        let mut on = true;
        loop {
            let Some(byte) = self.peek() else {
                return Err(PatternError::malformed(
                    "group lacks its closing parenthesis",
                    start,
                ));
            };
            match byte {
                b'-' if on => on = false,
                b'i' => flags.caseless = on,
                b'm' => flags.multi_line = on,
                b's' => flags.dot_all = on,
                b'x' => {
                    flags.extended = on;
                    flags.extended_more = on && self.starts_with(b"xx");
                    if self.starts_with(b"xx") {
                        self.advance(1);
                    }
                }
                b'U' => flags.swap_greed = on,
                b'J' => flags.duplicate_names = on,
                b'n' => flags.no_auto_capture = on,
                b')' => {
                    self.advance(1);
                    self.flags = flags;
                    return Ok(Item::fixed(Node::Empty));
                }
                b':' => {
                    self.advance(1);
                    self.flags = flags;
                    let node = self.body(start, false)?;
                    self.flags = outer;
                    return Ok(Item::repeatable(node));
                }
                _ => return Err(self.error("unknown option or group after `(?`")),
            }
            self.advance(1);
        }
    }

    /// `(*VERB)`, after the asterisk.
    fn verb(&mut self, start: usize) -> Result<Item, PatternError> {
        let name = self.take_while(usize::MAX, |byte| {
            byte.is_ascii_alphanumeric() || *byte == b'_'
        });
        match name {
            b"F" | b"FAIL" if self.eat(b")") => Ok(Item::fixed(Node::Set(ByteSet::EMPTY))),
            b"ACCEPT" | b"COMMIT" | b"PRUNE" | b"SKIP" | b"THEN" => Err(
                PatternError::needs_backtracking("a backtracking verb", start),
            ),
            b"atomic"
            | b"pla"
            | b"plb"
            | b"nla"
            | b"nlb"
            | b"napla"
            | b"naplb"
            | b"positive_lookahead"
            | b"positive_lookbehind"
            | b"negative_lookahead"
            | b"negative_lookbehind"
            | b"non_atomic_positive_lookahead"
            | b"non_atomic_positive_lookbehind" => Err(PatternError::needs_backtracking(
                "an assertion or atomic group",
                start,
            )),
            b"" => Err(PatternError::malformed(
                "quantifier does not follow a repeatable item",
                start.saturating_add(1),
            )),
            _ => Err(PatternError::malformed(
                format!("`(*{}` is not supported", name.escape_ascii()),
                start,
            )),
        }
    }
}
