//! Opens the tables and brings the detector back to where they stand.

use anyhow::Context;
use decode::Batcher;
use detect::{DetectConfig, Detector};
use ingest::Positions;
use lake::{History, Lake, LakeOptions};
use tokio::runtime::Runtime;

use super::back::shared;
use super::checkpoint;

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

    /// A detector that has seen exactly what the tables hold of the history; `batcher` gets back what it had learnt of the
    /// lines.
    ///
    /// # Errors
    /// When the tables cannot be read. A checkpoint that cannot be used is said, and the detector starts anew.
    pub fn detector(
        &self,
        history: &History,
        config: &DetectConfig,
        batcher: &mut Batcher,
    ) -> anyhow::Result<Detector> {
        let checkpoint = self.runtime.block_on(self.lake.restore(history.clone()))?;
        Ok(checkpoint::unpack(checkpoint.as_ref(), config, batcher))
    }
}
