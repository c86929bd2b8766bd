//! The site's own faults: what visitors get to feel is no attack by them.

use super::expect::{START_S, Scenario, nothing};
use super::scene::around;
use crate::traffic::row::combined;
use crate::traffic::sites::{NEWS, SHOP};
use crate::traffic::{Draw, time};

/// For five minutes the origin answers nine of ten with 502; people reload.
pub fn origin_down(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 111);
    let mut rows = around(&SHOP, 6.0, 300.0, seed);
    let down = time(START_S)..time(START_S + 300.0);
    let mut again = Vec::new();
    for row in rows.iter_mut().filter(|row| row.host == SHOP.host && down.contains(&row.ts)) {
        if draw.chance(0.9) {
            (row.status, row.bytes) = (502, 160);
            if !row.path.contains('.') && draw.chance(0.6) {
                let mut reload = row.clone();
                reload.ts += 1_500_000 + draw.below(6_000_000) as i64;
                again.push(reload);
            }
        }
    }
    rows.extend(again);
    rows.sort_by_key(|row| row.ts);
    Scenario { rows: combined(rows), expect: nothing() }
}

/// A release renames the assets; pages that are still in caches ask for the old ones for twenty minutes.
pub fn deploy(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 112);
    let mut rows = around(&NEWS, 8.0, 1_200.0, seed);
    for row in rows.iter_mut().filter(|row| row.path.starts_with("/build/")) {
        let after_s = row.at_s() - START_S;
        let old = after_s < 0.0 || draw.unit() * 1_200.0 > after_s;
        let release = if old { "81c2" } else { "93fa" };
        row.path = row.path.replace("/build/", &format!("/build/{release}/"));
        if old && after_s >= 0.0 {
            (row.status, row.bytes) = (404, 150);
        }
    }
    Scenario { rows: combined(rows), expect: nothing() }
}
