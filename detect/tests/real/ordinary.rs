//! Nothing happens: an hour and a half of each site.

use super::expect::{Scenario, nothing};
use super::scene::lasting;
use crate::traffic::row::combined;
use crate::traffic::sites::{BLOG, CATALOGUE, CHAT, CLOUD, NEWS, SHOP, SMALL, Site, WIKI};
use crate::traffic::together;

fn quiet(site: &Site, per_s: f64, seed: u64) -> Scenario {
    let rows = lasting(site, per_s, 5_400.0, seed);
    // Every other run has the columns of a combined line only.
    Scenario { rows: if seed.is_multiple_of(2) { rows } else { combined(rows) }, expect: nothing() }
}

pub fn blog(seed: u64) -> Scenario {
    quiet(&BLOG, 1.5, seed)
}

pub fn wiki(seed: u64) -> Scenario {
    quiet(&WIKI, 8.0, seed)
}

pub fn catalogue(seed: u64) -> Scenario {
    quiet(&CATALOGUE, 6.0, seed)
}

pub fn news(seed: u64) -> Scenario {
    quiet(&NEWS, 20.0, seed)
}

pub fn shop(seed: u64) -> Scenario {
    quiet(&SHOP, 5.0, seed)
}

pub fn chat(seed: u64) -> Scenario {
    quiet(&CHAT, 30.0, seed)
}

pub fn cloud(seed: u64) -> Scenario {
    quiet(&CLOUD, 2.0, seed)
}

/// Half a day of sites of 0.05 to 0.6 requests a second.
pub fn small(seed: u64) -> Scenario {
    const HOSTS: [(&str, f64); 4] = [
        ("choir.example", 0.05),
        ("club.example", 0.1),
        ("school.example", 0.3),
        ("parish.example", 0.6),
    ];
    let site = |(n, (host, per_s)): (usize, (&'static str, f64))| {
        SMALL.named(host).ordinary(43_200.0, per_s, seed + 100 * n as u64)
    };
    let rows = together(HOSTS.into_iter().enumerate().map(site).collect());
    Scenario { rows: combined(rows), expect: nothing() }
}
