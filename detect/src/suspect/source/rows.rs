//! Each row of the table by itself: a source that fails it, and one that just does not.

use super::table::{TESTS, Test};
use super::{Circumstances, Suspect};
use crate::config::DEFAULT_FALSE_ALARMS;
use crate::normal::population::Population;
use crate::record::attribute::Facts;
use crate::record::event::Event;
use crate::record::source::Source;
use crate::seen::attempters::Attempters;
use crate::seen::attempts::Attempts;
use crate::seen::draws::Drawn;
use crate::seen::holders::Held;
use crate::seen::source_record::SourceRecord;
use crate::suspect::budget::Budget;

/// A source whose counter of the row of that name is `n`, and which does nothing else.
fn source(name: &str, n: f32) -> (SourceRecord, Attempts) {
    let event = Event { source: Source::v4(7), ..Event::default() };
    let facts = Facts { probe: true, ..Facts::default() };
    let mut attempters = Attempters::default();
    let mut tried = *attempters.add(1, &event, facts, false, |_, _| false).unwrap();
    let mut record = SourceRecord::new(&event).undeclared();
    for counts in [
        &mut tried.paths,
        &mut tried.probes,
        &mut tried.sought,
        &mut tried.tries,
        &mut tried.refused,
        &mut tried.hostile,
        &mut tried.pages,
    ] {
        *counts = [0.0; 4];
    }
    let scale = ["_60", "_600", "_3600", "_86400"].iter().position(|end| name.ends_with(end));
    let what = name.rsplit_once('_').unwrap().0;
    match (what, scale) {
        ("tries", Some(at)) => tried.tries[at] = n,
        ("refused_reads", Some(at)) => tried.refused[at] = n,
        ("attack_texts", Some(at)) => tried.hostile[at] = n,
        ("attacks_and_paths", Some(1)) => {
            (tried.texts_600, tried.paths[1]) = (n / 2.0, n / 2.0);
        }
        ("commands", Some(3)) => tried.commands_day = n,
        ("unknown_paths", Some(3)) => (tried.paths[3], tried.probes[3]) = (n, n),
        ("unknown_paths", Some(at)) => {
            (tried.paths[at], tried.paths[1], tried.probes[1]) = (n, n, n);
        }
        ("pages", None) => record.pages_10 = n,
        ("requests", None) => record.all_10 = n,
        ("pages_alone", Some(0)) => {
            (record.pages_10, record.pages_60, record.pages_600) = (n / 6.0, n, n);
        }
        ("pages_alone", Some(1)) => {
            (record.pages_10, record.pages_60, record.pages_600) = (n / 60.0, n / 10.0, n);
        }
        ("pages_alone", Some(2)) => {
            (record.pages_10, record.pages_60) = (n / 360.0, n / 60.0);
            (record.pages_600, record.pages_3600) = (n / 6.0, n);
        }
        ("aborted", Some(0)) => record.aborted_60 = n,
        ("megabytes", Some(0)) => (record.megabytes_60, record.assets_60) = (n, 100.0),
        ("megabytes", Some(1)) => {}
        ("seconds", Some(0)) => (record.seconds_60, record.shape) = (n, 1),
        ("seconds", Some(1)) => (record.pages_600, record.shape) = (n, 1),
        other => panic!("no source for {other:?}"),
    }
    record.paths = u64::MAX;
    (record, tried)
}

/// Whether a source of the row fails it, with so many requests of other kinds.
fn fails(test: &Test, n: f64, others: f32, level: f64) -> bool {
    fails_at(test, n, others, level, DEFAULT_FALSE_ALARMS)
}

/// The same when so many false alarms are allowed.
fn fails_at(test: &Test, n: f64, others: f32, level: f64, false_alarms: f64) -> bool {
    #[expect(clippy::cast_possible_truncation, reason = "small counts")]
    let (mut record, mut tried) = source(test.name, n as f32);
    if others > 0.0 {
        (record.pages_60, record.pages_600, tried.pages) = (others, others, [others; 4]);
    }
    let circumstances = Circumstances {
        population: &Population { assets: 0.5, ..Population::default() },
        level,
        learned: true,
        watched_s: 86_400,
        leads_away: false,
        origin_fails: false,
        budget: Budget::of(false_alarms),
        usual_writes_600: 0.0,
    };
    let held = match test.name {
        "seconds_600" => Held { own: n, all: n + f64::from(others) },
        _ => Held::default(),
    };
    let drawn = match test.name {
        "megabytes_600" => Drawn { again: n, times: n, all: n + f64::from(others) },
        _ => Drawn::default(),
    };
    let suspect = Suspect { record: &record, attempts: Some(&tried), held, drawn };
    suspect.fails(test, &circumstances).is_some()
}

