//! Percent-encoding, as it is found in paths and queries.

/// What a plus sign stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plus {
    /// Itself, as in a path.
    Plus,
    /// A space, as in a query.
    Space,
}

/// Decodes `%41` and the like; what is no such thing stays. Bytes that are no UTF-8 are replaced.
pub(crate) fn decode(text: &str, plus: Plus) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let digits = tail.get(..2).filter(|_| byte == b'%');
        if let Some(decoded) = digits.and_then(|digits| hex::decode(digits).ok()) {
            bytes.extend(decoded);
            rest = &tail[2..];
        } else {
            let is_space = byte == b'+' && plus == Plus::Space;
            bytes.push(if is_space { b' ' } else { byte });
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_and_the_rest_stays() {
        for (text, path, query) in [
            ("a%20b", "a b", "a b"),
            ("a+b", "a+b", "a b"),
            ("%2B%2b", "++", "++"),
            ("%zz%4", "%zz%4", "%zz%4"),
            ("%ff", "\u{fffd}", "\u{fffd}"),
        ] {
            assert_eq!(decode(text, Plus::Plus), path);
            assert_eq!(decode(text, Plus::Space), query);
        }
    }
}
