//! Directives that set one thing.

use super::Compiler;
use crate::action::XmlArgs;
use crate::body::Charsets;
use crate::diagnostic::{Code, Diagnostic};
use crate::program::{BodyLimitAction, CookieFormat, EngineMode, LargeBody, Settings};
use crate::seclang::ast::{self, Word};

type Outcome = Result<(), String>;

/// The largest body limit that v2 takes: 1 GiB.
const HARD_LIMIT: usize = 1_073_741_824;

impl Compiler<'_> {
    /// `SecXmlExternalEntity On|Off`: Off is what a sandbox does anyway; On cannot be granted.
    pub(super) fn xml_external_entity(&mut self, directive: &ast::Directive) {
        let (code, message) = match on_off(&directive.arguments) {
            Ok(false) => return,
            Ok(true) => (
                Code::IgnoredDirective,
                "SecXmlExternalEntity On is ignored: external entities are never loaded".to_owned(),
            ),
            Err(why) => (Code::DirectiveValue, format!("SecXmlExternalEntity: {why}")),
        };
        self.report(Diagnostic::new(code, directive.span, message));
    }

    /// `SecIgnoreRuleCompilationErrors On|Off`.
    pub(super) fn ignore_rule_errors(&mut self, directive: &ast::Directive) {
        match on_off(&directive.arguments) {
            Ok(on) => self.ignore_rule_errors = on,
            Err(why) => {
                let message = format!("SecIgnoreRuleCompilationErrors: {why}");
                self.report(Diagnostic::new(
                    Code::DirectiveValue,
                    directive.span,
                    message,
                ));
            }
        }
    }
}

pub(super) fn text(word: &Word) -> String {
    String::from_utf8_lossy(&word.text).into_owned()
}

pub(super) fn first(words: &[Word]) -> Result<&Word, String> {
    words
        .first()
        .ok_or_else(|| "an argument is missing".to_owned())
}

/// One of some names, whatever the letter case.
pub(super) fn choice<T: Copy>(words: &[Word], choices: &[(&str, T)]) -> Result<T, String> {
    let word = first(words)?;
    let found = choices
        .iter()
        .find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(&word.text));
    found.map(|&(_, value)| value).ok_or_else(|| {
        let names: Vec<&str> = choices.iter().map(|&(name, _)| name).collect();
        format!("`{}` is none of {}", text(word), names.join(", "))
    })
}

pub(super) fn on_off(words: &[Word]) -> Result<bool, String> {
    choice(words, &[("On", true), ("Off", false)])
}

pub(super) fn number(word: &Word, most: usize) -> Result<usize, String> {
    let text = text(word);
    match text.trim().parse::<usize>() {
        Ok(number) if number <= most => Ok(number),
        Ok(_) => Err(format!("{text} is more than {most}")),
        Err(_) => Err(format!("`{text}` is not a whole number")),
    }
}

pub(super) fn size(words: &[Word]) -> Result<usize, String> {
    number(first(words)?, HARD_LIMIT)
}

fn single_byte(words: &[Word]) -> Result<u8, String> {
    match first(words)?.text.as_slice() {
        [byte] => Ok(*byte),
        _ => Err("one byte is expected".to_owned()),
    }
}

fn name(words: &[Word]) -> Result<Box<[u8]>, String> {
    first(words).map(|word| word.text.as_slice().into())
}

pub(super) fn rule_engine(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.engine = choice(
        words,
        &[
            ("On", EngineMode::On),
            ("Off", EngineMode::Off),
            ("DetectionOnly", EngineMode::DetectionOnly),
        ],
    )?;
    Ok(())
}

pub(super) fn request_body_access(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.request_body_access = on_off(words)?;
    Ok(())
}

pub(super) fn request_body_limit(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.request_body_limit = size(words)?;
    Ok(())
}

pub(super) fn request_body_no_files_limit(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.request_body_no_files_limit = size(words)?;
    Ok(())
}

/// Reject or ProcessPartial.
fn limit_action(words: &[Word]) -> Result<BodyLimitAction, String> {
    choice(
        words,
        &[
            ("Reject", BodyLimitAction::Reject),
            ("ProcessPartial", BodyLimitAction::ProcessPartial),
        ],
    )
}

pub(super) fn request_body_limit_action(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.request_body_limit_action = limit_action(words)?;
    Ok(())
}

pub(super) fn response_body_access(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.response_body_access = on_off(words)?;
    Ok(())
}

pub(super) fn response_body_limit(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.response_body_limit = size(words)?;
    Ok(())
}

pub(super) fn response_body_limit_action(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.response_body_limit_action = limit_action(words)?;
    Ok(())
}

/// Adds to the list, as v2 and v3 do. One argument may hold several types parted by blanks.
pub(super) fn response_body_mime_type(settings: &mut Settings, words: &[Word]) -> Outcome {
    for word in words {
        for one in word
            .text
            .split(u8::is_ascii_whitespace)
            .filter(|one| !one.is_empty())
        {
            let one: Box<[u8]> = one.to_ascii_lowercase().into();
            if !settings.response_body_mime_types.contains(&one) {
                settings.response_body_mime_types.push(one);
            }
        }
    }
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "has the type of all setters")]
pub(super) fn response_body_mime_types_clear(settings: &mut Settings, _: &[Word]) -> Outcome {
    settings.response_body_mime_types.clear();
    Ok(())
}

