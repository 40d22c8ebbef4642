//! Fuzz target: blocks of RocksDB's logs.

use bolero::{TypeGenerator, check, produce};
use pyrite_fuzzing::Damage;

use super::*;

/// A record to write.
#[derive(Clone, Debug, TypeGenerator)]
struct Record {
    #[generator(0..13_u8)]
    kind: u8,
    length: u8,
}

#[test]
fn fuzz_log_block() {
    let records = produce::<Vec<Record>>().with().len(0..20_usize);
    check!()
        .with_generator((records, produce::<Damage>()))
        .for_each(|(records, damage)| {
            let mut block = Vec::new();
            let mut expected = None;
            for record in records {
                // A type of zero without content is the end of what was written.
                if expected.is_none() && record.kind == 0 && record.length == 0 {
                    expected = Some(None);
                }
                if expected.is_none() && is_reused_type(record.kind) {
                    expected = Some(Some(block.len()));
                }
                let mut checked = vec![record.kind];
                checked.extend(vec![0x05; usize::from(record.length)]);
                block.extend(masked_crc32c(&checked).to_le_bytes());
                block.extend(u16::from(record.length).to_le_bytes());
                block.extend(checked);
            }
            let block = damage.apply(block);
            let found = find_flaw(&block);
            if damage.is_none() {
                assert_eq!(found.map(|flaw| flaw.offset), expected.flatten());
            }
        });
}
