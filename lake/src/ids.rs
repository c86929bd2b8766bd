//! Application ids of the `txn` actions: how far a history has come, in the words of the Delta log.
//!
//! ```text
//! floodmark/<lineage>/<partition>   next position of that partition
//! floodmark/<lineage>/<partition>/… what goes with it: where its reading was `begun`; in `rejects` the place in `front` of
//!                                   which lines stand that were given up there; what its source keeps
//! floodmark/<lineage>/closed        event time up to which the detector has spoken, plus one
//! floodmark/<lineage>/sequence      number of the commit
//! floodmark/<lineage>/base          in `requests`: number of the checkpoint that, with what was read after it, comes to
//!                                   the detector of this commit; 0 for none; where there is no such word, the commit's own
//! floodmark/<lineage>/ahead-<table> in `requests`: that table holds findings up to this event time, less one, which
//!                                   a commit that a crash cut short has left there; 0 for no longer
//! ```
//!
//! What a scope's words say is of use while its files are scanned, and there are as many scopes as files: these transactions
//! carry the time, and a checkpoint of the log leaves them out once they are as old as
//! `delta.setTransactionRetentionDuration` says. All others never expire.
//!
//! A history with a scope has `@<scope>` behind its words (closed, sequence, base, ahead); its partitions are those of the
//! lineage. A partition name contains a slash (`topic/3`, `file/<hash>`), so it is never one of the words.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use deltalake::kernel::Transaction;

const CLOSED: &str = "closed";
const SEQUENCE: &str = "sequence";
const BASE: &str = "base";
const AHEAD: &str = "ahead-";

/// Between a word and the scope.
pub(crate) const SCOPE: char = '@';

/// Rows that follow each other: those of a consumer group, or those of a scan of some files.
///
/// The positions of the input belong to the lineage, so that no row is read twice, whoever reads it. What a detector has
/// said of it belongs to the scope: scans of other files are detectors of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    lineage: String,
    scope: Option<String>,
}

impl History {
    /// A lineage with one detector.
    pub fn of(lineage: impl Into<String>) -> Self {
        Self { lineage: lineage.into(), scope: None }
    }

    /// One of many detectors of a lineage; `scope` is letters and digits.
    pub fn scoped(lineage: impl Into<String>, scope: impl Into<String>) -> Self {
        Self { lineage: lineage.into(), scope: Some(scope.into()) }
    }

    /// Whether the lineage has other detectors.
    pub(crate) const fn is_scoped(&self) -> bool {
        self.scope.is_some()
    }

    /// Its name in messages, and that of its checkpoints.
    pub fn name(&self) -> String {
        match &self.scope {
            Some(scope) => format!("{}{SCOPE}{scope}", self.lineage),
            None => self.lineage.clone(),
        }
    }

    /// The lineage.
    pub fn lineage(&self) -> &str {
        &self.lineage
    }
}

impl From<&str> for History {
    fn from(lineage: &str) -> Self {
        Self::of(lineage)
    }
}

/// The application ids of one history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ids {
    history: History,
    prefix: String,
}

impl Ids {
    pub(crate) fn of(history: &History) -> Self {
        Self { history: history.clone(), prefix: format!("floodmark/{}/", history.lineage) }
    }

    pub(crate) fn partition(&self, partition: &str) -> String {
        format!("{}{partition}", self.prefix)
    }

    fn word(&self, word: &str) -> String {
        match &self.history.scope {
            Some(scope) => format!("{}{word}{SCOPE}{scope}", self.prefix),
            None => format!("{}{word}", self.prefix),
        }
    }

    pub(crate) fn closed(&self) -> String {
        self.word(CLOSED)
    }

    pub(crate) fn sequence(&self) -> String {
        self.word(SEQUENCE)
    }

    pub(crate) fn base(&self) -> String {
        self.word(BASE)
    }

    /// Number of the checkpoint that a history goes on from, given the transactions of `requests`; `None` where there
    /// is none.
    pub(crate) fn base_in(&self, txns: &BTreeMap<String, i64>) -> Option<i64> {
        let sequence = txns.get(&self.sequence()).copied()?;
        let base = txns.get(&self.base()).copied().unwrap_or(sequence);
        Some(base).filter(|base| *base != 0)
    }

    pub(crate) fn ahead(&self, table: &str) -> String {
        self.word(&format!("{AHEAD}{table}"))
    }

    /// The action that says it at a time. Of a word of a scope with that time, so that it may be forgotten.
    pub(crate) fn transaction(
        &self,
        app_id: &str,
        version: i64,
        now: DateTime<Utc>,
    ) -> Transaction {
        let is_word = self.partition_of(app_id).is_none();
        let made = (self.history.is_scoped() && is_word).then(|| now.timestamp_millis());
        Transaction::new_with_last_update(app_id, version, made)
    }

