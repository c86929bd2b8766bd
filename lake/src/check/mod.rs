//! Proof that a lake is whole: every file the logs name is there and is what they say, every position of the input is in
//! one row, every history has the state that it continues from.

mod histories;
mod positions;

use std::sync::Arc;

use arrow::array::RecordBatch;
use chrono::Utc;
use futures::TryStreamExt as _;
use futures::future::LocalBoxFuture;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt as _};
use parquet::arrow::ProjectionMask;
use parquet::arrow::async_reader::ParquetRecordBatchStreamBuilder;
use schemas::Table;
use schemas::tables::{ALL, REJECTS, REQUESTS};
use url::Url;

use crate::error::{Failure, LakeError};
use crate::location::{Folder, Location};
use crate::log::{self, LogState};
use crate::maintain::files::{Live, LiveFile, live};
use crate::maintain::sweep;
use crate::maintain::watch::{Pace, Watch, pause};
use crate::ranges::RangeReader;
use crate::tables;
use positions::{COLUMNS, Positions};

/// Faults that are told one by one, at most; the rest is counted.
const TOLD_MAX: usize = 1_000;

/// Something that is not as the log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Name of the table.
    pub table: &'static str,
    /// What is wrong, and with what.
    pub what: String,
}

/// What a check came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// Files that were looked into.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Their rows.
    pub rows: u64,
    /// What is wrong, at most a thousand of them.
    pub faults: Vec<Fault>,
    /// Faults in all.
    pub fault_count: usize,
    /// What is right and worth knowing all the same.
    pub notes: Vec<String>,
    /// It was stopped before the end.
    pub stopped: bool,
}

impl Checked {
    fn fault(&mut self, table: &'static Table, what: String) {
        self.fault_count += 1;
        if self.faults.len() < TOLD_MAX {
            self.faults.push(Fault { table: table.name, what });
        }
    }
}

/// Checks the tables under `uri`: each file's presence, size and rows against the log, each Kafka position in exactly one
/// row of `requests` and `rejects`, the detector's state of each history. Reads all positions; changes nothing.
///
/// # Errors
/// [`LakeError::NoTables`], or [`LakeError::Store`] when a log cannot be read. What is wrong with files is no error but a
/// [`Fault`].
pub fn check<'a>(
    uri: &'a str,
    watch: &'a dyn Watch,
) -> LocalBoxFuture<'a, Result<Checked, LakeError>> {
    Box::pin(async move { check_at(&Location::existing(uri, false)?, watch).await })
}

/// As [`check`], in a store at hand; `url` is the data location within it.
///
/// # Errors
/// As [`check`].
pub fn check_in(
    store: Arc<dyn ObjectStore>,
    url: Url,
    watch: &dyn Watch,
) -> LocalBoxFuture<'_, Result<Checked, LakeError>> {
    Box::pin(async move { check_at(&Location::on_store(store, url), watch).await })
}

async fn check_at(location: &Location, watch: &dyn Watch) -> Result<Checked, LakeError> {
    let mut checked = Checked::default();
    let mut positions = Positions::default();
    let mut tables_of = Vec::new();
    for table in ALL {
        if tables::check(location, table).await? {
            let folder = location.folder(table.name)?;
            let stored = sweep::stored(&folder).await;
            let stored =
                stored.map_err(|failure| location.fail("list files", table.name, failure))?;
            let live = live(location, table).await?;
            note_strays(&mut checked, table, &stored, &live);
            watch.planned(live.files.iter().filter_map(|file| file.rows).sum());
            tables_of.push((table, folder, live));
        }
    }
    if tables_of.is_empty() {
        return Err(LakeError::NoTables { uri: location.uri.clone() });
    }
    // At once: a `run` beside it deletes old states.
    histories::judge(location, &log_of_requests(location).await?.txns, &mut checked).await?;
    for (table, folder, live) in &tables_of {
        let has_positions = [REQUESTS.name, REJECTS.name].contains(&table.name);
        for file in &live.files {
            loop {
                match pause(watch).await {
                    Ok(Pace::Wait) => {}
                    Ok(_) => break,
                    Err(_) => {
                        checked.stopped = true;
                        return Ok(checked);
                    }
                }
            }
            let into = has_positions.then_some((&mut positions, table.name == REQUESTS.name));
            match look(folder, table, file, into).await {
                Ok(rows) => {
                    checked.files += 1;
                    checked.bytes += file.size;
                    checked.rows += rows;
                }
                // A table that is maintained meanwhile has others in its place.
                Err(what) if is_named(location, table, file).await? => {
                    checked.fault(table, format!("{}: {what}", file.path));
                }
                Err(_) => {}
            }
            watch.rewrote(file.rows.unwrap_or_default());
        }
    }
    // As of now: what was committed meanwhile is beyond the rows that were looked at, never short of them.
    positions.judge(&log_of_requests(location).await?.txns, &mut checked);
    Ok(checked)
}

