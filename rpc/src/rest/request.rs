//! What a REST request says: its parts, the format that it asks for, and its query, read as Bitcoin Core reads them.

use std::fmt::Display;
use std::str::FromStr;

use axum::body::Bytes;

use super::answer::{RestError, bad_request};
use crate::percent::{self, Plus};

/// The most headers, or headers of filters, of one answer.
const MAX_HEADERS: usize = 2_000;

/// How many there are where the request does not say.
const DEFAULT_HEADERS: &str = "5";

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// No form that is known.
    Unknown,
    /// Bitcoin's encoding.
    Binary,
    /// The same in hex.
    Hex,
    /// JSON.
    Json,
}

/// A request for one of the resources.
#[derive(Clone, Debug)]
pub(super) struct RestRequest {
    /// What stands between the resource's prefix and the format.
    pub(super) param: String,
    /// The form of the answer.
    pub(super) format: Format,
    /// What follows the question mark.
    query: Vec<(String, String)>,
    /// The body.
    pub(super) body: Bytes,
}

impl RestRequest {
    /// A request for what follows a resource's prefix, the query included.
    pub(super) fn new(rest: &str, body: Bytes) -> Self {
        // As in Bitcoin Core: the last question mark ends the path, the first one begins the query.
        let path = rest.rsplit_once('?').map_or(rest, |(path, _)| path);
        let query = rest.split_once('?').map_or("", |(_, query)| query);
        let (param, format) = split_format(path);
        Self {
            param: param.to_owned(),
            format,
            query: read_query(query),
            body,
        }
    }

    /// The first value of that name in the query.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The parts of the path.
    pub(super) fn parts(&self) -> Vec<&str> {
        self.param.split('/').collect()
    }

    /// How many headers the query asks for.
    pub(super) fn count_text(&self) -> &str {
        self.query("count").unwrap_or(DEFAULT_HEADERS)
    }
}

/// The path without the format at its end. An ending that names no format stays.
fn split_format(path: &str) -> (&str, Format) {
    let Some((param, ending)) = path.rsplit_once('.') else {
        return (path, Format::Unknown);
    };
    let format = match ending {
        "bin" => Format::Binary,
        "hex" => Format::Hex,
        "json" => Format::Json,
        "" => Format::Unknown,
        _ => return (path, Format::Unknown),
    };
    (param, format)
}

/// The pairs of a query. Where one is none, the query counts as empty.
fn read_query(query: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for pair in query.split('&').filter(|_| !query.is_empty()) {
        match pair.split_once('=') {
            Some((key, value)) if !key.is_empty() => {
                pairs.push((key.to_owned(), percent::decode(value, Plus::Space)));
            }
            _ => return Vec::new(),
        }
    }
    pairs
}

/// A whole number in decimal digits, as Bitcoin Core's `ToIntegral` takes it: without a plus sign.
pub(super) fn integer<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok().filter(|_| !text.starts_with('+'))
}

/// A hash: 64 hex digits.
pub(super) fn hash<T: FromStr>(text: &str) -> Result<T, RestError> {
    Some(text)
        .filter(|text| text.len() == 64)
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| bad_request(format!("Invalid hash: {text}")))
}

/// A number of headers.
pub(super) fn header_count(text: &str) -> Result<usize, RestError> {
    integer(text)
        .filter(|count| (1..=MAX_HEADERS).contains(count))
        .ok_or_else(|| {
            bad_request(format!(
                "Header count is invalid or out of acceptable range (1-{MAX_HEADERS}): {text}"
            ))
        })
}

/// What is safe to show of a text from a URI (Bitcoin Core's `SAFE_CHARS_URI`).
pub(super) fn shown(text: &str) -> impl Display {
    const MARKS: &str = "!*'();:@&=+$,/?#[]-_.~%";
    let is_safe = |letter: &char| letter.is_ascii_alphanumeric() || MARKS.contains(*letter);
    text.chars().filter(is_safe).collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(rest: &str) -> RestRequest {
        RestRequest::new(rest, Bytes::new())
    }

    #[test]
    fn the_format_is_the_known_ending() {
        for (path, param, format) in [
            ("ab.bin", "ab", Format::Binary),
            ("ab.hex", "ab", Format::Hex),
            ("a.b.json", "a.b", Format::Json),
            ("ab.json?count=5", "ab", Format::Json),
            ("ab.json?a?b", "ab.json?a", Format::Unknown),
            ("ab.", "ab", Format::Unknown),
            ("ab.xml", "ab.xml", Format::Unknown),
            ("ab", "ab", Format::Unknown),
            (".json", "", Format::Json),
            ("", "", Format::Unknown),
        ] {
            let request = request(path);
            assert_eq!((request.param.as_str(), request.format), (param, format));
        }
    }

    #[test]
    fn a_query_has_pairs_or_counts_as_empty() {
        let all = request("x.bin?offset=1&size=%32+&size=9");
        assert_eq!(all.query("offset"), Some("1"));
        assert_eq!(all.query("size"), Some("2 "));
        assert_eq!(all.query("count"), None);
        assert_eq!(all.count_text(), "5");
        for broken in [
            "x.bin?offset=1&size",
            "x.bin?=1&offset=1",
            "x.bin?&offset=1",
        ] {
            assert_eq!(request(broken).query("offset"), None, "{broken}");
        }
    }

    #[test]
    fn numbers_have_digits_alone() {
        assert_eq!(integer::<u64>("007"), Some(7));
        assert_eq!(integer::<i32>("-1"), Some(-1));
        for wrong in ["", "+1", " 1", "1 ", "1.0", "-1", "18446744073709551616"] {
            assert_eq!(integer::<u64>(wrong), None, "{wrong}");
        }
        assert_eq!(header_count("2000").unwrap(), 2_000);
        for wrong in ["0", "2001", "x", ""] {
            assert!(header_count(wrong).is_err());
        }
    }

    #[test]
    fn what_is_shown_of_a_text_is_harmless() {
        assert_eq!(shown("1<b>/é?").to_string(), "1b/?");
    }
}
