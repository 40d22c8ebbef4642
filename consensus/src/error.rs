//! Why something is invalid. Every error knows Bitcoin Core's reject reason for it.

use bitcoin::{Amount, BlockHash, CompactTarget, OutPoint, TxMerkleNode, Txid};

use crate::Height;
use crate::script::ScriptFailure;

/// Why a header is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The bits are negative, zero, wider than 256 bits, or easier than the chain allows.
    #[error("bits {bits:08x} are not a target within the limit {pow_limit:08x}")]
    InvalidTarget {
        /// The header's bits.
        bits: CompactTarget,
        /// The chain's easiest target.
        pow_limit: CompactTarget,
    },
    /// The hash does not meet the target.
    #[error("hash {hash} is above the target of bits {bits:08x}")]
    HighHash {
        /// The header's hash.
        hash: BlockHash,
        /// The header's bits.
        bits: CompactTarget,
    },
    /// It does not build on the chain that it is checked against.
    #[error("parent {previous} is not the chain's last block {tip}")]
    UnknownParent {
        /// The parent that the header names.
        previous: BlockHash,
        /// The chain's last block.
        tip: BlockHash,
    },
    /// The bits are not those that the difficulty algorithm gives.
    #[error("bits are {bits:08x}, expected {expected:08x}")]
    WrongBits {
        /// The header's bits.
        bits: CompactTarget,
        /// What they must be.
        expected: CompactTarget,
    },
    /// The time is not after the median of the last eleven (BIP-0113).
    #[error("time {time} is not after the median time past {median_time_past}")]
    TimeTooOld {
        /// The header's time, Unix seconds.
        time: u32,
        /// Median time past of its parent.
        median_time_past: u32,
    },
    /// The first block of an interval is too long before its parent (BIP-0094).
    #[error("time {time} is before {earliest}, the earliest for the first block of an interval")]
    TimeWarp {
        /// The header's time, Unix seconds.
        time: u32,
        /// Ten minutes before its parent's.
        earliest: u32,
    },
    /// The time is too far in the future.
    #[error("time {time} is after {latest}, the latest that is allowed now")]
    TimeTooNew {
        /// The header's time, Unix seconds.
        time: u32,
        /// The present time and the allowance.
        latest: u64,
    },
    /// The version is below what a soft fork asks for.
    #[error("version {version} is below {required}")]
    OldVersion {
        /// The header's version.
        version: i32,
        /// The least version.
        required: i32,
    },
}
/// Why a transaction is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// It spends nothing.
    #[error("the transaction has no inputs")]
    NoInputs,
    /// It pays nobody.
    #[error("the transaction has no outputs")]
    NoOutputs,
    /// Without its witnesses it is larger than any block.
    #[error("the transaction has {size} bytes without witnesses, at most {limit} are allowed")]
    Oversize {
        /// Bytes without witnesses.
        size: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// An output's value is negative when read as Bitcoin does, as a signed number.
    #[error("output {output} has a negative value")]
    OutputNegative {
        /// The output's index.
        output: usize,
    },
    /// An output's value is above 21 million coins.
    #[error("output {output} has a value of {value}, more than all money")]
    OutputTooLarge {
        /// The output's index.
        output: usize,
        /// Its value.
        value: Amount,
    },
    /// The outputs together are above 21 million coins.
    #[error("the outputs are worth more than all money")]
    OutputTotalTooLarge,
    /// Two inputs spend the same coin (CVE-2018-17144).
    #[error("{outpoint} is spent twice")]
    DuplicateInput {
        /// The coin.
        outpoint: OutPoint,
    },
    /// A coinbase's input script is shorter than 2 or longer than 100 bytes.
    #[error("the coinbase has an input script of {length} bytes, 2 to 100 are allowed")]
    CoinbaseScriptLength {
        /// The script's bytes.
        length: usize,
    },
    /// An input of a transaction that is no coinbase has a coinbase's null outpoint.
    #[error("input {input} has a null outpoint")]
    NullOutpoint {
        /// The input's index.
        input: usize,
    },
    /// Its lock time has not passed.
    #[error("the transaction is locked until {lock_time}")]
    NotFinal {
        /// `nLockTime`: a height below 500,000,000, else Unix seconds.
        lock_time: u32,
    },
    /// A coin that it spends does not exist or is spent.
    #[error("coin {outpoint} does not exist or is spent")]
    MissingInput {
        /// The coin.
        outpoint: OutPoint,
    },
    /// It spends a coinbase's output too early.
    #[error("coinbase output {outpoint} has a depth of {depth}, {maturity} are needed")]
    ImmatureCoinbase {
        /// The coin.
        outpoint: OutPoint,
        /// Blocks between the coinbase's and this one.
        depth: u32,
        /// The chain's coinbase maturity.
        maturity: u32,
    },
    /// A coin's value, or the sum of them, is above 21 million coins.
    #[error("the inputs are worth more than all money")]
    InputValuesOutOfRange,
    /// It pays more than it spends.
    #[error("the outputs pay {paid}, the inputs are worth {spent}")]
    InputsBelowOutputs {
        /// Value of the inputs.
        spent: Amount,
        /// Value of the outputs.
        paid: Amount,
    },
    /// An input's relative lock has not passed (BIP-0068).
    #[error("the relative lock of input {input} has not passed")]
    SequenceLocked {
        /// The input's index.
        input: usize,
    },
}
/// Why a script does not verify.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// An input's scripts or signatures are wrong.
    #[error("input {input} of {txid}: {failure}")]
    Failed {
        /// The transaction.
        txid: Txid,
        /// The input's index.
        input: usize,
        /// The rule that the script breaks.
        failure: ScriptFailure,
    },
    /// The check was made with another number of spent outputs than the transaction has inputs.
    #[error("{txid} has {inputs} inputs, {spent} spent outputs were given")]
    SpentOutputsMismatch {
        /// The transaction.
        txid: Txid,
        /// Its inputs.
        inputs: usize,
        /// The spent outputs.
        spent: usize,
    },
}
/// Why a block is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// Its header.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The header commits to other transactions.
    #[error("the header's merkle root is {expected}, that of the transactions is {computed}")]
    MerkleRoot {
        /// What the header says.
        expected: TxMerkleNode,
        /// What the transactions give.
        computed: TxMerkleNode,
    },
    /// Repeated transactions leave the merkle root as it is (CVE-2012-2459).
    #[error("transactions are repeated in a way that the merkle root does not show")]
    RepeatedTransactions,
    /// It has no transactions, or is too large without its witnesses.
    #[error("{transactions} transactions of {size} bytes without witnesses")]
    Length {
        /// Number of transactions.
        transactions: usize,
        /// Bytes of the block without witnesses.
        size: usize,
    },
    /// The first transaction is no coinbase.
    #[error("the first transaction is not a coinbase")]
    CoinbaseMissing,
    /// There is no coinbase, and a transaction of 64 bytes may be two hashes of the merkle tree of
    /// another block with the same header.
    #[error("the first transaction is not a coinbase, and {txid} may be a part of the merkle tree")]
    MerkleNodeAsTransaction {
        /// The transaction of 64 bytes.
        txid: Txid,
    },
    /// A transaction other than the first is a coinbase.
    #[error("transaction {index} is a second coinbase")]
    CoinbaseMultiple {
        /// The transaction's index.
        index: usize,
    },
    /// A transaction is invalid.
    #[error("transaction {index} ({txid}): {error}")]
    Transaction {
        /// The transaction's index.
        index: usize,
        /// Its id.
        txid: Txid,
        /// What is wrong with it.
        error: TransactionError,
    },
    /// The signature operations cost more than a block may.
    #[error("the signature operations cost {cost}, at most {limit} are allowed")]
    SigopCost {
        /// The cost up to where it exceeds the limit.
        cost: u64,
        /// The most that is allowed.
        limit: u64,
    },
    /// The coinbase does not begin with the block's height (BIP-0034).
    #[error("the coinbase does not begin with height {height}")]
    CoinbaseHeight {
        /// The block's height.
        height: Height,
    },
    /// The coinbase's witness is not one value of 32 bytes, though there is a commitment (BIP-0141).
    #[error("the coinbase's witness is not one value of 32 bytes")]
    WitnessNonceSize,
    /// The coinbase commits to other witnesses (BIP-0141).
    #[error("the coinbase does not commit to the block's witnesses")]
    WitnessCommitment,
    /// There are witnesses without a commitment to them (BIP-0141).
    #[error("transaction {index} ({txid}) has a witness that the block does not commit to")]
    UnexpectedWitness {
        /// The transaction's index.
        index: usize,
        /// Its id.
        txid: Txid,
    },
    /// It is too heavy (BIP-0141).
    #[error("the block's weight is {weight}, at most {limit} is allowed")]
    Weight {
        /// Its weight.
        weight: u64,
        /// The most that is allowed.
        limit: u64,
    },
    /// It would overwrite an unspent coin (BIP-0030).
    #[error("the block would overwrite the unspent coin {outpoint}")]
    Overwrite {
        /// The coin.
        outpoint: OutPoint,
    },
    /// The fees together are above 21 million coins.
    #[error("the fees are more than all money")]
    FeesOutOfRange,
    /// The coinbase takes more than subsidy and fees.
    #[error("the coinbase takes {taken}, subsidy and fees are {allowed}")]
    CoinbaseAmount {
        /// What its outputs are worth.
        taken: Amount,
        /// Subsidy and fees.
        allowed: Amount,
    },
    /// An input's script does not verify.
    #[error("block-script-verify-flag-failed ({0})")]
    Script(#[from] ScriptError),
}
/// Why a text is not taken for an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is no address of any chain.
    #[error("no address: {0}")]
    Malformed(#[from] bitcoin::address::ParseError),
    /// It is an address, of chains of another kind.
    #[error("an address of another kind of chain")]
    OtherKind,
}

