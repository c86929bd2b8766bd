//! Passwords sprayed over a day on a host where many log in all the time, and more people than ever who log in.

use super::expect::{Expectation, HARMFUL, Scenario, found, nothing};
use super::scene::{hostile, times};
use crate::traffic::people::{Person, home};
use crate::traffic::row::combined;
use crate::traffic::sites::{NEWS, Site};
use crate::traffic::{Draw, Row, agents, together};

/// A bank.
const BANK: Site = Site { host: "bank.example", ..NEWS };

/// When it begins, seconds: after three hours and a half, since it takes two to know how many mistype.
const FROM_S: f64 = 12_600.0;

fn log_in(who: &Person, at_s: f64, fails: bool) -> Row {
    let mut row = who.asks(&BANK, at_s, "/auth/login");
    let token = 900 + (at_s * 7_919.0) as i64 % 900;
    (row.method, row.status, row.bytes) =
        if fails { ("POST", 401, 90) } else { ("POST", 200, token) };
    row
}

/// Customers who come in, one in fourteen at the second try, and look at their accounts.
fn customers((from_s, to_s): (f64, f64), per_s: f64, seed: u64) -> Vec<Row> {
    let mut draw = Draw::of(seed, 711);
    let mut rows = Vec::new();
    for at in times(&mut draw, (from_s, to_s), per_s) {
        let who = Person::visitor(draw.below(3_000));
        rows.push(who.asks(&BANK, at - 8.0, "/"));
        if draw.chance(0.07) {
            rows.push(log_in(&who, at, true));
        }
        rows.push(log_in(&who, at + 6.0, false));
        for step in 0..6 {
            let path = *draw.pick(&["/api/accounts", "/api/turnover", "/api/cards", "/api/inbox"]);
            rows.push(who.asks(&BANK, at + 8.0 + 4.0 * f64::from(step), path));
        }
    }
    rows
}

/// 300 homes try passwords, one in seven seconds in all, while twice as many customers come in.
pub fn among_those_who_come_in(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 712);
    let mut rows = Vec::new();
    for at in times(&mut draw, (FROM_S, FROM_S + 9_000.0), 0.15) {
        let n = draw.below(300);
        let agent = agents::of_visitor(70_000 + n);
        rows.push(log_in(&Person { home: home(9_400 + n, n), agent, returns: false }, at, true));
    }
    let ordinary = customers((10.0, FROM_S + 9_600.0), 0.3, seed);
    let expect = Expectation {
        verdicts: HARMFUL,
        start_s: FROM_S,
        collateral: 0.2,
        ..found(BANK.host, &["credential_stuffing"], 5_400.0)
    };
    Scenario { rows: combined(together(vec![ordinary, hostile(rows)])), expect }
}

/// Six times as many customers come in on the day on which they are paid.
pub fn on_payday(seed: u64) -> Scenario {
    let ordinary = customers((10.0, FROM_S + 9_600.0), 0.2, seed);
    let more = customers((FROM_S, FROM_S + 7_200.0), 1.0, seed + 900);
    Scenario { rows: combined(together(vec![ordinary, more])), expect: nothing() }
}
