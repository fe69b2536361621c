//! The parser: branches, items, quantifiers.

use super::reference::{Pending, Referent};
use super::{Assertion, ByteSet, Construct, Dialect, Node, PatternError};

/// Deepest nesting of groups. PCRE2 takes 250 by default; less keeps the recursion over the deepest
/// pattern, ours and regex-automata's, well inside the one megabyte of stack of a wasm module.
pub(super) const NESTING_LIMIT: u32 = 100;
/// Largest number in a quantifier, as in PCRE.
const REPEAT_LIMIT: u32 = 65_535;

/// A pattern that was read.
#[derive(Debug)]
pub(in crate::matching) struct Parsed {
    /// The tree.
    pub(in crate::matching) root: Node,
    /// Number of capturing groups.
    pub(in crate::matching) groups: usize,
    /// Some part's meaning hangs on what follows it: atomic parts, `\Z`, `^` with several lines.
    pub(in crate::matching) contextual: bool,
    /// `\K` or `\Z` stands in it.
    pub(in crate::matching) moves_ends: bool,
    /// The first part that no automaton carries out, whatever stands around it.
    pub(in crate::matching) irregular: Option<Construct>,
    /// The groups that back references and conditions name: the first of them that has matched
    /// counts.
    pub(in crate::matching) references: Vec<Box<[usize]>>,
}

/// Reads a pattern.
pub(super) fn parse(source: &[u8], dialect: Dialect) -> Result<Parsed, PatternError> {
    let mut parser = Parser::new(source, dialect);
    parser.start_options()?;
    let root = parser.alternation(false)?;
    if parser.peek().is_some() {
        return Err(parser.error("unmatched closing parenthesis"));
    }
    let references = parser.resolve()?;
    Ok(Parsed {
        root,
        groups: parser.groups,
        contextual: parser.contextual,
        moves_ends: parser.moves_ends,
        irregular: parser.irregular,
        references,
    })
}

/// What the option letters of PCRE say at a place.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags {
    pub(super) caseless: bool,
    pub(super) multi_line: bool,
    pub(super) dot_all: bool,
    /// White space and comments are skipped …
    pub(super) extended: bool,
    /// … and blanks inside classes.
    pub(super) extended_more: bool,
    pub(super) swap_greed: bool,
    pub(super) no_auto_capture: bool,
    pub(super) duplicate_names: bool,
}

pub(super) struct Parser<'a> {
    pub(super) source: &'a [u8],
    pub(super) at: usize,
    pub(super) flags: Flags,
    /// Between `\Q` and `\E`.
    pub(super) quoting: bool,
    pub(super) depth: u32,
    /// Capturing groups opened so far.
    pub(super) groups: usize,
    /// Named groups and their numbers.
    pub(super) names: Vec<(&'a [u8], usize)>,
    pub(super) contextual: bool,
    pub(super) moves_ends: bool,
    pub(super) irregular: Option<Construct>,
    pub(super) references: Vec<Pending<'a>>,
    /// Assertions around this place.
    pub(super) assertions: u32,
}

/// An item of a branch, and whether a quantifier may follow it.
pub(super) struct Item {
    pub(super) node: Node,
    pub(super) repeatable: bool,
}

impl Item {
    pub(super) fn repeatable(node: Node) -> Self {
        Self {
            node,
            repeatable: true,
        }
    }

    pub(super) fn fixed(node: Node) -> Self {
        Self {
            node,
            repeatable: false,
        }
    }
}

impl<'a> Parser<'a> {
    fn new(source: &'a [u8], dialect: Dialect) -> Self {
        let flags = Flags {
            caseless: dialect.case_insensitive,
            multi_line: dialect.multi_line,
            dot_all: dialect.dot_matches_new_line,
            ..Flags::default()
        };
        Self {
            source,
            at: 0,
            flags,
            quoting: false,
            depth: 0,
            groups: 0,
            names: Vec::new(),
            contextual: false,
            moves_ends: false,
            irregular: None,
            references: Vec::new(),
            assertions: 0,
        }
    }

    /// Branches up to a closing parenthesis or the end. With `reset`, all number their groups from
    /// the same start: `(?|…)`.
    pub(super) fn alternation(&mut self, reset: bool) -> Result<Node, PatternError> {
        self.branches(reset).map(Node::alternation)
    }