    /// The history.
    pub(crate) const fn history(&self) -> &History {
        &self.history
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
pub(crate) fn histories(txns: &BTreeMap<String, i64>) -> Vec<History> {
    let history = |id: &str| {
        let (lineage, word) = id.strip_prefix("floodmark/")?.rsplit_once('/')?;
        let scope = word.strip_prefix(SEQUENCE)?;
        match scope.strip_prefix(SCOPE) {
            Some(scope) => Some(History::scoped(lineage, scope)),
            None => scope.is_empty().then(|| History::of(lineage)),
        }
    };
    txns.keys().filter_map(|id| history(id)).collect()
}

/// Next position of a Kafka partition in each topic that had the name, whichever consumer group has read furthest:
/// `topic/3` and, of topics made anew, `topic/3@<id>`.
pub(crate) fn kafka_positions(txns: &BTreeMap<String, i64>, partition: &str) -> Vec<i64> {
    let topic_of = |id: &str| {
        let rest = id.strip_prefix("floodmark/run/")?;
        // No topic has the sign in its name, and no id has a slash; a group may have both.
        let (before, topic_id) = rest.rsplit_once('@').unwrap_or((rest, ""));
        let (rest, topic_id) = if topic_id.contains('/') { (rest, "") } else { (before, topic_id) };
        let lineage = rest.strip_suffix(partition)?.strip_suffix('/')?;
        // The group and the topic: `run/<group>/<topic>/<topic>/<number>`.
        lineage.ends_with(partition.rsplit_once('/')?.0).then(|| topic_id.to_owned())
    };
    let mut nexts = BTreeMap::new();
    for (id, next) in txns {
        if let Some(topic) = topic_of(id) {
            let furthest = nexts.entry(topic).or_insert(*next);
            *furthest = (*furthest).max(*next);
        }
    }
    nexts.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_those_of_one_history() {
        let ids = Ids::of(&"run/g/edge".into());
        let txns = BTreeMap::from([
            (ids.partition("edge/0"), 5),
            (ids.partition("edge/1"), 7),
            (ids.closed(), 99),
            (ids.sequence(), 3),
            (ids.ahead("incidents"), 98),
            (Ids::of(&"scan".into()).partition("file/ab"), 1),
            ("spark-stream".to_owned(), 4),
        ]);
        let expected = BTreeMap::from([("edge/0".to_owned(), 5), ("edge/1".to_owned(), 7)]);
        assert_eq!(ids.positions(&txns), expected);
    }
    #[test]
    fn scopes_share_positions_and_nothing_else() {
        let [a, b] = ["aa", "bb"].map(|scope| Ids::of(&History::scoped("scan", scope)));
        assert_eq!(a.partition("file/1"), b.partition("file/1"));
        assert_ne!(a.closed(), b.closed());
        assert_ne!(a.sequence(), b.sequence());
        assert_ne!(a.ahead("incidents"), b.ahead("incidents"));
        let txns = BTreeMap::from([
            (a.sequence(), 1),
            (a.closed(), 2),
            (a.partition("file/1"), 3),
            (Ids::of(&"run/g/edge".into()).sequence(), 4),
        ]);
        assert_eq!(a.positions(&txns), BTreeMap::from([("file/1".to_owned(), 3)]));
        assert_eq!(histories(&txns), ["run/g/edge".into(), History::scoped("scan", "aa")]);
    }

    #[test]
    fn only_what_a_scope_said_may_be_forgotten() {
        let scan = Ids::of(&History::scoped("scan", "aa"));
        let run = Ids::of(&"run/g@h/edge@home".into());
        let made =
            |ids: &Ids, app_id: &str| ids.transaction(app_id, 1, DateTime::UNIX_EPOCH).last_updated;
        for word in [scan.closed(), scan.sequence(), scan.base(), scan.ahead("incidents")] {
            assert_eq!(made(&scan, &word), Some(0), "{word}");
        }
        for kept in [scan.partition("file/1"), scan.partition("file/1/content")] {
            assert_eq!(made(&scan, &kept), None, "{kept}");
        }
        for kept in [run.closed(), run.sequence(), run.base(), run.partition("edge@home/1")] {
            assert_eq!(made(&run, &kept), None, "{kept}");
        }
    }

    #[test]
    fn a_partition_has_a_position_for_each_topic_of_the_name() {
        let ids = Ids::of(&"run/a@b/edge".into());
        let txns = BTreeMap::from([
            (ids.partition("edge/1"), 5),
            (ids.partition("edge/1/topic"), 77),
            (ids.partition("edge/1@Ab-_c"), 7),
            (ids.partition("edge/11"), 9),
            (Ids::of(&"run/g/other-edge".into()).partition("other-edge/1"), 11),
            (Ids::of(&"run/second/edge".into()).partition("edge/1"), 6),
        ]);
        assert_eq!(kafka_positions(&txns, "edge/1"), [6, 7]);
    }
}
