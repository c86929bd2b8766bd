//! Who maintains: one process at a time, as long as it says so.
//!
//! ```text
//! _floodmark/maintenance/<number>.json   {"owner": …, "until_ms": …}; the greatest number counts
//! ```
//!
//! The lease saves work that would be thrown away. It is not what makes maintenance safe: each of its commits carries the
//! number as the version of a transaction, and whoever finds a greater one there stops.

use std::cell::Cell;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use futures::TryStreamExt as _;
use object_store::path::Path;
use object_store::{
    ObjectMeta, ObjectStore as _, ObjectStoreExt as _, PutMode, PutOptions, PutPayload,
};
use serde::{Deserialize, Serialize};

use super::{Stop, Undone};
use crate::checkpoint::HOUSEKEEPING;
use crate::error::{Failure, LakeError};
use crate::location::{Folder, Location};

const FOLDER: &str = "maintenance";

/// How long a lease lasts that is not renewed: longer than any pause of a process that lives.
const LASTS_MS: i64 = 5 * 60_000;

/// Age at which a lease is renewed while work goes on.
const RENEWED_AFTER: Duration = Duration::from_mins(1);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Record {
    owner: String,
    until_ms: i64,
}

/// The time that maintenance goes by: what it was called with, and what has passed since.
#[derive(Debug, Clone, Copy)]
struct Clock {
    start: DateTime<Utc>,
    began: Instant,
}

impl Clock {
    fn now(self) -> DateTime<Utc> {
        self.start + TimeDelta::from_std(self.began.elapsed()).unwrap_or_default()
    }
}

/// The right to maintain, for a while.
#[derive(Debug)]
pub(super) struct Lease<'a> {
    location: &'a Location,
    folder: Folder,
    clock: Clock,
    /// When it was written last.
    renewed: Cell<Instant>,
    /// Greater than that of every lease before.
    pub(super) number: i64,
}

fn path(number: i64) -> Path {
    Path::from_iter([FOLDER, &format!("{number:020}.json")])
}

fn number(object: &ObjectMeta) -> Option<i64> {
    object.location.filename()?.strip_suffix(".json")?.parse().ok()
}

impl<'a> Lease<'a> {
    /// Takes the lease, unless somebody has it; its number is above `at_least`.
    pub(super) async fn take(
        location: &'a Location,
        now: DateTime<Utc>,
        at_least: i64,
    ) -> Result<Self, Undone> {
        let folder = location.folder(HOUSEKEEPING)?;
        let clock = Clock { start: now, began: Instant::now() };
        let renewed = Cell::new(Instant::now());
        let mut lease = Self { location, folder, clock, renewed, number: 0 };
        let last = lease.last().await?;
        if let Some(last) = last
            && let Some(record) = lease.read(last).await?
            && record.until_ms > now.timestamp_millis()
        {
            return Err(Undone::Stopped(Stop::Busy { owner: record.owner }));
        }
        lease.number = last.unwrap_or_default().max(at_least) + 1;
        if !lease.write(now, PutMode::Create).await? {
            return Err(Undone::Stopped(Stop::Busy { owner: "another process".to_owned() }));
        }
        Ok(lease)
    }

    /// Goes on, unless somebody else has taken over.
    pub(super) async fn renew(&self) -> Result<(), Undone> {
        if self.last().await?.is_some_and(|last| last > self.number) {
            return Err(Undone::Stopped(Stop::Lost));
        }
        self.write(self.clock.now(), PutMode::Overwrite).await?;
        self.renewed.set(Instant::now());
        Ok(())
    }

    /// Renews it when it is time.
    pub(super) async fn keep(&self) -> Result<(), Undone> {
        if self.renewed.get().elapsed() < RENEWED_AFTER { Ok(()) } else { self.renew().await }
    }

    /// Gives the lease back. Only the last is kept, which holds the number.
    pub(super) async fn end(self) -> Result<(), LakeError> {
        self.write(DateTime::UNIX_EPOCH, PutMode::Overwrite).await?;
        for old in self.all().await? {
            if number(&old).is_some_and(|number| number < self.number) {
                let deleted = self.folder.delete(&old.location).await;
                deleted.or_else(absent).map_err(|error| self.fail("remove an old lease", error))?;
            }
        }
        Ok(())
    }

    async fn all(&self) -> Result<Vec<ObjectMeta>, LakeError> {
        let found = self.folder.list(Some(&Path::from(FOLDER))).try_collect().await;
        found.map_err(|error| self.fail("list leases", error))
    }

    async fn last(&self) -> Result<Option<i64>, LakeError> {
        Ok(self.all().await?.iter().filter_map(number).max())
    }

    /// `None` for one that cannot be read: nobody holds it.
    async fn read(&self, number: i64) -> Result<Option<Record>, LakeError> {
        match self.folder.get(&path(number)).await {
            Ok(found) => {
                let bytes = found.bytes().await;
                let bytes = bytes.map_err(|error| self.fail("read a lease", error))?;
                Ok(serde_json::from_slice(&bytes).ok())
            }
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.fail("read a lease", error)),
        }
    }

    /// `false` when there is one of that number and none may be.
    async fn write(&self, now: DateTime<Utc>, mode: PutMode) -> Result<bool, LakeError> {
        let owner = format!("process {}", std::process::id());
        let record = Record { owner, until_ms: now.timestamp_millis() + LASTS_MS };
        let bytes =
            serde_json::to_vec(&record).map_err(|error| self.fail("write a lease", error))?;
        let options = PutOptions { mode, ..PutOptions::default() };
        match self.folder.put_opts(&path(self.number), PutPayload::from(bytes), options).await {
            Ok(_) => Ok(true),
            Err(
                object_store::Error::AlreadyExists { .. }
                | object_store::Error::Precondition { .. },
            ) => Ok(false),
            Err(error) => Err(self.fail("write a lease", error)),
        }
    }

    fn fail(&self, what: &str, failure: impl Into<Failure>) -> LakeError {
        self.location.fail(what, HOUSEKEEPING, failure)
    }
}

fn absent(error: object_store::Error) -> Result<(), object_store::Error> {
    match error {
        object_store::Error::NotFound { .. } => Ok(()),
        error => Err(error),
    }
}
