//! Checkpoints: opaque state of the detector beside the tables, each bound to one commit of `requests`. Not every commit
//! has one: what was read since the last is read again, and says the same again.
//!
//! ```text
//! _floodmark/checkpoints/<lineage>/<sequence>.ckpt
//!   8 bytes  magic `FLDMKCP1`
//!   4 bytes  CRC-32 of everything that follows, little endian
//!   4 bytes  length of the header, little endian
//!   header   JSON: lineage, sequence, closed_us, positions
//!   rest     state
//! ```

use std::collections::BTreeMap;

use bytes::{BufMut as _, Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{
    ObjectMeta, ObjectStore as _, ObjectStoreExt as _, PutMode, PutOptions, PutPayload,
};
use serde::{Deserialize, Serialize};

use crate::error::{Failure, LakeError};
use crate::ids::{History, Ids, SCOPE};
use crate::location::{Folder, Location};
use crate::progress::{advance, missed};

/// Folder of everything beside the tables.
pub(crate) const HOUSEKEEPING: &str = "_floodmark";

/// Checkpoints of a history that are kept.
const KEPT: usize = 3;

/// Other scopes of a lineage whose checkpoints are kept.
const SCOPES_KEPT: usize = 7;

/// Longest folder name made of a lineage; file systems allow 255 bytes.
const FOLDER_NAME_BYTES_MAX: usize = 200;

const MAGIC: &[u8; 8] = b"FLDMKCP1";
const PREFIX_BYTES: usize = 16;

/// State of the detector as of one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Number of the commit it belongs to.
    pub sequence: i64,
    /// Next position of every partition of the history.
    pub positions: BTreeMap<String, i64>,
    /// Event time up to which the detector had spoken, microseconds UTC.
    pub closed_us: i64,
    /// What the detector gave.
    pub state: Bytes,
    /// When it was written; `None` before.
    pub written: Option<DateTime<Utc>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    lineage: String,
    sequence: i64,
    closed_us: i64,
    positions: BTreeMap<String, i64>,
}

impl Checkpoint {
    /// Whether it is the state at what the tables hold, or, of a commit before the last, on the way there.
    pub(crate) fn is_of(&self, ids: &Ids, txns: &BTreeMap<String, i64>) -> bool {
        let held = ids.positions(txns);
        if txns.get(&ids.sequence()).is_some_and(|last| self.sequence < *last) {
            return missed(&self.positions, &held).is_some();
        }
        if ids.history().is_scoped() {
            self.positions.iter().all(|(partition, next)| held.get(partition) == Some(next))
        } else {
            self.positions == held
        }
    }

    /// The same without its state.
    pub(crate) fn place(&self) -> Self {
        Self { positions: self.positions.clone(), state: Bytes::new(), ..*self }
    }

    fn encode(&self, lineage: &str) -> Result<Bytes, serde_json::Error> {
        let header = serde_json::to_vec(&Header {
            lineage: lineage.to_owned(),
            sequence: self.sequence,
            closed_us: self.closed_us,
            positions: self.positions.clone(),
        })?;
        let mut body = BytesMut::with_capacity(PREFIX_BYTES + header.len() + self.state.len());
        body.put_slice(MAGIC);
        body.put_u32_le(0);
        body.put_u32_le(u32::try_from(header.len()).unwrap_or(u32::MAX));
        body.put_slice(&header);
        body.put_slice(&self.state);
        let crc = crc32fast::hash(body.get(12..).unwrap_or_default());
        if let Some(place) = body.get_mut(8..12) {
            place.copy_from_slice(&crc.to_le_bytes());
        }
        Ok(body.freeze())
    }

    /// Reads a checkpoint of `lineage` back; the error says why it cannot be used.
    fn decode(lineage: &str, bytes: &Bytes) -> Result<Self, String> {
        let rest = bytes.strip_prefix(MAGIC).ok_or("it is not a checkpoint of this version")?;
        let (crc, body) = rest.split_first_chunk::<4>().ok_or("it is cut short")?;
        if crc32fast::hash(body) != u32::from_le_bytes(*crc) {
            return Err("it is damaged".to_owned());
        }
        let (length, _) = body.split_first_chunk::<4>().ok_or("it is cut short")?;
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let end = PREFIX_BYTES.saturating_add(length);
        let header = bytes.get(PREFIX_BYTES..end).ok_or("it is cut short")?;
        let header: Header = serde_json::from_slice(header).map_err(|error| error.to_string())?;
        if header.lineage != lineage {
            return Err(format!("it belongs to `{}`", header.lineage));
        }
        Ok(Self {
            sequence: header.sequence,
            positions: header.positions,
            closed_us: header.closed_us,
            state: bytes.slice(end..),
            written: None,
        })
    }
}

/// The checkpoints of one history.
#[derive(Debug)]
pub(crate) struct Checkpoints<'a> {
    location: &'a Location,
    /// Name of the history.
    name: String,
    folder: Folder,
    below: String,
}

