//! One second of all partitions as one sequence that does not depend on how its records were dealt out.
//!
//! Records are put in order of time, those of one instant in order of what they say. Of a host with more than
//! [`SAMPLES_PER_SECOND_MAX`] records those with the least ranks are sampled (bottom-k): equal records have different
//! ranks, by how many of them came before, so that a thousand equal lines weigh as much as a thousand different ones.

use crate::clock::staged::Bucket;
use crate::limits::SAMPLES_PER_SECOND_MAX;
use crate::math::hash::mix;
use crate::record::event::{Event, flag};
use crate::store::table::Table;

/// What a record says, its time aside. Most of it are keyed hashes already: who sends it cannot choose it.
const fn content(event: &Event) -> u64 {
    let mut hash = mix(event.source.0 ^ event.host.rotate_left(1));
    hash = mix(hash ^ event.path ^ event.query.rotate_left(3));
    hash = mix(hash ^ event.user_agent ^ event.ja4.rotate_left(5));
    hash = mix(hash ^ (event.bytes as u64) << 32 ^ event.duration_ms as u64);
    mix(hash
        ^ (event.status as u64) << 32
        ^ (event.flags as u64) << 8
        ^ (event.method as u64) << 24)
}

/// Place of the `occurrence`-th record of this content among all that may be sampled.
const fn rank(content: u64, occurrence: u32) -> u64 {
    mix(content ^ mix(occurrence as u64 + 1))
}

/// Whether the texts of a record may be asked for, given how many records of its host and second came before it in its
/// partition. What is sampled in the end is wanted, but for a chance that needs a twin of the record elsewhere.
pub(super) fn is_wanted(event: &Event, before: u32) -> bool {
    let before = u64::from(before);
    let samples = SAMPLES_PER_SECOND_MAX as u64;
    before < samples || rank(content(event), 0) <= u64::MAX / before * (2 * samples).min(before)
}

/// The records of one second in order, those to be sampled marked [`flag::NAMED`].
pub fn merge(buckets: impl Iterator<Item = Bucket>) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    for bucket in buckets {
        if events.is_empty() {
            events = bucket.events;
        } else {
            events.extend(bucket.events);
        }
    }
    let mut sorted = sorted(events);
    // Few are of one instant, and equal records are interchangeable.
    for instant in sorted.chunk_by_mut(|a, b| a.ts == b.ts).filter(|instant| instant.len() > 1) {
        instant.sort_by_cached_key(content);
    }
    sample(&mut sorted);
    sorted
}

/// Records by time.
fn sorted(events: Vec<Event>) -> Vec<Event> {
    if events.is_sorted_by_key(|event| event.ts) {
        return events;
    }
    let mut order: Vec<(i64, usize)> =
        events.iter().enumerate().map(|(at, event)| (event.ts, at)).collect();
    order.sort_unstable();
    order.iter().filter_map(|(_, at)| events.get(*at).copied()).collect()
}

/// Whether a record takes part in what is judged.
pub(super) const fn counts(event: &Event) -> bool {
    event.flags & (flag::LATE | flag::EXEMPT | flag::IMPLAUSIBLE) == 0
}

fn sample(events: &mut [Event]) {
    let mut hosts: Table<u32> = Table::default();
    for event in events.iter().filter(|event| counts(event)) {
        *hosts.entry(event.host, || 0).0 += 1;
    }
    let mut busy: Table<Vec<u32>> = Table::default();
    for (at, event) in (0_u32..).zip(events.iter_mut()).filter(|(_, event)| counts(event)) {
        let count = hosts.get(event.host).copied().unwrap_or(0) as usize;
        if count <= SAMPLES_PER_SECOND_MAX {
            event.flags |= flag::NAMED;
        } else {
            busy.entry(event.host, || Vec::with_capacity(count)).0.push(at);
        }
    }
    for (_, places) in busy.iter() {
        for at in chosen(places, events) {
            if let Some(event) = events.get_mut(at as usize) {
                event.flags |= flag::NAMED;
            }
        }
    }
}

/// The places with the least ranks among more than are sampled.
fn chosen(places: &[u32], events: &[Event]) -> Vec<u32> {
    let mut occurrences: Table<u32> = Table::default();
    let mut ranked: Vec<(u64, u32)> = Vec::with_capacity(places.len());
    for at in places {
        let content = events.get(*at as usize).map_or(0, content);
        let (occurrence, _) = occurrences.entry(content, || 0);
        ranked.push((rank(content, *occurrence), *at));
        *occurrence += 1;
    }
    ranked.select_nth_unstable(SAMPLES_PER_SECOND_MAX);
    ranked.truncate(SAMPLES_PER_SECOND_MAX);
    ranked.into_iter().map(|(_, at)| at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::source::Source;
    use proptest::prelude::*;

    fn event(ts: i64, source: u32, path: u64) -> Event {
        Event { ts, source: Source::v4(source), host: 7, path, ..Event::default() }
    }

    fn dealt(events: &[Event], partitions: usize, salt: usize) -> Vec<Event> {
        let mut buckets = vec![Bucket::default(); partitions];
        for (at, event) in events.iter().enumerate() {
            buckets[(at * 7 + salt) % partitions].events.push(*event);
        }
        merge(buckets.into_iter())
    }

    proptest! {
        #[test]
        fn partitions_change_neither_order_nor_sample(
            values in prop::collection::vec((0_i64..3, 0_u32..5, 0_u64..40), 0..900), partitions in 1_usize..6, salt in 0_usize..9,
        ) {
            let events: Vec<Event> = values.iter().map(|(ts, source, path)| event(*ts, *source, *path)).collect();
            let whole = dealt(&events, 1, 0);
            let sampled = whole.iter().filter(|event| event.has(flag::NAMED)).count();
            prop_assert_eq!(sampled, events.len().min(SAMPLES_PER_SECOND_MAX));
            prop_assert_eq!(dealt(&events, partitions, salt), whole);
        }
    }

    #[test]
    fn a_sample_has_the_shares_of_the_whole() {
        let events: Vec<Event> = (0..8_000)
            .map(|i| if i % 4 == 0 { event(0, 1, 1) } else { event(0, i, u64::from(i) << 20) })
            .collect();
        let sample = dealt(&events, 3, 1);
        let equal = sample.iter().filter(|event| event.has(flag::NAMED) && event.path == 1).count();
        assert!((20..45).contains(&equal), "{equal} of {SAMPLES_PER_SECOND_MAX}");
    }

    #[test]
    fn what_is_sampled_was_wanted() {
        let events: Vec<Event> =
            (0..20_000).map(|i| event(i64::from(i), i, u64::from(i) << 20)).collect();
        let sample = dealt(&events, 1, 0);
        for (before, event) in (0_u32..).zip(&events) {
            let sampled = sample.get(before as usize).is_some_and(|event| event.has(flag::NAMED));
            assert!(!sampled || is_wanted(event, before), "{before}");
        }
    }
}
