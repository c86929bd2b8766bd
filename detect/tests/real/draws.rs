//! Who draws the same large thing again and again, and those who draw each thing once.

use super::expect::{ATTACK, Expectation, START_S, Scenario, found, nothing};
use super::scene::{around, hostile, times};
use crate::traffic::people::{Person, home};
use crate::traffic::sites::{SHOP, Site};
use crate::traffic::{Draw, Row, together};

const SUSPICIOUS: &[schemas::Verdict] = &[schemas::Verdict::Suspicious];

const IMAGE: &str = "/images/current/netinst.iso";

/// A mirror: people take an image now and then, machines their updates.
fn mirror(site: &Site, seconds: f64, seed: u64) -> Vec<Row> {
    let mut draw = Draw::of(seed, 151);
    let mut rows = Vec::new();
    for (n, at) in (0_u64..).zip(times(&mut draw, (0.0, START_S + seconds + 900.0), 0.5)) {
        let person = Person { home: home(20_000 + n % 5_000, n), ..Person::visitor(300_000 + n) };
        let updates = (0..=draw.below(6)).map(|_| {
            let bytes = draw.between(2e4, 6e7) as i64;
            (format!("/pool/main/{}.deb", draw.below(4_000)), bytes)
        });
        let wanted: Vec<(String, i64)> = if n.is_multiple_of(20) {
            vec![(IMAGE.into(), 790_000_000)]
        } else {
            updates.collect()
        };
        for (k, (path, bytes)) in (0..).zip(wanted) {
            rows.push(Row { bytes, ..person.asks(site, at + f64::from(k), &path) });
        }
    }
    rows
}

fn one(n: u64) -> Person {
    Person { home: home(25_500 + n, n), ..Person::visitor(310_000 + n) }
}

/// So many machines draw the image every 25 seconds each, for so long.
fn again(machines: u64, last_s: f64, seed: u64) -> Vec<Row> {
    let mut draw = Draw::of(seed, 152);
    let all = times(&mut draw, (START_S, START_S + last_s), machines as f64 / 25.0);
    let ask = |at| {
        let row = one(draw.below(machines)).asks(&SHOP, at, IMAGE);
        Row { bytes: 790_000_000, ..row }
    };
    hostile(all.into_iter().map(ask).collect())
}

fn beside(rows: Vec<Row>, seconds: f64, expect: Expectation, seed: u64) -> Scenario {
    let ordinary = vec![around(&SHOP, 2.0, seconds, seed), mirror(&SHOP, seconds, seed)];
    Scenario { rows: together([ordinary, vec![rows]].concat()), expect }
}

/// Six machines do: 190 megabytes a second, and a request every four.
pub fn of_six(seed: u64) -> Scenario {
    let expect = Expectation {
        verdicts: ATTACK,
        sources: 1.0,
        named: 1.0,
        visitors: 0,
        at_most: 1,
        ..found(SHOP.host, &["bulk_download"], 600.0)
    };
    beside(again(6, 2_700.0, seed), 2_700.0, expect, seed)
}

/// One does, and may have a reason.
pub fn of_one(seed: u64) -> Scenario {
    let expect = Expectation {
        verdicts: SUSPICIOUS,
        sources: 1.0,
        named: 1.0,
        visitors: 0,
        at_most: 1,
        ..found(SHOP.host, &["bulk_download"], 900.0)
    };
    beside(again(1, 2_700.0, seed), 2_700.0, expect, seed)
}

/// A backup, a download in parts, a mirror that is brought up to date, two whose downloads fail, and many updates.
pub fn each_once(seed: u64) -> Scenario {
    let mut rows = Vec::new();
    let mut ask = |who: u64, after_s: f64, path: &str, (status, bytes): (i32, i64)| {
        let row = one(who).asks(&SHOP, START_S + after_s, path);
        rows.push(Row { status, bytes, ..row });
    };
    ask(1, 10.0, "/backup/full.tar", (200, 4_000_000_000));
    for n in 0..60 {
        ask(2, 20.0 + 9.0 * f64::from(n), IMAGE, (206, 13_000_000));
    }
    for n in 0..150 {
        ask(3, 30.0 + 6.0 * f64::from(n), &format!("/pool/main/{n}.deb"), (200, 60_000_000));
    }
    for n in 0..4 {
        for who in 4..6 {
            ask(who, 40.0 + 120.0 * f64::from(n), IMAGE, (200, 500_000_000));
        }
    }
    for who in 10..200 {
        ask(who, 60.0 + 3.0 * who as f64, "/updates/2026-03.bin", (200, 300_000_000));
    }
    beside(rows, 1_200.0, nothing(), seed)
}
