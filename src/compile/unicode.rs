//! SecUnicodeMapFile and SecUnicodeCodePage.

use super::Compiler;
use super::include::resolve;
use super::settings::{number, text};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::seclang::ast::{self, Word};
use crate::transform::UnicodeMap;

/// v2's code page unless SecUnicodeMapFile names one.
const DEFAULT_CODE_PAGE: u32 = 20127;

impl Compiler<'_> {
    /// `SecUnicodeMapFile FILE [CODEPAGE]`.
    pub(super) fn unicode_map_file(&mut self, directive: &ast::Directive) {
        let [file, rest @ ..] = directive.arguments.as_slice() else {
            return;
        };
        let page = match rest.first().map(code_page).transpose() {
            Ok(page) => page,
            Err(why) => {
                self.report(Diagnostic::new(Code::DirectiveValue, directive.span, why));
                return;
            }
        };
        let path = resolve(self.source_name(file.span.source), &text(file));
        match self.loader.read(&path) {
            Ok(bytes) => {
                self.unicode.map = Some(UnicodeFile {
                    span: file.span,
                    path,
                    bytes,
                    page,
                });
            }
            Err(why) => {
                let message = format!("cannot take `{path}` as Unicode map: {why}");
                self.report(Diagnostic::new(Code::FileNotFound, file.span, message));
            }
        }
    }

    /// `SecUnicodeCodePage CODEPAGE`: the page of a map that names none, wherever the two stand.
    pub(super) fn unicode_code_page(&mut self, directive: &ast::Directive) {
        let Some(word) = directive.arguments.first() else {
            return;
        };
        match code_page(word) {
            Ok(page) => self.unicode.code_page = Some(page),
            Err(why) => {
                self.report(Diagnostic::new(Code::DirectiveValue, word.span, why));
            }
        }
    }

    /// Takes the map into use, once all directives are read.
    pub(super) fn read_unicode_map(&mut self) {
        let Some(file) = self.unicode.map.take() else {
            return;
        };
        let page = file.page.or(self.unicode.code_page);
        match UnicodeMap::parse(&file.bytes, page.unwrap_or(DEFAULT_CODE_PAGE)) {
            Ok(map) => self.settings.unicode_map = Some(map),
            Err(error) => {
                let message = format!("cannot take `{}` as Unicode map: {error}", file.path);
                self.report(Diagnostic::new(Code::DirectiveValue, file.span, message));
            }
        }
    }
}

/// SecUnicodeMapFile and SecUnicodeCodePage, which belong together in any order.
#[derive(Debug, Default)]
pub(super) struct UnicodeSource {
    map: Option<UnicodeFile>,
    code_page: Option<u32>,
}

/// SecUnicodeMapFile.
#[derive(Debug)]
struct UnicodeFile {
    span: Span,
    path: String,
    bytes: Vec<u8>,
    /// The page that the directive names.
    page: Option<u32>,
}

fn code_page(word: &Word) -> Result<u32, String> {
    let page = number(word, usize::MAX)?;
    u32::try_from(page).map_err(|_| format!("{page} is not a code page"))
}
