//! Batches → Parquet files of the table `requests`, committed and synced.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use ::decode::DecoderConfig;
use arrow::ipc::writer::FileWriter;
use bytes::Bytes;
use lake::{CommitPoint, Lake, LakeOptions, RowKey};
use schemas::PositionedBatch;
use schemas::tables::REQUESTS;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::{check, decode, log, plan};
use crate::args::Args;
use crate::error::BenchError;
use crate::measure::{Bench, Group, Run, in_turns, timed};

/// Name of the history that is written.
const LINEAGE: &str = "bench";

/// The rows of a log into new tables. The bytes read are those of the log, to be comparable with the other stages.
pub(super) fn measure(args: &Args) -> Result<Vec<Group>, BenchError> {
    let format = sample_data::Format::Cloudflare;
    if !args.wants(format.as_str()) {
        return Ok(Vec::new());
    }
    let log = log(args, format)?;
    let batches = decode::batches(&log, &DecoderConfig::of(format.as_str()))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| BenchError::io("start a runtime", error))?;
    let tables = Bench::new(format.as_str(), || {
        let (rows, run) = tables(&runtime, &batches)?;
        check("write", log.lines, rows)?;
        Ok(run)
    });
    let ipc = Bench::new("Arrow IPC file, not compressed", || ipc(&batches));
    Ok(vec![in_turns("write", plan(args, &log), tables, vec![ipc])?])
}

fn folder() -> Result<TempDir, BenchError> {
    tempfile::tempdir().map_err(|error| BenchError::io("make a folder", error))
}

/// Appends and commits; tables are made before the clock starts.
fn tables(runtime: &Runtime, batches: &[PositionedBatch]) -> Result<(u64, Run), BenchError> {
    let folder = folder()?;
    let uri = folder.path().to_string_lossy();
    let mut lake = runtime.block_on(async {
        let mut lake = Lake::open(&uri, LakeOptions::default()).await?;
        lake.begin(LINEAGE).await?;
        Ok::<_, BenchError>(lake)
    })?;
    let (summary, run) = timed(|| runtime.block_on(append_and_commit(&mut lake, batches)))?;
    Ok((summary.rows(REQUESTS.name), Run { written_bytes: Some(summary.bytes()), ..run }))
}

async fn append_and_commit(
    lake: &mut Lake,
    batches: &[PositionedBatch],
) -> Result<lake::CommitSummary, BenchError> {
    let mut positions = BTreeMap::new();
    for batch in batches {
        let key = RowKey::Partition(&batch.partition);
        lake.append(&REQUESTS, batch.requests.record_batch(), key).await?;
        positions.insert(batch.partition.to_string(), batch.next_position);
    }
    let point = CommitPoint {
        history: LINEAGE.into(),
        positions,
        begun: BTreeMap::new(),
        rest: Bytes::new(),
        closed_us: 0,
        state: Bytes::new(),
    };
    Ok(lake.commit(point).await?)
}

/// The same rows as they lie in memory, synced as the tables are.
fn ipc(batches: &[PositionedBatch]) -> Result<Run, BenchError> {
    let folder = folder()?;
    let path = folder.path().join("requests.arrow");
    let ((), run) = timed(|| write_ipc(&path, batches))?;
    let written_bytes = path.metadata().ok().map(|of| of.len());
    Ok(Run { written_bytes, ..run })
}

fn write_ipc(path: &Path, batches: &[PositionedBatch]) -> Result<(), BenchError> {
    let fail = |error| BenchError::io("write an IPC file", error);
    let file = File::create(path).map_err(fail)?;
    let mut writer = FileWriter::try_new(BufWriter::new(file), &REQUESTS.row_schema())?;
    for batch in batches {
        writer.write(batch.requests.record_batch())?;
    }
    writer.finish()?;
    let file = writer.into_inner()?.into_inner().map_err(|error| fail(error.into_error()))?;
    file.sync_all().map_err(fail)
}
