//! Rule files to directives.

use memchr::{memchr, memchr3};

use super::ast::{Directive, Word};
use super::cursor::{Cursor, is_blank};
use super::migration;
use super::word::{Builder, clamp};
use crate::diagnostic::{Code, Diagnostic, Severity, SourceId, Span, shown};

/// Splits a rule file into directives.
///
/// Takes LF and CRLF line ends, a byte order mark, `\` at a line's end, comments, words in `"…"`,
/// in `'…'` and bare, and the multi-line backtick literal of SecDataset. Reports what cannot be
/// read and goes on with the next directive. Texts are read up to 4 GiB.
pub fn parse(source: SourceId, text: &[u8], diagnostics: &mut Vec<Diagnostic>) -> Vec<Directive> {
    let limit = usize::try_from(u32::MAX).unwrap_or(usize::MAX);
    let text = text.get(..limit).unwrap_or(text);
    let start = if text.starts_with(BYTE_ORDER_MARK) {
        BYTE_ORDER_MARK.len()
    } else {
        0
    };
    let mut parser = Parser {
        source,
        text,
        cursor: Cursor::new(text, start),
        directives: Vec::new(),
        sections: 0,
        diagnostics,
    };
    parser.run();
    parser.directives
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

struct Parser<'a> {
    source: SourceId,
    text: &'a [u8],
    cursor: Cursor<'a>,
    directives: Vec<Directive>,
    /// Open sections of an httpd configuration.
    sections: usize,
    diagnostics: &'a mut Vec<Diagnostic>,
}

/// A quote or backtick that is not closed; reported already.
struct Unclosed;