/// Why a text is not taken for a private key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrivateKeyError {
    /// It is no key in wallet import format.
    #[error("no private key: {0}")]
    Malformed(#[from] bitcoin::key::FromWifError),
    /// What follows the key's 32 bytes is not the byte 1.
    #[error("no private key: it ends in an unknown mark")]
    CompressionMark,
    /// It is a key, of chains of another kind.
    #[error("a private key of another kind of chain")]
    OtherKind,
}

/// Why a chain spec is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// The text is longer than any spec that a chain can have.
    #[error("the chain spec has {bytes} bytes, at most {limit} are allowed")]
    TooLong {
        /// The text's length.
        bytes: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// The text is not TOML.
    #[error("chain spec, line {line}: `{text}`: {message}")]
    Syntax {
        /// The line, counted from 1.
        line: usize,
        /// The line's text.
        text: String,
        /// What is wrong.
        message: String,
    },
    /// A key that a spec does not have there.
    #[error("chain spec, line {line}: unknown field `{field}`")]
    UnknownField {
        /// The key with its table, such as `genesis.nonse`.
        field: String,
        /// The line, counted from 1.
        line: usize,
    },
    /// A key that a spec must have.
    #[error("chain spec: missing field `{field}`")]
    MissingField {
        /// The key with its table.
        field: String,
    },
    /// A value of another type than its field has, or a number that no such field can hold.
    #[error("chain spec, line {line}: {field} is {value}, expected {expected}")]
    WrongType {
        /// The field.
        field: String,
        /// The line, counted from 1.
        line: usize,
        /// The value as it is written.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A value has another form than its field asks for.
    #[error("chain spec: {field} is {value:?}, expected {expected}")]
    Malformed {
        /// The field, such as `genesis.bits`.
        field: String,
        /// Its value.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A number is too small or too large.
    #[error("chain spec: {field} is {value}, allowed are {min} to {max}")]
    OutOfRange {
        /// The field.
        field: String,
        /// Its value.
        value: u64,
        /// The least that is allowed.
        min: u64,
        /// The most that is allowed.
        max: u64,
    },
    /// Bits that are negative, zero or wider than 256 bits.
    #[error("chain spec: {field} is {bits:08x}, which is not a target")]
    InvalidBits {
        /// The field.
        field: &'static str,
        /// The bits.
        bits: CompactTarget,
    },
    /// The genesis block's target is easier than the limit.
    #[error("chain spec: genesis.bits {bits:08x} are easier than pow_limit {pow_limit:08x}")]
    BitsAboveLimit {
        /// The genesis block's bits.
        bits: CompactTarget,
        /// The easiest target.
        pow_limit: CompactTarget,
    },
    /// An interval of the retarget is so short that a quarter of it is no time at all.
    #[error(
        "chain spec: difficulty.interval times target_spacing_s is {timespan_s} s, at least {min_s} s are needed"
    )]
    TimespanTooShort {
        /// What the interval should take.
        timespan_s: u64,
        /// The least.
        min_s: u64,
    },
    /// Blocks of the least difficulty would be the rule, not the exception.
    #[error(
        "chain spec: difficulty.min_difficulty_after_s is {after_s}, it must be above target_spacing_s ({spacing_s}): \
         blocks that come in time are not late"
    )]
    MinDifficultyTooEarly {
        /// `difficulty.min_difficulty_after_s`.
        after_s: u32,
        /// `target_spacing_s`.
        spacing_s: u32,
    },
    /// Every block has the least difficulty already.
    #[error(
        "chain spec: difficulty.min_difficulty_after_s has no effect: with the algorithm fixed every block has \
         genesis.bits, which are pow_limit"
    )]
    MinDifficultyWithoutEffect,
    /// A soft fork applies before another that it builds on.
    #[error("chain spec: deployments.{fork} is below deployments.{base}, which it needs")]
    DeploymentOrder {
        /// The soft fork.
        fork: &'static str,
        /// What it builds on.
        base: &'static str,
    },
    /// An allocation names no recipient, or two.
    #[error("chain spec: {field} needs either an address or a script")]
    AllocationRecipient {
        /// The allocation.
        field: String,
    },
    /// The allocations are together above 21 million coins.
    #[error("chain spec: the allocations are worth {total_sat} sat, more than {limit_sat} sat")]
    AllocationsTooLarge {
        /// Their sum.
        total_sat: u64,
        /// All money.
        limit_sat: u64,
    },
    /// The genesis block is heavier than the limit.
    #[error("chain spec: the genesis block has a weight of {weight}, more than {limit}")]
    GenesisTooHeavy {
        /// The block's weight.
        weight: u64,
        /// `limits.max_block_weight`.
        limit: u64,
    },
    /// The genesis block has another hash than the spec says.
    #[error("chain spec: the genesis block's hash is {actual}, genesis.hash says {expected}")]
    GenesisHash {
        /// What the spec says.
        expected: BlockHash,
        /// The hash.
        actual: BlockHash,
    },
    /// The genesis block does not meet its own target.
    #[error("chain spec: the genesis block's hash {hash} is above the target of bits {bits:08x}")]
    GenesisProofOfWork {
        /// The hash.
        hash: BlockHash,
        /// The genesis block's bits.
        bits: CompactTarget,
    },
}

