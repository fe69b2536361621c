//! `profile_metadata`: where the metadata of a request names its list of directives.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use super::json::{Keys, unreadable, value};
use super::values::Lines;
use crate::proxy::selection::{MetadataOf, ProfileMetadata};

/// The keys of `profile_metadata`.
pub const METADATA_KEYS: &[(&str, &str)] = &[
    (
        "namespace",
        "The name space in `filter_metadata`; default `parapet`.",
    ),
    (
        "key",
        "The key in it whose value is the name of a list; default `profile`.",
    ),
    (
        "from",
        "Whose metadata is read, and in which order: some of `route`, `virtual_host`, `cluster`, `listener`; default all of them. The first that has the key counts.",
    ),
];

/// The object.
pub(super) struct Metadata(pub(super) ProfileMetadata);

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MetadataVisitor)
    }
}

struct MetadataVisitor;

impl<'de> Visitor<'de> for MetadataVisitor {
    type Value = Metadata;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
        let mut metadata = ProfileMetadata::default();
        let mut keys = Keys::new(METADATA_KEYS);
        while let Some(key) = keys.next(&mut map)? {
            match key {
                "namespace" => metadata.namespace = path_part(&mut map, key)?,
                "key" => metadata.key = path_part(&mut map, key)?,
                "from" => metadata.from = sources(&value::<Lines, A>(&mut map, key)?.0, key)?,
                key => return Err(unreadable(key)),
            }
        }
        Ok(Metadata(metadata))
    }
}

/// A part of a path to a property, which hosts write with NUL between the parts.
fn path_part<'de, A: MapAccess<'de>>(map: &mut A, key: &str) -> Result<String, A::Error> {
    let part: String = value(map, key)?;
    if part.is_empty() || part.contains(|c: char| c.is_control()) {
        return Err(A::Error::custom(format!(
            "`{key}`: empty, or with control characters"
        )));
    }
    Ok(part)
}

fn sources<E: Error>(names: &[String], key: &str) -> Result<Vec<MetadataOf>, E> {
    let mut sources = Vec::new();
    for name in names {
        let known = MetadataOf::ALL.iter().find(|(known, _)| known == name);
        let Some((_, source)) = known else {
            let names = MetadataOf::ALL.map(|(name, _)| format!("`{name}`"));
            return Err(E::custom(format!(
                "`{key}`: `{name}` is none of {}",
                names.join(", ")
            )));
        };
        if !sources.contains(source) {
            sources.push(*source);
        }
    }
    if sources.is_empty() {
        return Err(E::custom(format!("`{key}` names nothing")));
    }
    Ok(sources)
}
