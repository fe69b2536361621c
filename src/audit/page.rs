//! The page of audit records in JSON, from the schemas of the types that are written.

use std::fmt::Write as _;

use serde_json::Value;

use super::schema;
use crate::program::AuditFormat;

/// Deepest nesting that is followed; records are far flatter.
const DEEPEST: usize = 16;

/// The formats of ours, with their names in SecAuditLogFormat and what they are for.
const FORMATS: [(&str, AuditFormat, &str); 3] = [
    (
        "JSON",
        AuditFormat::Json,
        "A superset of what ModSecurity 3 writes.",
    ),
    (
        "JsonLegacy",
        AuditFormat::JsonLegacy,
        "What ModSecurity 2 writes with `SecAuditLogFormat JSON`, and more.",
    ),
    (
        "Coraza",
        AuditFormat::Coraza,
        "What Coraza writes with `SecAuditLogFormat JSON`, and more.",
    ),
];

/// The text of `AUDIT.md`: every member of the JSON formats of audit records.
pub fn page() -> String {
    let mut page = String::from(
        "# Audit records in JSON\n\n\
         Written from the types; `parapet schema json|jsonlegacy|coraza` prints the same as JSON schemas. A \
         record is one line. Bytes that are not UTF-8 stand as `\\xHH`, and a backslash before an `x` as \
         `\\x5c`. Members marked `?` may be missing. `[]` is a list, `*` any name. Native records are \
         those of ModSecurity 2 with parts A B C E F H I J K Z; OCSF records are HTTP Activity (4002) of \
         OCSF 1.5.0.\n",
    );
    for (name, format, what) in FORMATS {
        let Some(described) = schema(format) else {
            continue;
        };
        let mut rows = String::new();
        members(
            described.as_value(),
            described.as_value(),
            "",
            DEEPEST,
            &mut rows,
        );
        // Writing to a String cannot fail.
        let _: std::fmt::Result = write!(
            page,
            "\n## SecAuditLogFormat {name}\n\n{what}\n\n| member | type | what it is |\n|---|---|---|\n{rows}"
        );
    }
    page
}

/// Rows for the members of an object, theirs below them.
fn members(root: &Value, schema: &Value, path: &str, depth: usize, rows: &mut String) {
    let schema = resolved(root, schema);
    if depth == 0 {
        return;
    }
    let deeper = depth.saturating_sub(1);
    if let Some(items) = schema.get("items") {
        members(root, items, &format!("{path}[]"), deeper, rows);
    }
    if let Some(any) = schema
        .get("additionalProperties")
        .filter(|it| it.is_object())
    {
        members(root, any, &format!("{path}.*"), deeper, rows);
    }
    let required = schema.get("required").and_then(Value::as_array);
    let is_required =
        |name: &str| required.is_some_and(|all| all.iter().any(|it| it.as_str() == Some(name)));
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, member) in properties.into_iter().flatten() {
        let dot = if path.is_empty() { "" } else { "." };
        let place = format!("{path}{dot}{name}");
        let mark = if is_required(name) { "" } else { "?" };
        let inner = resolved(root, member);
        let about = [member, inner]
            .into_iter()
            .find_map(|it| it.get("description"));
        let about = about.and_then(Value::as_str).unwrap_or_default();
        let about = about.replace('\n', " ").replace('|', "\\|");
        let kind = kind(root, member, deeper);
        let _: std::fmt::Result = writeln!(rows, "| `{place}`{mark} | {kind} | {about} |");
        members(root, inner, &place, deeper, rows);
    }
}

/// What a `$ref` means, and what is left of a type that may be null.
fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..DEEPEST {
        let either = schema.get("anyOf").and_then(Value::as_array);
        let not_null = either.and_then(|all| all.iter().find(|it| it["type"] != "null"));
        let target = schema.get("$ref").and_then(Value::as_str);
        let target = target.and_then(|it| root.pointer(it.strip_prefix('#')?));
        match not_null.or(target) {
            Some(next) => schema = next,
            None => break,
        }
    }
    schema
}

/// The type in a word.
fn kind(root: &Value, schema: &Value, depth: usize) -> String {
    let schema = resolved(root, schema);
    let of = |kind: &str| match kind {
        "array" if depth > 0 => {
            let items = schema.get("items").unwrap_or(&Value::Null);
            format!(
                "list of {}",
                self::kind(root, items, depth.saturating_sub(1))
            )
        }
        kind => kind.to_owned(),
    };
    match schema.get("type") {
        Some(Value::String(kind)) => of(kind),
        Some(Value::Array(kinds)) => {
            let kinds = kinds.iter().filter_map(Value::as_str);
            let kinds = kinds.filter(|&kind| kind != "null").map(of);
            kinds.collect::<Vec<_>>().join(" or ")
        }
        _ => "any".to_owned(),
    }
}
