//! The session: tables, view and functions, and statements run against them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::TableProvider as _;
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement as ParsedStatement;
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _};
use tokio::sync::Mutex;

use crate::error::QueryError;
use crate::guard;
use crate::lake_table::LakeTable;
use crate::lenient;
use crate::options::{Dialect, Scratch, SessionOptions};
use crate::output::{OutputOptions, Written};
use crate::params::Params;
use crate::postgres::{self, Kind, oid};
use crate::statements::{self, Statement};
use crate::stop;
use crate::subqueries;
use crate::tables::{Tables, refresh};
use crate::views::{VIEWS, View};

/// A connection to the tables of one data folder. Read-only; each query sees the latest commits.
///
/// Its functions return boxed futures rather than being `async`: the body of an `async fn` is compiled into every crate
/// that awaits it, and these bodies hold the whole SQL planner.
pub struct Session {
    context: SessionContext,
    tables: Vec<Arc<LakeTable>>,
    /// Whether the tables stay at the versions they are at.
    is_pinned: bool,
    /// Those that were planned over the columns as they are: most sessions ask for none.
    views: Mutex<BTreeSet<&'static str>>,
    scratch: Scratch,
    dialect: Dialect,
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

    /// The next rows; `None` at the end.
    ///
    /// # Errors
    /// [`QueryError::Execute`] when the query fails on the way.
    pub async fn next(&mut self) -> Option<Result<RecordBatch, QueryError>> {
        let rows = self.stream.next().await?;
        Some(rows.map_err(|error| QueryError::from_execution(&error)))
    }

    /// The rows as Arrow batches.
    pub fn into_stream(self) -> SendableRecordBatchStream {
        self.stream
    }
}

/// What a statement takes and gives.
#[derive(Debug, Clone)]
pub struct Described {
    /// Numbers of the types of the placeholders `$1`, `$2`, …, as PostgreSQL numbers them; a text where nobody tells.
    pub params: Vec<u32>,
    /// Columns of the answer.
    pub schema: SchemaRef,
}

impl Described {
    /// - `told`: types of placeholders by place, from 1.
    fn new(plan: LogicalPlan, mut told: BTreeMap<usize, u32>) -> Result<Self, DataFusionError> {
        let found: BTreeMap<String, Option<DataType>> =
            plan.get_parameter_types()?.into_iter().collect();
        for (name, found) in found {
            let Some(place) = postgres::place(&name) else {
                let told = format!("there is no placeholder {name}: they are $1, $2, …");
                return Err(DataFusionError::Plan(told));
            };
            let found = found.filter(|of| *of != DataType::Null).map(|of| Kind::of(&of).oid);
            told.entry(place).or_insert(found.unwrap_or(oid::TEXT));
        }
        let places = told.keys().next_back().copied().unwrap_or(0);
        let params: Vec<u32> =
            (1..=places).map(|place| told.remove(&place).unwrap_or(oid::TEXT)).collect();
        if params.is_empty() {
            return Ok(Self { params, schema: Arc::clone(plan.schema().inner()) });
        }
        // Columns may have the types of values: as if there were some.
        let null = |of: &u32| ScalarValue::try_from(Kind::taken(*of).unwrap_or(DataType::Utf8));
        let nulls = params.iter().map(null).collect::<Result<Vec<_>, _>>()?;
        let plan = plan.with_param_values(nulls)?;
        Ok(Self { params, schema: Arc::clone(plan.schema().inner()) })
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
        Tables::open(uri, options).await?.into_session()
    }

    /// A session over `tables`, which are those that `context` knows.
    pub(crate) fn new(
        context: SessionContext,
        tables: Vec<Arc<LakeTable>>,
        (uri, scratch): (&str, Scratch),
        is_pinned: bool,
    ) -> Self {
        let uri = uri.to_owned();
        let (views, dialect) = (Mutex::default(), Dialect::default());
        Self { context, tables, is_pinned, views, scratch, dialect, uri }
    }

    /// The same, for statements that are written in `dialect`.
    #[must_use]
    pub fn in_dialect(self, dialect: Dialect) -> Self {
        Self { dialect, ..self }
    }

