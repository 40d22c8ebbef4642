//! Requests from a JSON text, without a tree of all that is in it.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::request::{Body, Members, Shape};
use crate::repeated_keys::WithRepeatedKeys;

/// A member of a request.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Key {
    Jsonrpc,
    Id,
    Method,
    Params,
    /// What a number is to a reader that keeps all its digits: an object with this one member.
    #[serde(rename = "$serde_json::private::Number")]
    Number,
    #[serde(other)]
    Other,
}

/// Values that are no object and no array.
macro_rules! scalars {
    ($result:ty, $value:expr) => {
        fn visit_bool<E>(self, _: bool) -> Result<$result, E> {
            Ok($value)
        }

        fn visit_i64<E>(self, _: i64) -> Result<$result, E> {
            Ok($value)
        }

        fn visit_u64<E>(self, _: u64) -> Result<$result, E> {
            Ok($value)
        }

        fn visit_f64<E>(self, _: f64) -> Result<$result, E> {
            Ok($value)
        }

        fn visit_str<E>(self, _: &str) -> Result<$result, E> {
            Ok($value)
        }

        fn visit_unit<E>(self) -> Result<$result, E> {
            Ok($value)
        }

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("JSON")
        }
    };
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BodyVisitor)
    }
}

struct BodyVisitor;

impl<'de> Visitor<'de> for BodyVisitor {
    type Value = Body;

    scalars!(Body, Body::Other);

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Body, A::Error> {
        let members = MembersVisitor.visit_map(map)?;
        Ok(match members.shape {
            Shape::Object => Body::One(members),
            Shape::Other => Body::Other,
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Body, A::Error> {
        let mut requests = Vec::new();
        while let Some(members) = sequence.next_element()? {
            requests.push(members);
        }
        Ok(Body::Many(requests))
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    scalars!(Members, Members::none(Shape::Other));

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Members::none(Shape::Object);
        let mut is_first = true;
        while let Some(key) = map.next_key()? {
            let member = match key {
                Key::Jsonrpc => &mut members.jsonrpc,
                Key::Id => &mut members.id,
                Key::Method => &mut members.method,
                Key::Params => &mut members.params,
                Key::Number if is_first => {
                    map.next_value::<IgnoredAny>()?;
                    return Ok(Members::none(Shape::Other));
                }
                // Read as any other: its faults are faults of the body.
                Key::Number | Key::Other => &mut None,
            };
            let WithRepeatedKeys(value) = map.next_value()?;
            // Of members with one name the first counts, as in Bitcoin Core.
            member.get_or_insert(value);
            is_first = false;
        }
        Ok(members)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Members, A::Error> {
        while sequence.next_element::<serde_json::Value>()?.is_some() {}
        Ok(Members::none(Shape::Other))
    }
}
