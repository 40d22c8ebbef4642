//! `pyrite export` and `pyrite import`: a chain leaves a data directory and comes into another one.

use std::path::Path;
use std::process::Output;

use crate::command_line::{failure, pyrite};

/// Makes a chain of signed payments in a file, without the genesis block.
pub(crate) fn make_chain(file: &Path, blocks: &str) {
    let file = file.to_str().unwrap();
    let output = pyrite(&[
        "bench",
        "make-chain",
        "--seed",
        "4",
        "--blocks",
        blocks,
        "--payments",
        "3",
        file,
    ]);
    assert!(output.status.success(), "{output:?}");
}

/// Runs a command on a regtest data directory.
pub(crate) fn on(data_dir: &Path, command: &str, args: &[&str]) -> Output {
    let data_dir = data_dir.to_str().unwrap();
    let base = [command, "--chain", "regtest", "--data-dir", data_dir];
    pyrite(&[&base[..], args].concat())
}

/// The first lines of a program that did its work.
pub(crate) fn success(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_chain_is_exported_as_it_was_imported() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let text = |name: &str| path(name).to_str().unwrap().to_owned();
    make_chain(&path("made"), "130");
    let data = path("data");
    let line = failure(&on(&data, "export", &[&text("none")]));
    assert!(line.contains("no blocks of chain regtest"), "{line}");
    let told = success(&on(&data, "import", &[&text("made")]));
    assert!(told.contains("130 blocks imported, 0 known"), "{told}");

    let told = success(&on(&data, "export", &["--from", "1", &text("whole")]));
    assert!(told.contains("130 blocks"), "{told}");
    let made = std::fs::read(path("made")).unwrap();
    assert_eq!(std::fs::read(path("whole")).unwrap(), made);

    // A file is not written over by accident.
    let line = failure(&on(&data, "export", &["--to", "9", &text("whole")]));
    assert!(line.contains("--force"), "{line}");
    assert_eq!(std::fs::read(path("whole")).unwrap(), made);
    let part = ["--force", "--from", "1", "--to", "9", &text("whole")];
    success(&on(&data, "export", &part));
    let part = std::fs::read(path("whole")).unwrap();
    assert!(part.len() < made.len() && made.starts_with(&part));

    for (args, reason) in [
        (["--to", "131"], "to: 131 is above the tip, at height 130"),
        (["--from", "131"], "from: 131 is above 130"),
    ] {
        let line = failure(&on(&data, "export", &[args[0], args[1], &text("none")]));
        assert!(line.contains(reason), "{line}");
    }
    assert!(!path("none").exists() && !path("none.partial").exists());

    // With the genesis block, into a new directory; and the part first.
    success(&on(&data, "export", &[&text("all")]));
    let other = path("other");
    let told = success(&on(&other, "import", &[&text("whole"), &text("all")]));
    assert!(
        told.contains("2 files: 130 blocks imported, 10 known already"),
        "{told}"
    );
}

#[test]
fn scripts_that_are_assumed_to_be_valid_are_not_verified() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("made");
    make_chain(&file, "130");
    let file = file.to_str().unwrap();
    let data = directory.path().join("data");
    let told = success(&on(&data, "import", &[file]));
    let tip = told.lines().last().unwrap().rsplit(' ').next().unwrap();

    // How long scripts took tells whether any was verified.
    let script_seconds = |options: &[&str]| {
        let dir = directory.path().join("bench");
        let bench = ["bench", "import", "--json", "--dir", dir.to_str().unwrap()];
        let output = pyrite(&[&bench[..], options, &[file]].concat());
        let figures: serde_json::Value = serde_json::from_str(&success(&output)).unwrap();
        assert_eq!(figures["blocks"], 130);
        figures["script_seconds"].as_f64().unwrap()
    };
    assert!(script_seconds(&[]) > 0.0);
    assert!(script_seconds(&["--assume-valid", tip]) <= 0.0);

    let other = directory.path().join("other");
    let nobody = "00".repeat(32);
    let output = on(&other, "import", &["--assume-valid", &nobody, file]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("all scripts are verified"), "{stderr}");
    assert!(success(&output).contains("130 blocks imported"));
}
