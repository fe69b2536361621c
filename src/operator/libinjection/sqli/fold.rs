//! Folds tokens: what cannot tell an injection from other text is merged or dropped, until at most
//! five tokens are left.

use super::lexer::Lexer;
use super::token::{Kind, LONGEST_TEXT, Token};
use super::{LONGEST, Mode, words};

/// What is left of a value.
#[derive(Clone, Debug)]
pub(super) struct Folded<'a> {
    /// What was read.
    pub(super) value: &'a [u8],
    slots: [Token; SLOTS],
    length: usize,
    /// Number of tokens read, comments and dropped ones too.
    pub(super) count: usize,
    /// Something was read that MySQL reads in another way.
    pub(super) differs_in_mysql: bool,
}

impl Folded<'_> {
    /// At most five tokens; six if the last is an evil one.
    pub(super) fn tokens(&self) -> &[Token] {
        self.slots.get(..self.length).unwrap_or(&self.slots)
    }
}

/// A sixth token may be needed to know what the fifth is.
const SLOTS: usize = LONGEST + 1;

/// Reads and folds a value.
pub(super) fn fold(value: &[u8], mode: Mode) -> Folded<'_> {
    let mut fold = Fold {
        lexer: Lexer::new(value, mode),
        slots: [Token::new(Kind::Unknown, b""); SLOTS],
        filled: 0,
        left: 0,
        more: true,
        last_comment: None,
    };
    let length = fold.run();
    Folded {
        value,
        slots: fold.slots,
        length,
        count: fold.lexer.count,
        differs_in_mysql: fold.lexer.differs_in_mysql,
    }
}

struct Fold<'a> {
    lexer: Lexer<'a>,
    slots: [Token; SLOTS],
    /// Number of slots in use.
    filled: usize,
    /// Number of tokens that no rule can change any more, unless one sets it back.
    left: usize,
    more: bool,
    /// The comment behind the last token, if one is there.
    last_comment: Option<Token>,
}

/// What a rule did.
enum Step {
    /// No rule applied, or one that lets others apply too.
    GoOn,
    /// Tokens changed: look at them again.
    Again,
    /// The value is to be taken as an attack; number of tokens left.
    Stop(usize),
}

