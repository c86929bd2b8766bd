//! Lines to feed in.

use std::path::PathBuf;

use crate::workspace;

/// The folder of the sample that is shipped with the project.
pub fn folder() -> PathBuf {
    workspace::root().join("sample-data").join("files")
}

/// One line of ordinary traffic in the `combined` format, without its line feed: request `n`, a second after `n - 1`.
pub fn combined(n: u32) -> String {
    let (minute, second) = (n / 60 % 60, n % 60);
    let hour = n / 3600 % 24;
    let client = n % 50 + 1;
    let page = n % 7;
    format!(
        "192.0.2.{client} - - [14/Nov/2025:{hour:02}:{minute:02}:{second:02} +0000] \
         \"GET /page/{page}?n={n} HTTP/1.1\" 200 {} \"-\" \"Mozilla/5.0 (X11; Linux x86_64)\"",
        512 + n % 100
    )
}

/// `lines` lines of [`combined`] traffic, each with its line feed.
pub fn combined_log(lines: u32) -> String {
    (0..lines).map(|n| combined(n) + "\n").collect()
}
