use bolero::check;
use pyrite_consensus::bitcoin::Network;
use pyrite_consensus::bitcoin::consensus::encode::serialize_hex;
use pyrite_consensus::bitcoin::constants::genesis_block;
use pyrite_fuzzing::TextDamage;
use serde_json::json;

use super::super::trouble::Remedy;
use super::*;

const EMPTY_COMMITMENT: &str =
    "6a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9";

fn answer() -> Value {
    json!({
        "capabilities": ["proposal"],
        "version": 0x2000_0000,
        "rules": ["csv", "!segwit", "taproot"],
        "vbavailable": {},
        "vbrequired": 0,
        "previousblockhash": "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
        "transactions": [],
        "coinbaseaux": {},
        "coinbasevalue": 5_000_000_000_u64,
        "longpollid": "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e22060",
        "target": "7fffff0000000000000000000000000000000000000000000000000000000000",
        "mintime": 1_296_688_603,
        "mutable": ["time", "transactions", "prevblock"],
        "noncerange": "00000000ffffffff",
        "sigoplimit": 80_000,
        "sizelimit": 4_000_000,
        "weightlimit": 4_000_000,
        "curtime": 1_700_000_000,
        "bits": "207fffff",
        "height": 1,
        "default_witness_commitment": EMPTY_COMMITMENT,
    })
}

fn payout() -> ScriptBuf {
    ScriptBuf::from_bytes(vec![0x51])
}

fn changed(name: &str, value: Value) -> Result<Offer, Trouble> {
    let mut answer = answer();
    answer[name] = value;
    Offer::read(answer, &payout())
}

#[test]
fn bitcoin_cores_answer_is_read() {
    let offer = Offer::read(answer(), &payout()).unwrap();
    assert_eq!(offer.template.height, Height(1));
    assert_eq!(offer.template.payout, payout());
    assert_eq!(offer.template.min_time, 1_296_688_603);
    assert_eq!(offer.template.max_time, None);
    assert_eq!(offer.time, 1_700_000_000);
    assert!(offer.long_poll_id.is_some());
    let block = offer.template.block(1, 1_700_000_000, 0);
    assert!(block.check_merkle_root() && block.check_witness_commitment());
}

#[test]
fn times_that_may_not_change_are_the_servers() {
    let fixed = changed("mutable", json!(["transactions"])).unwrap();
    assert_eq!(fixed.template.time_at(0), 1_700_000_000);
    assert_eq!(fixed.template.time_at(u64::MAX), 1_700_000_000);
    let bounded = changed("maxtime", json!(1_700_000_100)).unwrap();
    assert_eq!(bounded.template.time_at(u64::MAX), 1_700_000_100);
}

#[test]
fn versions_have_32_bits() {
    assert_eq!(version(0x2000_0000), Ok(0x2000_0000));
    assert_eq!(version(0xffff_ffff), Ok(-1));
    assert_eq!(version(-1), Ok(-1));
    assert!(version(1 << 32).is_err());
    assert!(version(i64::MIN).is_err());
}

