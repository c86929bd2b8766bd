//! Commits of maintenance: files taken out of a table, and others put in their place.
//!
//! The next version is put if it is absent. When it is there, its entry is read: what only adds files is followed by the
//! version after it; what takes one of our files out, or changes the table, or comes from a later maintenance, undoes
//! our plan.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Utc;
use deltalake::kernel::transaction::CommitData;
use deltalake::kernel::{Action, Add, Remove, Transaction};
use deltalake::protocol::DeltaOperation;
use object_store::path::Path;
use object_store::{ObjectStore as _, PutMode, PutOptions, PutPayload};
use percent_encoding::percent_decode_str;
use schemas::Table;

use super::{Stop, Undone};
use crate::location::{Folder, Location};
use crate::log::{self, commit_path};

/// Application id of the transactions of maintenance; their version is the number of the lease.
pub(super) const APP_ID: &str = "floodmark/maintenance";

/// Versions that writers may take while one change is tried.
const ATTEMPTS_MAX: usize = 10_000;

/// The log of one table, for changes under one lease.
pub(super) struct Ledger<'a> {
    pub(super) location: &'a Location,
    pub(super) folder: &'a Folder,
    pub(super) table: &'static Table,
    pub(super) lease: i64,
}

/// What one commit changes.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) adds: Vec<Add>,
    pub(super) removes: Vec<Remove>,
    /// Those that `removes` takes out, as the store knows them.
    pub(super) files: Vec<Path>,
    pub(super) operation: DeltaOperation,
}

impl Ledger<'_> {
    /// Commits a change that was planned on the table at version `planned`; the version it became.
    pub(super) async fn commit(&self, planned: u64, change: &Change) -> Result<u64, Undone> {
        let taken: BTreeSet<Path> = change.files.iter().cloned().collect();
        let added: BTreeSet<Path> =
            change.adds.iter().map(|add| Path::from(add.path.as_str())).collect();
        for version in (planned + 1..).take(ATTEMPTS_MAX) {
            let before = log::has_commit(self.folder, version - 1).await;
            if !before.map_err(|error| self.fail("read the log", error))? {
                // Cleaned up: unless it was the last one, what is put here lies below a checkpoint, where nobody looks.
                let state = log::read(self.folder).await;
                if state.map_err(|error| self.fail("read the log", error))?.version != version - 1 {
                    return Err(Undone::Outrun);
                }
            }
            if self.put(version, change).await? {
                return Ok(version);
            }
            let entry = log::read_entry(self.folder, version).await;
            let entry = entry.map_err(|error| self.fail("read the log", error))?;
            // Cleaned up already: so much has happened that the plan is old.
            let Some(entry) = entry else { return Err(Undone::Outrun) };
            let is_ours = entry.txns.get(APP_ID) == Some(&self.lease)
                && entry.removed.iter().map(|path| plain(path)).collect::<BTreeSet<_>>() == taken
                && entry.added.iter().map(|path| plain(path)).collect::<BTreeSet<_>>() == added;
            if is_ours {
                return Ok(version);
            }
            if entry.txns.get(APP_ID).is_some_and(|number| *number > self.lease) {
                return Err(Undone::Stopped(Stop::Lost));
            }
            if entry.redefined || entry.removed.iter().any(|path| taken.contains(&plain(path))) {
                return Err(Undone::Outrun);
            }
        }
        Err(Undone::Outrun)
    }

    /// Writes the entry of `version`; `false` when that version exists.
    async fn put(&self, version: u64, change: &Change) -> Result<bool, Undone> {
        let now_ms = Utc::now().timestamp_millis();
        let removes = change.removes.iter().cloned().map(|mut remove| {
            remove.deletion_timestamp = Some(now_ms);
            Action::Remove(remove)
        });
        let actions = removes.chain(change.adds.iter().cloned().map(Action::Add)).collect();
        let metadata = BTreeMap::from([
            ("isBlindAppend".to_owned(), false.into()),
            (
                "clientVersion".to_owned(),
                concat!("floodmark.", env!("CARGO_PKG_VERSION")).to_owned().into(),
            ),
        ]);
        let fence = vec![Transaction::new(APP_ID, self.lease)];
        let metadata = metadata.into_iter().collect();
        let data = CommitData::new(actions, change.operation.clone(), metadata, fence);
        let body = data.get_bytes().map_err(|error| self.fail("commit", error.to_string()))?;
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        let payload = PutPayload::from_bytes(body);
        match self.folder.put_opts(&commit_path(version), payload, options).await {
            Ok(_) => Ok(true),
            Err(
                object_store::Error::AlreadyExists { .. }
                | object_store::Error::Precondition { .. },
            ) => Ok(false),
            Err(error) => Err(self.fail(&format!("commit version {version}"), error)),
        }
    }

    fn fail(&self, what: &str, failure: impl Into<crate::error::Failure>) -> Undone {
        Undone::Failed(self.location.fail(what, self.table.name, failure))
    }
}

/// A path of the log as the store knows it: the log escapes it.
pub(super) fn plain(path: &str) -> Path {
    let path = percent_decode_str(path).decode_utf8_lossy();
    Path::parse(path.as_ref()).unwrap_or_else(|_| Path::from(path.as_ref()))
}
