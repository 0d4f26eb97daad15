//! JSON objects whose members are unique.
//!
//! RFC 7515 section 4 and RFC 7519 section 4 require unique names, or that the last one wins. Two readers that differ
//! in this could read one token in two ways, so a repeated name is refused.

use std::cell::Cell;
use std::fmt;

use super::error::TokenError;
use crate::plain_json::PlainJson;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

/// Reads one JSON object. Refuses a member that appears twice in it or in an object inside it.
pub(super) fn parse_object(json: &[u8]) -> Result<Map<String, Value>, TokenError> {
    let duplicate = Cell::new(false);
    // Once for all texts in it, not once per text.
    let json = str::from_utf8(json).map_err(|_| TokenError::Malformed)?;
    if let Some(object) = plain(json) {
        return Ok(object);
    }
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let value = UniqueMembers { duplicate: &duplicate }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    match value {
        Ok(Value::Object(object)) => Ok(object),
        Err(_) if duplicate.get() => Err(TokenError::DuplicateMember),
        Ok(_) | Err(_) => Err(TokenError::Malformed),
    }
}

/// The object, if its members are unique and plain: strings, whole numbers, and arrays of strings. Nearly all claims are.
fn plain(json: &str) -> Option<Map<String, Value>> {
    let mut json = PlainJson::new(json);
    let mut object = Map::new();
    json.object(|json, name| {
        let value = match json.peek()? {
            b'"' => Value::String(json.string()?.to_owned()),
            b'[' => {
                let mut values = Vec::new();
                json.array(|json| {
                    values.push(Value::String(json.string()?.to_owned()));
                    Some(())
                })?;
                Value::Array(values)
            }
            _ => Value::Number(json.number()?.into()),
        };
        object.insert(name.to_owned(), value).is_none().then_some(())
    })?;
    json.is_at_end().then_some(object)
}

#[derive(Clone, Copy)]
struct UniqueMembers<'c> {
    duplicate: &'c Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for UniqueMembers<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for UniqueMembers<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = sequence.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            match object.entry(name) {
                Entry::Vacant(member) => {
                    member.insert(members.next_value_seed(self)?);
                }
                Entry::Occupied(_) => {
                    self.duplicate.set(true);
                    return Err(A::Error::custom("duplicate member"));
                }
            }
        }
        Ok(Value::Object(object))
    }
}

/// Reads a claims set as strictly as that of a token.
///
/// # Errors
/// [`TokenError::DuplicateMember`] or [`TokenError::Malformed`].
pub fn parse_claims(json: &[u8]) -> Result<Map<String, Value>, TokenError> {
    parse_object(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_with_unique_members_reads_as_it_is() {
        let json = r#"{"a":[1,-2,3.5,"x",null,true,{"a":{"a":1}}],"b":18446744073709551615}"#;
        assert_eq!(
            Value::Object(parse_object(json.as_bytes()).unwrap()),
            serde_json::from_str::<Value>(json).unwrap()
        );
    }

    #[test]
    fn what_is_plain_is_read_as_serde_reads_it() {
        const USUAL: &str = r#"{"a":"b","n":0,"t":1800000000,"aud":["x","y"],"é":"é", "e":[] }"#;
        assert!(plain(USUAL).is_some());
        let mut read = 0;
        let mut compare = |text: &str| {
            if let Some(object) = plain(text) {
                assert_eq!(Value::Object(object), serde_json::from_str::<Value>(text).unwrap(), "{text}");
                read += 1;
            }
        };
        compare(USUAL);
        for (start, c) in USUAL.char_indices() {
            let (before, rest) = USUAL.split_at(start);
            let after = rest.split_at(c.len_utf8()).1;
            compare(before);
            compare(&format!("{before}{after}"));
            for other in [
                "\"",
                "\\",
                ",",
                ":",
                "{",
                "}",
                "[",
                "]",
                " ",
                "\n",
                "\0",
                "\u{7f}",
                "0",
                "1",
                "-",
                "+",
                ".",
                "e",
                "E1",
                ".5",
                "00",
                "01",
                "9999999999999999999",
                "99999999999999999999",
                "null",
                "true",
                "\"a\":1,",
            ] {
                compare(&format!("{before}{other}{after}"));
                compare(&format!("{before}{other}{c}{after}"));
            }
        }
        assert!(read > 300, "{read}");
    }

    #[test]
    fn a_member_twice_is_refused_however_deep_and_however_written() {
        for json in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":{"b":1,"b":2}}"#,
            r#"{"a":[{"b":1,"b":2}]}"#,
            r#"{"a":1,"\u0061":2}"#,
        ] {
            assert_eq!(parse_object(json.as_bytes()), Err(TokenError::DuplicateMember), "{json}");
        }
    }

    #[test]
    fn what_is_no_object_is_malformed() {
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        for json in
            ["", "{", "[]", "null", "1", "\"a\"", "{} {}", "{}x", "{\"a\":NaN}", "\u{feff}{}", deep.as_str()]
        {
            assert_eq!(parse_object(json.as_bytes()), Err(TokenError::Malformed));
        }
        assert_eq!(parse_object(b"{\"a\":\"\xff\"}"), Err(TokenError::Malformed));
    }
}