async fn log_of_requests(location: &Location) -> Result<LogState, LakeError> {
    let state = log::read(&location.folder(REQUESTS.name)?).await;
    state.map_err(|failure| location.fail("read the log", REQUESTS.name, failure))
}

/// Whether the table names a file by now.
async fn is_named(
    location: &Location,
    table: &'static Table,
    file: &LiveFile,
) -> Result<bool, LakeError> {
    let now = live(location, table).await?;
    Ok(now.files.iter().any(|named| named.path == file.path))
}

/// Looks into one file; its rows, or what is wrong with it.
async fn look(
    folder: &Folder,
    table: &'static Table,
    file: &LiveFile,
    positions: Option<(&mut Positions, bool)>,
) -> Result<u64, String> {
    let path = file.path.clone();
    let mut found: ObjectMeta = match folder.head(&path).await {
        Ok(found) => found,
        Err(object_store::Error::NotFound { .. }) => return Err("it is gone".to_owned()),
        Err(error) => return Err(format!("it cannot be reached: {error}")),
    };
    if found.size != file.size {
        return Err(format!("it has {} bytes, the log says {}", found.size, file.size));
    }
    // The store answers with a name that is not relative to the folder.
    found.location = path;
    let unreadable = |failure: Failure| format!("it cannot be read: {}", failure.0);
    let reader = RangeReader::new(folder.clone(), found);
    let opened = ParquetRecordBatchStreamBuilder::new(reader).await;
    let builder = opened.map_err(|error| unreadable(error.into()))?;
    let rows = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or_default();
    if let Some(expected) = file.rows.filter(|expected| *expected != rows) {
        return Err(format!("it has {rows} rows, the log says {expected}"));
    }
    let Some((positions, are_requests)) = positions else { return Ok(rows) };
    let schema = builder.parquet_schema();
    let present = COLUMNS.iter().filter(|name| {
        schema.root_schema().get_fields().iter().any(|field| field.name() == **name)
    });
    if present.count() < COLUMNS.len() {
        return Err(format!("it lacks columns of the positions of `{}`", table.name));
    }
    let mask = ProjectionMask::columns(schema, COLUMNS);
    let mut batches =
        builder.with_projection(mask).build().map_err(|error| unreadable(error.into()))?;
    while let Some(rows) = batches.try_next().await.map_err(|error| unreadable(error.into()))? {
        let rows: RecordBatch = rows;
        positions.add(&rows, are_requests)?;
    }
    Ok(rows)
}

/// Files that no log names: left by a crash, or about to be named.
fn note_strays(checked: &mut Checked, table: &Table, stored: &[ObjectMeta], live: &Live) {
    let old = Utc::now() - chrono::TimeDelta::hours(1);
    let named: std::collections::BTreeSet<Path> =
        live.files.iter().map(|file| file.path.clone()).collect();
    let strays = stored
        .iter()
        .filter(|object| object.last_modified < old && !named.contains(&object.location));
    let (count, bytes) =
        strays.fold((0, 0), |(count, bytes), object| (count + 1, bytes + object.size));
    if count > 0 {
        checked.notes.push(format!(
            "{}: {count} files of {bytes} bytes are not in the table (left by crashes, or taken out not long ago); \
             `floodmark maintain` deletes what nobody needs",
            table.name
        ));
    }
}
