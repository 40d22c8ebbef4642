//! Fuzz target: the records of block files.

use std::io;

use bolero::check;
use pyrite_consensus::bitcoin::consensus::serialize;
use pyrite_fuzzing::Damage;

use super::block_file::ReadAt;
use super::*;

impl ReadAt for Vec<u8> {
    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        let start = usize::try_from(offset).unwrap();
        let found = self
            .get(start..start + bytes.len())
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        bytes.copy_from_slice(found);
        Ok(())
    }
}

#[test]
fn fuzz_block_file() {
    let spec = ChainSpec::regtest();
    let block = serialize(&spec.genesis_block());
    let length = u32::try_from(block.len()).unwrap().to_le_bytes();
    let record = [&spec.magic[..], &length, &block].concat();
    check!()
        .with_type::<(Damage, Damage)>()
        .for_each(|(one, other)| {
            let bytes = [one.apply(record.clone()), other.apply(record.clone())].concat();
            let length = bytes.len() as u64;
            let file = BlockFile::new(bytes.clone(), length);
            let (mut offset, mut blocks) = (0, 0);
            loop {
                match file.record_at(&spec, offset) {
                    Ok(Some(found)) => {
                        assert!(found.offset >= offset && found.end() <= length);
                        let (start, end) = (found.offset as usize, found.end() as usize);
                        assert_eq!(bytes[start..start + 4], spec.magic);
                        if let Ok(block) = file.block(&spec, &found) {
                            assert_eq!(serialize(&**block.block()), bytes[start + 8..end]);
                            assert_eq!(block.header, found.header);
                        }
                        offset = found.end();
                        blocks += 1;
                    }
                    Ok(None) => break,
                    Err((place, reason)) => {
                        assert!(place >= offset && place <= length && !reason.is_empty());
                        break;
                    }
                }
            }
            let whole = usize::from(one.is_none()) + usize::from(one.is_none() && other.is_none());
            assert!(blocks >= whole, "{blocks} blocks");
        });
}
