//! What starts with a parenthesis.

use super::parser::{Flags, Item, NESTING_LIMIT, Parser};
use super::{ByteSet, Node, PatternError};

/// What an assertion looks at, and whether it is negated.
#[derive(Clone, Copy)]
pub(super) struct Look {
    behind: bool,
    negated: bool,
}

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
        if let Some((look, length)) = self.look_mark() {
            self.advance(length);
            return self.look(start, look);
        }
        let refused = |what| Err(PatternError::unsupported(what, start));
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
            b'<' => self.named(start, 1, b'>'),
            b'\'' => self.named(start, 1, b'\''),
            b'P' if self.starts_with(b"P<") => self.named(start, 2, b'>'),
            b'P' if self.starts_with(b"P=") => {
                self.advance(2);
                self.named_reference(b')', start)
            }
            b'P' if self.starts_with(b"P>") => refused("a subroutine call"),
            b'R' => refused("recursion"),
            b'&' | b'0'..=b'9' | b'+' => refused("a subroutine call"),
            b'-' if self.rest().get(1).is_some_and(u8::is_ascii_digit) => {
                refused("a subroutine call")
            }
            b'*' => refused("a non-atomic assertion"),
            b'(' => self.conditional(start),
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
        self.body_branches(start, reset).map(Node::alternation)
    }

    /// The same, branch by branch.
    pub(super) fn body_branches(
        &mut self,
        start: usize,
        reset: bool,
    ) -> Result<Vec<Node>, PatternError> {
        let flags = self.flags;
        self.depth = self.depth.saturating_add(1);
        if self.depth > NESTING_LIMIT {
            return Err(PatternError::malformed(
                format!("groups are nested deeper than {NESTING_LIMIT}"),
                start,
            ));
        }
        let branches = self.branches(reset)?;
        if !self.eat(b")") {
            return Err(PatternError::malformed(
                "group lacks its closing parenthesis",
                start,
            ));
        }
        self.depth = self.depth.saturating_sub(1);
        self.flags = flags;
        Ok(branches)
    }

    /// The kind of assertion that stands here, after `(?`, and the length of its mark.
    pub(super) fn look_mark(&self) -> Option<(Look, usize)> {
        let (behind, negated, length) = match self.rest() {
            [b'=', ..] => (false, false, 1),
            [b'!', ..] => (false, true, 1),
            [b'<', b'=', ..] => (true, false, 2),
            [b'<', b'!', ..] => (true, true, 2),
            _ => return None,
        };
        Some((Look { behind, negated }, length))
    }

    /// An assertion, after its mark.
    fn look(&mut self, start: usize, look: Look) -> Result<Item, PatternError> {
        self.contextual = true;
        let name = if look.behind {
            "lookbehind"
        } else {
            "lookahead"
        };
        self.irregular(name, start);
        self.assertions = self.assertions.saturating_add(1);
        let mut branches = self.body_branches(start, false)?;
        self.assertions = self.assertions.saturating_sub(1);
        if look.behind {
            branches = branches
                .into_iter()
                .map(|branch| {
                    let length = branch.fixed_length().ok_or_else(|| {
                        let message = "a branch of lookbehind matches texts of different lengths";
                        PatternError::malformed(message, start)
                    })?;
                    Ok(Node::concat(vec![Node::Back(length), branch]))
                })
                .collect::<Result<_, _>>()?;
        }
        Ok(Item::repeatable(Node::Look {
            node: Box::new(Node::alternation(branches)),
            negated: look.negated,
        }))
    }

    /// `(?<name>…)` and the other two spellings; `skip` bytes lead to the name.
    fn named(&mut self, start: usize, skip: usize, close: u8) -> Result<Item, PatternError> {
        self.advance(skip);
        let name_at = self.at;
        let name = self.name(close)?;
        let index = self.groups.saturating_add(1);
        let taken = self
            .names
            .iter()
            .any(|&(other, number)| other == name && number != index);
        if taken && !self.flags.duplicate_names {
            let message = "two groups have the same name";
            return Err(PatternError::malformed(message, name_at));
        }
        self.names.push((name, index));
        self.capture(start)
    }

    /// A group's name and the byte that ends it.
    pub(super) fn name(&mut self, close: u8) -> Result<&'a [u8], PatternError> {
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
        if !self.eat(&[close]) {
            return Err(self.error("name of a group lacks its end"));
        }
        Ok(name)
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
        let look = |behind, negated| Look { behind, negated };
        match name {
            b"F" | b"FAIL" if self.eat(b")") => Ok(Item::fixed(Node::Set(ByteSet::EMPTY))),
            b"ACCEPT" | b"COMMIT" | b"PRUNE" | b"SKIP" | b"THEN" => {
                Err(PatternError::unsupported("a backtracking verb", start))
            }
            b"atomic" if self.eat(b":") => {
                self.contextual = true;
                let node = self.body(start, false)?;
                Ok(Item::repeatable(Node::Atomic(Box::new(node), start)))
            }
            b"pla" | b"positive_lookahead" if self.eat(b":") => {
                self.look(start, look(false, false))
            }
            b"nla" | b"negative_lookahead" if self.eat(b":") => self.look(start, look(false, true)),
            b"plb" | b"positive_lookbehind" if self.eat(b":") => {
                self.look(start, look(true, false))
            }
            b"nlb" | b"negative_lookbehind" if self.eat(b":") => self.look(start, look(true, true)),
            b"napla"
            | b"naplb"
            | b"non_atomic_positive_lookahead"
            | b"non_atomic_positive_lookbehind" => {
                Err(PatternError::unsupported("a non-atomic assertion", start))
            }
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
