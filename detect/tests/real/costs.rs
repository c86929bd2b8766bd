//! Floods of the plainest kinds: by one machine, past the caches, for what costs the origin most. And a crawl that is
//! none of them.

use super::expect::{ATTACK, Expectation, HARMFUL, START_S, Scenario, found, nothing};
use super::scene::{around, hostile, times};
use crate::traffic::people::{Person, home};
use crate::traffic::row::combined;
use crate::traffic::sites::{BLOG, NEWS, SHOP, Site};
use crate::traffic::{Draw, Row, agents, robots, together};

/// One of so many machines that pose as browsers of some years ago.
fn machine(draw: &mut Draw, network: u64, machines: u64) -> Person {
    let n = draw.below(machines);
    let agent = agents::old()[(n % 8) as usize].clone();
    Person { home: home(network + n % 120, n), agent, returns: false }
}

fn flooded(site: &Site, per_s: f64, rows: Vec<Row>, seed: u64) -> Vec<Row> {
    together(vec![hostile(rows), around(site, per_s, 180.0, seed)])
}

/// One machine asks for three pages over and over, 60 times a second for two minutes.
pub fn one_machine(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 121);
    let agent = agents::current()[2].clone();
    let one = Person { home: home(9_820, 1), agent, returns: false };
    let all = times(&mut draw, (START_S, START_S + 120.0), 60.0);
    let rows = all.into_iter().map(|at| one.asks(&NEWS, at, &(NEWS.page)(draw.below(3)).0));
    let rows = combined(flooded(&NEWS, 8.0, rows.collect(), seed));
    let expect = Expectation {
        verdicts: ATTACK,
        named: 1.0,
        visitors: 0,
        requests: 0.9,
        ..found(NEWS.host, &["http_flood"], 10.0)
    };
    Scenario { rows, expect }
}

/// The front page under ever new queries, 60 times a second from 400 addresses, so that no cache answers.
pub fn past_the_caches(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 122);
    let all = times(&mut draw, (START_S, START_S + 120.0), 60.0);
    let ask = |at| {
        let mut row = machine(&mut draw, 9_830, 400).asks(&NEWS, at, "/");
        row.query = Some(format!("{:x}={:x}", draw.below(1 << 20), draw.below(1 << 30)));
        row.cache = Some("miss");
        row
    };
    let rows = all.into_iter().map(ask).collect();
    let expect = Expectation {
        verdicts: ATTACK,
        requests: 0.9,
        ..found(NEWS.host, &["cache_busting"], 30.0)
    };
    Scenario { rows: flooded(&NEWS, 8.0, rows, seed), expect }
}

/// Ten searches a second from 200 addresses, each of which takes the origin four to nine seconds.
pub fn dear_searches(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 123);
    let words = ["red", "shoe", "small", "new", "sale", "a", "e", "x"];
    let all = times(&mut draw, (START_S, START_S + 150.0), 10.0);
    let ask = |at| {
        let mut row = machine(&mut draw, 9_960, 200).asks(&SHOP, at, "/search");
        row.query = Some(format!("q={}+{}&sort=price", draw.pick(&words), draw.pick(&words)));
        row.duration_us = Some(draw.between(4e6, 9e6) as i64);
        row
    };
    let rows = all.into_iter().map(ask).collect();
    let expect = Expectation {
        verdicts: ATTACK,
        requests: 0.9,
        ..found(SHOP.host, &["app_exhaustion"], 60.0)
    };
    Scenario { rows: flooded(&SHOP, 5.0, rows, seed), expect }
}

/// Ten searches a second of a site that has thirty-five requests a second, and answers them in a moment: these take six seconds. They
/// come from sixty addresses that read nothing else, each of words of its own.
pub fn dear_searches_of_a_busy_site(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 128);
    let all = times(&mut draw, (START_S, START_S + 600.0), 10.0);
    let ask = |at| {
        let who = draw.below(60);
        let one =
            Person { home: home(9_400 + who, who), agent: agents::of_visitor(who), returns: false };
        let mut row = one.asks(&SHOP, at, "/search");
        row.query = Some(format!("q={:x}", draw.below(1 << 40)));
        row.duration_us = Some(draw.between(4e6, 8e6) as i64);
        row
    };
    let rows = hostile(all.into_iter().map(ask).collect());
    let rows = together(vec![around(&SHOP, 35.0, 600.0, seed), rows]);
    let kinds = &["app_exhaustion"];
    let expect = Expectation { verdicts: ATTACK, requests: 0.9, ..found(SHOP.host, kinds, 90.0) };
    Scenario { rows, expect }
}

/// The first pages of a busy site take five seconds, for all who ask for them, as much as ever.
pub fn slow_pages_of_a_busy_site(seed: u64) -> Scenario {
    let mut rows = around(&SHOP, 35.0, 600.0, seed);
    let slow: Vec<String> = (0..4).map(|page| (SHOP.page)(page).0).collect();
    let of_late = rows.iter_mut().filter(|row| (START_S..START_S + 600.0).contains(&row.at_s()));
    for row in of_late.filter(|row| slow.contains(&row.path)) {
        row.duration_us = Some(5_000_000);
    }
    Scenario { rows, expect: nothing() }
}

