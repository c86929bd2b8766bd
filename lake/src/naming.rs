//! The files of the other tables, which a commit names after that of `requests`: what is to be named, and what a process
//! has left unnamed.

use crate::checkpoint::{Checkpoints, Files};
use crate::commit::TableHandle;
use crate::error::LakeError;
use crate::ids::Ids;
use crate::lake::{Lake, SIDE_TABLES};
use crate::progress::transactions;
use schemas::tables::REQUESTS;

impl Lake {
    /// The files of the other tables that the next commit names.
    pub(crate) fn unnamed(&self) -> Files {
        let handles = SIDE_TABLES.iter().filter_map(|table| self.tables.get(table.name));
        handles
            .map(|handle| (handle.table.name.to_owned(), handle.writer.pending().adds))
            .filter(|(_, adds)| !adds.is_empty())
            .collect()
    }

    /// Names the files of the other tables that a process has left unnamed which died after its commit of `requests`.
    pub(crate) async fn complete(&mut self, ids: &Ids) -> Result<(), LakeError> {
        let sequence = ids.sequence();
        let requests = self.tables.get(REQUESTS.name);
        let Some(confirmed) = requests.and_then(|table| table.log.txns.get(&sequence)).copied()
        else {
            return Ok(());
        };
        let is_behind = |table: &TableHandle| table.log.txns.get(&sequence) < Some(&confirmed);
        if !self.tables.values().any(is_behind) {
            return Ok(());
        }
        let found = Checkpoints::of(&self.location, ids.history())?.outline(confirmed).await?;
        let Some(mut checkpoint) = found else { return Ok(()) };
        for (name, adds) in std::mem::take(&mut checkpoint.files) {
            let handle = self.tables.get_mut(name.as_str()).filter(|handle| is_behind(handle));
            let Some(handle) = handle else { continue };
            let adds = handle.there(&self.location, adds).await?;
            // An attempt that failed may have left them there.
            handle.writer.clear();
            handle.writer.adopt(adds);
            let txns = transactions(ids, &checkpoint, handle.table, &handle.log.txns);
            handle.commit(&self.location, ids, &txns, false).await?;
        }
        Ok(())
    }
}
