//! The SQL functions that Floodmark adds to DataFusion's.
//!
//! | function | does |
//! | --- | --- |
//! | `entropy(x)` | Shannon entropy of the values of `x`, bits, Miller–Madow |
//! | `entropy_h2(x)` | collision entropy of the values of `x`, bits, unbiased |
//! | `ip_prefix(ip, v4_bits, v6_bits)` | network of an address as text |
//! | `ip_source(ip)` | source of an address as the detector counts it |
//! | `ip_in(ip, network)` | whether an address is in a network |
//! | `json_get(json, key)`, `json_text(json, key)` | a part of JSON in a text, also `->` and `->>` |
//! | `json_elements(json)`, `json_length(json)` | the elements of a list, and how many |
//! | `mode()`, `percentile_disc(0.5)` `WITHIN GROUP (ORDER BY x)` | the most frequent value; the one at a share of all |
//! | `to_char(ts, 'YYYY-MM-DD')`, `to_timestamp`, `to_date` | the engine's own, with templates of PostgreSQL as well |
//! | `timeline('network')` | requests of an address or network, with pauses |
//! | `sessions('network', minutes)` | its visits |
//! | `fingerprint_requests('id or kind')` | the requests that an incident's fingerprint selects |

mod counts;
mod entropy;
mod entropy_groups;
mod fingerprint;
mod histogram;
mod ip;
mod ip_text;
mod json;
mod ordered;
pub(crate) mod over;
mod template;
mod visits;

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::execution::FunctionRegistry as _;
use datafusion::logical_expr::{AggregateUDF, Documentation};
use datafusion::prelude::SessionContext;

use crate::repairs::Intervals;

/// Names of the functions of Floodmark, in the order of the help.
pub const NAMES: [&str; 12] = [
    "entropy",
    "entropy_h2",
    "ip_prefix",
    "ip_source",
    "ip_in",
    "json_get",
    "json_text",
    "json_elements",
    "json_length",
    fingerprint::NAME,
    "timeline",
    "sessions",
];

/// Documentation of the table functions, which the engine does not keep.
pub(crate) fn table_functions() -> Vec<(&'static str, &'static Documentation)> {
    let visits = visits::NAMES.into_iter().zip(visits::DOCS.iter());
    visits.chain([(fingerprint::NAME, &*fingerprint::DOC)]).collect()
}

/// Functions that put rows together.
pub(crate) fn aggregates() -> impl Iterator<Item = Arc<AggregateUDF>> {
    entropy::functions().into_iter().chain(ordered::functions()).map(Arc::new)
}

/// Makes the functions known to `context`, over its table `requests`.
pub(crate) fn register(
    context: &SessionContext,
    requests: Arc<dyn TableProvider>,
) -> datafusion::common::Result<()> {
    let function = fingerprint::FingerprintRequests { requests };
    context.register_udtf(fingerprint::NAME, Arc::new(function));
    for (name, function) in
        visits::NAMES.into_iter().zip([visits::Visits::Timeline, visits::Visits::Sessions])
    {
        context.register_udtf(name, Arc::new(function));
    }
    for function in aggregates() {
        context.register_udaf(Arc::unwrap_or_clone(function));
    }
    for function in ip::functions().into_iter().chain(json::functions()) {
        context.register_udf(function);
    }
    for function in template::over(|name| context.udf(name).ok()) {
        context.register_udf(function);
    }
    let state = context.state_ref();
    state.write().register_expr_planner(Arc::new(Intervals))?;
    // Names of the operators `->` and `->>`.
    state.write().register_expr_planner(Arc::new(json::Operators))
}
