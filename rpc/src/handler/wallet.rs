//! The node's wallet.

use std::collections::HashSet;
use std::sync::Arc;

use pyrite_consensus::bitcoin::{Address, Amount, Txid};
use pyrite_mempool::{EstimateMode, FeeRate, FeeReason};
use pyrite_wallet::{AddressType, SendOptions, Unspent};
use serde_json::{Map, Value, json};

use super::Handler;
use super::fees::{mode_from_name, target_blocks};
use super::rawtransactions::present;
use super::wallet_json::{EntryFields, entries, last_block_json, transaction_fields, unspent_json};
use crate::api::wallet::WalletServer;
use crate::call::{CallError, CallResult, code};
use crate::json::{Btc, TransactionView, transaction_json};
use crate::params;

/// The fee rate of payments where the caller names none and nothing is known.
const DEFAULT_FEE_RATE: FeeRate = FeeRate(1_000);

/// The least that a payment pays, unless the caller says otherwise (Bitcoin Core's default of `-mintxfee`).
const REQUIRED_FEE_RATE: FeeRate = FeeRate(1_000);

/// Within how many blocks payments should be confirmed where the caller doesn't say (Bitcoin Core's
/// default of `-txconfirmtarget`).
const DEFAULT_TARGET: u32 = 6;

/// The version that Bitcoin Core's wallets have had since 0.16.3; clients expect one.
const WALLET_VERSION: u32 = 169_900;

/// The longest comment that is kept, in bytes.
const MAX_COMMENT: usize = 4_096;

/// The most entries that `listtransactions` is asked for at once.
const MAX_LISTED: i64 = 1_000_000;

impl WalletServer for Handler {
    fn get_new_address(
        &self,
        label: Option<String>,
        address_type: Option<String>,
    ) -> CallResult<String> {
        let label = label.unwrap_or_default();
        if label == "*" {
            return Err(CallError::new(
                code::WALLET_INVALID_LABEL_NAME,
                "Invalid label name",
            ));
        }
        let kind = match address_type.as_deref() {
            None => AddressType::default(),
            Some(name) => AddressType::from_name(name).ok_or_else(|| unknown_type(name))?,
        };
        Ok(self.context.wallet.new_address(kind, &label)?.to_string())
    }

    fn get_balance(
        &self,
        dummy: Option<String>,
        minconf: Option<i64>,
        _include_watchonly: Option<bool>,
        avoid_reuse: Option<bool>,
    ) -> CallResult<Value> {
        if dummy.is_some_and(|dummy| dummy != "*") {
            return Err(CallError::new(
                code::METHOD_DEPRECATED,
                "dummy first argument must be excluded or set to \"*\".",
            ));
        }
        check_avoid_reuse(avoid_reuse)?;
        (self.context.sync_wallet)();
        let min_confirmations = minconf.unwrap_or(0);
        if min_confirmations <= 0 {
            return Ok(Btc::from(self.context.wallet.balances().trusted).value());
        }
        let coins = self.context.wallet.list_unspent();
        let sat = coins
            .iter()
            .filter(|coin| i64::from(coin.confirmations) >= min_confirmations)
            .map(|coin| coin.output.value.to_sat())
            .fold(0_u64, u64::saturating_add);
        Ok(Btc::from_sat(sat).value())
    }

    fn get_balances(&self) -> CallResult<Value> {
        (self.context.sync_wallet)();
        let balances = self.context.wallet.balances();
        Ok(json!({
            "mine": {
                "trusted": Btc::from(balances.trusted),
                "untrusted_pending": Btc::from(balances.untrusted_pending),
                "immature": Btc::from(balances.immature),
            },
            "lastprocessedblock": last_block_json(self.context.wallet.cursor()),
        }))
    }

    fn list_unspent(
        &self,
        minconf: Option<i64>,
        maxconf: Option<i64>,
        addresses: Option<Vec<Value>>,
        include_unsafe: Option<bool>,
        query_options: Option<Map<String, Value>>,
    ) -> CallResult<Value> {
        let confirmations = minconf.unwrap_or(1)..=maxconf.unwrap_or(9_999_999);
        let addresses = self.address_filter(&addresses.unwrap_or_default())?;
        let query = Query::read(query_options.unwrap_or_default())?;
        (self.context.sync_wallet)();
        let mut coins = self.context.wallet.list_unspent();
        coins.retain(|coin| {
            confirmations.contains(&i64::from(coin.confirmations))
                && (addresses.is_empty() || addresses.contains(&coin.address))
                && (coin.safe || include_unsafe.unwrap_or(true))
        });
        Ok(query
            .select(coins)
            .iter()
            .map(|coin| {
                let entry = (coin.confirmations == 0)
                    .then(|| self.context.mempool.details(&coin.outpoint.txid))
                    .flatten();
                unspent_json(coin, entry.as_ref())
            })
            .collect())
    }

