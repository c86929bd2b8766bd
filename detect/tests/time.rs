//! The laws of event time: no record moves it for the others, whatever time it names.
#![cfg(test)]

mod traffic;

use detect::limits::{HEAL_AHEAD_US, HEAL_RECORDS_MIN};
use detect::{Detector, Findings};
use proptest::prelude::*;
use traffic::row::batch_arrived;
use traffic::{
    Arrived, Draw, EPOCH, NAMES, Row, batch, judged, ordinary, short_learning,
    three_minutes_with_flood,
};

const S: i64 = 1_000_000;
const HOUR: i64 = 3_600 * S;
const ODD: &str = "odd.example";

/// How records arrive.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Delivery {
    /// A file: nobody noted it.
    File,
    /// A second and a half after they were logged.
    Live,
    /// Sixty times as fast as they were logged, a day later.
    Replay,
}

impl Delivery {
    fn arrival(self, ts: i64) -> Option<i64> {
        match self {
            Self::File => None,
            Self::Live => Some(ts + 3 * S / 2),
            Self::Replay => Some(EPOCH + 24 * HOUR + (ts - EPOCH) / 60),
        }
    }
}

/// Three minutes with a flood, as they arrive at two partitions.
fn partitions(delivery: Delivery) -> [Vec<Arrived>; 2] {
    let mut parts = [Vec::new(), Vec::new()];
    for (at, row) in three_minutes_with_flood().into_iter().enumerate() {
        let arrival = delivery.arrival(row.ts);
        parts[usize::from(at % 3 == 0)].push((row, arrival));
    }
    parts
}

/// What happens after record `at` of the first partition.
#[derive(Debug, Clone, Copy)]
struct Break {
    at: usize,
    silence: bool,
    restart: bool,
}

/// Reads two partitions side by side, second by second of what the first one's records should have named.
fn run(parts: &[Vec<Arrived>; 2], clock: &[Vec<i64>; 2], stop: Break) -> (Findings, Detector) {
    let (mut detector, mut findings) = (Detector::new(short_learning()), Findings::default());
    for name in NAMES {
        detector.open_partition(name);
    }
    let mut at = [0, 0];
    for second in 0..400 {
        for which in 0..2 {
            let until = EPOCH + second * S;
            let mut end = at[which];
            while clock[which].get(end).is_some_and(|ts| *ts < until) {
                end += 1;
            }
            let stops = which == 0 && (at[0]..end).contains(&stop.at);
            let cut = if stops { stop.at + 1 } else { end };
            for piece in [at[which]..cut, cut..end] {
                if piece.is_empty() {
                    continue;
                }
                let last = piece.end == cut && stops;
                detector.on_batch(
                    NAMES[which],
                    &batch_arrived(&parts[which][piece]),
                    &mut findings,
                );
                for name in NAMES.iter().filter(|_| last && stop.silence) {
                    detector.set_idle(name, &mut findings);
                }
                if last && stop.restart {
                    let bytes = detector.checkpoint().unwrap();
                    detector = Detector::restore(short_learning(), &bytes).unwrap();
                }
            }
            at[which] = end;
        }
    }
    detector.finish(&mut findings);
    (findings, detector)
}

fn clock_of(parts: &[Vec<Arrived>; 2]) -> [Vec<i64>; 2] {
    [0, 1].map(|which: usize| parts[which].iter().map(|(row, _)| row.ts).collect())
}

/// Findings about the hosts that everybody visits, without the counts of odd times.
fn of_others(mut findings: Findings) -> Findings {
    findings.incidents.retain(|incident| incident.target_host.as_deref() != Some(ODD));
    // a host that answers a lone request without success is not known by name
    findings.target_windows.retain(|row| row.host.as_deref().is_some_and(|host| host != ODD));
    for row in &mut findings.target_windows {
        row.corrected_requests = 0;
    }
    findings
}

/// Both findings: without the odd record, and with it after record `at` of the first partition.
fn without_and_with(
    at: usize,
    ahead: i64,
    delivery: Delivery,
    [silence, restart]: [bool; 2],
) -> (Findings, Findings, Detector) {
    let parts = partitions(delivery);
    let mut with = parts.clone();
    let mut clock = clock_of(&parts);
    let (mut odd, arrival) = parts[0][at].clone();
    clock[0].insert(at + 1, odd.ts);
    (odd.ts, odd.host, odd.ip) = (odd.ts + ahead, ODD.into(), "198.51.100.9".into());
    with[0].insert(at + 1, (odd, arrival));
    let stop = |at| Break { at, silence, restart };
    let (whole, _) = run(&parts, &clock_of(&parts), stop(at));
    let (other, detector) = run(&with, &clock, stop(at + 1));
    assert!(whole.incidents.iter().any(|incident| incident.requests > 1_000));
    (whole, of_others(other), detector)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_record_of_any_future_time_changes_nothing_for_the_others(
        at in prop_oneof![0_usize..20, 20_usize..900],
        ahead in prop_oneof![63 * S..700 * S, 700 * S..HOUR, HOUR..30 * HOUR, Just(5 * HOUR), 30 * HOUR..900_000 * HOUR],
        delivery in prop_oneof![Just(Delivery::File), Just(Delivery::Live), Just(Delivery::Replay)],
        silence: bool,
        restart: bool,
    ) {
        let (whole, other, detector) = without_and_with(at, ahead, delivery, [silence, restart]);
        prop_assert_eq!(other, whole);
        let counters = detector.counters();
        prop_assert_eq!(counters.implausible + counters.corrected, 1, "{:?}", counters);
    }
}

