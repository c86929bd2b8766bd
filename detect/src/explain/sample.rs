//! Samples of records, borrowed, each record with the number of requests it stands for; and sets of them as bits.

use crate::math::hash::mix;
use crate::record::event::Event;

/// Borrowed records and their weights.
///
/// Weights come in runs, since the records of one second share theirs: a weighted count is a few counts of bits.
#[derive(Debug, Clone)]
pub struct Sample<'a> {
    events: Vec<&'a Event>,
    /// Ends of runs of one weight.
    runs: Vec<(usize, f64)>,
    total: f64,
    mean: f64,
    design: f64,
}

impl<'a> Sample<'a> {
    /// Records that stand for `weight` requests each.
    pub fn even(events: impl IntoIterator<Item = &'a Event>, weight: f64) -> Self {
        let sample = Self::weighted(events, |_| weight);
        // the weight of a record that is not there is the same
        Self { mean: weight, design: weight, ..sample }
    }

    /// Records that stand for `weight(record)` requests each, above 0.
    #[expect(clippy::cast_precision_loss, reason = "sizes of samples")]
    pub fn weighted(
        events: impl IntoIterator<Item = &'a Event>,
        weight: impl Fn(&Event) -> f64,
    ) -> Self {
        let events: Vec<&Event> = events.into_iter().collect();
        let mut runs: Vec<(usize, f64)> = Vec::new();
        let (mut total, mut squares) = (0.0, 0.0);
        for (at, event) in events.iter().enumerate() {
            let weight = weight(event);
            total += weight;
            squares += weight * weight;
            match runs.last_mut() {
                Some((end, last)) if last.to_bits() == weight.to_bits() => *end = at + 1,
                _ => runs.push((at + 1, weight)),
            }
        }
        let (mean, design) =
            if total > 0.0 { (total / events.len() as f64, squares / total) } else { (1.0, 1.0) };
        Self { events, runs, total, mean, design }
    }

    /// Records.
    pub fn iter(&self) -> impl Iterator<Item = &'a Event> {
        self.events.iter().copied()
    }

    /// Records with their weights.
    pub fn entries(&self) -> impl Iterator<Item = (&'a Event, f64)> {
        let mut start = 0;
        self.runs.iter().flat_map(move |(end, weight)| {
            let run = self.events.get(start..*end).unwrap_or_default();
            start = *end;
            run.iter().map(|event| (*event, *weight))
        })
    }

    /// Number of records.
    pub const fn len(&self) -> usize {
        self.events.len()
    }

    /// Requests that the records stand for.
    pub const fn total(&self) -> f64 {
        self.total
    }

    /// Requests that one record stands for on average.
    pub const fn mean(&self) -> f64 {
        self.mean
    }

    /// Requests that are worth one independent record: Σw² / Σw. A sum of weights divided by it is the number of
    /// records of equal weight that would be as certain (Kish 1965, *Survey Sampling*, 11.7).
    pub const fn design(&self) -> f64 {
        self.design
    }

    /// Requests of the records that `select` accepts.
    pub fn weigh(&self, select: impl Fn(&Event) -> bool) -> f64 {
        // a sum of nothing would be -0
        self.entries().filter(|(event, _)| select(event)).fold(0.0, |sum, (_, weight)| sum + weight)
    }

    /// Requests of a set of the records.
    pub fn weigh_bits(&self, bits: &Bits) -> f64 {
        let mut start = 0;
        let mut sum = 0.0;
        for (end, weight) in &self.runs {
            sum += weight * f64::from(bits.count(start, *end));
            start = *end;
        }
        sum
    }

    /// Requests of what is in both of two sets of the records.
    pub fn weigh_both(&self, one: &Bits, other: &Bits) -> f64 {
        if let [(_, weight)] = self.runs.as_slice() {
            let both = one.words.iter().zip(&other.words).map(|(a, b)| (a & b).count_ones());
            return weight * f64::from(both.sum::<u32>());
        }
        self.weigh_bits(&one.and(other))
    }

    /// What the records show of something, in their order.
    pub fn shown(&self, value: fn(&Event) -> u64) -> Vec<u64> {
        self.events.iter().map(|event| value(event)).collect()
    }

    /// One half of the records, or the other, at twice their weight. A record is of the same half in every sample
    /// that holds it, by its time; those of one time take turns.
    #[must_use]
    pub fn half(&self, other: bool) -> Self {
        let (mut last, mut rank) = (None, 0_u64);
        let mut runs: Vec<(usize, f64)> = Vec::new();
        let mut events = Vec::with_capacity(self.events.len() / 2 + 1);
        let mut total = 0.0;
        for (event, weight) in self.entries() {
            rank = if last == Some(event.ts) { rank + 1 } else { 0 };
            last = Some(event.ts);
            if (mix(event.ts.unsigned_abs()) ^ rank) & 1 != u64::from(other) {
                continue;
            }
            let weight = 2.0 * weight;
            events.push(event);
            total += weight;
            match runs.last_mut() {
                Some((end, last)) if last.to_bits() == weight.to_bits() => *end = events.len(),
                _ => runs.push((events.len(), weight)),
            }
        }
        Self { events, runs, total, mean: 2.0 * self.mean, design: 2.0 * self.design }
    }
}

