//! Directives about logs: which transactions are recorded, how, and what nobody sees.

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::Compiler;
use super::settings::{choice, first, on_off, size, text};
use crate::bytes::base64;
use crate::diagnostic::{Code, Diagnostic};
use crate::limits::SHORT_TEXT;
use crate::matching::{Dialect, Pattern};
use crate::program::{
    AuditEngine, AuditFormat, AuditLogType, CollectorUrl, CutLengths, SECRET_KEY, SensitiveWords,
    Settings, is_separator,
};
use crate::seclang::ast::{self, Word};

type Outcome = Result<(), String>;

impl Compiler<'_> {
    /// `SecAuditLog`: a collector, or as [`Self::log_file`].
    pub(super) fn audit_log(&mut self, directive: &ast::Directive) {
        let Some(address) = directive.arguments.first() else {
            return;
        };
        match collector(&address.text) {
            Some(Ok(url)) => self.settings.audit.collector = Some(Arc::new(url)),
            Some(Err(why)) => {
                self.report(Diagnostic::new(Code::DirectiveValue, address.span, why));
            }
            None => self.log_file(directive),
        }
    }

    /// `SecAuditLog2`, `SecDebugLog`: the standard streams are the proxy's log; a file is not had.
    pub(super) fn log_file(&mut self, directive: &ast::Directive) {
        let Some(path) = directive.arguments.first() else {
            return;
        };
        if !matches!(path.text.as_slice(), b"/dev/stdout" | b"/dev/stderr") {
            let message = "a filter writes no files: the lines go to the proxy's log";
            self.report(
                Diagnostic::new(Code::IgnoredDirective, path.span, message)
                    .hint("write `/dev/stdout` to say so"),
            );
        }
    }
}

pub(super) fn audit_engine(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.audit.engine = choice(
        words,
        &[
            ("On", AuditEngine::On),
            ("Off", AuditEngine::Off),
            ("RelevantOnly", AuditEngine::RelevantOnly),
        ],
    )?;
    Ok(())
}

pub(super) fn audit_log_format(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.audit.format = choice(
        words,
        &[
            ("Native", AuditFormat::Native),
            ("JSON", AuditFormat::Json),
            ("JsonLegacy", AuditFormat::JsonLegacy),
            ("Coraza", AuditFormat::Coraza),
            ("OCSF", AuditFormat::Ocsf),
        ],
    )?;
    Ok(())
}

/// Letters that begin with A and end with Z.
pub(super) fn audit_log_parts(settings: &mut Settings, words: &[Word]) -> Outcome {
    let word = first(words)?;
    let parts = word.text.to_ascii_uppercase();
    let letters = parts
        .iter()
        .all(|letter| matches!(letter, b'A'..=b'K' | b'Z'));
    if !letters || parts.first() != Some(&b'A') || parts.last() != Some(&b'Z') {
        return Err(format!(
            "`{}` is not a list of parts: letters from A to K that begin with A and end with Z",
            text(word)
        ));
    }
    settings.audit.parts = parts.into();
    Ok(())
}

pub(super) fn audit_log_relevant_status(settings: &mut Settings, words: &[Word]) -> Outcome {
    let word = first(words)?;
    let pattern =
        Pattern::new(&word.text, Dialect::default()).map_err(|error| error.to_string())?;
    settings.audit.relevant_status = Some(pattern);
    Ok(())
}

pub(super) fn audit_body_limit(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.audit.body_limit = size(words)?;
    Ok(())
}

/// Bytes of a value, and of the match text and the address.
pub(super) fn log_cut_lengths(settings: &mut Settings, words: &[Word]) -> Outcome {
    let length = |words: &[Word]| {
        let length = size(words)?;
        if CUT_LENGTHS.contains(&length) {
            return Ok(length);
        }
        let (least, most) = (CUT_LENGTHS.start(), CUT_LENGTHS.end());
        Err(format!("{length} is not between {least} and {most}"))
    };
    let (value, text) = words.split_at(words.len().min(1));
    settings.audit.cut = CutLengths {
        value: length(value)?,
        text: length(text)?,
    };
    Ok(())
}

/// The engine keeps no more of a value than this; less would not tell anything.
const CUT_LENGTHS: RangeInclusive<usize> = 16..=SHORT_TEXT;

