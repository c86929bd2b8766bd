//! What the lake keeps of the front with each commit: the detector's state and what the decoders have learnt.
//!
//! ```text
//! line of JSON (Header) ─ '\n' ─ the detector's bytes
//! ```

use std::borrow::Cow;
use std::collections::BTreeMap;

use anyhow::Context;
use decode::Batcher;
use decode::stream::Learnt;
use detect::{DetectConfig, Detector};
use lake::{Checkpoint, Claim};
use serde::{Deserialize, Serialize};

/// What stands before the detector's bytes.
#[derive(Debug, Serialize, Deserialize)]
struct Header<'a> {
    learnt: Cow<'a, BTreeMap<String, Learnt>>,
    /// Which of several detectors it is.
    #[serde(default)]
    life: i64,
}

/// Decoders and detector as bytes.
///
/// # Errors
/// When the state cannot be encoded: a bug.
pub fn pack(
    learnt: &BTreeMap<String, Learnt>,
    detector: &Detector,
) -> anyhow::Result<bytes::Bytes> {
    let header = Header { learnt: Cow::Borrowed(learnt), life: detector.life() };
    let mut packed = serde_json::to_vec(&header).context("cannot save what the decoders learnt")?;
    packed.push(b'\n');
    packed.extend(detector.checkpoint().context("cannot save the detector's state")?);
    Ok(packed.into())
}

/// The detector: restored from the checkpoint where it has one, new otherwise. `batcher` gets back what it
/// had learnt.
pub fn unpack(
    checkpoint: Option<&Checkpoint>,
    config: &DetectConfig,
    batcher: &mut Batcher,
) -> Detector {
    let header = checkpoint.and_then(|checkpoint| split(&checkpoint.state));
    for (partition, learnt) in header.iter().flat_map(|(header, _)| header.learnt.as_ref()) {
        batcher.resume(&partition.as_str().into(), learnt);
    }
    let restored = checkpoint.and_then(|checkpoint| detector(checkpoint, config));
    restored.unwrap_or_else(|| Detector::new(config.clone()))
}

/// The detector of a checkpoint, where it can be used.
pub fn detector(checkpoint: &Checkpoint, config: &DetectConfig) -> Option<Detector> {
    let (header, state) = split(&checkpoint.state)?;
    match Detector::restore(config.clone(), state) {
        Ok(mut detector) => {
            detector.set_life(header.life);
            detector.await_partitions();
            Some(detector)
        }
        Err(error) => {
            tracing::warn!("cannot use the detector's checkpoint ({error}); it learns anew");
            None
        }
    }
}

/// What the decoders had learnt of the partitions that a process has claimed with a history, as far as nobody has read on
/// since.
pub fn learnt(claim: &Claim) -> BTreeMap<String, Learnt> {
    let Some(state) = &claim.state else { return BTreeMap::new() };
    let Some((header, _)) = split(&state.state) else { return BTreeMap::new() };
    let is_at = |partition: &String| {
        claim.covers(partition) && state.positions.get(partition) == claim.positions.get(partition)
    };
    let mut learnt = header.learnt.into_owned();
    learnt.retain(|partition, _| is_at(partition));
    learnt
}

/// Header and detector's bytes.
fn split(state: &[u8]) -> Option<(Header<'_>, &[u8])> {
    let end = state.iter().position(|byte| *byte == b'\n')?;
    let (header, rest) = state.split_at_checked(end)?;
    let header: Header<'_> = serde_json::from_slice(header).ok()?;
    Some((header, rest.get(1..)?))
}
