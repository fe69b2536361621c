//! Back references and conditional groups.

use super::node::Condition;
use super::parser::{Item, Parser, decimal};
use super::{Node, PatternError};

/// What a reference names.
#[derive(Clone, Copy, Debug)]
pub(super) enum Referent<'a> {
    /// A group by number; `None` is a number that no group can have.
    Number(Option<usize>),
    /// All groups of a name.
    Name(&'a [u8]),
}

/// A reference as it was read. It may name a group further on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending<'a> {
    pub(super) referent: Referent<'a>,
    pub(super) offset: usize,
}

impl<'a> Parser<'a> {
    /// The groups of all references, once all are known.
    pub(super) fn resolve(&self) -> Result<Vec<Box<[usize]>>, PatternError> {
        self.references
            .iter()
            .map(|pending| {
                let groups: Box<[usize]> = match pending.referent {
                    Referent::Number(number) => number
                        .into_iter()
                        .filter(|number| (1..=self.groups).contains(number))
                        .collect(),
                    Referent::Name(name) => self
                        .names
                        .iter()
                        .filter(|(other, _)| *other == name)
                        .map(|&(_, number)| number)
                        .collect(),
                };
                if groups.is_empty() {
                    let message = "reference to a group that does not exist";
                    return Err(PatternError::malformed(message, pending.offset));
                }
                Ok(groups)
            })
            .collect()
    }

    pub(super) fn back_reference(&mut self, referent: Referent<'a>, start: usize) -> Item {
        self.irregular("a back reference", start);
        Item::repeatable(Node::BackReference {
            reference: self.reference(referent, start),
            caseless: self.flags.caseless,
        })
    }

    /// `\k<name>`, `\k'name'`, `\k{name}`, after the letter.
    pub(super) fn k_reference(&mut self, start: usize) -> Result<Item, PatternError> {
        let close = match self.peek() {
            Some(b'<') => b'>',
            Some(b'\'') => b'\'',
            Some(b'{') => b'}',
            _ => {
                let message = "`\\k` must be followed by a name";
                return Err(PatternError::malformed(message, start));
            }
        };
        self.advance(1);
        self.named_reference(close, start)
    }

    /// The name of a reference and the byte that ends it.
    pub(super) fn named_reference(
        &mut self,
        close: u8,
        start: usize,
    ) -> Result<Item, PatternError> {
        let name = self.name(close)?;
        Ok(self.back_reference(Referent::Name(name), start))
    }

    /// `\g1`, `\g{-1}`, `\g{name}`, after the letter.
    pub(super) fn g_reference(&mut self, start: usize) -> Result<Item, PatternError> {
        let braced = self.eat(b"{");
        let Some(referent) = self.number() else {
            if braced {
                return self.named_reference(b'}', start);
            }
            let message = "`\\g` must be followed by a number, or a name in braces";
            return Err(PatternError::malformed(message, start));
        };
        if braced && !self.eat(b"}") {
            return Err(self.error("reference lacks its closing brace"));
        }
        Ok(self.back_reference(referent, start))
    }

    /// A group's number, counted from here with a sign.
    fn number(&mut self) -> Option<Referent<'a>> {
        let sign = self.peek().filter(|byte| matches!(byte, b'+' | b'-'));
        let signed = usize::from(sign.is_some());
        if !self.rest().get(signed).is_some_and(u8::is_ascii_digit) {
            return None;
        }
        self.advance(signed);
        let number = decimal(self.digits()).and_then(|number| usize::try_from(number).ok());
        Some(Referent::Number(number.and_then(|number| match sign {
            Some(b'-') if number > 0 => self.groups.saturating_add(1).checked_sub(number),
            Some(b'+') if number > 0 => self.groups.checked_add(number),
            Some(_) => None,
            None => Some(number),
        })))
    }

    /// `(?(condition)yes|no)`, before the second parenthesis.
    pub(super) fn conditional(&mut self, start: usize) -> Result<Item, PatternError> {
        self.contextual = true;
        self.irregular("a conditional group", start);
        let condition = self.condition(start)?;
        let branches = self.body_branches(start, false)?;
        let mut branches = branches.into_iter();
        let (yes, no) = (branches.next(), branches.next());
        if branches.next().is_some() {
            let message = "a conditional group has more than two branches";
            return Err(PatternError::malformed(message, start));
        }
        let part = |branch: Option<Node>| Box::new(branch.unwrap_or(Node::Empty));
        Ok(Item::repeatable(match condition {
            Some(condition) => Node::Conditional {
                condition,
                yes: part(yes),
                no: part(no),
            },
            None if no.is_some() => {
                let message = "a group of definitions has more than one branch";
                return Err(PatternError::malformed(message, start));
            }
            // Nothing calls the definitions.
            None => Node::Empty,
        }))
    }

    /// The condition with its parentheses; `None` for `(DEFINE)`, which never holds.
    fn condition(&mut self, start: usize) -> Result<Option<Condition>, PatternError> {
        let condition_at = self.at;
        if self.starts_with(b"(?") {
            self.advance(2);
            if self.look_mark().is_none() {
                let message = "the condition of a group must be an assertion or name a group";
                return Err(PatternError::malformed(message, condition_at));
            }
            self.at = condition_at;
            let Node::Look { node, negated } = self.group()?.node else {
                return Ok(None);
            };
            return Ok(Some(Condition::Look { node, negated }));
        }
        self.advance(1);
        let numbered = self.number();
        let referent = match (numbered, self.peek()) {
            (Some(number), _) => {
                if !self.eat(b")") {
                    return Err(self.error("condition lacks its closing parenthesis"));
                }
                number
            }
            (None, Some(quote @ (b'<' | b'\''))) => {
                self.advance(1);
                let close = if quote == b'<' { b'>' } else { quote };
                let name = self.name(close)?;
                if !self.eat(b")") {
                    return Err(self.error("condition lacks its closing parenthesis"));
                }
                Referent::Name(name)
            }
            _ if self.eat(b"DEFINE)") => return Ok(None),
            (None, Some(b'R')) if !self.names.iter().any(|(name, _)| name.starts_with(b"R")) => {
                return Err(PatternError::unsupported("recursion", start));
            }
            _ => Referent::Name(self.name(b')')?),
        };
        Ok(Some(Condition::Group(
            self.reference(referent, condition_at),
        )))
    }
}
