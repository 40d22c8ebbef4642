//! Fuzz target: the seed's file.

use bolero::check;
use pyrite_fuzzing::TextDamage;

use super::*;

const WORDS: [&str; 7] = ["version", "mnemonic", "abandon", "zoo", "é", "\"", ":"];

#[test]
fn fuzz_seed_file() {
    check!()
        .with_type::<([u8; NEW_ENTROPY_BYTES], TextDamage)>()
        .for_each(|(entropy, damage)| {
            let seed = Seed::from_entropy(entropy).unwrap();
            let file = SeedFile {
                version: SEED_FILE_VERSION,
                mnemonic: seed.mnemonic(),
            };
            let text = damage.apply(&serde_json::to_string(&file).unwrap(), &WORDS);
            match parse_seed(text.as_bytes()) {
                Ok(read) => {
                    assert!(!damage.is_none() || read == seed);
                    assert_eq!(Seed::from_mnemonic(&read.mnemonic()).ok(), Some(read));
                }
                Err(reason) => {
                    assert!(!damage.is_none() && !reason.is_empty());
                    // No more than two words could be there by chance.
                    let words = seed.mnemonic();
                    let told = |words: &[&str]| reason.contains(&words.join(" "));
                    let words: Vec<&str> = words.split(' ').collect();
                    assert!(!words.windows(3).any(told), "{reason}");
                }
            }
        });
}