impl<'a> Checkpoints<'a> {
    pub(crate) fn of(location: &'a Location, history: &History) -> Result<Self, LakeError> {
        let name = history.name();
        let below = format!("{HOUSEKEEPING}/checkpoints/{}", folder_name(&name));
        Ok(Self { location, name, folder: location.folder(&below)?, below })
    }

    fn fail(&self, what: &str, failure: impl Into<Failure>) -> LakeError {
        self.location.fail(what, &self.below, failure)
    }

    /// Numbers of the checkpoints there are, ascending.
    pub(crate) async fn sequences(&self) -> Result<Vec<i64>, LakeError> {
        let names: Vec<_> = match self.folder.list(None).try_collect::<Vec<_>>().await {
            Ok(names) => names,
            Err(object_store::Error::NotFound { .. }) => Vec::new(),
            Err(error) => return Err(self.fail("list the checkpoints", error)),
        };
        let mut sequences: Vec<i64> = names
            .iter()
            .filter_map(|meta| meta.location.filename()?.strip_suffix(".ckpt")?.parse().ok())
            .collect();
        sequences.sort_unstable();
        Ok(sequences)
    }

    /// Writes a checkpoint; `false` when its number is taken.
    pub(crate) async fn write(&self, checkpoint: &Checkpoint) -> Result<bool, LakeError> {
        const WHAT: &str = "write the checkpoint";
        let body = checkpoint.encode(&self.name).map_err(|error| self.fail(WHAT, error))?;
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        let path = path(checkpoint.sequence);
        match self.folder.put_opts(&path, PutPayload::from_bytes(body), options).await {
            Ok(_) => Ok(true),
            Err(
                object_store::Error::AlreadyExists { .. }
                | object_store::Error::Precondition { .. },
            ) => Ok(false),
            Err(error) => Err(self.fail(WHAT, error)),
        }
    }

    /// Reads the checkpoint of a number, or says why there is none.
    pub(crate) async fn read(
        &self,
        sequence: i64,
    ) -> Result<Result<Checkpoint, String>, LakeError> {
        const WHAT: &str = "read the checkpoint";
        let (bytes, written) = match self.folder.get(&path(sequence)).await {
            Ok(found) => {
                let written = found.meta.last_modified;
                (found.bytes().await.map_err(|error| self.fail(WHAT, error))?, written)
            }
            Err(object_store::Error::NotFound { .. }) => {
                return Ok(Err("there is none".to_owned()));
            }
            Err(error) => return Err(self.fail(WHAT, error)),
        };
        let read = Checkpoint::decode(&self.name, &bytes);
        Ok(read.map(|checkpoint| Checkpoint { written: Some(written), ..checkpoint }))
    }

    /// Positions that scopes of a lineage have reached in checkpoints whose commit `requests` does not know: of processes
    /// that died between the two.
    pub(crate) async fn attempts(
        location: &Location,
        lineage: &str,
        txns: &BTreeMap<String, i64>,
    ) -> Result<BTreeMap<String, i64>, LakeError> {
        const WHAT: &str = "list the checkpoints";
        let below = format!("{HOUSEKEEPING}/checkpoints");
        let fail = |failure: Failure| location.fail(WHAT, &below, failure);
        let all = location.folder(&below)?;
        let prefix = folder_name(&History::scoped(lineage, "").name());
        let mut newest: BTreeMap<String, Path> = BTreeMap::new();
        let files: Vec<ObjectMeta> =
            all.list(None).try_collect().await.map_err(|error| fail(error.into()))?;
        for file in files {
            let Some(scope) = file.location.parts().next() else { continue };
            if scope.as_ref().starts_with(&prefix) {
                let last = newest.entry(scope.as_ref().to_owned()).or_default();
                *last = last.clone().max(file.location);
            }
        }
        let mut reached = BTreeMap::new();
        for path in newest.into_values() {
            let Some(header) = read_header(&all, &path).await.map_err(fail)? else { continue };
            let Some((_, scope)) = header.lineage.rsplit_once(SCOPE) else { continue };
            let ids = Ids::of(&History::scoped(lineage, scope));
            if txns.get(&ids.sequence()).is_none_or(|known| *known < header.sequence) {
                advance(&mut reached, &header.positions);
            }
        }
        Ok(reached)
    }

