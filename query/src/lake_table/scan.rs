//! The plan of a scan.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use datafusion::catalog::Session as EngineSession;
use datafusion::common::{Result, plan_err};
use datafusion::config::TableParquetOptions;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::{
    CachedParquetFileReaderFactory, ParquetAccessPlan,
};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::memory_pool::MemoryLimit;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::Expr;
use datafusion::parquet::arrow::parquet_to_arrow_schema;
use datafusion::parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{CastExpr, Column};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use lake::DataFile;

use super::codes::Texts;
use super::values::as_read;
use super::{Current, cut, filters, footers, prune, statistics};

/// Files whose footers are read before a query starts, at most: with them it is known which rows to read, and the work is
/// dealt out evenly. Of more files each is opened when its turn comes.
const FEW_FILES: usize = 256;

/// Bytes for each value of a column chunk up to which it surely has a dictionary that pays: places in one of 64 k values
/// take two, and the values have to be in it, too.
const BYTES_A_VALUE_MAX: i64 = 4;

/// Bytes of the dictionary of a column chunk, at most, as our writer makes them.
const DICTIONARY_MAX: i64 = 1 << 20;

/// Bytes of all dictionaries of a column that a query may have in memory at the same time: as much as grouping by some
/// million texts takes.
const DICTIONARIES_MAX: i64 = 256 << 20;

/// The part of a memory limit that they may take: what groups by them is in memory, too, and cannot spill.
const MEMORY_PART: usize = 4;

/// What a query asks of a table.
pub(super) struct Asked<'a> {
    pub(super) store: &'a ObjectStoreUrl,
    pub(super) state: &'a dyn EngineSession,
    pub(super) filters: &'a [Expr],
    pub(super) limit: Option<usize>,
}

/// Plans a scan of `table` at the version `current`.
pub(super) async fn plan(
    current: &Current,
    table: &str,
    projection: Option<&Vec<usize>>,
    asked: Asked<'_>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let Asked { store, state, filters: given, limit } = asked;
    let seen = &current.schema;
    let columns = projection.cloned().unwrap_or_else(|| (0..seen.fields().len()).collect());
    let output = Arc::new(seen.project(&columns)?);
    let Some(snapshot) = &current.snapshot else { return Ok(Arc::new(EmptyExec::new(output))) };
    let mut files = prune::files(&snapshot.files, given, seen, state)?;
    let limit = limit.filter(|_| given.is_empty());
    if let Some(limit) = limit {
        enough(&mut files, limit);
    }
    if files.is_empty() {
        return Ok(Arc::new(EmptyExec::new(output)));
    }
    if let Some(file) = files.iter().find(|file| file.has_deletions) {
        return plan_err!(
            "rows of table `{table}` are marked as deleted by another program (Delta deletion vectors), which cannot be \
             read here: {}; have that program purge them",
            file.path
        );
    }
    let footers = if files.len() <= FEW_FILES && limit.is_none() {
        Some(footers::read(&files, store, state).await?)
    } else {
        None
    };
    let scan =
        Scan { seen, partitioned_by: &snapshot.definition.partition_columns, files, footers };
    scan.plan(&columns, &output, &Asked { store, state, filters: given, limit })
}

/// Keeps as many files as have `limit` rows together.
fn enough(files: &mut Vec<Arc<DataFile>>, limit: usize) {
    let mut rows = 0_u64;
    let taken = files.iter().position(|file| {
        rows = rows.saturating_add(file.rows.unwrap_or_default());
        rows >= limit as u64
    });
    if let Some(last) = taken {
        files.truncate(last + 1);
    }
}

struct Scan<'a> {
    /// Columns as queries see them.
    seen: &'a SchemaRef,
    partitioned_by: &'a [String],
    files: Vec<Arc<DataFile>>,
    /// Of the files, where they were read.
    footers: Option<Vec<Arc<ParquetMetaData>>>,
}