    fn send_to_address(
        &self,
        address: String,
        amount: Value,
        comment: Option<String>,
        comment_to: Option<String>,
        subtractfeefromamount: Option<bool>,
        replaceable: Option<bool>,
        conf_target: Option<i64>,
        estimate_mode: Option<String>,
        avoid_reuse: Option<bool>,
        fee_rate: Option<Value>,
        verbose: Option<bool>,
    ) -> CallResult<Value> {
        check_avoid_reuse(avoid_reuse)?;
        let fee_rate = present(fee_rate);
        let has_fee_rate = fee_rate.is_some();
        let (target, mode) = check_estimate(conf_target, estimate_mode.as_deref(), has_fee_rate)?;
        let asked = fee_rate
            .map(|rate| params::fee_rate_from_sat_per_vb(&rate))
            .transpose()?;
        let amount = params::amount(&amount)?;
        let recipient = self
            .parse_address(&address)
            .ok_or_else(|| CallError::not_found(format!("Invalid Bitcoin address: {address}")))?;
        let (fee_rate, fee_reason) = self.fee_rate(asked, target, mode)?;
        let options = SendOptions {
            fee_rate_sat_per_kvb: fee_rate.0,
            subtract_fee: subtractfeefromamount.unwrap_or(false),
            replaceable: replaceable.unwrap_or(true),
            ..SendOptions::default()
        };
        let comments = [comment, comment_to].map(Option::unwrap_or_default);
        let txid = self.pay(&recipient, amount, options, &comments)?;
        Ok(if verbose.unwrap_or(false) {
            json!({ "txid": txid.to_string(), "fee_reason": fee_reason.to_string() })
        } else {
            Value::from(txid.to_string())
        })
    }

    fn get_transaction(
        &self,
        txid: String,
        _include_watchonly: Option<bool>,
        verbose: Option<bool>,
    ) -> CallResult<Value> {
        let txid: Txid = params::hash("txid", &txid)?;
        (self.context.sync_wallet)();
        let transaction = self
            .context
            .wallet
            .transaction(&txid)
            .ok_or_else(|| CallError::not_found("Invalid or non-wallet transaction id"))?;
        let mut form = Map::new();
        form.insert("amount".to_owned(), Btc::from(transaction.amount()).value());
        if let Some(fee) = transaction.fee.filter(|_| transaction.sent > Amount::ZERO) {
            // Amounts of money fit a signed number.
            let negative = fee.to_signed().map(|fee| -fee).unwrap_or_default();
            form.insert("fee".to_owned(), Btc::from(negative).value());
        }
        form.extend(transaction_fields(&transaction));
        form.insert(
            "details".to_owned(),
            entries(&transaction, None, EntryFields::Output).into(),
        );
        let network = self.address_network();
        let view = TransactionView {
            with_hex: true,
            ..TransactionView::default()
        };
        let mut content = transaction_json(&transaction.tx, network, view);
        let hex = content
            .as_object_mut()
            .and_then(|content| content.shift_remove("hex"));
        form.insert("hex".to_owned(), hex.unwrap_or_default());
        if verbose.unwrap_or(false) {
            form.insert("decoded".to_owned(), content);
        }
        let last = last_block_json(self.context.wallet.cursor());
        form.insert("lastprocessedblock".to_owned(), last);
        Ok(Value::Object(form))
    }

    fn list_transactions(
        &self,
        label: Option<String>,
        count: Option<i64>,
        skip: Option<i64>,
        _include_watchonly: Option<bool>,
    ) -> CallResult<Value> {
        let label = label.filter(|label| label != "*");
        if label.as_deref() == Some("") {
            return Err(CallError::invalid_parameter(
                "Label argument must be a valid label name or \"*\".",
            ));
        }
        let bounded = |number: i64, message: &str| {
            usize::try_from(number.min(MAX_LISTED))
                .map_err(|_| CallError::invalid_parameter(message))
        };
        let count = bounded(count.unwrap_or(10), "Negative count")?;
        let skip = bounded(skip.unwrap_or(0), "Negative from")?;
        (self.context.sync_wallet)();
        Ok(self.last_entries(label.as_deref(), count, skip).into())
    }

