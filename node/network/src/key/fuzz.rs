//! Fuzz target: the file with the node's key.

use bolero::check;
use pyrite_fuzzing::Damage;

use super::*;

#[test]
fn fuzz_key_file() {
    check!()
        .with_type::<([u8; 32], Damage)>()
        .for_each(|(secret, damage)| {
            let text: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
            let bytes = damage.apply(format!("{text}\n").into_bytes());
            match parse(&bytes) {
                Ok(key) => {
                    let key = key.try_into_ed25519().expect("the only kind of key");
                    let secret = key.secret();
                    let text: String = secret
                        .as_ref()
                        .iter()
                        .map(|byte| format!("{byte:02x}"))
                        .collect();
                    let given = bytes.trim_ascii().to_ascii_lowercase();
                    assert_eq!(text.as_bytes(), given);
                }
                Err(reason) => assert!(!damage.is_none() && !reason.is_empty()),
            }
        });
}