impl HeaderError {
    /// Bitcoin Core's reject reason, such as `high-hash`.
    pub fn reject_reason(&self) -> &'static str {
        match self {
            Self::InvalidTarget { .. } | Self::HighHash { .. } => "high-hash",
            Self::UnknownParent { .. } => "prev-blk-not-found",
            Self::WrongBits { .. } => "bad-diffbits",
            Self::TimeTooOld { .. } => "time-too-old",
            Self::TimeWarp { .. } => "time-timewarp-attack",
            Self::TimeTooNew { .. } => "time-too-new",
            Self::OldVersion { .. } => "bad-version",
        }
    }
}
impl TransactionError {
    /// Bitcoin Core's reject reason, such as `bad-txns-inputs-missingorspent`, for a transaction by
    /// itself. A block's reason can differ: see [`BlockError::reject_reason`].
    #[must_use]
    pub fn reject_reason(&self) -> &'static str {
        match self {
            Self::NoInputs => "bad-txns-vin-empty",
            Self::NoOutputs => "bad-txns-vout-empty",
            Self::Oversize { .. } => "bad-txns-oversize",
            Self::OutputNegative { .. } => "bad-txns-vout-negative",
            Self::OutputTooLarge { .. } => "bad-txns-vout-toolarge",
            Self::OutputTotalTooLarge => "bad-txns-txouttotal-toolarge",
            Self::DuplicateInput { .. } => "bad-txns-inputs-duplicate",
            Self::CoinbaseScriptLength { .. } => "bad-cb-length",
            Self::NullOutpoint { .. } => "bad-txns-prevout-null",
            Self::NotFinal { .. } => "non-final",
            Self::MissingInput { .. } => "bad-txns-inputs-missingorspent",
            Self::ImmatureCoinbase { .. } => "bad-txns-premature-spend-of-coinbase",
            Self::InputValuesOutOfRange => "bad-txns-inputvalues-outofrange",
            Self::InputsBelowOutputs { .. } => "bad-txns-in-belowout",
            Self::SequenceLocked { .. } => "non-BIP68-final",
        }
    }
}