pub(super) fn arguments_limit(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.limits.arguments = size(words)?;
    Ok(())
}

pub(super) fn json_depth_limit(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.limits.json_depth = size(words)?;
    Ok(())
}

pub(super) fn upload_file_limit(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.limits.files = size(words)?;
    Ok(())
}

pub(super) fn argument_separator(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.argument_separator = single_byte(words)?;
    Ok(())
}

pub(super) fn cookie_format(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.cookie_format = choice(
        words,
        &[("0", CookieFormat::Netscape), ("1", CookieFormat::Rfc2109)],
    )?;
    Ok(())
}

pub(super) fn cookie_v0_separator(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.cookie_v0_separator = Some(single_byte(words)?);
    Ok(())
}

pub(super) fn parse_xml_into_args(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.xml_into_args = choice(
        words,
        &[
            ("Off", XmlArgs::Off),
            ("On", XmlArgs::On),
            ("OnlyArgs", XmlArgs::OnlyArgs),
        ],
    )?;
    Ok(())
}

pub(super) fn decode_charsets(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.decode_charsets = choice(
        words,
        &[
            ("Off", Charsets::Off),
            ("On", Charsets::On),
            ("OnlyDecoded", Charsets::OnlyDecoded),
        ],
    )?;
    Ok(())
}

pub(super) fn inflate_request_body(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.inflate_request_body = on_off(words)?;
    Ok(())
}

pub(super) fn inflate_response_body(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.inflate_response_body = on_off(words)?;
    Ok(())
}

pub(super) fn large_request_body(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.large_request_body = large_body(words)?;
    Ok(())
}

pub(super) fn large_response_body(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.large_response_body = large_body(words)?;
    Ok(())
}

fn large_body(words: &[Word]) -> Result<LargeBody, String> {
    let choices = [("Reject", LargeBody::Reject), ("Stream", LargeBody::Stream)];
    choice(words, &choices)
}

/// Every layer has a window of its own, and no client needs more than two.
pub(super) fn inflate_layers_limit(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.limits.coding_layers = number(first(words)?, 8)?;
    Ok(())
}

pub(super) fn inflate_ratio_limit(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.limits.expansion = size(words)?;
    Ok(())
}

/// Patterns always have a prefilter, which changes no verdict.
pub(super) fn rx_pre_filter(_: &mut Settings, words: &[Word]) -> Outcome {
    on_off(words).map(|_| ())
}

pub(super) fn intercept_on_error(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.intercept_on_error = on_off(words)?;
    Ok(())
}

pub(super) fn disable_backend_compression(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.disable_backend_compression = on_off(words)?;
    Ok(())
}

pub(super) fn content_injection(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.content_injection = on_off(words)?;
    Ok(())
}

pub(super) fn stream_input(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.stream_input = on_off(words)?;
    Ok(())
}

pub(super) fn stream_output(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.stream_output = on_off(words)?;
    Ok(())
}

/// RelevantOnly keeps files of some transactions in v2; which these are is known only after the
/// rules that may read them, so it is On here.
pub(super) fn upload_keep_files(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.keep_files = choice(
        words,
        &[("On", true), ("Off", false), ("RelevantOnly", true)],
    )?;
    Ok(())
}

pub(super) fn tmp_save_uploaded_files(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.save_files = on_off(words)?;
    Ok(())
}

pub(super) fn rule_perf_time(settings: &mut Settings, words: &[Word]) -> Outcome {
    let microseconds = number(first(words)?, usize::MAX)?;
    settings.rule_perf_time = u64::try_from(microseconds).unwrap_or(u64::MAX);
    Ok(())
}

pub(super) fn rule_inheritance(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.inherit_rules = on_off(words)?;
    Ok(())
}

pub(super) fn web_app_id(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.web_app_id = name(words)?;
    Ok(())
}

pub(super) fn sensor_id(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.sensor_id = name(words)?;
    Ok(())
}

pub(super) fn server_signature(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.server_signature = Some(name(words)?);
    Ok(())
}

pub(super) fn component_signature(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.components.push(name(words)?);
    Ok(())
}

pub(super) fn collection_timeout(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.collection_timeout = u32::try_from(size(words)?).unwrap_or(u32::MAX);
    Ok(())
}

pub(super) fn collection_ipv6_prefix(settings: &mut Settings, words: &[Word]) -> Outcome {
    let word = first(words)?;
    let bits = std::str::from_utf8(&word.text).ok();
    let bits = bits.and_then(|bits| bits.parse().ok());
    settings.collection_ipv6_prefix = bits
        .filter(|bits| (1..=128).contains(bits))
        .ok_or_else(|| format!("`{}` is not a number from 1 to 128", text(word)))?;
    Ok(())
}

pub(super) fn debug_log_level(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.debug_log_level = u8::try_from(number(first(words)?, 9)?).unwrap_or(9);
    Ok(())
}

pub(super) fn work_limit(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.work_limit = u64::try_from(size(words)?).unwrap_or(u64::MAX);
    Ok(())
}

pub(super) fn work_limit_action(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.work_limit_action = limit_action(words)?;
    Ok(())
}

pub(super) fn pcre_match_limit(settings: &mut Settings, words: &[Word]) -> Outcome {
    settings.pcre_match_limit = size(words)?;
    Ok(())
}
