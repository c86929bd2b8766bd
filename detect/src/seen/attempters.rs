//! Those who try something in vain, by host and source: remembered for days, however seldom they come; when room is short
//! those who tried least go first.

use serde::{Deserialize, Serialize};

use crate::limits::ATTEMPTERS_MAX;
use crate::record::attribute::Facts;
use crate::record::event::{Event, flag};
use crate::seen::attempts::{Attempts, factors};
use crate::store::lendable::Lendable;

/// All sources that tried something in vain of late, by (host, source).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Attempters {
    records: Lendable<Attempts>,
    /// Records dropped for room before they were a day old.
    pub evicted: u64,
}

/// Bytes of all records at most.
pub const BYTES_MAX: usize = ATTEMPTERS_MAX * Lendable::<Attempts>::ENTRY_BYTES;

/// Seconds a record is kept without a request: two days.
const KEEP_S: i64 = 2 * 86_400;

impl Attempters {
    /// Takes in a record of a source that tries something in vain, or did so before. `is_try` tells, from the writes to an
    /// endpoint in a row that were answered alike, and from the seconds since the source's last request, whether this
    /// one was a try. Where an address may challenge, a refusal (401) that is followed by success was none: clients of
    /// NTLM, Digest and the like are refused first.
    pub fn add(
        &mut self,
        key: u64,
        event: &Event,
        facts: Facts,
        may_challenge: bool,
        is_try: impl FnOnce(u32, i64) -> bool,
    ) -> Option<&mut Attempts> {
        let now_s = event.ts.div_euclid(1_000_000);
        let opens = facts.probe
            || event.has(flag::HOSTILE)
            || facts.endpoint != 0
            || event.is_refused_read();
        let record = if opens {
            self.records.entry(key, || Attempts::new(event.source, now_s)).0
        } else {
            self.records.get_mut(key)?
        };
        record.take_in(event, facts, may_challenge, is_try);
        Some(record)
    }

    /// What a source tried, if anything.
    pub fn get(&self, key: u64) -> Option<&Attempts> {
        self.records.get(key)
    }

    /// Makes room within a second: a sweep that is forced leaves half of the records at most.
    pub fn make_room(&mut self, now_s: i64) {
        if self.records.len() >= ATTEMPTERS_MAX {
            self.sweep(now_s);
        }
    }

    /// Drops who has been away for days; when there are too many, those who tried least.
    pub fn sweep(&mut self, now_s: i64) {
        self.records.own().retain(|_, record| now_s - record.last_s <= KEEP_S);
        if self.records.len() < ATTEMPTERS_MAX {
            return;
        }
        let weight = |record: &Attempts| {
            let left = factors(now_s - record.last_s)[3];
            left * (record.paths[3] + record.tries[3] + record.refused[3] + record.hostile[3])
        };
        let mut weights: Vec<f32> =
            self.records.own().iter().map(|(_, record)| weight(record)).collect();
        let middle = weights.len() / 2;
        let cut = *weights.select_nth_unstable_by(middle, f32::total_cmp).1;
        let before = self.records.len();
        self.records.own().retain(|_, record| weight(record) > cut);
        self.evicted += (before - self.records.len()) as u64;
    }

    /// Lends the records to the next clone.
    pub fn lend(&mut self) {
        self.records.lend();
    }

    /// Bytes held.
    pub fn state_bytes(&self) -> usize {
        self.records.state_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::VAIN_PATH_WORDS;

    fn probe(at_s: i64, path: u64) -> (Event, Facts) {
        let event = Event {
            ts: at_s * 1_000_000,
            status: 404,
            path: crate::math::hash::mix(path),
            ..Event::default()
        };
        (event, Facts { probe: true, asked: event.path, ..Facts::default() })
    }

    #[test]
    fn a_path_asked_for_twice_is_one_path_and_a_thousand_are_a_thousand() {
        let mut all = Attempters::default();
        for i in 0..2_000 {
            let (event, facts) = probe(i / 100, (i / 2).unsigned_abs());
            all.add(1, &event, facts, false, |_, _| false);
        }
        let record = all.records.get(1).unwrap();
        assert!((f64::from(record.paths[3]) - 1_000.0).abs() < 60.0, "{:?}", record.paths);
        assert!((f64::from(record.probes[3]) - 2_000.0).abs() < 5.0, "{:?}", record.probes);
    }

    #[test]
    fn twice_an_hour_adds_up_in_a_day() {
        let mut all = Attempters::default();
        for i in 0..48 {
            let event = Event {
                ts: i * 1_800_000_000,
                status: 401,
                flags: flag::WRITE,
                ..Event::default()
            };
            all.add(1, &event, Facts { endpoint: 5, ..Facts::default() }, false, |_, _| true);
        }
        let tries = all.records.get(1).unwrap().tries;
        assert!(tries[3] > 24.0 && tries[1] < 2.0, "{tries:?}");
    }

    #[test]
    fn room_is_made_by_those_who_tried_least() {
        let mut all = Attempters::default();
        for i in 0..40 {
            let (event, facts) = probe(0, i);
            all.add(7, &event, facts, false, |_, _| false);
        }
        for source in 0..ATTEMPTERS_MAX as u64 {
            let (event, facts) = probe(1, 3);
            all.add(100 + source, &event, facts, false, |_, _| false);
        }
        all.sweep(2);
        assert!(all.records.len() < ATTEMPTERS_MAX && all.records.get(7).is_some());
        assert!(all.evicted > 0);
    }

    #[test]
    fn thousands_of_paths_are_counted_and_no_number_of_them_overflows() {
        let mut all = Attempters::default();
        for (many, least, most) in [(3_000, 2_700.0, 3_300.0), (200_000, 3_800.0, 5_500.0)] {
            for path in 0..many {
                let (event, facts) = probe(5, path);
                all.add(1, &event, facts, false, |_, _| false);
            }
            let record = all.records.get(1).unwrap();
            assert!((least..most).contains(&record.paths[3]), "{many}: {:?}", record.paths);
            assert_eq!(record.asked.len(), VAIN_PATH_WORDS);
        }
        assert!(all.records.get(1).unwrap().asked.iter().all(|word| *word == u64::MAX));
    }
}
