//! The list. v2 stands for ModSecurity 2 on httpd, which decides; v3 for libmodsecurity.

use super::{Divergence, Processor};
use crate::exchange::holds;
use crate::verdict::Side::{ModSecurity, Parapet};

/// What a part of a multipart body becomes.
const PARTS: &[&str] = &[
    "ARGS",
    "ARGS_NAMES",
    "ARGS_POST",
    "ARGS_POST_NAMES",
    "FILES",
    "FILES_NAMES",
    "MULTIPART_PART_HEADERS",
];

/// What an argument becomes.
const ARGUMENTS: &[&str] = &["ARGS", "ARGS_NAMES", "ARGS_POST", "ARGS_POST_NAMES"];

/// The rule that reports REQBODY_ERROR.
const BODY_ERROR: u64 = 200_002;

/// Rules that look at values which a pattern from ^ to $ does not match.
const EXCEPT_WHOLE: &[u64] = &[942_200, 942_440];

/// Rules that look for the phrases of a list. The last one is negated.
const PHRASES: &[(u64, &str)] = &[
    (913_100, "scanners-user-agents.data"),
    (930_120, "lfi-os-files.data"),
    (930_121, "lfi-os-files.data"),
    (930_130, "restricted-files.data"),
    (930_140, "ai-critical-artifacts.data"),
    (932_120, "windows-powershell-commands.data"),
    (932_160, "unix-shell.data"),
    (932_161, "unix-shell.data"),
    (932_180, "restricted-upload.data"),
    (933_130, "php-variables.data"),
    (933_150, "php-function-names-933150.data"),
    (934_110, "ssrf.data"),
    (934_190, "ssrf-no-scheme.data"),
    (944_130, "java-classes.data"),
    (951_100, "sql-errors.data"),
];

/// Rules with t:normalizePath or t:normalizePathWin.
const NORMALIZED: &[u64] = &[
    930_120, 930_121, 930_130, 930_140, 932_160, 932_161, 932_190, 932_237, 932_238, 933_120,
    933_130, 933_131,
];

