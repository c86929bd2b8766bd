//! Counts per hashed value, bounded.

use schemas::window::Entropies;
use serde::{Deserialize, Serialize};

use crate::limits::HISTOGRAM_VALUES_MAX;
use crate::math::entropy::{entropy_h2, miller_madow};
use crate::store::table::Table;

/// Requests per distinct value. Beyond [`HISTOGRAM_VALUES_MAX`] values, a new one is counted with an old one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    counts: Table<u64>,
}

impl Histogram {
    /// Counts one request with this value.
    pub fn add(&mut self, value: u64) {
        self.add_within(value, &mut { usize::MAX });
    }

    /// Counts one request; a new value takes of the `room`, and is counted with an old one where there is none.
    pub fn add_within(&mut self, value: u64, room: &mut usize) {
        let known = self.counts.len();
        let full = known >= HISTOGRAM_VALUES_MAX || *room == 0 && known > 0;
        if full && self.counts.get(value).is_none() {
            #[expect(clippy::cast_possible_truncation, reason = "chooses a slot")]
            if let Some(count) = self.counts.at_mut(value as usize % known) {
                *count += 1;
            }
            return;
        }
        let (count, new) = self.counts.entry(value, || 0);
        *count += 1;
        *room = room.saturating_sub(usize::from(new));
    }

    /// Distinct values, at most [`HISTOGRAM_VALUES_MAX`].
    pub fn distinct(&self) -> i64 {
        i64::try_from(self.counts.len()).unwrap_or(i64::MAX)
    }

    /// The same.
    pub const fn len(&self) -> usize {
        self.counts.len()
    }

    /// Both entropies, if at least `requests_min` requests were counted.
    pub fn entropies(&self, requests_min: u64) -> Entropies {
        let counts: Vec<u64> = self.counts.iter().map(|(_, count)| *count).collect();
        if counts.iter().sum::<u64>() < requests_min.max(1) {
            return Entropies::default();
        }
        Entropies { h1: miller_madow(&counts).ok(), h2: entropy_h2(&counts).ok() }
    }

    /// Forgets the counts, keeps the memory.
    pub fn clear(&mut self) {
        self.counts.clear();
    }

    /// Bytes held.
    #[cfg(test)]
    pub const fn state_bytes(&self) -> usize {
        self.counts.state_bytes()
    }

    /// Bytes held at most, by what it counts.
    pub const fn weight(&self) -> usize {
        self.counts.weight()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::hash::mix;

    #[test]
    fn a_full_histogram_counts_every_request_and_still_tells_one_value_from_many() {
        let mut histogram = Histogram::default();
        let many = 4 * HISTOGRAM_VALUES_MAX as u64;
        (0..many).for_each(|value| histogram.add(mix(value)));
        let spread = histogram.entropies(1);
        assert_eq!(histogram.len(), HISTOGRAM_VALUES_MAX);
        assert!(spread.h2.is_some_and(|bits| bits > 15.0), "{spread:?}");
        assert!(histogram.weight() <= HISTOGRAM_VALUES_MAX * Table::<u64>::ENTRY_BYTES);
        // what is flooded now, a value never seen before, shows all the same
        (0..4 * many).for_each(|_| histogram.add(1));
        let counts: Vec<u64> = histogram.counts.iter().map(|(_, count)| *count).collect();
        assert_eq!(counts.iter().sum::<u64>(), 5 * many);
        assert!(histogram.entropies(1).h2.is_some_and(|bits| bits < 1.0));
    }
}
