//! The files that a table consists of, as its log names them.

use chrono::{DateTime, TimeDelta};
use deltalake::kernel::{LogicalFileView, Remove, Snapshot};
use futures::TryStreamExt as _;
use object_store::path::Path;
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
    /// Below the table's folder, as the store knows it.
    pub(crate) path: Path,
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
    /// Whether it is left as it is: rows of it are marked as deleted in a file of their own, or it is of no date where
    /// all are of one.
    pub(crate) is_foreign: bool,
    /// What takes it out of the table.
    pub(crate) remove: Remove,
}

impl LiveFile {
    /// Its name without folders.
    pub(super) fn name(&self) -> &str {
        self.path.filename().unwrap_or_default()
    }
}

/// A table at one version: the files it then consisted of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Live {
    pub(crate) version: u64,
    pub(crate) files: Vec<LiveFile>,
    /// Why its files are not written anew or taken out, where that is so.
    pub(crate) left_alone: Option<String>,
    /// How long files stay that were taken out, where the table says so.
    pub(crate) deleted_files_stay: Option<TimeDelta>,
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
    let foreign: Vec<&str> =
        schema.fields().map(|field| field.name().as_str()).filter(|name| !known(name)).collect();
    let properties = snapshot.table_properties();
    let left_alone = if properties.append_only == Some(true) {
        Some("it may only be appended to".to_owned())
    } else {
        // A file written anew would lose them.
        (!foreign.is_empty())
            .then(|| format!("it has columns of another making: `{}`", foreign.join("`, `")))
    };
    let stay = properties.deleted_file_retention_duration;
    let deleted_files_stay = stay.and_then(|stay| TimeDelta::from_std(stay).ok());
    Ok(Live { version: snapshot.version(), files, left_alone, deleted_files_stay })
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
    let date = date.flatten();
    LiveFile {
        path: view.object_store_path(),
        size: u64::try_from(view.size()).unwrap_or_default(),
        written_ms: view.modification_time(),
        is_foreign: view.deletion_vector_descriptor().is_some()
            || (date.is_none() && !table.partition_by.is_empty()),
        date,
        rows: stats.num_records,
        times: bound(&stats.min_values).zip(bound(&stats.max_values)),
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
