//! Those who make the origin work: pictures in ever new sizes past the caches, the dearest endpoint of an application; and crowds who
//! ask for the same.

use super::expect::{ATTACK, Expectation, HARMFUL, START_S, Scenario, found, nothing};
use super::scene::{hostile, times};
use crate::traffic::people::{Person, home, home_of};
use crate::traffic::sites::{NEWS, Site};
use crate::traffic::{Draw, Row, agents, together};

/// Serves pictures in the size that is asked for, to the pages of others.
const PICTURES: Site = Site { host: "img.example", ..NEWS };

/// Answers an application for travellers.
const TRAVEL: Site = Site { host: "api.travel.example", ..NEWS };

/// Pictures of a page of somebody else, in the sizes of its readers.
fn looks(draw: &mut Draw, at_s: f64, who: &Person, pictures: &[u64], leads: bool) -> Vec<Row> {
    let width = *draw.pick(&[160, 320, 320, 640, 640, 960, 1_280]);
    let mut shows = |n: &u64| {
        let path = format!("/img/w_{width},q_80/{}/{n:06x}.jpg", n % 80);
        let mut row = who.asks(&PICTURES, at_s + draw.between(0.0, 1.5), &path);
        let took = if draw.chance(0.95) { 6e3 } else { 3e5 };
        (row.cache, row.ja4) = (None, None);
        row.duration_us = Some(draw.between(0.5 * took, 1.5 * took) as i64);
        row.referer = leads.then(|| format!("https://www.site-{}.example/", n % 50));
        row
    };
    pictures.iter().map(&mut shows).collect()
}

/// Ordinary traffic of the pictures' host.
fn pictures(per_s: f64, seconds: f64, seed: u64) -> Vec<Row> {
    let mut draw = Draw::of(seed, 701);
    let mut rows = Vec::new();
    for at in times(&mut draw, (0.0, seconds), per_s / 6.0) {
        let who = Person::visitor(draw.below(4_000));
        let wanted: Vec<u64> = (0..6).map(|_| draw.zipf(6_000)).collect();
        rows.extend(looks(&mut draw, at, &who, &wanted, true));
    }
    rows
}

/// 150 addresses ask for one picture in ever new sizes, 60 times a second, each of which takes half a second.
pub fn ever_new_sizes(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 702);
    let ask = |at| {
        let n = draw.below(150);
        let agent = agents::of_visitor(90_000 + n);
        let one = Person { home: home(9_000 + n, n), agent, returns: false };
        let (width, quality) = (17 + draw.below(5_000), 1 + draw.below(100));
        let path = format!("/img/w_{width},q_{quality}/05/0000af.jpg");
        let mut row = one.asks(&PICTURES, at, &path);
        (row.cache, row.ja4) = (None, None);
        row.duration_us = Some(draw.between(2e5, 8e5) as i64);
        if draw.chance(0.09) {
            (row.status, row.bytes) = (503, 190);
        }
        row
    };
    let mut at = Draw::of(seed, 703);
    let rows = times(&mut at, (START_S, START_S + 240.0), 60.0).into_iter().map(ask).collect();
    let rows = together(vec![pictures(12.0, START_S + 900.0, seed), hostile(rows)]);
    let expect = Expectation {
        verdicts: ATTACK,
        requests: 0.5,
        collateral: 0.2,
        ..found(PICTURES.host, &["cache_busting"], 60.0)
    };
    Scenario { rows, expect }
}

/// An application shows an album of 200 new pictures to a thousand people who were not there before: each picture has to be made once.
pub fn new_album(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 704);
    let mut rows = Vec::new();
    for who in 0..1_000 {
        let at = START_S + draw.between(0.0, 240.0);
        let person = Person { home: home_of(60_000 + who), ..Person::visitor(60_000 + who) };
        let wanted: Vec<u64> = (0..12).map(|_| 7_000 + draw.zipf(200)).collect();
        rows.extend(looks(&mut draw, at, &person, &wanted, false));
    }
    rows.sort_by_key(|row| row.ts);
    let mut made = std::collections::BTreeSet::new();
    for row in &mut rows {
        if made.insert(row.path.clone()) {
            row.duration_us = Some(400_000);
        }
    }
    let rows = together(vec![pictures(12.0, START_S + 900.0, seed), rows]);
    Scenario { rows, expect: nothing() }
}

