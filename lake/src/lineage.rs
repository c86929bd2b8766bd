//! The history that is being written.

use std::collections::BTreeMap;

use schemas::tables::REQUESTS;

use crate::checkpoint::Checkpoint;
use crate::claim::Hold;
use crate::commit::TableHandle;
use crate::error::LakeError;
use crate::ids::{History, Ids};
use crate::location::Location;
use crate::progress::Held;

/// A history while it is written.
#[derive(Debug)]
pub(crate) struct Lineage {
    pub(crate) history: History,
    pub(crate) ids: Ids,
    pub(crate) hold: Hold,
    pub(crate) held: BTreeMap<&'static str, Held>,
    /// Number of the last commit tried.
    pub(crate) sequence: i64,
    /// The checkpoint written for a commit that has not succeeded yet.
    pub(crate) unconfirmed: Option<Checkpoint>,
    /// The least position of each partition among the rows that wait for their commit.
    pub(crate) least: BTreeMap<String, i64>,
}

impl Lineage {
    /// Refuses rows that another process has committed since they were begun: it may have done so before this one had any of
    /// them, and had no reason to mind. With `ours`, an earlier attempt of this process was found to have succeeded.
    pub(crate) fn refuse_held(
        &mut self,
        requests: &TableHandle,
        location: &Location,
        ours: bool,
    ) -> Result<(), LakeError> {
        for (partition, least) in &mut self.least {
            let stands = requests.log.txns.get(&self.ids.partition(partition)).copied();
            let Some(stands) = stands.filter(|stands| *stands > *least) else { continue };
            if ours {
                *least = stands;
                continue;
            }
            return Err(LakeError::Conflict {
                uri: location.display(REQUESTS.name),
                lineage: self.history.name(),
                partition: partition.clone(),
                expected: *least,
                found: stands,
            });
        }
        Ok(())
    }
}
