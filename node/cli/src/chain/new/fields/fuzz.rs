//! Fuzz target: the values of the flags.

use bolero::{check, produce};
use pyrite_consensus::bitcoin::hex::DisplayHex;
use pyrite_fuzzing::TextDamage;

use super::*;

const TEXTS: [&str; 7] = [
    "12.5",
    "0.00000001",
    "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080=50",
    "1e0fffff",
    "never",
    "76a914751e76e8199196d454941c45d1b3a323f1433bd688ac",
    "1500000",
];

fn check_value(text: &str) {
    if let Ok(amount) = coins(text) {
        let written = amount.to_string_in(Denomination::Bitcoin);
        assert_eq!(coins(&written), Ok(amount));
    }
    if let Ok(field) = allocation(text) {
        assert!(
            text.starts_with(field.recipient.as_str()) || text.starts_with(char::is_whitespace)
        );
    }
    if let Ok(OrNever(Some(number))) = number_or_never(text) {
        let digits = text.trim_start_matches(['+', '0']);
        assert_eq!(digits, number.to_string().trim_start_matches('0'));
    }
    if let Ok(rate) = hash_rate(text) {
        assert!(rate.is_finite() && rate > 0.0);
    }
    if let Ok(magic) = magic(text) {
        assert_eq!(magic.to_lower_hex_string(), text.to_lowercase());
    }
    if let Ok(bits) = bits(text) {
        assert_eq!(format!("{:08x}", bits.to_consensus()), text.to_lowercase());
    }
    if let Ok(script) = script(text) {
        assert_eq!(script.to_hex_string(), text.to_lowercase());
    }
}

#[test]
fn fuzz_flag_values() {
    let words = ["e", ".", "-", "inf", "btc", "sat", "=", "0x"];
    check!()
        .with_generator((0..TEXTS.len(), produce::<TextDamage>()))
        .for_each(|(which, damage)| check_value(&damage.apply(TEXTS[*which], &words)));
}
