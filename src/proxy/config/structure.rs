//! `google.protobuf.Struct` in protobuf's binary form, as JSON text.
//!
//! Envoy's documentation says that a Struct reaches a plugin as JSON; what arrives is the binary
//! form (seen in 1.36 and 1.40).

use serde_json::{Map, Number, Value};

/// Deepest nesting read.
const DEEPEST: usize = 32;

/// The JSON of a Struct; `None` if the bytes are none.
pub(super) fn to_json(bytes: &[u8]) -> Option<String> {
    Some(structure(bytes, 0)?.to_string())
}

/// `message Struct { map<string, Value> fields = 1; }`
fn structure(mut bytes: &[u8], depth: usize) -> Option<Value> {
    let mut fields = Map::new();
    while !bytes.is_empty() {
        let Field::Bytes(1, entry) = field(&mut bytes)? else {
            return None;
        };
        let (key, value) = entry_of(entry, depth)?;
        fields.insert(key, value);
    }
    Some(Value::Object(fields))
}

/// A map's entry: the key is field 1, the value is field 2.
fn entry_of(mut bytes: &[u8], depth: usize) -> Option<(String, Value)> {
    let mut key = String::new();
    let mut content = Value::Null;
    while !bytes.is_empty() {
        match field(&mut bytes)? {
            Field::Bytes(1, text) => key = std::str::from_utf8(text).ok()?.to_owned(),
            Field::Bytes(2, inner) => content = value(inner, depth)?,
            _ => return None,
        }
    }
    Some((key, content))
}

/// `message Value { oneof kind { null = 1; number = 2; string = 3; bool = 4; struct = 5; list = 6; } }`
fn value(mut bytes: &[u8], depth: usize) -> Option<Value> {
    let deeper = depth.checked_add(1).filter(|&depth| depth <= DEEPEST)?;
    let mut content = Value::Null;
    while !bytes.is_empty() {
        content = match field(&mut bytes)? {
            Field::Varint(1, _) => Value::Null,
            Field::Fixed(2, bits) => {
                Number::from_f64(f64::from_bits(bits)).map_or(Value::Null, Value::Number)
            }
            Field::Bytes(3, text) => Value::String(std::str::from_utf8(text).ok()?.to_owned()),
            Field::Varint(4, truth) => Value::Bool(truth != 0),
            Field::Bytes(5, inner) => structure(inner, deeper)?,
            Field::Bytes(6, inner) => list(inner, deeper)?,
            _ => return None,
        };
    }
    Some(content)
}

/// `message ListValue { repeated Value values = 1; }`
fn list(mut bytes: &[u8], depth: usize) -> Option<Value> {
    let mut values = Vec::new();
    while !bytes.is_empty() {
        let Field::Bytes(1, inner) = field(&mut bytes)? else {
            return None;
        };
        values.push(value(inner, depth)?);
    }
    Some(Value::Array(values))
}

/// A field: its number and what it holds.
enum Field<'a> {
    Varint(u64, u64),
    Fixed(u64, u64),
    Bytes(u64, &'a [u8]),
}

fn field<'a>(bytes: &mut &'a [u8]) -> Option<Field<'a>> {
    let tag = varint(bytes)?;
    let number = tag >> 3;
    match tag & 7 {
        0 => Some(Field::Varint(number, varint(bytes)?)),
        1 => {
            let (fixed, rest) = bytes.split_first_chunk::<8>()?;
            *bytes = rest;
            Some(Field::Fixed(number, u64::from_le_bytes(*fixed)))
        }
        2 => {
            let length = usize::try_from(varint(bytes)?).ok()?;
            let (inner, rest) = bytes.split_at_checked(length)?;
            *bytes = rest;
            Some(Field::Bytes(number, inner))
        }
        _ => None,
    }
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn bytes_field(number: u8, content: &[u8]) -> Vec<u8> {
        let mut out = vec![number << 3 | 2];
        let mut length = content.len();
        while length >= 0x80 {
            out.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
            length >>= 7;
        }
        out.push(u8::try_from(length).unwrap());
        out.extend_from_slice(content);
        out
    }

    fn encode_value(value: &Value) -> Vec<u8> {
        match value {
            Value::Null => vec![1 << 3, 0],
            Value::Bool(truth) => vec![4 << 3, u8::from(*truth)],
            Value::Number(number) => {
                [&[2 << 3 | 1][..], &number.as_f64().unwrap().to_le_bytes()].concat()
            }
            Value::String(text) => bytes_field(3, text.as_bytes()),
            Value::Array(values) => {
                let inner: Vec<u8> = values
                    .iter()
                    .flat_map(|it| bytes_field(1, &encode_value(it)))
                    .collect();
                bytes_field(6, &inner)
            }
            Value::Object(_) => bytes_field(5, &encode(value)),
        }
    }

    /// A JSON object as a binary Struct.
    pub fn encode(value: &Value) -> Vec<u8> {
        let fields = value.as_object().unwrap();
        fields
            .iter()
            .flat_map(|(key, value)| {
                let key = bytes_field(1, key.as_bytes());
                bytes_field(1, &[key, bytes_field(2, &encode_value(value))].concat())
            })
            .collect()
    }

    #[test]
    fn every_kind_of_value_comes_through() {
        let value = serde_json::json!({
            "text": "a\n\"b\"", "list": ["x".repeat(300), true, null, 1.5],
            "object": {"deep": {"er": []}}, "off": false,
        });
        let read: Value = serde_json::from_str(&to_json(&encode(&value)).unwrap()).unwrap();
        assert_eq!(read, value);
    }

    #[test]
    fn what_is_no_struct_is_refused() {
        let whole = encode(&serde_json::json!({"a": ["b", {"c": 1.0}]}));
        for length in 1..whole.len() {
            assert_eq!(to_json(&whole[..length]), None, "{length}");
        }
        for bytes in [
            &b"\n{\n \"a\": 1}"[..],
            b"\x0b",
            b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        ] {
            assert_eq!(to_json(bytes), None, "{bytes:?}");
        }
        let mut deep = Value::Null;
        for _ in 0..40 {
            deep = serde_json::json!({ "a": deep });
        }
        assert_eq!(to_json(&encode(&deep)), None);
    }
}
