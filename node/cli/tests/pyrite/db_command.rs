//! `pyrite db`: a whole database and damaged ones.

use std::path::{Path, PathBuf};

use crate::command_line::{failure, pyrite};

/// A data directory with a chain of regtest.
fn make_chain(directory: &Path) -> PathBuf {
    let file = directory.join("blocks");
    let file = file.to_str().unwrap();
    let count = ["--blocks", "120", "--payments", "5"];
    let make = [&["bench", "make-chain"][..], &count, &[file]].concat();
    let data_dir = directory.join("data");
    let import = ["import", "--chain", "regtest", "--data-dir"];
    let import = [&import[..], &[data_dir.to_str().unwrap(), file]].concat();
    for arguments in [make, import] {
        let output = pyrite(&arguments);
        assert!(output.status.success(), "{output:?}");
    }
    data_dir
}

fn check(data_dir: &Path, options: &[&str]) -> std::process::Output {
    let directory = data_dir.to_str().unwrap();
    let check = ["db", "check", "--chain", "regtest", "--data-dir", directory];
    pyrite(&[&check[..], options].concat())
}

#[test]
fn a_whole_database_passes_and_a_flipped_byte_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = make_chain(directory.path());
    for level in ["0", "4"] {
        let output = check(&data_dir, &["--level", level, "--replay"]);
        assert!(output.status.success(), "{output:?}");
        let words = String::from_utf8(output.stdout).unwrap();
        for expected in [
            "table blocks: 121 records, whole",
            &format!("the last 120 are whole at level {level}"),
            "those of a replay of the chain",
            "height 120",
        ] {
            assert!(words.contains(expected), "{words}");
        }
    }

    let database = data_dir.join("regtest").join("database");
    let files = std::fs::read_dir(&database).unwrap();
    let files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    let mut tried = 0;
    for file in files {
        let is_table = file.extension().is_some_and(|extension| extension == "sst");
        if !is_table || !file.exists() {
            continue;
        }
        let whole = std::fs::read(&file).unwrap();
        let mut damaged = whole.clone();
        damaged[20] ^= 1;
        std::fs::write(&file, &damaged).unwrap();
        let refusal = failure(&check(&data_dir, &[]));
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(refusal.contains(name), "{refusal}");
        assert!(refusal.contains("--reindex"), "{refusal}");
        std::fs::write(&file, &whole).unwrap();
        tried += 1;
    }
    assert!(tried > 0, "there are files of tables");
}

#[test]
fn what_can_t_be_checked_is_told_without_a_way_back() {
    let directory = tempfile::tempdir().unwrap();
    let refusal = failure(&check(directory.path(), &[]));
    assert!(refusal.contains("there is no database"), "{refusal}");
    assert!(!refusal.contains("--reindex"), "{refusal}");
}
