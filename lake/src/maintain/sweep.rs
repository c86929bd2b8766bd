//! Files that no version of the table needs any more: deleted once nobody can be reading or writing them.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore as _};

use super::files::Live;
use super::ledger::plain;
use crate::error::Failure;
use crate::location::Folder;
use crate::log::{LOG, read_entry, version_of};

/// What was deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Swept {
    pub(super) files: usize,
    pub(super) bytes: u64,
}

/// Every data file below the folder of a table.
///
/// List them before the log is read: what is written meanwhile is then not taken for something that nobody knows.
pub(crate) async fn stored(folder: &Folder) -> Result<Vec<ObjectMeta>, Failure> {
    let all = folder.list(None).try_filter(|object| std::future::ready(is_data(&object.location)));
    Ok(all.try_collect().await?)
}

fn is_data(path: &Path) -> bool {
    let hidden = |part: &str| part.starts_with(['_', '.']);
    path.extension() == Some("parquet") && !path.parts().any(|part| hidden(part.as_ref()))
}

/// Which of the files `stored` may go: in no version that is younger than `grace`, and older than that themselves.
pub(super) async fn unneeded(
    folder: &Folder,
    stored: Vec<ObjectMeta>,
    live: &Live,
    now: DateTime<Utc>,
    grace: TimeDelta,
) -> Result<Vec<ObjectMeta>, Failure> {
    let mut needed: BTreeSet<Path> = live.files.iter().map(|file| file.path.clone()).collect();
    needed.extend(removed_since(folder, live.version, now - grace).await?);
    let is_old = |object: &ObjectMeta| object.last_modified < now - grace;
    let unneeded =
        stored.into_iter().filter(|object| is_old(object) && !needed.contains(&object.location));
    Ok(unneeded.collect())
}

/// Files that were taken out of the table since a time: a reader of an older version may still read them.
async fn removed_since(
    folder: &Folder,
    version: u64,
    since: DateTime<Utc>,
) -> Result<BTreeSet<Path>, Failure> {
    let log: Vec<ObjectMeta> = folder.list(Some(&Path::from(LOG))).try_collect().await?;
    let mut removed = BTreeSet::new();
    for file in log.iter().filter(|file| file.last_modified >= since) {
        let Some(commit) = version_of(file).filter(|commit| *commit <= version) else { continue };
        if let Some(entry) = read_entry(folder, commit).await? {
            removed.extend(entry.removed.iter().map(|path| plain(path)));
        }
    }
    Ok(removed)
}

/// Deletes files; one that is gone already is as good.
pub(super) async fn delete(folder: &Folder, files: Vec<ObjectMeta>) -> Result<Swept, Failure> {
    let bytes = files.iter().map(|file| file.size).sum();
    let swept = Swept { files: files.len(), bytes };
    let paths = futures::stream::iter(files.into_iter().map(|file| Ok(file.location))).boxed();
    let mut deleted = folder.delete_stream(paths);
    while let Some(path) = deleted.next().await {
        match path {
            Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(swept)
}