    fn get_wallet_info(&self) -> CallResult<Value> {
        (self.context.sync_wallet)();
        let info = self.context.wallet.info();
        // Bitcoin Core's default wallet has an empty name.
        let name = if info.name == "default" {
            ""
        } else {
            &info.name
        };
        Ok(json!({
            "walletname": name,
            "walletversion": WALLET_VERSION,
            "format": info.format,
            "txcount": info.tx_count,
            "keypoolsize": info.keypool_size,
            "keypoolsize_hd_internal": info.keypool_size_internal,
            "private_keys_enabled": info.private_keys_enabled,
            "avoid_reuse": false,
            "scanning": false,
            "descriptors": info.descriptors,
            "external_signer": false,
            "blank": false,
            "birthtime": info.birth_time,
            "flags": ["descriptor_wallet"],
            "lastprocessedblock": last_block_json(info.cursor),
        }))
    }
}

impl Handler {
    /// What a payment pays, and why: what the caller asks for, in satoshi per 1,000 virtual bytes, or the
    /// estimate, or the default; and at least what mempool and wallet ask for.
    fn fee_rate(
        &self,
        asked: Option<u64>,
        target: u32,
        mode: EstimateMode,
    ) -> CallResult<(FeeRate, FeeReason)> {
        let minimum = self.context.mempool.info().min_fee;
        match asked {
            Some(rate) if rate < minimum.0 => return Err(fee_rate_too_low(rate, minimum.0)),
            Some(rate) => return Ok((FeeRate(rate), FeeReason::None)),
            None => {}
        }
        let estimate = self.context.mempool.estimate_smart_fee(target, mode);
        let found = match estimate.rate {
            Some(rate) => (rate, estimate.reason),
            None => (DEFAULT_FEE_RATE, FeeReason::Fallback),
        };
        Ok(at_least(found, minimum))
    }

    /// Makes a payment, puts it into the mempool, records it in the wallet and sends it to the peers.
    fn pay(
        &self,
        recipient: &Address,
        amount: Amount,
        options: SendOptions,
        [comment, comment_to]: &[String; 2],
    ) -> CallResult<Txid> {
        // Before the transaction is made: afterwards it is too late to refuse it.
        if comment.len().max(comment_to.len()) > MAX_COMMENT {
            return Err(CallError::invalid_parameter(format!(
                "A comment may have at most {MAX_COMMENT} bytes"
            )));
        }
        (self.context.sync_wallet)();
        let wallet = &self.context.wallet;
        let payment = wallet.create_transaction(&[(recipient.script_pubkey(), amount)], options)?;
        let payment = Arc::new(payment);
        let txid = payment.compute_txid();
        if let Err(error) = self.accept(&payment) {
            wallet.release(&txid);
            return Err(error);
        }
        let now = self.context.clock.now();
        wallet.record_sent(Arc::clone(&payment), now, comment, comment_to)?;
        self.context.network.announce_transaction(payment);
        Ok(txid)
    }

    /// The addresses to filter by.
    fn address_filter(&self, texts: &[Value]) -> CallResult<HashSet<Address>> {
        let mut addresses = HashSet::new();
        for text in texts {
            let text = params::text(text)?;
            let address = self
                .parse_address(text)
                .ok_or_else(|| CallError::not_found(format!("Invalid Bitcoin address: {text}")))?;
            if !addresses.insert(address) {
                return Err(CallError::invalid_parameter(format!(
                    "Invalid parameter, duplicated address: {text}"
                )));
            }
        }
        Ok(addresses)
    }

    /// The last `count` entries but the newest `skip`, oldest first.
    fn last_entries(&self, label: Option<&str>, count: usize, skip: usize) -> Vec<Value> {
        let needed = count.saturating_add(skip);
        // Most transactions have an entry; look further back where some have none.
        let mut depth = needed.max(1);
        loop {
            let transactions = self.context.wallet.recent_transactions(depth);
            let mut newest_first = Vec::new();
            for transaction in transactions.iter().rev() {
                if newest_first.len() >= needed {
                    break;
                }
                newest_first.extend(entries(
                    transaction,
                    label,
                    EntryFields::OutputAndTransaction,
                ));
            }
            if newest_first.len() >= needed || transactions.len() < depth {
                let mut wanted: Vec<Value> =
                    newest_first.into_iter().skip(skip).take(count).collect();
                wanted.reverse();
                return wanted;
            }
            depth = depth.saturating_mul(4);
        }
    }
}

/// An address type that the wallet doesn't make.
fn unknown_type(name: &str) -> CallError {
    CallError::not_found(match name {
        "legacy" | "p2sh-segwit" => {
            format!("Address type '{name}' is not supported, use 'bech32' or 'bech32m'")
        }
        _ => format!("Unknown address type '{name}'"),
    })
}

/// A rate for a payment, raised to what the mempool asks for, and to the least that the wallet pays.
fn at_least((rate, reason): (FeeRate, FeeReason), minimum: FeeRate) -> (FeeRate, FeeReason) {
    if rate.max(minimum) < REQUIRED_FEE_RATE {
        (REQUIRED_FEE_RATE, FeeReason::Required)
    } else if rate < minimum {
        (minimum, FeeReason::MempoolMin)
    } else {
        (rate, reason)
    }
}

