//! What the lake keeps of the front with each commit: the detector's state and what the decoders have learnt.
//!
//! ```text
//! line of JSON (Header) ─ '\n' ─ the detector's bytes, compressed by zstd; before that was so, as they are
//! ```

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;
use bytes::Bytes;
use decode::Batcher;
use decode::learnt::Learnt;
use detect::{DetectConfig, Detector, Snapshot};
use lake::{Checkpoint, MakeState};
use serde::{Deserialize, Serialize};

/// Level of compression: the states of a million sources that did little are much alike, and higher levels find hardly more.
const COMPRESSION: i32 = 1;

/// What stands before the detector's bytes.
#[derive(Debug, Serialize, Deserialize)]
struct Header<'a> {
    learnt: Cow<'a, BTreeMap<String, Learnt>>,
}

/// Makes the bytes of decoders, which are there, and detector, and tells `bytes` how many they are.
pub fn with_detector(lines: Bytes, snapshot: Snapshot, bytes: Arc<AtomicUsize>) -> MakeState {
    MakeState::new(move || {
        // What cannot be packed is a bug, and no reason to stop.
        let packed = pack(&lines, snapshot);
        let state = packed.inspect_err(|error| tracing::error!("{error:#}")).ok()?;
        bytes.store(state.len(), Ordering::Relaxed);
        Some(state)
    })
}

/// The bytes of the decoders alone: whoever goes on from there begins with a new detector.
///
/// # Errors
/// When they cannot be encoded: a bug.
pub fn of_lines(learnt: &BTreeMap<String, Learnt>) -> anyhow::Result<Bytes> {
    let header = Header { learnt: Cow::Borrowed(learnt) };
    let mut packed = serde_json::to_vec(&header).context("cannot save what the decoders learnt")?;
    packed.push(b'\n');
    Ok(packed.into())
}

fn pack(lines: &Bytes, snapshot: Snapshot) -> anyhow::Result<Bytes> {
    let state = snapshot.write().context("cannot save the detector's state")?;
    let mut packed = lines.to_vec();
    zstd::stream::copy_encode(state.as_slice(), &mut packed, COMPRESSION)
        .context("cannot compress the detector's state")?;
    Ok(packed.into())
}

/// The detector of a checkpoint, or a new one where that cannot be used, which is said; `batcher` gets back what it had
/// learnt. `None` for what is no checkpoint.
pub fn unpack(
    checkpoint: &Checkpoint,
    config: &DetectConfig,
    batcher: &mut Batcher,
) -> Option<Detector> {
    let (header, state) = split(&checkpoint.state)?;
    for (partition, learnt) in header.learnt.as_ref() {
        batcher.resume(&partition.as_str().into(), learnt);
    }
    if state.is_empty() {
        return Some(Detector::new(config.clone()));
    }
    let restored = || -> anyhow::Result<Detector> {
        Ok(Detector::restore(config.clone(), &unpacked(state)?)?)
    };
    let mut detector = restored().unwrap_or_else(|error| {
        tracing::warn!("cannot use the detector's checkpoint ({error:#}); it learns anew");
        Detector::new(config.clone())
    });
    detector.await_partitions();
    Some(detector)
}

/// The detector's bytes as it wrote them.
fn unpacked(state: &[u8]) -> anyhow::Result<Cow<'_, [u8]>> {
    if state.starts_with(&zstd::zstd_safe::MAGICNUMBER.to_le_bytes()) {
        return Ok(Cow::Owned(zstd::decode_all(state).context("it cannot be decompressed")?));
    }
    Ok(Cow::Borrowed(state))
}

/// Header and detector's bytes.
fn split(state: &[u8]) -> Option<(Header<'_>, &[u8])> {
    let end = state.iter().position(|byte| *byte == b'\n')?;
    let (header, rest) = state.split_at_checked(end)?;
    let header: Header<'_> = serde_json::from_slice(header).ok()?;
    Some((header, rest.get(1..)?))
}
