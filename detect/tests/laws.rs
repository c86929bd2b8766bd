//! The laws of the detector: findings depend on each partition's records in order, and on nothing else.
#![cfg(test)]

mod traffic;

use detect::{DetectConfig, Detector, Findings, RestoreError};
use proptest::prelude::*;
use traffic::row::batch_arrived;
use traffic::{
    Arrived, Draw, NAMES, Row, batch, detect, judged, ordinary, short_learning,
    three_minutes_with_flood,
};

/// Three minutes on two partitions, with a flood, late records and records from other centuries; `live` with the
/// arrivals that Kafka notes and a producer five hours ahead.
fn partitions(live: bool) -> [Vec<Arrived>; 2] {
    let mut parts = [Vec::new(), Vec::new()];
    for (at, row) in three_minutes_with_flood().into_iter().enumerate() {
        let arrival = live.then_some(row.ts + 1_500_000);
        let zone_s = if live && at > 20 && at % 7 == 0 { 18_000 } else { 0 };
        let row = Row { ts: row.ts + zone_s * 1_000_000, ..row };
        parts[usize::from(at % 3 == 0)].push((row, arrival));
    }
    for (at, shift_s) in
        [(50, 40 * 365 * 86_400_i64), (90, -300), (400, -20), (700, -40 * 365 * 86_400)]
    {
        let mut odd = parts[0][at].clone();
        odd.0.ts += shift_s * 1_000_000;
        parts[0].insert(at, odd);
    }
    parts
}

/// Feeds both partitions in pieces whose sizes and order `draw` chooses; restores a checkpoint now and then.
fn run(
    parts: &[Vec<Arrived>; 2],
    seed: u64,
    pieces: u64,
    restart: bool,
) -> (Findings, detect::Counters) {
    let mut draw = Draw::new(seed);
    let mut detector = Detector::new(short_learning());
    let mut findings = Findings::default();
    for name in NAMES {
        detector.open_partition(name);
    }
    let mut at = [0, 0];
    while at[0] < parts[0].len() || at[1] < parts[1].len() {
        let mut which = usize::try_from(draw.below(2)).unwrap();
        if at[which] == parts[which].len() {
            which = 1 - which;
        }
        let size = usize::try_from(1 + draw.below(pieces)).unwrap();
        let end = (at[which] + size).min(parts[which].len());
        detector.on_batch(
            NAMES[which],
            &batch_arrived(&parts[which][at[which]..end]),
            &mut findings,
        );
        at[which] = end;
        for incident in &findings.incidents {
            assert!(incident.revision_ts <= detector.closed_us());
        }
        if restart && draw.below(20) == 0 {
            let bytes = detector.checkpoint().unwrap();
            detector = Detector::restore(short_learning(), &bytes).unwrap();
        }
    }
    detector.finish(&mut findings);
    (findings, detector.counters())
}

#[test]
fn cuts_interleavings_and_restarts_change_nothing() {
    for live in [false, true] {
        cuts_change_nothing(live);
    }
}

