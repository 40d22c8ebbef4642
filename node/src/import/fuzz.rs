//! Fuzz target: the records of block files.

use bolero::check;
use pyrite_consensus::bitcoin::consensus::serialize;
use pyrite_fuzzing::Damage;

use super::*;

#[test]
fn fuzz_block_file() {
    let spec = ChainSpec::regtest();
    let block = serialize(&spec.genesis_block());
    let length = u32::try_from(block.len()).unwrap().to_le_bytes();
    let record = [&spec.magic[..], &length, &block].concat();
    check!()
        .with_type::<(Damage, Damage)>()
        .for_each(|(one, other)| {
            let file = [one.apply(record.clone()), other.apply(record.clone())].concat();
            let (mut rest, mut blocks) = (&file[..], 0);
            while !rest.is_empty() {
                let before = rest;
                match read_record(&spec, &mut rest) {
                    Ok(bytes) => {
                        let used = before.len() - rest.len();
                        assert_eq!(bytes, before[8..used]);
                        assert_eq!(before[..4], spec.magic);
                        if let Ok(block) = deserialize::<Block>(&bytes) {
                            assert_eq!(serialize(&block), bytes);
                            let _ = check_block(&spec, &block.into());
                        }
                        blocks += 1;
                    }
                    Err(reason) => {
                        assert!(!reason.is_empty());
                        break;
                    }
                }
            }
            let whole = usize::from(one.is_none()) + usize::from(one.is_none() && other.is_none());
            assert!(blocks >= whole, "{blocks} blocks");
        });
}
