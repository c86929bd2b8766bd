//! What the engine gets wrong or does not know, put right on its plans.

mod count_keys;
mod intervals;
mod unnest;

use std::sync::Arc;

use datafusion::optimizer::AnalyzerRule;

pub(crate) use intervals::Intervals;

/// The rules that put plans right, in the order in which they do.
pub(crate) fn rules() -> [Arc<dyn AnalyzerRule + Send + Sync>; 2] {
    [Arc::new(count_keys::CountKeys::default()), Arc::new(unnest::UnnestKeys)]
}
