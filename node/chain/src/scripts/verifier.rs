//! `ScriptVerifier`: the one place where scripts are verified, for blocks and for the mempool.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pyrite_consensus::ScriptError;
use pyrite_consensus::connect::TransactionScripts;
use pyrite_consensus::script::{ScriptCheck, Secp256k1Verifier};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::verified::VerifiedScripts;
use crate::ChainError;

/// Verifies scripts, and knows the transactions whose scripts it has verified: a block of
/// transactions that came before costs no signature check.
pub struct ScriptVerifier {
    /// `None` for one thread: the caller's own does it.
    pool: Option<ThreadPool>,
    verified: VerifiedScripts,
    nanos_in_blocks: AtomicU64,
}

impl ScriptVerifier {
    pub(crate) fn new(threads: usize) -> Result<Self, ChainError> {
        let pool = (threads > 1).then(|| {
            ThreadPoolBuilder::new()
                .num_threads(threads)
                .thread_name(|n| format!("scripts-{n}"))
                .build()
        });
        let pool = pool.transpose().map_err(|error| ChainError::Thread {
            detail: error.to_string(),
        })?;
        Ok(Self {
            pool,
            verified: VerifiedScripts::default(),
            nanos_in_blocks: AtomicU64::new(0),
        })
    }

    /// Verifies a transaction's scripts on the caller's thread, and remembers it if they are right.
    ///
    /// # Errors
    /// The first input that fails.
    pub fn verify(&self, check: &ScriptCheck) -> Result<(), ScriptError> {
        let wtxid = check.wtxid();
        if self.verified.contains(&wtxid, check.flags()) {
            return Ok(());
        }
        check.verify()?;
        self.verified.insert(wtxid, check.flags());
        Ok(())
    }

    /// Verifies a block's scripts on all threads. It remembers none of them: they would push out
    /// those that are still to come in a block.
    ///
    /// # Errors
    /// That of the first input, in their order, that fails: the verdict does not depend on the
    /// threads' timing.
    pub(crate) fn verify_block(
        &self,
        scripts: Vec<TransactionScripts<'_>>,
    ) -> Result<(), ScriptError> {
        let start = Instant::now();
        let verdict = self.verify_new(scripts);
        let nanos = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.nanos_in_blocks.fetch_add(nanos, Ordering::Relaxed);
        verdict
    }

    /// The time in which blocks' scripts were verified so far.
    #[must_use]
    pub fn time_in_blocks(&self) -> Duration {
        Duration::from_nanos(self.nanos_in_blocks.load(Ordering::Relaxed))
    }

    /// Does two things, at the same time if there are threads for it.
    pub(crate) fn join<A: Send, B: Send>(
        &self,
        first: impl FnOnce() -> A + Send,
        second: impl FnOnce() -> B + Send,
    ) -> (A, B) {
        match &self.pool {
            Some(pool) => pool.join(first, second),
            None => (first(), second()),
        }
    }

    /// Verifies those that are not known to be right.
    fn verify_new(&self, mut scripts: Vec<TransactionScripts<'_>>) -> Result<(), ScriptError> {
        scripts.retain(|scripts| !self.verified.contains(scripts.wtxid(), scripts.flags()));
        let Some(pool) = &self.pool else {
            let mut checks = scripts.iter().map(TransactionScripts::check);
            return checks.try_for_each(|check| check.verify());
        };
        pool.install(|| {
            let checks: Vec<_> = scripts.par_iter().map(TransactionScripts::check).collect();
            // Threads share the inputs of a large transaction, too.
            let inputs: Vec<(&ScriptCheck, usize)> = checks
                .iter()
                .flat_map(|check| (0..check.inputs()).map(move |input| (check, input)))
                .collect();
            let failure = inputs.par_iter().find_map_first(|(check, input)| {
                check.verify_input(*input, &Secp256k1Verifier).err()
            });
            failure.map_or(Ok(()), Err)
        })
    }
}