/// The public key that what matched is sealed to.
pub(super) fn seal_key(settings: &mut Settings, words: &[Word]) -> Outcome {
    let word = first(words)?;
    if word.text.starts_with(SECRET_KEY.as_bytes()) {
        return Err(
            "this is the secret key, which nobody but the reader of the records may have: make a new \
             pair (`parapet keygen`), and give its public key here"
                .to_owned(),
        );
    }
    let key = base64::decode(&word.text).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let Some(key) = key.filter(|key| *key != [0; 32]) else {
        return Err(format!(
            "`{}` is not an X25519 public key: 32 bytes in base64, as `parapet keygen` prints them",
            text(word)
        ));
    };
    settings.audit.seal_key = Some(key);
    Ok(())
}

pub(super) fn redaction(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.sensitive.enabled = on_off(words)?;
    Ok(())
}

pub(super) fn redact_arguments(settings: &mut Settings, words: &[Word]) -> Outcome {
    let letters = |name: &[u8]| {
        let letters = name.iter().filter(|&&byte| !is_separator(byte));
        letters.map(u8::to_ascii_lowercase).collect()
    };
    let mut list = settings.sensitive.arguments.words().to_vec();
    change_list(&mut list, words, letters)?;
    settings.sensitive.arguments = SensitiveWords::new(list);
    Ok(())
}

pub(super) fn redact_headers(settings: &mut Settings, words: &[Word]) -> Outcome {
    change_list(
        &mut settings.sensitive.headers,
        words,
        <[u8]>::to_ascii_lowercase,
    )
}

/// Replaces a list by words, or changes it by those with a sign.
fn change_list(
    list: &mut Vec<Box<[u8]>>,
    words: &[Word],
    normal: impl Fn(&[u8]) -> Vec<u8>,
) -> Outcome {
    let mut plain = Vec::new();
    let mut changed = list.clone();
    for word in words {
        let (sign, name) = match word.text.split_first() {
            Some((sign @ (b'+' | b'-'), name)) => (Some(*sign), normal(name)),
            _ => (None, normal(&word.text)),
        };
        if name.is_empty() {
            return Err(format!("`{}` names nothing", text(word)));
        }
        match sign {
            None => plain.push(name.into()),
            Some(sign) => {
                changed.retain(|known| **known != *name);
                if sign == b'+' {
                    changed.push(name.into());
                }
            }
        }
    }
    let signed = words.len().saturating_sub(plain.len());
    if !plain.is_empty() && signed > 0 {
        return Err("either all words have a sign, or none".to_owned());
    }
    *list = if signed > 0 { changed } else { plain };
    Ok(())
}

/// HTTPS is a collector; all others mean the proxy's log in a filter. `wasmSerial` is the name that
/// coraza-proxy-wasm uses for that.
pub(super) fn audit_log_type(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.audit.to = choice(
        words,
        &[
            ("Serial", AuditLogType::Log),
            ("Concurrent", AuditLogType::Log),
            ("Parallel", AuditLogType::Log),
            ("HTTPS", AuditLogType::Https),
            ("Syslog", AuditLogType::Log),
            ("wasmSerial", AuditLogType::Log),
        ],
    )?;
    Ok(())
}

/// The collector of an address; `None` for anything else.
fn collector(address: &[u8]) -> Option<Result<CollectorUrl, &'static str>> {
    let text = std::str::from_utf8(address).ok()?;
    let (scheme, rest) = text.split_once("://")?;
    if !["http", "https"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known))
    {
        return None;
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let path = path.split('#').next().unwrap_or_default();
    Some(
        if authority.is_empty() || !rest.bytes().all(|byte| byte.is_ascii_graphic()) {
            Err(
                "an address of a collector is `https://HOST[:PORT]/PATH`, with nothing but printable ASCII",
            )
        } else if authority.contains('@') {
            Err(
                "an address of a collector has no user: put credentials into `headers` of the plugin \
             configuration's `audit_log`",
            )
        } else {
            let slash = if path.starts_with('/') { "" } else { "/" };
            Ok(CollectorUrl {
                authority: authority.to_owned(),
                path: format!("{slash}{path}"),
            })
        },
    )
}
