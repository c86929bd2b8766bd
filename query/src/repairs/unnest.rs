//! Rows that `unnest` multiplies.
//!
//! `GROUP BY host` makes `host` a key of its rows. The engine takes it for a key of what `unnest` makes of them, too, where
//! it is there as often as its list is long, and leaves a DISTINCT of it out.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{FunctionalDependencies, Result};
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::AnalyzerRule;

/// Forgets keys of rows that are multiplied.
#[derive(Debug)]
pub(super) struct UnnestKeys;

impl AnalyzerRule for UnnestKeys {
    fn name(&self) -> &'static str {
        "unnest_keys"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let mut multiplies = false;
        plan.apply_with_subqueries(|plan| {
            multiplies |= matches!(plan, LogicalPlan::Unnest(_));
            Ok(TreeNodeRecursion::Continue)
        })?;
        if !multiplies {
            return Ok(plan);
        }
        let forgotten = plan.transform_up_with_subqueries(|plan| {
            let LogicalPlan::Unnest(mut unnest) = plan else {
                // Keys are handed on.
                return plan.recompute_schema().map(Transformed::yes);
            };
            let schema = unnest.schema.as_ref().clone();
            let schema = schema.with_functional_dependencies(FunctionalDependencies::empty())?;
            unnest.schema = Arc::new(schema);
            Ok(Transformed::yes(LogicalPlan::Unnest(unnest)))
        });
        forgotten.map(|plan| plan.data)
    }
}
