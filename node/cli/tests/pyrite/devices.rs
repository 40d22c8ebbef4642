//! `pyrite devices`, with OpenCL and without.

use std::process::Command;

use serde_json::Value;

use crate::command_line::{failure, pyrite};
use crate::support::binary;

/// A directory in which the loader finds a file that is no library in the place of OpenCL's.
fn without_opencl() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("libOpenCL.so.1"), "no library").unwrap();
    directory
}

fn pyrite_without_opencl(args: &[&str]) -> std::process::Output {
    let directory = without_opencl();
    Command::new(binary())
        .args(args)
        .env("LD_LIBRARY_PATH", directory.path())
        .env_remove("OPENCL_DYLIB_PATH")
        .output()
        .unwrap()
}

#[test]
fn a_machine_without_opencl_lists_its_processor() {
    let output = pyrite_without_opencl(&["devices", "--json"]);
    assert!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["processor"]["threads"].as_u64().unwrap() > 0);
    let kernels = report["processor"]["kernels"].as_array().unwrap();
    assert!(kernels.contains(&"sha2".into()), "{kernels:?}");
    assert_eq!(report["opencl"]["devices"], Value::Array(Vec::new()));
    let problem = report["opencl"]["problem"].as_str().unwrap();
    assert!(problem.starts_with("no OpenCL library"), "{problem}");

    let output = pyrite_without_opencl(&["devices"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("OpenCL: no OpenCL library"), "{text}");

    let bench = ["bench", "mine", "--devices", "opencl", "--seconds", "0.01"];
    let line = failure(&pyrite_without_opencl(&bench));
    assert!(line.contains("no OpenCL library"), "{line}");
}

#[test]
fn opencl_devices_are_listed_and_measured() {
    let output = pyrite(&["devices", "--json"]);
    assert!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let devices = report["opencl"]["devices"].as_array().unwrap();
    if devices.is_empty() {
        let problem = &report["opencl"]["problem"];
        assert!(std::env::var_os("CI").is_none(), "no OpenCL: {problem}");
        eprintln!("skipped: no OpenCL device ({problem}; `make setup` installs PoCL)");
        return;
    }
    assert_eq!(report["opencl"]["problem"], Value::Null);
    assert_eq!(devices[0]["name"], "opencl0");
    assert!(devices[0]["memory_bytes"].as_u64().unwrap() > 0);
    let text = String::from_utf8(pyrite(&["devices"]).stdout).unwrap();
    let name = devices[0]["device"].as_str().unwrap();
    assert!(text.contains(&format!("opencl0: {name}")), "{text}");

    let bench = [
        "bench",
        "mine",
        "--devices",
        "opencl",
        "--seconds",
        "0.05",
        "--json",
    ];
    let output = pyrite(&bench);
    assert!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["kernels"], Value::Array(Vec::new()));
    let measured = report["opencl"].as_array().unwrap();
    assert_eq!(measured.len(), devices.len());
    assert!(measured[0]["mh_s"].as_f64().unwrap() > 0.0);
    assert!(
        measured[0]["kernel"]
            .as_str()
            .unwrap()
            .starts_with("opencl-v")
    );
}
