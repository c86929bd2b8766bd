//! A query whose answer nobody waits for any more stops, wherever in its plan it is.
//!
//! The engine's operators give way where they wait for rows of a table. A product of tables has its rows at hand: it is
//! made to give way after some batches. A join whose condition hardly ever holds has none to give for as long as it takes:
//! its condition fails once the answer is dropped. That can be dropped at any time, for it is made by a task of its own,
//! and whoever waits for a key or a connection gets to run, for such a join leaves its thread's place in the runtime to
//! another.

use std::fmt::{Display, Formatter};
use std::hash::{Hash, Hasher};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::task::{Context, Poll};
use std::time::Duration;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TreeNode as _};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{ColumnarValue, JoinType};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::lit;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::execution_plan::CardinalityEffect;
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::joins::{
    HashJoinExec, NestedLoopJoinExec, NestedLoopJoinExecBuilder,
};
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::{Stream, StreamExt as _};
use tokio::runtime::{Handle, RuntimeFlavor};

/// Batches that are made before somebody asks for them: one, while another is written.
const BATCHES_AHEAD: usize = 1;

/// Pairs of rows that a join looks at before it leaves its place to others: some hundredths of a second.
const PAIRS: usize = 1 << 20;

/// How long a join waits for others to have had their turn.
const TURN_MAX: Duration = Duration::from_millis(100);

/// Starts `plan`; it stops when the rows are dropped.
pub(crate) fn start(
    plan: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
) -> Result<SendableRecordBatchStream> {
    let dropped = Arc::<AtomicBool>::default();
    let mut made = execute_stream(stoppable(plan, &dropped)?, context)?;
    let mut task = RecordBatchReceiverStream::builder(made.schema(), BATCHES_AHEAD);
    let out = task.tx();
    task.spawn(async move {
        while let Some(batch) = made.next().await {
            if out.send(batch).await.is_err() {
                break;
            }
        }
        Ok(())
    });
    Ok(Box::pin(Rows { rows: task.build(), dropped }))
}

/// `plan` with places where it stops once `dropped` is set.
fn stoppable(
    plan: Arc<dyn ExecutionPlan>,
    dropped: &Arc<AtomicBool>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let done = plan.transform_up(|node| {
        // What may make many rows of few: joins, lists to rows, recursion.
        let multiplies = matches!(node.cardinality_effect(), CardinalityEffect::Unknown);
        if node.children().is_empty() || !multiplies {
            return Ok(Transformed::no(node));
        }
        let node = match watched(&node, dropped)? {
            Some(join) => join,
            None => node,
        };
        Ok(Transformed::yes(Arc::new(CooperativeExec::new(node)) as Arc<dyn ExecutionPlan>))
    })?;
    Ok(done.data)
}

/// A join whose condition fails once `dropped` is set.
fn watched(
    join: &Arc<dyn ExecutionPlan>,
    dropped: &Arc<AtomicBool>,
) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let watch = |filter: &JoinFilter| {
        let (places, schema) = (filter.column_indices().to_vec(), Arc::clone(filter.schema()));
        let inner = Arc::clone(filter.expression());
        JoinFilter::new(Arc::new(Watched::new(inner, dropped)), places, schema)
    };
    if let Some(join) = join.downcast_ref::<NestedLoopJoinExec>() {
        let filter = match join.filter() {
            Some(filter) => watch(filter),
            None if gives_pairs(*join.join_type()) => return Ok(None),
            None => watch(&JoinFilter::new(lit(true), Vec::new(), Arc::new(Schema::empty()))),
        };
        let join = NestedLoopJoinExecBuilder::from(join).with_filter(Some(filter)).build()?;
        return Ok(Some(Arc::new(join)));
    }
    let join = join.downcast_ref::<HashJoinExec>();
    let Some((join, filter)) = join.and_then(|join| Some((join, join.filter()?))) else {
        return Ok(None);
    };
    join.builder().with_filter(Some(watch(filter))).build_exec().map(Some)
}

/// Whether a join gives each pair of rows that it finds.
const fn gives_pairs(join: JoinType) -> bool {
    matches!(join, JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full)
}

/// The rows of an answer.
struct Rows {
    rows: SendableRecordBatchStream,
    dropped: Arc<AtomicBool>,
}

impl Stream for Rows {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.rows.poll_next_unpin(context)
    }
}

impl RecordBatchStream for Rows {
    fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        self.dropped.store(true, Ordering::Relaxed);
    }
}

/// A condition that fails once the answer is dropped.
#[derive(Debug)]
struct Watched {
    inner: Arc<dyn PhysicalExpr>,
    dropped: Arc<AtomicBool>,
    /// Pairs looked at since the place was left.
    pairs: AtomicUsize,
}

