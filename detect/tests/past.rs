//! A start with a past: what it is good for, and what it must not do.
#![cfg(test)]

mod traffic;

use detect::{DetectConfig, Detector, Findings, Past, PastMinute};
use schemas::{Incident, Verdict};
use traffic::{Row, batch, burst, ip, judged, latest, ordinary, together};

/// When the flood begins and ends, seconds after the first record: before anything was learned without a past.
const FLOOD_S: (f64, f64) = (20.0, 80.0);

/// Ordinary traffic that begins at a second.
fn from(at_s: i64, seconds: u64, seed: u64) -> Vec<Row> {
    let mut rows = ordinary(seconds, 3.0, seed);
    later(&mut rows, at_s);
    rows
}

fn later(rows: &mut [Row], by_s: i64) {
    for row in rows {
        row.ts += by_s * 1_000_000;
    }
}

/// A program floods one page from fifty addresses, none of which stands out: two requests a second each.
fn flood(at_s: i64) -> Vec<Row> {
    let mut rows = burst(FLOOD_S.0, FLOOD_S.1, 6_000, |_, n| Row {
        agent: "python-requests/2.31".into(),
        ja4: None,
        ..Row::page(0.0, ip(90, 256 * (n % 50)), "/p/3".into())
    });
    later(&mut rows, at_s);
    rows
}

/// Two minutes from a second on, with the flood.
fn flooded(at_s: i64, seed: u64) -> Vec<Row> {
    together(vec![from(at_s, 120, seed), flood(at_s)])
}

fn past(rows: &[Row]) -> Past {
    let mut past = Past::new(DetectConfig::default());
    rows.chunks(1_000).for_each(|part| past.requests(&batch(part)));
    past
}

/// Runs rows dealt out to two partitions in pieces, after a past of those of its rows that come before them.
fn run(rows: &[Row], past_rows: Option<&[Row]>, piece: usize, restart: bool) -> Findings {
    let mut detector = Detector::new(DetectConfig::default());
    let mut out = Findings::default();
    let names = ["log/0", "log/1"];
    for name in names {
        detector.open_partition(name);
    }
    if past_rows.is_some() {
        detector.await_past();
    }
    let know = |detector: &mut Detector, at_end, out: &mut Findings| {
        if let Some(begin_us) = detector.begin_us(at_end) {
            assert_eq!(begin_us, rows[0].ts.div_euclid(1_000_000) * 1_000_000);
            let rows = past_rows.unwrap_or_default();
            let before = rows.partition_point(|row| row.ts < begin_us);
            detector.learn((before > 0).then(|| past(&rows[..before])), out);
        }
    };
    for part in rows.chunks(piece) {
        for (n, name) in names.iter().enumerate() {
            let own: Vec<Row> = part.iter().skip(n).step_by(2).cloned().collect();
            detector.on_batch(name, &batch(&own), &mut out);
            if restart && detector.is_blank() {
                let bytes = detector.checkpoint().unwrap();
                detector = Detector::restore(DetectConfig::default(), &bytes).unwrap();
                detector.await_past();
            }
            know(&mut detector, false, &mut out);
        }
    }
    know(&mut detector, true, &mut out);
    detector.finish(&mut out);
    assert_eq!(detector.counters().late, 0, "the past makes nothing late");
    assert_eq!(judged(&out), i64::try_from(rows.len()).unwrap(), "and counts for nothing");
    out
}

fn attacks(findings: &Findings) -> Vec<&Incident> {
    latest(findings).into_iter().filter(|found| found.verdict != Verdict::Benign).collect()
}

#[test]
fn a_flood_in_the_first_minute_is_found_with_a_past_and_not_without() {
    // an hour that ended at once, ten minutes ago, and two days ago
    for later_s in [0, 600, 172_800] {
        let rows = flooded(3_600 + later_s, 5);
        let found = run(&rows, Some(&from(0, 3_600, 4)), 512, false);
        let found = attacks(&found);
        assert_eq!(found.len(), 1, "{later_s}: {found:#?}");
        let flood_ts = traffic::time(FLOOD_S.0) + (3_600 + later_s) * 1_000_000;
        let after = found[0].detected_ts - flood_ts;
        assert!((0..10_000_000).contains(&after), "{later_s}: after {after} µs");
        assert_eq!(found[0].source_count, 50);
        let blind = run(&rows, None, 512, false);
        assert_eq!(attacks(&blind), Vec::<&Incident>::new());
    }
}

#[test]
fn ordinary_traffic_after_a_past_is_no_incident() {
    for later_s in [0, 600, 172_800] {
        let found = run(&from(3_600 + later_s, 1_800, 7), Some(&from(0, 3_600, 4)), 512, false);
        assert_eq!(latest(&found), Vec::<&Incident>::new(), "{later_s}");
    }
}

#[test]
fn the_answer_is_the_same_however_records_come_in_and_after_a_restart() {
    let (rows, before) = (flooded(3_600, 5), from(0, 3_600, 4));
    let whole = run(&rows, Some(&before), usize::MAX, false);
    assert!(!whole.incidents.is_empty());
    for piece in [1, 7, 300] {
        assert_eq!(run(&rows, Some(&before), piece, piece == 7), whole, "in pieces of {piece}");
    }
}

#[test]
fn what_comes_after_the_first_record_is_no_past() {
    let rows = flooded(3_600, 5);
    let after = from(3_600, 7_200, 4);
    assert_eq!(run(&rows, Some(&after), 512, false), run(&rows, None, 512, false));
}

#[test]
fn an_attack_in_the_past_is_not_learned_and_not_told() {
    let before = together(vec![from(0, 3_600, 4), flood(3_520)]);
    // it goes on right after the past
    let mut rows = together(vec![from(3_600, 120, 5), flood(3_580)]);
    rows.retain(|row| row.ts >= traffic::time(3_600.0));
    let found = run(&rows, Some(&before), 512, false);
    let found = attacks(&found);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].first_ts >= traffic::time(3_600.0), "{found:#?}");
    assert!(found[0].detected_ts < traffic::time(3_610.0), "{found:#?}");
}

#[test]
fn minutes_of_the_past_tell_the_hours_of_the_week() {
    // three days with an hour of eighty requests a second
    const DAY_S: i64 = 86_400;
    let mut past = Past::new(DetectConfig::default());
    for minute in 0..3 * 1_440 {
        let busy = minute % 1_440 / 60 == 2;
        past.minute(&PastMinute {
            host: Some("shop.example"),
            start_us: traffic::EPOCH + minute * 60_000_000,
            requests: if busy { 4_800 } else { 120 },
            attacked: false,
        });
    }
    let mut detector = Detector::new(DetectConfig::default());
    detector.await_past();
    // from half past one on the fourth day
    let rows = from(3 * DAY_S + 5_400, 3_600, 9);
    let mut out = Findings::default();
    detector.on_batch("log/0", &batch(&rows), &mut out);
    assert!(detector.begin_us(false).is_some() && out.is_empty());
    detector.learn(Some(past), &mut out);
    detector.finish(&mut out);
    let expected = |minute: usize| out.target_windows[minute].baseline_requests;
    // for eight minutes the host is only watched, and before two o'clock its own minutes count
    assert_eq!(expected(4), None);
    assert!(expected(20).is_some_and(|requests| requests < 4_800.0), "{:?}", expected(20));
    assert!(expected(40).is_some_and(|requests| requests > 4_800.0), "{:?}", expected(40));
    assert_eq!(latest(&out), Vec::<&Incident>::new());
}