#[test]
fn rules_that_are_not_known_are_refused_if_they_matter() {
    assert!(changed("rules", json!(["csv", "!segwit", "taproot", "other"])).is_ok());
    for rule in ["!other", "!signet"] {
        let trouble = changed("rules", json!(["!segwit", rule])).unwrap_err();
        assert_eq!(trouble.remedy, Remedy::Somebody);
        assert!(trouble.reason.contains(&rule[1..]), "{trouble:?}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    let entry = |data: &str| json!([{ "data": data, "fee": 1 }]);
    for (name, value, words) in [
        ("height", json!("1"), "invalid type"),
        ("height", json!(-1), "invalid"),
        ("previousblockhash", json!("00"), "previousblockhash"),
        ("bits", json!("x"), "bits"),
        ("bits", json!("00000000"), "no target"),
        ("version", json!(1_u64 << 40), "version"),
        ("coinbasevalue", json!(u64::MAX), "coinbasevalue"),
        ("coinbasevalue", json!(-1), "invalid"),
        ("transactions", json!({}), "invalid type"),
        ("transactions", entry("00"), "transactions[0]: data"),
        ("noncerange", json!("00000000000000ff"), "noncerange"),
        ("vbrequired", json!(0x2000), "vbrequired"),
        (
            "default_witness_commitment",
            json!("zz"),
            "default_witness_commitment",
        ),
        ("default_witness_commitment", json!("6a"), "does not fit"),
        ("weightlimit", json!(100), "no room"),
    ] {
        let trouble = changed(name, value).unwrap_err();
        assert!(trouble.reason.contains(words), "{name}: {trouble:?}");
    }
    for answer in [Value::Null, json!([]), json!("x"), json!({})] {
        let trouble = Offer::read(answer, &payout()).unwrap_err();
        assert!(trouble.reason.contains("can't be mined"), "{trouble:?}");
    }
}

#[test]
fn transactions_are_what_their_bytes_are() {
    use pyrite_consensus::bitcoin::Network;
    use pyrite_consensus::bitcoin::consensus::encode::serialize_hex;
    use pyrite_consensus::bitcoin::constants::genesis_block;
    let tx = genesis_block(Network::Regtest).txdata.remove(0);
    let entry = |txid: &str, depends: Value| {
        let mut answer = answer();
        answer["rules"] = json!([]);
        answer["default_witness_commitment"] = Value::Null;
        answer["transactions"] = json!([
            { "data": serialize_hex(&tx), "txid": txid, "fee": 10, "sigops": 2, "depends": depends }
        ]);
        Offer::read(answer, &payout())
    };
    let txid = tx.compute_txid().to_string();
    let offer = entry(&txid, json!([])).unwrap();
    assert_eq!(offer.template.transactions[0].sigop_cost, 8);
    assert_eq!(offer.template.total_fees, Amount::from_sat(10));
    let other = entry(&"00".repeat(32), json!([])).unwrap_err();
    assert!(other.reason.contains("txid"), "{other:?}");
    let zero = entry(&txid, json!([0])).unwrap_err();
    assert!(zero.reason.contains("counts from 1"), "{zero:?}");
    let itself = entry(&txid, json!([1])).unwrap_err();
    assert!(itself.reason.contains("depends on a later"), "{itself:?}");
}

/// Whatever a server answers is a block that can be mined, or a reason in a line.
#[test]
fn fuzz_answers() {
    const WORDS: [&str; 8] = [
        "null",
        "!signet",
        "segwit",
        "\"depends\":[1]",
        "-1",
        "4294967296",
        "\u{1b}[31m",
        "ff",
    ];
    let coinbase = &genesis_block(Network::Regtest).txdata[0];
    let mut answer = answer();
    answer["transactions"] = json!([{
        "data": serialize_hex(coinbase),
        "txid": coinbase.compute_txid().to_string(),
        "depends": [],
        "fee": 7,
        "sigops": 1,
        "weight": coinbase.weight().to_wu(),
    }]);
    answer["rules"] = json!(["csv", "taproot"]);
    let fields = answer.as_object_mut().unwrap();
    fields.remove("default_witness_commitment");
    let text = answer.to_string();
    check!().with_type::<TextDamage>().for_each(|damage| {
        let text = damage.apply(&text, &WORDS);
        let Ok(answer) = serde_json::from_str(&text) else {
            return;
        };
        match Offer::read(answer, &payout()) {
            Ok(offer) => {
                let block = offer.template.block(1, offer.template.time_at(0), 0);
                assert!(block.check_merkle_root());
            }
            Err(trouble) => {
                assert!(!damage.is_none(), "{trouble:?}");
                assert_eq!(trouble.reason.lines().count(), 1, "{trouble:?}");
            }
        }
    });
}