impl Parser<'_> {
    fn run(&mut self) {
        self.report_nul();
        while !self.cursor.is_at_end() {
            self.cursor.skip_blanks();
            match self.cursor.peek() {
                None => self.cursor.next_physical_line(),
                Some(b'#') => self.comment(),
                Some(b'<') => self.section(),
                Some(_) => self.directive(),
            }
        }
    }

    /// One message per file: a file in another encoding has them everywhere.
    fn report_nul(&mut self) {
        let Some(first) = memchr(0, self.text) else {
            return;
        };
        let wide = self.text.starts_with(b"\xFF\xFE") || self.text.starts_with(b"\xFE\xFF");
        let hint = if wide {
            "the file looks like UTF-16; save it as UTF-8"
        } else {
            "remove it; a pattern that means this byte writes it as `\\x00`"
        };
        let span = self.span(first, first.saturating_add(1));
        let message = "a rule file must not contain NUL bytes";
        self.diagnostics
            .push(Diagnostic::new(Code::NulByte, span, message).hint(hint));
    }

    /// A comment, which goes on in the next line if it ends with `\`.
    fn comment(&mut self) {
        loop {
            let start = self.cursor.at();
            self.cursor.next_physical_line();
            let line = self.text.get(start..self.cursor.at()).unwrap_or_default();
            let Some(line) = line.strip_suffix(b"\n") else {
                return;
            };
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !line.ends_with(b"\\") {
                return;
            }
            let backslash = start.saturating_add(line.len()).saturating_sub(1);
            self.warn_swallowed(backslash);
        }
    }

    /// Warns if the line at the cursor, part of a comment, reads like a directive.
    fn warn_swallowed(&mut self, backslash: usize) {
        let rest = self.cursor.rest();
        let blanks = rest.iter().take_while(|byte| is_blank(**byte)).count();
        let line = rest.get(blanks..).unwrap_or_default();
        if !looks_like_directive(line) {
            return;
        }
        let start = self.cursor.at().saturating_add(blanks);
        let span = self.span(start, start.saturating_add(identifier(line)));
        let message = "this line belongs to the comment above, which ends with a backslash";
        self.diagnostics.push(
            Diagnostic::new(Code::SwallowedDirective, span, message)
                .related(
                    self.span(backslash, backslash.saturating_add(1)),
                    "the comment goes on after this backslash",
                )
                .hint("remove the backslash at the end of the comment"),
        );
    }

    /// `<IfModule …>` and its like, from configurations of Apache httpd.
    fn section(&mut self) {
        let start = self.cursor.at();
        self.cursor.skip_logical_line();
        let line = self.text.get(start..self.cursor.at()).unwrap_or_default();
        let line = line.trim_ascii_end();
        let span = self.span(start, start.saturating_add(line.len()));
        if line.starts_with(b"</") {
            if self.sections == 0 {
                self.diagnostics
                    .push(migration::stray_section_end(line, span));
            }
            self.sections = self.sections.saturating_sub(1);
        } else {
            self.sections = self.sections.saturating_add(1);
            self.diagnostics.push(migration::section(line, span));
        }
    }

    fn directive(&mut self) {
        self.cursor.blank_after_backslash = None;
        self.cursor.comment_between = None;
        let start = self.cursor.at();
        let name = match self.word(false) {
            Ok(name) => name,
            Err(Unclosed) => {
                self.break_previous();
                return self.recover();
            }
        };
        if name.quoted || identifier(&name) < name.len() {
            self.report_no_name(&name);
            self.cursor.skip_logical_line();
            return;
        }
        if let Some(diagnostic) = migration::retired(&name) {
            self.diagnostics.push(diagnostic);
            self.cursor.skip_logical_line();
            return;
        }
        let mut directive = Directive {
            span: name.span,
            name,
            arguments: Vec::new(),
            broken: false,
        };
        let unclosed = self.arguments(&mut directive).is_err();
        directive.broken |= unclosed;
        let end = directive
            .arguments
            .last()
            .map_or(directive.name.span.end, |word| word.span.end);
        directive.span.end = end;
        let begin = start.min(self.cursor.at());
        let bytes = self.text.get(begin..self.cursor.at()).unwrap_or_default();
        directive.broken |= memchr(0, bytes).is_some();
        self.directives.push(directive);
        self.note_oddities();
        if unclosed {
            self.recover();
        }
    }

    fn arguments(&mut self, directive: &mut Directive) -> Result<(), Unclosed> {
        let literals = directive.name.eq_ignore_ascii_case(b"SecDataset");
        loop {
            self.cursor.skip_blanks();
            if self.cursor.peek().is_none() {
                return Ok(());
            }
            if self.cursor.begins_physical_line() && looks_like_directive(self.cursor.rest()) {
                self.report_continued(directive);
                directive.broken = true;
                return Ok(());
            }
            let word = self.word(literals)?;
            let after = self.cursor.peek();
            if word.quoted && after.is_some_and(|byte| !is_blank(byte) && !is_quote(byte)) {
                self.report_text_after_quote(&word);
                directive.broken = true;
            }
            directive.arguments.push(word);
        }
    }

    /// Reads one word; the cursor stands on its first byte.
    fn word(&mut self, literals: bool) -> Result<Word, Unclosed> {
        match self.cursor.peek() {
            Some(quote @ (b'"' | b'\'')) => self.quoted(quote),
            Some(b'`') if literals => self.literal(),
            _ => Ok(self.bare()),
        }
    }

    /// `"…"`, where `\"` stands for `"`; every other backslash is kept with what follows it.
    ///
    /// A word whose quote is missing ends with its line, as in every engine, if what follows is not
    /// more of it.
    fn quoted(&mut self, quote: u8) -> Result<Word, Unclosed> {
        let start = self.cursor.at();
        let mut builder = Builder::new(self.source);
        self.cursor.bump();
        loop {
            match self.cursor.peek() {
                None => {
                    if !self.resumes_after_line() {
                        return Err(self.report_unclosed(start, quote));
                    }
                    self.warn_unclosed(start);
                    return Ok(builder.finish(self.span(start, self.cursor.at()), true));
                }
                Some(byte) if byte == quote => break,
                Some(b'\\') => {
                    let backslash = self.cursor.at();
                    self.cursor.bump();
                    let escaped = self.cursor.peek();
                    if escaped != Some(quote) {
                        builder.push(b"\\", backslash);
                    }
                    if let Some(byte) = escaped {
                        builder.push(&[byte], self.cursor.at());
                        self.cursor.bump();
                    }
                }
                Some(_) => {
                    // A carriage return that ends no line is text, and seen one at a time.
                    let rest = self.cursor.rest();
                    let run = memchr3(quote, b'\\', b'\n', rest).unwrap_or(rest.len());
                    let run = match rest.get(..run) {
                        Some([text @ .., b'\r']) if !text.is_empty() => text.len(),
                        _ => run.max(1),
                    };
                    builder.push(rest.get(..run).unwrap_or_default(), self.cursor.at());
                    self.cursor.step(run);
                }
            }
        }
        self.cursor.bump();
        Ok(builder.finish(self.span(start, self.cursor.at()), true))
    }

    /// A backtick literal: everything up to the next backtick, line ends included.
    fn literal(&mut self) -> Result<Word, Unclosed> {
        let start = self.cursor.at();
        self.cursor.bump();
        let rest = self.cursor.rest();
        let Some(length) = memchr(b'`', rest) else {
            let error = self.report_unclosed(start, b'`');
            self.cursor.skip_logical_line();
            return Err(error);
        };
        let mut builder = Builder::new(self.source);
        builder.push(rest.get(..length).unwrap_or_default(), self.cursor.at());
        self.cursor.step(length.saturating_add(1));
        Ok(builder.finish(self.span(start, self.cursor.at()), true))
    }

    /// A word up to the next blank. Blanks inside `'…'` that opens after `:`, `=` or `(` belong to
    /// it: `ARGS:'a key'`, `msg:'a text'`.
    fn bare(&mut self) -> Word {
        let start = self.cursor.at();
        let mut builder = Builder::new(self.source);
        let mut previous = 0;
        // End of the quoted part that the cursor is in.
        let mut protected = start;
        while let Some(byte) = self.cursor.peek() {
            let at = self.cursor.at();
            if is_blank(byte) && at >= protected {
                break;
            }
            if byte == b'\'' && matches!(previous, b':' | b'=' | b'(') && at >= protected {
                protected = closing_quote(self.cursor.clone()).unwrap_or(at);
            }
            builder.push(&[byte], at);
            previous = byte;
            self.cursor.bump();
        }
        builder.finish_bare(start)
    }

    /// After an unclosed quote: skips the lines that look like its continuation.
    fn recover(&mut self) {
        loop {
            self.cursor.next_physical_line();
            if resumes(self.cursor.rest()) {
                return;
            }
        }
    }

    /// Whether the line after this one does not look like more of it.
    fn resumes_after_line(&self) -> bool {
        let mut next = self.cursor.clone();
        next.next_physical_line();
        resumes(next.rest())
    }

    fn warn_unclosed(&mut self, at: usize) {
        let span = self.span(at, at.saturating_add(1));
        let message = "this quote is not closed: the word ends with the line";
        self.diagnostics.push(
            Diagnostic {
                severity: Severity::Warning,
                ..Diagnostic::new(Code::UnclosedQuote, span, message)
            }
            .hint("close the quote"),
        );
    }

    fn report_unclosed(&mut self, at: usize, quote: u8) -> Unclosed {
        let span = self.span(at, at.saturating_add(1));
        let (message, hint) = if quote == b'`' {
            (
                "this backtick is not closed",
                "end the list with a line that holds only a backtick",
            )
        } else {
            (
                "this quote is not closed",
                "close it in the same line, or end the line with `\\` if the text goes on in the \
                 next one",
            )
        };
        self.diagnostics
            .push(Diagnostic::new(Code::UnclosedQuote, span, message).hint(hint));
        Unclosed
    }

    fn report_text_after_quote(&mut self, word: &Word) {
        let end = self.cursor.at();
        let span = self.span(end, end.saturating_add(1));
        let closing = Span {
            start: word.span.end.saturating_sub(1),
            ..word.span
        };
        self.diagnostics.push(
            Diagnostic::new(
                Code::TextAfterQuote,
                span,
                "text directly after a closing quote",
            )
            .related(
                Span {
                    end: word.span.start.saturating_add(1),
                    ..word.span
                },
                "opened here",
            )
            .related(closing, "closed here")
            .hint(
                "write `\\\"` for a quote inside a quoted word, or put a blank between two \
                     words",
            ),
        );
    }

    fn report_continued(&mut self, directive: &Directive) {
        let at = self.cursor.at();
        let span = self.span(at, at.saturating_add(identifier(self.cursor.rest())));
        let name = shown(&directive.name);
        self.diagnostics.push(
            Diagnostic::new(
                Code::ContinuedDirective,
                span,
                format!("this directive is read as an argument of the `{name}` above"),
            )
            .related(
                directive.name.span,
                "this line goes on because it ends with a backslash",
            )
            .hint("remove the backslash at the end of the line above"),
        );
    }

    /// A line that begins with something else than a name is most likely the rest of the line
    /// above, which is then not complete either.
    fn report_no_name(&mut self, word: &Word) {
        self.break_previous();
        let message = format!("`{}` cannot be the name of a directive", shown(word));
        self.diagnostics.push(Diagnostic::new(Code::DirectiveName, word.span, message).hint(
            "if this line belongs to the one above, end that one with `\\`; a comment begins with \
             `#`",
        ));
    }

    fn break_previous(&mut self) {
        if let Some(previous) = self.directives.last_mut() {
            previous.broken = true;
        }
    }

    fn note_oddities(&mut self) {
        if let Some(at) = self.cursor.comment_between {
            let line = self.text.get(at..).unwrap_or_default();
            let length = memchr(b'\n', line).unwrap_or(line.len());
            let blanks = line.iter().take_while(|byte| is_blank(**byte)).count();
            let end = at.saturating_add(length);
            let span = self.span(at.saturating_add(blanks), end);
            let message = "a comment inside a continued directive is skipped";
            self.diagnostics.push(
                Diagnostic::new(Code::CommentInDirective, span, message)
                    .hint("ModSecurity would read it as a part of the directive"),
            );
        }
        if let Some(at) = self.cursor.blank_after_backslash {
            let span = self.span(at, at.saturating_add(1));
            let message = "the line goes on although blanks follow the backslash";
            self.diagnostics.push(
                Diagnostic::new(Code::BlankAfterBackslash, span, message)
                    .hint("remove the blanks: ModSecurity ends the directive here"),
            );
        }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let end = end.min(self.text.len());
        Span {
            source: self.source,
            start: clamp(start.min(end)),
            end: clamp(end),
        }
    }
}

const fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

/// Offset of the `'` that closes the one under the cursor, in the same logical line.
fn closing_quote(mut cursor: Cursor<'_>) -> Option<usize> {
    cursor.bump();
    loop {
        match cursor.peek()? {
            b'\'' => return Some(cursor.at()),
            b'\\' => {
                cursor.bump();
                if cursor.peek().is_some() {
                    cursor.bump();
                }
            }
            _ => cursor.bump(),
        }
    }
}

/// Length of the name a text begins with.
fn identifier(text: &[u8]) -> usize {
    if !text.first().is_some_and(u8::is_ascii_alphabetic) {
        return 0;
    }
    text.iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
        .count()
}

/// Whether a line is empty, a comment, a section or a directive.
fn resumes(line: &[u8]) -> bool {
    let blanks = line.iter().take_while(|byte| is_blank(**byte)).count();
    let line = line.get(blanks..).unwrap_or_default();
    matches!(line, [] | [b'\n' | b'#' | b'<', ..]) || looks_like_directive(line)
}

/// Whether a line begins with the name of a directive as a whole word: `SecSomething`, in lower
/// case one of the most frequent, `Include`. Not an English word such as `Second`.
fn looks_like_directive(line: &[u8]) -> bool {
    let (name, rest) = line
        .split_at_checked(identifier(line))
        .unwrap_or((line, b""));
    let begins = |with: &[u8]| {
        name.get(..with.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(with))
    };
    let named = matches!(name, [b'S', b'e', b'c', b'A'..=b'Z', ..])
        || begins(b"SecRule")
        || begins(b"SecAction")
        || begins(b"SecMarker")
        || name.eq_ignore_ascii_case(b"Include")
        || name.eq_ignore_ascii_case(b"IncludeOptional");
    named
        && rest
            .first()
            .is_none_or(|byte| is_blank(*byte) || *byte == b'\n')
}
