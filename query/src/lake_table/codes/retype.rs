//! A plan that delivers some of its texts as the dictionaries they are stored in.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode as _, TreeNodeRecursion};
use datafusion::datasource::physical_plan::{
    FileGroup, FileScanConfig, FileScanConfigBuilder, FileSource as _, ParquetSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{CastExpr, Column};
use datafusion::physical_expr::projection::{ProjectionExpr, ProjectionExprs};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::projection::ProjectionExec;

use super::super::dictionary::OnDictionary;
use super::super::values::{as_read, dictionary_type};

/// What the scan of a file knows of its texts.
#[derive(Debug)]
pub(in super::super) struct Texts {
    /// The columns of the file.
    pub(in super::super) schema: SchemaRef,
    /// Columns of the table whose values repeat enough.
    pub(in super::super) repeated: Arc<BTreeSet<String>>,
}

impl Texts {
    /// The columns of the file with `names` as dictionaries.
    pub(in super::super) fn as_read(&self, names: &BTreeSet<&str>) -> SchemaRef {
        Arc::new(Schema::new(as_read(self.schema.fields(), names)))
    }
}

/// A plan and those of its columns that are dictionaries now.
pub(super) type Retyped = (Arc<dyn ExecutionPlan>, BTreeSet<usize>);

/// `plan` with as many of the columns `wanted` as dictionaries as can be; `None` where there are none.
pub(super) fn as_dictionaries(
    plan: &Arc<dyn ExecutionPlan>,
    wanted: &BTreeSet<usize>,
) -> Result<Option<Retyped>> {
    if wanted.is_empty() {
        return Ok(None);
    }
    if plan.is::<CooperativeExec>() {
        let [input] = plan.children()[..] else { return Ok(None) };
        let Some((input, changed)) = as_dictionaries(input, wanted)? else { return Ok(None) };
        return Ok(Some((Arc::new(CooperativeExec::new(input)), changed)));
    }
    if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        return of_projection(projection, wanted);
    }
    let Some(scan) = plan.downcast_ref::<DataSourceExec>() else { return Ok(None) };
    let Some((config, source)) = scan.downcast_to_file_source::<ParquetSource>() else {
        return Ok(None);
    };
    of_scan(config, source, wanted)
}

/// The column that an expression is, as it is or as a text of another form.
fn bare(expr: &Arc<dyn PhysicalExpr>) -> Option<&Column> {
    if let Some(cast) = expr.downcast_ref::<CastExpr>() {
        let to_text = cast.cast_type().is_string();
        return to_text.then(|| cast.expr().downcast_ref::<Column>()).flatten();
    }
    expr.downcast_ref::<Column>()
}

fn of_projection(projection: &ProjectionExec, wanted: &BTreeSet<usize>) -> Result<Option<Retyped>> {
    let exprs = projection.expr();
    let below =
        |column: &usize| exprs.get(*column).and_then(|of| bare(&of.expr)).map(Column::index);
    let wanted_below = wanted.iter().filter_map(below).collect();
    let Some((input, changed_below)) = as_dictionaries(projection.input(), &wanted_below)? else {
        return Ok(None);
    };
    let changed: BTreeSet<usize> = wanted
        .iter()
        .copied()
        .filter(|column| below(column).is_some_and(|below| changed_below.contains(&below)))
        .collect();
    let exprs = rewritten(exprs, &changed, &changed_below)?;
    Ok(Some((Arc::new(ProjectionExec::try_new(exprs, input)?), changed)))
}

/// Expressions over an input some of whose columns are dictionaries now: those of `raw` deliver them so.
fn rewritten(
    exprs: &[ProjectionExpr],
    raw: &BTreeSet<usize>,
    changed: &BTreeSet<usize>,
) -> Result<Vec<ProjectionExpr>> {
    let each = exprs.iter().enumerate().map(|(index, of)| {
        let expr = match bare(&of.expr).filter(|_| raw.contains(&index)) {
            Some(column) => Arc::new(column.clone()) as Arc<dyn PhysicalExpr>,
            None => unpacked(&of.expr, changed)?,
        };
        Ok(ProjectionExpr { expr, alias: of.alias.clone() })
    });
    each.collect()
}

/// `expr` with the columns `changed` as the texts they were.
fn unpacked(
    expr: &Arc<dyn PhysicalExpr>,
    changed: &BTreeSet<usize>,
) -> Result<Arc<dyn PhysicalExpr>> {
    let done = Arc::clone(expr).transform_up(|node| {
        let is_changed =
            node.downcast_ref::<Column>().is_some_and(|of| changed.contains(&of.index()));
        Ok(if is_changed {
            let text = CastExpr::new(node, DataType::Utf8View, None);
            Transformed::yes(Arc::new(text) as Arc<dyn PhysicalExpr>)
        } else {
            Transformed::no(node)
        })
    })?;
    Ok(done.data)
}

