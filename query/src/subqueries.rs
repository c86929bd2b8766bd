//! Subqueries with a short answer are run before the query they are in: it is planned with the values, by which files and
//! pages are left out and texts are looked up in dictionaries.
//!
//! ```text
//! WHERE ts >= (SELECT max(ts) FROM requests) - INTERVAL '1 hour'        ─▶  WHERE ts >= '2026-03-04T17:00:00Z'
//! WHERE client_ip IN (SELECT … ORDER BY count(*) DESC LIMIT 100)        ─▶  WHERE client_ip IN ('192.0.2.7', …)
//! ```
//!
//! One that turns out to be long, or that fails, is left to the engine, which then says what is wrong. `EXPLAIN` runs
//! nothing and shows the plan without the values; `EXPLAIN ANALYZE` has them.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{Array as _, ArrayRef};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode as _, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::expr::{InList, InSubquery};
use datafusion::logical_expr::{
    Distinct, Expr, ExprSchemable as _, FetchType, LogicalPlan, Subquery, lit,
};
use datafusion::prelude::SessionContext;
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _};

use crate::lake_table;
use crate::stop;

/// Values of a subquery that are written into the query, at most: a plan is gone over a dozen times.
const VALUES_MAX: usize = 1_000;

/// Bytes of them, at most.
const BYTES_MAX: usize = 1 << 20;

/// Rows of the tables of a subquery from which it is not known how many it gives, at most: a table of incidents, not one of
/// requests, as it may be read in vain.
const ROWS_MAX: u64 = 100_000;

/// Subqueries of a statement that are run before it, at most; others are left to the engine.
const SUBQUERIES_MAX: usize = 32;

/// `plan` with the answers of its short subqueries in their place.
pub(crate) fn answered(
    context: &SessionContext,
    plan: LogicalPlan,
) -> BoxFuture<'_, Result<LogicalPlan>> {
    async move {
        let mut plan = plan;
        let mut seen: Vec<Expr> = Vec::new();
        let most = if is_run(&plan) { SUBQUERIES_MAX } else { 0 };
        while seen.len() < most
            && let Some(short) = next(&plan, &seen)?
        {
            if let Some(answer) = answer(context, &short).await {
                plan = replaced(plan, &short.expr, &answer)?;
            }
            seen.push(short.expr);
        }
        Ok(plan)
    }
    .boxed()
}

/// Whether a plan gives rows of the tables, now.
const fn is_run(plan: &LogicalPlan) -> bool {
    !matches!(
        plan,
        LogicalPlan::Explain(_)
            | LogicalPlan::Ddl(_)
            | LogicalPlan::Dml(_)
            | LogicalPlan::Copy(_)
            | LogicalPlan::Statement(_)
            | LogicalPlan::DescribeTable(_)
    )
}

/// A part of a condition whose subquery may have a short answer.
struct Short {
    expr: Expr,
    /// The type that its values have in the condition.
    data_type: DataType,
}

