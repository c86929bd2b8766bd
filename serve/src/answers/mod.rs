//! The one guarded core: every face asks here, and none has SQL, limits or safety of its own.
//!
//! ```text
//! Question ─ size ─ syntax ─ place ─ refresh ─ session of its own ─ guard, plan ─▶ rows ─▶ pieces ─▶ Reply
//!                             │ queries at once      │ memory                        │ caps
//!                             └──── wall clock, cancel, reader gone, server stops ────┘
//! ```
//!
//! A query has a session to itself, made for it: nothing that one connection does can be seen by another. It gives its
//! place back when the last of its work has stopped, not before.

mod fault;
mod limits;
mod question;
mod reply;
mod running;
mod sink;
mod strangers;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use query::{
    Answer, Described, Dialect, Format, QueryError, Scratch, Session, SessionOptions, Share,
    Statement, Tables,
};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

pub use fault::Fault;
pub use limits::Limits;
pub use question::{Lane, QueryId, Question};
pub use reply::{Cut, Reply, Summary};
pub use running::Fate;
use running::{Entry, Running, Stop};
use sink::{Encoded, Rows, Sink, rows_of_piece};
pub use strangers::Stranger;
use strangers::Strangers;

/// Pieces that wait for their reader.
const PIECES_WAITING: usize = 4;

/// Answers questions about the tables of one folder, within limits.
#[derive(Debug, Clone)]
pub struct Answers {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    tables: Tables,
    runtime: Handle,
    limits: Limits,
    asked: Places,
    own: Places,
    connections: Arc<Semaphore>,
    strangers: Strangers,
    running: Running,
}

/// Places for queries of one kind.
#[derive(Debug)]
struct Places {
    running: Arc<Semaphore>,
    /// Those that run and those that wait.
    all: Arc<Semaphore>,
    count: usize,
}

impl Places {
    fn new(count: usize, waiting: usize) -> Self {
        Self {
            running: Arc::new(Semaphore::new(count)),
            all: Arc::new(Semaphore::new(count + waiting)),
            count,
        }
    }

    async fn take(&self, patience: Duration) -> Result<Place, Fault> {
        let busy = || Fault::Busy { running: self.count };
        let Ok(entry) = Arc::clone(&self.all).try_acquire_owned() else { return Err(busy()) };
        let running = Arc::clone(&self.running).acquire_owned();
        match tokio::time::timeout(patience, running).await {
            Ok(Ok(running)) => Ok(Place { _running: running, _entry: entry }),
            Ok(Err(_)) | Err(_) => Err(busy()),
        }
    }
}

/// The place of a query, until it is dropped.
#[derive(Debug)]
struct Place {
    _running: OwnedSemaphorePermit,
    _entry: OwnedSemaphorePermit,
}

/// The place of a connection, until it is dropped.
#[derive(Debug)]
pub struct Connection {
    _place: OwnedSemaphorePermit,
}

impl Answers {
    /// Opens the tables under `uri`; queries run on `runtime`, whose threads need deep stacks.
    ///
    /// # Errors
    /// Those of [`Tables::open`].
    pub async fn open(uri: &str, limits: Limits, runtime: Handle) -> Result<Self, QueryError> {
        Self::over(uri, false, limits, runtime).await
    }

    /// The same for tables that somebody is about to write: until there are some, all are empty.
    ///
    /// # Errors
    /// Those of [`Tables::open`], but for a folder without tables.
    pub async fn open_early(
        uri: &str,
        limits: Limits,
        runtime: Handle,
    ) -> Result<Self, QueryError> {
        Self::over(uri, true, limits, runtime).await
    }

