//! How far a history has come: what a table holds of it, how a commit moves it on.

use std::collections::BTreeMap;

use schemas::Table;
use schemas::tables::{REJECTS, REQUESTS};

use crate::checkpoint::Checkpoint;
use crate::ids::Ids;
use crate::point::RowKey;

/// What a table held of a history when it was begun.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) positions: BTreeMap<String, i64>,
    /// Rows up to this event time are in the table although `requests` does not know their commit.
    pub(crate) closed_us: Option<i64>,
}

impl Held {
    /// The first key of a row that the table does not hold yet; `None` when it may lack any.
    pub(crate) fn first_new(&self, key: RowKey<'_>) -> Option<i64> {
        match key {
            RowKey::Partition(partition) => self.positions.get(partition).copied(),
            RowKey::Closed => self.closed_us.map(|closed| closed.saturating_add(1)),
        }
    }
}

/// The partition that `name` marks, when it is a mark of one of `positions` (see [`CommitPoint::positions`]).
fn marked<'a>(name: &'a str, positions: &BTreeMap<String, i64>) -> Option<&'a str> {
    let (partition, _) = name.rsplit_once('/')?;
    positions.contains_key(partition).then_some(partition)
}

/// Moves `positions` on to `given`. A partition never goes back: what is given may be older than what another process
/// has committed since. A mark has no order and goes with its partition.
pub(crate) fn advance(positions: &mut BTreeMap<String, i64>, given: &BTreeMap<String, i64>) {
    let before = positions.clone();
    for (name, next) in given {
        if !is_behind(marked(name, given).unwrap_or(name), given, &before) {
            positions.insert(name.clone(), *next);
        }
    }
}

/// Whether `name` is a partition, no mark, whose position in `given` is less than in `known`.
pub(crate) fn is_behind(
    name: &str,
    given: &BTreeMap<String, i64>,
    known: &BTreeMap<String, i64>,
) -> bool {
    marked(name, given).is_none() && given.get(name) < known.get(name)
}

/// Name of the mark that says where a partition was begun.
pub(crate) fn begun(partition: &str) -> String {
    format!("{partition}/begun")
}

/// Name of the mark of the place in front of which lines stand in the table that were given up there.
pub(crate) fn front(partition: &str) -> String {
    format!("{partition}/front")
}

/// What a detector at positions `seen` has not seen of what the tables hold: by partition, from where to where. `None` where
/// it has seen more than they hold, or a partition of which nobody knows where it was begun.
pub(crate) fn missed(
    seen: &BTreeMap<String, i64>,
    held: &BTreeMap<String, i64>,
) -> Option<BTreeMap<String, (i64, i64)>> {
    let is_known = |(name, next): (&String, &i64)| {
        held.get(name).is_some_and(|stands| marked(name, seen).is_some() || stands >= next)
    };
    if !seen.iter().all(is_known) {
        return None;
    }
    let partitions = held.iter().filter(|(name, _)| marked(name, held).is_none());
    let mut missed = BTreeMap::new();
    for (partition, stands) in partitions {
        let next = seen.get(partition).or_else(|| held.get(&begun(partition)))?;
        if next < stands {
            missed.insert(partition.clone(), (*next, *stands));
        }
    }
    Some(missed)
}

/// The transactions that a commit of `table` carries, given those that its log has.
pub(crate) fn transactions(
    ids: &Ids,
    checkpoint: &Checkpoint,
    table: &Table,
    known: &BTreeMap<String, i64>,
) -> BTreeMap<String, i64> {
    let mut txns = BTreeMap::from([
        (ids.sequence(), checkpoint.sequence),
        (ids.closed(), checkpoint.closed_us.saturating_add(1)),
    ]);
    let is_news = |app_id: &String, partition: &str, next: i64| {
        let known = known.get(app_id).copied();
        match table.name {
            name if name == REQUESTS.name => known != Some(next),
            // What `rejects` holds beyond `requests` since a crash must not be forgotten.
            name if name == REJECTS.name => {
                marked(partition, &checkpoint.positions).is_none() && known < Some(next)
            }
            _ => false,
        }
    };
    for (partition, next) in &checkpoint.positions {
        let app_id = ids.partition(partition);
        if is_news(&app_id, partition, *next) {
            txns.insert(app_id, *next);
        }
    }
    txns
}

/// What a commit of `requests` says about tables that crashes left ahead of it: still so, or no longer. Else the next
/// process would take a commit that reaches less far than the lost one for all there is.
pub(crate) fn leads<'a>(
    ids: &'a Ids,
    checkpoint: &Checkpoint,
    held: &'a BTreeMap<&'static str, Held>,
) -> impl Iterator<Item = (String, i64)> + 'a {
    let reached = checkpoint.closed_us;
    held.iter().filter_map(move |(table, held)| {
        let closed = held.closed_us?;
        Some((ids.ahead(table), if closed > reached { closed.saturating_add(1) } else { 0 }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, i64)]) -> BTreeMap<String, i64> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
    }

    #[test]
    fn what_was_not_seen_is_between_two_positions_or_from_the_beginning() {
        let held = map(&[("t/0", 7), ("t/0/topic", 5), ("t/1", 9), ("t/1/begun", 4), ("t/2", 3)]);
        let seen = |pairs: &[(&str, i64)]| missed(&map(pairs), &held);
        let all = map(&[("t/0", 7), ("t/1", 9), ("t/2", 3)]);
        assert_eq!(missed(&all, &held), Some(BTreeMap::new()));
        let expected = [("t/0", (2, 7)), ("t/1", (4, 9))].map(|(name, gap)| (name.to_owned(), gap));
        assert_eq!(seen(&[("t/0", 2), ("t/2", 3)]), Some(BTreeMap::from(expected)));
        assert_eq!(seen(&[("t/0", 7), ("t/1", 9)]), None, "nobody knows where t/2 was begun");
        assert_eq!(seen(&[("t/0", 8), ("t/1", 9), ("t/2", 3)]), None, "more than there is");
    }

    #[test]
    fn partitions_go_forward_and_marks_go_with_them() {
        let mut positions = map(&[("file/a", 5), ("file/a/content", 900), ("t/0", 7), ("t/1", 1)]);
        advance(&mut positions, &map(&[("file/a", 6), ("file/a/content", 30), ("t/0", 4)]));
        let expected = [("file/a", 6), ("file/a/content", 30), ("t/0", 7), ("t/1", 1)];
        assert_eq!(positions, map(&expected));
        // A stale partition leaves its mark as it is, too.
        advance(&mut positions, &map(&[("file/a", 2), ("file/a/content", 77), ("t/2", 3)]));
        let expected = [("file/a", 6), ("file/a/content", 30), ("t/0", 7), ("t/1", 1), ("t/2", 3)];
        assert_eq!(positions, map(&expected));
    }
}
