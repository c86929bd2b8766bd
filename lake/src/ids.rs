//! Application ids of the `txn` actions: how far a history has come, in the words of the Delta log.
//!
//! ```text
//! floodmark/<lineage>/<partition>   next position of that partition
//! floodmark/<lineage>/closed        event time up to which the detector has spoken, plus one
//! floodmark/<lineage>/sequence      number of the commit; the checkpoint of the same number belongs to it
//! floodmark/<lineage>/ahead-<table> in `requests`: that table holds findings up to this event time, less one, which
//!                                   a commit that a crash cut short has left there; 0 for no longer
//! ```
//!
//! A partition name contains a slash (`topic/3`, `file/<hash>`), so it is never one of the words.

use std::collections::BTreeMap;

const CLOSED: &str = "closed";
const SEQUENCE: &str = "sequence";
const AHEAD: &str = "ahead-";

/// The application ids of one history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ids {
    lineage: String,
    prefix: String,
}

impl Ids {
    pub(crate) fn of(lineage: &str) -> Self {
        Self { lineage: lineage.to_owned(), prefix: format!("floodmark/{lineage}/") }
    }

    pub(crate) fn partition(&self, partition: &str) -> String {
        format!("{}{partition}", self.prefix)
    }

    pub(crate) fn closed(&self) -> String {
        self.partition(CLOSED)
    }

    pub(crate) fn sequence(&self) -> String {
        self.partition(SEQUENCE)
    }

    pub(crate) fn ahead(&self, table: &str) -> String {
        format!("{}{AHEAD}{table}", self.prefix)
    }

    /// The history.
    pub(crate) fn lineage(&self) -> &str {
        &self.lineage
    }

    /// The partition that an application id of this history stands for.
    pub(crate) fn partition_of<'a>(&self, app_id: &'a str) -> Option<&'a str> {
        app_id.strip_prefix(&self.prefix).filter(|partition| partition.contains('/'))
    }

    /// Positions of this history among all transactions of a table.
    pub(crate) fn positions(&self, txns: &BTreeMap<String, i64>) -> BTreeMap<String, i64> {
        txns.range(self.prefix.clone()..)
            .take_while(|(app_id, _)| app_id.starts_with(&self.prefix))
            .filter_map(|(app_id, next)| Some((self.partition_of(app_id)?.to_owned(), *next)))
            .collect()
    }
}

/// Histories that have committed, among all transactions of a table.
pub(crate) fn lineages(txns: &BTreeMap<String, i64>) -> Vec<String> {
    let sequences =
        txns.keys().filter_map(|id| id.strip_prefix("floodmark/")?.strip_suffix(SEQUENCE));
    sequences.filter_map(|lineage| lineage.strip_suffix('/')).map(str::to_owned).collect()
}

/// Next position of a Kafka partition, by each history of a consumer group that has read it.
pub(crate) fn kafka_positions(
    txns: &BTreeMap<String, i64>,
    partition: &str,
) -> impl Iterator<Item = i64> {
    let of = move |id: &str| {
        let rest = id.strip_prefix("floodmark/run/")?;
        let lineage = rest.strip_suffix(partition)?.strip_suffix('/')?;
        // The group and the topic: `run/<group>/<topic>/<topic>/<number>`.
        lineage.ends_with(partition.rsplit_once('/')?.0).then_some(())
    };
    txns.iter().filter_map(move |(id, next)| of(id).map(|()| *next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_those_of_one_history() {
        let ids = Ids::of("run/g/edge");
        let txns = BTreeMap::from([
            (ids.partition("edge/0"), 5),
            (ids.partition("edge/1"), 7),
            (ids.closed(), 99),
            (ids.sequence(), 3),
            (ids.ahead("incidents"), 98),
            (Ids::of("scan").partition("file/ab"), 1),
            ("spark-stream".to_owned(), 4),
        ]);
        let expected = BTreeMap::from([("edge/0".to_owned(), 5), ("edge/1".to_owned(), 7)]);
        assert_eq!(ids.positions(&txns), expected);
    }
}
