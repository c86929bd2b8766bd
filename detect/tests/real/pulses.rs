//! Floods that come in pulses, minutes apart: one matter, while others that come after them are another.

use std::collections::BTreeSet;

use detect::DetectConfig;
use schemas::Verdict;

use super::expect::{ATTACK, Expectation, START_S, Scenario, found};
use super::scene::{around, hostile, times};
use crate::traffic::people::{Person, home};
use crate::traffic::sites::SHOP;
use crate::traffic::{Draw, Row, agents, detect_dealt, together};

/// A resolver: every program asks it the same way, some of them by the name that the bots have.
fn resolver(seconds: f64, seed: u64) -> Vec<Row> {
    let mut draw = Draw::of(seed, 161);
    let mut rows = Vec::new();
    for at in times(&mut draw, (0.0, START_S + seconds + 900.0), 6.0) {
        let n = draw.below(700);
        let agent = if n.is_multiple_of(25) {
            "Go-http-client/2.0".into()
        } else {
            draw.pick(agents::current()).0.clone()
        };
        rows.push(asks(
            &mut draw,
            at,
            &Person { home: home(6_000 + n, n), agent: (agent, ""), returns: true },
        ));
    }
    rows
}

fn asks(draw: &mut Draw, at: f64, who: &Person) -> Row {
    let mut row = who.asks(&SHOP, at, "/dns-query");
    row.query = Some(format!("dns=AAABAAABAAAAAAAA{:012x}", draw.below(1 << 40)));
    (row.bytes, row.referer) = (90, None);
    row
}

/// Ten seconds of 300 a second from 200 bots of one program.
fn pulse(from_s: f64, seed: u64) -> Vec<Row> {
    let mut draw = Draw::of(seed, 162);
    let mut rows = Vec::new();
    for at in times(&mut draw, (from_s, from_s + 10.0), 300.0) {
        let n = draw.below(200);
        let agent = ("Go-http-client/2.0".into(), "");
        rows.push(asks(&mut draw, at, &Person { home: home(9_000 + n, n), agent, returns: false }));
    }
    hostile(rows)
}

/// Seven pulses, five minutes apart.
pub fn of_a_resolver(seed: u64) -> Scenario {
    let pulses = (0..7_u64).map(|n| pulse(START_S + 300.0 * n as f64, seed * 10 + n));
    let parts = [around(&SHOP, 2.0, 2_100.0, seed), resolver(2_100.0, seed)];
    let expect = Expectation {
        verdicts: ATTACK,
        at_most: 1,
        requests: 0.9,
        ..found(SHOP.host, &["http_flood", "cache_busting"], 10.0)
    };
    Scenario { rows: together(pulses.chain(parts).collect()), expect }
}

#[test]
fn another_flood_within_a_quarter_of_an_hour_is_another_incident() {
    for seed in 1..=2 {
        let mut draw = Draw::of(seed, 163);
        let mut other = Vec::new();
        for at in times(&mut draw, (START_S + 400.0, START_S + 430.0), 100.0) {
            let n = draw.below(150);
            let agent = agents::old()[3].clone();
            let one = Person { home: home(8_000 + n, n), agent, returns: false };
            other.push(one.asks(&SHOP, at, &(SHOP.page)(draw.below(5)).0));
        }
        let parts =
            [pulse(START_S, seed), other, around(&SHOP, 2.0, 600.0, seed), resolver(600.0, seed)];
        let found = detect_dealt(&together(parts.into()), DetectConfig::default(), 1).incidents;
        let harmful = found.iter().filter(|one| one.verdict != Verdict::Benign);
        let ids: BTreeSet<&str> = harmful.map(|one| one.incident_id.as_str()).collect();
        assert_eq!(ids.len(), 2, "{found:#?}");
    }
}
