//! Rows of one table on their way into files: encoded at once, uploaded when a file is full or at the commit.
//!
//! ```text
//! rows ─▶ one day ─▶ open file of that day ─▶ full or commit ─▶ DataFile ─▶ uploaded ─▶ `add` action
//!      └▶ other days ─▶ waiting rows (memory) ─▶ sorted by day ┘
//! ```
//!
//! Nothing is forgotten by a failure: an encoded file stays in memory until the store has it, and stays listed until
//! a commit has named it. Since a vacuum by another program may delete a file that no commit names yet, its bytes are
//! kept, as far as there is room, until the commit after the one that names it: what is gone by then is written again.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use arrow::array::{AsArray as _, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::TimestampMicrosecondType;
use bytes::Bytes;
use chrono::Utc;
use deltalake::kernel::Add;
use object_store::path::Path;
use object_store::{ObjectStoreExt as _, PutPayload};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use schemas::Table;
use tokio::task::JoinHandle;

use crate::days::{Day, single_day, split};
use crate::encode::{Encoder, encoder, writer_properties};
use crate::error::{Cause, Failure, LakeError};
use crate::location::Folder;
use crate::options::LakeOptions;
use crate::stats::stats_json;

/// Batches a day may go without rows before another day takes its place among the open files.
const IDLE_BATCHES: u64 = 64;

/// How long files that were named are looked after: a vacuum that was under way is over by then, and maintenance may have
/// taken them out.
const NAMED_MEMORY: Duration = Duration::from_mins(5);

/// A file that is encoded, and maybe uploaded.
#[derive(Debug)]
struct DataFile {
    add: Add,
    rows: u64,
    /// Until the store has them, and as far as there is room until a commit has named them.
    bytes: Option<Bytes>,
    stored: bool,
    upload: Option<JoinHandle<object_store::Result<()>>>,
}

/// A file under construction.
struct OpenFile {
    /// `None` in a table without partitions.
    day: Option<Day>,
    encoder: Encoder,
    /// [`TableWriter::batches`] when rows came last.
    last_used: u64,
}

/// The rows of one table that no commit has named yet.
pub(crate) struct TableWriter {
    table: &'static Table,
    properties: WriterProperties,
    options: LakeOptions,
    folder: Folder,
    /// Index of the column whose day is the partition.
    time: Option<usize>,
    open: Vec<OpenFile>,
    waiting: Vec<RecordBatch>,
    waiting_bytes: usize,
    files: Vec<DataFile>,
    /// Files that the last commit has named, and when.
    named: (Instant, Vec<(Path, Bytes)>),
    batches: u64,
}

impl std::fmt::Debug for TableWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableWriter")
            .field("table", &self.table.name)
            .field("open", &self.open.len())
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

/// The `add` actions of a commit, and what they hold.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    pub(crate) adds: Vec<Add>,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}

impl TableWriter {
    pub(crate) fn new(table: &'static Table, folder: Folder, options: &LakeOptions) -> Self {
        // The first timestamp of a partitioned table decides the day (see `schemas::Table::partition_by`).
        let time = table
            .row_columns()
            .position(|column| column.data_type == schemas::ColumnType::Timestamp)
            .filter(|_| !table.partition_by.is_empty());
        Self {
            table,
            properties: writer_properties(table, options),
            options: options.clone(),
            folder,
            time,
            open: Vec::new(),
            waiting: Vec::new(),
            waiting_bytes: 0,
            files: Vec::new(),
            named: (Instant::now(), Vec::new()),
            batches: 0,
        }
    }

