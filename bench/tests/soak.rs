//! The soak in small: a minute of traffic of the moment, after which every line is stored once and the tables are whole.
#![cfg(test)]

use std::fs;
use std::process::Command;

#[test]
fn a_minute_of_traffic_is_stored_whole_and_told_of() {
    let out = tempfile::tempdir().unwrap();
    let mut soak = Command::new(env!("CARGO_BIN_EXE_bench"));
    soak.args(["soak", "--minutes", "1", "--rate", "300", "--out"]).arg(out.path());
    let done = soak.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let page = fs::read_to_string(out.path().join("README.md")).unwrap();
    assert!(page.contains("18000 lines sent."), "{page}");
    assert!(page.contains("| resident memory, MiB | "), "{page}");
    let plot = fs::read_to_string(out.path().join("soak.svg")).unwrap();
    assert_eq!(plot.matches("<polyline").count(), 4, "{plot}");
}
