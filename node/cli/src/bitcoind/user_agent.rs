//! What the node calls itself in drop-in mode: first the Bitcoin Core that it stands in for, which clients take apart, then
//! itself, as other programs of this family do (BIP-0014).

use anyhow::{Result, bail};

/// The release of Bitcoin Core whose flags, files and methods these are.
pub(crate) const CORE_VERSION: &str = "31.0.0";
/// Bitcoin Core's `MAX_SUBVERSION_LENGTH`.
const MAX_LENGTH: usize = 256;

/// `/Satoshi:31.0.0(comment; comment)/Pyrite:0.1.0/`.
///
/// # Errors
/// Bitcoin Core's: a comment with characters that have a meaning there, or too much of it.
pub(crate) fn user_agent(comments: &[String]) -> Result<String> {
    let is_safe =
        |character: char| character.is_ascii_alphanumeric() || " .,;-_?@".contains(character);
    for comment in comments {
        if !comment.chars().all(is_safe) {
            bail!("User Agent comment ({comment}) contains unsafe characters.");
        }
    }
    let inside = if comments.is_empty() {
        String::new()
    } else {
        format!("({})", comments.join("; "))
    };
    let own = env!("CARGO_PKG_VERSION");
    let name = format!("/Satoshi:{CORE_VERSION}{inside}/Pyrite:{own}/");
    if name.len() > MAX_LENGTH {
        bail!(
            "Total length of network version string ({}) exceeds maximum length ({MAX_LENGTH}). Reduce the number or size \
             of uacomments.",
            name.len()
        );
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_in_brackets() {
        let own = env!("CARGO_PKG_VERSION");
        assert_eq!(
            user_agent(&[]).unwrap(),
            format!("/Satoshi:31.0.0/Pyrite:{own}/")
        );
        let comments = ["testnode0".to_owned(), "a b".to_owned()];
        assert_eq!(
            user_agent(&comments).unwrap(),
            format!("/Satoshi:31.0.0(testnode0; a b)/Pyrite:{own}/")
        );
    }

    #[test]
    fn what_could_be_taken_for_something_else_is_refused() {
        for unsafe_one in ["a/b", "(a", "a:b", "ä"] {
            assert_eq!(
                user_agent(&[unsafe_one.to_owned()])
                    .unwrap_err()
                    .to_string(),
                format!("User Agent comment ({unsafe_one}) contains unsafe characters.")
            );
        }
        let error = user_agent(&["a".repeat(300)]).unwrap_err().to_string();
        assert!(
            error.starts_with("Total length of network version string ("),
            "{error}"
        );
    }
}
