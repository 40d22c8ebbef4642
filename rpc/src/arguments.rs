//! Parameters as words of a command line: what JSON they mean.

use serde_json::Value;

use crate::catalogue::{Catalogue, Kind};

/// No number that a method takes has more characters; a hash may consist of digits alone.
const MAX_NUMBER_LENGTH: usize = 24;

/// Which parameter a word is.
#[derive(Clone, Copy, Debug)]
pub enum ParamPlace<'a> {
    /// The one at this position, from 0.
    Position(usize),
    /// The one of this name.
    Name(&'a str),
}

/// A word as the value of a method's parameter: text where the method takes only text, otherwise JSON, or text if it is no JSON.
#[must_use]
pub fn argument(method: &str, place: ParamPlace<'_>, word: &str) -> Value {
    let params = Catalogue::node()
        .method(method)
        .map_or(&[][..], |method| method.params);
    let param = match place {
        ParamPlace::Position(position) => params.get(position),
        ParamPlace::Name(name) => params.iter().find(|param| param.is_called(name)),
    };
    let is_text = param.is_some_and(|param| matches!(param.kind, Kind::Text | Kind::Hex));
    match serde_json::from_str(word) {
        Ok(Value::Null) => Value::Null,
        // With quotes it means what is between them.
        Ok(Value::String(text)) => Value::String(text),
        Ok(_) if is_text => Value::from(word),
        Ok(Value::Number(_)) if word.len() > MAX_NUMBER_LENGTH => Value::from(word),
        Ok(value) => value,
        Err(_) => Value::from(word),
    }
}

/// Whether a word with an equals sign is the value of a method's parameter at this position, from 0, rather than NAME=VALUE: the
/// method has no parameter of the name before the sign, and takes a text there, which may have such a sign.
#[must_use]
pub fn is_positional(method: &str, position: usize, name: &str) -> bool {
    let Some(method) = Catalogue::node().method(method) else {
        return false;
    };
    let is_named = method.params.iter().any(|param| param.is_called(name));
    let param = method.params.get(position);
    !is_named && param.is_some_and(|param| param.kind == Kind::Text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_word_is_what_its_parameter_takes() {
        let at = |position, word| argument("getblock", ParamPlace::Position(position), word);
        assert_eq!(at(0, "12"), json!("12"));
        assert_eq!(at(0, "\"12\""), json!("12"));
        assert_eq!(at(0, "null"), Value::Null);
        assert_eq!(at(1, "12"), json!(12));
        assert_eq!(
            argument("getblock", ParamPlace::Name("blockhash"), "12"),
            json!("12")
        );
        assert_eq!(argument("other", ParamPlace::Position(0), "12"), json!(12));
        assert_eq!(argument("other", ParamPlace::Position(0), "{"), json!("{"));
    }

    #[test]
    fn a_text_may_have_an_equals_sign() {
        assert!(is_positional("decodepsbt", 0, "cHNidP8BAA"));
        assert!(!is_positional("decodepsbt", 0, "psbt"));
        assert!(!is_positional("decodepsbt", 1, "cHNidP8BAA"));
        // Neither hex nor a number has one.
        assert!(!is_positional("getblock", 0, "hash"));
        assert!(!is_positional("getblockhash", 0, "number"));
        assert!(!is_positional("other", 0, "name"));
    }
}