impl Fold<'_> {
    /// The number of tokens left.
    fn run(&mut self) -> usize {
        if !self.first() {
            return 0;
        }
        loop {
            self.fold_five();
            if !self.more || self.left >= LONGEST {
                self.left = self.filled;
                break;
            }
            self.fill(2);
            if self.ready() < 2 {
                self.left = self.filled;
                continue;
            }
            match self.fold_two() {
                Step::GoOn => {}
                Step::Again => continue,
                Step::Stop(length) => return length,
            }
            self.fill(3);
            if self.ready() < 3 {
                self.left = self.filled;
                continue;
            }
            if let Step::Again = self.fold_three() {
                continue;
            }
            self.left = self.left.saturating_add(1);
        }
        if let (0..LONGEST, Some(comment)) = (self.left, self.last_comment) {
            self.set(self.left, comment);
            self.left = self.left.saturating_add(1);
        }
        self.left.min(LONGEST)
    }

    /// Reads the first token that counts: comments, parentheses, types and signs in front do not.
    fn first(&mut self) -> bool {
        while let Some(token) = self.lexer.next_token() {
            if !token.is(&[Kind::Comment, Kind::LeftParenthesis, Kind::SqlType])
                && !token.is_unary()
            {
                self.set(0, token);
                self.filled = 1;
                return true;
            }
        }
        false
    }

    /// Reads until that many tokens wait behind those that are done.
    fn fill(&mut self, wanted: usize) {
        while self.more && self.filled < SLOTS && self.ready() < wanted {
            match self.lexer.next_token() {
                Some(token) if token.kind == Kind::Comment => self.last_comment = Some(token),
                Some(token) => {
                    self.last_comment = None;
                    self.set(self.filled, token);
                    self.filled = self.filled.saturating_add(1);
                }
                None => self.more = false,
            }
        }
    }

    const fn ready(&self) -> usize {
        self.filled.saturating_sub(self.left)
    }

    fn at(&self, offset: usize) -> Token {
        let at = self.left.saturating_add(offset);
        self.slots
            .get(at)
            .copied()
            .unwrap_or(Token::new(Kind::Unknown, b""))
    }

    fn set(&mut self, at: usize, token: Token) {
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = token;
        }
    }

    fn set_kind(&mut self, offset: usize, kind: Kind) {
        if let Some(slot) = self.slots.get_mut(self.left.saturating_add(offset)) {
            slot.kind = kind;
        }
    }

    /// Puts a waiting token into the place of one before it.
    fn copy(&mut self, from: usize, to: usize) {
        self.set(self.left.saturating_add(to), self.at(from));
    }

    /// Drops the last tokens, and begins anew with the first.
    const fn drop_last(&mut self, number: usize) -> Step {
        self.filled = self.filled.saturating_sub(number);
        self.left = 0;
        Step::Again
    }

    /// Drops the last token, and goes back by one.
    const fn drop_and_step_back(&mut self) -> Step {
        self.filled = self.filled.saturating_sub(1);
        self.left = self.left.saturating_sub(1);
        Step::Again
    }

    /// Five tokens that say no more than their first.
    fn fold_five(&mut self) {
        use Kind::{
            Bareword, Comma, LeftParenthesis as Open, Number, Operator, RightParenthesis as Close,
        };
        if self.filled < LONGEST {
            return;
        }
        let kinds = self.slots.map(|token| token.kind);
        let [a, b, c, d, e, _] = kinds;
        if matches!(
            (a, b, c, d, e),
            (Number, Operator | Comma, Open, Number, Close)
                | (Bareword, Operator, Open, Bareword | Number, Close)
                | (Number, Close, Comma, Open, Number)
                | (Bareword, Close, Operator, Open, Bareword)
        ) {
            let [_, second, .., sixth] = &mut self.slots;
            if self.filled > LONGEST {
                *second = *sixth;
                self.filled = 2;
            } else {
                self.filled = 1;
            }
            self.left = 0;
        }
    }

    fn fold_two(&mut self) -> Step {
        use Kind::*;
        let (a, b) = (self.at(0), self.at(1));
        match (a.kind, b.kind) {
            (String, String) | (Semicolon, Semicolon) => {
                self.filled = self.filled.saturating_sub(1);
                return Step::Again;
            }
            (Operator | LogicOperator, _) if b.is_unary() || b.kind == SqlType => {
                return self.drop_last(1);
            }
            (LeftParenthesis, _) if b.is_unary() => return self.drop_and_step_back(),
            _ => {}
        }
        if let Some(merged) = merge(&a, &b) {
            self.set(self.left, merged);
            return self.drop_and_step_back();
        }
        match (a.kind, b.kind) {
            // A function elsewhere, but in Transact-SQL the beginning of a statement.
            (Semicolon, Function) if starts_with_if(&b) => {
                self.set_kind(1, Tsql);
                Step::Again
            }
            // Names of columns too, unless they are called.
            (Bareword | Variable, LeftParenthesis) if is_called(&a) => {
                self.set_kind(0, Function);
                Step::Again
            }
            (Keyword, _) if a.is_word("IN") || a.is_word("NOT IN") => {
                self.set_kind(
                    0,
                    if b.kind == LeftParenthesis {
                        Operator
                    } else {
                        Bareword
                    },
                );
                Step::Again
            }
            (Operator, _) if a.is_word("LIKE") || a.is_word("NOT LIKE") => {
                if b.kind == LeftParenthesis {
                    self.set_kind(0, Function);
                }
                Step::GoOn
            }
            (
                SqlType,
                Bareword | Number | SqlType | LeftParenthesis | Function | Variable | String,
            ) => {
                self.copy(1, 0);
                self.drop_last(1)
            }
            (Collate, Bareword) => {
                // There are too many collations for a list, but their names contain this sign.
                if b.text()
                    .iter()
                    .take_while(|&&byte| byte != 0)
                    .any(|&byte| byte == b'_')
                {
                    self.set_kind(1, SqlType);
                    self.left = 0;
                }
                Step::GoOn
            }
            (Backslash, _) if b.is_arithmetic() => {
                self.set_kind(0, Number);
                self.left = 0;
                Step::Again
            }
            (Backslash, _) => {
                self.copy(1, 0);
                self.drop_last(1)
            }
            (LeftParenthesis, LeftParenthesis) | (RightParenthesis, RightParenthesis) => {
                self.drop_last(1)
            }
            // MySQL takes an empty name in braces, and nobody writes one without a purpose.
            (LeftBrace, Bareword) if b.text().is_empty() => {
                self.set_kind(1, Evil);
                Step::Stop(self.left.saturating_add(2))
            }
            (LeftBrace, Bareword) => self.drop_last(2),
            (_, RightBrace) => self.drop_last(1),
            _ => Step::GoOn,
        }
    }

    fn fold_three(&mut self) -> Step {
        use Kind::*;
        let (a, b, c) = (self.at(0), self.at(1), self.at(2));
        match (a.kind, b.kind, c.kind) {
            (Number, Operator, Number)
            | (LogicOperator, _, LogicOperator)
            | (Variable, Operator, Variable | Number | Bareword)
            | (Bareword | Number, Operator, Number | Bareword)
            | (
                Bareword | Number | String | Variable,
                Comma,
                Number | Bareword | String | Variable,
            )
            | (Bareword, Dot, Bareword) => self.drop_last(2),
            (Operator, other, Operator) if other != LeftParenthesis => self.drop_last(2),
            (Bareword | Number | Variable | String, Operator, SqlType) if b.text() == b"::" => {
                self.drop_last(2)
            }
            (Expression | Group | Comma, _, LeftParenthesis)
            | (Keyword | Expression | Group, _, Number | Bareword | Variable | String | Function)
            | (Comma, _, Function)
                if b.is_unary() =>
            {
                self.copy(2, 1);
                self.drop_last(1)
            }
            // `1,-1` is `1`: go back before the comma.
            (Comma, _, Number | Bareword | Variable | String) if b.is_unary() => {
                self.copy(2, 1);
                self.drop_last(3)
            }
            (Expression, Dot, Bareword) => {
                self.copy(2, 1);
                self.drop_last(1)
            }
            (Function, LeftParenthesis, other) if other != RightParenthesis => {
                // USER takes no arguments: with one it is a name.
                if a.is_word("USER") {
                    self.set_kind(0, Bareword);
                }
                Step::GoOn
            }
            _ => Step::GoOn,
        }
    }
}