/// The first that is not among `seen`.
fn next(plan: &LogicalPlan, seen: &[Expr]) -> Result<Option<Short>> {
    let mut found = None;
    plan.apply_with_subqueries(|node| {
        let LogicalPlan::Filter(filter) = node else { return Ok(TreeNodeRecursion::Continue) };
        filter.predicate.apply(|expr| {
            if !seen.contains(expr) {
                found = value_type(expr, filter.input.schema())
                    .map(|data_type| Short { expr: expr.clone(), data_type });
            }
            Ok(if found.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })
    })?;
    Ok(found)
}

/// The type of the values of `expr`, a subquery in a condition on `schema`, if its answer may be short.
fn value_type(expr: &Expr, schema: &DFSchema) -> Option<DataType> {
    let short = |of: &Subquery| of.outer_ref_columns.is_empty() && is_short(&of.subquery);
    let of_column =
        |of: &Subquery| Some(of.subquery.schema().fields().first()?.data_type().clone());
    match expr {
        Expr::ScalarSubquery(subquery) if short(subquery) => of_column(subquery),
        Expr::InSubquery(InSubquery { expr, subquery, .. }) if short(subquery) => {
            let (compared, values) = (expr.get_type(schema).ok()?, of_column(subquery)?);
            let same = compared == values || (compared.is_string() && values.is_string());
            same.then_some(compared)
        }
        _ => None,
    }
}

/// Whether a plan gives few rows, or reads so few that it may be tried.
fn is_short(plan: &LogicalPlan) -> bool {
    let first = || plan.inputs().into_iter().next().is_some_and(is_short);
    let is_short = match plan {
        LogicalPlan::Limit(limit) => {
            matches!(limit.get_fetch_type(), Ok(FetchType::Literal(Some(rows))) if rows <= VALUES_MAX)
                || first()
        }
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.is_empty() || first(),
        LogicalPlan::Projection(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Distinct(Distinct::All(_)) => first(),
        LogicalPlan::EmptyRelation(_) => true,
        _ => false,
    };
    is_short || lake_table::rows_read(plan).is_some_and(|rows| rows <= ROWS_MAX)
}

/// What stands for the subquery once its answer is known; `None` where that is no short one.
async fn answer(context: &SessionContext, short: &Short) -> Option<Expr> {
    match &short.expr {
        Expr::ScalarSubquery(subquery) => {
            let values = values(context, subquery, 1).await?;
            let value = match values.first() {
                Some(value) => ScalarValue::try_from_array(value, 0).ok()?,
                None => ScalarValue::try_from(&short.data_type).ok()?,
            };
            Some(lit(value))
        }
        Expr::InSubquery(InSubquery { expr, subquery, negated }) => {
            let mut distinct = HashSet::new();
            let mut list = Vec::new();
            for values in values(context, subquery, VALUES_MAX).await? {
                let values = cast(&values, &short.data_type).ok()?;
                for row in 0..values.len() {
                    let value = ScalarValue::try_from_array(&values, row).ok()?;
                    if distinct.insert(value.clone()) {
                        list.push(lit(value));
                    }
                }
            }
            // Nothing is in no list, not even null.
            let none = list.is_empty();
            let in_list = InList { expr: expr.clone(), list, negated: *negated };
            Some(if none { lit(*negated) } else { Expr::InList(in_list) })
        }
        _ => None,
    }
}

/// The column that a subquery gives; `None` if it is longer than `rows_max`, or fails.
async fn values(
    context: &SessionContext,
    subquery: &Subquery,
    rows_max: usize,
) -> Option<Vec<ArrayRef>> {
    let plan = answered(context, subquery.subquery.as_ref().clone()).await.ok()?;
    let frame = context.execute_logical_plan(plan).await.ok()?;
    let task = frame.task_ctx().into();
    let mut answer = stop::start(frame.create_physical_plan().await.ok()?, task).ok()?;
    let (mut values, mut rows, mut bytes) = (Vec::new(), 0, 0);
    while let Some(batch) = answer.next().await {
        let batch = batch.ok()?;
        let [column] = batch.columns() else { return None };
        rows += column.len();
        bytes += column.to_data().get_slice_memory_size().ok()?;
        if rows > rows_max || bytes > BYTES_MAX {
            return None;
        }
        values.extend((!column.is_empty()).then(|| Arc::clone(column)));
    }
    Some(values)
}

/// `plan` with `answer` in place of `subquery` in its conditions.
fn replaced(plan: LogicalPlan, subquery: &Expr, answer: &Expr) -> Result<LogicalPlan> {
    let in_condition = |expr: Expr| {
        let is_it = expr == *subquery;
        Ok(if is_it { Transformed::yes(answer.clone()) } else { Transformed::no(expr) })
    };
    let done = plan.transform_down_with_subqueries(|node| match node {
        LogicalPlan::Filter(_) => node.map_expressions(|expr| expr.transform_down(in_condition)),
        _ => Ok(Transformed::no(node)),
    })?;
    Ok(done.data)
}