    /// Whether there is anything to commit.
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty() && self.waiting.is_empty() && self.files.is_empty()
    }

    /// Bytes held in memory: rows, encoders and files not uploaded yet.
    pub(crate) fn buffered_bytes(&self) -> usize {
        let open: usize = self
            .open
            .iter()
            .map(|file| file.encoder.memory_size() + file.encoder.inner().capacity())
            .sum();
        open + self.waiting_bytes + self.upload_bytes()
    }

    fn upload_bytes(&self) -> usize {
        let waiting = self.files.iter().filter(|file| !file.stored);
        waiting.filter_map(|file| file.bytes.as_ref()).map(Bytes::len).sum()
    }

    /// Takes rows in; on an error nothing was taken.
    pub(crate) async fn append(&mut self, rows: &RecordBatch) -> Result<(), WriteError> {
        if rows.num_rows() == 0 {
            return Ok(());
        }
        self.reap().await;
        if self.upload_bytes() > self.options.upload_bytes_max {
            self.upload().await?;
        }
        self.batches += 1;
        let Some(time) = self.time else { return self.encode(None, rows) };
        let times = rows.column(time).as_primitive::<TimestampMicrosecondType>();
        match single_day(times) {
            Some(day) => self.append_day(day, rows)?,
            None => self.append_days(rows, time)?,
        }
        if self.waiting_bytes > self.options.waiting_bytes_max {
            self.encode_waiting()?;
        }
        tokio::task::yield_now().await;
        Ok(())
    }

    fn append_day(&mut self, day: Day, rows: &RecordBatch) -> Result<(), WriteError> {
        if self.takes(day)? {
            return self.encode(Some(day), rows);
        }
        self.wait(rows.clone());
        Ok(())
    }

    /// Appends rows of several days: those without an open file wait together.
    fn append_days(&mut self, rows: &RecordBatch, time: usize) -> Result<(), WriteError> {
        let mut rest = Vec::new();
        for (day, part) in split(std::slice::from_ref(rows), time)? {
            if self.takes(day)? {
                self.encode(Some(day), &part)?;
            } else {
                rest.push(part);
            }
        }
        if !rest.is_empty() {
            self.wait(concat_batches(rows.schema_ref(), &rest)?);
        }
        Ok(())
    }

    fn wait(&mut self, rows: RecordBatch) {
        self.waiting_bytes += rows.get_array_memory_size();
        self.waiting.push(rows);
    }

    /// Whether `day` has an open file, or may open one.
    fn takes(&mut self, day: Day) -> Result<bool, WriteError> {
        Ok(self.open.iter().any(|file| file.day == Some(day))
            || self.open.len() < self.options.open_days_max.max(1)
            || self.close_idle()?)
    }

    /// Closes the open file that has been idle longest, if one has been idle long.
    fn close_idle(&mut self) -> Result<bool, WriteError> {
        let idlest = self.open.iter().enumerate().min_by_key(|(_, file)| file.last_used);
        match idlest {
            Some((index, file)) if file.last_used + IDLE_BATCHES < self.batches => {
                self.close(index)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Encodes the rows that waited, one file a day.
    fn encode_waiting(&mut self) -> Result<(), WriteError> {
        let Some(time) = self.time else { return Ok(()) };
        for (day, rows) in split(&self.waiting, time)? {
            self.encode(Some(day), &rows)?;
            if let Some(index) = self.open.iter().position(|file| file.day == Some(day))
                && self.open.len() > self.options.open_days_max
            {
                self.close(index)?;
            }
        }
        self.waiting.clear();
        self.waiting_bytes = 0;
        Ok(())
    }

    fn encode(&mut self, day: Option<Day>, rows: &RecordBatch) -> Result<(), WriteError> {
        let found = self.open.iter().position(|file| file.day == day);
        let index = if let Some(index) = found {
            index
        } else {
            let encoder = encoder(self.table, &self.properties)?;
            self.open.push(OpenFile { day, encoder, last_used: self.batches });
            self.open.len() - 1
        };
        let Some(file) = self.open.get_mut(index) else { return Ok(()) };
        file.last_used = self.batches;
        file.encoder.write(rows)?;
        let size = file.encoder.bytes_written() + file.encoder.in_progress_size();
        if size >= self.options.target_file_bytes {
            let file = self.close(index)?;
            self.start_upload(file);
        }
        Ok(())
    }

    /// Ends the open file at `index`; it is then in `files`, at the index returned.
    fn close(&mut self, index: usize) -> Result<usize, WriteError> {
        let file = self.open.swap_remove(index);
        let Encoded { add, rows, bytes } =
            encoded(file.encoder, "part-", file.day.map(|day| day.to_string()))?;
        self.files.push(DataFile { add, rows, bytes: Some(bytes), stored: false, upload: None });
        Ok(self.files.len() - 1)
    }

    /// Uploads a file beside the encoding of the next one.
    fn start_upload(&mut self, index: usize) {
        let Some(file) = self.files.get_mut(index).filter(|file| !file.stored) else { return };
        let Some(bytes) = file.bytes.clone() else { return };
        let (folder, path) = (self.folder.clone(), Path::from(file.add.path.as_str()));
        file.upload = Some(tokio::spawn(async move { put(&folder, &path, bytes).await }));
    }

    /// Ends all open files and uploads everything; may be repeated after an error.
    pub(crate) async fn finish(&mut self) -> Result<(), WriteError> {
        self.encode_waiting()?;
        while !self.open.is_empty() {
            self.close(0)?;
        }
        self.upload().await
    }

    /// Takes note of the uploads that have ended; one that failed is tried again at the commit.
    async fn reap(&mut self) {
        for file in &mut self.files {
            if let Some(ended) = file.upload.take_if(|upload| upload.is_finished())
                && matches!(ended.await, Ok(Ok(())))
            {
                file.stored = true;
            }
        }
        self.make_room();
    }

    /// Frees the memory of files that the store has, the oldest first, beyond what is kept of them.
    fn make_room(&mut self) {
        let kept = |files: &[DataFile]| -> usize {
            let stored = files.iter().filter(|file| file.stored);
            stored.filter_map(|file| file.bytes.as_ref()).map(Bytes::len).sum()
        };
        let mut bytes = kept(&self.files);
        for file in self.files.iter_mut().filter(|file| file.stored) {
            if bytes <= self.options.kept_bytes_max {
                break;
            }
            bytes -= file.bytes.take().map_or(0, |bytes| bytes.len());
        }
    }

    /// Waits until the store has every file that is in `files`.
    async fn upload(&mut self) -> Result<(), WriteError> {
        for file in self.files.iter_mut().filter(|file| !file.stored) {
            let Some(bytes) = file.bytes.clone() else { continue };
            let path = Path::from(file.add.path.as_str());
            let done = match file.upload.take() {
                Some(running) => running.await.unwrap_or_else(|error| Err(error.into())),
                None => put(&self.folder, &path, bytes).await,
            };
            done.map_err(|error| WriteError::Store { path: path.to_string(), error })?;
            file.stored = true;
        }
        self.make_room();
        Ok(())
    }

    /// Makes sure that the store still has the files that the next commit names, and those that the last one has named;
    /// the latter are forgotten.
    pub(crate) async fn settle(&mut self) -> Result<(), WriteError> {
        if self.named.0.elapsed() > NAMED_MEMORY {
            self.named.1.clear();
        }
        self.verify().await?;
        self.named.1.clear();
        Ok(())
    }

    /// Makes sure that the store still has what was written.
    pub(crate) async fn verify(&mut self) -> Result<(), WriteError> {
        let next = self.files.iter().filter(|file| file.stored);
        let next = next.map(|file| (Path::from(file.add.path.as_str()), file.bytes.clone()));
        let last = self.named.1.iter().map(|(path, bytes)| (path.clone(), Some(bytes.clone())));
        let all: Vec<_> = last.chain(next).collect();
        for (path, bytes) in all {
            match self.folder.head(&path).await {
                Ok(_) => continue,
                Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(WriteError::Store { path: path.to_string(), error }),
            }
            let Some(bytes) = bytes else { return Err(WriteError::Vanished(path.to_string())) };
            tracing::warn!(
                table = self.table.name,
                %path,
                "another program deleted a file that was just written; it is written again"
            );
            let again = put(&self.folder, &path, bytes).await;
            again.map_err(|error| WriteError::Store { path: path.to_string(), error })?;
        }
        Ok(())
    }

    /// The uploaded files, for a commit.
    pub(crate) fn pending(&self) -> Pending {
        let uploaded = self.files.iter().filter(|file| file.stored);
        uploaded.fold(Pending::default(), |mut pending, file| {
            pending.rows += file.rows;
            pending.bytes += u64::try_from(file.add.size).unwrap_or_default();
            pending.adds.push(file.add.clone());
            pending
        })
    }

    /// Forgets the files that a commit has named; says how many those were.
    pub(crate) fn committed<'a>(&mut self, named: impl Iterator<Item = &'a str>) -> usize {
        // By file name, which is unique: the log may escape the folder part.
        let named: BTreeSet<&str> = named.map(file_name).collect();
        let is_named = |file: &mut DataFile| named.contains(file_name(&file.add.path));
        let gone: Vec<DataFile> = self.files.extract_if(.., is_named).collect();
        if !gone.is_empty() {
            let kept = gone
                .iter()
                .filter_map(|file| Some((Path::from(file.add.path.as_str()), file.bytes.clone()?)));
            self.named = (Instant::now(), kept.collect());
        }
        gone.len()
    }

    /// Forgets all rows.
    pub(crate) fn clear(&mut self) {
        self.open.clear();
        self.waiting.clear();
        self.waiting_bytes = 0;
        self.files.clear();
        self.named.1.clear();
    }
}

/// A file that is complete, and the action that adds it.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) add: Add,
    pub(crate) rows: u64,
    pub(crate) bytes: Bytes,
}

