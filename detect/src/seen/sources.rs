//! All (host, source) records of the last hour.

use serde::{Deserialize, Serialize};

use crate::limits::SOURCES_MAX;
use crate::normal::population::{Glance, Population};
use crate::record::event::{Event, flag};
use crate::seen::source_record::{Decay, SourceRecord};
use crate::store::lendable::Lendable;

/// All (host, source) records.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sources {
    records: Lendable<SourceRecord>,
    next_sweep_s: i64,
    /// Records dropped for room.
    pub evicted: u64,
}

/// Bytes of all records at most.
pub const BYTES_MAX: usize = SOURCES_MAX * Lendable::<SourceRecord>::ENTRY_BYTES;

/// A source is looked at for the population's quantiles once in this time, seconds.
const LOOK_EVERY_S: i64 = 30;

/// Seconds without a request after which a record may go.
const IDLE_S: i64 = 3_600;

impl Sources {
    /// Takes an event in; the record of its source, and whether that begins with it.
    pub fn add(
        &mut self,
        key: u64,
        event: &Event,
        population: &mut Population,
        decay: &Decay,
    ) -> (&mut SourceRecord, bool) {
        let now_s = event.ts.div_euclid(1_000_000);
        let (record, is_new) = self.records.entry(key, || SourceRecord::new(event));
        let idle = now_s - record.last_s;
        if idle > 0 {
            // A busy source counts no more often than an idle one: else it would lift what is held to be ordinary. Who is
            // under suspicion counts not at all.
            let due = now_s.div_euclid(LOOK_EVERY_S) != record.last_s.div_euclid(LOOK_EVERY_S)
                && !event.has(flag::EXPLAINED);
            if due && record.reported == 0 && !record.is_shared(population.loads_assets()) {
                population.look(&Glance::of(record));
            }
            record.decay(decay.by(idle));
            record.last_s = now_s;
        }
        record.add(event);
        (record, is_new)
    }

    /// The record of a key.
    pub fn get(&self, key: u64) -> Option<&SourceRecord> {
        self.records.get(key)
    }

    /// Makes room within a second: first those who are idle go, then those who asked once, then all.
    pub fn make_room(&mut self, now_s: i64) {
        if self.records.len() < SOURCES_MAX {
            return;
        }
        self.sweep(now_s);
        for all_min in [1.5, f32::INFINITY] {
            let before = self.records.len();
            if before >= SOURCES_MAX / 4 * 3 {
                self.records.own().retain(|_, record| record.all_10 >= all_min);
            }
            self.evicted += (before - self.records.len()) as u64;
        }
    }

    /// Drops idle records once a while, and the least recent ones when there are too many; whether it looked.
    pub fn sweep(&mut self, now_s: i64) -> bool {
        if now_s < self.next_sweep_s && self.records.len() < SOURCES_MAX {
            return false;
        }
        self.next_sweep_s = now_s + 300;
        let mut idle = IDLE_S;
        loop {
            let before = self.records.len();
            self.records.own().retain(|_, record| now_s - record.last_s <= idle);
            if idle < IDLE_S {
                self.evicted += (before - self.records.len()) as u64;
            }
            if self.records.len() < SOURCES_MAX / 4 * 3 || idle == 0 {
                return true;
            }
            idle = if idle > 60 { idle / 6 } else { 0 };
        }
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

impl Glance {
    fn of(record: &SourceRecord) -> Self {
        Self {
            all_10: record.all_10,
            pages_10: record.pages_10,
            pages_60: record.pages_60,
            assets_60: record.assets_60,
            megabytes_60: record.megabytes_60,
            seconds_60: record.seconds_60,
            reads_bare: record.is_bare() && !record.is_declared(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::source::Source;

    #[test]
    fn sources_of_one_second_have_bounded_room() {
        let (mut sources, mut population) = (Sources::default(), Population::default());
        let decay = Decay::default();
        let mut add = |sources: &mut Sources, source: u32| {
            let event = Event { source: Source::v4(source), ..Event::default() };
            sources.add(u64::from(source) + 1, &event, &mut population, &decay);
        };
        (0..5_000_000).for_each(|i| {
            sources.make_room(0);
            if i % 2 == 0 { add(&mut sources, i % 14) } else { add(&mut sources, 100 + i) }
        });
        assert!(sources.records.len() <= SOURCES_MAX && sources.evicted > 0);
        assert!(sources.get(1).is_some(), "who asks again and again stays");
    }
}
