//! A table for readers: what it consists of at its latest version, kept up to date commit by commit.
//!
//! ```text
//! newest checkpoint ─▶ State ◀─ each commit after it      (first time: all of it; later: what is new)
//!                        └─▶ Snapshot: version, columns, files
//! ```
//!
//! # Source
//! Delta Transaction Log Protocol, sections "Action Reconciliation", "Checkpoints" and "Reader Version Requirements".

mod actions;
mod checkpoint;
mod file;
mod state;

use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};
use schemas::Table;

use crate::error::{Failure, LakeError};
use crate::location::{Folder, Location};
use crate::log::{LOG, Listing, NOT_WHOLE, RELISTS_MAX, commit_path};
use crate::objects;
use actions::Actions;
pub use file::{DataFile, FileStats};
pub use state::Definition;
use state::{Mark, State};

/// Commits that are read at the same time.
const READS: usize = 16;

/// A table at one version.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The version of its last commit.
    pub version: u64,
    /// Columns and properties.
    pub definition: Arc<Definition>,
    /// What it consists of, in order of path.
    pub files: Arc<[Arc<DataFile>]>,
}

/// The tables of one location, for reading.
#[derive(Debug, Clone)]
pub struct TableReader {
    location: Location,
}

impl TableReader {
    /// Finds the location `uri`: a folder, or a URL such as `s3://bucket/path`. Nothing is made there.
    ///
    /// # Errors
    /// [`LakeError::Location`] when it cannot be understood.
    pub fn open(uri: &str) -> Result<Self, LakeError> {
        Ok(Self { location: Location::to_read(uri)? })
    }

    /// The store that the paths of [`DataFile`] are of.
    pub fn store(&self) -> Arc<dyn ObjectStore> {
        self.location.root()
    }

    /// Whether the files lie on a disk of this machine; their paths are then those of the file system.
    pub fn is_local(&self) -> bool {
        self.location.is_local()
    }

    /// The reader of one table, which need not exist yet.
    ///
    /// # Errors
    /// [`LakeError::Location`] when the location has no place for it.
    pub fn table(&self, table: &'static Table) -> Result<TableLog, LakeError> {
        let folder = self.location.folder(table.name)?;
        let root = self.location.folder_path(table.name)?;
        Ok(TableLog { location: self.location.clone(), folder, root, table, state: None })
    }
}

/// The log of one table, read as far as it was when looked at last.
#[derive(Debug)]
pub struct TableLog {
    location: Location,
    folder: Folder,
    root: Path,
    table: &'static Table,
    state: Option<State>,
}

impl TableLog {
    /// Looks for commits that came since the last time.
    ///
    /// - returns: the table as it is now, `None` while there is none; whether it has changed.
    ///
    /// # Errors
    /// [`LakeError::Store`] when the log cannot be read, [`LakeError::Unreadable`] when the table needs more of its
    /// readers than is known here, [`LakeError::SchemaVersion`] when another version of this program wrote it.
    pub async fn refresh(&mut self) -> Result<(Option<Snapshot>, bool), LakeError> {
        let before = self.state.as_ref().map(|state| state.version);
        let followed = match self.state.take() {
            Some(state) => self.follow(state).await?,
            None => None,
        };
        let is_another = followed.is_none() && before.is_some();
        let mut state = match followed {
            Some(state) => Some(state),
            None => self.load().await?,
        };
        if let Some(state) = &mut state {
            state.check(self.table, &self.location.display(self.table.name))?;
        }
        let changed = is_another || state.as_ref().map(|state| state.version) != before;
        self.state = state;
        Ok((self.state.as_mut().map(State::snapshot), changed))
    }

    fn fail(&self, failure: impl Into<Failure>) -> LakeError {
        self.location.fail("read the log", self.table.name, failure)
    }

