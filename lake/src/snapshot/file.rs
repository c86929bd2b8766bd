//! A file of a table, and what the log says about its rows.

use std::sync::OnceLock;

use object_store::path::Path;
use serde_json::{Map, Value};

/// A file that a table consists of.
#[derive(Debug)]
pub struct DataFile {
    /// In the store of [`super::TableReader::store`].
    pub path: Path,
    /// Bytes.
    pub size: u64,
    /// When it was written, milliseconds since 1970.
    pub written_ms: i64,
    /// Value of the partition column `date`, as text; `None` in a table without partitions.
    pub date: Option<String>,
    /// Rows, where the log says how many.
    pub rows: Option<u64>,
    /// Whether rows of it are marked as deleted elsewhere.
    pub has_deletions: bool,
    stats: Option<Box<str>>,
    parsed: OnceLock<FileStats>,
}

/// Statistics of a file; empty where the log has none.
#[derive(Debug, Clone, Default, PartialEq, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FileStats {
    /// A bound below all values, by column.
    pub min_values: Map<String, Value>,
    /// A bound above all values, by column.
    pub max_values: Map<String, Value>,
    /// Rows without a value, by column.
    pub null_count: Map<String, Value>,
}

impl DataFile {
    pub(super) fn new(
        path: Path,
        size: u64,
        written_ms: i64,
        date: Option<String>,
        has_deletions: bool,
        stats: Option<Box<str>>,
    ) -> Self {
        let rows = stats.as_deref().and_then(rows_of);
        Self { path, size, written_ms, date, rows, has_deletions, stats, parsed: OnceLock::new() }
    }

    /// What the log says of its rows. Most files are left out by their date alone: it is read when it is asked for.
    pub fn stats(&self) -> &FileStats {
        self.parsed.get_or_init(|| {
            let text = self.stats.as_deref();
            text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
        })
    }
}

/// Rows by statistics in JSON, without parsing the rest: a quote within a text is escaped, so that the name is the key.
fn rows_of(stats: &str) -> Option<u64> {
    const KEY: &str = "\"numRecords\":";
    let after = stats.get(stats.rfind(KEY)? + KEY.len()..)?.trim_start();
    let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    after.get(..digits)?.parse().ok()
}