fn of_scan(
    config: &FileScanConfig,
    source: &ParquetSource,
    wanted: &BTreeSet<usize>,
) -> Result<Option<Retyped>> {
    let (Some(projection), Some(texts)) = (source.projection(), texts_of(config)) else {
        return Ok(None);
    };
    let exprs: Vec<ProjectionExpr> = projection.iter().cloned().collect();
    let table = source.table_schema();
    let fits = |place: usize| {
        let field = table.file_schema().fields().get(place)?;
        let is_text = *field.data_type() == DataType::Utf8View;
        let is_known = *field.data_type() == dictionary_type();
        let free = is_known || (is_text && !is_compared(source.filter().as_ref(), place));
        (free && texts.repeated.contains(field.name())).then_some(place)
    };
    let column = |output: &usize| {
        exprs.get(*output).and_then(|of| bare(&of.expr)).and_then(|of| fits(of.index()))
    };
    let outputs: BTreeSet<usize> =
        wanted.iter().copied().filter(|output| column(output).is_some()).collect();
    let columns: BTreeSet<usize> = outputs.iter().filter_map(column).collect();
    if columns.is_empty() {
        return Ok(None);
    }
    let was_text = |place: &usize| {
        let field = table.file_schema().fields().get(*place);
        field.is_some_and(|field| *field.data_type() == DataType::Utf8View)
    };
    let new: BTreeSet<usize> = columns.iter().copied().filter(was_text).collect();
    let exprs = ProjectionExprs::new(rewritten(&exprs, &outputs, &new)?);
    let fields = table.file_schema().fields();
    let names: BTreeSet<&str> = fields
        .iter()
        .enumerate()
        .filter(|(place, of)| columns.contains(place) || *of.data_type() == dictionary_type())
        .map(|(_, field)| field.name().as_str())
        .collect();
    let retyped = TableSchema::builder(Arc::new(Schema::new(as_read(fields, &names))))
        .with_table_partition_cols(table.table_partition_cols().iter().cloned().collect::<Vec<_>>())
        .build();
    let groups = with_schemas(config, &names);
    let Some(fresh) = fresh_source(source, retyped).try_pushdown_projection(&exprs)? else {
        return Ok(None);
    };
    let config = FileScanConfigBuilder::from(config.clone())
        .with_source(fresh)
        .with_file_groups(groups)
        .build();
    let scan: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(config);
    Ok(Some((scan, outputs)))
}

/// What is known of the texts of a scan's files; all or none of them know.
fn texts_of(config: &FileScanConfig) -> Option<Arc<Texts>> {
    let file = config.file_groups.first()?.iter().next()?;
    file.extension::<Arc<Texts>>().cloned()
}

/// Whether a condition compares a column as the text it is.
fn is_compared(condition: Option<&Arc<dyn PhysicalExpr>>, place: usize) -> bool {
    let Some(condition) = condition else { return false };
    let mut found = false;
    let _ = condition.apply(|node| {
        if node.is::<OnDictionary>() {
            return Ok(TreeNodeRecursion::Jump);
        }
        found |= node.downcast_ref::<Column>().is_some_and(|of| of.index() == place);
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    found
}

fn with_schemas(config: &FileScanConfig, names: &BTreeSet<&str>) -> Vec<FileGroup> {
    let file = |file: &datafusion::datasource::listing::PartitionedFile| {
        let schema = file.extension::<Arc<Texts>>().map(|texts| texts.as_read(names));
        let mut file = file.clone();
        file.arrow_schema = schema.or(file.arrow_schema);
        file
    };
    config
        .file_groups
        .iter()
        .map(|group| FileGroup::new(group.iter().map(file).collect()))
        .collect()
}

fn fresh_source(source: &ParquetSource, table: TableSchema) -> ParquetSource {
    let mut fresh = ParquetSource::new(table)
        .with_table_parquet_options(source.table_parquet_options().clone())
        .with_metadata_size_hint(super::super::footers::TAIL_BYTES)
        .with_pushdown_filters(true);
    if let Some(readers) = source.parquet_file_reader_factory() {
        fresh = fresh.with_parquet_file_reader_factory(Arc::clone(readers));
    }
    if let Some(condition) = source.filter() {
        fresh = fresh.with_predicate(condition);
    }
    fresh
}
