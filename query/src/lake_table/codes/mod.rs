//! Grouping by texts that repeat: by their numbers, so that a text is hashed and compared once for each dictionary it is
//! in, not once a row; what is made of a text (its network, a part of it) is made as seldom.
//!
//! ```text
//! Aggregate by f(text)            Projection: texts of numbers
//!   Scan                   ─▶       Aggregate by number of f(text)
//!                                     Scan, the text as a dictionary
//! ```

mod exprs;
mod interner;
mod retype;

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode as _};
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::projection::ProjectionExpr;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr_common::physical_expr::is_volatile;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode, PhysicalGroupBy};
use datafusion::physical_plan::projection::ProjectionExec;

use super::values::OfValues;
use exprs::{Decoded, Encoded, Half, Packed};
use interner::Interner;
pub(super) use retype::Texts;
use retype::as_dictionaries;

/// Makes aggregates that read our tables group by numbers.
#[derive(Debug)]
pub(crate) struct GroupByNumbers {
    /// Where the memory for texts is taken from.
    pub(crate) memory: Arc<dyn MemoryPool>,
}

impl PhysicalOptimizerRule for GroupByNumbers {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let done = plan.transform_up(|node| {
            let by_numbers = match node.downcast_ref::<AggregateExec>() {
                Some(aggregate) => by_numbers(aggregate, &self.memory)?,
                None => None,
            };
            Ok(by_numbers.map_or_else(|| Transformed::no(node), Transformed::yes))
        })?;
        Ok(done.data)
    }

    fn name(&self) -> &'static str {
        "group_by_numbers"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The aggregate by numbers, where that pays.
fn by_numbers(
    aggregate: &AggregateExec,
    memory: &Arc<dyn MemoryPool>,
) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let groups = aggregate.group_expr();
    let reads_rows = matches!(
        aggregate.mode(),
        AggregateMode::Partial | AggregateMode::Single | AggregateMode::SinglePartitioned
    );
    if !reads_rows || !groups.is_single() || aggregate.limit_options().is_some() {
        return Ok(None);
    }
    let input_schema = aggregate.input().schema();
    let wanted = texts(aggregate, &input_schema);
    let Some((input, changed)) = as_dictionaries(aggregate.input(), &wanted)? else {
        return Ok(None);
    };
    let keys = Keys::of(groups.expr(), &input_schema, &changed, memory)?;
    let schema = input.schema();
    let counted = AggregateExec::try_new(
        *aggregate.mode(),
        PhysicalGroupBy::new_single(keys.exprs.clone()),
        aggregate.aggr_expr().to_vec(),
        aggregate.filter_expr().to_vec(),
        input,
        schema,
    )?;
    keys.decoded(Arc::new(counted), &aggregate.schema())
}

/// Columns that are texts and nothing but keys.
fn texts(aggregate: &AggregateExec, schema: &SchemaRef) -> BTreeSet<usize> {
    let mut used_otherwise: BTreeSet<usize> = BTreeSet::new();
    let mut use_all = |expr: &Arc<dyn PhysicalExpr>| {
        used_otherwise.extend(collect_columns(expr).iter().map(Column::index));
    };
    for function in aggregate.aggr_expr() {
        let all = function.all_expressions();
        all.args.iter().chain(&all.order_by_exprs).for_each(&mut use_all);
    }
    aggregate.filter_expr().iter().flatten().for_each(&mut use_all);
    let mut keys = BTreeSet::new();
    for (expr, _) in aggregate.group_expr().expr() {
        match single_text(expr, schema) {
            Some(column) => drop(keys.insert(column.index())),
            None => use_all(expr),
        }
    }
    keys.difference(&used_otherwise).copied().collect()
}

/// The text column that a key is made of, if it is a text made of one and nothing else.
fn single_text(expr: &Arc<dyn PhysicalExpr>, schema: &SchemaRef) -> Option<Column> {
    let columns = collect_columns(expr);
    let column = columns.iter().next().filter(|_| columns.len() == 1)?;
    let is_text = |of: &DataType| of.is_string();
    let fits = is_text(schema.fields().get(column.index())?.data_type())
        && expr.data_type(schema).is_ok_and(|of| is_text(&of))
        && !is_volatile(expr);
    fits.then(|| column.clone())
}

