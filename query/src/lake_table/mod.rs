//! The tables as DataFusion sees them: plain Parquet scans, planned from the log.
//!
//! ```text
//! lake::TableLog ─ refresh ─▶ Snapshot ─ prune ─▶ files that may hold rows ─ cut ─▶ pieces for each processor ─▶ scan
//!                                filters ┘ dates                     footers ┘
//! ```
//!
//! A file is left out by its date, then by what the log says of its values; a row group and a page by what the file
//! says, and a row group by its Bloom filters when it is opened.

mod codes;
mod cut;
mod dates;
mod dictionary;
mod filters;
mod footers;
mod parts;
mod prune;
mod scan;
mod statistics;
mod values;

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session as EngineSession, TableProvider};
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source_as_provider;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{
    Expr, LogicalPlan, TableProviderFilterPushDown, TableScan, TableType,
};
use datafusion::physical_plan::ExecutionPlan;
use lake::{Snapshot, TableLog};
use tokio::sync::Mutex;

use crate::error::QueryError;
pub(crate) use codes::GroupByNumbers;

/// One of the five tables. Views and plans hold this object; [`LakeTable::refresh`] moves it to the latest commit, and
/// [`LakeTable::pinned`] makes one that stays where it is.
#[derive(Debug)]
pub(crate) struct LakeTable {
    definition: &'static schemas::Table,
    store: ObjectStoreUrl,
    log: Arc<Mutex<TableLog>>,
    current: RwLock<Current>,
}

/// A version of a table, and the columns that queries see.
#[derive(Debug, Clone)]
pub(super) struct Current {
    /// `None` until the table exists.
    snapshot: Option<Snapshot>,
    schema: SchemaRef,
}

impl LakeTable {
    /// A table that may not exist yet: it is empty until [`Self::refresh`] finds it.
    pub(crate) fn new(
        definition: &'static schemas::Table,
        store: ObjectStoreUrl,
        log: TableLog,
    ) -> Self {
        let schema = seen(&definition.schema(), definition);
        let current = RwLock::new(Current { snapshot: None, schema });
        Self { definition, store, log: Arc::new(Mutex::new(log)), current }
    }

    /// The same at the version it is at now, whatever becomes of this one.
    pub(crate) fn pinned(&self) -> Self {
        Self {
            definition: self.definition,
            store: self.store.clone(),
            log: Arc::clone(&self.log),
            current: RwLock::new(self.current()),
        }
    }

    /// The version of the last commit it sees; `None` while it does not exist.
    pub(crate) fn version(&self) -> Option<u64> {
        self.current().snapshot.map(|snapshot| snapshot.version)
    }

    /// Name in SQL.
    pub(crate) const fn name(&self) -> &'static str {
        self.definition.name
    }

    /// Moves to the latest version.
    ///
    /// - returns: whether the table exists.
    pub(crate) async fn refresh(&self) -> std::result::Result<bool, QueryError> {
        let (snapshot, changed) = self.log.lock().await.refresh().await.map_err(|source| {
            QueryError::Open { table: self.definition.name, source: Box::new(source) }
        })?;
        let exists = snapshot.is_some();
        if changed {
            let schema = snapshot.as_ref().map(|of| seen(&of.definition.schema, self.definition));
            let schema = schema.unwrap_or_else(|| seen(&self.definition.schema(), self.definition));
            let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
            *current = Current { snapshot, schema };
        }
        Ok(exists)
    }

    fn current(&self) -> Current {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Rows of all tables that `plan` reads; `None` where one is not ours, or how many it has is not known.
pub(crate) fn rows_read(plan: &LogicalPlan) -> Option<u64> {
    let mut rows = Some(0_u64);
    let walked = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            rows = rows.zip(rows_of(scan)).and_then(|(rows, more)| rows.checked_add(more));
        }
        Ok(if rows.is_some() { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    });
    walked.ok().and(rows)
}

fn rows_of(scan: &TableScan) -> Option<u64> {
    if let Some(view) = scan.source.get_logical_plan() {
        return rows_read(&view);
    }
    let table = source_as_provider(&scan.source).ok()?;
    let Some(snapshot) = table.downcast_ref::<LakeTable>()?.current().snapshot else {
        return Some(0);
    };
    snapshot.files.iter().map(|file| file.rows).sum()
}

/// The columns of a table as queries see them: texts as views, and at the end those that came after it was made. None of
/// its rows has these; reading must not add them to it.
fn seen(schema: &Schema, definition: &schemas::Table) -> SchemaRef {
    let as_view = |field: &Field| {
        let data_type = match field.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
            DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
            other => other.clone(),
        };
        Field::new(field.name(), data_type, field.is_nullable())
    };
    let lacking = definition
        .columns
        .iter()
        .filter(|column| column.nullable && schema.field_with_name(column.name).is_err());
    let lacking: Vec<Field> = lacking.map(schemas::Column::field).collect();
    let fields = schema.fields().iter().map(|field| as_view(field));
    Arc::new(Schema::new(fields.chain(lacking.iter().map(as_view)).collect::<Vec<_>>()))
}

#[async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        self.current().schema
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn EngineSession,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let current = self.current();
        let asked = scan::Asked { store: &self.store, state, filters, limit };
        scan::plan(&current, self.name(), projection, asked).await
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let schema = self.current().schema;
        Ok(filters.iter().map(|filter| filters::pushdown(filter, &schema)).collect())
    }
}
