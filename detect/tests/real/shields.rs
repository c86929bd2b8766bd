//! What is merely suspicious hides nothing that is more.

use super::expect::{ATTACK, Expectation, START_S, Scenario, found};
use super::scene::{around, hostile, times};
use crate::traffic::people::{Person, home};
use crate::traffic::sites::SHOP;
use crate::traffic::{Draw, Row, together};

const SUSPICIOUS: &[schemas::Verdict] = &[schemas::Verdict::Suspicious];

fn one() -> Person {
    Person { home: home(9_990, 4), ..Person::visitor(94_000) }
}

/// One machine asks for a report that takes the origin some seconds, so many times a second.
fn reports(per_s: f64, seconds: f64, seed: u64) -> Vec<Row> {
    let mut draw = Draw::of(seed, 131);
    let all = times(&mut draw, (START_S, START_S + seconds), per_s);
    let ask = |at| {
        let mut row = one().asks(&SHOP, at, "/reports/export");
        row.duration_us = Some(draw.between(4e6, 10e6) as i64);
        row
    };
    hostile(all.into_iter().map(ask).collect())
}

fn beside(rows: Vec<Row>, seconds: f64, seed: u64, expect: Expectation) -> Scenario {
    let rows = together(vec![rows, around(&SHOP, 4.0, seconds, seed)]);
    let expect = Expectation { sources: 1.0, named: 1.0, visitors: 0, at_most: 1, ..expect };
    Scenario { rows, expect }
}

/// So often that the time tells first, and the rate a moment later.
pub fn flood_that_takes_long(seed: u64) -> Scenario {
    let kinds = &["app_exhaustion", "http_flood"];
    let expect = Expectation { verdicts: ATTACK, requests: 0.9, ..found(SHOP.host, kinds, 15.0) };
    beside(reports(60.0, 300.0, seed), 300.0, seed, expect)
}

/// No more often than a job does: what one address wants stays suspicious.
pub fn job_that_takes_long(seed: u64) -> Scenario {
    let expect =
        Expectation { verdicts: SUSPICIOUS, ..found(SHOP.host, &["app_exhaustion"], 300.0) };
    beside(reports(1.5, 900.0, seed), 900.0, seed, expect)
}

/// Minutes later the same address searches for paths, and that is an attack from then on.
pub fn search_behind_a_job(seed: u64) -> Scenario {
    let guess = |n: u64| {
        let path = format!("/backup{}.{}", n / 3, ["zip", "sql", "php"][(n % 3) as usize]);
        let mut row = one().asks(&SHOP, START_S + 300.0 + n as f64, &path);
        (row.status, row.bytes) = (404, 2_900);
        row
    };
    let rows = vec![reports(1.5, 900.0, seed), hostile((0..400).map(guess).collect())];
    let expect = Expectation {
        verdicts: ATTACK,
        // It wants its reports meanwhile, so that most of what it asks for is there.
        ..found(SHOP.host, &["content_discovery", "vuln_scan", "scraping"], 300.0)
    };
    beside(together(rows), 900.0, seed, expect)
}