    async fn over(
        uri: &str,
        awaits_tables: bool,
        limits: Limits,
        runtime: Handle,
    ) -> Result<Self, QueryError> {
        let options = SessionOptions {
            scratch: Scratch::Refused,
            spill_limit: Some(limits.spill_bytes),
            awaits_tables,
            ..SessionOptions::default()
        };
        let tables = Tables::open(uri, &options).await?;
        let asked = Places::new(limits.queries, limits.waiting);
        let own = Places::new(limits::OWN_QUERIES, limits.waiting);
        let connections = Arc::new(Semaphore::new(limits.connections));
        let strangers = Strangers::new(limits.connections);
        let running = Running::default();
        let inner = Inner { tables, runtime, limits, asked, own, connections, strangers, running };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// A place for a connection; `None` when there are as many as may be.
    pub fn connect(&self) -> Option<Connection> {
        let place = Arc::clone(&self.inner.connections).try_acquire_owned().ok()?;
        Some(Connection { _place: place })
    }

    /// A connection from `peer`, who has not shown yet that they may ask; `None` where it has as many as one may have.
    pub fn stranger(&self, peer: IpAddr) -> Option<Stranger> {
        self.inner.strangers.enter(peer)
    }

    /// The limits.
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// Where the tables are, as given.
    pub fn uri(&self) -> &str {
        self.inner.tables.uri()
    }

    /// The latest version of each table; `None` for one that does not exist yet.
    ///
    /// # Errors
    /// [`QueryError::Open`] when a log cannot be read.
    pub async fn versions(&self) -> Result<Vec<(&'static str, Option<u64>)>, QueryError> {
        self.inner.tables.refresh().await?;
        Ok(self.inner.tables.versions())
    }

    /// Answers with rows.
    ///
    /// # Errors
    /// What is wrong before the first row; later faults are told by [`Reply::end`].
    pub async fn rows(&self, question: Question) -> Result<Reply<RecordBatch>, Fault> {
        self.ask(question, |_| Ok(Rows)).await
    }

    /// Plans a statement and does not run it: what it takes, and what it would give.
    ///
    /// - `given`: numbers of the types of its placeholders, as PostgreSQL numbers them; 0 where one is not known.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn describe(&self, question: Question, given: Vec<u32>) -> Result<Described, Fault> {
        let (entry, mut stop) = self.admit(&question)?;
        let inner = Arc::clone(&self.inner);
        let described = async move {
            let _entry = entry;
            tokio::select! {
                biased;
                Ok(stop) = &mut stop => Err(stop.into()),
                described = inner.describe(&question, given) => described,
            }
        };
        // Whoever goes takes it along.
        let mut planned = JoinSet::new();
        planned.spawn_on(described, &self.inner.runtime);
        planned.join_next().await.and_then(Result::ok).unwrap_or(Err(Fault::Broken))
    }

    /// Takes a question in, unless it is too long or goes by the name of another.
    fn admit(&self, question: &Question) -> Result<(Entry, oneshot::Receiver<Stop>), Fault> {
        let (bytes, max) = (question.text.len(), self.inner.limits.statement_bytes);
        if bytes > max {
            return Err(Fault::TooLong { bytes, max });
        }
        self.inner.running.enter(question.id).ok_or(Fault::SameId)
    }

    /// Answers with the bytes of a file in `format`.
    ///
    /// # Errors
    /// What is wrong before the first row; later faults are told by [`Reply::end`].
    pub async fn bytes(&self, question: Question, format: Format) -> Result<Reply<Bytes>, Fault> {
        self.ask(question, move |schema| Encoded::start(schema, format)).await
    }

    /// Tells a query to stop.
    ///
    /// - returns: whether it runs.
    pub fn cancel(&self, id: QueryId) -> bool {
        self.inner.running.cancel(id)
    }

    /// What became of a query; `None` for one that nobody remembers.
    pub fn fate(&self, id: QueryId) -> Option<Fate> {
        self.inner.running.fate(id)
    }

    /// Stops all queries, and those that come later.
    pub fn stop(&self) {
        self.inner.running.stop();
    }

    async fn ask<S: Sink>(
        &self,
        question: Question,
        start: impl FnOnce(&SchemaRef) -> Result<S, QueryError> + Send + 'static,
    ) -> Result<Reply<S::Piece>, Fault> {
        let id = question.id;
        let (entry, stop) = self.admit(&question)?;
        let (head, schema) = oneshot::channel();
        let (hand_out, pieces) = mpsc::channel(PIECES_WAITING);
        let (tell_end, end) = oneshot::channel();
        let query = Query {
            inner: Arc::clone(&self.inner),
            question,
            head: Some(head),
            hand_out,
            start: Some(start),
        };
        self.inner.runtime.spawn(query.drive((entry, stop), tell_end));
        let schema = schema.await.unwrap_or(Err(Fault::Broken))?;
        Ok(Reply { id, schema, pieces, end })
    }
}

