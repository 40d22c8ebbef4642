//! What a PSBT lacks, and who is to work on it next (Bitcoin Core's `AnalyzePSBT`).

use pyrite_consensus::bitcoin::{Amount, Psbt, Script};
use serde_json::{Map, Value, json};

use super::complete::is_signed_and_verified;
use crate::call::{CallError, CallResult};
use crate::json::Btc;
use crate::signing::{Missing, Spending, assemble, assemble_with_dummies, spent_output};

/// Who works on a PSBT, in the order in which they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Creator,
    Updater,
    Signer,
    Finalizer,
    Extractor,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Creator => "creator",
            Self::Updater => "updater",
            Self::Signer => "signer",
            Self::Finalizer => "finalizer",
            Self::Extractor => "extractor",
        }
    }
}

/// Why there is no analysis.
enum Failure {
    /// The PSBT can't become a transaction.
    Invalid(String),
    /// The call ends.
    Call(CallError),
}

/// The form of the answer; `is_unspendable` tells of a script whether nothing can unlock it, and `go_on` is asked before each
/// input.
///
/// # Errors
/// What `go_on` says.
pub(crate) fn analyze(
    psbt: &Psbt,
    is_unspendable: fn(&Script) -> bool,
    go_on: impl Fn() -> CallResult<()>,
) -> CallResult<Value> {
    match valid(psbt, is_unspendable, go_on) {
        Ok(form) => Ok(form),
        Err(Failure::Invalid(error)) => Ok(json!({ "next": Role::Creator.name(), "error": error })),
        Err(Failure::Call(error)) => Err(error),
    }
}

fn valid(
    psbt: &Psbt,
    is_unspendable: fn(&Script) -> bool,
    go_on: impl Fn() -> CallResult<()>,
) -> Result<Value, Failure> {
    let invalid = |message: String| Err(Failure::Invalid(message));
    let spending = Spending::of_psbt(psbt);
    let mut total = Some(Amount::ZERO);
    let mut inputs = Vec::with_capacity(psbt.inputs.len());
    let mut next = Role::Extractor;
    for index in 0..psbt.inputs.len() {
        go_on().map_err(Failure::Call)?;
        let output = spent_output(psbt, index);
        if let Some(output) = output {
            let sum = total.unwrap_or(Amount::ZERO).checked_add(output.value);
            let sum = sum.filter(|sum| *sum <= Amount::MAX_MONEY);
            let Some(sum) = sum else {
                return invalid(format!(
                    "PSBT is not valid. Input {index} has invalid value"
                ));
            };
            total = total.map(|_| sum);
            if is_unspendable(&output.script_pubkey) {
                return invalid(format!(
                    "PSBT is not valid. Input {index} spends unspendable output"
                ));
            }
        } else {
            total = None;
        }
        let (role, missing) = next_of_input(psbt, &spending, index);
        next = next.min(role);
        inputs.push(input_json(output.is_some(), role, &missing));
    }
    let mut form = Map::new();
    if !inputs.is_empty() {
        form.insert("inputs".into(), inputs.into());
    }
    if let Some(total) = total {
        let mut outputs = psbt.unsigned_tx.output.iter();
        let paid = outputs.try_fold(Amount::ZERO, |sum, output| {
            sum.checked_add(output.value)
                .filter(|sum| *sum <= Amount::MAX_MONEY)
        });
        let Some(paid) = paid else {
            return invalid("PSBT is not valid. Output amount invalid".to_owned());
        };
        let fee = signed(total) - signed(paid);
        if let Some(size) = estimated_size(psbt) {
            form.insert("estimated_vsize".into(), size.into());
            let rate = fee.saturating_mul(1_000) / i64::try_from(size.max(1)).unwrap_or(i64::MAX);
            form.insert(
                "estimated_feerate".into(),
                Btc::from_signed_sat(rate).value(),
            );
        }
        form.insert("fee".into(), Btc::from_signed_sat(fee).value());
    }
    form.insert("next".into(), next.name().into());
    Ok(form.into())
}

fn signed(amount: Amount) -> i64 {
    i64::try_from(amount.to_sat()).unwrap_or(i64::MAX)
}

/// Who works on an input next, and what it lacks.
fn next_of_input(psbt: &Psbt, spending: &Spending, index: usize) -> (Role, Missing) {
    if spent_output(psbt, index).is_none() {
        return (Role::Updater, Missing::default());
    }
    if is_signed_and_verified(psbt, spending, index) {
        return (Role::Extractor, Missing::default());
    }
    let assembly = assemble(psbt, index);
    if assembly.is_valid(spending, index) {
        return (Role::Finalizer, Missing::default());
    }
    let missing = assembly.missing;
    let lacks_signatures_alone = missing.keys.is_empty()
        && missing.redeem_script.is_none()
        && missing.witness_script.is_none()
        && !missing.signatures.is_empty();
    let role = if lacks_signatures_alone {
        Role::Signer
    } else {
        Role::Updater
    };
    (role, missing)
}

fn input_json(has_utxo: bool, role: Role, missing: &Missing) -> Value {
    let mut form = json!({
        "has_utxo": has_utxo,
        "is_final": role == Role::Extractor,
        "next": role.name(),
    });
    let hashes = |hashes: &[[u8; 20]]| hashes.iter().map(hex::encode).collect::<Vec<_>>();
    let mut shown = Map::new();
    if !missing.keys.is_empty() {
        shown.insert("pubkeys".into(), hashes(&missing.keys).into());
    }
    if let Some(hash) = missing.redeem_script {
        shown.insert("redeemscript".into(), hex::encode(hash).into());
    }
    if let Some(hash) = missing.witness_script {
        shown.insert("witnessscript".into(), hex::encode(hash).into());
    }
    if !missing.signatures.is_empty() {
        shown.insert("signatures".into(), hashes(&missing.signatures).into());
    }
    if !shown.is_empty() {
        form["missing"] = shown.into();
    }
    form
}

/// How large the transaction is when it is signed, if that can be told.
fn estimated_size(psbt: &Psbt) -> Option<u64> {
    let mut transaction = psbt.unsigned_tx.clone();
    for (index, input) in psbt.inputs.iter().enumerate() {
        let own = &mut transaction.input[index];
        if super::is_signed(input) {
            own.script_sig = input.final_script_sig.clone().unwrap_or_default();
            own.witness = input.final_script_witness.clone().unwrap_or_default();
            continue;
        }
        let assembly = assemble_with_dummies(psbt, index);
        if !assembly.is_solved {
            return None;
        }
        own.script_sig = assembly.script_sig;
        own.witness = assembly.witness;
    }
    Some(transaction.weight().to_wu().div_ceil(4))
}
