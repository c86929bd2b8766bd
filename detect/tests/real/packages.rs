//! Registries of packages: programs that fetch hundreds of documents in a burst.

use super::expect::{ATTACK, Expectation, Scenario, found, nothing};
use super::scene::{hostile, times};
use crate::traffic::draw::mix;
use crate::traffic::people::home;
use crate::traffic::robots::asks;
use crate::traffic::row::{Text, combined};
use crate::traffic::sites::{SMALL, Site};
use crate::traffic::{Draw, Row, together};

const REGISTRY: Site = SMALL.named("packages.example");

/// Seconds of the first look at a registry.
const SHORT_S: f64 = 2_100.0;

const PROGRAMS: [&str; 4] = [
    "npm/10.9.2 node/v22.14.0 linux x64 workspaces/false",
    "npm/10.8.2 node/v20.18.3 linux x64 workspaces/false ci/github-actions",
    "pnpm/10.6.2 npm/? node/v22.14.0 linux x64",
    "yarn/1.22.22 npm/? node/v20.18.3 linux x64",
];

/// Name of a package.
fn package(n: u64) -> String {
    let word = |n: u64| {
        ["wald", "licht", "berg", "fluss", "stein", "wind", "feld", "moor"][(n % 8) as usize]
    };
    if n.is_multiple_of(9) {
        return format!("@intern/{}-{}", word(n / 9), word(n / 72));
    }
    format!("{}.{}{}", word(n), word(n / 8), n / 64)
}

/// A program of a client asks for so many packages, twenty requests a second.
fn installation(draw: &mut Draw, from_s: f64, client: u64, count: u64) -> Vec<Row> {
    let agent: Text = PROGRAMS[(mix(client) % 4) as usize].into();
    let (mut rows, mut at) = (Vec::new(), from_s);
    for _ in 0..count {
        let name = package(draw.below(2_800));
        let bytes = 1_500 + draw.below(90_000) as i64;
        let ip = home(7_800 + client, 3).ip;
        let row = asks(&REGISTRY, at, ip.clone(), &agent, format!("/{name}"));
        rows.push(Row { bytes, ..row });
        at += draw.between(0.02, 0.08);
        if draw.chance(0.3) {
            let path = format!("/{name}/-/{}-1.0.{}.tgz", name.replace('/', "-"), draw.below(9));
            let row = asks(&REGISTRY, at, ip, &agent, path);
            rows.push(Row { bytes: 4 * bytes, ..row });
            at += draw.between(0.02, 0.08);
        }
    }
    rows
}

/// Ten installations a minute, most of them of a few packages.
fn registry(seconds: f64, seed: u64) -> Vec<Row> {
    let mut draw = Draw::of(seed, 301);
    let mut rows = Vec::new();
    for at in times(&mut draw, (0.0, seconds), 1.0 / 6.0) {
        let client = draw.below(150);
        let count = if draw.chance(0.04) { 200 + draw.below(200) } else { draw.several(20.0, 120) };
        rows.extend(installation(&mut draw, at, client, count));
    }
    together(vec![rows, SMALL.named("beside.example").ordinary(seconds, 0.6, seed + 500)])
}

/// In the first half an hour that a registry is looked at, some install hundreds of packages.
pub fn installations(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 302);
    let rows = (1..10).map(|n| {
        let at = 150.0 * n as f64 + draw.between(0.0, 100.0);
        installation(&mut draw, at, 300 + n, 350)
    });
    let rows = together([registry(SHORT_S, seed)].into_iter().chain(rows).collect());
    Scenario { rows: combined(rows), expect: nothing() }
}

fn early(kinds: &'static [&'static str], within_s: f64) -> Expectation {
    Expectation { start_s: 900.0, verdicts: ATTACK, ..found(REGISTRY.host, kinds, within_s) }
}

/// A program that goes on: ever new packages, forty a second, within the first half an hour.
pub fn goes_on(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 303);
    let rows = (0..10).flat_map(|n| installation(&mut draw, 900.0 + 10.0 * f64::from(n), 400, 300));
    let rows = together(vec![registry(SHORT_S, seed), hostile(rows.collect())]);
    let expect = early(&["http_flood", "scraping", "bulk_download"], 120.0);
    Scenario { rows: combined(rows), expect }
}

/// The same thing asked for again and again, sixty times a second, within the first half an hour.
pub fn asks_again(seed: u64) -> Scenario {
    let agent: Text = PROGRAMS[0].into();
    let ask = |n: u64| {
        let path = format!("/{}", package(n % 3));
        asks(&REGISTRY, 900.0 + n as f64 / 60.0, home(8_300, 3).ip, &agent, path)
    };
    let rows = together(vec![registry(SHORT_S, seed), hostile((0..2_400).map(ask).collect())]);
    Scenario { rows: combined(rows), expect: early(&["http_flood"], 30.0) }
}