impl Scan<'_> {
    fn plan(
        &self,
        columns: &[usize],
        output: &SchemaRef,
        asked: &Asked<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Asked { store, state, filters: given, limit } = *asked;
        let repeated = Arc::new(self.repeated(dictionaries_max(state)));
        let mut dictionaries = filters::searched(given, self.seen);
        dictionaries.retain(|name| repeated.contains(name));
        let table = self.table_schema(&dictionaries);
        let source_schema = Arc::clone(table.table_schema());
        let condition = filters::physical(given, &source_schema, &dictionaries, state)?;
        let groups = self.groups(asked, &table, &repeated, &dictionaries, condition.as_ref())?;
        let environment = state.runtime_env();
        let readers = CachedParquetFileReaderFactory::new(
            environment.object_store(store)?,
            environment.cache_manager.get_file_metadata_cache(),
        );
        let mut options = TableParquetOptions {
            global: state.config_options().execution.parquet.clone(),
            ..TableParquetOptions::default()
        };
        if filters::finds_few(given) {
            // What was decoded to find the rows is mostly not what they have.
            options.global.max_predicate_cache_size = Some(0);
        }
        let mut source = ParquetSource::new(table)
            .with_table_parquet_options(options)
            .with_metadata_size_hint(footers::TAIL_BYTES)
            .with_parquet_file_reader_factory(Arc::new(readers))
            .with_pushdown_filters(true);
        if let Some(condition) = &condition {
            source = source.with_predicate(Arc::clone(condition));
        }
        let places = columns
            .iter()
            .map(|column| source_schema.index_of(self.seen.field(*column).name()))
            .collect::<std::result::Result<Vec<_>, _>>()?;
        let config = FileScanConfigBuilder::new(store.clone(), Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(statistics::of_all(&self.files, &source_schema, self.is_few()))
            .with_projection_indices(Some(places))?
            .with_limit(limit)
            .build();
        let scan: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(config);
        if dictionaries.is_empty() { Ok(scan) } else { unpacked(scan, output) }
    }

    const fn is_few(&self) -> bool {
        self.files.len() <= FEW_FILES
    }

    /// Text columns whose values repeat enough, and are not too many to be held.
    fn repeated(&self, bytes_max: i64) -> BTreeSet<String> {
        let Some(footers) = &self.footers else { return BTreeSet::new() };
        let texts = self.seen.fields().iter().filter(|of| *of.data_type() == DataType::Utf8View);
        let repeats = |name: &str| {
            let groups = footers.iter().flat_map(|footer| footer.row_groups());
            let chunks = groups.flat_map(|group| group.columns().iter());
            let sums = chunks.filter(|chunk| is_of(chunk, name)).fold((0, 0, 0), |sums, chunk| {
                (
                    sums.0 + chunk.uncompressed_size(),
                    sums.1 + chunk.num_values(),
                    sums.2 + chunk.uncompressed_size().min(DICTIONARY_MAX),
                )
            });
            sums.0 <= sums.1.saturating_mul(BYTES_A_VALUE_MAX) && sums.2 <= bytes_max
        };
        texts.map(|of| of.name()).filter(|name| repeats(name)).cloned().collect()
    }

    /// The columns of the files, some of them as dictionaries, then those that the log holds.
    fn table_schema(&self, dictionaries: &BTreeSet<String>) -> TableSchema {
        let is_partition = |field: &&FieldRef| self.partitioned_by.contains(field.name());
        let (partition, of_file): (Vec<_>, Vec<_>) =
            self.seen.fields().iter().partition(is_partition);
        let names = dictionaries.iter().map(String::as_str).collect();
        let of_file = as_read(of_file, &names);
        TableSchema::builder(Arc::new(Schema::new(of_file)))
            .with_table_partition_cols(partition.into_iter().cloned().collect::<Vec<_>>())
            .build()
    }

    /// What each processor reads.
    fn groups(
        &self,
        asked: &Asked<'_>,
        table: &TableSchema,
        repeated: &Arc<BTreeSet<String>>,
        dictionaries: &BTreeSet<String>,
        condition: Option<&Arc<dyn PhysicalExpr>>,
    ) -> Result<Vec<FileGroup>> {
        let processors = asked.state.config().target_partitions().max(1);
        let Some(footers) = &self.footers else {
            let files: Vec<_> = self
                .files
                .iter()
                .map(|file| Ok((self.file(file, table)?, file.size)))
                .collect::<Result<_>>()?;
            return Ok(dealt(files, if asked.limit.is_some() { 1 } else { processors }));
        };
        let of_files: Vec<_> = footers
            .iter()
            .map(|footer| {
                let groups = footer.row_groups().iter().map(RowGroupMetaData::num_rows);
                let groups = groups.map(|rows| usize::try_from(rows).unwrap_or_default());
                (cut::access(footer, condition, table.table_schema()), groups.collect())
            })
            .collect();
        let names: BTreeSet<&str> = dictionaries.iter().map(String::as_str).collect();
        let texts = footers.iter().map(|footer| {
            let file = footer.file_metadata();
            let schema = parquet_to_arrow_schema(file.schema_descr(), file.key_value_metadata())?;
            Ok(Arc::new(Texts { schema: Arc::new(schema), repeated: Arc::clone(repeated) }))
        });
        let texts: Vec<Arc<Texts>> = texts.collect::<Result<_>>()?;
        let mut pieces = Vec::new();
        for piece in cut::cut(&of_files, processors) {
            let (Some(file), Some(texts)) = (self.files.get(piece.file), texts.get(piece.file))
            else {
                continue;
            };
            let mut read = self
                .file(file, table)?
                .with_extension::<ParquetAccessPlan>(piece.plan)
                .with_extension::<Arc<Texts>>(Arc::clone(texts));
            if !names.is_empty() {
                read = read.with_arrow_schema(texts.as_read(&names));
            }
            pieces.push((read, piece.rows as u64));
        }
        Ok(dealt(pieces, processors))
    }

    fn file(&self, file: &DataFile, table: &TableSchema) -> Result<PartitionedFile> {
        let none = |field: &FieldRef| datafusion::common::ScalarValue::try_from(field.data_type());
        let values = table.table_partition_cols().iter().map(|field| {
            let value = statistics::date(file);
            value.map_or_else(|| none(field), Ok)
        });
        let mut read = PartitionedFile::new_from_meta(footers::object(file))
            .with_partition_values(values.collect::<Result<_>>()?)
            // The whole of it: a file with a range is not cut again.
            .with_range(0, i64::try_from(file.size).unwrap_or(i64::MAX));
        if self.is_few() {
            read = read.with_statistics(Arc::new(statistics::of_one(file, table.file_schema())));
        }
        Ok(read)
    }
}