    /// Applies the commits after `state`; `None` when the log was cleaned up beyond it, or is that of another table.
    async fn follow(&self, mut state: State) -> Result<Option<State>, LakeError> {
        let last = commit_path(state.version);
        let (next, last) =
            futures::join!(self.commit(state.version + 1), objects::head(&self.folder, &last));
        let last = last.map_err(|failure| self.fail(failure))?.as_ref().map(Mark::of);
        if state.last.is_some() && last.is_some() && state.last != last {
            return Ok(None);
        }
        let Some((mark, actions)) = next? else {
            let is_newest = last.is_some() || !self.has_later(state.version).await?;
            state.last = state.last.or(last);
            return Ok(is_newest.then_some(state));
        };
        state.apply(state.version + 1, actions);
        state.last = Some(mark);
        // Most often there is one; who has not looked for hours has many to read.
        let mut width = 1;
        loop {
            let from = state.version + 1;
            if !self.apply_commits(&mut state, from..from + width).await? {
                return Ok(Some(state));
            }
            width = READS as u64;
        }
    }

    /// Applies these commits, as far as they are there one after the other; whether all were.
    async fn apply_commits(
        &self,
        state: &mut State,
        versions: impl Iterator<Item = u64>,
    ) -> Result<bool, LakeError> {
        let reads: Vec<_> = versions
            .map(|version| async move { self.commit(version).await.map(|found| (version, found)) })
            .collect();
        let mut commits = futures::stream::iter(reads).buffered(READS);
        while let Some((version, found)) = commits.try_next().await? {
            let Some((mark, actions)) = found else { return Ok(false) };
            state.apply(version, actions);
            state.last = Some(mark);
        }
        Ok(true)
    }

    /// A commit, if it is there.
    async fn commit(&self, version: u64) -> Result<Option<(Mark, Actions)>, LakeError> {
        let found = objects::get(&self.folder, &commit_path(version)).await;
        let read = found.and_then(|found| match found {
            Some((file, bytes)) => Ok(Some((Mark::of(&file), Actions::parse(&bytes)?))),
            None => Ok(None),
        });
        read.map_err(|failure| self.fail(failure))
    }

    /// Whether the log goes on after `version`, or has begun anew.
    async fn has_later(&self, version: u64) -> Result<bool, LakeError> {
        let files = self.list(None).await?;
        Ok(Listing::of(&files).newest() != Some(version))
    }

    async fn list(&self, from: Option<u64>) -> Result<Vec<ObjectMeta>, LakeError> {
        let log = Path::from(LOG);
        let found = match from {
            Some(version) => {
                let offset = log.clone().join(format!("{version:020}"));
                self.folder.list_with_offset(Some(&log), &offset)
            }
            None => self.folder.list(Some(&log)),
        };
        match found.try_collect().await {
            Ok(files) => Ok(files),
            Err(object_store::Error::NotFound { .. }) => Ok(Vec::new()),
            Err(error) => Err(self.fail(error)),
        }
    }

    /// Reads the whole log: the newest checkpoint and what came after it.
    async fn load(&self) -> Result<Option<State>, LakeError> {
        for _ in 0..=RELISTS_MAX {
            let hint = checkpoint::hint(&self.folder).await;
            let mut files = self.list(hint).await?;
            if hint.is_some() && !Listing::of(&files).has_checkpoint() {
                files = self.list(None).await?;
            }
            let listing = Listing::of(&files);
            if listing.newest().is_none() {
                return Ok(None);
            }
            // Another process may clean the log up between the list and the read.
            if let Some(state) = self.read(&listing).await? {
                return Ok(Some(state));
            }
        }
        Err(self.fail(NOT_WHOLE.to_owned()))
    }

    async fn read(&self, listing: &Listing<'_>) -> Result<Option<State>, LakeError> {
        if !listing.is_whole() {
            return Ok(None);
        }
        let mut state = State::new(self.root.clone());
        for file in listing.checkpoint() {
            match checkpoint::read(&self.folder, file).await.map_err(|error| self.fail(error))? {
                Some(actions) => state.apply(listing.newest_checkpoint(), actions),
                None => return Ok(None),
            }
        }
        let is_whole = self.apply_commits(&mut state, listing.commits().iter().copied()).await?;
        Ok(is_whole.then_some(state))
    }
}
