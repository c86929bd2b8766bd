//! Who depends on whom.

use std::process::Command;

use expect_test::expect;
use serde_json::Value;
use tests::workspace;

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
        bench -> detect
        bench -> ingest
        bench -> lake
        bench -> sample-data
        bench -> schemas
        cli -> detect
        cli -> ingest
        cli -> lake
        cli -> query
        cli -> sample-data
        cli -> schemas
        detect -> schemas
        ingest -> schemas
        lake -> schemas
        query -> detect
        query -> schemas
    "#]]
    .assert_eq(&arrows(None));
}

#[test]
fn tests_of_a_crate_need_no_more_than_the_crate() {
    expect![""].assert_eq(&arrows(Some("dev")));
}

#[test]
fn detection_does_no_input_or_output() {
    let tree = cargo(&["tree", "-p", "detect", "-e", "normal", "--prefix", "none", "--locked"]);
    assert!(tree.starts_with("detect "), "{tree}");
    let crates: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    for absent in [
        "tokio",
        "rdkafka",
        "rdkafka-sys",
        "deltalake",
        "deltalake-core",
        "datafusion",
        "object_store",
    ] {
        assert!(!crates.contains(&absent), "detect depends on {absent}:\n{tree}");
    }
}