    /// The same, one by one.
    pub(super) fn branches(&mut self, reset: bool) -> Result<Vec<Node>, PatternError> {
        let first_group = self.groups;
        let mut most_groups = first_group;
        let mut branches = Vec::new();
        loop {
            branches.push(self.branch()?);
            most_groups = most_groups.max(self.groups);
            if !self.eat(b"|") {
                break;
            }
            if reset {
                self.groups = first_group;
            }
        }
        self.groups = most_groups;
        Ok(branches)
    }

    fn branch(&mut self) -> Result<Node, PatternError> {
        let mut parts: Vec<Node> = Vec::new();
        let mut repeatable = false;
        loop {
            self.skip_ignored()?;
            let Some(byte) = self.peek() else { break };
            if !self.quoting {
                if matches!(byte, b'|' | b')') {
                    break;
                }
                let start = self.at;
                if let Some(quantifier) = self.quantifier(byte)? {
                    let Some(node) = parts.pop().filter(|_| repeatable) else {
                        return Err(PatternError::malformed(
                            "quantifier does not follow a repeatable item",
                            start,
                        ));
                    };
                    parts.push(self.repeat(node, quantifier, start)?);
                    repeatable = false;
                    continue;
                }
            }
            let item = self.item(byte)?;
            repeatable = item.repeatable;
            parts.push(item.node);
        }
        Ok(Node::concat(parts))
    }

    /// One item that is not a quantifier; `byte` is the next.
    fn item(&mut self, byte: u8) -> Result<Item, PatternError> {
        let start = self.at;
        if self.quoting {
            self.advance(1);
            return Ok(Item::repeatable(self.literal(byte)));
        }
        match byte {
            b'\\' => self.escape_item(),
            b'[' => self.class(),
            b'(' => self.group(),
            b'.' => {
                self.advance(1);
                Ok(Item::repeatable(Node::Set(if self.flags.dot_all {
                    ByteSet::ALL
                } else {
                    ByteSet::of(b'\n').negated()
                })))
            }
            b'^' => {
                self.advance(1);
                let assertion = if self.flags.multi_line {
                    self.contextual = true;
                    Assertion::StartLine
                } else {
                    Assertion::Start
                };
                Ok(Item::fixed(Node::Assert(assertion, start)))
            }
            b'$' => {
                self.advance(1);
                let assertion = if self.flags.multi_line {
                    Assertion::EndLine
                } else {
                    Assertion::End
                };
                Ok(Item::fixed(Node::Assert(assertion, start)))
            }
            _ => {
                self.advance(1);
                Ok(Item::repeatable(self.literal(byte)))
            }
        }
    }

    /// One byte, in either case where the flags say so.
    pub(super) fn literal(&self, byte: u8) -> Node {
        let set = ByteSet::of(byte);
        Node::Set(if self.flags.caseless {
            set.case_folded()
        } else {
            set
        })
    }

    /// Reads a quantifier without its suffix, if one stands here.
    fn quantifier(&mut self, byte: u8) -> Result<Option<Quantifier>, PatternError> {
        let quantifier = match byte {
            b'*' => Quantifier { min: 0, max: None },
            b'+' => Quantifier { min: 1, max: None },
            b'?' => Quantifier {
                min: 0,
                max: Some(1),
            },
            b'{' => return self.counted(),
            _ => return Ok(None),
        };
        self.advance(1);
        Ok(Some(quantifier))
    }

    /// `{n}`, `{n,}` or `{n,m}`; any other brace is a literal.
    fn counted(&mut self) -> Result<Option<Quantifier>, PatternError> {
        let start = self.at;
        self.advance(1);
        let (min, comma, max) = (self.digits(), self.eat(b","), self.digits());
        let (false, true) = (min.is_empty(), self.eat(b"}")) else {
            self.at = start;
            return Ok(None);
        };
        let number = |digits: &[u8]| {
            decimal(digits)
                .filter(|&number| number <= REPEAT_LIMIT)
                .ok_or_else(|| {
                    PatternError::malformed(
                        format!("number in a quantifier is above {REPEAT_LIMIT}"),
                        start,
                    )
                })
        };
        let min = number(min)?;
        let max = match (comma, max.is_empty()) {
            (false, _) => Some(min),
            (true, true) => None,
            (true, false) => Some(number(max)?),
        };
        if max.is_some_and(|max| max < min) {
            return Err(PatternError::malformed(
                "numbers of a quantifier are out of order",
                start,
            ));
        }
        Ok(Some(Quantifier { min, max }))
    }