/// Where in a column the numbers of texts are, and whose.
type Numbers = (Half, Arc<Interner>);

/// What is grouped by in place of the keys of an aggregate.
struct Keys {
    exprs: Vec<(Arc<dyn PhysicalExpr>, String)>,
    /// Of each key as it was: the column it is in now, and what its numbers stand for.
    places: Vec<(usize, Option<Numbers>)>,
}

impl Keys {
    /// Keys that are made of the columns `changed` as numbers, two in a column; the others as they were.
    fn of(
        given: &[(Arc<dyn PhysicalExpr>, String)],
        schema: &SchemaRef,
        changed: &BTreeSet<usize>,
        memory: &Arc<dyn MemoryPool>,
    ) -> Result<Self> {
        let mut keys = Self { exprs: Vec::new(), places: Vec::new() };
        let mut half: Option<usize> = None;
        for (expr, name) in given {
            let text = single_text(expr, schema).filter(|of| changed.contains(&of.index()));
            let Some(text) = text else {
                keys.places.push((keys.exprs.len(), None));
                keys.exprs.push((Arc::clone(expr), name.clone()));
                continue;
            };
            let interner = Arc::new(Interner::new(memory));
            let number = encoded(expr, &text, &interner)?;
            let room = half.take().and_then(|at| Some((at, keys.exprs.get_mut(at)?)));
            if let Some((at, (other, _))) = room {
                *other = Arc::new(Packed { high: Arc::clone(other), low: number });
                let first = keys.places.iter_mut().find(|(place, _)| *place == at);
                if let Some((_, Some((part, _)))) = first {
                    *part = Half::High;
                }
                keys.places.push((at, Some((Half::Low, interner))));
            } else {
                half = Some(keys.exprs.len());
                keys.places.push((keys.exprs.len(), Some((Half::Whole, interner))));
                keys.exprs.push((number, name.clone()));
            }
        }
        Ok(keys)
    }

    /// `counted`, which groups by these, with the texts of its numbers, if that gives `schema`.
    fn decoded(
        &self,
        counted: Arc<dyn ExecutionPlan>,
        schema: &SchemaRef,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let names = counted.schema();
        let column = |place: usize| -> Option<Arc<dyn PhysicalExpr>> {
            Some(Arc::new(Column::new(names.fields().get(place)?.name(), place)))
        };
        let mut exprs = Vec::new();
        for (index, field) in schema.fields().iter().enumerate() {
            let after_keys = index + self.exprs.len();
            let (place, text) = match self.places.get(index) {
                Some((place, text)) => (*place, text.as_ref()),
                None => (after_keys.saturating_sub(self.places.len()), None),
            };
            let Some(number) = column(place) else { return Ok(None) };
            let expr = match text {
                None => number,
                Some((half, interner)) => Arc::new(Decoded {
                    number,
                    half: *half,
                    interner: Arc::clone(interner),
                    data_type: field.data_type().clone(),
                    nullable: field.is_nullable(),
                }),
            };
            exprs.push(ProjectionExpr { expr, alias: field.name().clone() });
        }
        let texts: Arc<dyn ExecutionPlan> = Arc::new(ProjectionExec::try_new(exprs, counted)?);
        Ok((texts.schema().fields() == schema.fields()).then_some(texts))
    }
}

fn encoded(
    expr: &Arc<dyn PhysicalExpr>,
    column: &Column,
    interner: &Arc<Interner>,
) -> Result<Arc<dyn PhysicalExpr>> {
    let alone = Schema::new(vec![Field::new(column.name(), DataType::Utf8View, true)]);
    let of_value = Arc::clone(expr).transform_up(|node| {
        Ok(if node.is::<Column>() {
            let first = Column::new(column.name(), 0);
            Transformed::yes(Arc::new(first) as Arc<dyn PhysicalExpr>)
        } else {
            Transformed::no(node)
        })
    })?;
    let made = OfValues::new(of_value.data, Arc::new(alone), Arc::new(column.clone()));
    Ok(Arc::new(Encoded { made, interner: Arc::clone(interner) }))
}