#[test]
fn a_live_clock_that_is_a_little_fast_changes_nothing_either() {
    for (at, seconds) in [(0, 3), (100, 20), (400, 45), (800, 61)] {
        let flags = [at == 100, at == 400];
        let (whole, other, _) = without_and_with(at, seconds * S, Delivery::Live, flags);
        assert_eq!(other, whole, "{seconds} s");
    }
}

#[test]
fn a_lone_record_at_the_end_is_not_believed() {
    for ahead in [2 * HOUR, 24 * HOUR, 650_000 * HOUR] {
        let mut rows = ordinary(120, 2.0, 3);
        let mut odd = rows[0].clone();
        odd.ts += ahead;
        rows.push(odd);
        let (findings, detector) = traffic::detect(&rows);
        assert_eq!((detector.counters().implausible, detector.counters().late), (1, 0));
        assert!(detector.closed_us() < EPOCH + 130 * S, "{}", detector.closed_us());
        let implausible: i64 =
            findings.target_windows.iter().map(|row| row.implausible_requests).sum();
        assert_eq!(implausible, 1);
    }
}

#[test]
fn a_file_of_two_zones_does_not_end_in_the_wrong_one() {
    let mut rows = ordinary(120, 2.0, 3);
    let last = rows.len();
    for at in (50..last).filter(|at| at % 5 == 0 || at + 9 > last) {
        rows[at].ts += 5 * HOUR;
    }
    let (findings, detector) = traffic::detect(&rows);
    let counters = detector.counters();
    assert!(detector.closed_us() < EPOCH + 130 * S, "{counters:?}");
    assert_eq!(counters.late, 0);
    assert_eq!(u64::try_from(judged(&findings)).unwrap() + counters.implausible, last as u64);
}

#[test]
fn two_zones_in_a_partition_give_the_incidents_of_one() {
    for zone in [5 * HOUR, 9 * HOUR / 2] {
        let parts = partitions(Delivery::Live);
        let mut mixed = parts.clone();
        let mut draw = Draw::new(5);
        for (row, _) in mixed.iter_mut().flat_map(|part| part.iter_mut().skip(5)) {
            row.ts += zone * i64::from(draw.below(5) == 0);
        }
        let stop = Break { at: 400, silence: false, restart: true };
        let (whole, _) = run(&parts, &clock_of(&parts), stop);
        let (other, detector) = run(&mixed, &clock_of(&parts), stop);
        assert_eq!(of_others(other), whole);
        let counters = detector.counters();
        assert_eq!((counters.implausible, counters.late), (0, 0), "{counters:?}");
        assert!(counters.corrected > 500, "{counters:?}");
    }
}

#[test]
fn a_producer_ahead_does_not_disturb_a_replay() {
    // Twenty minutes ago at sixty times the pace: what is in the future of its arrival is so by no whole quarter.
    let arrival = |ts: i64| Some(EPOCH + 1_200 * S + (ts - EPOCH) / 60);
    let mut parts = partitions(Delivery::File);
    parts.iter_mut().flatten().for_each(|(row, at)| *at = arrival(row.ts));
    let mut mixed = parts.clone();
    let mut draw = Draw::new(6);
    for (row, _) in mixed.iter_mut().flat_map(|part| part.iter_mut().skip(40)) {
        row.ts += 5 * HOUR * i64::from(draw.below(5) == 0);
    }
    let stop = Break { at: 300, silence: false, restart: false };
    let (whole, _) = run(&parts, &clock_of(&parts), stop);
    let (other, detector) = run(&mixed, &clock_of(&parts), stop);
    assert_eq!(of_others(other), whole);
    assert_eq!(detector.counters().late, 0, "{:?}", detector.counters());
}

/// Live rows of ten minutes on two partitions, the second's clock `offset` off.
fn with_offset(offset: i64) -> (Detector, usize) {
    let mut detector = Detector::new(short_learning());
    let rows = ordinary(600, 2.0, 9);
    for name in NAMES {
        detector.open_partition(name);
    }
    for second in 0..=600 {
        let of_second = |row: &&Row| (row.ts - EPOCH) / S == second;
        let now: Vec<Row> = rows.iter().filter(of_second).cloned().collect();
        for (which, name) in NAMES.into_iter().enumerate() {
            let moved = now.iter().skip(which).step_by(2).map(|row| {
                let ts = row.ts + offset * i64::from(which == 1);
                (Row { ts, ..row.clone() }, Some(row.ts + S))
            });
            let moved: Vec<Arrived> = moved.collect();
            detector.on_batch(name, &batch_arrived(&moved), &mut Findings::default());
        }
    }
    (detector, rows.len())
}

