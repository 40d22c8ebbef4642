//! Why a text is no address of a chain, in Bitcoin Core's words (`DecodeDestination`).

use pyrite_consensus::bitcoin::bech32::primitives::decode::UncheckedHrpstring;
use pyrite_consensus::bitcoin::bech32::{Bech32, Bech32m, Fe32};
use pyrite_consensus::bitcoin::{Network, NetworkKind, base58};

use super::bech32_errors::{Fault, find_fault};

/// Characters of a Bech32 checksum.
const CHECKSUM_LEN: usize = 6;

/// Prefix and hash of a Base58 address.
const BASE58_LEN: usize = 21;

/// The most bytes of Base58 that are looked at.
const MAX_BASE58_LEN: usize = 100;

/// The longest witness program (BIP-0141).
const MAX_PROGRAM_LEN: usize = 40;

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AddressError {
    /// The reason.
    pub(crate) message: String,
    /// The places of characters that are likely to be wrong, counted in bytes.
    pub(crate) locations: Vec<usize>,
}

impl From<Fault> for AddressError {
    fn from(fault: Fault) -> Self {
        Self {
            message: fault.message.to_owned(),
            locations: fault.locations,
        }
    }
}

/// Why `text`, which is no address of `network`, is none.
pub(crate) fn address_error(text: &str, network: Network) -> AddressError {
    let prefix = human_readable_part(network);
    let start = text.get(..prefix.len()).unwrap_or_default();
    if start.eq_ignore_ascii_case(prefix) {
        find_fault(text).map_or_else(|| unplaced(bech32_error(text, prefix)), AddressError::from)
    } else {
        unplaced(base58_error(text, network).to_owned())
    }
}

fn unplaced(message: String) -> AddressError {
    AddressError {
        message,
        locations: Vec::new(),
    }
}

fn human_readable_part(network: Network) -> &'static str {
    match network {
        Network::Bitcoin => "bc",
        Network::Regtest => "bcrt",
        _ => "tb",
    }
}

fn base58_error(text: &str, network: Network) -> &'static str {
    let prefixes = match NetworkKind::from(network) {
        NetworkKind::Main => [0, 5],
        NetworkKind::Test => [111, 196],
    };
    // The time that Base58 takes grows with the square of the length.
    if text.len() <= 2 * MAX_BASE58_LEN {
        if let Ok(data) = base58::decode_check(text)
            && data.len() <= BASE58_LEN
        {
            return if data.first().is_some_and(|first| prefixes.contains(first)) {
                "Invalid length for Base58 address (P2PKH or P2SH)"
            } else {
                "Invalid or unsupported Base58-encoded address."
            };
        }
        if base58::decode(text).is_ok_and(|data| data.len() <= MAX_BASE58_LEN) {
            return "Invalid checksum or length of Base58 address (P2PKH or P2SH)";
        }
    }
    "Invalid or unsupported Segwit (Bech32) or Base58 encoding."
}

/// What is wrong with a text whose checksum is right.
fn bech32_error(text: &str, prefix: &str) -> String {
    let Ok(unchecked) = UncheckedHrpstring::new(text) else {
        return "Invalid checksum".to_owned();
    };
    let is_bech32 = unchecked.has_valid_checksum::<Bech32>();
    let is_bech32m = unchecked.has_valid_checksum::<Bech32m>();
    let symbols: Vec<u8> = unchecked
        .data_part_ascii()
        .iter()
        .filter_map(|byte| Fe32::from_char(char::from(*byte)).ok())
        .map(Fe32::to_u8)
        .collect();
    let symbols = &symbols[..symbols.len().saturating_sub(CHECKSUM_LEN)];
    let Some((version, program)) = symbols.split_first() else {
        return "Empty Bech32 data section".to_owned();
    };
    let found = unchecked.hrp().to_lowercase();
    if found != prefix {
        return format!(
            "Invalid or unsupported prefix for Segwit (Bech32) address (expected {prefix}, got \
             {found})."
        );
    }
    if *version == 0 && !is_bech32 {
        return "Version 0 witness address must use Bech32 checksum".to_owned();
    }
    if *version != 0 && !is_bech32m {
        return "Version 1+ witness address must use Bech32m checksum".to_owned();
    }
    program_error(*version, program)
}

