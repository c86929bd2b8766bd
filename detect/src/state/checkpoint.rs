//! The detector's state as bytes: a header with a checksum, then in postcard the hosts, one by one, and all the rest.

use std::sync::Arc;

use crate::incident::target::Target;
use crate::state::State;

const MAGIC: [u8; 4] = *b"FMDC";

/// Layout of the state; raised whenever a field changes.
pub const VERSION: u32 = 25;

const HEADER: usize = 4 + 4 + 8 + 8;

/// The state cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the detector's state: this is a bug, please report it")]
pub struct CheckpointError(#[from] postcard::Error);

/// A checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// Not a checkpoint, or cut short.
    #[error(
        "the checkpoint is no detector state or was cut short ({bytes} bytes); remove it to start afresh"
    )]
    Foreign {
        /// Its length.
        bytes: usize,
    },
    /// Written by another version of the program.
    #[error(
        "the checkpoint has layout {found}, this program reads {VERSION}; remove it to start afresh"
    )]
    Version {
        /// Layout found.
        found: u32,
    },
    /// Damaged.
    #[error("the checkpoint is damaged: its checksum differs; remove it to start afresh")]
    Checksum,
    /// Written with another hash key.
    #[error(
        "the checkpoint was written with another `hash-key`: its counts mean nothing under this one"
    )]
    Key,
    /// The checksum holds and the state cannot be read.
    #[error("cannot read the detector's state: this is a bug, please report it")]
    State(#[source] postcard::Error),
}

fn checksum(body: &[u8]) -> u64 {
    rapidhash::v3::rapidhash_v3(body)
}

/// A hash of the key: the key itself stays out of the file.
fn key_mark(hash_key: u64) -> u32 {
    let bytes = crate::math::hash::mix(hash_key).to_le_bytes();
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// The state as bytes. Each host is let go as soon as it is written: the sooner, the fewer must be copied because they change.
pub(crate) fn write(mut state: State, hash_key: u64) -> Result<Vec<u8>, CheckpointError> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&[0; size_of::<u64>()]);
    bytes.extend_from_slice(&u64::from(key_mark(hash_key)).to_le_bytes());
    let targets = state.hosts.take_targets();
    bytes = postcard::to_extend(&targets.len(), bytes)?;
    for (key, target) in targets {
        bytes = postcard::to_extend(&(key, &*target), bytes)?;
    }
    bytes = postcard::to_extend(&state, bytes)?;
    let checksum = checksum(&bytes[HEADER..]);
    bytes[8..16].copy_from_slice(&checksum.to_le_bytes());
    Ok(bytes)
}

pub(crate) fn read(bytes: &[u8], hash_key: u64) -> Result<State, RestoreError> {
    let foreign = RestoreError::Foreign { bytes: bytes.len() };
    let Some((header, body)) = bytes.split_at_checked(HEADER) else { return Err(foreign) };
    let word = |at: usize| {
        u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    if header[..4] != MAGIC {
        return Err(foreign);
    }
    if word(4) != VERSION {
        return Err(RestoreError::Version { found: word(4) });
    }
    if checksum(body) != u64::from(word(8)) | u64::from(word(12)) << 32 {
        return Err(RestoreError::Checksum);
    }
    if word(16) != key_mark(hash_key) {
        return Err(RestoreError::Key);
    }
    read_body(body).map_err(RestoreError::State)
}

fn read_body(body: &[u8]) -> Result<State, postcard::Error> {
    let (hosts, mut rest): (usize, _) = postcard::take_from_bytes(body)?;
    let mut targets = Vec::new();
    for _ in 0..hosts {
        let (key, target): (u64, Target);
        ((key, target), rest) = postcard::take_from_bytes(rest)?;
        targets.push((key, Arc::new(target)));
    }
    let mut state: State = postcard::from_bytes(rest)?;
    state.hosts.put_targets(targets);
    Ok(state)
}
