//! Keeps the partitions of the input close together in event time.
//!
//! The detector decides when every partition has passed a point in time, so a partition that runs ahead only fills
//! memory: it is paused. A partition that has nothing to say must not hold the others back for ever: after a while
//! it is declared idle.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A partition this far ahead of the open pane is paused, microseconds.
const AHEAD_PAUSE_US: i64 = 10_000_000;

/// A paused partition is read again once it is this little ahead, microseconds.
const AHEAD_RESUME_US: i64 = 5_000_000;

/// A live partition without a new record for this long is idle.
const IDLE_AFTER: Duration = Duration::from_secs(10);

/// What the front knows about one partition.
#[derive(Debug, Default)]
struct Lane {
    paused: bool,
    /// Read to its end: no further record will come in this run.
    ended: bool,
    /// Live, at the newest record since then.
    quiet_since: Option<Instant>,
    idle: bool,
}

/// The open partitions and which of them wait.
#[derive(Debug, Default)]
pub struct Alignment {
    lanes: BTreeMap<Arc<str>, Lane>,
}

impl Alignment {
    /// A partition was assigned or opened.
    pub fn open(&mut self, partition: &Arc<str>) {
        self.lanes.entry(Arc::clone(partition)).or_default();
    }

    /// A partition was revoked or is finished.
    pub fn close(&mut self, partition: &str) {
        self.lanes.remove(partition);
    }

    /// Records of a partition arrived.
    pub fn saw_records(&mut self, partition: &Arc<str>) {
        let lane = self.lanes.entry(Arc::clone(partition)).or_default();
        lane.quiet_since = None;
        lane.idle = false;
    }

    /// A live partition has no newer record at `now`.
    pub fn caught_up(&mut self, partition: &Arc<str>, now: Instant) {
        let lane = self.lanes.entry(Arc::clone(partition)).or_default();
        lane.quiet_since.get_or_insert(now);
    }

    /// A partition was read to the end that this run goes to.
    pub fn ended(&mut self, partition: &Arc<str>) {
        self.lanes.entry(Arc::clone(partition)).or_default().ended = true;
    }

    /// Partitions whose pausing changes, given how far each is ahead: `(partition, paused)`.
    pub fn repause(&mut self, ahead_us: impl Fn(&str) -> i64) -> Vec<(Arc<str>, bool)> {
        let mut changes = Vec::new();
        for (partition, lane) in &mut self.lanes {
            let ahead = ahead_us(partition);
            let paused = if lane.paused { ahead > AHEAD_RESUME_US } else { ahead > AHEAD_PAUSE_US };
            if paused != lane.paused {
                lane.paused = paused;
                changes.push((Arc::clone(partition), paused));
            }
        }
        changes
    }

    /// Whether some wait and none is read: the detector must go on without a further record.
    pub fn is_stuck(&self) -> bool {
        let waits = self.lanes.values().any(|lane| lane.paused);
        waits && self.lanes.values().all(|lane| lane.paused || lane.ended || lane.idle)
    }

    /// Partitions that become idle at `now`: quiet for long, or read to their end while all others wait for them.
    pub fn newly_idle(&mut self, now: Instant) -> Vec<Arc<str>> {
        let stuck = self.is_stuck();
        let mut idle = Vec::new();
        for (partition, lane) in self.lanes.iter_mut().filter(|(_, lane)| !lane.idle) {
            let quiet = lane.quiet_since.is_some_and(|since| now - since >= IDLE_AFTER);
            if quiet || (stuck && lane.ended && !lane.paused) {
                lane.idle = true;
                idle.push(Arc::clone(partition));
            }
        }
        idle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes(names: &[&str]) -> (Alignment, Vec<Arc<str>>) {
        let names: Vec<Arc<str>> = names.iter().map(|name| Arc::from(*name)).collect();
        let mut alignment = Alignment::default();
        for name in &names {
            alignment.open(name);
        }
        (alignment, names)
    }

    #[test]
    fn a_partition_far_ahead_waits_until_it_is_close_again() {
        let (mut alignment, names) = lanes(&["t/0", "t/1"]);
        let ahead = |us| move |partition: &str| if partition == "t/1" { us } else { 0 };
        assert_eq!(alignment.repause(ahead(10_000_001)), [(Arc::clone(&names[1]), true)]);
        assert!(!alignment.is_stuck(), "the other is read");
        assert_eq!(alignment.repause(ahead(6_000_000)), []);
        assert_eq!(alignment.repause(ahead(5_000_000)), [(Arc::clone(&names[1]), false)]);
    }

    #[test]
    fn a_live_partition_is_idle_after_ten_quiet_seconds() {
        let (mut alignment, names) = lanes(&["t/0"]);
        let start = Instant::now();
        alignment.caught_up(&names[0], start);
        assert_eq!(alignment.newly_idle(start + Duration::from_secs(9)), []);
        alignment.caught_up(&names[0], start + Duration::from_secs(9));
        assert_eq!(alignment.newly_idle(start + Duration::from_secs(10)), [Arc::clone(&names[0])]);
        assert_eq!(alignment.newly_idle(start + Duration::from_secs(11)), []);
    }

    #[test]
    fn where_all_wait_nothing_more_is_read() {
        let (mut alignment, _) = lanes(&["t/0", "t/1"]);
        assert!(!alignment.is_stuck());
        alignment.repause(|_| i64::MAX);
        assert!(alignment.is_stuck());
    }

    #[test]
    fn an_ended_partition_yields_only_to_others_that_wait() {
        let (mut alignment, names) = lanes(&["t/0", "t/1"]);
        alignment.ended(&names[0]);
        assert_eq!(alignment.newly_idle(Instant::now()), []);
        alignment.repause(|partition| if partition == "t/1" { i64::MAX } else { 0 });
        assert_eq!(alignment.newly_idle(Instant::now()), [Arc::clone(&names[0])]);
    }
}
