//! Opens the tables and brings the detector back to where they stand.

use std::collections::BTreeMap;

use anyhow::Context;
use detect::{DetectConfig, Detector};
use lake::{Lake, LakeOptions};
use tokio::runtime::Runtime;

/// The tables, the positions they hold, and a detector that has seen exactly what they hold.
pub struct Opened {
    /// The tables.
    pub lake: Lake,
    /// The runtime the tables live on.
    pub runtime: Runtime,
    /// Next position of each partition the tables know.
    pub positions: BTreeMap<String, i64>,
    /// Restored from the checkpoint, or new.
    pub detector: Detector,
}

/// Opens `data` for the history `lineage`.
///
/// # Errors
/// When the tables cannot be opened or written, or are of another version.
pub fn open(data: &str, lineage: &str, detect: &DetectConfig) -> anyhow::Result<Opened> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .thread_name("lake-io")
        .build()
        .context("cannot start the runtime of the tables")?;
    let (lake, positions, checkpoint) = runtime.block_on(async {
        let lake = Lake::open(data, LakeOptions::default()).await?;
        let positions = lake.positions(lineage).await?;
        let checkpoint = lake.restore(lineage).await?;
        Ok::<_, lake::LakeError>((lake, positions, checkpoint))
    })?;
    let detector = match checkpoint {
        Some(checkpoint) => restore(detect, &checkpoint.state),
        None => {
            if has_history(&positions, lineage) {
                tracing::warn!(
                    "the tables have records but no checkpoint of the detector that fits them; it starts \
                     to learn anew"
                );
            }
            Detector::new(detect.clone())
        }
    };
    Ok(Opened { lake, runtime, positions, detector })
}

fn restore(config: &DetectConfig, state: &[u8]) -> Detector {
    Detector::restore(config.clone(), state).unwrap_or_else(|error| {
        tracing::warn!("cannot use the detector's checkpoint ({error}); it starts to learn anew");
        Detector::new(config.clone())
    })
}

fn has_history(positions: &BTreeMap<String, i64>, lineage: &str) -> bool {
    lineage.starts_with("run/") && !positions.is_empty()
}
