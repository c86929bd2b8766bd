//! The tables of one data folder, and the sessions over them.

use std::any::Any;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use datafusion::catalog::{
    CatalogProvider as _, CatalogProviderList as _, MemoryCatalogProvider,
    MemoryCatalogProviderList, MemorySchemaProvider, TableProvider,
};
use datafusion::common::{DataFusionError, Result as EngineResult};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{
    FairSpillPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation, TrackConsumersPool,
};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use lake::TableReader;

use crate::compact::CompactSorts;
use crate::error::QueryError;
use crate::lake_table::{GroupByNumbers, LakeTable};
use crate::options::{Scratch, SessionOptions};
use crate::repairs;
use crate::session::Session;
use crate::sized::MeasureGrowth;

/// How the store of the tables is known to the engine: a name of its own, so that no statement reaches through it.
const STORE: &str = "floodmark://tables/";

/// Queries named in an error about memory, at most.
const MEMORY_CONSUMERS: NonZeroUsize = NonZeroUsize::MIN;

/// The tables of one data folder, for any number of sessions at the same time: they share what was read of the logs and
/// of the files' footers, and nothing else.
pub struct Tables {
    all: Vec<Arc<LakeTable>>,
    /// Settings, functions, store and caches, without a name of a table.
    state: SessionState,
    scratch: Scratch,
    uri: String,
}

impl fmt::Debug for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tables").field("uri", &self.uri).finish_non_exhaustive()
    }
}

impl Tables {
    /// Opens the tables under `uri`: a folder, or a URL such as `s3://bucket/path`.
    ///
    /// # Errors
    /// Those of [`Session::open`].
    pub fn open<'a>(
        uri: &'a str,
        options: &'a SessionOptions,
    ) -> BoxFuture<'a, Result<Self, QueryError>> {
        Self::open_now(uri, options).boxed()
    }

    async fn open_now(uri: &str, options: &SessionOptions) -> Result<Self, QueryError> {
        let location = |source| QueryError::Location { source: Box::new(source) };
        let reader = TableReader::open(uri).map_err(location)?;
        keep_freed_memory();
        let state = SessionStateBuilder::new()
            .with_config(config(options))
            .with_runtime_env(runtime(options)?)
            .with_default_features()
            .build();
        let engine = |error: DataFusionError| QueryError::Engine { detail: error.to_string() };
        let store = ObjectStoreUrl::parse(STORE).map_err(engine)?;
        state.runtime_env().register_object_store(store.as_ref(), reader.store());
        let mut tables = Vec::new();
        for definition in schemas::tables::ALL {
            let log = reader.table(definition).map_err(location)?;
            tables.push(Arc::new(LakeTable::new(definition, store.clone(), log)));
        }
        if refresh(&tables).await? == 0 && !options.awaits_tables {
            return Err(QueryError::NoTables { uri: uri.to_owned() });
        }
        Ok(Self { all: tables, state, scratch: options.scratch, uri: uri.to_owned() })
    }

    /// Moves to the latest commit of each table.
    ///
    /// # Errors
    /// [`QueryError::Open`] when a log cannot be read.
    pub fn refresh(&self) -> BoxFuture<'_, Result<(), QueryError>> {
        refresh(&self.all).map(|found| found.map(drop)).boxed()
    }

    /// Version of each table at the last [`Self::refresh`]; `None` for one that does not exist yet.
    pub fn versions(&self) -> Vec<(&'static str, Option<u64>)> {
        self.all.iter().map(|table| (table.name(), table.version())).collect()
    }

    /// Where the tables are, as given.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// A session that sees the tables as of the last [`Self::refresh`], whatever is committed while it lives; its
    /// settings and its memory are its own.
    ///
    /// # Errors
    /// [`QueryError::Engine`].
    pub fn pinned(&self, share: Share) -> Result<Session, QueryError> {
        let shared = self.state.runtime_env();
        let environment = RuntimeEnv { memory_pool: Arc::new(share), ..(**shared).clone() };
        let tables: Vec<_> = self.all.iter().map(|table| Arc::new(table.pinned())).collect();
        let context = context(self.state.clone(), Arc::new(environment), &tables)?;
        Ok(Session::new(context, tables, (&self.uri, self.scratch), true))
    }

    /// A session that follows the tables, and has all that was opened to itself.
    pub(crate) fn into_session(self) -> Result<Session, QueryError> {
        let environment = Arc::clone(self.state.runtime_env());
        let context = context(self.state, environment, &self.all)?;
        Ok(Session::new(context, self.all, (&self.uri, self.scratch), false))
    }
}

/// A context with names and settings of its own, over `tables`.
fn context(
    state: SessionState,
    environment: Arc<RuntimeEnv>,
    tables: &[Arc<LakeTable>],
) -> Result<SessionContext, QueryError> {
    let by_numbers = GroupByNumbers { memory: Arc::clone(&environment.memory_pool) };
    let compact = CompactSorts { memory: Arc::clone(&environment.memory_pool) };
    let catalogs = names(&state).map_err(|error| QueryError::from_plan(&error, &[]))?;
    let repairs = repairs::rules().into_iter();
    let builder = SessionStateBuilder::new_from_existing(state);
    let state = repairs
        .fold(builder, SessionStateBuilder::with_analyzer_rule)
        .with_analyzer_rule(Arc::new(MeasureGrowth::default()))
        .with_catalog_list(catalogs)
        .with_runtime_env(environment)
        .with_physical_optimizer_rule(Arc::new(by_numbers))
        .with_physical_optimizer_rule(Arc::new(compact))
        .build();
    let context = SessionContext::new_with_state(state);
    register(&context, tables).map_err(|error| QueryError::from_plan(&error, &[]))?;
    Ok(context)
}

