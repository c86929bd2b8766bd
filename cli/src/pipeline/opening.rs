//! Opens the tables and brings the detector back to where they stand.

use std::time::Instant;

use anyhow::Context;
use chrono::Utc;
use decode::Batcher;
use detect::{DetectConfig, Detector};
use ingest::Positions;
use lake::{History, Lake, LakeOptions};
use tokio::runtime::Runtime;

use super::back::shared;
use super::checkpoint::unpack;

/// The tables and the runtime they live on.
#[derive(Debug)]
pub struct Tables {
    /// The tables.
    pub lake: Lake,
    /// Runs what the tables do.
    pub runtime: Runtime,
}

/// Opens `data`, making the tables where there are none.
///
/// # Errors
/// When the tables cannot be opened or written, or are of another version.
pub fn open(data: &str) -> anyhow::Result<Tables> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .thread_name("lake-io")
        .build()
        .context("cannot start the runtime of the tables")?;
    let lake = runtime.block_on(Lake::open(data, LakeOptions::default()))?;
    Ok(Tables { lake, runtime })
}

impl Tables {
    /// Next position of each partition of a lineage, as the tables stand.
    ///
    /// # Errors
    /// When the tables cannot be read.
    pub fn positions(&self, lineage: &str) -> anyhow::Result<Positions> {
        Ok(shared(&self.runtime.block_on(self.lake.positions(lineage))?))
    }

    /// Every history that has rows in the tables.
    ///
    /// # Errors
    /// When the tables cannot be read.
    pub fn histories(&self) -> anyhow::Result<Vec<History>> {
        Ok(self.runtime.block_on(self.lake.histories())?)
    }

    /// How far scans that died had read the files of a lineage, beyond what they have committed.
    ///
    /// # Errors
    /// When the tables cannot be read.
    pub fn attempts(&self, lineage: &str) -> anyhow::Result<Positions> {
        Ok(shared(&self.runtime.block_on(self.lake.attempts(lineage))?))
    }

    /// A detector that has seen what the tables hold of the history, or will have when that is read again which they are
    /// ahead; `batcher` gets back what it had learnt of the lines.
    ///
    /// # Errors
    /// When the tables cannot be read. A checkpoint that cannot be used is said, and the detector starts anew.
    pub fn detector(
        &mut self,
        history: &History,
        config: &DetectConfig,
        batcher: &mut Batcher,
    ) -> anyhow::Result<Restored> {
        let checkpoint = self.runtime.block_on(self.lake.restore(history.clone()))?;
        let found = checkpoint.and_then(|found| Some((unpack(&found, config, batcher)?, found)));
        let (detector, checkpoint) = found.unzip();
        let ahead = self.lake.resume(history.clone(), checkpoint.as_ref());
        let ahead = self.runtime.block_on(ahead)?;
        let kept = checkpoint.and_then(|checkpoint| {
            let age = (Utc::now() - checkpoint.written?).to_std().unwrap_or_default();
            Some((Instant::now().checked_sub(age)?, checkpoint.state.len()))
        });
        let detector = detector.unwrap_or_else(|| Detector::new(config.clone()));
        let messages: i64 = ahead.partitions.values().map(|(next, stands)| stands - next).sum();
        if messages > 0 {
            tracing::info!(
                messages,
                "the detector's state was kept before the last commit: what came since is read again, and brings it there"
            );
        }
        let held = ahead.partitions.into_iter();
        let held = held.map(|(partition, (_, stands))| (partition.into(), stands)).collect();
        Ok(Restored { detector, held, told_us: ahead.closed_us, kept })
    }
}

/// A detector, and what the tables hold that it does not know yet.
#[derive(Debug)]
pub struct Restored {
    /// The detector.
    pub detector: Detector,
    /// Where the tables stand, of partitions that are read again from before that.
    pub held: Positions,
    /// Event time up to which the tables hold what it is going to find again, µs; nobody must be told of that twice.
    pub told_us: Option<i64>,
    /// When its state was kept, and its bytes.
    pub kept: Option<(Instant, usize)>,
}
