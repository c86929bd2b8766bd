//! The session: tables, view and functions, and statements run against them.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::common::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::parser::Statement as ParsedStatement;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use lake::TableReader;
use tokio::sync::Mutex;

use crate::error::QueryError;
use crate::guard;
use crate::lake_table::{GroupByNumbers, LakeTable};
use crate::lenient;
use crate::options::{Scratch, SessionOptions};
use crate::output::{Format, OutputOptions, Written};
use crate::statements::{self, Statement};
use crate::stop;
use crate::views::{VIEWS, View};

/// How the store of the tables is known to the engine: a name of its own, so that no statement reaches through it.
const STORE: &str = "floodmark://tables/";

/// Queries named in an error about memory, at most.
const MEMORY_CONSUMERS: std::num::NonZeroUsize = std::num::NonZeroUsize::MIN;

/// A connection to the tables of one data folder. Read-only; each query sees the latest commits.
///
/// Its functions return boxed futures rather than being `async`: the body of an `async fn` is compiled into every crate
/// that awaits it, and these bodies hold the whole SQL planner.
pub struct Session {
    context: SessionContext,
    tables: Vec<Arc<LakeTable>>,
    /// Those that were planned over the columns as they are: most sessions ask for none.
    views: Mutex<BTreeSet<&'static str>>,
    scratch: Scratch,
    uri: String,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("uri", &self.uri).finish_non_exhaustive()
    }
}

/// The answer to one statement: rows that come as they are read.
pub struct Answer {
    pub(crate) schema: SchemaRef,
    pub(crate) stream: SendableRecordBatchStream,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl Answer {
    /// Columns of the answer; none for a statement such as `CREATE VIEW`.
    pub const fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The rows as Arrow batches.
    pub fn into_stream(self) -> SendableRecordBatchStream {
        self.stream
    }
}

/// Whether `name` is a table or view of Floodmark.
pub(crate) fn is_reserved(name: &str) -> bool {
    View::named(name).is_some() || schemas::tables::ALL.iter().any(|table| table.name == name)
}

impl Session {
    /// Opens the tables under `uri`: a folder, or a URL such as `s3://bucket/path`.
    ///
    /// A table that does not exist yet is empty, and found once it does.
    ///
    /// # Errors
    /// [`QueryError::NoTables`] when there is no table at all, [`QueryError::Location`] for what is no place of tables,
    /// [`QueryError::Open`] when one cannot be read or another version wrote it, and [`QueryError::Engine`].
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
        let runtime = runtime(options)?;
        let by_numbers = GroupByNumbers { memory: Arc::clone(&runtime.memory_pool) };
        let state = SessionStateBuilder::new()
            .with_config(config(options))
            .with_runtime_env(runtime)
            .with_default_features()
            .with_physical_optimizer_rule(Arc::new(by_numbers))
            .build();
        let context = SessionContext::new_with_state(state);
        let store = ObjectStoreUrl::parse(STORE)
            .map_err(|error| QueryError::Engine { detail: error.to_string() })?;
        context.register_object_store(store.as_ref(), reader.store());
        let mut tables = Vec::new();
        for definition in schemas::tables::ALL {
            let log = reader.table(definition).map_err(location)?;
            let table = Arc::new(LakeTable::new(definition, store.clone(), log));
            let provider: Arc<dyn TableProvider> = Arc::<LakeTable>::clone(&table);
            if definition.name == schemas::tables::REQUESTS.name {
                crate::functions::register(&context, Arc::clone(&provider))
                    .map_err(|error| QueryError::from_plan(&error, &[]))?;
            }
            context
                .register_table(definition.name, provider)
                .map_err(|error| QueryError::from_plan(&error, &[]))?;
            tables.push(table);
        }
        let views = Mutex::default();
        let session =
            Self { context, tables, views, scratch: options.scratch, uri: uri.to_owned() };
        if session.refresh().await? == 0 {
            return Err(QueryError::NoTables { uri: uri.to_owned() });
        }
        Ok(session)
    }

    /// Plans the views that `text` may name, and those that they are made of.
    async fn create_views(&self, text: &str) -> Result<(), QueryError> {
        let mut known = self.views.lock().await;
        let mut missing = named_in(text);
        missing.retain(|view| !known.contains(view.name));
        for view in missing {
            let created = self.context.sql(&view.create()).await;
            created.map_err(|error| QueryError::from_plan(&error, &self.names()))?;
            known.insert(view.name);
        }
        Ok(())
    }

    fn table_schemas(&self) -> Vec<SchemaRef> {
        self.tables.iter().map(|table| table.schema()).collect()
    }

    /// Moves every table to its latest version; counts those that exist.
    async fn refresh(&self) -> Result<usize, QueryError> {
        let before = self.table_schemas();
        let found =
            futures::future::try_join_all(self.tables.iter().map(|table| table.refresh())).await?;
        // The views were planned over the columns as they were: types change when a table comes into being.
        if self.table_schemas() != before {
            self.views.lock().await.clear();
        }
        Ok(found.into_iter().filter(|exists| *exists).count())
    }

