//! One detector of several over the same hosts, each of which sees a part of the input: those of the members of a group.

use super::{Detector, Findings};
use crate::clock::partition::Attendance;

impl Detector {
    /// Tells this detector from the others: two that find the same on a host in the same second speak of two incidents. It
    /// is not part of a checkpoint; 0 is for the only one.
    pub const fn set_life(&mut self, life: i64) {
        self.life = life;
    }

    /// Which of several detectors it is.
    pub const fn life(&self) -> i64 {
        self.life
    }

    /// Of the partitions that a checkpoint knows those that `is_kept` says are read on here. What was read of the others is still decided on;
    /// what comes of them is decided on elsewhere.
    pub fn keep_partitions(&mut self, is_kept: impl Fn(&str) -> bool) {
        let known = self.state.partitions.keys();
        let gone: Vec<String> = known.filter(|name| !is_kept(name)).cloned().collect();
        for name in gone {
            self.retire(&name, Attendance::Closed);
        }
    }

    /// The end of a detector that nobody goes on with, since its input goes to others: decides on every record that it took
    /// in, and closes its incidents, for nobody else will.
    ///
    /// - returns: the event time up to which it has spoken, µs.
    pub fn conclude(mut self, out: &mut Findings) -> i64 {
        self.finish(out);
        let now = self.closed_us();
        let names = &self.state.names;
        let open = self.state.hosts.iter().filter(|(_, target)| !target.cases.open.is_empty());
        let mut hosts: Vec<(String, u64)> =
            open.map(|(key, _)| (names.get(key).unwrap_or_default().to_owned(), key)).collect();
        hosts.sort_unstable();
        let (mut last, mut keys) = (Vec::new(), Vec::new());
        for (host, key) in hosts {
            let Some(target) = self.state.hosts.get_mut(key) else { continue };
            last.extend(target.close_all(now, Some(&host), &self.state.names));
            keys.resize(last.len(), key);
        }
        self.find_campaigns(&mut last, &keys);
        out.incidents.append(&mut last);
        now
    }
}
