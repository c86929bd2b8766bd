//! Goal: who reads a table beside its writers gets all of one version or an error, never a part that looks whole.
#![cfg(test)]

mod common;

use std::fs;
use std::ops::Range;
use std::path::Path;

use common::{T0, append, point};
use lake::{Lake, LakeOptions, TableLog, TableReader};
use schemas::tables::REQUESTS;

/// One commit of a row for each of `offsets`.
async fn commit_each(folder: &Path, offsets: Range<i64>) {
    let data = folder.to_str().unwrap();
    let mut lake = Lake::open(data, LakeOptions::default()).await.unwrap();
    lake.begin("run/g/edge").await.unwrap();
    for offset in offsets {
        append(&mut lake, offset..offset + 1, |_| T0).await;
        lake.commit(point("run/g/edge", offset + 1)).await.unwrap();
    }
}

fn log_of(folder: &Path) -> TableLog {
    TableReader::open(folder.to_str().unwrap()).unwrap().table(&REQUESTS).unwrap()
}

/// Files of the table as `log` has it now, and whether it has changed.
async fn files(log: &mut TableLog) -> (usize, bool) {
    let (snapshot, changed) = log.refresh().await.unwrap();
    (snapshot.unwrap().files.len(), changed)
}

#[tokio::test]
async fn commits_are_followed_however_many() {
    let folder = tempfile::tempdir().unwrap();
    commit_each(folder.path(), 0..1).await;
    let mut log = log_of(folder.path());
    assert_eq!(files(&mut log).await, (1, true));
    assert_eq!(files(&mut log).await, (1, false));
    commit_each(folder.path(), 1..2).await;
    assert_eq!(files(&mut log).await, (2, true));
    commit_each(folder.path(), 2..40).await;
    assert_eq!(files(&mut log).await, (40, true));
    assert_eq!(files(&mut log).await, (40, false));
}

#[tokio::test]
async fn a_missing_commit_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    commit_each(folder.path(), 0..2).await;
    let mut followed = log_of(folder.path());
    assert_eq!(files(&mut followed).await, (2, true));
    commit_each(folder.path(), 2..5).await;
    fs::remove_file(folder.path().join("requests/_delta_log/00000000000000000003.json")).unwrap();
    assert_eq!(files(&mut followed).await, (2, false), "what is known is whole still");
    let error = log_of(folder.path()).refresh().await.unwrap_err().to_string();
    assert!(error.contains("a commit of the log is missing"), "{error}");
}

#[tokio::test]
async fn a_table_made_anew_is_another() {
    let folder = tempfile::tempdir().unwrap();
    commit_each(folder.path(), 0..3).await;
    let mut log = log_of(folder.path());
    assert_eq!(files(&mut log).await, (3, true));
    for offsets in [0..3, 0..5, 0..2] {
        fs::remove_dir_all(folder.path()).unwrap();
        fs::create_dir(folder.path()).unwrap();
        commit_each(folder.path(), offsets.clone()).await;
        assert_eq!(files(&mut log).await, (offsets.clone().count(), true), "{offsets:?}");
    }
    fs::remove_dir_all(folder.path().join("requests")).unwrap();
    let (gone, changed) = log.refresh().await.unwrap();
    assert!(gone.is_none() && changed);
}