    /// Plans views, in an order in which each comes behind those that it is made of.
    async fn create_views(&self, mut missing: Vec<&'static View>) -> Result<(), QueryError> {
        let mut known = self.views.lock().await;
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

    /// Moves every table to its latest version, in a session that follows them.
    async fn refresh(&self) -> Result<(), QueryError> {
        if self.is_pinned {
            return Ok(());
        }
        let before = self.table_schemas();
        refresh(&self.tables).await?;
        // The views were planned over the columns as they were: types change when a table comes into being.
        if self.table_schemas() != before {
            self.views.lock().await.clear();
        }
        Ok(())
    }

    /// Starts one statement at the latest version of the tables.
    ///
    /// # Errors
    /// [`QueryError::ReadOnly`] when it would write, [`QueryError::Plan`] when it does not fit the tables.
    pub fn query<'a>(
        &'a self,
        statement: &'a Statement,
    ) -> BoxFuture<'a, Result<Answer, QueryError>> {
        self.query_now(statement, None).boxed()
    }

    /// The same with values for the statement's placeholders.
    ///
    /// # Errors
    /// Those of [`Session::query`].
    pub fn query_with<'a>(
        &'a self,
        statement: &'a Statement,
        params: &'a Params,
    ) -> BoxFuture<'a, Result<Answer, QueryError>> {
        self.query_now(statement, Some(params)).boxed()
    }

    /// Plans one statement and does not run it.
    ///
    /// - `given`: numbers of the types of the placeholders `$1`, `$2`, …; 0 where one is not known.
    ///
    /// # Errors
    /// Those of [`Session::query`].
    pub fn describe<'a>(
        &'a self,
        statement: &'a Statement,
        given: &'a [u32],
    ) -> BoxFuture<'a, Result<Described, QueryError>> {
        let mut told = postgres::told(&statement.parsed);
        told.extend((1..).zip(given).filter(|(_, of)| **of != 0).map(|(place, of)| (place, *of)));
        let described = move |parsed| {
            let told = told.clone();
            async move { Ok(Described::new(self.plan(parsed, None).await?, told)?) }.boxed()
        };
        async move {
            let mut described = self.try_spellings(statement, described).await?;
            if self.dialect == Dialect::Postgres {
                described.schema = postgres::renamed(&statement.parsed, &described.schema);
            }
            Ok(described)
        }
        .boxed()
    }

    async fn query_now(
        &self,
        statement: &Statement,
        params: Option<&Params>,
    ) -> Result<Answer, QueryError> {
        let start = |parsed| self.start(parsed, params).boxed();
        let mut answer = self.try_spellings(statement, start).await?;
        if self.dialect == Dialect::Postgres {
            answer.schema = postgres::renamed(&statement.parsed, &answer.schema);
        }
        Ok(answer)
    }

    /// Does `attempt` with the statement as it is meant.
    async fn try_spellings<'a, T>(
        &'a self,
        statement: &Statement,
        attempt: impl Fn(ParsedStatement) -> BoxFuture<'a, Result<T, Refusal>> + Send,
    ) -> Result<T, QueryError> {
        guard::check_statement(&statement.parsed, self.scratch)?;
        self.refresh().await?;
        let text = statement.to_string();
        self.create_views(named_in(&text)).await?;
        let mut parsed = statement.parsed.clone();
        lenient::respell(&mut parsed)?;
        if self.dialect == Dialect::Postgres {
            self.in_postgres(&mut parsed, &text).await?;
        }
        loop {
            let error = match attempt(parsed.clone()).await {
                Ok(done) => return Ok(done),
                Err(Refusal::Guard(error)) => return Err(error),
                Err(Refusal::Engine(error)) => error,
            };
            if !lenient::complete_time(&mut parsed, &error.to_string()) {
                return Err(QueryError::from_plan(&error, &self.names()).quoted_in(&text));
            }
        }
    }

    /// Writes a statement of PostgreSQL in the engine's words, and makes known what it may name.
    async fn in_postgres(
        &self,
        parsed: &mut ParsedStatement,
        text: &str,
    ) -> Result<(), QueryError> {
        postgres::rewrite(parsed);
        let named = postgres::named_in(text);
        if !named.is_empty() {
            // It tells of them, too.
            self.create_views(VIEWS.iter().collect()).await?;
        }
        let registered = postgres::register(&self.context, &named).await;
        registered.map_err(|error| QueryError::from_plan(&error, &[]))
    }

    async fn plan(
        &self,
        parsed: ParsedStatement,
        params: Option<&Params>,
    ) -> Result<LogicalPlan, Refusal> {
        let mut plan = self.context.state().statement_to_plan(parsed).await?;
        if let Some(params) = params {
            plan = plan.with_param_values(params.values.clone())?;
        }
        guard::check_plan(&plan, self.scratch).map_err(Refusal::Guard)?;
        if self.dialect == Dialect::Postgres {
            plan = postgres::cast_as_there(plan)?;
        }
        Ok(plan)
    }

    async fn start(
        &self,
        parsed: ParsedStatement,
        params: Option<&Params>,
    ) -> Result<Answer, Refusal> {
        let plan = subqueries::answered(&self.context, self.plan(parsed, params).await?).await?;
        let frame = self.context.execute_logical_plan(plan).await?;
        let context = Arc::new(frame.task_ctx());
        let stream = stop::start(frame.create_physical_plan().await?, context)?;
        // Not the frame's, which does not know yet which types are made equal.
        Ok(Answer { schema: stream.schema(), stream })
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
        if options.format.is_binary() && statements.len() > 1 {
            let place = format!("format {}", options.format);
            return Err(QueryError::OneResult { place, statements: statements.len() });
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
        self.create_views(named_in(name)).await?;
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
