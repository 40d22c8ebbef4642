//! Script evaluation: Bitcoin Core's verdicts, no panic under any flags, and flags that only restrict.

use bitcoinconsensus::Utxo;
use bolero::{check, produce};
use pyrite_consensus::bitcoin::consensus::serialize;
use pyrite_consensus::bitcoin::{ScriptBuf, Transaction, TxOut};
use pyrite_consensus::script::sighash::SpendingTransaction;
use pyrite_consensus::script::{
    InputChecker, ScriptFailure, ScriptFlags, Secp256k1Verifier, verify_script,
};
use pyrite_fuzzing::Damage;

use crate::spend::Spend;

/// A transaction that is verified input by input.
struct Case {
    transaction: Vec<u8>,
    spending: SpendingTransaction,
}

impl Case {
    fn new(transaction: Transaction, spent: Vec<TxOut>) -> Self {
        Self {
            transaction: serialize(&transaction),
            spending: SpendingTransaction::new(transaction.into(), spent),
        }
    }

    fn inputs(&self) -> usize {
        self.spending.spent_outputs().len()
    }

    fn ours(&self, input: usize, flags: ScriptFlags) -> Result<(), ScriptFailure> {
        let checker = InputChecker::new(&self.spending, input, &Secp256k1Verifier);
        let own = &self.spending.transaction().input[input];
        verify_script(
            &own.script_sig,
            &self.spending.spent_outputs()[input].script_pubkey,
            &own.witness,
            flags,
            &checker.expect("one spent output for each input"),
        )
    }

    fn oracle(&self, input: usize, flags: ScriptFlags) -> bool {
        let outputs = self.spending.spent_outputs();
        let utxo = |output: &TxOut| Utxo {
            script_pubkey: output.script_pubkey.as_bytes().as_ptr(),
            script_pubkey_len: u32::try_from(output.script_pubkey.len()).expect("short"),
            value: i64::try_from(output.value.to_sat()).expect("little money"),
        };
        let spent: Vec<_> = outputs.iter().map(utxo).collect();
        let verdict = bitcoinconsensus::verify_with_flags(
            outputs[input].script_pubkey.as_bytes(),
            outputs[input].value.to_sat(),
            &self.transaction,
            Some(&spent),
            input,
            flags.bits(),
        );
        match verdict {
            Ok(()) => true,
            Err(bitcoinconsensus::Error::ERR_SCRIPT) => false,
            Err(error) => panic!("the oracle can't work on a case: {error:?}"),
        }
    }

    /// Everything that is asserted of a spend; `choice` picks flags.
    fn check(&self, choice: u32, smaller: u32) {
        for input in 0..self.inputs() {
            self.check_oracle(input, ScriptFlags::ALL);
            self.check_oracle(input, flags(choice & ScriptFlags::ALL.bits()));
            self.check_order(input, flags(choice), flags(choice & smaller));
            self.check_order(input, ScriptFlags::STANDARD, ScriptFlags::ALL);
            let some = flags(smaller & ScriptFlags::ALL.bits());
            self.check_order(input, ScriptFlags::ALL, some);
        }
    }

    fn check_oracle(&self, input: usize, flags: ScriptFlags) {
        let ours = self.ours(input, flags);
        let oracle = self.oracle(input, flags);
        assert_eq!(
            ours.is_ok(),
            oracle,
            "input {input} under {:x}: {ours:?}",
            flags.bits()
        );
    }

    /// What more flags accept, fewer do.
    fn check_order(&self, input: usize, more: ScriptFlags, fewer: ScriptFlags) {
        assert!(more.contains(fewer));
        let (strict, loose) = (self.ours(input, more), self.ours(input, fewer));
        assert!(
            strict.is_err() || loose.is_ok(),
            "input {input} is accepted under {:x}, and under {:x} {loose:?}",
            more.bits(),
            fewer.bits()
        );
    }
}

/// The flags of some bits, but for those that do not go without the others (as Bitcoin Core asserts).
fn flags(bits: u32) -> ScriptFlags {
    let named = ScriptFlags::NAMED.iter().map(|(_, flag)| *flag);
    let mut flags = named
        .filter(|flag| bits & flag.bits() != 0)
        .fold(ScriptFlags::NONE, |flags, flag| flags | flag);
    if !flags.contains(ScriptFlags::P2SH) {
        flags = flags.without(ScriptFlags::WITNESS);
    }
    if !flags.contains(ScriptFlags::WITNESS) {
        flags = flags.without(ScriptFlags::CLEANSTACK);
    }
    flags
}

#[test]
fn fuzz_script_of_pieces() {
    check!()
        .with_type::<(Spend, u32, u32)>()
        .for_each(|(spend, choice, smaller)| {
            let (transaction, spent) = spend.make();
            Case::new(transaction, spent).check(*choice, *smaller);
        });
}

/// Scripts and witnesses that are damaged after commitments to them were made.
#[test]
fn fuzz_damaged_script() {
    let damages = produce::<[Damage; 3]>();
    check!()
        .with_generator((produce::<Spend>(), damages, produce::<(u32, u32)>()))
        .for_each(|(spend, damages, (choice, smaller))| {
            let (mut transaction, mut spent) = spend.make();
            let [of_lock, of_script_sig, of_witness] = damages;
            let damaged = |script: &ScriptBuf, damage: &Damage| {
                ScriptBuf::from_bytes(damage.apply(script.to_bytes()))
            };
            let (own, lock) = (&mut transaction.input[0], &mut spent[0].script_pubkey);
            *lock = damaged(lock, of_lock);
            own.script_sig = damaged(&own.script_sig, of_script_sig);
            let mut elements = own.witness.to_vec();
            if let Some(last) = elements.pop() {
                elements.push(of_witness.apply(last));
            }
            own.witness = elements.into();
            Case::new(transaction, spent).check(*choice, *smaller);
        });
}
