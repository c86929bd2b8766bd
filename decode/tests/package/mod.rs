//! Where the files of this package are, told when a test runs: checkouts may share the folder that is built into.

use std::path::PathBuf;

/// The folder of the package.
pub fn folder() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo starts the tests").into()
}

/// The logs of `conformance`, in order.
pub fn logs() -> Vec<PathBuf> {
    let mut logs: Vec<_> = std::fs::read_dir(folder().join("tests/conformance"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    logs.sort();
    logs
}
