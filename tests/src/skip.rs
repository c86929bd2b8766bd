//! Tests whose part this machine lacks.

use std::fs::OpenOptions;
use std::io::Write;

/// A part that is not there, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing(pub String);

/// The part, or `None` when the test that asks must be skipped: then it is named on standard error and in the
/// list that `tests/run` sums up in its last line.
///
/// # Panics
/// With `CI=true`, where every part is required.
#[expect(clippy::print_stderr, reason = "a skip is said even where nobody collects the list")]
pub fn or_skip<T>(part: Result<T, Missing>) -> Option<T> {
    let Missing(why) = match part {
        Ok(part) => return Some(part),
        Err(missing) => missing,
    };
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "{test} needs a part that is missing, and CI=true requires every part: {why}"
    );
    eprintln!("skipped: {test} ({why})");
    if let Some(list) = std::env::var_os("FLOODMARK_TEST_SKIPS") {
        let mut list = OpenOptions::new().append(true).create(true).open(list).unwrap();
        list.write_all(format!("{test}\t{why}\n").as_bytes()).unwrap();
    }
    None
}
