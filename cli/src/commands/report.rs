//! The closing line on stderr.

use std::io::{self, Write};

use schemas::text::thousands;

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
        if totals.clients.unconfigured > 0 {
            tracing::info!(
                "{} requests carry X-Forwarded-For or the like; if they come through proxies of yours, name these with \
                 --trusted-proxy: until then `client_ip` is the proxy",
                thousands(totals.clients.unconfigured)
            );
        }
        // A closed stderr is no reason to fail after the work is done.
        let _ = writeln!(io::stderr(), "{command}: {}; tables in {data}", totals.summary());
    }
}
