//! Partitions of the topic that this process is not given: others have them, or one that died a moment ago.
//!
//! A member that dies keeps its partitions for the group's session timeout. Who starts meanwhile may be given a part of
//! the topic, and the rest when that time is over: the rest is waited for, so that what was found does not depend on
//! the moment of a crash. What is still missing then is read by a member that lives.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;

/// What librdkafka takes where `session.timeout.ms` is not set.
const SESSION_TIMEOUT: Duration = Duration::from_secs(45);

/// Time for the group to settle after a member was given up.
const SETTLING: Duration = Duration::from_secs(5);

/// The partitions missing since the first assignment, until the group has had the time to hand them over.
#[derive(Debug)]
pub(super) struct Absent {
    patience: Duration,
    /// None before the first assignment.
    until: Option<Instant>,
    numbers: BTreeSet<i32>,
}

impl Absent {
    /// For a client configured so.
    pub(super) fn new(config: &ClientConfig) -> Self {
        let session = config.get("session.timeout.ms").and_then(|millis| millis.parse().ok());
        let session = session.map_or(SESSION_TIMEOUT, Duration::from_millis);
        Self { patience: session + SETTLING, until: None, numbers: BTreeSet::new() }
    }

    /// Takes note of partitions that are `assigned` to this process, of all those of the topic; which ones are waited
    /// for from now on.
    pub(super) fn assigned(&mut self, assigned: &[i32], topic: &[i32], now: Instant) -> Vec<i32> {
        if self.until.is_none() && !assigned.is_empty() {
            self.until = Some(now + self.patience);
            self.numbers = topic.iter().copied().collect();
            self.numbers.retain(|number| !assigned.contains(number));
            return self.numbers.iter().copied().collect();
        }
        self.numbers.retain(|number| !assigned.contains(number));
        Vec::new()
    }

    /// The partitions that are waited for no longer.
    pub(super) fn given_up(&mut self, now: Instant) -> Vec<i32> {
        if self.until.is_none_or(|until| now < until) {
            return Vec::new();
        }
        std::mem::take(&mut self.numbers).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: [i32; 4] = [0, 1, 2, 3];
    const NONE: [i32; 0] = [];

    fn absent() -> Absent {
        Absent::new(ClientConfig::new().set("session.timeout.ms", "1000"))
    }

    #[test]
    fn what_a_dead_member_held_is_waited_for() {
        let (mut absent, start) = (absent(), Instant::now());
        assert_eq!(absent.assigned(&[], &TOPIC, start), NONE, "in the middle of a rebalance");
        assert_eq!(absent.assigned(&[2], &TOPIC, start), [0, 1, 3]);
        assert_eq!(absent.assigned(&[0, 1], &TOPIC, start + Duration::from_secs(1)), NONE);
        assert_eq!(absent.given_up(start + Duration::from_millis(5_999)), NONE);
        assert_eq!(absent.given_up(start + Duration::from_secs(6)), [3]);
        assert_eq!(absent.given_up(start + Duration::from_secs(9)), NONE, "once");
    }

    #[test]
    fn who_is_alone_waits_for_nobody() {
        let (mut absent, start) = (absent(), Instant::now());
        assert_eq!(absent.assigned(&TOPIC, &TOPIC, start), NONE);
        assert_eq!(absent.given_up(start + Duration::from_mins(1)), NONE);
    }
}
