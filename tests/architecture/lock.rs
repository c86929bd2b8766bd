//! One generation of each heavy dependency, compiled once.

use std::collections::BTreeSet;

use tests::workspace;

use crate::arrows::cargo;

#[test]
fn there_is_one_arrow_and_one_datafusion() {
    let lock = std::fs::read_to_string(workspace::root().join("Cargo.lock")).unwrap();
    for package in [
        "arrow",
        "arrow-array",
        "arrow-schema",
        "parquet",
        "datafusion",
        "deltalake-core",
        "rdkafka",
    ] {
        let versions = lock.matches(&format!("name = \"{package}\"\n")).count();
        assert_eq!(versions, 1, "versions of {package} in Cargo.lock");
    }
}

/// Dependencies with their features, of the kinds in `edges`.
fn features(edges: &str) -> BTreeSet<String> {
    let tree = ["tree", "-e", edges, "-f", "{p} {f}", "--prefix", "none", "--locked"];
    cargo(&tree).lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
}

#[test]
fn the_tests_ask_dependencies_for_no_other_features_than_the_binary() {
    // Else `cargo test` after `cargo build` would compile them a second time, which takes many minutes.
    let (build, test) = (features("normal,build"), features("normal,build,dev"));
    let twice: Vec<_> = build.difference(&test).collect();
    assert!(twice.is_empty(), "compiled twice, with other features for tests: {twice:#?}");
}