impl ScriptError {
    /// Bitcoin Core's reject reason for a transaction by itself; the message goes behind it in
    /// brackets. In a block it is [`BlockError::reject_reason`]'s.
    #[must_use]
    pub fn reject_reason(&self) -> &'static str {
        "mempool-script-verify-flag-failed"
    }

    /// The rule that a script breaks, whose message Bitcoin Core puts in brackets behind the reason;
    /// none when no script was run.
    #[must_use]
    pub fn failure(&self) -> Option<ScriptFailure> {
        match self {
            Self::Failed { failure, .. } => Some(*failure),
            Self::SpentOutputsMismatch { .. } => None,
        }
    }
}

impl BlockError {
    /// Bitcoin Core's reject reason, such as `bad-cb-amount`.
    #[must_use]
    pub fn reject_reason(&self) -> &'static str {
        match self {
            Self::Header(error) => error.reject_reason(),
            Self::MerkleRoot { .. } => "bad-txnmrklroot",
            Self::RepeatedTransactions => "bad-txns-duplicate",
            Self::Length { .. } => "bad-blk-length",
            Self::CoinbaseMissing | Self::MerkleNodeAsTransaction { .. } => "bad-cb-missing",
            Self::CoinbaseMultiple { .. } => "bad-cb-multiple",
            Self::Transaction { error, .. } => match error {
                // In a block both kinds of lock have one name.
                TransactionError::NotFinal { .. } | TransactionError::SequenceLocked { .. } => {
                    "bad-txns-nonfinal"
                }
                error => error.reject_reason(),
            },
            Self::SigopCost { .. } => "bad-blk-sigops",
            Self::CoinbaseHeight { .. } => "bad-cb-height",
            Self::WitnessNonceSize => "bad-witness-nonce-size",
            Self::WitnessCommitment => "bad-witness-merkle-match",
            Self::UnexpectedWitness { .. } => "unexpected-witness",
            Self::Weight { .. } => "bad-blk-weight",
            Self::Overwrite { .. } => "bad-txns-BIP30",
            Self::FeesOutOfRange => "bad-txns-accumulated-fee-outofrange",
            Self::CoinbaseAmount { .. } => "bad-cb-amount",
            Self::Script(_) => "block-script-verify-flag-failed",
        }
    }

    /// Whether another block with the same hash can be valid, because what is wrong is not what the
    /// header commits to (Bitcoin Core's `BLOCK_MUTATED`). Such a hash must not be remembered as
    /// invalid.
    #[must_use]
    pub fn is_mutation(&self) -> bool {
        matches!(
            self,
            Self::MerkleRoot { .. }
                | Self::RepeatedTransactions
                | Self::MerkleNodeAsTransaction { .. }
                | Self::WitnessNonceSize
                | Self::WitnessCommitment
                | Self::UnexpectedWitness { .. }
        )
    }
}