    /// Deletes the checkpoints of scopes other than this and the last few, so that a folder scanned a file a day does not
    /// grow for ever; a scan that was interrupted long ago then starts its detector anew. Failures only cost space.
    pub(crate) async fn prune_scopes(&self, history: &History) {
        if !history.is_scoped() {
            return;
        }
        let all = match self.location.folder(&format!("{HOUSEKEEPING}/checkpoints")) {
            Ok(folder) => folder,
            Err(error) => {
                tracing::debug!(%error, "old checkpoints stay");
                return;
            }
        };
        let prefix = folder_name(&History::scoped(history.lineage(), "").name());
        let Ok(files) = all.list(None).try_collect::<Vec<ObjectMeta>>().await else { return };
        let mut scopes: BTreeMap<String, (DateTime<Utc>, Vec<Path>)> = BTreeMap::new();
        for file in files {
            let Some(scope) = file.location.parts().next() else { continue };
            if scope.as_ref().starts_with(&prefix) && scope.as_ref() != folder_name(&self.name) {
                let place = scopes.entry(scope.as_ref().to_owned()).or_default();
                place.0 = place.0.max(file.last_modified);
                place.1.push(file.location);
            }
        }
        let mut scopes: Vec<_> = scopes.into_values().collect();
        scopes.sort_by_key(|(written, _)| std::cmp::Reverse(*written));
        let old = scopes.into_iter().skip(SCOPES_KEPT).flat_map(|(_, files)| files);
        let old = futures::stream::iter(old.map(Ok).collect::<Vec<_>>()).boxed();
        if let Err(error) = all.delete_stream(old).try_collect::<Vec<_>>().await {
            tracing::debug!(%error, "old checkpoints stay");
        }
    }

    /// Deletes all but the last few checkpoints up to `sequence`, and the one that is gone on from; failures only cost
    /// space.
    pub(crate) async fn prune(&self, sequence: i64, base: i64) {
        let Ok(mut old) = self.sequences().await else { return };
        old.retain(|number| *number <= sequence);
        old.truncate(old.len().saturating_sub(KEPT));
        old.retain(|number| *number != base);
        let old = futures::stream::iter(old.into_iter().map(|number| Ok(path(number)))).boxed();
        if let Err(error) = self.folder.delete_stream(old).try_collect::<Vec<_>>().await {
            tracing::debug!(%error, "old checkpoints stay");
        }
    }
}

/// The header of a checkpoint, without its state; `None` for what is none.
async fn read_header(folder: &Folder, path: &Path) -> Result<Option<Header>, Failure> {
    let gone = |error| match error {
        object_store::Error::NotFound { .. } => Ok(None),
        error => Err(Failure::from(error)),
    };
    let size = match folder.head(path).await {
        Ok(found) => found.size,
        Err(error) => return gone(error),
    };
    if size < PREFIX_BYTES as u64 {
        return Ok(None);
    }
    let prefix = match folder.get_range(path, 0..PREFIX_BYTES as u64).await {
        Ok(prefix) => prefix,
        Err(error) => return gone(error),
    };
    let Some(length) = prefix.get(12..).and_then(|word| word.first_chunk::<4>()) else {
        return Ok(None);
    };
    let end = (PREFIX_BYTES as u64).saturating_add(u64::from(u32::from_le_bytes(*length)));
    match folder.get_range(path, PREFIX_BYTES as u64..end.min(size)).await {
        Ok(header) => Ok(serde_json::from_slice(&header).ok()),
        Err(error) => gone(error),
    }
}

fn path(sequence: i64) -> Path {
    Path::from(format!("{sequence:020}.ckpt"))
}

/// A folder name for a lineage: letters, digits, `-` and `_` as they are, other bytes as `=XX`.
fn folder_name(lineage: &str) -> String {
    use std::fmt::Write as _;

    let mut name = String::with_capacity(lineage.len());
    for byte in lineage.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            name.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(name, "={byte:02X}");
        }
    }
    if name.len() > FOLDER_NAME_BYTES_MAX {
        name.truncate(FOLDER_NAME_BYTES_MAX);
        let _ = write!(name, "-{:08x}", crc32fast::hash(lineage.as_bytes()));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            sequence: 4,
            positions: BTreeMap::from([("t/0".to_owned(), 12)]),
            closed_us: -3,
            state: Bytes::from_static(b"opaque\0bytes"),
            written: None,
        }
    }

    #[test]
    fn a_checkpoint_reads_back_and_damage_is_seen() {
        let bytes = checkpoint().encode("scan").unwrap();
        assert_eq!(Checkpoint::decode("scan", &bytes), Ok(checkpoint()));
        assert!(Checkpoint::decode("run/g/t", &bytes).unwrap_err().contains("belongs to `scan`"));
        for cut in 0..bytes.len() {
            assert!(Checkpoint::decode("scan", &bytes.slice(..cut)).is_err(), "cut at {cut}");
        }
        for place in 0..bytes.len() {
            let mut damaged = bytes.to_vec();
            damaged[place] ^= 0x10;
            assert!(Checkpoint::decode("scan", &damaged.into()).is_err(), "damaged at {place}");
        }
    }

    #[test]
    fn folder_names_are_safe_and_distinct() {
        assert_eq!(folder_name("run/edge/t-1"), "run=2Fedge=2Ft-1");
        assert_eq!(folder_name("../x"), "=2E=2E=2Fx");
        let long = |last: char| folder_name(&format!("{}{last}", "a".repeat(300)));
        assert_ne!(long('b'), long('c'));
        assert!(long('b').len() <= 255);
    }
}
