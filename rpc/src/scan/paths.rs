//! A descriptor with several paths (`<0;1>`, BIP-0389), as one descriptor for each.

use crate::call::{CallError, CallResult};

/// The most paths.
const MAX_PATHS: usize = 1_000;

/// The descriptors that one with several paths stands for; of others, itself.
///
/// # Errors
/// Code −5 when a group is not closed, or two are of different lengths.
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

#[cfg(test)]
mod tests {
    use super::*;

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