impl Inner {
    async fn describe(&self, question: &Question, given: Vec<u32>) -> Result<Described, Fault> {
        let statement = one_statement(&question.text)?;
        let place = self.places(question.lane).take(self.limits.wait_time).await?;
        let limit = question.time(self.limits.query_time);
        let described = tokio::time::timeout(limit, async {
            let session = self.session(place, question.dialect).await?;
            planned(move |runtime| runtime.block_on(session.describe(&statement, &given))).await
        });
        described.await.unwrap_or(Err(Fault::TooSlow { limit }))
    }

    const fn places(&self, lane: Lane) -> &Places {
        match lane {
            Lane::Asked => &self.asked,
            Lane::Own => &self.own,
        }
    }

    /// A session over the latest versions, which holds `place` as long as it is at work.
    async fn session(&self, place: Place, dialect: Dialect) -> Result<Session, QueryError> {
        self.tables.refresh().await?;
        let share = Share::new(self.limits.share_bytes(), Box::new(place));
        Ok(self.tables.pinned(share)?.in_dialect(dialect))
    }
}

/// A query at work.
struct Query<S: Sink, F> {
    inner: Arc<Inner>,
    question: Question,
    /// Who waits for the columns, until they are known.
    head: Option<oneshot::Sender<Result<SchemaRef, Fault>>>,
    hand_out: mpsc::Sender<S::Piece>,
    start: Option<F>,
}

impl<S: Sink, F: FnOnce(&SchemaRef) -> Result<S, QueryError> + Send> Query<S, F> {
    async fn drive(
        mut self,
        (entry, mut stop): (Entry, oneshot::Receiver<Stop>),
        end: oneshot::Sender<Result<Summary, Fault>>,
    ) {
        let gone = self.hand_out.clone();
        let outcome = tokio::select! {
            biased;
            Ok(stop) = &mut stop => Err(stop.into()),
            () = gone.closed() => Err(Fault::Gone),
            outcome = self.run() => outcome,
        };
        entry.ended(&outcome);
        // Whoever waits may have gone meanwhile.
        match (self.head.take(), outcome) {
            (Some(head), Err(fault)) => drop(head.send(Err(fault))),
            (_, outcome) => drop(end.send(outcome)),
        }
    }

    async fn run(&mut self) -> Result<Summary, Fault> {
        let statement = one_statement(&self.question.text)?;
        let inner = Arc::clone(&self.inner);
        let limits = &inner.limits;
        let place = inner.places(self.question.lane).take(limits.wait_time).await?;
        let limit = self.question.time(limits.query_time);
        let answered = tokio::time::timeout(limit, self.answer(&statement, place)).await;
        answered.unwrap_or(Err(Fault::TooSlow { limit }))
    }

    async fn answer(&mut self, statement: &Statement, place: Place) -> Result<Summary, Fault> {
        let started = Instant::now();
        let session = self.inner.session(place, self.question.dialect).await?;
        let (statement, params) = (statement.clone(), self.question.params.clone());
        let plan = move |runtime: Handle| match &params {
            Some(params) => runtime.block_on(session.query_with(&statement, params)),
            None => runtime.block_on(session.query(&statement)),
        };
        let answer = planned(plan).await?;
        let Some(start) = self.start.take() else { return Err(Fault::Broken) };
        let sink = start(answer.schema())?;
        if let Some(head) = self.head.take() {
            // Whoever waits may have gone meanwhile; that is seen elsewhere.
            let _ = head.send(Ok(Arc::clone(answer.schema())));
        }
        let mut summary = self.hand_out_all(answer, sink).await?;
        summary.time = started.elapsed();
        Ok(summary)
    }

    async fn hand_out_all(&mut self, mut answer: Answer, mut sink: S) -> Result<Summary, Fault> {
        let mut caps = Caps::new(&self.inner.limits, &self.question);
        'all: while let Some(batch) = answer.next().await {
            let batch = batch?;
            let (mut from, step) = (0, rows_of_piece(&batch));
            while from < batch.num_rows() {
                let rows = caps.allowed(step.min(batch.num_rows() - from));
                if rows == 0 {
                    break 'all;
                }
                let (piece, bytes) = sink.batch(batch.slice(from, rows))?;
                caps.count(rows, bytes);
                self.hand_out.send(piece).await.map_err(|_| Fault::Gone)?;
                from += rows;
            }
        }
        if let Some((piece, bytes)) = sink.finish()? {
            caps.count(0, bytes);
            self.hand_out.send(piece).await.map_err(|_| Fault::Gone)?;
        }
        let Caps { rows, bytes, cut, .. } = caps;
        Ok(Summary { rows, bytes, time: Duration::ZERO, cut })
    }
}

