//! Injections of scripts.

mod html;
mod names;

pub use html::{Context, Html, Kind, Token};

use names::Attribute;

/// Whether the value contains what runs a script, read in any of the five contexts.
pub fn detect(value: &[u8]) -> bool {
    Context::ALL
        .iter()
        .any(|&context| detect_in(value, context))
}

fn detect_in(value: &[u8], context: Context) -> bool {
    let mut attribute = Attribute::Harmless;
    Html::new(value, context).any(|token| {
        let before = std::mem::replace(&mut attribute, Attribute::Harmless);
        match token.kind {
            Kind::Doctype => true,
            Kind::TagNameOpen => names::is_tag(token.text),
            Kind::AttributeName => {
                attribute = names::attribute(token.text);
                false
            }
            Kind::AttributeValue => match before {
                Attribute::Harmless => false,
                Attribute::Forbidden => true,
                Attribute::Url => names::is_script_url(token.text),
                Attribute::Indirect => names::attribute(token.text) != Attribute::Harmless,
            },
            Kind::Comment => is_active_comment(token.text),
            Kind::Text | Kind::TagNameClose | Kind::TagNameSelfClose | Kind::TagClose => false,
        }
    })
}

/// Comments that Internet Explorer ends early or reads as markup, and entity definitions.
fn is_active_comment(text: &[u8]) -> bool {
    let begins = |word: &[u8]| names::begins_with_word(text, word);
    memchr::memchr(b'`', text).is_some()
        || (text.len() > 3
            && matches!(
                text,
                [b'[', b'i' | b'I', b'f' | b'F', ..] | [b'x' | b'X', b'm' | b'M', b'l' | b'L', ..]
            ))
        || (text.len() > 5 && (begins(b"IMPORT") || begins(b"ENTITY")))
}
