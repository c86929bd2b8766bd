//! Many homes, few requests each: scrapers behind residential proxies.

use super::expect::{Expectation, START_S, Scenario, found};
use super::scene::{around, hostile, times};
use crate::traffic::agents::{Agent, current, old};
use crate::traffic::people::{Person, home};
use crate::traffic::row::combined;
use crate::traffic::sites::{CATALOGUE, Site, WIKI};
use crate::traffic::{Draw, Row, together};

/// Half of the 140 browsers a swarm pretends to be are in use, half are three years old.
fn pretended(draw: &mut Draw) -> Agent {
    let list = if draw.chance(0.5) { current() } else { old() };
    list[draw.below(70.min(list.len() as u64)) as usize].clone()
}

/// Somebody of the swarm, in one of many networks.
fn member(draw: &mut Draw, who: u64) -> Person {
    let network = if draw.chance(0.2) { draw.below(60) } else { 1_000 + draw.below(1_500) };
    Person { home: home(network, 900_000 + who), agent: pretended(draw), returns: false }
}

/// 4.7 pages a second for 40 minutes from 2,800 homes, 1 to 16 pages each: no assets, no referer.
fn homes(site: &Site, seed: u64, page: impl Fn(&mut Draw, u64) -> (String, String)) -> Vec<Row> {
    let mut draw = Draw::of(seed, 31);
    let mut rows = Vec::new();
    for who in 0..2_800 {
        let person = member(&mut draw, who);
        let mut at = START_S + draw.between(0.0, 2_300.0);
        for _ in 0..draw.several(4.4, 16) {
            let (path, query) = page(&mut draw, rows.len() as u64);
            let mut row = person.asks(site, at, &path);
            row.query = Some(query).filter(|query| !query.is_empty());
            rows.push(row);
            at += 1.0 + draw.wait(20.0);
        }
    }
    hostile(rows)
}

fn expect_swarm() -> Expectation {
    Expectation {
        collateral: 0.02,
        browsers: 0.5,
        requests: 0.5,
        ..found(WIKI.host, &["scraping", "swarm"], 1_800.0)
    }
}

/// Pages of a wiki's versions.
pub fn of_versions(seed: u64) -> Scenario {
    let swarm = homes(&WIKI, seed, |draw, _| {
        let title = (WIKI.page)(draw.below(5_900) / 23 * 23).0.replace("/wiki/", "");
        let version = 40_000 + draw.below(50_000);
        (
            "/index.php".into(),
            format!("title={title}&diff={}&oldid={version}", version + 1 + draw.below(40)),
        )
    });
    let rows = together(vec![around(&WIKI, 8.0, 2_400.0, seed), swarm]);
    Scenario { rows: combined(rows), expect: expect_swarm() }
}

/// Paths that are asked for once each.
pub fn of_paths(seed: u64) -> Scenario {
    let swarm = homes(&WIKI, seed, |draw, n| {
        (format!("/wiki/Special:Old/{}/{}", n, 40_000 + draw.below(50_000)), String::new())
    });
    let rows = together(vec![around(&WIKI, 8.0, 2_400.0, seed), swarm]);
    Scenario { rows: combined(rows), expect: expect_swarm() }
}

/// Addresses that ask once or twice for a work nobody asked for, and meet a page that asks for a proof.
pub fn challenged(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 32);
    let mut rows = Vec::new();
    for (n, at) in times(&mut draw, (START_S, START_S + 1_800.0), 15.0).into_iter().enumerate() {
        let who = (n as u64 * 2) / 3;
        let mut own = Draw::of(seed, 70_000 + who);
        let person = member(&mut own, who);
        let mut row =
            person.asks(&CATALOGUE, at, &format!("/works/{}", 60_000 + draw.below(900_000)));
        if draw.chance(0.97) {
            (row.status, row.bytes, row.duration_us) = (403, 4_900, Some(400));
            row.cache = Some("none");
        }
        rows.push(row);
    }
    let rows = together(vec![around(&CATALOGUE, 6.0, 1_800.0, seed), hostile(rows)]);
    let expect = Expectation {
        collateral: 0.02,
        requests: 0.9,
        ..found(CATALOGUE.host, &["scraping", "swarm"], 1_800.0)
    };
    Scenario { rows, expect }
}
