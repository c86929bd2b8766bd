//! The part of a table's Delta log that a writer of appends needs: its version and the `txn` actions.
//!
//! Deltalake's snapshots hold every file of the table in memory; a writer has no use for them. The log is read
//! here directly: the newest checkpoint's `txn` column, then the commits after it.
//!
//! # Source
//! Delta Transaction Log Protocol, sections "Checkpoints" and "Transaction Identifiers".

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray as _, RecordBatch};
use arrow::datatypes::Int64Type;
use futures::TryStreamExt as _;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};
use parquet::arrow::ProjectionMask;
use serde::Deserialize;

use crate::error::Failure;
use crate::location::Folder;
use crate::objects;

/// Folder of the log below the table.
pub(crate) const LOG: &str = "_delta_log";

/// Times the log is listed again when a file vanishes between the list and the read, or is missing in the list.
pub(crate) const RELISTS_MAX: usize = 3;

/// What to say when that does not help.
pub(crate) const NOT_WHOLE: &str = "a commit of the log is missing, or the log changes faster than it can be read; \
                                    `floodmark check` tells which";

/// What the log says at one version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LogState {
    /// Version of the last commit.
    pub(crate) version: u64,
    /// Latest version of each application id.
    pub(crate) txns: BTreeMap<String, i64>,
}

/// One line of a commit, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Line {
    txn: Option<Txn>,
    add: Option<FilePath>,
    remove: Option<FilePath>,
    #[serde(rename = "metaData")]
    metadata: Option<serde::de::IgnoredAny>,
    protocol: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct Txn {
    #[serde(rename = "appId")]
    app_id: String,
    version: i64,
}

#[derive(Debug, Deserialize)]
struct FilePath {
    path: String,
}

/// What a commit of any writer did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) txns: BTreeMap<String, i64>,
    pub(crate) added: Vec<String>,
    pub(crate) removed: Vec<String>,
    /// The table's columns, properties or features were changed.
    pub(crate) redefined: bool,
}

impl Entry {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let mut entry = Self::default();
        for line in serde_json::Deserializer::from_slice(bytes).into_iter::<Line>() {
            let line = line?;
            entry.redefined |= line.metadata.is_some() || line.protocol.is_some();
            entry.added.extend(line.add.map(|add| add.path));
            entry.removed.extend(line.remove.map(|remove| remove.path));
            entry.txns.extend(line.txn.map(|txn| (txn.app_id, txn.version)));
        }
        Ok(entry)
    }
}

/// Name of the commit file of `version`.
pub(crate) fn commit_path(version: u64) -> Path {
    Path::from_iter([LOG, &format!("{version:020}.json")])
}

/// The version whose commit a file of the log is.
pub(crate) fn version_of(file: &ObjectMeta) -> Option<u64> {
    match LogFile::of(file.location.filename()?)? {
        LogFile::Commit(version) => Some(version),
        LogFile::Checkpoint { .. } => None,
    }
}

/// Whether the entry of `version` is there. It is not once the log was cleaned up; version 0 is that of a new table.
pub(crate) async fn has_commit(table: &Folder, version: u64) -> Result<bool, Failure> {
    Ok(objects::head(table, &commit_path(version)).await?.is_some())
}

/// Reads the entry of `version`, or `None` when it does not exist.
pub(crate) async fn read_entry(table: &Folder, version: u64) -> Result<Option<Entry>, Failure> {
    let found = objects::get(table, &commit_path(version)).await?;
    found.map(|(_, bytes)| Entry::parse(&bytes).map_err(Failure::from)).transpose()
}

/// Reads version and transactions of the whole log.
pub(crate) async fn read(table: &Folder) -> Result<LogState, Failure> {
    let mut relists = 0;
    loop {
        match read_once(table).await {
            // Another process may clean the log up meanwhile.
            Ok(None) if relists < RELISTS_MAX => relists += 1,
            Ok(None) => return Err(NOT_WHOLE.to_owned().into()),
            Ok(Some(state)) => return Ok(state),
            Err(failure) => return Err(failure),
        }
    }
}

