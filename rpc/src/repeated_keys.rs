//! JSON whose objects keep that a key was repeated. `serde_json` lets the last value stand and forgets the others, but where
//! keys are data, as addresses of outputs are, what is forgotten would be somebody's money.
//!
//! The first value of a key stays under it, as in Bitcoin Core, and the second under the key with a mark behind it. More are not
//! needed: whoever cares about one repetition refuses it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

/// What stands behind the key of a repeated value.
const MARK: char = '\0';

/// The key under which `serde_json` gives the digits of a number.
const NUMBER_KEY: &str = "$serde_json::private::Number";

/// A value that was read with its repeated keys.
#[derive(Debug)]
pub(crate) struct WithRepeatedKeys(pub(crate) Value);

/// The key that a member was given under.
pub(crate) fn given_key<'a>(object: &Map<String, Value>, key: &'a str) -> &'a str {
    key.strip_suffix(MARK)
        .filter(|plain| object.contains_key(*plain))
        .unwrap_or(key)
}

/// A key that was given more than once.
pub(crate) fn repeated_key(object: &Map<String, Value>) -> Option<&str> {
    object
        .keys()
        .map(|key| (key, given_key(object, key)))
        .find_map(|(key, given)| (key != given).then_some(given))
}

impl<'de> Deserialize<'de> for WithRepeatedKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor).map(Self)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(WithRepeatedKeys(value)) = access.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if object.is_empty() && key == NUMBER_KEY {
                let digits: String = access.next_value()?;
                let number: Number = digits.parse().map_err(A::Error::custom)?;
                return Ok(Value::Number(number));
            }
            let WithRepeatedKeys(value) = access.next_value()?;
            match object.entry(key) {
                Entry::Vacant(place) => {
                    place.insert(value);
                }
                Entry::Occupied(place) => {
                    let marked = format!("{}{MARK}", place.key());
                    object.entry(marked).or_insert(value);
                }
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Value {
        let WithRepeatedKeys(value) = serde_json::from_str(text).unwrap();
        value
    }

    #[test]
    fn what_repeats_nothing_is_read_as_ever() {
        for text in [
            "null",
            "[true,false]",
            "-1",
            "18446744073709551616.10",
            "1e400",
            "\"a\\u0000\"",
            "{}",
            "[{\"a\":{\"b\":[1,{\"c\":\"d\"}]},\"e\":2.50}]",
        ] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(read(text), value, "{text}");
            assert_eq!(read(text).to_string(), value.to_string());
        }
        assert!(serde_json::from_str::<WithRepeatedKeys>("{\"a\":1,}").is_err());
        let deep = "[".repeat(1_000);
        assert!(serde_json::from_str::<WithRepeatedKeys>(&deep).is_err());
    }

    #[test]
    fn the_first_value_of_a_key_counts_and_the_second_is_not_lost() {
        let value = read("{\"a\":1,\"b\":2,\"a\":3,\"a\":4}");
        let object = value.as_object().unwrap();
        assert_eq!(object["a"], 1);
        let members: Vec<_> = object
            .iter()
            .map(|(key, value)| (given_key(object, key), value.clone()))
            .collect();
        assert_eq!(members, [("a", json!(1)), ("b", json!(2)), ("a", json!(3))]);
        assert_eq!(repeated_key(object), Some("a"));
        // A caller's own mark is a part of the key.
        let value = read("{\"a\\u0000\":1}");
        let object = value.as_object().unwrap();
        assert_eq!(repeated_key(object), None);
        assert_eq!(given_key(object, "a\0"), "a\0");
    }
}