/// A set of the records of one sample.
#[derive(Debug, Clone)]
pub struct Bits {
    words: Vec<u64>,
}

impl Bits {
    /// The records that show one of some values, sorted, of what all of them show.
    pub fn of(shown: &[u64], values: &[u64]) -> Self {
        match values {
            [value] => Self::which(shown, |shown| shown == *value),
            values => Self::which(shown, |shown| values.binary_search(&shown).is_ok()),
        }
    }

    fn which(shown: &[u64], select: impl Fn(u64) -> bool) -> Self {
        let word = |chunk: &[u64]| {
            let bits = chunk.iter().enumerate();
            bits.fold(0, |word, (at, shown)| word | u64::from(select(*shown)) << at)
        };
        Self { words: shown.chunks(64).map(word).collect() }
    }

    /// What is in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self { words: self.words.iter().zip(&other.words).map(|(a, b)| a & b).collect() }
    }

    /// Members from `start` up to but not including `end`.
    fn count(&self, start: usize, end: usize) -> u32 {
        let (first, last) = (start / 64, end.div_ceil(64));
        let words = self.words.get(first..last).unwrap_or_default();
        let mut sum: u32 = words.iter().map(|word| word.count_ones()).sum();
        if let Some(word) = words.first() {
            sum -= (word & !(u64::MAX << (start % 64))).count_ones();
        }
        if let Some(word) = words.last()
            && !end.is_multiple_of(64)
        {
            sum -= (word & (u64::MAX << (end % 64))).count_ones();
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_weighted_count_is_the_sum_of_the_weights(
            rows in prop::collection::vec((0_u32..3, any::<bool>()), 0..400),
        ) {
            let events: Vec<Event> = rows
                .iter()
                .map(|(asn, on)| Event { asn: *asn, status: u16::from(*on), ..Event::default() })
                .collect();
            let weight = |event: &Event| f64::from(1 << event.asn);
            let sample = Sample::weighted(&events, weight);
            let on = |event: &Event| event.status == 1;
            let sum: f64 = events.iter().filter(|event| on(event)).map(weight).fold(0.0, |a, b| a + b);
            prop_assert_eq!(sample.weigh(on).to_bits(), sum.to_bits());
            let set = |value: fn(&Event) -> u64, values: &[u64]| Bits::of(&sample.shown(value), values);
            let all_on = set(|event| u64::from(event.status), &[1]);
            prop_assert_eq!(sample.weigh_bits(&all_on).to_bits(), sum.to_bits());
            for values in [&[1][..], &[0, 1]] {
                let few = set(|event| u64::from(event.asn), values);
                let apart = sample.weigh(|event| on(event) && values.contains(&u64::from(event.asn)));
                let both = sample.weigh_bits(&all_on.and(&few));
                prop_assert_eq!(both.to_bits(), apart.to_bits());
                prop_assert_eq!(sample.weigh_both(&all_on, &few).to_bits(), apart.to_bits());
            }
        }

        #[test]
        fn halves_share_nothing_and_miss_nothing(
            times in prop::collection::vec(0_i64..20, 0..200), start in 0_usize..50,
        ) {
            let events: Vec<Event> =
                times.iter().map(|ts| Event { ts: *ts, ..Event::default() }).collect();
            let sample = Sample::even(&events, 3.0);
            let (one, other) = (sample.half(false), sample.half(true));
            prop_assert_eq!(one.len() + other.len(), events.len());
            let (sum, double) = (one.total() + other.total(), 2.0 * sample.total());
            prop_assert!((sum - double).abs() < 1e-9);
            // one of a time is of one half wherever the sample begins
            let mut apart = events;
            apart.sort_by_key(|event| event.ts);
            apart.dedup_by_key(|event| event.ts);
            let start = start.min(apart.len());
            let whole: Vec<i64> =
                Sample::even(&apart, 1.0).half(true).iter().map(|event| event.ts).collect();
            let tail: Vec<i64> =
                Sample::even(&apart[start..], 1.0).half(true).iter().map(|event| event.ts).collect();
            prop_assert!(whole.ends_with(&tail));
        }
    }
}
