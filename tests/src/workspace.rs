//! Where things are.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The folder of the workspace.
pub fn root() -> &'static Path {
    // Told when the test runs: checkouts may share the folder that is built into.
    static PACKAGE: OnceLock<PathBuf> = OnceLock::new();
    let package = PACKAGE.get_or_init(|| {
        std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo starts the tests").into()
    });
    package.parent().expect("the package lies in the workspace")
}

/// The folder that cargo builds into: where the test that is running was built.
pub fn target() -> PathBuf {
    let test = std::env::current_exe().expect("a process knows its executable");
    // TARGET/PROFILE/deps/TEST
    test.ancestors().nth(3).expect("tests are built three folders deep").to_owned()
}

/// A prepared part: the folder named by `variable`, or the newest `NAME-…` in the cache of `tests/run`.
pub(crate) fn part(variable: &str, name: &str) -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os(variable) {
        return Some(PathBuf::from(folder)).filter(|folder| folder.is_dir());
    }
    let modified = |path: &PathBuf| path.metadata().and_then(|of| of.modified()).ok();
    std::fs::read_dir(cache()?)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let file_name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            file_name.split_once('-').is_some_and(|(stem, version)| {
                stem == name && version.chars().all(|c| c.is_ascii_digit())
            })
        })
        .max_by_key(modified)
}

/// The cache folder of `tests/run`.
fn cache() -> Option<PathBuf> {
    let named = |variable| std::env::var_os(variable).map(PathBuf::from);
    named("FLOODMARK_TEST_CACHE").or_else(|| {
        let caches =
            named("XDG_CACHE_HOME").or_else(|| named("HOME").map(|home| home.join(".cache")))?;
        Some(caches.join("floodmark-tests"))
    })
}
