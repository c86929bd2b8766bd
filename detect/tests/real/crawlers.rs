//! Crawlers that do not send one name all the time, and who only says that he is one.

use super::expect::{ATTACK, Expectation, START_S, Scenario, found, nothing};
use super::scene::{around, hostile, times};
use crate::traffic::people::home;
use crate::traffic::row::{Text, combined};
use crate::traffic::sites::BLOG;
use crate::traffic::{Draw, Row, agents, robots, together};

/// Names its operator, with nothing in front of the address at which he tells of it.
const SEEKER: &str = "Exampleseek 1 (for information visit http://seek.example/about)";

/// Its helper for pictures.
const PICTURES: &str = "Seekbot-Image/1.0";

/// How long a crawl lasts, seconds.
const LASTS_S: f64 = 900.0;

fn browser() -> Text {
    agents::current()[0].0.clone()
}

/// Pages all over the site from one address, so many a second, each under the name that `name` gives it by its number.
fn crawl(
    (from_s, to_s): (f64, f64),
    per_s: f64,
    seed: u64,
    name: impl Fn(usize) -> Text,
) -> Vec<Row> {
    let mut draw = Draw::of(seed, 601);
    let all = times(&mut draw, (from_s, to_s), per_s);
    let ip = home(9_600, 1).ip;
    let ask = |(n, at): (usize, f64)| {
        let (path, query) = (BLOG.page)(1 + n as u64 % (BLOG.pages - 1));
        Row { query, ..robots::asks(&BLOG, at, ip.clone(), &name(n), path) }
    };
    all.into_iter().enumerate().map(ask).collect()
}

fn beside(rows: Vec<Row>, seed: u64, expect: Expectation) -> Scenario {
    let rows = together(vec![around(&BLOG, 1.5, LASTS_S, seed), rows]);
    Scenario { rows: combined(rows), expect }
}

fn copied() -> Expectation {
    Expectation { sources: 1.0, named: 1.0, ..found(BLOG.host, &["scraping"], 240.0) }
}

/// It looks at the first page under the name of a browser, reads on under its own, and its helper comes for pictures.
pub fn of_several_names(seed: u64) -> Scenario {
    let name = |n| if n == 0 { browser() } else { SEEKER.into() };
    let mut rows = crawl((START_S, START_S + LASTS_S), 1.6, seed, name);
    let mut draw = Draw::of(seed, 602);
    let ip = home(9_600, 1).ip;
    for at in times(&mut draw, (START_S + 100.0, START_S + LASTS_S), 0.2) {
        let picture = (BLOG.image)(draw.below(60), draw.below(3));
        rows.push(robots::asks(&BLOG, at, ip.clone(), &PICTURES.into(), picture));
    }
    beside(rows, seed, nothing())
}

/// Reads as a browser does not, under the name of one, but for the first line and one in ten.
pub fn poses_as_a_browser(seed: u64) -> Scenario {
    let name = |n| if n % 10 == 0 { SEEKER.into() } else { browser() };
    let rows = hostile(crawl((START_S, START_S + LASTS_S), 1.6, seed, name));
    beside(rows, seed, Expectation { verdicts: ATTACK, ..copied() })
}

/// Reads as a crawler does for a quarter of an hour, and then under the name of a browser.
pub fn goes_on_as_a_browser(seed: u64) -> Scenario {
    let began_s = START_S - 900.0;
    let as_crawler = crawl((began_s, START_S), 1.6, seed, |_| SEEKER.into());
    let as_browser = crawl((START_S, START_S + LASTS_S), 1.6, seed, |_| browser());
    let rows = together(vec![as_crawler, hostile(as_browser)]);
    // What it read as a crawler is of the same address.
    beside(rows, seed, Expectation { verdicts: ATTACK, collateral: 0.2, ..copied() })
}

/// Says whom it works for, and guesses paths, one a second.
pub fn searches_under_a_name(seed: u64) -> Scenario {
    let mut rows = crawl((START_S, START_S + 300.0), 1.0, seed, |_| SEEKER.into());
    for (n, row) in rows.iter_mut().enumerate() {
        row.path = format!("/{}{n}.php", ["admin", "backup", "old", "shell"][n % 4]);
        (row.query, row.status, row.bytes) = (None, 404, 2_900);
    }
    let expect = found(BLOG.host, &["content_discovery", "enumeration"], 120.0);
    beside(hostile(rows), seed, Expectation { verdicts: ATTACK, named: 1.0, ..expect })
}

/// Tries a password every twenty seconds, every other one under the name of a crawler, and is answered in two ways.
pub fn passwords_under_names(seed: u64) -> Scenario {
    let name = |n| if n % 2 == 0 { SEEKER.into() } else { browser() };
    let mut rows = crawl((START_S, START_S + 1_500.0), 0.05, seed, name);
    for (n, row) in rows.iter_mut().enumerate() {
        (row.method, row.path, row.query) = ("POST", "/xmlrpc.php".into(), None);
        row.bytes = if n % 4 < 2 { 446 } else { 536 };
    }
    let kinds = &["brute_force", "credential_stuffing"];
    let expect = found(BLOG.host, kinds, 1_400.0);
    beside(hostile(rows), seed, Expectation { verdicts: ATTACK, named: 1.0, ..expect })
}

/// Says whom it works for, and asks for a few pages a hundred times a second.
pub fn floods_under_a_name(seed: u64) -> Scenario {
    let mut rows = crawl((START_S, START_S + 120.0), 100.0, seed, |_| SEEKER.into());
    for (n, row) in rows.iter_mut().enumerate() {
        row.path = (BLOG.page)(n as u64 % 4).0;
    }
    let expect = found(BLOG.host, &["http_flood", "scraping"], 30.0);
    beside(hostile(rows), seed, Expectation { verdicts: ATTACK, named: 1.0, ..expect })
}
