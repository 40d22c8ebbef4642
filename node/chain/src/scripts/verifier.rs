//! `ScriptVerifier`: the one place where scripts are verified, for blocks and for the mempool.

use pyrite_consensus::ScriptError;
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
}

impl ScriptVerifier {
    pub(crate) fn new(threads: usize) -> Result<Self, ChainError> {
        let verified = VerifiedScripts::default();
        if threads <= 1 {
            return Ok(Self {
                pool: None,
                verified,
            });
        }
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|n| format!("scripts-{n}"))
            .build()
            .map_err(|error| ChainError::Thread {
                detail: error.to_string(),
            })?;
        Ok(Self {
            pool: Some(pool),
            verified,
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
    pub(crate) fn verify_block(&self, checks: &[ScriptCheck]) -> Result<(), ScriptError> {
        let is_new = |check: &&ScriptCheck| !self.verified.contains(&check.wtxid(), check.flags());
        let Some(pool) = &self.pool else {
            return checks
                .iter()
                .filter(is_new)
                .try_for_each(ScriptCheck::verify);
        };
        pool.install(|| {
            let new: Vec<&ScriptCheck> = checks.par_iter().filter(is_new).collect();
            // Threads share the inputs of a large transaction, too.
            let inputs: Vec<(&ScriptCheck, usize)> = new
                .into_iter()
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
    use pyrite_consensus::bitcoin::hashes::Hash;
    use pyrite_consensus::bitcoin::{
        Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness, absolute,
        transaction,
    };
    use pyrite_consensus::script::{ScriptFailure, ScriptFlags};

    use super::*;

    /// A check that passes if every spent script is `OP_1`; `mark` makes it another transaction's.
    fn check(mark: u32, spent: &[u8], flags: ScriptFlags) -> ScriptCheck {
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
        let spent_outputs = spent.iter().map(|opcode| TxOut {
            value: Amount::ZERO,
            script_pubkey: ScriptBuf::from_bytes(vec![*opcode]),
        });
        ScriptCheck::new(&transaction, spent_outputs.collect(), flags)
    }

    const TRUE: u8 = 0x51;
    const FALSE: u8 = 0x00;
    const RETURN: u8 = 0x6a;

    #[test]
    fn a_block_s_first_failure_is_told_whatever_the_threads() {
        for threads in [1, 2, 5] {
            let verifier = ScriptVerifier::new(threads).unwrap();
            let mut checks: Vec<_> = (0..50)
                .map(|mark| check(mark, &[TRUE, TRUE], ScriptFlags::ALL))
                .collect();
            assert_eq!(verifier.verify_block(&checks), Ok(()));
            checks[40] = check(40, &[RETURN], ScriptFlags::ALL);
            checks[30] = check(30, &[TRUE, FALSE, RETURN], ScriptFlags::ALL);
            let first = ScriptError::Failed {
                txid: checks[30].txid(),
                input: 1,
                failure: ScriptFailure::EvalFalse,
            };
            assert_eq!(verifier.verify_block(&checks), Err(first));
        }
    }

    #[test]
    fn what_was_verified_alone_is_not_verified_in_a_block() {
        for threads in [1, 2] {
            let verifier = ScriptVerifier::new(threads).unwrap();
            let known = check(1, &[TRUE], ScriptFlags::STANDARD);
            assert_eq!(verifier.verify(&known), Ok(()));
            // The same transaction with a script that fails: only what was remembered lets it pass.
            let same = |flags| check(1, &[FALSE], flags);
            assert!(same(ScriptFlags::ALL).verify().is_err());
            assert_eq!(verifier.verify_block(&[same(ScriptFlags::ALL)]), Ok(()));
            assert_eq!(verifier.verify(&same(ScriptFlags::STANDARD)), Ok(()));
            let more = same(ScriptFlags::STANDARD | ScriptFlags::SIGPUSHONLY);
            assert!(verifier.verify_block(&[more]).is_err());
            let other = check(2, &[FALSE], ScriptFlags::ALL);
            assert!(verifier.verify_block(&[other]).is_err());
        }
    }

    #[test]
    fn what_fails_and_what_a_block_brings_is_not_remembered() {
        let verifier = ScriptVerifier::new(2).unwrap();
        for _ in 0..2 {
            assert!(
                verifier
                    .verify(&check(1, &[FALSE], ScriptFlags::ALL))
                    .is_err()
            );
        }
        let in_block = check(2, &[TRUE], ScriptFlags::ALL);
        assert_eq!(verifier.verify_block(&[in_block]), Ok(()));
        assert!(
            verifier
                .verify(&check(2, &[FALSE], ScriptFlags::ALL))
                .is_err()
        );
    }
}
