//! What was counted since the first start: losses are never silent.

use serde::{Deserialize, Serialize};

/// Times that the evidence of a test of a host reached what an alarm needs. Few of them become incidents: something must
/// select the excess, and it must be anybody's harm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarms {
    /// Against the rate.
    pub rate: u64,
    /// Against an attribute of a pane or a minute.
    pub votes: u64,
}

impl std::ops::AddAssign for Alarms {
    fn add_assign(&mut self, other: Self) {
        self.rate += other.rate;
        self.votes += other.votes;
    }
}

/// What was counted since the first start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Records taken in.
    pub records: u64,
    /// Records too late to be decided on.
    pub late: u64,
    /// Records moved up to their partition's watermark.
    pub delayed: u64,
    /// Records whose time was not believed, and that were not judged.
    pub implausible: u64,
    /// Records judged at another time than they name: their clock is a whole number of quarter-hours off.
    pub corrected: u64,
    /// Records of sources that are never judged.
    pub exempt: u64,
    /// Records held back until others confirm their time.
    pub held: u64,
    /// Source records given up for room, before they were idle for an hour.
    pub evicted_sources: u64,
    /// Sources that tried something in vain and were forgotten for room.
    pub evicted_attempters: u64,
    /// Sources whose counts of a minute, or whose histograms, were given up for room.
    pub refused_window_sources: u64,
    /// Incidents that later ones were no longer compared with, for room.
    pub evicted_campaign_incidents: u64,
    /// Hosts that made room for others.
    pub evicted_hosts: u64,
    /// Records of hosts that are not admitted, counted together.
    pub overflow_hosts: u64,
    /// Seconds closed.
    pub sub_panes: u64,
    /// Times that evidence reached what an alarm needs.
    pub alarms: Alarms,
    /// Incidents opened.
    pub incidents: u64,
}
