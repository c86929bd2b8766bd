//! Requests that never come, or are broken off as soon as they have.

use super::expect::{ATTACK, Expectation, START_S, Scenario, found, nothing};
use super::scene::{around, hostile, times};
use crate::traffic::agents;
use crate::traffic::people::{Home, Person, home};
use crate::traffic::row::combined;
use crate::traffic::sites::{NEWS, SHOP, Site};
use crate::traffic::{Draw, Row, together};

const KINDS: &[&str] = &["slow_http", "stream_abuse", "http_flood"];

/// A connection that sent nothing until the server's patience ended: no request at all.
fn silence(at_s: f64, ip: String) -> Row {
    let mut row = Row::page(at_s, ip, String::new());
    (row.host, row.method, row.agent, row.ja4) = (NEWS.host.into(), "", "".into(), None);
    (row.status, row.bytes) = (408, 0);
    row
}

/// What visitors' browsers open in advance and never use, all the time.
fn preconnects(until_s: f64, seed: u64) -> Vec<Row> {
    let mut draw = Draw::of(seed, 63);
    let all = times(&mut draw, (0.0, until_s), 0.3);
    all.into_iter().map(|at| silence(at, Person::visitor(draw.below(18_000)).home.ip)).collect()
}

/// Preconnects alone.
pub fn preconnects_alone(seed: u64) -> Scenario {
    let rows = vec![around(&NEWS, 8.0, 600.0, seed), preconnects(START_S + 1_500.0, seed)];
    Scenario { rows: combined(together(rows)), expect: nothing() }
}

/// Connections that are held open and send nothing: 15 a second from 30 addresses for 20 minutes.
pub fn connections(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 61);
    let held = times(&mut draw, (START_S, START_S + 1_200.0), 15.0);
    let rows = held.into_iter().map(|at| silence(at, home(5_000 + draw.below(30), 3).ip));
    let rows = together(vec![
        around(&NEWS, 20.0, 1_200.0, seed),
        preconnects(START_S + 2_100.0, seed),
        hostile(rows.collect()),
    ]);
    let expect =
        Expectation { sources: 1.0, named: 1.0, visitors: 5, ..found(NEWS.host, KINDS, 300.0) };
    Scenario { rows: combined(rows), expect }
}

fn machine(n: u64) -> Person {
    let Home { ip, .. } = home(5_100 + n, n);
    let home = Home { ip, asn: 14_061, country: "US" };
    Person { home, agent: agents::current()[(n % 3) as usize].clone(), returns: false }
}

fn broken_off(
    site: &Site,
    seed: u64,
    (machines, per_s, last_s): (u64, f64, f64),
    status: impl Fn(&mut Draw) -> i32,
) -> Vec<Row> {
    let mut draw = Draw::of(seed, 62);
    let all = times(&mut draw, (START_S, START_S + last_s), per_s);
    let mut rows = Vec::new();
    for at in all {
        let mut row = machine(draw.below(machines)).asks(site, at, "/");
        (row.status, row.bytes, row.duration_us) = (status(&mut draw), 0, Some(900));
        rows.push(row);
    }
    hostile(rows)
}

/// Streams that are reset as soon as they are opened; a fifth is logged without a status.
pub fn rapid_reset(seed: u64) -> Scenario {
    let resets =
        broken_off(&SHOP, seed, (50, 200.0, 120.0), |draw| if draw.chance(0.2) { 0 } else { 499 });
    let rows = together(vec![around(&SHOP, 6.0, 120.0, seed), resets]);
    let expect = Expectation {
        verdicts: ATTACK,
        sources: 0.95,
        requests: 0.95,
        ..found(SHOP.host, KINDS, 60.0)
    };
    Scenario { rows: combined(rows), expect }
}

/// A surge of requests broken off or never finished, from 40 machines.
pub fn stream_abuse(seed: u64) -> Scenario {
    let surge =
        broken_off(&NEWS, seed, (40, 60.0, 180.0), |draw| if draw.chance(0.3) { 408 } else { 499 });
    let rows = together(vec![around(&NEWS, 15.0, 180.0, seed), surge]);
    let expect = Expectation { sources: 0.9, ..found(NEWS.host, KINDS, 120.0) };
    Scenario { rows, expect }
}