/// Bytes that the dictionaries of a column may take under the memory limit of `state`.
fn dictionaries_max(state: &dyn EngineSession) -> i64 {
    match state.runtime_env().memory_pool.memory_limit() {
        MemoryLimit::Finite(bytes) => i64::try_from(bytes / MEMORY_PART)
            .map_or(DICTIONARIES_MAX, |of| of.min(DICTIONARIES_MAX)),
        MemoryLimit::Infinite | MemoryLimit::Unknown => DICTIONARIES_MAX,
    }
}

fn is_of(chunk: &ColumnChunkMetaData, name: &str) -> bool {
    matches!(chunk.column_path().parts(), [part] if part == name)
}

/// Deals pieces out, in order, so that each of at most `processors` has about as much.
fn dealt(pieces: Vec<(PartitionedFile, u64)>, processors: usize) -> Vec<FileGroup> {
    let mut groups: Vec<(u64, Vec<PartitionedFile>)> =
        (0..processors.min(pieces.len()).max(1)).map(|_| (0, Vec::new())).collect();
    for (piece, weight) in pieces {
        if let Some((sum, group)) = groups.iter_mut().min_by_key(|(sum, _)| *sum) {
            *sum += weight;
            group.push(piece);
        }
    }
    groups.into_iter().map(|(_, group)| FileGroup::new(group)).collect()
}

/// Dictionaries as the texts that queries see.
fn unpacked(scan: Arc<dyn ExecutionPlan>, output: &SchemaRef) -> Result<Arc<dyn ExecutionPlan>> {
    let fields = scan.schema();
    let columns = fields.fields().iter().zip(output.fields()).enumerate();
    let columns = columns.map(|(index, (field, wanted))| {
        let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(field.name(), index));
        let expr = if field.data_type() == wanted.data_type() {
            column
        } else {
            Arc::new(CastExpr::new(column, wanted.data_type().clone(), None))
        };
        ProjectionExpr { expr, alias: wanted.name().clone() }
    });
    Ok(Arc::new(ProjectionExec::try_new(columns.collect::<Vec<_>>(), scan)?))
}