/// Two words that mean something together, such as UNION ALL.
fn merge(a: &Token, b: &Token) -> Option<Token> {
    use Kind::*;
    const FIRST: &[Kind] = &[
        Keyword, Bareword, Operator, Union, Function, Expression, Tsql, SqlType,
    ];
    if !a.is(FIRST) || !(b.is(FIRST) || b.kind == LogicOperator) {
        return None;
    }
    let (first, second) = (a.text(), b.text());
    let length = first.len().saturating_add(second.len()).saturating_add(1);
    if length > LONGEST_TEXT {
        return None;
    }
    let mut text = [0; LONGEST_TEXT];
    let bytes = first.iter().chain(b" ").chain(second);
    for (to, from) in text.iter_mut().zip(bytes) {
        *to = *from;
    }
    let text = text.get(..length)?;
    let kind = words::kind_of(text)?;
    Some(a.renamed(kind, text))
}

fn starts_with_if(token: &Token) -> bool {
    token
        .text()
        .get(..2)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"IF"))
}

fn is_called(token: &Token) -> bool {
    [
        "USER_ID",
        "USER_NAME",
        "DATABASE",
        "PASSWORD",
        "USER",
        "CURRENT_USER",
        "CURRENT_DATE",
        "CURRENT_TIME",
        "CURRENT_TIMESTAMP",
        "LOCALTIME",
        "LOCALTIMESTAMP",
    ]
    .iter()
    .any(|name| token.is_word(name))
}
