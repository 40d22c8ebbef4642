//! `pyrite bench`: a chain is made and imported, kernels are measured.

use serde_json::Value;

use crate::command_line::{failure, pyrite};

#[test]
fn a_chain_is_made_the_same_again_and_imported() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let make = |seed: &str, file: &str| {
        let count = ["--blocks", "130", "--payments", "20"];
        pyrite(
            &[
                &["bench", "make-chain", "--seed", seed][..],
                &count,
                &[file],
            ]
            .concat(),
        )
    };
    for (seed, name) in [("7", "one"), ("7", "same"), ("8", "other")] {
        let output = make(seed, &path(name));
        assert!(output.status.success(), "{output:?}");
    }
    let read = |name| std::fs::read(path(name)).unwrap();
    assert_eq!(read("one"), read("same"));
    assert_ne!(read("one"), read("other"));
    assert!(failure(&make("7", &path("one"))).contains(&path("one")));

    let database = path("database");
    let import = [
        "bench",
        "import",
        "--json",
        "--dir",
        &database,
        &path("one"),
    ];
    let output = pyrite(&import);
    assert!(output.status.success(), "{output:?}");
    let figures: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(figures["blocks"], 130);
    // Coins can be spent from block 101 on.
    assert_eq!(figures["transactions"], 130 + 30 * 20);
    assert!(figures["script_seconds"].as_f64() > Some(0.0));
    assert!(!directory.path().join("database").exists());

    std::fs::create_dir(&database).unwrap();
    let refused = failure(&pyrite(&import));
    assert!(refused.contains("exists already"), "{refused}");
    assert!(directory.path().join("database").exists());
}

#[test]
fn kernels_are_measured() {
    let output = pyrite(&["bench", "mine", "--json", "--seconds", "0.02"]);
    assert!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["baseline_mh_s"].as_f64() > Some(0.0));
    let kernels = report["kernels"].as_array().unwrap();
    assert_eq!(
        (&kernels[0]["name"], &kernels[0]["threads"]),
        (&"sha2".into(), &1.into())
    );
    assert!(
        kernels
            .iter()
            .all(|kernel| kernel["mh_s"].as_f64() > Some(0.0))
    );

    let one = ["--kernel", "sha2", "--threads", "3", "--seconds", "0.02"];
    let output = pyrite(&[&["bench", "mine", "--json"][..], &one].concat());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["kernels"].as_array().unwrap().len(), 1);
    assert_eq!(report["kernels"][0]["threads"], 3);

    let refused = failure(&pyrite(&["bench", "mine", "--kernel", "abacus"]));
    assert!(
        refused.contains("abacus") && refused.contains("sha2"),
        "{refused}"
    );
    for wrong in [["--seconds", "0"], ["--threads", "0"]] {
        let refused = failure(&pyrite(&[&["bench", "mine"][..], &wrong].concat()));
        assert!(refused.contains(wrong[0]), "{refused}");
    }
}

fn figures(args: &[&str]) -> Value {
    let output = pyrite(args);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_node_takes_all_payments_that_are_sent_to_it() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    for script in ["wpkh", "taproot"] {
        let figures = figures(&[
            "bench",
            "mempool",
            "--json",
            "--transactions=90",
            "--connections=1,4",
            "--script",
            script,
            "--dir",
            data.to_str().unwrap(),
        ]);
        let rounds = figures["rounds"].as_array().unwrap();
        assert_eq!(rounds.len(), 2);
        for (round, connections) in rounds.iter().zip([1, 4]) {
            assert_eq!(round["connections"], connections);
            assert_eq!(round["latency"]["count"], 90);
            assert!(round["per_second"].as_f64() > Some(0.0));
        }
        assert!(!data.exists());
    }
}

#[test]
fn a_flood_fills_the_mempool_and_goes_on_after_blocks() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let figures = figures(&[
        "bench",
        "flood",
        "--json",
        "--seconds=5",
        "--block-every=1",
        "--connections=2",
        "--coins=400",
        "--mempool-mb=1",
        "--dir",
        data.to_str().unwrap(),
    ]);
    let number = |name: &str| figures[name].as_u64().unwrap();
    let refused = figures["refused"].as_object().unwrap();
    let refusals: u64 = refused.values().filter_map(Value::as_u64).sum();
    assert_eq!(number("sent"), number("accepted") + refusals);
    // More than the coins can pay for at once: blocks made room.
    assert!(number("accepted") > 4 * 400, "{figures}");
    assert!(figures["blocks"]["count"].as_u64() > Some(0), "{figures}");
    assert!(
        refused.contains_key("bad-txns-inputs-missingorspent"),
        "{figures}"
    );
    assert!(number("mempool_peak_transactions") > 0, "{figures}");
    assert!(
        number("mempool_peak_bytes") <= number("mempool_bound_bytes"),
        "{figures}"
    );
    assert!(figures["calls"]["count"].as_u64() > Some(0), "{figures}");
    assert!(!data.exists());
}
