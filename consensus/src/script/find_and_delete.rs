//! Takes a signature's own push out of the script that it signs, as scripts without a witness ask for.

use std::borrow::Cow;

use super::instruction::{Instructions, push_header};

/// The script without the pushes of `signature` (Bitcoin Core's `FindAndDelete`); borrowed when there are
/// none, which is so unless somebody plays.
///
/// The bytes are compared only where an instruction starts, and again right behind a match. An empty
/// signature is pushed by `OP_0`, so all of those go.
pub(crate) fn find_and_delete<'s>(script: &'s [u8], signature: &[u8]) -> Cow<'s, [u8]> {
    let header = push_header(signature.len());
    let header = header.as_bytes();
    let pattern_length = header.len() + signature.len();
    let is_match = |position: usize| {
        script[position..]
            .strip_prefix(header)
            .is_some_and(|rest| rest.starts_with(signature))
    };

    let mut kept: Option<Vec<u8>> = None;
    // Where the bytes begin that are neither kept nor deleted yet.
    let mut start = 0;
    let mut position = 0;
    loop {
        let instruction_start = position;
        while is_match(position) {
            position += pattern_length;
        }
        if position > instruction_start {
            kept.get_or_insert_default()
                .extend_from_slice(&script[start..instruction_start]);
            start = position;
        }
        let mut rest = Instructions::new(&script[position..]);
        match rest.next() {
            Some(Ok(_)) => position += rest.position(),
            // The end, or a push that is cut off, which stays.
            Some(Err(_)) | None => break,
        }
    }
    match kept {
        None => Cow::Borrowed(script),
        Some(mut kept) => {
            kept.extend_from_slice(&script[start..]);
            Cow::Owned(kept)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deleted(script: &[u8], signature: &[u8]) -> Vec<u8> {
        find_and_delete(script, signature).into_owned()
    }

    #[test]
    fn every_push_of_it_goes() {
        let script = [0x61, 2, 7, 8, 2, 7, 8, 0x61, 2, 7, 8];
        assert_eq!(deleted(&script, &[7, 8]), [0x61, 0x61]);
        assert_eq!(deleted(&[2, 7, 8], &[7, 8]), []);
    }

    #[test]
    fn what_only_looks_like_it_stays() {
        // Another form of the push, inside of another push, another signature.
        for script in [&[0x4c, 2, 7, 8][..], &[3, 2, 7, 8], &[2, 7, 9], &[]] {
            assert!(matches!(
                find_and_delete(script, &[7, 8]),
                Cow::Borrowed(kept) if kept == script
            ));
        }
    }

    #[test]
    fn an_empty_signature_deletes_each_op_0() {
        assert_eq!(deleted(&[0, 0, 0x61, 0, 1, 0], &[]), [0x61, 1, 0]);
    }

    #[test]
    fn a_cut_off_push_stays() {
        assert_eq!(deleted(&[1, 7, 0x61, 5, 1, 7], &[7]), [0x61, 5, 1, 7]);
    }

    #[test]
    fn long_signatures_have_long_headers() {
        let mut script = vec![0x4c, 80];
        script.extend([7; 80]);
        script.push(0x61);
        assert_eq!(deleted(&script, &[7; 80]), [0x61]);
    }
}