/// A rate below what the mempool asks for now, both in satoshi per 1,000 virtual bytes.
fn fee_rate_too_low(rate: u64, minimum: u64) -> CallError {
    let shown = |rate: u64| format!("{}.{:03} sat/vB", rate / 1_000, rate % 1_000);
    CallError::new(
        code::WALLET_INSUFFICIENT_FUNDS,
        format!(
            "Fee rate ({}) is lower than the minimum fee rate setting ({})",
            shown(rate),
            shown(minimum)
        ),
    )
}

/// The wallet does not track which addresses were used, so it can't avoid them.
fn check_avoid_reuse(avoid_reuse: Option<bool>) -> CallResult<()> {
    if avoid_reuse == Some(true) {
        return Err(CallError::new(
            code::WALLET_ERROR,
            "wallet does not have the \"avoid reuse\" feature enabled",
        ));
    }
    Ok(())
}

/// Checks the parameters of fee estimation against each other, as Bitcoin Core does, and reads them.
fn check_estimate(
    conf_target: Option<i64>,
    estimate_mode: Option<&str>,
    has_fee_rate: bool,
) -> CallResult<(u32, EstimateMode)> {
    let is_unset = estimate_mode.is_none_or(|mode| mode.eq_ignore_ascii_case("unset"));
    let refuse = |message: &str| Err(CallError::invalid_parameter(message));
    if has_fee_rate && conf_target.is_some() {
        return refuse(
            "Cannot specify both conf_target and fee_rate. Please provide either a confirmation \
             target in blocks for automatic fee estimation, or an explicit fee rate.",
        );
    }
    if has_fee_rate && !is_unset {
        return refuse("Cannot specify both estimate_mode and fee_rate");
    }
    let mode = mode_from_name(estimate_mode)?;
    let target = conf_target.map_or(Ok(DEFAULT_TARGET), target_blocks)?;
    Ok((target, mode))
}

/// `query_options` of `listunspent`.
#[derive(Debug, Default, PartialEq)]
struct Query {
    minimum: Option<Amount>,
    maximum: Option<Amount>,
    count: Option<usize>,
    sum: Option<Amount>,
}

impl Query {
    fn read(options: Map<String, Value>) -> CallResult<Self> {
        let mut query = Self::default();
        for (name, value) in options {
            match name.as_str() {
                _ if value.is_null() => {}
                "minimumAmount" => query.minimum = Some(params::amount(&value)?),
                "maximumAmount" => query.maximum = Some(params::amount(&value)?),
                "minimumSumAmount" => query.sum = Some(params::amount(&value)?),
                "maximumCount" | "include_immature_coinbase" => {
                    query.read_checked(&name, &value)?;
                }
                _ => {
                    return Err(CallError::new(
                        code::TYPE_ERROR,
                        format!("Unexpected key {name}"),
                    ));
                }
            }
        }
        Ok(query)
    }

    /// The options of one type only.
    fn read_checked(&mut self, name: &str, value: &Value) -> CallResult<()> {
        let expected = if name == "maximumCount" {
            "number"
        } else {
            "bool"
        };
        match value {
            Value::Number(number) if expected == "number" => {
                let count = number.as_u64().ok_or_else(params::integer_out_of_range)?;
                // Zero means no limit.
                self.count = usize::try_from(count).ok().filter(|count| *count > 0);
                Ok(())
            }
            Value::Bool(false) if expected == "bool" => Ok(()),
            Value::Bool(true) if expected == "bool" => Err(CallError::invalid_parameter(
                "include_immature_coinbase is not supported",
            )),
            other => Err(CallError::new(
                code::TYPE_ERROR,
                format!(
                    "JSON value of type {} for field {name} is not of expected type {expected}",
                    params::type_name(other)
                ),
            )),
        }
    }

    /// The coins that fit, up to the count and the sum.
    fn select(&self, coins: Vec<Unspent>) -> Vec<Unspent> {
        let mut selected = Vec::new();
        let mut sum = 0_u64;
        for coin in coins {
            let value = coin.output.value;
            if self.minimum.is_some_and(|minimum| value < minimum)
                || self.maximum.is_some_and(|maximum| value > maximum)
            {
                continue;
            }
            sum = sum.saturating_add(value.to_sat());
            selected.push(coin);
            if self.count.is_some_and(|count| selected.len() >= count)
                || self.sum.is_some_and(|wanted| sum >= wanted.to_sat())
            {
                break;
            }
        }
        selected
    }
}

#[cfg(test)]
#[path = "wallet_tests.rs"]
mod tests;