/// The least count, in steps of a hundredth from the floor on, with which the row is failed on a host of that rate.
fn least(test: &Test, level: f64) -> f64 {
    least_at(test, level, DEFAULT_FALSE_ALARMS)
}

fn least_at(test: &Test, level: f64, false_alarms: f64) -> f64 {
    let mut n = test.floor_at(level);
    while !fails_at(test, n, 0.0, level, false_alarms) {
        n *= 1.01;
        assert!(n < 20.0 * test.floor, "nothing fails {}", test.name);
    }
    n
}

#[test]
fn every_row_is_failed_by_some_source_and_not_below_its_floor() {
    for test in TESTS {
        let least = least(test, 1.0);
        assert!(fails(test, 3.0 * least, 0.0, 1.0), "{}: more of it is less", test.name);
        assert!(!fails(test, 0.99 * test.floor, 0.0, 1.0), "{} below its floor", test.name);
    }
}

#[test]
fn fewer_false_alarms_need_more_of_it_and_more_never_less_than_the_floor() {
    for test in TESTS {
        let least = [10.0, DEFAULT_FALSE_ALARMS, 1e-6].map(|allowed| least_at(test, 1.0, allowed));
        let name = test.name;
        assert!(least[0] >= test.floor, "{name} below its floor: {least:?}");
        let told_by_floor = fails_at(test, test.floor, 0.0, 1.0, 1e-6);
        assert!(
            least[0] <= least[1] && (least[1] < least[2] || told_by_floor),
            "{name}: {least:?}"
        );
        // Where next to nothing is usual, the floor is far beyond it.
        let may =
            name.starts_with("attack_texts") || name == "commands_86400" || name == "megabytes_600";
        assert!(!told_by_floor || may, "{name} never moves");
        let chosen = test.nats > 0.0 && least[1] > 1.02 * test.floor;
        assert!(!chosen || least[0] < least[1], "{name} is no more sensitive: {least:?}");
    }
}

#[test]
fn the_floor_of_a_quiet_host_is_lower_where_there_is_one() {
    for test in TESTS.iter().filter(|test| test.quiet_floor.is_finite()) {
        assert!(test.quiet_floor < test.floor, "{}", test.name);
        assert!(least(test, 0.0) < 0.9 * least(test, 1.0), "{}", test.name);
        assert!(!fails(test, 0.99 * test.quiet_floor, 0.0, 0.0), "{}", test.name);
    }
}

#[test]
fn who_mostly_does_something_else_fails_no_row_with_a_share() {
    let with_share = TESTS.iter().filter(|test| test.share > 0.0);
    for test in with_share {
        let n = 3.0 * least(test, 1.0);
        #[expect(clippy::cast_possible_truncation, reason = "small counts")]
        let others = (20.0 * n) as f32;
        assert!(!fails(test, n, others, 1.0), "{}", test.name);
    }
}

#[test]
fn every_number_of_a_test_says_where_it_comes_from() {
    for test in TESTS {
        let name = test.name;
        assert!(test.floor.is_finite(), "{name} has no floor");
        for why in [test.why, test.usual, test.why_nats] {
            assert!(why.len() >= 20, "{name}: {why:?}");
        }
        assert_eq!(test.why_quiet.len() >= 20, test.quiet_floor.is_finite(), "{name}");
        assert!(test.share == 0.0 || test.why_share.len() >= 20, "{name}");
    }
}

#[test]
fn names_are_unique() {
    let names: std::collections::BTreeSet<&str> = TESTS.iter().map(|test| test.name).collect();
    assert!(names.len() == TESTS.len() && names.iter().all(|name| !name.is_empty()));
}
