//! Event time of one partition: which records are believed, which are late, and what is staged.
//!
//! Every decision here depends on the order of this partition's records alone, so that neither the cutting of
//! batches nor the interleaving of partitions can change it.

use std::collections::BTreeMap;

use schemas::limits::SUB_PANE_US;
use serde::{Deserialize, Serialize};

use crate::clock::merge::is_wanted;
use crate::limits::{JUMP_CONFIRMATIONS, JUMP_US_MAX};
use crate::record::event::{Event, flag};
use crate::store::table::Table;

/// Records of one second of one partition.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// In partition order.
    pub events: Vec<Event>,
    /// Records of each host that may be sampled.
    hosts: Table<u32>,
}

/// How a partition takes part in the watermark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Attendance {
    /// Holds the minimum back.
    Active,
    /// At the end of its input for a while: does not hold the minimum back until its next record.
    Idle,
    /// Finished or revoked: what it staged is still due.
    Closed,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Admitted {
    /// Records staged, the late ones included.
    pub staged: u64,
    /// Records too late to be decided on.
    pub late: u64,
    /// Records whose time was moved up to the partition's watermark.
    pub delayed: u64,
    /// Records whose time was not believed.
    pub implausible: u64,
    /// The texts of the record are wanted: it is part of the sample, or held back.
    pub wanted: bool,
}

/// Times a partition allows itself, µs.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    /// The watermark stays this far behind the newest record.
    pub bound_us: i64,
    /// A record at most this far behind the watermark counts at the watermark instead of being late.
    pub grace_us: i64,
}

/// State of one partition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Partition {
    /// How it takes part in the watermark.
    pub attendance: Attendance,
    newest: Option<i64>,
    held: Vec<Event>,
    staged: BTreeMap<i64, Bucket>,
}

impl Default for Partition {
    fn default() -> Self {
        Self {
            attendance: Attendance::Active,
            newest: None,
            held: Vec::new(),
            staged: BTreeMap::new(),
        }
    }
}

impl Partition {
    /// Newest believed time.
    pub const fn newest(&self) -> Option<i64> {
        self.newest
    }

    /// Nothing at or before this time will be decided on any more.
    pub fn watermark(&self, allowance: Allowance) -> Option<i64> {
        self.newest.map(|newest| newest.saturating_sub(allowance.bound_us))
    }

    /// Takes a record in, in order. `floor` is the end of the last closed sub-pane.
    pub fn admit(&mut self, event: Event, allowance: Allowance, floor: i64) -> Admitted {
        let mut admitted = Admitted::default();
        if !self.held.is_empty() {
            let before = self.held.len();
            self.held.retain(|held| held.ts <= event.ts.saturating_add(JUMP_US_MAX));
            admitted.implausible = (before - self.held.len()) as u64;
        }
        if self.newest.is_some_and(|newest| event.ts <= newest.saturating_add(JUMP_US_MAX)) {
            self.stage(event, allowance, floor, &mut admitted);
            return admitted;
        }
        self.held.push(event);
        admitted.wanted = true;
        if self.held.len() >= JUMP_CONFIRMATIONS {
            self.believe_held(allowance, floor, &mut admitted);
        }
        admitted
    }

    /// No further record will speak for or against those held back: they are believed.
    pub fn release(&mut self, allowance: Allowance, floor: i64) -> Admitted {
        let mut admitted = Admitted::default();
        self.believe_held(allowance, floor, &mut admitted);
        admitted
    }

    fn believe_held(&mut self, allowance: Allowance, floor: i64, admitted: &mut Admitted) {
        for event in std::mem::take(&mut self.held) {
            self.stage(event, allowance, floor, admitted);
        }
    }

    fn stage(
        &mut self,
        mut event: Event,
        allowance: Allowance,
        floor: i64,
        admitted: &mut Admitted,
    ) {
        let newest = self.newest.map_or(event.ts, |newest| newest.max(event.ts));
        self.newest = Some(newest);
        let watermark = newest.saturating_sub(allowance.bound_us);
        let earliest = (watermark - watermark.rem_euclid(SUB_PANE_US)).max(floor);
        if event.ts < earliest {
            if event.ts < earliest.saturating_sub(allowance.grace_us) {
                event.flags |= flag::LATE;
                admitted.late += 1;
            } else {
                admitted.delayed += 1;
            }
            event.ts = earliest;
        }
        admitted.staged += 1;
        let bucket = self.staged.entry(event.ts.div_euclid(SUB_PANE_US)).or_default();
        if event.flags & (flag::LATE | flag::EXEMPT) == 0 {
            let (before, _) = bucket.hosts.entry(event.host, || 0);
            admitted.wanted |= is_wanted(&event, *before);
            *before += 1;
        }
        bucket.events.push(event);
    }

    /// Start of the oldest staged second, in sub-panes.
    pub fn oldest_staged(&self) -> Option<i64> {
        self.staged.keys().next().copied()
    }

    /// Removes and returns the records of one second.
    pub fn take(&mut self, sub_pane: i64) -> Option<Bucket> {
        self.staged.remove(&sub_pane)
    }

    /// Whether nothing is staged or held back.
    pub fn is_drained(&self) -> bool {
        self.staged.is_empty() && self.held.is_empty()
    }

    /// Hashes of the staged texts.
    pub fn staged_events(&self) -> impl Iterator<Item = &Event> {
        self.staged.values().flat_map(|bucket| &bucket.events).chain(&self.held)
    }

    /// Bytes held.
    pub fn state_bytes(&self) -> usize {
        let staged: usize = self
            .staged
            .values()
            .map(|bucket| {
                bucket.events.capacity() * size_of::<Event>() + bucket.hosts.state_bytes()
            })
            .sum();
        staged + self.held.capacity() * size_of::<Event>()
    }
}