/// So many homes, each of which asks every second for a report that takes the origin so long, µs.
fn reports(homes: u64, last_s: f64, duration_us: (f64, f64), seed: u64) -> Vec<Row> {
    let mut draw = Draw::of(seed, 124);
    let mut rows = Vec::new();
    for who in 0..homes {
        let person = Person { home: home(9_985 + who, 2), ..Person::visitor(92_000 + who) };
        for at in times(&mut draw, (START_S, START_S + last_s), 1.0) {
            let mut row = person.asks(&SHOP, at, "/reports/export");
            row.query = Some(format!("from=2025-0{}-01", 1 + draw.below(9)));
            row.duration_us = Some(draw.between(duration_us.0, duration_us.1) as i64);
            rows.push(row);
        }
    }
    rows
}

/// A dozen homes want reports that take eight to fifteen seconds.
pub fn dear_reports_of_few(seed: u64) -> Scenario {
    let rows = reports(12, 180.0, (8e6, 15e6), seed);
    let expect = Expectation {
        verdicts: ATTACK,
        sources: 1.0,
        ..found(SHOP.host, &["app_exhaustion"], 60.0)
    };
    Scenario { rows: flooded(&SHOP, 20.0, rows, seed), expect }
}

/// Three do, beside a busy site.
pub fn dear_reports_of_three(seed: u64) -> Scenario {
    let rows = reports(3, 300.0, (12e6, 12e6), seed);
    let expect = Expectation {
        sources: 1.0,
        named: 1.0,
        visitors: 0,
        ..found(SHOP.host, &["app_exhaustion"], 120.0)
    };
    Scenario { rows: flooded(&SHOP, 40.0, rows, seed), expect }
}

/// Three homes ask a shop for something that takes the origin three to eight seconds, every two seconds each, for twenty minutes.
pub fn dear_queries_for_long(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 127);
    let mut rows = Vec::new();
    for who in 0..3 {
        let person = Person { home: home(9_970 + who, 2), ..Person::visitor(93_000 + who) };
        for at in times(&mut draw, (START_S, START_S + 1_200.0), 0.5) {
            let mut row = person.asks(&SHOP, at, "/api/graph");
            (row.method, row.duration_us) = ("POST", Some(draw.between(3e6, 8e6) as i64));
            row.bytes = 2_000 + draw.below(60_000) as i64;
            rows.push(row);
        }
    }
    let rows = together(vec![hostile(rows), around(&SHOP, 5.0, 1_200.0, seed)]);
    let expect = Expectation {
        verdicts: HARMFUL,
        sources: 1.0,
        named: 1.0,
        visitors: 0,
        ..found(SHOP.host, &["app_exhaustion"], 600.0)
    };
    Scenario { rows, expect }
}

/// One of them wants as much for twenty minutes, as a report is made, while two hundred wait for slow pages.
pub fn slow_pages_for_all(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 128);
    let mut rows = around(&SHOP, 6.0, 1_200.0, seed);
    for row in &mut rows {
        if row.at_s() > 1_800.0 && row.path.starts_with("/p/") {
            row.duration_us = Some(draw.between(1e6, 5e6) as i64);
        }
    }
    let one = Person { home: home(9_971, 2), ..Person::visitor(93_010) };
    for at in times(&mut draw, (START_S, START_S + 1_200.0), 0.03) {
        let mut row = one.asks(&SHOP, at, "/api/graph");
        row.duration_us = Some(draw.between(8e6, 14e6) as i64);
        rows.push(row);
    }
    Scenario { rows: together(vec![rows]), expect: nothing() }
}

/// One machine writes thirty times a second where it is asked to pay each time.
pub fn flood_that_is_turned_down(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 126);
    let one = machine(&mut draw, 9_840, 1);
    let all = times(&mut draw, (START_S, START_S + 60.0), 30.0);
    let ask = |at| {
        let mut row = one.asks(&SHOP, at, "/api/v1/translate");
        (row.method, row.status, row.bytes) = ("POST", 402, 90);
        row
    };
    let rows = all.into_iter().map(ask).collect();
    let expect = Expectation {
        verdicts: ATTACK,
        named: 1.0,
        visitors: 0,
        ..found(SHOP.host, &["http_flood"], 15.0)
    };
    // Beside so much that the host's own rate does not tell.
    Scenario { rows: flooded(&SHOP, 60.0, rows, seed), expect }
}

/// A search engine reads a blog from one address, two pages a second: faster than anybody else there, and bearable.
pub fn brisk_crawl(seed: u64) -> Scenario {
    let agent = "Mozilla/5.0 (compatible; Exampleseek/1.2; +https://seek.example/about-our-bot)";
    let time = (START_S, START_S + 600.0);
    let rows = robots::crawl(&BLOG, time, 2.0, agent, (&["141.98"], 1), seed);
    let rows = together(vec![rows, around(&BLOG, 1.5, 600.0, seed)]);
    Scenario { rows: combined(rows), expect: nothing() }
}
