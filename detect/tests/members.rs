//! Several detectors over the same hosts, each with a part of the input: what tells them apart, and what ends one of them.
#![cfg(test)]

mod traffic;

use std::collections::BTreeSet;

use detect::{DetectConfig, Detector, Findings};
use schemas::State;
use traffic::{EPOCH, Row, batch, burst, ip, judged, latest, ordinary, together};

/// Twenty minutes of ordinary traffic, flooded from the sixteenth on.
fn rows() -> Vec<Row> {
    let flood = burst(960.0, 1_200.0, 24_000, |_, n| Row {
        agent: "python-requests/2.31".into(),
        ja4: None,
        ..Row::page(0.0, ip(90, 256 * (n % 50)), "/p/3".into())
    });
    together(vec![ordinary(1_200, 6.0, 3), flood])
}

/// Every other row, and the other ones.
fn halves(rows: &[Row]) -> [Vec<Row>; 2] {
    [0, 1].map(|first| rows.iter().skip(first).step_by(2).cloned().collect())
}

fn detector(life: i64) -> Detector {
    let mut detector = Detector::new(DetectConfig::default());
    detector.set_life(life);
    detector.open_partition("log/0");
    detector
}

/// What a detector finds in rows until it is asked for its state.
fn read(life: i64, rows: &[Row]) -> (Detector, Findings) {
    let (mut detector, mut out) = (detector(life), Findings::default());
    rows.chunks(500).for_each(|part| detector.on_batch("log/0", &batch(part), &mut out));
    (detector, out)
}

fn ids(findings: &Findings) -> BTreeSet<&str> {
    findings.incidents.iter().map(|found| found.incident_id.as_str()).collect()
}

#[test]
fn detectors_that_find_the_same_speak_of_incidents_of_their_own() {
    let [half, _] = halves(&rows());
    let [(_, alone), (_, other), (_, again)] = [0, 7, 7].map(|life| read(life, &half));
    assert!(!ids(&alone).is_empty());
    assert_eq!(other, again);
    assert!(ids(&alone).is_disjoint(&ids(&other)));
    assert_eq!(alone.target_windows, other.target_windows);
    assert_eq!(alone.incidents.len(), other.incidents.len());
}

#[test]
fn what_a_detector_leaves_and_what_the_next_finds_are_each_record_once() {
    let rows = rows();
    let [left, stays] = halves(&rows);
    // Its partition goes to the other in the middle of the flood, and in the middle of a minute.
    let gone = left.partition_point(|row| row.ts < EPOCH + 1_041_300_000);
    let (detector, mut out) = read(0, &left[..gone]);
    let state = detector.checkpoint().unwrap();
    let mut left_behind = Detector::restore(DetectConfig::default(), &state).unwrap();
    left_behind.await_partitions();
    let told_until = left_behind.conclude(&mut out);
    assert!(told_until >= left[gone - 1].ts && told_until < left[gone - 1].ts + 1_000_000);
    assert_eq!(judged(&out), i64::try_from(gone).unwrap(), "nothing waits any more");
    assert!(!out.incidents.is_empty());
    for last in latest(&out) {
        assert_eq!(
            (last.state, last.closed_ts),
            (State::Close, Some(last.revision_ts)),
            "{last:?}"
        );
    }
    let read_on = stays.iter().chain(&left[gone..]).cloned().collect();
    let (mut detector, mut rest) = read(7, &together(vec![read_on]));
    detector.finish(&mut rest);
    assert_eq!(judged(&out) + judged(&rest), i64::try_from(rows.len()).unwrap());
    assert!(ids(&out).is_disjoint(&ids(&rest)));
}

#[test]
fn partitions_that_are_read_elsewhere_hold_nothing_back() {
    let [kept, other] = halves(&ordinary(300, 6.0, 3));
    let (mut detector, mut out) = (detector(0), Findings::default());
    detector.on_batch("log/0", &batch(&kept[..500]), &mut out);
    detector.on_batch("log/1", &batch(&other[..600]), &mut out);
    let state = detector.checkpoint().unwrap();
    let mut detector = Detector::restore(DetectConfig::default(), &state).unwrap();
    detector.keep_partitions(|partition| partition == "log/0");
    detector.on_batch("log/0", &batch(&kept[500..]), &mut out);
    detector.finish(&mut out);
    assert_eq!(judged(&out), i64::try_from(kept.len() + 600).unwrap());
    assert_eq!(detector.counters().late, 0);
}
