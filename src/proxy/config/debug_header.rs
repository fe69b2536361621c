//! `debug_header`: how an operator asks for the debug log of one request.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use super::json::{Keys, number, unreadable, value};
use super::values::is_header_name;
use crate::proxy::settings::DebugHeader;

/// The keys of `debug_header`.
pub const DEBUG_HEADER_KEYS: &[(&str, &str)] = &[
    ("name", "The name of the header; default `x-parapet-debug`."),
    (
        "secret_env",
        "The variable in the environment of the VM whose value the header must have, 16 bytes at least; default `PARAPET_DEBUG_SECRET`.",
    ),
    (
        "level",
        "SecDebugLogLevel for the request: 4 to 9; default 9.",
    ),
];

/// The object.
pub(super) struct DebugHeaderObject(pub(super) DebugHeader);

impl<'de> Deserialize<'de> for DebugHeaderObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DebugHeaderVisitor)
    }
}

struct DebugHeaderVisitor;

impl<'de> Visitor<'de> for DebugHeaderVisitor {
    type Value = DebugHeaderObject;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<DebugHeaderObject, A::Error> {
        let mut header = DebugHeader {
            name: "x-parapet-debug".to_owned(),
            secret_env: "PARAPET_DEBUG_SECRET".to_owned(),
            level: 9,
        };
        let mut keys = Keys::new(DEBUG_HEADER_KEYS);
        while let Some(key) = keys.next(&mut map)? {
            match key {
                "name" => header.name = value::<String, A>(&mut map, key)?.to_ascii_lowercase(),
                "secret_env" => header.secret_env = value(&mut map, key)?,
                "level" => {
                    let level = number(&mut map, key, 4, 9)?;
                    header.level = u8::try_from(level).unwrap_or(9);
                }
                key => return Err(unreadable(key)),
            }
        }
        if !is_header_name(&header.name) {
            return Err(A::Error::custom("`name` is no name of a header"));
        }
        if header.secret_env.is_empty() || header.secret_env.contains(['=', '\0']) {
            return Err(A::Error::custom("`secret_env` is no name of a variable"));
        }
        Ok(DebugHeaderObject(header))
    }
}