async fn read_once(table: &Folder) -> Result<Option<LogState>, Failure> {
    let files: Vec<ObjectMeta> = table.list(Some(&Path::from(LOG))).try_collect().await?;
    let listing = Listing::of(&files);
    if !listing.is_whole() {
        return Ok(None);
    }
    let mut state = LogState::default();
    for checkpoint in &listing.checkpoint {
        match checkpoint_txns(table, checkpoint).await? {
            Some(txns) => state.txns.extend(txns),
            None => return Ok(None),
        }
    }
    state.version = listing.checkpoint_version.unwrap_or_default();
    for version in &listing.commits {
        let Some(entry) = read_entry(table, *version).await? else { return Ok(None) };
        state.txns.extend(entry.txns);
        state.version = *version;
    }
    Ok(Some(state))
}

/// The files to read: parts of the newest whole checkpoint, and the commits after it.
#[derive(Debug, Default)]
pub(crate) struct Listing<'a> {
    checkpoint_version: Option<u64>,
    checkpoint: Vec<&'a ObjectMeta>,
    commits: Vec<u64>,
}

impl<'a> Listing<'a> {
    pub(crate) fn of(files: &'a [ObjectMeta]) -> Self {
        let mut checkpoints: BTreeMap<u64, Vec<(usize, &ObjectMeta)>> = BTreeMap::new();
        let mut commits = Vec::new();
        for file in files {
            match LogFile::of(file.location.filename().unwrap_or_default()) {
                Some(LogFile::Commit(version)) => commits.push(version),
                Some(LogFile::Checkpoint { version, parts }) => {
                    checkpoints.entry(version).or_default().push((parts, file));
                }
                None => {}
            }
        }
        let whole = checkpoints.into_iter().rev().find_map(|(version, files)| {
            files.iter().find_map(|(parts, _)| {
                let mut same = files.iter().filter(|(of, _)| of == parts).map(|(_, file)| *file);
                let chosen: Vec<_> =
                    if *parts == 1 { same.next().into_iter().collect() } else { same.collect() };
                (chosen.len() == *parts).then_some((version, chosen))
            })
        });
        let (checkpoint_version, checkpoint) = whole.unzip();
        commits.retain(|version| checkpoint_version.is_none_or(|at| *version > at));
        commits.sort_unstable();
        Self { checkpoint_version, checkpoint: checkpoint.unwrap_or_default(), commits }
    }

    /// Whether a whole checkpoint is among the files.
    pub(crate) const fn has_checkpoint(&self) -> bool {
        self.checkpoint_version.is_some()
    }

    /// Version of the checkpoint, 0 without one.
    pub(crate) fn newest_checkpoint(&self) -> u64 {
        self.checkpoint_version.unwrap_or_default()
    }

    /// The files of the newest whole checkpoint.
    pub(crate) fn checkpoint(&self) -> &[&'a ObjectMeta] {
        &self.checkpoint
    }

    /// Versions of the commits after it, in order.
    pub(crate) fn commits(&self) -> &[u64] {
        &self.commits
    }

    /// Whether no commit is missing after the checkpoint, or from the first one on. A list of a folder that changes meanwhile
    /// may have a commit and lack the one before it.
    pub(crate) fn is_whole(&self) -> bool {
        let first = self.checkpoint_version.map_or(0, |at| at + 1);
        self.commits.iter().copied().eq((first..).take(self.commits.len()))
    }

    /// The version of the table; `None` where there is none.
    pub(crate) fn newest(&self) -> Option<u64> {
        self.commits.last().copied().or(self.checkpoint_version)
    }
}

/// A file of the log, by its name.
#[derive(Debug, PartialEq, Eq)]
enum LogFile {
    Commit(u64),
    Checkpoint { version: u64, parts: usize },
}

impl LogFile {
    fn of(name: &str) -> Option<Self> {
        let mut words = name.split('.');
        let version = words.next().filter(|digits| digits.len() == 20)?.parse().ok()?;
        let rest: Vec<&str> = words.collect();
        match rest.as_slice() {
            ["json"] => Some(Self::Commit(version)),
            // Classic, or V2 under a unique name: either way one file holds all `txn` actions.
            ["checkpoint", "parquet"] | ["checkpoint", _, "parquet" | "json"] => {
                Some(Self::Checkpoint { version, parts: 1 })
            }
            ["checkpoint", _, parts, "parquet"] => {
                Some(Self::Checkpoint { version, parts: parts.parse().ok()? })
            }
            _ => None,
        }
    }
}