/// Room for names that nobody else sees.
fn names(state: &SessionState) -> EngineResult<Arc<MemoryCatalogProviderList>> {
    let defaults = &state.config_options().catalog;
    let names = MemoryCatalogProvider::new();
    names.register_schema(&defaults.default_schema, Arc::new(MemorySchemaProvider::new()))?;
    let catalogs = MemoryCatalogProviderList::new();
    catalogs.register_catalog(defaults.default_catalog.clone(), Arc::new(names));
    Ok(Arc::new(catalogs))
}

/// Makes tables and functions known to `context`.
fn register(context: &SessionContext, tables: &[Arc<LakeTable>]) -> EngineResult<()> {
    for table in tables {
        let provider: Arc<dyn TableProvider> = Arc::<LakeTable>::clone(table);
        if table.name() == schemas::tables::REQUESTS.name {
            crate::functions::register(context, Arc::clone(&provider))?;
        }
        context.register_table(table.name(), provider)?;
    }
    Ok(())
}

/// Moves each table to its latest version; counts those that exist.
pub(crate) async fn refresh(tables: &[Arc<LakeTable>]) -> Result<usize, QueryError> {
    let found = futures::future::try_join_all(tables.iter().map(|table| table.refresh())).await?;
    Ok(found.into_iter().filter(|exists| *exists).count())
}

/// The memory that a query may hold, and whatever else is its own as long as any part of it is at work: a cancelled
/// query may have to reach the end of a batch first.
pub struct Share {
    pool: TrackConsumersPool<FairSpillPool>,
    _held: Box<dyn Any + Send + Sync>,
}

impl Share {
    /// - `bytes`: what the query may hold before it spills to disk, or fails where it cannot.
    /// - `held`: dropped when the query has let go of everything.
    pub fn new(bytes: usize, held: Box<dyn Any + Send + Sync>) -> Self {
        let pool = TrackConsumersPool::new(FairSpillPool::new(bytes), MEMORY_CONSUMERS);
        Self { pool, _held: held }
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Share").field("pool", &self.pool).finish_non_exhaustive()
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pool.fmt(f)
    }
}

impl MemoryPool for Share {
    fn name(&self) -> &'static str {
        "share"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.pool.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.pool.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.pool.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.pool.shrink(reservation, shrink);
    }

    fn try_grow(
        &self,
        reservation: &MemoryReservation,
        additional: usize,
    ) -> Result<(), DataFusionError> {
        self.pool.try_grow(reservation, additional)
    }

    fn reserved(&self) -> usize {
        self.pool.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.pool.memory_limit()
    }
}

fn config(options: &SessionOptions) -> SessionConfig {
    let mut config = SessionConfig::new().with_information_schema(true);
    let settings = config.options_mut();
    settings.execution.time_zone = Some(schemas::column::UTC.to_owned());
    // Of DISTINCT with LIMIT the engine asks for an order that nobody gave.
    settings.optimizer.enable_distinct_aggregation_soft_limit = false;
    settings.execution.parquet.pushdown_filters = true;
    settings.execution.parquet.reorder_filters = true;
    if let Some(partitions) = options.target_partitions {
        config = config.with_target_partitions(partitions.max(1));
    }
    if let Some(rows) = options.batch_size {
        config = config.with_batch_size(rows.max(1));
    }
    config
}

/// Lets the C library keep memory that is freed, as far as it can: it learns from the greatest block that it gave back to
/// the system. Pages of columns come and go by the megabyte, and to ask for each anew costs a tenth of a query.
fn keep_freed_memory() {
    /// Just below 32 MiB, above which nothing is learnt.
    const BLOCK: usize = (32 << 20) - (64 << 10);
    drop(std::hint::black_box(Vec::<u8>::with_capacity(BLOCK)));
}

fn runtime(options: &SessionOptions) -> Result<Arc<RuntimeEnv>, QueryError> {
    let mut builder = RuntimeEnvBuilder::new();
    if let Some(bytes) = options.memory_limit {
        let pool = TrackConsumersPool::new(FairSpillPool::new(bytes), MEMORY_CONSUMERS);
        builder = builder.with_memory_pool(Arc::new(pool));
    }
    let mut disk = DiskManagerBuilder::default();
    if let Some(folder) = &options.spill_dir {
        disk = disk.with_mode(DiskManagerMode::Directories(vec![folder.clone()]));
    }
    if let Some(bytes) = options.spill_limit {
        disk = disk.with_max_temp_directory_size(bytes);
    }
    builder
        .with_disk_manager_builder(disk)
        .build_arc()
        .map_err(|error| QueryError::Engine { detail: error.to_string() })
}
