//! Block files in the orders and shapes that are about, and imports that are broken off.

use pyrite_chain::Chain;
use pyrite_consensus::bitcoin::Block;
use pyrite_consensus::bitcoin::consensus::serialize;

use super::*;
use crate::test_chain;

/// Blocks of a chain, and an empty chain to import them into.
struct Fixture {
    blocks: Vec<Block>,
    chain: Chain,
    directory: tempfile::TempDir,
}

impl Fixture {
    fn new(blocks: u32) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let source = test_chain::open(&directory.path().join("source"));
        let blocks = test_chain::extend(&source, blocks, 1);
        let chain = test_chain::open(&directory.path().join("database"));
        Self {
            blocks,
            chain,
            directory,
        }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.directory.path().join("blocks").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn import(&self, paths: &[PathBuf]) -> Result<ImportReport, NodeError> {
        self.import_until(paths, u64::MAX)
    }

    /// Breaks off after so many records.
    fn import_until(&self, paths: &[PathBuf], records: u64) -> Result<ImportReport, NodeError> {
        let (chain, mut seen, mut last) = (&self.chain, 0, 0);
        let spec = chain.reader.spec();
        import_block_files(spec, &chain.handle, &chain.reader, paths, &mut |progress| {
            assert!(progress.done_bytes > last && progress.done_bytes <= progress.total_bytes);
            last = progress.done_bytes;
            seen += 1;
            if seen >= records {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
    }

    fn assert_is_whole(&self) {
        let last = self.blocks.last().unwrap().block_hash();
        assert_eq!(self.chain.reader.tip().hash, last);
    }
}

fn record(block: &Block) -> Vec<u8> {
    let bytes = serialize(block);
    let length = u32::try_from(bytes.len()).unwrap().to_le_bytes();
    [&ChainSpec::regtest().magic[..], &length, &bytes].concat()
}

fn file_of<'a>(blocks: impl IntoIterator<Item = &'a Block>) -> Vec<u8> {
    blocks.into_iter().flat_map(record).collect()
}

fn obscure(bytes: &mut [u8], key: [u8; 8]) {
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte ^= key[place % 8];
    }
}

fn report(imported: u64, known: u64) -> ImportReport {
    ImportReport {
        imported,
        known,
        end: ImportEnd::Complete,
    }
}

#[test]
fn blocks_whose_parents_come_later_wait_for_them() {
    let fixture = Fixture::new(40);
    let path = fixture.write("reversed", &file_of(fixture.blocks.iter().rev()));
    assert_eq!(fixture.import(&[path]).unwrap(), report(40, 0));
    fixture.assert_is_whole();
}

#[test]
fn a_directory_as_bitcoin_cores_imports() {
    let fixture = Fixture::new(30);
    let key = [0x1b, 0, 0x7c, 0x55, 0xe0, 0x03, 0x91, 0xff];
    let (early, late) = fixture.blocks.split_at(12);
    // Later blocks first, each file with room after its blocks, all but that room obscured.
    for (name, blocks) in [("blk00000.dat", late), ("blk00001.dat", early)] {
        let mut bytes = file_of(blocks.iter().rev());
        obscure(&mut bytes, key);
        bytes.resize(bytes.len() + 200_000, 0);
        fixture.write(name, &bytes);
    }
    fixture.write("rev00000.dat", b"no blocks");
    let key_file = fixture.write("xor.dat", &key);
    let directory = [key_file.parent().unwrap().to_owned()];
    assert_eq!(fixture.import(&directory).unwrap(), report(30, 0));
    fixture.assert_is_whole();

    // Another key makes it no file of ours.
    std::fs::write(&key_file, [1; 8]).unwrap();
    let error = fixture.import(&directory).unwrap_err().to_string();
    assert!(error.contains("blk00000.dat at byte 0: magic"), "{error}");
    std::fs::write(&key_file, [1; 7]).unwrap();
    let error = fixture.import(&directory).unwrap_err().to_string();
    assert!(error.contains("xor.dat: 7 bytes"), "{error}");
}

#[test]
fn an_import_that_was_broken_off_goes_on_where_it_was() {
    let fixture = Fixture::new(20);
    let path = [fixture.write("blocks", &file_of(&fixture.blocks))];
    let broken_off = fixture.import_until(&path, 7).unwrap();
    let expected = ImportReport {
        end: ImportEnd::Interrupted,
        ..report(7, 0)
    };
    assert_eq!(broken_off, expected);
    assert_eq!(fixture.chain.reader.tip().height.0, 7);
    assert_eq!(fixture.import(&path).unwrap(), report(13, 7));
    fixture.assert_is_whole();
}

#[test]
fn a_block_whose_parent_never_comes_is_named() {
    let fixture = Fixture::new(6);
    let (before, after) = (&fixture.blocks[..2], &fixture.blocks[3..]);
    let path = fixture.write("gap", &file_of(before.iter().chain(after)));
    let offset = file_of(before).len();
    let error = fixture.import(&[path]).unwrap_err().to_string();
    let parent = fixture.blocks[2].block_hash().to_string();
    for part in [
        &format!("gap at byte {offset}: "),
        "prev-blk-not-found",
        &parent,
        "2 more",
    ] {
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(fixture.chain.reader.tip().height.0, 2, "the rest is kept");
}

#[test]
fn damage_is_named_with_its_place_and_what_came_before_is_kept() {
    let fixture = Fixture::new(5);
    let good = file_of(&fixture.blocks);
    let third = file_of(&fixture.blocks[..2]).len();
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        let path = fixture.write("damaged", &bytes);
        fixture.import(&[path]).unwrap_err().to_string()
    };
    let at_third = format!("damaged at byte {third}: ");
    let error = with(&|bytes| bytes[third + 5] ^= 0x80);
    assert!(error.contains(&at_third), "{error}");
    let error = with(&|bytes| bytes[third + 100] ^= 1);
    assert!(error.contains(&at_third), "{error}");
    let error = with(&|bytes| bytes.truncate(third + 90));
    assert!(
        error.contains(&at_third) && error.contains("the file ends in a block"),
        "{error}"
    );
    let error = with(&|bytes| bytes.truncate(third + 3));
    assert!(
        error.contains(&at_third) && error.contains("the file ends in a record"),
        "{error}"
    );
    assert_eq!(fixture.chain.reader.tip().height.0, 2);
}

#[test]
fn an_empty_directory_and_a_missing_file_are_named() {
    let fixture = Fixture::new(1);
    let key = fixture.write("xor.dat", &[0; 8]);
    let directory = key.parent().unwrap().to_owned();
    let error = fixture.import(&[directory]).unwrap_err().to_string();
    assert!(error.contains("no block file"), "{error}");
    let missing = fixture.directory.path().join("missing");
    let error = fixture.import(&[missing]).unwrap_err().to_string();
    assert!(error.contains("missing"), "{error}");
}
