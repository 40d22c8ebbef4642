//! Fuzz target: every method with every kind of parameter, on a node with a chain, a mempool and a wallet.

use std::panic::AssertUnwindSafe;

use bolero::{TypeGenerator, check, produce};
use pyrite_index::IndexKind;
use serde_json::{Value, json};

use super::harness::TestNode;
use crate::call::code;
use crate::catalogue::{Catalogue, Kind, MethodSpec};

/// What is left out: it waits, mines, dials, or ends the node.
const LEFT_OUT: [&str; 9] = [
    "addnode",
    "dumptxoutset",
    "generate",
    "getblocktemplate",
    "setban",
    "setnetworkactive",
    "startmining",
    "stop",
    "wait",
];

/// A call to make. What it names is counted from the front, and beyond the end from the front again.
#[derive(Clone, Debug, TypeGenerator)]
struct Call {
    method: u16,
    #[generator(produce::<Vec<(u8, u8)>>().with().len(0..6_usize))]
    params: Vec<(u8, u8)>,
    by_name: bool,
}

/// Values to pass.
struct Palette {
    numbers: Vec<Value>,
    texts: Vec<Value>,
    others: Vec<Value>,
}

impl Palette {
    /// Values among which some name what the node has.
    async fn of(node: &TestNode) -> Self {
        let hashes = node.mine(110).await;
        let address = node.get("getnewaddress", json!([])).await;
        let txid = node.get("sendtoaddress", json!([address, "0.5"])).await;
        let transaction = node.get("getrawtransaction", json!([txid])).await;
        let block = node.get("getblock", json!([hashes[0], 0])).await;
        let coinbase = node.get("getblock", json!([hashes[0]])).await["tx"][0].take();
        let numbers = [
            "0",
            "1",
            "2",
            "3",
            "-1",
            "0.5",
            "6",
            "109",
            "110",
            "111",
            "144",
            "1008",
            "1e1",
            "1e400",
            "0.00000001",
            "21000000",
            "2147483647",
            "2147483648",
            "4294967295",
            "4294967296",
            "9223372036854775807",
            "-9223372036854775808",
            "18446744073709551615",
            "18446744073709551616",
        ];
        let texts = [
            "",
            "0",
            "00",
            "zz",
            "é",
            "all",
            "help",
            "getblock",
            "\u{0}",
            "bech32m",
            "unset",
            "economical",
            "0.1",
            "-1",
            "127.0.0.1:1",
        ];
        let odd = format!("{}0", transaction.as_str().unwrap());
        let own = [
            json!(hashes[0]),
            json!(hashes[109]),
            json!("00".repeat(32)),
            json!("f".repeat(63)),
            address.clone(),
            txid.clone(),
            transaction.clone(),
            block,
            coinbase.clone(),
            json!(odd),
        ];
        let others = vec![
            Value::Null,
            json!(true),
            json!(false),
            json!([]),
            json!({}),
            json!([transaction]),
            json!([[], {}, 1, "a"]),
            json!([{ "txid": coinbase, "vout": 0 }]),
            json!({ address.as_str().unwrap(): 0.1 }),
            json!({ "verbose": true, "minconf": 1 }),
        ];
        Self {
            numbers: numbers
                .iter()
                .map(|text| serde_json::from_str(text).unwrap())
                .collect(),
            texts: texts.iter().map(|text| json!(text)).chain(own).collect(),
            others,
        }
    }

    /// A value, mostly of the kind that is asked for.
    fn value(&self, kind: Option<Kind>, (fit, which): (u8, u8)) -> Value {
        let values = match (kind, fit % 8) {
            (Some(Kind::Text | Kind::Hex), 0..6) => &self.texts,
            (Some(Kind::Number | Kind::Amount), 0..6) => &self.numbers,
            (Some(Kind::Boolean | Kind::Array | Kind::Object), 0..6) => &self.others,
            (_, 0..3) => &self.texts,
            (_, 3..6) => &self.numbers,
            _ => &self.others,
        };
        values[usize::from(which) % values.len()].clone()
    }

    fn params(&self, method: &MethodSpec, call: &Call) -> Value {
        let kind = |position: usize| method.params.get(position).map(|param| param.kind);
        let values = call.params.iter().enumerate();
        let values = values.map(|(position, choice)| self.value(kind(position), *choice));
        if call.by_name {
            let names = method.params.iter().map(|param| param.name().to_owned());
            Value::Object(names.zip(values).collect())
        } else {
            Value::Array(values.collect())
        }
    }
}

#[test]
fn fuzz_method_call() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let node = runtime.block_on(TestNode::start_with(&IndexKind::ALL));
    let palette = runtime.block_on(Palette::of(&node));
    let names = node.method_names.iter().filter(|name| {
        let is_left_out = LEFT_OUT.iter().any(|prefix| name.starts_with(prefix));
        !is_left_out || **name == "stopmining"
    });
    let names: Vec<_> = names.copied().collect();
    let make_call = AssertUnwindSafe(|call: &Call| {
        let name = names[usize::from(call.method) % names.len()];
        let method = Catalogue::node().method(name).unwrap();
        let params = palette.params(method, call);
        let outcome = runtime.block_on(node.call(name, params.clone()));
        if let Err(error) = outcome {
            assert_ne!(error.code, code::INTERNAL_ERROR, "{name} {params}: {error}");
            assert!(!error.message.is_empty(), "{name} {params}");
        }
    });
    check!()
        .with_type::<Call>()
        .for_each(|call| (*make_call)(call));
    runtime.block_on(node.finish());
}
