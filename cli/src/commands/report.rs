//! The closing line on stderr.

use std::io::{self, Write};

use crate::pipeline::Totals;

/// Says what was read, what was found and where it is.
pub fn summary(quiet: bool, command: &str, totals: &Totals, data: &str) {
    if !quiet {
        if totals.requests == 0 && totals.rejects > 0 {
            tracing::warn!(
                "no line was an access record of a known format; name one with --format (cloudflare, combined, \
                 nginx_json, …, or a log_format string); the lines are in the table `rejects`"
            );
        }
        // A closed stderr is no reason to fail after the work is done.
        let _ = writeln!(io::stderr(), "{command}: {}; tables in {data}", totals.summary());
    }
}
