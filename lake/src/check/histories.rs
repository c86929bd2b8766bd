//! The state that each history continues from.

use std::collections::BTreeMap;

use schemas::tables::REQUESTS;

use super::Checked;
use crate::checkpoint::Checkpoints;
use crate::error::LakeError;
use crate::ids::{Ids, histories};
use crate::location::Location;

/// Reads the detector's checkpoint of each history of a consumer group.
pub(super) async fn judge(
    location: &Location,
    txns: &BTreeMap<String, i64>,
    checked: &mut Checked,
) -> Result<(), LakeError> {
    for history in histories(txns) {
        let ids = Ids::of(&history);
        let lineage = history.name();
        let checkpoints = Checkpoints::of(location, &history)?;
        if checkpoints.sequences().await?.is_empty() {
            // A file that was read to its end needs none.
            if !history.is_scoped() {
                checked.notes.push(format!(
                    "`{lineage}` has no state of the detector: it starts anew, from what the tables hold"
                ));
            }
            continue;
        }
        let Some(sequence) = ids.base_in(txns) else {
            checked.notes.push(format!(
                "`{lineage}` was written by several members of a group: who starts alone learns from what the tables hold"
            ));
            continue;
        };
        match checkpoints.read(sequence).await? {
            Ok(checkpoint) if checkpoint.is_of(&ids, txns) => {}
            Ok(_) => checked.notes.push(format!(
                "`{lineage}`: the state of the detector is of other positions than the tables: it starts anew, from \
                 what they hold"
            )),
            Err(reason) => checked.fault(
                &REQUESTS,
                format!("the state of the detector of `{lineage}`, number {sequence}, cannot be used: {reason}"),
            ),
        }
    }
    Ok(())
}