/// The transactions of one checkpoint file, or `None` when it vanished.
async fn checkpoint_txns(
    table: &Folder,
    file: &ObjectMeta,
) -> Result<Option<BTreeMap<String, i64>>, Failure> {
    if file.location.extension() == Some("json") {
        let found = objects::get(table, &file.location).await?;
        return found.map(|(_, bytes)| Ok(Entry::parse(&bytes)?.txns)).transpose();
    }
    let Some(builder) = objects::parquet(table, &file.location).await? else { return Ok(None) };
    let roots = builder.parquet_schema().root_schema().get_fields();
    let Some(root) = roots.iter().position(|field| field.name() == "txn") else {
        return Ok(Some(BTreeMap::new()));
    };
    let mask = ProjectionMask::roots(builder.parquet_schema(), [root]);
    let mut batches = builder.with_projection(mask).build()?;
    let mut txns = BTreeMap::new();
    while let Some(batch) = batches.try_next().await? {
        collect_txns(&batch, &mut txns);
    }
    Ok(Some(txns))
}

fn collect_txns(batch: &RecordBatch, txns: &mut BTreeMap<String, i64>) {
    let Some(actions) = batch.columns().first().and_then(|column| column.as_struct_opt()) else {
        return;
    };
    let ids = actions.column_by_name("appId").and_then(|ids| ids.as_string_opt::<i32>());
    let versions =
        actions.column_by_name("version").and_then(|ids| ids.as_primitive_opt::<Int64Type>());
    if let (Some(ids), Some(versions)) = (ids, versions) {
        let present = (0..actions.len()).filter(|row| actions.is_valid(*row));
        txns.extend(present.map(|row| (ids.value(row).to_owned(), versions.value(row))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> ObjectMeta {
        ObjectMeta {
            location: Path::from_iter([LOG, name]),
            last_modified: chrono::DateTime::UNIX_EPOCH,
            size: 1,
            e_tag: None,
            version: None,
        }
    }

    fn chosen(names: &[&str]) -> String {
        let files: Vec<_> = names.iter().map(|name| file(name)).collect();
        let listing = Listing::of(&files);
        format!(
            "{:?} {} file(s), then {:?}",
            listing.checkpoint_version,
            listing.checkpoint.len(),
            listing.commits
        )
    }

    #[test]
    fn the_newest_whole_checkpoint_is_chosen() {
        let names = [
            "00000000000000000003.json",
            "00000000000000000001.json",
            "00000000000000000002.json",
            "00000000000000000001.checkpoint.parquet",
            "00000000000000000002.checkpoint.0000000001.0000000002.parquet",
            "00000000000000000002.crc",
            "_last_checkpoint",
        ];
        assert_eq!(chosen(&names), "Some(1) 1 file(s), then [2, 3]");
        assert_eq!(chosen(&names[..3]), "None 0 file(s), then [1, 2, 3]");
        let two = "00000000000000000002.checkpoint.0000000002.0000000002.parquet";
        let mut all = names.to_vec();
        all.push(two);
        assert_eq!(chosen(&all), "Some(2) 2 file(s), then [3]");
    }

    #[test]
    fn an_entry_tells_transactions_files_and_redefinitions() {
        let entry = Entry::parse(
            br#"{"commitInfo":{"operation":"WRITE"}}
{"add":{"path":"date=2026-01-01/a.parquet","size":1}}
{"txn":{"appId":"x","version":7}}"#,
        )
        .unwrap();
        assert_eq!(entry.added, ["date=2026-01-01/a.parquet"]);
        assert_eq!(entry.txns, BTreeMap::from([("x".to_owned(), 7)]));
        assert!(!entry.redefined);
        assert!(Entry::parse(br#"{"metaData":{"id":"1"}}"#).unwrap().redefined);
    }
}