/// What is wrong with a witness program of five-bit symbols.
fn program_error(version: u8, symbols: &[u8]) -> String {
    let bits = symbols.len() * 5;
    let padding = bits % 8;
    let padded_with = symbols
        .last()
        .map_or(0, |last| last & ((1 << padding.min(5)) - 1));
    if padding >= 5 || padded_with != 0 {
        return "Invalid padding in Bech32 data section".to_owned();
    }
    let size = bits / 8;
    let bytes = if size == 1 { "byte" } else { "bytes" };
    if version == 0 {
        return format!("Invalid Bech32 v0 address program size ({size} {bytes}), per BIP141");
    }
    if version > 16 {
        return "Invalid Bech32 address witness version".to_owned();
    }
    if !(2..=MAX_PROGRAM_LEN).contains(&size) {
        return format!("Invalid Bech32 address program size ({size} {bytes})");
    }
    "Invalid checksum".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address_error(text: &str, network: Network) -> String {
        super::address_error(text, network).message
    }

    #[test]
    fn errors_are_named_as_bitcoin_core_names_them() {
        for (text, error) in [
            (
                "",
                "Invalid checksum or length of Base58 address (P2PKH or P2SH)",
            ),
            (
                "xyz0",
                "Invalid or unsupported Segwit (Bech32) or Base58 encoding.",
            ),
            (
                "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3",
                "Invalid checksum or length of Base58 address (P2PKH or P2SH)",
            ),
            // An address of the main network.
            (
                "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
                "Invalid or unsupported Base58-encoded address.",
            ),
            ("bcrt1q", "Invalid separator position"),
            ("bcrtqqqqqqqqqq", "Missing separator"),
            (
                "bcrt1Qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080",
                "Invalid character or mixed case",
            ),
            (
                "bcrt1bw508d6qejxtdg4y5r3zarvary0c5xw7kygt080",
                "Invalid Base 32 character",
            ),
            (
                "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt081",
                "Invalid separator position",
            ),
            (
                "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt08q",
                "Invalid Bech32 checksum",
            ),
            (
                "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kqqqqqq",
                "Invalid checksum",
            ),
        ] {
            assert_eq!(address_error(text, Network::Regtest), error, "{text}");
        }
        let long = format!("bcrt1{}", "q".repeat(90));
        assert_eq!(
            address_error(&long, Network::Regtest),
            "Bech32 string too long"
        );
        assert_eq!(
            address_error(
                "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080",
                Network::Bitcoin
            ),
            "Invalid or unsupported prefix for Segwit (Bech32) address (expected bc, got bcrt)."
        );
    }

    #[test]
    fn programs_have_sizes_and_checksums() {
        // BIP-0350's invalid addresses.
        for (text, error) in [
            (
                "BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL",
                "Version 1+ witness address must use Bech32m checksum",
            ),
            (
                "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh",
                "Version 0 witness address must use Bech32 checksum",
            ),
            (
                "bc1pw5dgrnzv",
                "Invalid Bech32 address program size (1 byte)",
            ),
            (
                "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav",
                "Invalid Bech32 address program size (41 bytes)",
            ),
            (
                "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P",
                "Invalid Bech32 v0 address program size (16 bytes), per BIP141",
            ),
            (
                "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf",
                "Invalid padding in Bech32 data section",
            ),
            ("bc1gmk9yu", "Empty Bech32 data section"),
        ] {
            assert_eq!(address_error(text, Network::Bitcoin), error, "{text}");
        }
    }

    #[test]
    fn any_text_has_an_answer() {
        for text in ["é", "bcé", "bc1é", "bc1", "b", &"1".repeat(10_000)] {
            assert!(!address_error(text, Network::Bitcoin).is_empty());
        }
    }
}
