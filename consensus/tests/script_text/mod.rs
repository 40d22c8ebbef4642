//! Reads scripts and flags as Bitcoin Core's test vectors write them.

use std::collections::HashMap;
use std::sync::LazyLock;

use pyrite_consensus::bitcoin::opcodes::all::{OP_CHECKSIGADD, OP_NOP, OP_RESERVED};
use pyrite_consensus::bitcoin::{Opcode, ScriptBuf};
use pyrite_consensus::script::ScriptFlags;

/// The opcodes that the vectors name, with and without `OP_`.
static OPCODES: LazyLock<HashMap<String, u8>> = LazyLock::new(|| {
    let mut names = HashMap::new();
    let from_nop = OP_NOP.to_u8()..=OP_CHECKSIGADD.to_u8();
    for code in std::iter::once(OP_RESERVED.to_u8()).chain(from_nop) {
        let name = Opcode::from(code).to_string();
        // Bitcoin Core's names for two.
        let name = match name.as_str() {
            "OP_CLTV" => "OP_CHECKLOCKTIMEVERIFY",
            "OP_CSV" => "OP_CHECKSEQUENCEVERIFY",
            name => name,
        };
        names.insert(name.to_owned(), code);
        let short = name.strip_prefix("OP_").expect("every name begins so");
        names.insert(short.to_owned(), code);
    }
    names
});

/// A script in the words of Bitcoin Core's `ParseScript`: decimal numbers, raw bytes after `0x`, texts in
/// quotes, names of opcodes.
pub(crate) fn parse_script(text: &str) -> ScriptBuf {
    let mut script = Vec::new();
    for word in text
        .split([' ', '\t', '\n'])
        .filter(|word| !word.is_empty())
    {
        let digits = word.strip_prefix('-').unwrap_or(word);
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            push_number(&mut script, word.parse().expect("a number"));
        } else if let Some(raw) = word.strip_prefix("0x") {
            script.extend(hex::decode(raw).expect("hexadecimal digits"));
        } else if word.len() >= 2 && word.starts_with('\'') && word.ends_with('\'') {
            push(&mut script, &word.as_bytes()[1..word.len() - 1]);
        } else {
            let code = OPCODES.get(word);
            script.push(*code.unwrap_or_else(|| panic!("{word} in {text}")));
        }
    }
    ScriptBuf::from_bytes(script)
}

/// A number as Bitcoin Core's `CScript` pushes it.
fn push_number(script: &mut Vec<u8>, number: i64) {
    match number {
        0 => script.push(0),
        -1 => script.push(0x4f),
        1..=16 => script.push(0x50 + u8::try_from(number).expect("at most 16")),
        _ => {
            let mut bytes = number.unsigned_abs().to_le_bytes().to_vec();
            while bytes.last() == Some(&0) {
                bytes.pop();
            }
            if bytes.last().is_some_and(|last| last & 0x80 != 0) {
                bytes.push(0);
            }
            if number < 0 {
                *bytes.last_mut().expect("not zero") |= 0x80;
            }
            push(script, &bytes);
        }
    }
}

fn push(script: &mut Vec<u8>, data: &[u8]) {
    let length = data.len();
    match length {
        0..76 => script.push(u8::try_from(length).expect("short")),
        76..0x100 => script.extend([0x4c, u8::try_from(length).expect("one byte")]),
        _ => {
            script.push(0x4d);
            script.extend(u16::try_from(length).expect("two bytes").to_le_bytes());
        }
    }
    script.extend(data);
}

/// Flags by their names, with commas between them.
pub(crate) fn parse_flags(text: &str) -> ScriptFlags {
    text.split(',')
        .filter(|name| !matches!(*name, "" | "NONE"))
        .fold(ScriptFlags::NONE, |flags, name| {
            let named = ScriptFlags::NAMED.iter().find(|(known, _)| *known == name);
            flags | named.unwrap_or_else(|| panic!("flag {name}")).1
        })
}
