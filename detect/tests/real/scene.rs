//! What scenarios have in common: ordinary traffic of two sites around an event.

use super::expect::START_S;
use crate::traffic::sites::{SMALL, Site};
use crate::traffic::{Draw, Row, together};

/// Ordinary traffic of a site and of a small one beside it: until `event_s` after the start of the event and a
/// quarter of an hour more.
pub fn around(site: &Site, per_s: f64, event_s: f64, seed: u64) -> Vec<Row> {
    lasting(site, per_s, START_S + event_s + 900.0, seed)
}

/// The same for this many seconds in all.
pub fn lasting(site: &Site, per_s: f64, seconds: f64, seed: u64) -> Vec<Row> {
    let beside = SMALL.named("beside.example");
    together(vec![site.ordinary(seconds, per_s, seed), beside.ordinary(seconds, 0.6, seed + 500)])
}

/// Times of events that come by chance, `per_s` a second, between two seconds.
pub fn times(draw: &mut Draw, (from_s, to_s): (f64, f64), per_s: f64) -> Vec<f64> {
    let (mut all, mut at) = (Vec::new(), from_s);
    loop {
        at += draw.wait(1.0 / per_s);
        if at >= to_s {
            return all;
        }
        all.push(at);
    }
}

/// Marks rows as what the scenario holds to be the attack.
pub fn hostile(mut rows: Vec<Row>) -> Vec<Row> {
    for row in &mut rows {
        row.hostile = true;
    }
    rows
}
