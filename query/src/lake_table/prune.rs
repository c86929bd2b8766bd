//! Which files may hold rows that the filters select.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::Session as EngineSession;
use datafusion::common::Result;
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::pruning::{PruningPredicate, PruningPredicateBuilder};
use lake::DataFile;

use super::dates::{self, DATE};
use super::filters;
use super::statistics::OfFiles;

/// The files that may hold such rows: by their date first, which needs no statistics, then by the log's.
pub(super) fn files(
    all: &[Arc<DataFile>],
    given: &[Expr],
    schema: &SchemaRef,
    state: &dyn EngineSession,
) -> Result<Vec<Arc<DataFile>>> {
    let mut files = all.to_vec();
    if given.is_empty() {
        return Ok(files);
    }
    if schema.field_with_name(DATE).is_ok() {
        let of_date = |filter: &&Expr| filter.column_refs().iter().all(|of| of.name == DATE);
        let mut by_date: Vec<Expr> = given.iter().filter(of_date).cloned().collect();
        by_date.extend(dates::implied(given));
        keep(&mut files, &by_date, schema, state)?;
    }
    keep(&mut files, given, schema, state)?;
    Ok(files)
}

fn keep(
    files: &mut Vec<Arc<DataFile>>,
    given: &[Expr],
    schema: &SchemaRef,
    state: &dyn EngineSession,
) -> Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    let Some(condition) = filters::physical(given, schema, &BTreeSet::new(), state)? else {
        return Ok(());
    };
    let Some(predicate) = predicate(&condition, schema) else { return Ok(()) };
    let kept = predicate.prune(&OfFiles { files: files.as_slice(), schema })?;
    let mut kept = kept.into_iter();
    files.retain(|_| kept.next().unwrap_or(true));
    Ok(())
}

/// What statistics can decide of a condition, if anything.
pub(super) fn predicate(
    condition: &Arc<dyn PhysicalExpr>,
    schema: &SchemaRef,
) -> Option<PruningPredicate> {
    let builder = PruningPredicateBuilder::new().with_file_schema(Arc::clone(schema));
    let predicate = builder.try_build(Arc::clone(condition)).ok()?;
    (!predicate.always_true()).then_some(predicate)
}
