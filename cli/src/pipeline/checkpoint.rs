//! The detector's state as the lake keeps it: with the scope it belongs to.
//!
//! One history may hold runs of detectors that have nothing to do with each other: all scans share the history
//! `scan`, since a file must be in the tables once whoever scans it, but each set of files has a detector of its own.
//! The scope tells them apart: a state is restored only within its own.

use anyhow::Context;
use detect::{DetectConfig, Detector};
use lake::Checkpoint;

/// Scope and state as bytes.
///
/// # Errors
/// When the state cannot be encoded: a bug.
pub fn pack(scope: &str, detector: &Detector) -> anyhow::Result<bytes::Bytes> {
    let state = detector.checkpoint().context("cannot save the detector's state")?;
    let mut packed = Vec::with_capacity(scope.len() + 1 + state.len());
    packed.extend_from_slice(scope.as_bytes());
    packed.push(b'\n');
    packed.extend_from_slice(&state);
    Ok(packed.into())
}

/// The detector of `scope`: restored from the checkpoint where it has one, new otherwise.
pub fn unpack(checkpoint: Option<&Checkpoint>, scope: &str, config: &DetectConfig) -> Detector {
    let state = checkpoint
        .and_then(|checkpoint| checkpoint.state.strip_prefix(scope.as_bytes()))
        .and_then(|rest| rest.strip_prefix(b"\n"));
    let Some(state) = state else { return Detector::new(config.clone()) };
    Detector::restore(config.clone(), state).unwrap_or_else(|error| {
        tracing::warn!("cannot use the detector's checkpoint ({error}); it learns anew");
        Detector::new(config.clone())
    })
}
