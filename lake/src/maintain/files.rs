//! The files that a table consists of, as its log names them.

use chrono::DateTime;
use deltalake::kernel::{LogicalFileView, Remove, Snapshot};
use futures::TryStreamExt as _;
use schemas::{ColumnType, Table};
use serde::Deserialize;

use crate::error::{Failure, LakeError};
use crate::location::Location;

/// Beginning of the names of files made from small ones, in order of time.
pub(super) const MERGED: &str = "merged-";

/// Beginning of the names of files of a closed day, in order of host and time.
pub(super) const SORTED: &str = "sorted-";

/// A file of a table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LiveFile {
    /// Below the table's folder.
    pub(crate) path: String,
    /// Bytes.
    pub(crate) size: u64,
    /// When it was written, milliseconds since 1970.
    pub(crate) written_ms: i64,
    /// Value of the partition column `date`; `None` in a table without partitions.
    pub(crate) date: Option<String>,
    /// Rows, where the log says how many.
    pub(crate) rows: Option<u64>,
    /// Least and greatest time of its rows, microseconds UTC, where the log says.
    pub(crate) times: Option<(i64, i64)>,
    /// Rows of it are marked as deleted in a file of their own.
    pub(crate) has_deletions: bool,
    /// What takes it out of the table.
    pub(crate) remove: Remove,
}

impl LiveFile {
    /// Its name without folders.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit_once('/').map_or(self.path.as_str(), |(_, name)| name)
    }
}

/// A table at one version: the files it then consisted of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Live {
    pub(crate) version: u64,
    pub(crate) files: Vec<LiveFile>,
    /// Columns that this program does not know; a file written anew would lose them.
    pub(crate) foreign_columns: Vec<String>,
}

/// Reads the log of a table.
pub(crate) async fn live(location: &Location, table: &'static Table) -> Result<Live, LakeError> {
    let fail = |failure: Failure| location.fail("read the list of files", table.name, failure);
    let log_store = location.log_store(table.name)?;
    let snapshot =
        Snapshot::try_new(log_store.as_ref(), None).await.map_err(|error| fail(error.into()))?;
    let views = snapshot.file_views(log_store.as_ref(), None);
    let mut files: Vec<LiveFile> = views
        .map_ok(|view| live_file(&view, table))
        .try_collect()
        .await
        .map_err(|error| fail(error.into()))?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let known = |name: &str| table.columns.iter().any(|column| column.name == name);
    let schema = snapshot.schema();
    let foreign = schema.fields().filter(|field| !known(field.name()));
    let foreign_columns = foreign.map(|field| field.name().clone()).collect();
    Ok(Live { version: snapshot.version(), files, foreign_columns })
}

fn live_file(view: &LogicalFileView, table: &Table) -> LiveFile {
    let stats: Stats =
        view.stats().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let time = time_column(table);
    let bound = |bounds: &serde_json::Map<String, serde_json::Value>| {
        let text = bounds.get(time?)?.as_str()?;
        DateTime::parse_from_rfc3339(text).ok().map(|at| at.timestamp_micros())
    };
    let remove = view.remove_action(false);
    let date = remove.partition_values.as_ref().and_then(|values| values.get("date")).cloned();
    LiveFile {
        path: view.path().into_owned(),
        size: u64::try_from(view.size()).unwrap_or_default(),
        written_ms: view.modification_time(),
        date: date.flatten(),
        rows: stats.num_records,
        times: bound(&stats.min_values).zip(bound(&stats.max_values)),
        has_deletions: view.deletion_vector_descriptor().is_some(),
        remove,
    }
}

/// The column that says when the row's matter was.
pub(super) fn time_column(table: &Table) -> Option<&'static str> {
    let is_time = |column: &&schemas::Column| column.data_type == ColumnType::Timestamp;
    // An incident's latest revision outlives its first request.
    let revised = table.columns.iter().find(|column| column.name == "revision_ts");
    revised.or_else(|| table.columns.iter().find(is_time)).map(|column| column.name)
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Stats {
    num_records: Option<u64>,
    min_values: serde_json::Map<String, serde_json::Value>,
    max_values: serde_json::Map<String, serde_json::Value>,
}
