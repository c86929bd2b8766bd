//! One generation of each heavy dependency.

use tests::workspace;

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