impl std::fmt::Debug for ScriptVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScriptVerifier").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use pyrite_consensus::bitcoin::block::{Header, Version};
    use pyrite_consensus::bitcoin::hashes::Hash;
    use pyrite_consensus::bitcoin::{
        Amount, Block, BlockHash, CompactTarget, OutPoint, ScriptBuf, Sequence, Transaction, TxIn,
        TxMerkleNode, TxOut, Txid, Witness, absolute, transaction,
    };
    use pyrite_consensus::script::{ScriptFailure, ScriptFlags};
    use pyrite_consensus::{BlockEffects, Coin, HashedBlock, Height};

    use super::*;

    const TRUE: u8 = 0x51;
    const FALSE: u8 = 0x00;
    const RETURN: u8 = 0x6a;

    /// A transaction that spends scripts of one opcode each; `mark` makes it another one.
    struct Spend {
        transaction: Transaction,
        spent: Vec<TxOut>,
    }

    impl Spend {
        fn new(mark: u32, spent: &[u8]) -> Self {
            let input = |vout| TxIn {
                previous_output: OutPoint {
                    txid: Txid::from_byte_array([1; 32]),
                    vout,
                },
                script_sig: ScriptBuf::new(),
                sequence: Sequence::MAX,
                witness: Witness::new(),
            };
            let transaction = Transaction {
                version: transaction::Version::TWO,
                lock_time: absolute::LockTime::from_consensus(mark),
                input: (0..).zip(spent).map(|(vout, _)| input(vout)).collect(),
                output: Vec::new(),
            };
            let spent = spent.iter().map(|opcode| TxOut {
                value: Amount::ZERO,
                script_pubkey: ScriptBuf::from_bytes(vec![*opcode]),
            });
            Self {
                transaction,
                spent: spent.collect(),
            }
        }

        fn check(&self, flags: ScriptFlags) -> ScriptCheck {
            ScriptCheck::new(&self.transaction, self.spent.clone(), flags)
        }
    }

    fn verify_block(
        verifier: &ScriptVerifier,
        spends: &[Spend],
        flags: ScriptFlags,
    ) -> Result<(), ScriptError> {
        let block = HashedBlock::from(Block {
            header: Header {
                version: Version::TWO,
                prev_blockhash: BlockHash::all_zeros(),
                merkle_root: TxMerkleNode::all_zeros(),
                time: 0,
                bits: CompactTarget::default(),
                nonce: 0,
            },
            txdata: spends
                .iter()
                .map(|spend| spend.transaction.clone())
                .collect(),
        });
        let coins = spends.iter().flat_map(|spend| spend.spent.clone());
        let spent = coins.map(|output| {
            let coin = Coin {
                output,
                height: Height(1),
                is_coinbase: false,
            };
            (OutPoint::null(), coin)
        });
        let effects = BlockEffects {
            spent: spent.collect(),
            created: Vec::new(),
            fees: Amount::ZERO,
            script_flags: flags,
        };
        verifier.verify_block(effects.scripts(&block).collect())
    }

    #[test]
    fn a_block_s_first_failure_is_told_whatever_the_threads() {
        for threads in [1, 2, 5] {
            let verifier = ScriptVerifier::new(threads).unwrap();
            let mut spends: Vec<_> = (0..50)
                .map(|mark| Spend::new(mark, &[TRUE, TRUE]))
                .collect();
            assert_eq!(verify_block(&verifier, &spends, ScriptFlags::ALL), Ok(()));
            spends[40] = Spend::new(40, &[RETURN]);
            spends[30] = Spend::new(30, &[TRUE, FALSE, RETURN]);
            let first = ScriptError::Failed {
                txid: spends[30].transaction.compute_txid(),
                input: 1,
                failure: ScriptFailure::EvalFalse,
            };
            assert_eq!(
                verify_block(&verifier, &spends, ScriptFlags::ALL),
                Err(first)
            );
        }
    }

    #[test]
    fn what_was_verified_alone_is_not_verified_in_a_block() {
        for threads in [1, 2] {
            let verifier = ScriptVerifier::new(threads).unwrap();
            let known = Spend::new(1, &[TRUE]).check(ScriptFlags::STANDARD);
            assert_eq!(verifier.verify(&known), Ok(()));
            // The same transaction with a script that fails: only what was remembered lets it pass.
            let same = [Spend::new(1, &[FALSE])];
            assert!(same[0].check(ScriptFlags::ALL).verify().is_err());
            assert_eq!(verify_block(&verifier, &same, ScriptFlags::ALL), Ok(()));
            assert_eq!(
                verifier.verify(&same[0].check(ScriptFlags::STANDARD)),
                Ok(())
            );
            let more = ScriptFlags::STANDARD | ScriptFlags::SIGPUSHONLY;
            assert!(verify_block(&verifier, &same, more).is_err());
            let other = [Spend::new(2, &[FALSE])];
            assert!(verify_block(&verifier, &other, ScriptFlags::ALL).is_err());
        }
    }

    #[test]
    fn what_fails_and_what_a_block_brings_is_not_remembered() {
        let verifier = ScriptVerifier::new(2).unwrap();
        let fails = |mark| Spend::new(mark, &[FALSE]).check(ScriptFlags::ALL);
        for _ in 0..2 {
            assert!(verifier.verify(&fails(1)).is_err());
        }
        let in_block = [Spend::new(2, &[TRUE])];
        assert_eq!(verify_block(&verifier, &in_block, ScriptFlags::ALL), Ok(()));
        assert!(verifier.verify(&fails(2)).is_err());
    }
}
