//! Who depends on whom.

use std::process::Command;

use expect_test::expect;
use serde_json::Value;
use tests::workspace;

use crate::tidy::rust_files;

/// Standard output of `cargo ARGS`.
pub(crate) fn cargo(args: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output =
        Command::new(cargo).args(args).current_dir(workspace::root()).output().expect("cargo runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {args:?}: {stderr}");
    String::from_utf8(output.stdout).expect("cargo speaks UTF-8")
}

/// Each dependency of a crate of the workspace on another, such as `cli -> lake`; `kind` is `None` for those of the
/// crate itself and `dev` for those of its tests.
fn arrows(kind: Option<&str>) -> String {
    let metadata = cargo(&["metadata", "--no-deps", "--locked", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&metadata).expect("cargo metadata is JSON");
    let mut arrows = Vec::new();
    for package in metadata["packages"].as_array().expect("packages") {
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            if dependency["path"].is_string() && dependency["kind"].as_str() == kind {
                let [from, to] = [&package["name"], &dependency["name"]].map(Value::as_str);
                arrows.push(format!("{} -> {}\n", from.expect("a name"), to.expect("a name")));
            }
        }
    }
    arrows.sort();
    arrows.concat()
}

#[test]
fn arrows_point_down() {
    expect![[r#"
        bench -> cli
        bench -> decode
        bench -> detect
        bench -> ingest
        bench -> lake
        bench -> sample-data
        bench -> schemas
        cli -> decode
        cli -> detect
        cli -> ingest
        cli -> lake
        cli -> query
        cli -> sample-data
        cli -> schemas
        cli -> serve
        decode -> schemas
        detect -> schemas
        ingest -> decode
        ingest -> schemas
        lake -> schemas
        query -> detect
        query -> lake
        query -> schemas
        serve -> query
        serve -> schemas
    "#]]
    .assert_eq(&arrows(None));
}

#[test]
fn tests_of_a_crate_need_no_more_than_the_crate() {
    expect![""].assert_eq(&arrows(Some("dev")));
}

#[test]
fn decoding_and_detection_do_no_input_or_output() {
    for name in ["decode", "detect"] {
        let tree = cargo(&["tree", "-p", name, "-e", "normal", "--prefix", "none", "--locked"]);
        assert!(tree.starts_with(name), "{tree}");
        let crates: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
        for absent in [
            "tokio",
            "rdkafka",
            "rdkafka-sys",
            "maxminddb",
            "deltalake",
            "deltalake-core",
            "datafusion",
            "object_store",
        ] {
            assert!(!crates.contains(&absent), "{name} depends on {absent}:\n{tree}");
        }
    }
}

/// What is in `std` shows in no list of crates.
#[test]
fn decoding_asks_nothing_of_the_system() {
    let outside =
        ["std::fs", "std::io", "std::thread", "std::process", "Instant::now", "SystemTime"];
    let decoding = rust_files().into_iter().filter(|(file, _)| file.starts_with("decode/src"));
    let mut files = 0;
    for (file, text) in decoding {
        files += 1;
        for name in outside {
            assert!(!text.contains(name), "{}: {name}", file.display());
        }
    }
    assert!(files > 0, "nothing was looked at");
}