#[test]
fn a_partition_in_another_zone_holds_nothing_back() {
    for hours in [-11, -5, -1, 2, 14] {
        let (detector, rows) = with_offset(hours * HOUR);
        let counters = detector.counters();
        let behind = EPOCH + 600 * S - detector.closed_us();
        assert!((0..10 * S).contains(&behind), "{hours} h: {behind} µs");
        // What came before the offset was known is not judged where it is ahead.
        let lost = counters.late + counters.implausible;
        assert!(lost < rows as u64 / 4, "{hours} h: {counters:?}");
        assert!(counters.corrected > rows as u64 / 5, "{hours} h: {counters:?}");
    }
    let (detector, _) = with_offset(0);
    let counters = detector.counters();
    assert_eq!((counters.corrected, counters.implausible, counters.late), (0, 0, 0));
}

#[test]
fn a_quiet_site_is_judged_to_its_last_record() {
    let mut draw = Draw::new(11);
    for count in [1, 2, 3, 5, 17, 60] {
        let mut ts = EPOCH;
        let rows: Vec<Row> = (0..count)
            .map(|i| {
                ts += HOUR + i64::try_from(draw.below(3_600)).unwrap() * S;
                Row { ts, ..Row::page(0.0, traffic::ip(10, i), "/".into()) }
            })
            .collect();
        let (findings, detector) = traffic::detect(&rows);
        assert_eq!(judged(&findings), i64::try_from(rows.len()).unwrap(), "{count} records");
        assert_eq!(detector.counters().implausible, 0);
    }
}

#[test]
fn a_live_record_after_silence_is_believed_at_once() {
    let mut detector = Detector::new(short_learning());
    let mut findings = Findings::default();
    for hours in [0, 1, 2, 50, 51, 10_000] {
        let row = Row::page(0.0, traffic::ip(10, 1), "/".into());
        let ts = row.ts + hours * HOUR;
        detector.on_batch(
            NAMES[0],
            &batch_arrived(&[(Row { ts, ..row }, Some(ts + S))]),
            &mut findings,
        );
        assert_eq!(detector.closed_us(), if hours == 0 { 0 } else { ts - 2 * S }, "{hours} h");
    }
    assert_eq!(detector.counters().held, 0);
}

#[test]
fn a_checkpoint_from_the_future_heals_and_knows_its_hosts() {
    let [live, _] = partitions(Delivery::Live);
    let (before, after) = live.split_at(live.partition_point(|(row, _)| row.ts < EPOCH + 90 * S));
    let mut detector = Detector::new(short_learning());
    let mut findings = Findings::default();
    let plain: Vec<Row> = before.iter().map(|(row, _)| row.clone()).collect();
    detector.on_batch(NAMES[0], &batch(&plain), &mut findings);
    // Without arrivals so many in a row are believed.
    let wrong: Vec<Row> =
        (0..20).map(|i| Row { ts: 4_102_444_800 * S + i, ..before[0].0.clone() }).collect();
    detector.on_batch(NAMES[0], &batch(&wrong), &mut findings);
    detector.set_idle(NAMES[0], &mut findings);
    assert!(detector.closed_us() > EPOCH + 600_000 * HOUR);
    let mut detector =
        Detector::restore(short_learning(), &detector.checkpoint().unwrap()).unwrap();
    for part in after.chunks(32) {
        detector.on_batch(NAMES[0], &batch_arrived(part), &mut findings);
    }
    assert!(detector.closed_us() < EPOCH + 200 * S, "{}", detector.closed_us());
    detector.finish(&mut findings);
    assert!(findings.incidents.iter().any(|incident| incident.requests > 500));
    assert!(detector.counters().late <= 96, "{:?}", detector.counters());
    assert!(detector.closed_us() < EPOCH + 200 * S);
}

#[test]
fn time_is_taken_back_where_it_is_further_ahead_than_a_clock_may_be() {
    for (beyond, healed) in [(-S, false), (2 * S, true)] {
        let mut detector = Detector::new(short_learning());
        let mut findings = Findings::default();
        detector.on_batch(NAMES[0], &batch(&ordinary(60, 2.0, 3)), &mut findings);
        detector.set_idle(NAMES[0], &mut findings);
        let closed = detector.closed_us();
        let arrival = EPOCH + 60 * S - HEAL_AHEAD_US - beyond;
        let row = |n: u32| {
            let ts = arrival - S + i64::from(n);
            (Row { ts, ..Row::page(0.0, traffic::ip(10, 1), "/".into()) }, Some(ts + S))
        };
        for n in 0..HEAL_RECORDS_MIN {
            assert_eq!(detector.closed_us(), closed, "{n} arrivals tell nothing");
            detector.on_batch(NAMES[0], &batch_arrived(&[row(n)]), &mut findings);
        }
        assert_eq!(detector.closed_us() < closed, healed, "{beyond}");
    }
}