    /// Starts one statement at the latest version of the tables.
    ///
    /// # Errors
    /// [`QueryError::ReadOnly`] when it would write, [`QueryError::Plan`] when it does not fit the tables.
    pub fn query<'a>(
        &'a self,
        statement: &'a Statement,
    ) -> BoxFuture<'a, Result<Answer, QueryError>> {
        self.query_now(statement).boxed()
    }

    async fn query_now(&self, statement: &Statement) -> Result<Answer, QueryError> {
        guard::check_statement(&statement.parsed)?;
        self.refresh().await?;
        let text = statement.to_string();
        self.create_views(&text).await?;
        let mut parsed = statement.parsed.clone();
        lenient::respell(&mut parsed);
        loop {
            let error = match self.start(parsed.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(Refusal::Guard(error)) => return Err(error),
                Err(Refusal::Engine(error)) => error,
            };
            if !lenient::complete_time(&mut parsed, &error.to_string()) {
                return Err(QueryError::from_plan(&error, &self.names()).quoted_in(&text));
            }
        }
    }

    async fn start(&self, parsed: ParsedStatement) -> Result<Answer, Refusal> {
        let plan = self.context.state().statement_to_plan(parsed).await?;
        guard::check_plan(&plan, self.scratch).map_err(Refusal::Guard)?;
        let frame = self.context.execute_logical_plan(plan).await?;
        let schema = Arc::clone(frame.schema().inner());
        let context = Arc::new(frame.task_ctx());
        let stream = stop::start(frame.create_physical_plan().await?, context)?;
        Ok(Answer { schema, stream })
    }

    /// Runs every statement of `text` in order and writes their answers to `out` one after the other.
    ///
    /// Nothing runs when any of it is no SQL. Stops early when the reader of `out` has gone.
    ///
    /// # Errors
    /// Those of [`statements::parse`], [`Session::query`] and [`Answer::write`], and [`QueryError::OneResult`] for
    /// more than one statement in a format that holds one table.
    pub fn run<'a>(
        &'a self,
        text: &'a str,
        options: &'a OutputOptions,
        out: &'a mut (dyn Write + Send),
    ) -> BoxFuture<'a, Result<Written, QueryError>> {
        self.run_now(text, options, out).boxed()
    }

    async fn run_now(
        &self,
        text: &str,
        options: &OutputOptions,
        out: &mut (dyn Write + Send),
    ) -> Result<Written, QueryError> {
        let statements = statements::parse(text)?;
        if options.format == Format::Parquet && statements.len() > 1 {
            return Err(QueryError::OneResult { statements: statements.len() });
        }
        let mut total = Written::default();
        for statement in &statements {
            let written = self.query(statement).await?.write(options, out).await?;
            total = Written { rows: total.rows + written.rows, closed: written.closed };
            if total.closed {
                break;
            }
        }
        Ok(total)
    }

    /// Where the tables are, as given.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Names of all tables and views, those of this session included, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .context
            .catalog_names()
            .iter()
            .filter_map(|catalog| self.context.catalog(catalog))
            .flat_map(|catalog| {
                let schemas = catalog.schema_names().into_iter();
                schemas.filter_map(move |name| catalog.schema(&name)).collect::<Vec<_>>()
            })
            .flat_map(|schema| schema.table_names())
            .collect();
        names.extend(self.tables.iter().map(|table| table.name().to_owned()));
        names.extend(VIEWS.iter().map(|view| view.name.to_owned()));
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Columns of a table or view of this session.
    pub(crate) async fn schema_of(&self, name: &str) -> Result<SchemaRef, QueryError> {
        self.create_views(name).await?;
        let found = self.context.table_provider(name).await;
        found.map(|table| table.schema()).map_err(|_| {
            let known = self.names();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            QueryError::Plan {
                message: format!("no table `{name}`"),
                hint: crate::hint::similar(name, &known),
            }
        })
    }

    /// The engine's state: functions, settings, catalog.
    pub(crate) fn state(&self) -> SessionState {
        self.context.state()
    }
}

/// The views that `text` may name, after those that they are made of.
fn named_in(text: &str) -> Vec<&'static View> {
    let text = text.to_lowercase();
    let all = text.contains("information_schema") || text.contains("show");
    let is_named = |view: &View| all || text.contains(view.name);
    let last = VIEWS.iter().rposition(is_named).map_or(0, |last| last + 1);
    VIEWS.iter().take(last).filter(|view| view.is_base || is_named(view)).collect()
}

/// Why a statement does not start.
enum Refusal {
    Guard(QueryError),
    Engine(DataFusionError),
}

impl From<DataFusionError> for Refusal {
    fn from(error: DataFusionError) -> Self {
        Self::Engine(error)
    }
}

fn config(options: &SessionOptions) -> SessionConfig {
    let mut config = SessionConfig::new().with_information_schema(true);
    let settings = config.options_mut();
    settings.execution.time_zone = Some(schemas::column::UTC.to_owned());
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
    if let Some(folder) = &options.spill_dir {
        let mode = DiskManagerMode::Directories(vec![folder.clone()]);
        builder = builder.with_disk_manager_builder(DiskManagerBuilder::default().with_mode(mode));
    }
    builder.build_arc().map_err(|error| QueryError::Engine { detail: error.to_string() })
}