    /// Puts a quantifier to a node, after reading its suffix (`?` or `+`).
    fn repeat(
        &mut self,
        node: Node,
        quantifier: Quantifier,
        start: usize,
    ) -> Result<Node, PatternError> {
        let lazy = self.eat(b"?");
        // Extended mode lets white space stand between a quantifier and its plus.
        if !lazy {
            self.skip_ignored()?;
        }
        let possessive = !lazy && !self.quoting && self.eat(b"+");
        // An assertion holds again where it held: PCRE asks it once at most.
        let quantifier = match (&node, quantifier) {
            (Node::Look { .. }, Quantifier { max: Some(0), .. }) => quantifier,
            (Node::Look { .. }, Quantifier { min: 1.., .. }) => return Ok(node),
            (Node::Look { .. }, _) => Quantifier {
                min: 0,
                max: Some(1),
            },
            _ => quantifier,
        };
        let repeat = Node::Repeat {
            node: Box::new(node),
            min: quantifier.min,
            max: quantifier.max,
            greedy: possessive || lazy == self.flags.swap_greed,
        };
        if !possessive {
            return Ok(repeat);
        }
        self.contextual = true;
        Ok(Node::Atomic(Box::new(repeat), start))
    }

    /// Skips comments, the marks of quoting and, in extended mode, white space.
    fn skip_ignored(&mut self) -> Result<(), PatternError> {
        loop {
            // Most bytes are none of this.
            if !self.flags.extended && !matches!(self.peek(), Some(b'\\' | b'(')) {
                return Ok(());
            }
            if self.eat(b"\\E") {
                self.quoting = false;
            } else if self.quoting {
                return Ok(());
            } else if self.eat(b"\\Q") {
                self.quoting = true;
            } else if self.starts_with(b"(?#") {
                let Some(length) = self.rest().iter().position(|&byte| byte == b')') else {
                    return Err(self.error("comment lacks its closing parenthesis"));
                };
                self.advance(length.saturating_add(1));
            } else if self.flags.extended && self.peek().is_some_and(is_skipped) {
                self.advance(1);
            } else if self.flags.extended && self.peek() == Some(b'#') {
                let rest = self.rest();
                let length = rest
                    .iter()
                    .position(|&byte| byte == b'\n')
                    .unwrap_or(rest.len());
                self.advance(length);
            } else {
                return Ok(());
            }
        }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.source.get(self.at).copied()
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.source.get(self.at..).unwrap_or_default()
    }

    pub(super) fn starts_with(&self, text: &[u8]) -> bool {
        self.rest().starts_with(text)
    }

    pub(super) fn advance(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes).min(self.source.len());
    }

    pub(super) fn eat(&mut self, text: &[u8]) -> bool {
        let found = self.starts_with(text);
        if found {
            self.advance(text.len());
        }
        found
    }

    /// Reads the bytes that satisfy a test, at most `limit` of them.
    pub(super) fn take_while(&mut self, limit: usize, test: fn(&u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let length = rest
            .iter()
            .take(limit)
            .take_while(|byte| test(byte))
            .count();
        self.advance(length);
        rest.get(..length).unwrap_or_default()
    }

    pub(super) fn digits(&mut self) -> &'a [u8] {
        self.take_while(usize::MAX, u8::is_ascii_digit)
    }

    /// Notes a part that no automaton carries out.
    pub(super) fn irregular(&mut self, name: &'static str, offset: usize) {
        self.irregular.get_or_insert(Construct { name, offset });
    }

    /// A reference, to be resolved once all groups are known.
    pub(super) fn reference(&mut self, referent: Referent<'a>, offset: usize) -> usize {
        self.references.push(Pending { referent, offset });
        self.references.len().saturating_sub(1)
    }

    pub(super) fn error(&self, message: &str) -> PatternError {
        PatternError::malformed(message, self.at)
    }
}

#[derive(Clone, Copy)]
struct Quantifier {
    min: u32,
    max: Option<u32>,
}

/// Digits as a number; `None` above 2³².
pub(super) fn decimal(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0u32, |number, digit| {
        number
            .checked_mul(10)?
            .checked_add(u32::from(digit.wrapping_sub(b'0')))
    })
}

/// What extended mode skips: C's `isspace`, and the next-line byte of Latin-1, as PCRE2 with its
/// tables of Unicode does for bytes, too.
fn is_skipped(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0B | 0x0C | b'\r' | 0x85)
}
