//! Fuzz target: what clients send.

use bolero::check;
use pyrite_fuzzing::TextDamage;
use serde_json::Value;

use super::messages::{answer, read};

const MESSAGES: [&str; 4] = [
    r#"{"jsonrpc":"2.0","id":1,"method":"subscribe","params":["block","00"]}"#,
    r#"{"jsonrpc":"2.0","id":"x","method":"subscribe","params":{"topic":"mempool","cursor":"000000ab-1"}}"#,
    r#"{"jsonrpc":"2.0","method":"unsubscribe","params":["mining"]}"#,
    r#"{"jsonrpc":"2.0","id":null,"method":"subscribe","params":[{"$serde_json::private::RawValue":"[[1]]"}]}"#,
];

const WORDS: [&str; 8] = [
    "\"subscribe\"",
    "\"topic\"",
    "\"cursor\"",
    "\"params\"",
    "\"transaction\"",
    "\"2.0\"",
    "[[[[",
    "null",
];

#[test]
fn fuzz_message() {
    check!()
        .with_type::<(u8, TextDamage)>()
        .for_each(|(which, damage)| {
            let text = MESSAGES[usize::from(*which) % MESSAGES.len()];
            let message = read(&damage.apply(text, &WORDS));
            let failed = message.command.is_err();
            let answer = answer(message.id, message.command.map(|_| Value::Bool(true)));
            if let Some(answer) = answer {
                let answer: Value = serde_json::from_str(&answer).expect("JSON");
                assert_eq!(answer.get("error").is_some(), failed);
            }
        });
}
