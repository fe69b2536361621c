//! Which members of a JSON document hold others, by the names that arguments have.

use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

/// The names of all objects and arrays in a document, up to where it is broken.
pub fn containers(body: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    // yajl takes these two for blanks; inside a string both readers refuse them.
    let blank = |&byte: &u8| {
        if matches!(byte, 0x0b | 0x0c) {
            b' '
        } else {
            byte
        }
    };
    let body: Vec<u8> = body.iter().map(blank).collect();
    let mut document = serde_json::Deserializer::from_slice(&body);
    // What is wrong with the document does not matter here.
    let _ = Member {
        name: "json".to_owned(),
        names: &mut names,
    }
    .deserialize(&mut document);
    names
}

struct Member<'a> {
    name: String,
    names: &'a mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Member<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Member<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        self.names.push(self.name.clone());
        while let Some(key) = members.next_key::<String>()? {
            let key = if key.is_empty() { "empty-key" } else { &key };
            let name = format!("{}.{key}", self.name);
            let names = &mut *self.names;
            members.next_value_seed(Member { name, names })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        self.names.push(self.name.clone());
        for number in 0.. {
            let name = format!("{}.array_{number}", self.name);
            let names = &mut *self.names;
            if elements
                .next_element_seed(Member { name, names })?
                .is_none()
            {
                break;
            }
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