/// The divergences. The first that fits counts.
pub const DIVERGENCES: &[Divergence] = &[
    Divergence {
        name: "request-body-always",
        explanation: "v3 fills REQUEST_BODY whatever the body is; v2 only for forms and where forceRequestBodyVariable asks for it",
        explains: |case| {
            case.only(ModSecurity)
                && case.about(&["REQUEST_BODY"])
                && !case.is(Processor::Form)
                && !case.is(Processor::None)
        },
    },
    Divergence {
        name: "forced-body-is-a-form",
        explanation: "a body of unknown type that forceRequestBodyVariable keeps is read as a form in v2; in v3 the option does nothing",
        explains: |case| {
            case.only(Parapet)
                && case.is(Processor::None)
                && !case.body().is_empty()
                && (case.about(ARGUMENTS)
                    || case.is_captured()
                    || case.rule(&[920_240]) && case.about(&["REQUEST_BODY"]))
        },
    },
    Divergence {
        name: "empty-xml",
        explanation: "v3 calls an XML document of no bytes malformed; in v2 there is nothing to parse",
        explains: |case| {
            case.only(ModSecurity)
                && case.rule(&[BODY_ERROR])
                && case.is(Processor::Xml)
                && case.body().is_empty()
        },
    },
    Divergence {
        name: "utf-16-xml",
        explanation: "libxml2 reads UTF-16 where it recognises it; we call it an error, so that nothing hides in it",
        explains: |case| {
            let wide = case.body().starts_with(b"<\0")
                || case.body().starts_with(b"\xff\xfe")
                || case.body().starts_with(b"\xfe\xff");
            case.is(Processor::Xml)
                && wide
                && (case.only(Parapet) && case.rule(&[BODY_ERROR])
                    || case.only(ModSecurity)
                        && (case.about(&["XML", "XML:/*", "XML://@*"]) || case.is_captured()))
        },
    },
    Divergence {
        name: "json-container-names",
        explanation: "names of JSON members that hold others are in ARGS_NAMES, as a rule on names must see them; v3 names only leaves",
        explains: |case| {
            case.only(Parapet) && case.is(Processor::Json) && case.about_json_container()
        },
    },
    Divergence {
        name: "json-selectors",
        explanation: "ARGS:_method also selects the JSON argument json._method, which is v2's `_method`; v3 knows it only by its own name",
        explains: |case| {
            case.only(Parapet)
                && case.is(Processor::Json)
                && case.rule(&[920_650])
                && case.hit_is("ARGS:json._method")
        },
    },
    Divergence {
        name: "json-open-string",
        explanation: "yajl overlooks a string that is opened behind the document and never closed",
        explains: |case| {
            case.only(Parapet)
                && case.is(Processor::Json)
                && case.rule(&[BODY_ERROR])
                && case.behind_json().starts_with(b"\"")
        },
    },
    Divergence {
        name: "absolute-target",
        explanation: "v3 leaves scheme and host of an absolute target in REQUEST_FILENAME",
        explains: |case| {
            case.is_absolute() && case.about(&["REQUEST_FILENAME", "REQUEST_BASENAME"])
        },
    },
    Divergence {
        name: "unmatched-boundary-forgotten",
        explanation: "in v3 any later boundary line overwrites MULTIPART_UNMATCHED_BOUNDARY with 2",
        explains: |case| {
            case.only(Parapet) && case.rule(&[200_004]) && case.is(Processor::Multipart)
        },
    },
    Divergence {
        name: "multipart-without-body",
        explanation: "v3 judges the boundary of a multipart request without a body; v2 reads no body that is not there",
        explains: |case| {
            case.only(ModSecurity)
                && case.rule(&[BODY_ERROR, 200_003])
                && case.is(Processor::Multipart)
                && case.body().is_empty()
        },
    },
    Divergence {
        name: "empty-part-name",
        explanation: "v3 takes a part whose name is empty for one without a name, and stops there; v2 only misses a name that is not given",
        explains: |case| {
            case.is(Processor::Multipart)
                && (holds(case.body(), b"name=\"\"") || holds(case.body(), b"name=''"))
                && case.modsecurity.hits.contains_key(&BODY_ERROR)
                && (case.only(ModSecurity)
                    && (case.rule(&[BODY_ERROR, 200_003])
                        || case.about(&["MULTIPART_PART_HEADERS"]))
                    || case.only(Parapet)
                        && (case.about(PARTS) || case.rule(&[200_004]) || case.is_captured()))
        },
    },
    Divergence {
        name: "empty-file-name",
        explanation: "a part with an empty filename is a file in v2, a field in v3",
        explains: |case| {
            case.is(Processor::Multipart)
                && holds(case.body(), b"filename=\"\"")
                && (case.only(ModSecurity) && (case.about(ARGUMENTS) || case.is_captured())
                    || case.only(Parapet) && case.about(&["FILES", "FILES_NAMES"]))
        },
    },
    Divergence {
        name: "parts-of-broken-multipart",
        explanation: "of a multipart body that both call broken we report the parts before the error; v3 none of them, or also those behind it",
        explains: |case| {
            case.is(Processor::Multipart)
                && case.both(BODY_ERROR)
                && (case.about(PARTS) || case.rule(&[200_004]) || case.is_captured())
        },
    },
    Divergence {
        name: "line-ends-lost-in-parts",
        explanation: "v3.0.15 loses the line ends inside a field of a multipart body",
        explains: |case| {
            case.is(Processor::Multipart)
                && case.about(&["ARGS"])
                && (case.only(ModSecurity) || case.has_line_feed())
                && has_lines_inside(case.body())
        },
    },
    Divergence {
        name: "tree-of-broken-xml",
        explanation: "of an XML document that both call broken v2 leaves the tree up to the error; v3 none",
        explains: |case| {
            case.only(Parapet)
                && case.is(Processor::Xml)
                && case.both(BODY_ERROR)
                && case.about(&["XML", "XML:/*", "XML://@*"])
        },
    },
    Divergence {
        name: "order-of-arguments",
        explanation: "a chain that looks at TX:1 sees the value that matched last; v2 takes arguments in the order of the request, v3 in that of its hash table",
        explains: |case| {
            case.is_captured() && case.rule(&[942_130, 942_131, 942_521]) && case.arguments() > 1
        },
    },
    Divergence {
        name: "repeated-content-type",
        explanation: "of two Content-Type headers the first says what the body is, as in v2, and rules that keep one keep the last; v3 has it the other way round",
        explains: |case| {
            case.header_count("content-type") > 1
                && (case.rule(&[BODY_ERROR, 200_003, 200_004])
                    || case.hit_is("TX:content_type")
                    || case.hit_is("TX:content_type_charset")
                    || case.is_captured()
                    || case.about(PARTS)
                    || case.about(&["REQUEST_BODY", "XML", "XML:/*", "XML://@*"]))
        },
    },
    Divergence {
        name: "document-type-unchecked",
        explanation: "we read entities from a document type and leave the rest of it unchecked; libxml2 parses it",
        explains: |case| {
            case.only(ModSecurity)
                && case.rule(&[BODY_ERROR])
                && case.is(Processor::Xml)
                && holds(case.body(), b"<!DOCTYPE")
        },
    },
    Divergence {
        name: "base64-prefix",
        explanation: "t:base64Decode gives what stands before a character that is no base64, as in v2; v3 gives up and leaves the value",
        explains: |case| case.rule(&[934_100, 934_101, 934_160]),
    },
    Divergence {
        name: "strict-error-of-broken-multipart",
        explanation: "a multipart body that cannot be parsed raises MULTIPART_STRICT_ERROR in v2; in v3 only if a flag of its own does",
        explains: |case| {
            case.only(Parapet)
                && case.rule(&[200_003])
                && case.is(Processor::Multipart)
                && case.both(BODY_ERROR)
        },
    },
    Divergence {
        name: "response-body-not-inspected",
        explanation: "v3 skips phase 4 where there is no body or its type is not listed; v2 runs it",
        explains: |case| {
            case.only(Parapet)
                && matches!(case.difference.rule / 1000, 950..=959)
                && case.exchange.response.is_some()
                && !case.inspected_response()
        },
    },
    Divergence {
        name: "multiline",
        explanation: "in v3 ^ and $ also match at line ends inside a value; v2 compiles patterns without that",
        explains: |case| {
            case.has_line_feed()
                && (case.only(ModSecurity) && case.difference.hit.operator == b"Rx"
                    || case.only(Parapet) && case.rule(EXCEPT_WHOLE))
        },
    },
    Divergence {
        name: "dots-at-the-end-of-a-segment",
        explanation: "t:normalizePath resolves segments that are two dots; v2 and v3 also take `a..` for one, which hides what stands there",
        explains: |case| case.rule(NORMALIZED) && case.has_dotted_segment(),
    },
    Divergence {
        name: "phrases-missed",
        explanation: "v3 misses a phrase that begins inside a longer one which fails",
        explains: |case| {
            let found = |text: &[u8]| {
                let lists = PHRASES.iter();
                let mut lists = lists.filter(|(rule, _)| *rule == case.difference.rule);
                lists.any(|(_, list)| case.holds_phrase(list, text))
            };
            if case.only(Parapet) {
                found(&case.difference.hit.value)
            } else {
                case.rule(&[951_100])
                    && case
                        .exchange
                        .response
                        .as_ref()
                        .is_some_and(|response| found(&response.body))
            }
        },
    },
    Divergence {
        name: "request-uri-decoded",
        explanation: "REQUEST_URI is as received, as in v2; in v3 it is decoded",
        explains: |case| case.hit_is("REQUEST_URI") && case.exchange.request.target.contains(&b'%'),
    },
    Divergence {
        name: "basename-without-slash",
        explanation: "a target without a slash has no REQUEST_BASENAME in v3; in v2 it is the target",
        explains: |case| {
            case.only(Parapet)
                && !case.exchange.request.target.contains(&b'/')
                && (case.about(&["REQUEST_BASENAME"]) || case.hit_is("TX:extension"))
        },
    },
    Divergence {
        name: "libinjection-exponent",
        explanation: "v3 brings a later libinjection, which reads `1e(` as a number and a parenthesis",
        explains: |case| {
            case.only(ModSecurity)
                && case.rule(&[942_100])
                && case
                    .difference
                    .hit
                    .value
                    .array_windows()
                    .any(|[digit, exponent, bracket]| {
                        (digit.is_ascii_digit() || *digit == b'.')
                            && exponent.eq_ignore_ascii_case(&b'e')
                            && *bracket == b'('
                    })
        },
    },
    Divergence {
        name: "connect-target",
        explanation: "the target of CONNECT has no path and no query; v3 cuts it up like any other",
        explains: |case| {
            case.exchange.request.method == b"CONNECT"
                && (case.about(&["REQUEST_FILENAME", "REQUEST_BASENAME"])
                    || case.only(ModSecurity) && case.about(&["ARGS", "ARGS_NAMES"]))
        },
    },
    Divergence {
        name: "cookie-comma",
        explanation: "a Cookie header without a semicolon is parted at commas in v2",
        explains: |case| {
            let cookie = case.exchange.header("cookie").unwrap_or_default();
            cookie.contains(&b',')
                && !cookie.contains(&b';')
                && case.about(&["REQUEST_COOKIES", "REQUEST_COOKIES_NAMES"])
        },
    },
    Divergence {
        name: "chain-start-logged",
        explanation: "v3 logs the first rule of a chain with multiMatch although the chain fails",
        explains: |case| {
            case.only(ModSecurity)
                && case.rule(&[942_130, 942_131])
                && case.difference.hit.operator == b"Rx"
        },
    },
];

/// Whether the content of a part has a line end inside: a line behind the empty one that ends the
/// part's headers, and another behind that which is no boundary.
fn has_lines_inside(body: &[u8]) -> bool {
    let mut lines = body.split(|&byte| byte == b'\n').skip_while(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        !line.is_empty()
    });
    lines.next();
    let lines: Vec<_> = lines.collect();
    lines
        .array_windows()
        .any(|[one, other]| !one.starts_with(b"--") && !other.starts_with(b"--"))
}
