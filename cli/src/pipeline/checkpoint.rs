//! What the lake keeps of the front with each commit: the detector's state and what the decoders have learnt.
//!
//! One history may hold runs that have nothing to do with each other: all scans share the history `scan`, since a
//! file must be in the tables once whoever scans it, but each set of files has a detector of its own. The scope tells
//! them apart: a state is restored only within its own.
//!
//! ```text
//! line of JSON (Header) ─ '\n' ─ the detector's bytes
//! ```

use std::borrow::Cow;
use std::collections::BTreeMap;

use anyhow::Context;
use detect::{DetectConfig, Detector};
use ingest::Batcher;
use ingest::decode::stream::Learnt;
use lake::Checkpoint;
use serde::{Deserialize, Serialize};

/// What stands before the detector's bytes.
#[derive(Debug, Serialize, Deserialize)]
struct Header<'a> {
    scope: Cow<'a, str>,
    learnt: Cow<'a, BTreeMap<String, Learnt>>,
}

/// Decoders and detector as bytes.
///
/// # Errors
/// When the state cannot be encoded: a bug.
pub fn pack(
    scope: &str,
    learnt: &BTreeMap<String, Learnt>,
    detector: &Detector,
) -> anyhow::Result<bytes::Bytes> {
    let header = Header { scope: Cow::Borrowed(scope), learnt: Cow::Borrowed(learnt) };
    let mut packed = serde_json::to_vec(&header).context("cannot save what the decoders learnt")?;
    packed.push(b'\n');
    packed.extend(detector.checkpoint().context("cannot save the detector's state")?);
    Ok(packed.into())
}

/// The detector of `scope`: restored from the checkpoint where it has one, new otherwise. `batcher` gets back what it
/// had learnt.
pub fn unpack(
    checkpoint: Option<&Checkpoint>,
    scope: &str,
    config: &DetectConfig,
    batcher: &mut Batcher,
) -> Detector {
    let Some((header, state)) = checkpoint.and_then(|checkpoint| split(&checkpoint.state, scope))
    else {
        return Detector::new(config.clone());
    };
    for (partition, learnt) in header.learnt.as_ref() {
        batcher.resume(&partition.as_str().into(), learnt);
    }
    Detector::restore(config.clone(), state).unwrap_or_else(|error| {
        tracing::warn!("cannot use the detector's checkpoint ({error}); it learns anew");
        Detector::new(config.clone())
    })
}

/// Header and detector's bytes, if they belong to `scope`.
fn split<'a>(state: &'a [u8], scope: &str) -> Option<(Header<'a>, &'a [u8])> {
    let end = state.iter().position(|byte| *byte == b'\n')?;
    let (header, rest) = state.split_at_checked(end)?;
    let header: Header<'_> = serde_json::from_slice(header).ok()?;
    Some((header, rest.get(1..)?)).filter(|(header, _)| header.scope == scope)
}
