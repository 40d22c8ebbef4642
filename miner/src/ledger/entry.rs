//! What is written down, one JSON object a line.

use pyrite_consensus::bitcoin::{Block, BlockHash, CompactTarget};
use pyrite_consensus::{ChainSpec, Height};
use serde::{Deserialize, Serialize};

/// Characters of a device's name that are kept: a line has a bound.
const MAX_DEVICE_CHARS: usize = 100;

/// A line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerEntry {
    /// A block was found.
    Block(FoundBlock),
    /// The miner worked for a while.
    Span(MiningSpan),
}

/// What found a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finder<'a> {
    /// The device's name, such as `cpu0`, or another way to a block, such as `generate`.
    pub device: &'a str,
    /// Energy that was used since the block before, in millijoules, where it is known: by all devices, and by all else that processor
    /// packages and graphics cards did.
    pub energy_mj: Option<u64>,
}

impl<'a> Finder<'a> {
    /// A device whose energy is not known.
    pub fn named(device: &'a str) -> Self {
        Self {
            device,
            energy_mj: None,
        }
    }
}

/// A block that was found here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundBlock {
    /// When it was found, Unix seconds.
    pub time: u64,
    /// Its height.
    pub height: u32,
    /// Its hash.
    pub hash: BlockHash,
    /// New coins that its coinbase pays, in satoshi.
    pub subsidy_sat: u64,
    /// Fees that its coinbase pays, in satoshi.
    pub fees_sat: u64,
    /// What found it.
    pub device: String,
    /// Its target, which its difficulty follows from.
    #[serde(with = "bits_hex")]
    pub bits: CompactTarget,
    /// Energy that processor packages and graphics cards used since the block before, in millijoules, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_mj: Option<u64>,
}

impl FoundBlock {
    /// The line of a block at `height`, found at `now` (Unix seconds).
    pub fn new(
        spec: &ChainSpec,
        height: Height,
        block: &Block,
        finder: Finder<'_>,
        now: u64,
    ) -> Self {
        let outputs = block
            .txdata
            .first()
            .map_or(&[][..], |coinbase| &coinbase.output);
        let paid = outputs.iter().fold(0_u64, |sum, output| {
            sum.saturating_add(output.value.to_sat())
        });
        // A coinbase may pay less than it could: then the fees are what it left out first.
        let subsidy = spec.subsidy(height).to_sat().min(paid);
        Self {
            time: now,
            height: height.0,
            hash: block.block_hash(),
            subsidy_sat: subsidy,
            fees_sat: paid - subsidy,
            device: finder.device.chars().take(MAX_DEVICE_CHARS).collect(),
            bits: block.header.bits,
            energy_mj: finder.energy_mj,
        }
    }
}

/// A span of time in which the miner worked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MiningSpan {
    /// Its start, Unix seconds.
    pub from: u64,
    /// Its end, Unix seconds.
    pub to: u64,
    /// Hashes in it.
    pub hashes: u64,
    /// Energy that processor packages and graphics cards used in it, whatever for, in millijoules, where it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_mj: Option<u64>,
}

/// Compact bits as the RPC shows them: eight hexadecimal digits.
mod bits_hex {
    use pyrite_consensus::bitcoin::CompactTarget;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        bits: &CompactTarget,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{:08x}", bits.to_consensus()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<CompactTarget, D::Error> {
        let text = String::deserialize(deserializer)?;
        u32::from_str_radix(&text, 16)
            .map(CompactTarget::from_consensus)
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use pyrite_consensus::bitcoin::{Amount, ScriptBuf, TxOut};

    use super::*;

    fn block_that_pays(sat: &[u64]) -> Block {
        let mut block = ChainSpec::regtest().genesis_block();
        block.txdata[0].output = sat
            .iter()
            .map(|sat| TxOut {
                value: Amount::from_sat(*sat),
                script_pubkey: ScriptBuf::new(),
            })
            .collect();
        block
    }

    fn found(sat: &[u64]) -> FoundBlock {
        let spec = ChainSpec::regtest();
        FoundBlock::new(
            &spec,
            Height(151),
            &block_that_pays(sat),
            Finder::named("cpu0"),
            7,
        )
    }

    #[test]
    fn subsidy_and_fees_are_told_apart() {
        let line = found(&[2_500_000_100, 50, 0]);
        assert_eq!((line.subsidy_sat, line.fees_sat), (2_500_000_000, 150));
        let line = found(&[2_400_000_000]);
        assert_eq!((line.subsidy_sat, line.fees_sat), (2_400_000_000, 0));
        let line = found(&[]);
        assert_eq!((line.subsidy_sat, line.fees_sat), (0, 0));
    }

    #[test]
    fn a_line_reads_back() {
        let block = LedgerEntry::Block(FoundBlock {
            energy_mj: Some(u64::MAX),
            ..found(&[1])
        });
        let span = LedgerEntry::Span(MiningSpan {
            from: 1,
            to: u64::MAX,
            hashes: 3,
            energy_mj: None,
        });
        for entry in [block, span] {
            let text = serde_json::to_string(&entry).unwrap();
            assert_eq!(serde_json::from_str::<LedgerEntry>(&text).unwrap(), entry);
        }
    }

    #[test]
    fn a_line_has_a_bound() {
        let name = "\u{1}".repeat(10_000);
        let spec = ChainSpec::regtest();
        let line = FoundBlock::new(
            &spec,
            Height(1),
            &block_that_pays(&[u64::MAX, u64::MAX]),
            Finder {
                device: &name,
                energy_mj: Some(u64::MAX),
            },
            u64::MAX,
        );
        let text = serde_json::to_string(&LedgerEntry::Block(line)).unwrap();
        assert!(text.len() < super::super::MAX_LINE_BYTES, "{}", text.len());
    }
}
