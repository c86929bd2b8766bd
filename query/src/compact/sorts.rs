//! Sorts hold what is in their rows, and no more.
//!
//! A batch of a scan shares pages of the file with others, and the engine counts all of them for each batch that it
//! sorts: some thousand rows with many texts count as gigabytes, more than any limit, and nothing is left to spill. What
//! it has sorted and merged shares the pages of all that went in. So rows are made compact before and behind a sort, and
//! sorts of parts of the rows, which are merged, become one.

use std::fmt::Formatter;
use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode as _, TreeNodeRecursion};
use datafusion::common::{Result, plan_err};
use datafusion::execution::memory_pool::{MemoryLimit, MemoryPool};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::{CardinalityEffect, replace_children_if_necessary};
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties as _, Partitioning,
    PlanProperties,
};
use futures::StreamExt as _;

use super::compact_wasteful;

/// Makes rows compact around sorts, where memory is limited.
#[derive(Debug)]
pub(crate) struct CompactSorts {
    /// What the sorts take their memory from.
    pub(crate) memory: Arc<dyn MemoryPool>,
}

impl PhysicalOptimizerRule for CompactSorts {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if !matches!(self.memory.memory_limit(), MemoryLimit::Finite(_)) {
            return Ok(plan);
        }
        let done = plan.transform_up(|node| {
            let sorted = match node.downcast_ref::<SortExec>() {
                Some(sort) if is_one_of_several(sort) => of_all(sort, compacted(sort.input())),
                Some(sort) => {
                    let input = compacted(sort.input());
                    replace_children_if_necessary(Arc::clone(&node), vec![input])?
                }
                None => match merged(&node) {
                    Some(sort) => of_all(sort, Arc::clone(sort.input())),
                    None => return Ok(Transformed::no(node)),
                },
            };
            Ok(Transformed::yes(compacted(&sorted)))
        })?;
        Ok(done.data)
    }

    fn name(&self) -> &'static str {
        "compact_sorts"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Whether a sort could as well be one for all rows: those that spill take what memory there is when they put together
/// what they have spilled, and one that comes later, or what merges them, finds none.
fn is_one_of_several(sort: &SortExec) -> bool {
    // By hash they are dealt out for somebody who needs it so, who may read others dealt out alike.
    let is_dealt_out = matches!(sort.input().output_partitioning(), Partitioning::Hash(..));
    sort.preserve_partitioning() && sort.fetch().is_none() && !is_dealt_out
}

/// The sorts that `node` does nothing but merge, compact as they are by now.
fn merged(node: &Arc<dyn ExecutionPlan>) -> Option<&SortExec> {
    let merge = node.downcast_ref::<SortPreservingMergeExec>()?;
    let sort = merge.input().downcast_ref::<CompactExec>()?.input.downcast_ref::<SortExec>()?;
    let is_whole = merge.fetch().is_none() && sort.fetch().is_none();
    (is_whole && sort.preserve_partitioning()).then_some(sort)
}

/// `sort` of all rows together.
fn of_all(sort: &SortExec, input: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    let input = Arc::new(CoalescePartitionsExec::new(input));
    Arc::new(SortExec::new(sort.expr().clone(), input))
}

fn compacted(input: &Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    let properties = Arc::clone(input.properties());
    Arc::new(CompactExec { input: Arc::clone(input), properties })
}

/// The rows of its input, keeping nothing else alive.
#[derive(Debug)]
struct CompactExec {
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl DisplayAs for CompactExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl ExecutionPlan for CompactExec {
    fn name(&self) -> &'static str {
        "CompactExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let [input] = children.as_slice() else { return plan_err!("one input is made compact") };
        Ok(compacted(input))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let rows = self.input.execute(partition, context)?;
        let schema = rows.schema();
        let rows = rows.map(|batch| Ok(compact_wasteful(batch?)?));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }
}
