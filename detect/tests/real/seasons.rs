//! Weeks of a site that is quiet but for an hour in the evening: what is usual then, what is not, and what was raised so
//! slowly that it looks usual.

use schemas::Incident;

use super::expect::{ATTACK, Expectation, Scenario, found, nothing};
use super::scene::{hostile, times};
use crate::traffic::people::{Person, home};
use crate::traffic::sites::SHOP;
use crate::traffic::{Draw, EPOCH, Row, agents, detect, latest, together};

const DAY_S: f64 = 86_400.0;

/// The evening's first second on the first day: logs begin at noon.
const EVENING_S: f64 = 28_800.0;

/// How long an evening lasts.
const PEAK_S: f64 = 2_400.0;

/// What comes in a second by day and in the evening.
const QUIET_PER_S: f64 = 0.04;
const PEAK_PER_S: f64 = 8.0;

/// Ordinary traffic from a second on.
fn from(at_s: f64, seconds: f64, per_s: f64, seed: u64) -> Vec<Row> {
    let mut rows = SHOP.ordinary(seconds, per_s, seed);
    for row in &mut rows {
        row.ts += (at_s * 1e6) as i64;
    }
    rows
}

/// The evenings of some days; they begin within seconds and are not all alike.
fn evenings(days: impl Iterator<Item = u64>, seed: u64) -> Vec<Row> {
    let evening = |day: u64| {
        let mut draw = Draw::of(seed, 900 + day);
        let (late_s, size) = (draw.between(-40.0, 200.0), draw.between(0.8, 1.2));
        from(day as f64 * DAY_S + EVENING_S + late_s, PEAK_S, PEAK_PER_S * size, seed * 100 + day)
    };
    days.flat_map(evening).collect()
}

/// So many days with an evening each, the first of which comes slowly: a first one all at once may be an attack for all that
/// anybody knows.
fn days(days: u64, seed: u64) -> Vec<Row> {
    let layer = |n: u64| {
        let begin_s = EVENING_S + 600.0 * n as f64;
        from(begin_s, PEAK_S, PEAK_PER_S / 4.0, seed * 100 + 80 + n)
    };
    together(vec![
        SHOP.ordinary(days as f64 * DAY_S, QUIET_PER_S, seed),
        (0..4).flat_map(layer).collect(),
        evenings(1..days, seed),
    ])
}

/// Requests of bots at these times, each for a page and nothing else.
fn bots(times: Vec<f64>, seed: u64) -> Vec<Row> {
    let mut draw = Draw::of(seed, 910);
    let ask = |at| {
        let n = draw.below(600);
        let agent = agents::old()[(n % 5) as usize].clone();
        let bot = Person { home: home(9_700 + n % 150, n), agent, returns: false };
        bot.asks(&SHOP, at, &(SHOP.page)(draw.below(40)).0)
    };
    hostile(times.into_iter().map(ask).collect())
}

/// Two weeks of the same evenings.
pub fn two_weeks(seed: u64) -> Scenario {
    Scenario { rows: days(14, seed), expect: nothing() }
}

fn surge(start_s: f64, per_s: f64, seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 920);
    let times = times(&mut draw, (start_s, start_s + 300.0), per_s);
    let expect = Expectation {
        start_s,
        verdicts: ATTACK,
        requests: 0.9,
        ..found(SHOP.host, &["http_flood", "scraping", "swarm"], 30.0)
    };
    Scenario { rows: together(vec![days(10, seed), bots(times, seed)]), expect }
}

/// Bots as many as an evening brings, at night.
pub fn at_night(seed: u64) -> Scenario {
    surge(8.0 * DAY_S + EVENING_S + 25_000.0, PEAK_PER_S, seed)
}

/// Bots three times as many as an evening brings, in the evening.
pub fn in_the_evening(seed: u64) -> Scenario {
    surge(8.0 * DAY_S + EVENING_S + 1_200.0, 3.0 * PEAK_PER_S, seed)
}

/// A site without evenings, from the sixth day on with bots that double every six hours for two and a half days: from one
/// request in four minutes to four a second.
pub fn raised_over_days(seed: u64) -> Scenario {
    let start_s = 5.0 * DAY_S;
    let mut draw = Draw::of(seed, 930);
    let (mut times, mut at_s) = (Vec::new(), start_s);
    while at_s < start_s + 2.6 * DAY_S {
        let per_s = (0.004 * libm::exp2((at_s - start_s) / 21_600.0)).min(5.0);
        at_s += draw.wait(1.0 / per_s);
        times.push(at_s);
    }
    let rows = together(vec![SHOP.ordinary(8.0 * DAY_S, 0.3, seed), bots(times, seed)]);
    let expect = Expectation {
        start_s,
        verdicts: ATTACK,
        requests: 0.5,
        ..found(SHOP.host, &["http_flood", "scraping", "swarm"], 2.6 * DAY_S)
    };
    Scenario { rows, expect }
}

/// A site that people come to like: from the sixth day on half as many more each eight hours, until they are eight times as
/// many.
pub fn grown_over_days(seed: u64) -> Scenario {
    let mut layers = vec![SHOP.ordinary(8.0 * DAY_S, 0.1, seed)];
    let (mut per_s, mut at_s) = (0.1, 5.0 * DAY_S);
    while per_s < 0.8 {
        layers.push(from(at_s, 8.0 * DAY_S - at_s, per_s / 2.0, seed * 50 + layers.len() as u64));
        (per_s, at_s) = (per_s * 1.5, at_s + 28_800.0);
    }
    Scenario { rows: together(layers), expect: nothing() }
}

/// Incidents of any verdict on each day.
fn of_days(rows: &[Row]) -> Vec<usize> {
    let (findings, _) = detect(rows);
    let day = |incident: &&Incident| (incident.detected_ts - EPOCH) / (DAY_S * 1e6) as i64;
    let incidents = latest(&findings);
    let days: Vec<i64> = incidents.iter().map(day).collect();
    (0..14).map(|day| days.iter().filter(|of| **of == day).count()).collect()
}

#[test]
fn an_evening_is_news_on_the_first_days_only() {
    let quiet = SHOP.ordinary(14.0 * DAY_S, QUIET_PER_S, 1);
    let came = of_days(&together(vec![quiet, evenings(0..14, 1)]));
    assert!(came[0] > 0, "the first evening is no news, so that the others say nothing: {came:?}");
    assert_eq!(came[3..], [0; 11], "incidents of each day: {came:?}");
}