/// Plans, on a thread that has nothing else to do: planning gives way to nobody.
async fn planned<T: Send + 'static>(
    plan: impl FnOnce(Handle) -> Result<T, QueryError> + Send + 'static,
) -> Result<T, Fault> {
    let runtime = Handle::current();
    let planned = tokio::task::spawn_blocking(move || plan(runtime)).await;
    Ok(planned.map_err(|_| Fault::Broken)??)
}

/// The one statement of `text`.
fn one_statement(text: &str) -> Result<Statement, QueryError> {
    let mut statements = query::statements::parse_bounded(text)?;
    match (statements.pop(), statements.len()) {
        (Some(statement), 0) => Ok(statement),
        (None, _) => Err(QueryError::Syntax { message: "there is no statement".to_owned() }),
        (Some(_), others) => {
            let place = "an answer".to_owned();
            Err(QueryError::OneResult { place, statements: others + 1 })
        }
    }
}

/// Rows and bytes handed out, and how many may be.
#[derive(Debug)]
struct Caps {
    rows: u64,
    bytes: u64,
    rows_max: u64,
    at_rows: Cut,
    bytes_max: u64,
    cut: Option<Cut>,
}

impl Caps {
    /// Our own questions bound their rows themselves, and a page that was cut would not say so: for them there are time and
    /// memory alone.
    fn new(limits: &Limits, question: &Question) -> Self {
        let (most, bytes_max) = match question.lane {
            Lane::Asked => (limits.rows, limits.bytes),
            Lane::Own => (u64::MAX, u64::MAX),
        };
        let (rows_max, at_rows) = match question.rows_max.filter(|asked| *asked < most) {
            Some(asked) => (asked, Cut::Asked(asked)),
            None => (most, Cut::Rows(most)),
        };
        Self { rows: 0, bytes: 0, rows_max, at_rows, bytes_max, cut: None }
    }

    /// How many of the next `rows` may be handed out. Where none may, it is noted why.
    fn allowed(&mut self, rows: usize) -> usize {
        if self.bytes >= self.bytes_max {
            self.cut = Some(Cut::Bytes(self.bytes_max));
            return 0;
        }
        let left = usize::try_from(self.rows_max - self.rows).unwrap_or(usize::MAX);
        if left == 0 {
            self.cut = Some(self.at_rows);
        }
        rows.min(left)
    }

    const fn count(&mut self, rows: usize, bytes: u64) {
        self.rows += rows as u64;
        self.bytes += bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_noted_where_a_row_would_have_followed_and_only_there() {
        let limits = Limits { rows: 10, bytes: 100, ..Limits::default() };
        let ask = || Question::asked("SELECT 1");
        let mut caps = Caps::new(&limits, &ask());
        assert_eq!(caps.allowed(8), 8);
        caps.count(8, 1);
        assert_eq!(caps.allowed(8), 2);
        caps.count(2, 1);
        assert_eq!(caps.cut, None, "ten rows may be all there are");
        assert_eq!((caps.allowed(1), caps.cut), (0, Some(Cut::Rows(10))));
        let mut caps = Caps::new(&limits, &ask().with_rows_max(3));
        assert_eq!(caps.allowed(8), 3);
        caps.count(3, 100);
        assert_eq!((caps.allowed(8), caps.cut), (0, Some(Cut::Bytes(100))));
        let mut caps = Caps::new(&limits, &ask().with_rows_max(0));
        assert_eq!((caps.allowed(8), caps.cut), (0, Some(Cut::Asked(0))));
        assert_eq!(Caps::new(&limits, &ask().with_rows_max(11)).at_rows, Cut::Rows(10));
        let mut caps = Caps::new(&limits, &Question::own("SELECT 1"));
        caps.count(1_000, 1_000_000);
        assert_eq!((caps.allowed(8), caps.cut), (8, None));
    }

    #[test]
    fn one_statement_is_asked_at_a_time() {
        assert!(one_statement("SELECT 1; -- and no more").is_ok());
        let said = |text| one_statement(text).unwrap_err().to_string();
        assert_eq!(said(" ; "), "syntax error: there is no statement");
        assert!(said("SELECT 1; SELECT 2").starts_with("an answer holds one result"));
    }
}
