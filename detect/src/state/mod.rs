//! Everything a checkpoint holds.

pub(crate) mod checkpoint;
pub mod hosts;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::partition::Partition;
use crate::counters::Counters;
use crate::incident::across::{self, Campaigns};
use crate::limits::STATE_BYTES_MAX;
use crate::record::event::Event;
use crate::record::names::{self, Names};
use crate::seen::attempters::{self, Attempters};
use crate::seen::host::Normal;
use crate::seen::minutes::{self, SourceMinutes};
use crate::seen::sources::{self, Sources};
use crate::state::hosts::Hosts;
use crate::store::table::Table;

/// Bytes of the whole state at the end of a second, records that wait for their second aside.
const BYTES_MAX: usize = sources::BYTES_MAX
    + attempters::BYTES_MAX
    + minutes::BYTES_MAX
    + names::BYTES_MAX
    + hosts::BYTES_MAX
    + across::BYTES_MAX;

const _: () = assert!(BYTES_MAX <= STATE_BYTES_MAX, "the parts fit the whole");

/// Everything a checkpoint holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Event time of each partition, and what is staged.
    pub partitions: BTreeMap<String, Partition>,
    /// End of the last closed second, in seconds; `None` before the first.
    pub closed_s: Option<i64>,
    /// End of the minute whose rows come next, in seconds.
    pub window_end_s: Option<i64>,
    /// Texts of sampled records.
    pub names: Names,
    /// Number of texts after the last sweep.
    pub names_at_sweep: usize,
    /// The second of the last sweep.
    pub names_swept_s: i64,
    /// What each source has been doing on each host.
    pub sources: Sources,
    /// What sources tried in vain, by host and source.
    pub attempters: Attempters,
    /// Sources in the running minute.
    pub minutes: SourceMinutes,
    /// Hosts.
    pub hosts: Hosts,
    /// Which incidents of several hosts are one attack.
    pub campaigns: Campaigns,
    /// What was counted.
    pub counters: Counters,
}

/// Texts beyond twice those of the last sweep for which it is worth another.
const NAMES_GROWN_MIN: usize = 50_000;

/// Seconds between two sweeps: one looks at every sample there is, and who fills the texts with what is all referred to must
/// not have it done every second.
const NAMES_SWEEP_S: i64 = 10;

impl State {
    /// Lends what is large to the next clone, which is then had at once; hosts need no lending.
    pub fn lend(&mut self) {
        self.names.lend();
        self.sources.lend();
        self.attempters.lend();
        self.minutes.lend();
    }

    /// Whether the texts have grown so many that those which nothing refers to should go.
    pub fn are_names_due(&self, at_s: i64) -> bool {
        let many = self.names.len() > self.names_at_sweep * 2 + NAMES_GROWN_MIN;
        let rested = at_s >= self.names_swept_s + NAMES_SWEEP_S;
        rested && (many || self.names.is_full())
    }

    /// Forgets the texts that nothing refers to.
    pub fn sweep_names(&mut self, at_s: i64) {
        let mut live: Table<()> = Table::default();
        let mut keep = |hash: u64| {
            live.entry(hash, || ());
        };
        let event_names = |event: &Event, keep: &mut dyn FnMut(u64)| {
            for hash in
                [event.host, event.user_agent, event.path, event.query, event.ja4, event.source.0]
            {
                keep(hash);
            }
            keep(event.query_key);
            event.folders.into_iter().for_each(&mut *keep);
            keep(u64::from(event.method));
        };
        for partition in self.partitions.values() {
            partition.staged_events().for_each(|event| event_names(event, &mut keep));
        }
        for (key, target) in self.hosts.iter() {
            keep(key);
            let host = &target.host;
            let Normal { sample, slow, .. } = &host.normal;
            let sampled = host.recent.iter().chain(&sample.events).chain(&slow.sample);
            let sampled = sampled.chain(host.texts.events());
            sampled.for_each(|event| event_names(event, &mut keep));
            for open in target.cases.open.iter().chain(&target.cases.closed) {
                open.named().for_each(&mut keep);
            }
        }
        self.names.retain(&live);
        self.names_at_sweep = self.names.len();
        self.names_swept_s = at_s;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::NAMES_MAX;

    #[test]
    fn texts_that_are_all_referred_to_are_not_looked_through_every_second() {
        let mut state = State::default();
        for hash in 1..=NAMES_MAX as u64 {
            state.names.insert(hash, "x");
        }
        assert!(state.are_names_due(1_000));
        let swept = (1_000..1_060).filter(|at_s| {
            let due = state.are_names_due(*at_s);
            if due {
                state.sweep_names(*at_s);
                (1..=NAMES_MAX as u64).for_each(|hash| state.names.insert(hash, "y"));
            }
            due
        });
        assert_eq!(swept.count(), 6);
    }
}
