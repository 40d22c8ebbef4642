//! Writes a spec as TOML, with a comment for each field, for people to read and change.

use bitcoin::Address;
use bitcoin::hex::DisplayHex;

use super::address_kind::AddressKind;
use super::assume_utxo::AssumeUtxo;
use super::chain_spec::{Allocation, ChainSpec, Deployments, Difficulty, GenesisSpec};
use super::parse::NEVER;

const ASSUME_UTXO_COMMENT: &str = r"
# Blocks whose coins a node may take from a file with loadtxoutset, to validate the blocks before it afterwards: a table
# [[assume_utxo]] for each, the lowest first, with the block's height and hash, the coins' hash (hash_serialized_3) and
# the number of the chain's transactions, as dumptxoutset returns them.
";

impl ChainSpec {
    /// The spec as TOML, with a comment for each field. `from_toml` reads it back.
    pub fn to_toml(&self) -> String {
        let mut text = self.top_level();
        text.push_str(&difficulty(&self.difficulty));
        text.push_str(&min_difficulty(self.min_difficulty_after_s));
        text.push_str(&self.limits_table());
        text.push_str(&deployments(&self.deployments));
        text.push_str(&self.genesis_table());
        for allocation in &self.genesis.allocations {
            text.push_str(&allocation_table(allocation, self.address_kind));
        }
        text.push_str(ASSUME_UTXO_COMMENT);
        for entry in &self.assume_utxo {
            text.push_str(&assume_utxo_table(entry));
        }
        text
    }

    fn top_level(&self) -> String {
        format!(
            r#"# A chain: everything that makes a network. Nodes connect only when they agree on all of it,
# but for the bootstrap peers and the blocks of assume_utxo.

# The chain's own name: 1 to 32 characters of a-z, 0-9 and -.
name = {name}

# Which addresses it uses: "mainnet" (bc1…), "testnet" (tb1…) or "regtest" (bcrt1…).
address_kind = "{address_kind}"

# Four bytes in front of each block in block files, in hex.
magic = "{magic}"

# Intended time between blocks, in seconds.
target_spacing_s = {target_spacing_s}

# The easiest target, in compact form.
pow_limit = "{pow_limit:08x}"

# What the first blocks pay their miner, in satoshi, before fees.
initial_subsidy_sat = {initial_subsidy_sat}

# Blocks after which that is halved.
halving_interval = {halving_interval}

# Blocks before what a miner was paid can be spent. Many wallets take 100 for granted.
coinbase_maturity = {coinbase_maturity}

# Peers to dial at the start, as multiaddrs.
bootstrap_peers = {bootstrap_peers}
"#,
            name = quote(&self.name),
            address_kind = address_kind_name(self.address_kind),
            magic = self.magic.as_hex(),
            target_spacing_s = self.target_spacing_s,
            pow_limit = self.pow_limit,
            initial_subsidy_sat = self.initial_subsidy.to_sat(),
            halving_interval = self.halving_interval,
            coinbase_maturity = self.coinbase_maturity,
            bootstrap_peers = peers(&self.bootstrap_peers),
        )
    }

    fn limits_table(&self) -> String {
        format!(
            r"
# Limits of a block.
[limits]
# Weight of a block (BIP-0141): at most 4000000.
max_block_weight = {max_block_weight}

# Signature operations in a block, as cost (BIP-0141): at most 80000.
max_block_sigop_cost = {max_block_sigop_cost}
",
            max_block_weight = self.limits.max_block_weight,
            max_block_sigop_cost = self.limits.max_block_sigop_cost,
        )
    }

    fn genesis_table(&self) -> String {
        let GenesisSpec {
            version,
            time,
            bits,
            nonce,
            message,
            ..
        } = &self.genesis;
        format!(
            r#"
# The genesis block. Whoever changes anything here needs another nonce.
[genesis]
# Version of its header.
version = {version}

# Time of its header, in Unix seconds.
time = {time}

# Bits of its header: the start difficulty, in compact form.
bits = "{bits:08x}"

# Nonce with which its hash meets the bits.
nonce = {nonce}

# Text in its coinbase's input: at most 91 bytes.
message = {message}

# Script in hex and value in satoshi of its coinbase's output. Nobody can spend it. Not used where there
# are allocations.
output_script = "{output_script}"
output_value_sat = {output_value_sat}

# Its hash, to notice a change by mistake. May be left out.
hash = "{hash}"

# Coins that exist from the start: a table [[genesis.allocations]] for each, with an address or a
# script in hex, and a value in satoshi.
"#,
            message = quote(message),
            output_script = self.genesis.output_script.to_hex_string(),
            output_value_sat = self.genesis.output_value.to_sat(),
            hash = self.genesis_hash(),
        )
    }
}

