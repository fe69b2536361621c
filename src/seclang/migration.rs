//! Messages for those who come from another configuration: sections of Apache httpd, and the
//! directives of mod_security 1.

use super::ast::Word;
use crate::diagnostic::{Code, Diagnostic, Span, shown, suggest};

/// An error for `<IfModule …>`, `<LocationMatch …>` and the like.
pub(super) fn section(line: &[u8], span: Span) -> Diagnostic {
    let name = section_name(line);
    let hint = if name.eq_ignore_ascii_case(b"IfModule")
        || name.eq_ignore_ascii_case(b"IfDefine")
        || name.eq_ignore_ascii_case(b"IfVersion")
    {
        "remove this line and the one that closes the section; what stands between them then \
         always applies"
    } else if SECTIONS_OF_PLACE
        .iter()
        .any(|place| name.eq_ignore_ascii_case(place))
    {
        "remove the section; choose rules for a path or host by the proxy's routes and the plugin \
         configuration, or by a rule on REQUEST_FILENAME or REQUEST_HEADERS:Host with \
         `ctl:ruleRemoveById`, `ctl:ruleRemoveTargetById` or `ctl:ruleEngine`"
    } else {
        "remove this line and the one that closes the section; only SecLang directives can stand \
         in a rule file"
    };
    let message = format!(
        "`<{}>` is a section of an Apache httpd configuration, not SecLang",
        shown(name)
    );
    Diagnostic::new(Code::ApacheSection, span, message).hint(hint)
}

/// An error for `</IfModule>` without its beginning.
pub(super) fn stray_section_end(line: &[u8], span: Span) -> Diagnostic {
    let message = format!(
        "`</{}>` closes a section that is not open",
        shown(section_name(line))
    );
    Diagnostic::new(Code::ApacheSection, span, message)
        .hint("remove it: sections of an Apache httpd configuration are not SecLang")
}

/// An error if the directive is one that only mod_security 1 had.
pub(super) fn retired(name: &Word) -> Option<Diagnostic> {
    let successor = RETIRED
        .iter()
        .find(|(old, _)| name.eq_ignore_ascii_case(old.as_bytes()));
    let filter = name
        .get(..9)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"SecFilter"));
    if successor.is_none() && !filter {
        return None;
    }
    let hint = match successor {
        Some((_, instead)) => (*instead).to_owned(),
        None => suggest(&name.text, RETIRED.iter().map(|(old, _)| *old)).map_or_else(
            || "rewrite it with SecRule".to_owned(),
            |old| format!("did you mean `{old}`? It is as old; rewrite it with SecRule"),
        ),
    };
    let message = format!(
        "`{}` is a directive of mod_security 1 and no longer exists",
        shown(name)
    );
    Some(Diagnostic::new(Code::RetiredDirective, name.span, message).hint(hint))
}

/// Sections that say where directives apply.
const SECTIONS_OF_PLACE: &[&[u8]] = &[
    b"Directory",
    b"DirectoryMatch",
    b"Else",
    b"ElseIf",
    b"Files",
    b"FilesMatch",
    b"If",
    b"Limit",
    b"LimitExcept",
    b"Location",
    b"LocationMatch",
    b"Proxy",
    b"ProxyMatch",
    b"VirtualHost",
];

/// Directives of mod_security 1, and what to write instead.
const RETIRED: &[(&str, &str)] = &[
    (
        "SecFilter",
        "write `SecRule REQUEST_LINE|ARGS|REQUEST_BODY \"pattern\" \"id:…\"`",
    ),
    (
        "SecFilterCheckCookieFormat",
        "cookies are read as SecCookieFormat says; remove the line",
    ),
    (
        "SecFilterCheckUnicodeEncoding",
        "write a rule with `@validateUtf8Encoding`",
    ),
    (
        "SecFilterCheckURLEncoding",
        "write a rule with `@validateUrlEncoding`",
    ),
    ("SecFilterDebugLevel", "use SecDebugLogLevel"),
    ("SecFilterDebugLog", "use SecDebugLog"),
    ("SecFilterDefaultAction", "use SecDefaultAction"),
    ("SecFilterEngine", "use SecRuleEngine"),
    (
        "SecFilterForceByteRange",
        "write a rule with `@validateByteRange`",
    ),
    ("SecFilterImport", "include the file that holds the rule"),
    ("SecFilterInheritance", "use SecRuleInheritance"),
    (
        "SecFilterNormalizeCookies",
        "use transformations such as `t:urlDecodeUni`",
    ),
    ("SecFilterOutput", "use SecResponseBodyAccess"),
    ("SecFilterOutputMimeTypes", "use SecResponseBodyMimeType"),
    ("SecFilterRemove", "use SecRuleRemoveById"),
    ("SecFilterScanPOST", "use `SecRequestBodyAccess On`"),
    (
        "SecFilterSelective",
        "write `SecRule TARGETS \"pattern\" \"id:…\"`",
    ),
    ("SecFilterSignatureAction", "use SecDefaultAction"),
    (
        "SecUploadApproveScript",
        "write `SecRule FILES_TMPNAMES \"@inspectFile …\" \"id:…\"`",
    ),
];

/// `IfModule` of `<IfModule a.c>` and `</IfModule>`.
fn section_name(line: &[u8]) -> &[u8] {
    let line = line.strip_prefix(b"<").unwrap_or(line);
    let line = line.strip_prefix(b"/").unwrap_or(line);
    let end = line
        .iter()
        .position(|byte| byte.is_ascii_whitespace() || *byte == b'>');
    line.get(..end.unwrap_or(line.len())).unwrap_or_default()
}