/// What the application asks for, and how long that takes, µs.
const ENDPOINTS: [(&str, f64); 5] = [
    ("/v3/departures", 3e4),
    ("/v3/departures", 3e4),
    ("/v3/stops", 2e4),
    ("/v3/messages", 5e3),
    ("/v3/vehicles", 3e4),
];
const DEAR: (&str, f64) = ("/v3/journeys", 2.2e6);

/// One of so many who run the application.
fn traveller(n: u64, is_new: bool) -> Person {
    const APPS: [&str; 4] = [
        "Travel/7.2 (Android 14)",
        "Travel/7.2 (Android 13)",
        "Travel/712 CFNetwork/1490.0.4 Darwin/23.2.0",
        "Travel/7.1 (Android 12)",
    ];
    let place = if is_new { home(9_200 + n % 800, n) } else { home_of(n) };
    Person { home: place, agent: (APPS[(n % 4) as usize].into(), ""), returns: false }
}

/// One request of it.
fn app_asks(draw: &mut Draw, at_s: f64, who: &Person, (path, took): (&str, f64)) -> Row {
    let mut row = who.asks(&TRAVEL, at_s, path);
    row.query = Some(format!("from={}&to={}", draw.below(16_000), draw.below(16_000)));
    row.duration_us = Some(draw.between(0.6 * took, 1.4 * took) as i64);
    (row.cache, row.ja4, row.asn, row.country) = (None, None, None, None);
    if took > 1e6 && at_s > START_S && at_s < START_S + 600.0 && draw.chance(0.12) {
        (row.status, row.bytes) = (504, 160);
    }
    row
}

/// Travellers, so many requests a second, of which such a share is dear.
fn travellers((from_s, to_s): (f64, f64), per_s: f64, dear: f64, new: bool, seed: u64) -> Vec<Row> {
    let mut draw = Draw::of(seed, 705 + u64::from(new));
    let mut rows = Vec::new();
    for at in times(&mut draw, (from_s, to_s), per_s / 6.0) {
        let is_new = new && draw.chance(0.5);
        let who = traveller(draw.below(2_500) + if is_new { 40_000 } else { 0 }, is_new);
        for step in 0..6 {
            let what = if draw.chance(dear) { DEAR } else { *draw.pick(&ENDPOINTS) };
            let at = at + f64::from(step) * draw.between(0.5, 6.0);
            rows.push(app_asks(&mut draw, at, &who, what));
        }
    }
    rows
}

/// 250 homes under the application's name ask for journeys and nothing else, 40 times a second: the origin begins to fail.
pub fn dearest_endpoint(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 707);
    let mut rows = Vec::new();
    for at in times(&mut draw, (START_S, START_S + 600.0), 40.0) {
        let who = traveller(80_000 + draw.below(250), true);
        rows.push(app_asks(&mut draw, at, &who, DEAR));
    }
    let ordinary = travellers((0.0, START_S + 1_500.0), 8.0, 0.04, false, seed);
    let expect = Expectation {
        verdicts: HARMFUL,
        requests: 0.8,
        collateral: 0.1,
        ..found(TRAVEL.host, &["app_exhaustion"], 60.0)
    };
    Scenario { rows: together(vec![ordinary, hostile(rows)]), expect }
}

/// A strike is announced: as many requests by people, half of whom were not there before, some of them for journeys.
pub fn a_strike_is_announced(seed: u64) -> Scenario {
    let ordinary = travellers((0.0, START_S + 1_500.0), 8.0, 0.04, false, seed);
    let crowd = travellers((START_S, START_S + 600.0), 60.0, 0.3, true, seed);
    Scenario { rows: together(vec![ordinary, crowd]), expect: nothing() }
}