impl Watched {
    fn new(inner: Arc<dyn PhysicalExpr>, dropped: &Arc<AtomicBool>) -> Self {
        Self { inner, dropped: Arc::clone(dropped), pairs: AtomicUsize::new(0) }
    }

    /// Lets other tasks run from time to time, though this one goes on.
    fn leave_place(&self, pairs: usize) {
        if self.pairs.fetch_add(pairs, Ordering::Relaxed) < PAIRS {
            return;
        }
        self.pairs.store(0, Ordering::Relaxed);
        if let Ok(runtime) = Handle::try_current()
            && runtime.runtime_flavor() == RuntimeFlavor::MultiThread
        {
            // A place that nobody has taken by the end of this is taken back, so somebody must have been seen in it.
            tokio::task::block_in_place(|| {
                let (pass, passed) = sync_channel(1);
                runtime.spawn(async move { pass.send(()) });
                // Of a runtime that ends nobody is seen, and where no thread is to be had the join goes on.
                passed.recv_timeout(TURN_MAX).ok()
            });
        }
    }
}

impl Display for Watched {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        Display::fmt(&self.inner, f)
    }
}

impl PartialEq for Watched {
    fn eq(&self, other: &Self) -> bool {
        self.inner.eq(&other.inner)
    }
}

impl Eq for Watched {}

impl Hash for Watched {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

impl PhysicalExpr for Watched {
    fn data_type(&self, input: &Schema) -> Result<DataType> {
        self.inner.data_type(input)
    }

    fn nullable(&self, input: &Schema) -> Result<bool> {
        self.inner.nullable(input)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        if self.dropped.load(Ordering::Relaxed) {
            return exec_err!("nobody waits for the answer any more");
        }
        self.leave_place(batch.num_rows());
        self.inner.evaluate(batch)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.inner]
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        let [inner] = children.as_slice() else { return plan_err!("one condition is watched") };
        Ok(Arc::new(Self::new(Arc::clone(inner), &self.dropped)))
    }

    fn fmt_sql(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        self.inner.fmt_sql(f)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::SyncSender;

    use datafusion::logical_expr::{Volatility, create_udf};
    use datafusion::prelude::{SessionConfig, SessionContext};

    use super::*;

    /// `told(x)` is `x`, and tells whenever it is evaluated.
    fn context(partitions: usize, told: SyncSender<()>) -> SessionContext {
        let config = SessionConfig::new().with_target_partitions(partitions);
        let context = SessionContext::new_with_config(config);
        let tell = move |columns: &[ColumnarValue]| {
            // Whoever listens may have heard before, or have gone.
            let _ = told.try_send(());
            columns.first().cloned().map_or_else(|| exec_err!("no column"), Ok)
        };
        let number = DataType::Int64;
        context.register_udf(create_udf(
            "told",
            vec![number.clone()],
            number,
            Volatility::Immutable,
            Arc::new(tell),
        ));
        for table in ["a", "b", "c"] {
            let view = format!(
                "CREATE VIEW {table} AS SELECT value AS {table}x FROM generate_series(1, 1000000)"
            );
            let made = futures::executor::block_on(context.sql(&view));
            drop(made.unwrap());
        }
        context
    }

    /// Queries that would run for hours.
    const ENDLESS: [&str; 6] = [
        "SELECT count(told(ax + bx)) FROM a, b",
        "SELECT told(ax + bx) FROM a, b ORDER BY 1 LIMIT 1",
        "SELECT count(*) FROM (SELECT * FROM a WHERE told(ax) > 0), b, c",
        "SELECT count(*) FROM a JOIN b ON told(ax + bx) < 0",
        "SELECT count(*) FROM a JOIN b ON ax % 2 = bx % 2 AND told(ax + bx) < 0",
        "SELECT count(*) FROM a WHERE EXISTS (SELECT 1 FROM b WHERE told(ax + bx) < 0)",
    ];

    #[test]
    fn nothing_of_a_query_is_left_when_its_answer_is_dropped() {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        for (query, partitions) in ENDLESS.into_iter().flat_map(|query| [(query, 1), (query, 2)]) {
            let (tell, told) = sync_channel(1);
            let context = context(partitions, tell);
            let rows = runtime.block_on(async {
                let plan = context.sql(query).await.unwrap().create_physical_plan().await.unwrap();
                start(plan, context.task_ctx()).unwrap()
            });
            // It runs, and others do beside it.
            told.recv().unwrap();
            runtime.block_on(runtime.spawn(async {})).unwrap();
            drop((rows, context));
            // Until what tells is gone, and all that could call it.
            while told.recv().is_ok() {}
        }
    }
}