/// Completes a file of the partition `date`, if the table has partitions; its name begins with `kind`.
pub(crate) fn encoded(
    mut encoder: Encoder,
    kind: &str,
    date: Option<String>,
) -> Result<Encoded, ParquetError> {
    let metadata = encoder.finish()?;
    let bytes = Bytes::from(std::mem::take(encoder.inner_mut()));
    let name = format!("{kind}{}.zstd.parquet", uuid::Uuid::new_v4());
    let path = match &date {
        Some(date) => format!("date={date}/{name}"),
        None => name,
    };
    let add = Add {
        path,
        partition_values: date.map(|date| ("date".to_owned(), Some(date))).into_iter().collect(),
        size: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
        modification_time: Utc::now().timestamp_millis(),
        data_change: true,
        stats: Some(stats_json(&metadata)),
        ..Add::default()
    };
    let rows = u64::try_from(metadata.file_metadata().num_rows()).unwrap_or_default();
    Ok(Encoded { add, rows, bytes })
}

fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// Writes a file of a table.
pub(crate) async fn put(folder: &Folder, path: &Path, bytes: Bytes) -> object_store::Result<()> {
    folder.put(path, PutPayload::from_bytes(bytes)).await.map(|_| ())
}

/// Rows could not be encoded, or a file could not be uploaded.
#[derive(Debug)]
pub(crate) enum WriteError {
    Encode(Cause),
    Store { path: String, error: object_store::Error },
    Vanished(String),
}

impl WriteError {
    /// Gives the error its place.
    pub(crate) fn at(
        self,
        table: &'static Table,
        location: &crate::location::Location,
    ) -> LakeError {
        match self {
            Self::Encode(source) => LakeError::Encode { table: table.name, source },
            Self::Vanished(path) => LakeError::Vanished { uri: location.display(table.name), path },
            Self::Store { path, error } => {
                location.fail(&format!("write {path}"), table.name, Failure::from(error))
            }
        }
    }
}

impl From<ParquetError> for WriteError {
    fn from(error: ParquetError) -> Self {
        Self::Encode(Box::new(error))
    }
}

impl From<arrow::error::ArrowError> for WriteError {
    fn from(error: arrow::error::ArrowError) -> Self {
        Self::Encode(Box::new(error))
    }
}
