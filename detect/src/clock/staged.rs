//! What waits for its second to be complete: the records of one partition, second by second.

use std::collections::BTreeMap;

use schemas::limits::SUB_PANE_US;
use serde::{Deserialize, Serialize};

use super::merge::{counts, is_wanted};
use crate::record::event::Event;
use crate::store::table::Table;

/// Records of one second of one partition.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// In partition order.
    pub events: Vec<Event>,
    /// Records of each host that may be sampled.
    hosts: Table<u32>,
}

/// The seconds of one partition that are not complete yet, by sub-pane.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Staged(BTreeMap<i64, Bucket>);

impl Staged {
    /// Adds a record to its second; whether it may be sampled, so that its texts are wanted.
    pub fn push(&mut self, event: Event) -> bool {
        let bucket = self.0.entry(event.ts.div_euclid(SUB_PANE_US)).or_default();
        let mut wanted = false;
        if counts(&event) {
            let (before, _) = bucket.hosts.entry(event.host, || 0);
            wanted = is_wanted(&event, *before);
            *before += 1;
        }
        bucket.events.push(event);
        wanted
    }

    /// Drops what is later than the second of `limit`, µs.
    pub fn drop_after(&mut self, limit: i64) {
        self.0.split_off(&limit.div_euclid(SUB_PANE_US).saturating_add(1));
    }

    /// The oldest second, in sub-panes.
    pub fn oldest(&self) -> Option<i64> {
        self.0.keys().next().copied()
    }

    /// Removes and returns the records of one second.
    pub fn take(&mut self, sub_pane: i64) -> Option<Bucket> {
        self.0.remove(&sub_pane)
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, the oldest second first.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.0.values().flat_map(|bucket| &bucket.events)
    }

    /// Bytes held.
    pub fn state_bytes(&self) -> usize {
        let bucket_bytes = |bucket: &Bucket| {
            bucket.events.capacity() * size_of::<Event>() + bucket.hosts.state_bytes()
        };
        self.0.values().map(bucket_bytes).sum()
    }
}
