//! A Delta table that is always at its latest version.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session as EngineSession, TableProvider};
use datafusion::common::{Result, ScalarValue};
use datafusion::datasource::empty::EmptyTable;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::logical_expr::{
    Expr, LogicalPlanBuilder, TableProviderFilterPushDown, TableType, ident, lit,
};
use datafusion::physical_plan::ExecutionPlan;
use deltalake::{DeltaTable, DeltaTableBuilder, DeltaTableError};
use tokio::sync::Mutex;
use url::Url;

use crate::error::QueryError;

/// Table property that carries the layout version.
const VERSION_PROPERTY: &str = "floodmark.schemaVersion";

/// One of the five tables. Views and plans hold this object; [`LatestTable::refresh`] moves it to the latest commit.
#[derive(Debug)]
pub(crate) struct LatestTable {
    definition: &'static schemas::Table,
    uri: String,
    url: Url,
    storage: HashMap<String, String>,
    /// `None` until the table exists.
    table: Mutex<Option<DeltaTable>>,
    current: RwLock<Arc<dyn TableProvider>>,
}

impl LatestTable {
    /// A table that may not exist yet: it is empty until [`Self::refresh`] finds it.
    pub(crate) fn new(
        definition: &'static schemas::Table,
        uri: &str,
        root: &Url,
        storage: &HashMap<String, String>,
    ) -> std::result::Result<Self, QueryError> {
        let url = root.join(&format!("{}/", definition.name)).map_err(|error| {
            QueryError::BadUri { uri: uri.to_owned(), detail: error.to_string() }
        })?;
        Ok(Self {
            definition,
            uri: uri.to_owned(),
            url,
            storage: storage.clone(),
            table: Mutex::new(None),
            current: RwLock::new(Arc::new(EmptyTable::new(definition.schema()))),
        })
    }

    /// Name in SQL.
    pub(crate) const fn name(&self) -> &'static str {
        self.definition.name
    }

    /// Moves to the latest version.
    ///
    /// - returns: whether the table exists.
    pub(crate) async fn refresh(
        &self,
        session: &Arc<datafusion::execution::SessionState>,
    ) -> std::result::Result<bool, QueryError> {
        let mut slot = self.table.lock().await;
        let before = slot.as_ref().and_then(DeltaTable::version);
        match slot.as_mut() {
            Some(table) => table.update_state().await.map_err(|error| self.failed(error))?,
            None => *slot = self.open().await?,
        }
        let Some(table) = slot.as_ref() else { return Ok(false) };
        if table.version() != before {
            let provider = table
                .table_provider()
                .with_session(Arc::clone(session))
                .await
                .map_err(|error| self.failed(error.into()))?;
            let provider = self.completed(provider).map_err(|error| self.failed(error.into()))?;
            *self.current.write().unwrap_or_else(PoisonError::into_inner) = provider;
        }
        Ok(true)
    }

    async fn open(&self) -> std::result::Result<Option<DeltaTable>, QueryError> {
        // A folder that is not there is a table that is not there; looking for it must not make it.
        if self.url.to_file_path().is_ok_and(|folder| !folder.is_dir()) {
            return Ok(None);
        }
        let mut table = DeltaTableBuilder::from_url(self.url.clone())
            .and_then(|builder| builder.with_storage_options(self.storage.clone()).build())
            .map_err(|error| self.failed(error))?;
        match table.load().await {
            Ok(()) => {}
            Err(DeltaTableError::NotATable(_) | DeltaTableError::InvalidTableLocation(_)) => {
                return Ok(None);
            }
            Err(error) => return Err(self.failed(error)),
        }
        self.check_version(&table)?;
        Ok(Some(table))
    }

    /// The table with the columns that came after it was made: none of its rows has them. Reading must not add them to it.
    fn completed(&self, table: Arc<dyn TableProvider>) -> Result<Arc<dyn TableProvider>> {
        let schema = table.schema();
        let is_lacking = |column: &&schemas::Column| {
            column.nullable && schema.field_with_name(column.name).is_err()
        };
        let lacking: Vec<_> = self.definition.columns.iter().filter(is_lacking).collect();
        if lacking.is_empty() {
            return Ok(table);
        }
        let mut columns: Vec<Expr> =
            schema.fields().iter().map(|field| ident(field.name().as_str())).collect();
        for column in lacking {
            columns.push(lit(ScalarValue::try_from(&column.data_type.arrow())?).alias(column.name));
        }
        let plan = LogicalPlanBuilder::scan(self.name(), provider_as_source(table), None)?;
        Ok(Arc::new(ViewTable::new(plan.project(columns)?.build()?, None)))
    }

    fn check_version(&self, table: &DeltaTable) -> std::result::Result<(), QueryError> {
        let state = table.snapshot().map_err(|error| self.failed(error))?;
        let expected = schemas::limits::SCHEMA_VERSION;
        match state.metadata().configuration().get(VERSION_PROPERTY) {
            Some(found) if *found != expected.to_string() => Err(QueryError::SchemaVersion {
                table: self.definition.name,
                found: found.clone(),
                expected,
            }),
            _ => Ok(()),
        }
    }

    fn failed(&self, source: DeltaTableError) -> QueryError {
        QueryError::Open {
            table: self.definition.name,
            uri: self.uri.clone(),
            source: Box::new(source),
        }
    }

    fn current(&self) -> Arc<dyn TableProvider> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl TableProvider for LatestTable {
    fn schema(&self) -> SchemaRef {
        self.current().schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn get_logical_plan(&self) -> Option<Cow<'_, datafusion::logical_expr::LogicalPlan>> {
        None
    }

    async fn scan(
        &self,
        state: &dyn EngineSession,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.current().scan(state, projection, filters, limit).await
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        self.current().supports_filters_pushdown(filters)
    }

    fn statistics(&self) -> Option<datafusion::common::Statistics> {
        self.current().statistics()
    }
}
