//! The SQL functions that Floodmark adds to DataFusion's.
//!
//! | function | does |
//! | --- | --- |
//! | `entropy(x)` | Shannon entropy of the values of `x`, bits, Miller–Madow |
//! | `entropy_h2(x)` | collision entropy of the values of `x`, bits, unbiased |
//! | `ip_prefix(ip, v4_bits, v6_bits)` | network of an address as text |
//! | `ip_source(ip)` | source of an address as the detector counts it |
//! | `ip_in(ip, network)` | whether an address is in a network |
//! | `fingerprint_requests('id or kind')` | the requests that an incident's fingerprint selects |

mod counts;
mod entropy;
mod entropy_groups;
mod fingerprint;
mod ip;
mod ip_text;

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::logical_expr::Documentation;
use datafusion::prelude::SessionContext;

/// Names of the functions of Floodmark, in the order of the help.
pub const NAMES: [&str; 6] =
    ["entropy", "entropy_h2", "ip_prefix", "ip_source", "ip_in", fingerprint::NAME];

/// Documentation of the table functions, which the engine does not keep.
pub(crate) fn table_functions() -> [(&'static str, &'static Documentation); 1] {
    [(fingerprint::NAME, &fingerprint::DOC)]
}

/// Makes the functions known to `context`, over its table `requests`.
pub(crate) fn register(context: &SessionContext, requests: Arc<dyn TableProvider>) {
    let function = fingerprint::FingerprintRequests { requests };
    context.register_udtf(fingerprint::NAME, Arc::new(function));
    for function in entropy::functions() {
        context.register_udaf(function);
    }
    for function in ip::functions() {
        context.register_udf(function);
    }
}
