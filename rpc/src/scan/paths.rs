//! A descriptor with several paths (`<0;1>`, BIP-0389), as one descriptor for each.

use std::ops::RangeInclusive;

use crate::call::{CallError, CallResult};

/// The most paths.
const MAX_PATHS: usize = 1_000;

/// The most bytes that the descriptors of all paths have together, about: a short text may stand for a thousand long ones.
const MAX_BYTES: usize = 4 << 20;

/// The most indexes of all paths together: as many as a single path may have.
const MAX_INDEXES: usize = 1_000_000;

/// The descriptors that one with several paths stands for; of others, itself.
///
/// # Errors
/// Code −5 when a group is not closed, two are of different lengths, or all together are too long.
pub(super) fn single_paths(text: &str) -> CallResult<Vec<String>> {
    let wrong = |message: &str| CallError::not_found(message);
    let mut parts = text.split('<');
    let mut paths = vec![parts.next().unwrap_or_default().to_owned()];
    for part in parts {
        let (group, rest) = part
            .split_once('>')
            .ok_or_else(|| wrong("Multipath specifier is not closed"))?;
        let steps: Vec<&str> = group.split(';').collect();
        if paths.len() == 1 && steps.len() <= MAX_PATHS {
            if text.len().saturating_mul(steps.len()) > MAX_BYTES {
                return Err(wrong(&format!(
                    "Descriptor is too long for {} paths",
                    steps.len()
                )));
            }
            paths.resize(steps.len(), paths[0].clone());
        }
        if paths.len() != steps.len() {
            return Err(wrong(
                "Multipath subderivation groups have different lengths",
            ));
        }
        for (path, step) in paths.iter_mut().zip(steps) {
            path.push_str(step);
            path.push_str(rest);
        }
    }
    Ok(paths)
}

/// Refuses to make the scripts of so many paths at so many indexes.
///
/// # Errors
/// Code −8 when they are too many.
pub(super) fn check_indexes(paths: &[String], range: &RangeInclusive<u32>) -> CallResult<()> {
    let has_wildcard = paths.iter().any(|path| path.contains('*'));
    let indexes = usize::try_from(range.end() - range.start()).unwrap_or(usize::MAX);
    if has_wildcard
        && paths.len() > 1
        && paths.len().saturating_mul(indexes.saturating_add(1)) > MAX_INDEXES
    {
        return Err(CallError::invalid_parameter("Range is too large"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_paths_of_a_long_text_are_refused_before_they_are_made() {
        let steps = vec!["0"; MAX_PATHS].join(";");
        let text = format!("raw({})/<{steps}>", "00".repeat(1 << 20));
        let refusal = single_paths(&text).unwrap_err();
        assert_eq!(refusal.message, "Descriptor is too long for 1000 paths");
        // One path may be as long as a request.
        assert_eq!(
            single_paths(&"0".repeat(8 << 20)).map(|paths| paths.len()),
            Ok(1)
        );
        assert_eq!(
            single_paths(&format!("wpkh(K/<{steps}>/*)")).map(|paths| paths.len()),
            Ok(MAX_PATHS)
        );
    }

    #[test]
    fn many_paths_share_the_indexes_of_one() {
        let paths = |count: usize| vec!["wpkh(K/*)".to_owned(); count];
        assert!(check_indexes(&paths(1), &(0..=999_999)).is_ok());
        assert!(check_indexes(&paths(1_000), &(0..=999)).is_ok());
        let refusal = check_indexes(&paths(2), &(0..=500_000)).unwrap_err();
        assert_eq!(refusal, CallError::invalid_parameter("Range is too large"));
        // Without a wildcard the range says nothing.
        let fixed = vec!["wpkh(K)".to_owned(); 2];
        assert!(check_indexes(&fixed, &(0..=999_999)).is_ok());
    }

    #[test]
    fn each_path_is_a_descriptor() {
        assert_eq!(single_paths("wpkh(K/0)"), Ok(vec!["wpkh(K/0)".to_owned()]));
        assert_eq!(
            single_paths("multi(2,A/<0;1h>/*,B/<2;3>/*)"),
            Ok(vec![
                "multi(2,A/0/*,B/2/*)".to_owned(),
                "multi(2,A/1h/*,B/3/*)".to_owned(),
            ])
        );
        for text in ["A/<0;1", "A/<0;1>/B/<0;1;2>"] {
            assert_eq!(single_paths(text).unwrap_err().code, -5, "{text}");
        }
    }
}