fn difficulty(difficulty: &Difficulty) -> String {
    let mut text = r#"
# How the target follows the hash power: "asert", "lwma", "retarget" or "fixed".
[difficulty]
"#
    .to_owned();
    text.push_str(&match difficulty {
        Difficulty::Asert {
            half_life_s,
            anchor_height,
        } => format!(
            r#"# aserti3-2d: exponential in how far the chain is behind its schedule.
algorithm = "asert"

# Seconds behind schedule that halve the difficulty.
half_life_s = {half_life_s}

# The block that the schedule starts from: 1 is the first that is mined.
anchor_height = {anchor_height}
"#
        ),
        Difficulty::Lwma { window } => format!(
            r#"# LWMA-1: by the average of the last solve times, of which the newest weigh most.
algorithm = "lwma"

# Blocks that the average is taken of.
window = {window}
"#
        ),
        Difficulty::Retarget { interval, bip94 } => format!(
            r#"# Bitcoin's: by the time that the last blocks took, at most by a factor of four.
algorithm = "retarget"

# Blocks between adjustments.
interval = {interval}

# BIP-0094, as on Bitcoin's testnet4: adjust from the bits of the interval's first block, and let it be at most ten
# minutes before its parent.
bip94 = {bip94}
"#
        ),
        Difficulty::Fixed => r#"# Always the genesis block's bits.
algorithm = "fixed"
"#
        .to_owned(),
    });
    text
}

fn min_difficulty(after_s: Option<u32>) -> String {
    let after_s = after_s.map_or_else(|| quote(NEVER), |after_s| after_s.to_string());
    format!(
        r#"
# Seconds after its parent from which on a block has the least difficulty, pow_limit, so that a chain that lost its
# hash power moves again; or "{NEVER}". Bitcoin's testnets have 1200. Only for networks whose miners mean well.
min_difficulty_after_s = {after_s}
"#
    )
}

fn deployments(deployments: &Deployments) -> String {
    format!(
        r#"
# Heights from which the soft forks apply, or "{NEVER}".
[deployments]
# Pay to script hash (BIP-0016).
bip16 = {bip16}

# The height in the coinbase's input (BIP-0034).
bip34 = {bip34}

# OP_CHECKLOCKTIMEVERIFY (BIP-0065).
bip65 = {bip65}

# Strict DER signatures (BIP-0066).
bip66 = {bip66}

# Relative locks and median time past (BIP-0068, BIP-0112, BIP-0113).
csv = {csv}

# Segregated witness (BIP-0141, BIP-0143, BIP-0147). Needs bip16.
segwit = {segwit}

# Taproot (BIP-0341, BIP-0342). Needs segwit.
taproot = {taproot}
"#,
        bip16 = fork_height(deployments.bip16),
        bip34 = fork_height(deployments.bip34),
        bip65 = fork_height(deployments.bip65),
        bip66 = fork_height(deployments.bip66),
        csv = fork_height(deployments.csv),
        segwit = fork_height(deployments.segwit),
        taproot = fork_height(deployments.taproot),
    )
}

fn fork_height(height: u32) -> String {
    if height == u32::MAX {
        quote(NEVER)
    } else {
        height.to_string()
    }
}

fn allocation_table(allocation: &Allocation, kind: AddressKind) -> String {
    let script = &allocation.script_pubkey;
    let recipient = Address::from_script(script, kind.network())
        .map(|address| address.to_string())
        .ok()
        // Only where the address says the same as the script.
        .filter(|address| {
            let read = kind.parse_address(address);
            read.is_ok_and(|address| address.script_pubkey() == *script)
        })
        .map_or_else(
            || format!("script = {}", quote(&script.to_hex_string())),
            |address| format!("address = {}", quote(&address)),
        );
    let value_sat = allocation.value.to_sat();
    format!("\n[[genesis.allocations]]\n{recipient}\nvalue_sat = {value_sat}\n")
}

fn assume_utxo_table(entry: &AssumeUtxo) -> String {
    let AssumeUtxo {
        height,
        block_hash,
        coins_hash,
        chain_tx_count,
    } = entry;
    format!(
        r#"
[[assume_utxo]]
# The block, and what is known of the chain up to it.
height = {height}
block_hash = "{block_hash}"
coins_hash = "{coins_hash}"
chain_tx_count = {chain_tx_count}
"#
    )
}

fn peers(peers: &[String]) -> String {
    if peers.is_empty() {
        return "[]".to_owned();
    }
    let mut text = "[\n".to_owned();
    for peer in peers {
        text.push_str("    ");
        text.push_str(&quote(peer));
        text.push_str(",\n");
    }
    text.push(']');
    text
}

fn address_kind_name(kind: AddressKind) -> &'static str {
    match kind {
        AddressKind::Mainnet => "mainnet",
        AddressKind::Testnet => "testnet",
        AddressKind::Regtest => "regtest",
    }
}

/// A TOML string with whatever needs it escaped.
fn quote(text: &str) -> String {
    toml::Value::from(text).to_string()
}