fn cuts_change_nothing(live: bool) {
    let parts = partitions(live);
    let (whole, counters) = run(&parts, 1, 100_000, false);
    assert!(
        whole.incidents.iter().any(|incident| incident.requests > 1_000),
        "{:#?}",
        whole.incidents
    );
    assert_eq!((counters.late, counters.implausible), (2, 1), "{counters:?}");
    assert_eq!(counters.corrected > 100, live, "{counters:?}");
    for seed in 2..8 {
        let (again, counted) = run(
            &parts,
            seed,
            [7, 61, 300, 2_000][usize::try_from(seed % 4).unwrap()],
            seed % 2 == 0,
        );
        assert_eq!(again, whole, "seed {seed}");
        assert_eq!(counted, counters, "seed {seed}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn any_cut_gives_the_same_findings(seed: u64, pieces in 1_u64..500, restart: bool, live: bool) {
        let parts = partitions(live);
        prop_assert_eq!(run(&parts, seed, pieces, restart).0, run(&parts, 0, 100_000, false).0);
    }
}

#[test]
fn a_lone_record_from_the_future_does_not_move_time() {
    let mut rows = ordinary(120, 2.0, 3);
    let mut odd = rows[0].clone();
    odd.ts = 4_102_444_800_000_000;
    rows.insert(0, odd.clone());
    rows.insert(500, odd);
    let (findings, detector) = detect(&rows);
    assert_eq!(detector.counters().implausible, 2);
    assert_eq!(detector.counters().late, 0);
    assert_eq!(findings.target_windows.len(), 3);
}

#[test]
fn days_of_silence_are_believed_and_cheap() {
    let mut rows = ordinary(60, 2.0, 3);
    for (days, seed) in [(3, 4), (400, 5)] {
        rows.extend(
            ordinary(60, 2.0, seed)
                .into_iter()
                .map(|row| Row { ts: row.ts + days * 86_400_000_000, ..row }),
        );
    }
    let (findings, detector) = detect(&rows);
    assert_eq!((detector.counters().implausible, detector.counters().late), (0, 0));
    assert!(detector.counters().sub_panes < 1_000, "{:?}", detector.counters());
    assert_eq!(judged(&findings), i64::try_from(rows.len()).unwrap());
}

#[test]
fn an_idle_partition_holds_nothing_back_and_an_open_one_does() {
    let rows = ordinary(60, 2.0, 3);
    let (mut detector, mut findings) = (Detector::new(short_learning()), Findings::default());
    detector.open_partition("log/1");
    detector.on_batch("log/0", &batch(&rows), &mut findings);
    assert_eq!(detector.closed_us(), 0);
    assert!(detector.ahead_us("log/0") > 50_000_000);
    detector.set_idle("log/1", &mut findings);
    assert!(detector.closed_us() > traffic::EPOCH + 50_000_000);
    assert!(detector.ahead_us("log/0") < 10_000_000);
    detector.close_partition("log/0", &mut findings);
    detector.finish(&mut findings);
    assert_eq!(judged(&findings), i64::try_from(rows.len()).unwrap());
}

#[test]
fn what_nobody_opens_after_a_restart_holds_nothing_back() {
    let rows = ordinary(60, 2.0, 3);
    let (first, rest) = rows.split_at(rows.len() / 2);
    let mut detector = Detector::new(short_learning());
    let mut findings = Findings::default();
    for name in ["gone/0", "gone/1", "log/0"] {
        detector.open_partition(name);
    }
    detector.on_batch("gone/0", &batch(first), &mut findings);
    let bytes = detector.checkpoint().unwrap();
    let mut detector = Detector::restore(short_learning(), &bytes).unwrap();
    detector.await_partitions();
    detector.open_partition("log/0");
    detector.on_batch("log/0", &batch(rest), &mut findings);
    assert!(detector.closed_us() > traffic::EPOCH + 50_000_000);
    assert!(detector.ahead_us("log/0") < 5_000_000);
    detector.finish(&mut findings);
    assert_eq!(judged(&findings), i64::try_from(rows.len()).unwrap());
}

#[test]
fn who_was_far_ahead_and_is_alone_after_a_restart_goes_on_without_a_further_record() {
    let mut detector = Detector::new(short_learning());
    let mut findings = Findings::default();
    for name in ["another's/0", "log/0"] {
        detector.open_partition(name);
    }
    let rows = ordinary(60, 2.0, 3);
    detector.on_batch("another's/0", &batch(&rows[..4]), &mut findings);
    detector.on_batch("log/0", &batch(&rows), &mut findings);
    let bytes = detector.checkpoint().unwrap();
    let mut detector = Detector::restore(short_learning(), &bytes).unwrap();
    detector.await_partitions();
    detector.open_partition("log/0");
    assert!(detector.ahead_us("log/0") > 50_000_000, "so that it is read no further");
    detector.advance(&mut findings);
    assert!(detector.ahead_us("log/0") < 5_000_000);
}

#[test]
fn what_one_partition_is_ahead_with_waits_after_a_restart_until_another_was_opened() {
    let rows = ordinary(60, 2.0, 3);
    let (early, late) = rows.split_at(rows.len() / 2);
    let mut findings = Findings::default();
    let mut detector = Detector::new(short_learning());
    detector.await_past();
    for name in ["log/0", "log/1"] {
        detector.open_partition(name);
    }
    detector.on_batch("log/1", &batch(late), &mut findings);
    let bytes = detector.checkpoint().unwrap();
    let mut detector = Detector::restore(short_learning(), &bytes).unwrap();
    detector.await_partitions();
    // It has decided on nothing yet, and is asked where the past ends before anything was opened.
    detector.await_past();
    assert_eq!(detector.begin_us(false), None);
    detector.learn(None, &mut findings);
    assert_eq!(detector.closed_us(), 0);
    for name in ["log/0", "log/1"] {
        detector.open_partition(name);
    }
    detector.on_batch("log/0", &batch(early), &mut findings);
    detector.finish(&mut findings);
    assert_eq!(judged(&findings), i64::try_from(rows.len()).unwrap());
    assert_eq!(detector.counters().late, 0);
}

#[test]
fn a_damaged_checkpoint_is_refused() {
    let mut detector = Detector::new(short_learning());
    detector.on_batch("log/0", &batch(&ordinary(30, 2.0, 3)), &mut Findings::default());
    let bytes = detector.checkpoint().unwrap();
    assert!(matches!(
        Detector::restore(short_learning(), &bytes[..10]),
        Err(RestoreError::Foreign { .. })
    ));
    let mut damaged = bytes.clone();
    *damaged.last_mut().unwrap() ^= 1;
    assert!(matches!(Detector::restore(short_learning(), &damaged), Err(RestoreError::Checksum)));
    let mut older = bytes.clone();
    older[4] = 99;
    let error = Detector::restore(short_learning(), &older).unwrap_err();
    assert!(error.to_string().contains("layout 99"), "{error}");
    let other = DetectConfig { hash_key: 1, ..short_learning() };
    assert!(matches!(Detector::restore(other, &bytes), Err(RestoreError::Key)));
    assert_eq!(Detector::restore(short_learning(), &bytes).unwrap().checkpoint().unwrap(), bytes);
}
