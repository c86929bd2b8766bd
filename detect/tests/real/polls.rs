//! Pages that look for news by themselves, programs that watch a site, and floods that pose as either.

use schemas::Verdict;

use super::expect::{ATTACK, Expectation, HARMFUL, START_S, Scenario, found, nothing};
use super::scene::{around, hostile, times};
use crate::traffic::people::{Person, home, load};
use crate::traffic::robots::asks;
use crate::traffic::row::{Text, combined};
use crate::traffic::sites::{BLOG, CLOUD, NEWS, SHOP, Site, WIKI};
use crate::traffic::{Draw, Row, agents, robots, together};

fn harmless(site: &Site, per_s: f64, rows: Vec<Row>, seed: u64) -> Scenario {
    let rows = together(vec![around(site, per_s, 900.0, seed), rows]);
    Scenario { rows: combined(rows), expect: nothing() }
}

/// Somebody from anywhere, with a browser that is in use.
fn stranger(n: u64) -> Person {
    Person { home: home(5_000 + n % 3_000, n), agent: agents::of_visitor(n), returns: false }
}

/// A page that is opened, with all that belongs to it.
fn opens(site: &Site, draw: &mut Draw, at: f64, who: &Person, page: u64) -> Vec<Row> {
    let (path, query) = (site.page)(page);
    let row = Row { query, ..who.asks(site, at, &path) };
    load(site, draw, row, who, true, page)
}

/// What an open page asks for by itself.
fn polls(site: &Site, at: f64, who: &Person, path: &str, query: String, page: u64) -> Row {
    let mut row = who.asks(site, at, path);
    (row.query, row.bytes, row.duration_us) = (Some(query), 120, Some(5_000));
    row.referer = Some(format!("https://{}{}", site.host, (site.page)(page).0));
    row
}

/// 900 people wait for a sale: the page of each asks every five seconds for its own place in the queue.
pub fn waiting_room(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 501);
    let mut rows = Vec::new();
    for n in 0..900 {
        let who = if n % 10 < 3 { SHOP.person(n) } else { stranger(n) };
        let mut at = START_S + draw.wait(150.0);
        rows.extend(opens(&SHOP, &mut draw, at, &who, 3));
        let token = draw.below(1 << 60);
        let end = START_S + 60.0 + draw.between(0.0, 840.0);
        at += 3.0;
        while at < end {
            let query = format!("token={token:016x}");
            rows.push(polls(&SHOP, at, &who, "/queue/status", query, 3));
            at += 5.0 + draw.between(-0.1, 0.3);
        }
    }
    harmless(&SHOP, 5.0, rows, seed)
}

/// The last minutes of an auction: 250 regular visitors, the page of each of which asks twice in three seconds what is new.
pub fn auction_ends(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 502);
    let mut rows = Vec::new();
    for n in 0..250 {
        let who = SHOP.person(n * 7);
        let mut at = START_S + draw.between(0.0, 600.0);
        rows.extend(opens(&SHOP, &mut draw, at, &who, 9));
        while at < START_S + 900.0 {
            at += 1.5 + draw.between(0.0, 0.3);
            let query = format!("since={}", (at * 1_000.0) as u64);
            rows.push(polls(&SHOP, at, &who, "/api/lots/9/bids", query, 9));
        }
    }
    harmless(&SHOP, 5.0, rows, seed)
}

/// Probes of a monitor, `every_s` seconds apart, each for some pages one after the other.
fn probes(site: &Site, agent: &Text, count: u64, every_s: f64, pages: u64, seed: u64) -> Vec<Row> {
    let mut draw = Draw::of(seed, 503);
    let mut rows = Vec::new();
    for probe in 0..count {
        let ip = home(7_000 + probe * 11, 3).ip;
        let mut at = START_S + draw.between(0.0, every_s);
        while at < START_S + 1_800.0 {
            for page in 0..pages {
                let seconds = at + 0.3 * page as f64;
                let row = asks(site, seconds, ip.clone(), agent, (site.page)(page).0);
                rows.push(Row { duration_us: Some(40_000), ..row });
            }
            at += every_s;
        }
    }
    rows
}

/// 30 browsers of a monitor open five pages a minute each.
pub fn browsers_watch(seed: u64) -> Scenario {
    let agent: Text = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/144.0.0.0 Safari/537.36".into();
    harmless(&CLOUD, 8.0, probes(&CLOUD, &agent, 30, 60.0, 5, seed), seed)
}

/// A dozen probes of a program without a browser look at three pages of a small site twice a minute.
pub fn programs_watch(seed: u64) -> Scenario {
    let agent: Text = "Go-http-client/2.0".into();
    harmless(&BLOG, 0.5, probes(&BLOG, &agent, 12, 30.0, 3, seed), seed)
}

/// Assistants read for those who ask them: two pages a second, from the many networks of a cloud, no two alike.
pub fn assistants_read(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 504);
    let agents: [Text; 3] = [
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0; +https://openai.com/bot".into(),
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Claude-User/1.0; +Claude-User@anthropic.com)".into(),
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Perplexity-User/1.0; +https://perplexity.ai/perplexity-user)".into(),
    ];
    let all = times(&mut draw, (START_S, START_S + 900.0), 2.0);
    let rows = all.into_iter().map(|at| {
        let ip = home(8_000 + draw.below(60), draw.below(40)).ip;
        let agent = agents[draw.below(10) as usize / 4].clone();
        asks(&NEWS, at, ip, &agent, (NEWS.page)(draw.below(900)).0)
    });
    let rows = rows.collect();
    harmless(&NEWS, 3.0, rows, seed)
}

/// A crawler of one operator reads a moved site anew under its two names, for an hour.
pub fn crawler_of_two_names(seed: u64) -> Scenario {
    let hour = (START_S, START_S + 3_600.0);
    let names = [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0.7632.45 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    ];
    let crawls = names.map(|name| robots::crawl(&WIKI, hour, 2.5, name, (&["66.249"], 600), seed));
    let mut draw = Draw::of(seed, 508);
    let mut rows: Vec<Row> = crawls.into_iter().flatten().collect();
    for row in rows.iter_mut().filter(|row| row.status == 200) {
        if draw.chance(0.2) {
            (row.status, row.bytes) = (301, 178);
        }
    }
    let rows = together(vec![around(&WIKI, 4.0, 3_600.0, seed), rows]);
    Scenario { rows: combined(rows), expect: nothing() }
}

/// Two customers keep a service busy whose answers take long by their nature: each has four answers at a time for an hour.
pub fn two_want_long_answers(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 509);
    let mut rows = Vec::new();
    for who in 0..2 {
        let customer = Person { home: home(9_970 + who, 2), ..Person::visitor(93_000 + who) };
        for _ in 0..4 {
            let mut at = START_S + draw.between(0.0, 20.0);
            while at < START_S + 3_600.0 {
                let takes = draw.between(6.0, 30.0);
                let mut row = customer.asks(&CLOUD, at + takes, "/v1/completions");
                (row.method, row.bytes) = ("POST", 20_000);
                row.duration_us = Some((takes * 1e6) as i64);
                rows.push(row);
                at += takes;
            }
        }
    }
    let rows = together(vec![around(&CLOUD, 5.0, 3_600.0, seed), rows]);
    let kinds = &["app_exhaustion"];
    let verdicts = &[Verdict::Suspicious];
    Scenario { rows, expect: Expectation { verdicts, ..found(CLOUD.host, kinds, 3_600.0) } }
}

/// A newsletter under whose link each reader has a key: gateways look at it first, then people open it.
pub fn newsletter_with_keys(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 505);
    let mut rows = Vec::new();
    for n in 0..1_500 {
        let key = format!("utm_source=letter&eid={:010x}", draw.below(1 << 40));
        let sent = START_S + draw.between(0.0, 240.0);
        if draw.chance(0.1) {
            let gateway = Person {
                home: home(8_300 + draw.below(40), draw.below(30)),
                agent: agents::of_visitor(draw.below(400)),
                returns: false,
            };
            let row = gateway.asks(&SHOP, sent, "/offers/spring");
            rows.push(Row { query: Some(key.clone()), ..row });
        }
        if draw.chance(0.5) {
            let who = if n % 2 == 0 { SHOP.person(n) } else { stranger(n) };
            let row = who.asks(&SHOP, sent + 5.0 + draw.wait(240.0), "/offers/spring");
            rows.extend(load(&SHOP, &mut draw, Row { query: Some(key), ..row }, &who, true, 2));
        }
    }
    harmless(&SHOP, 5.0, rows, seed)
}

/// 400 bots open a page with all that belongs to it, and then ask for it twice a second under a query of their own each time.
pub fn opened_once_then_flooded(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 506);
    let mut rows = Vec::new();
    for n in 0..400 {
        let agent = agents::old()[(n % 4) as usize].clone();
        let bot = Person { home: home(9_000 + n % 200, n), agent, returns: false };
        let mut at = START_S + draw.between(0.0, 5.0);
        rows.extend(opens(&SHOP, &mut draw, at, &bot, 1));
        while at < START_S + 300.0 {
            at += draw.between(0.3, 0.7);
            let mut row = bot.asks(&SHOP, at, &(SHOP.page)(1).0);
            row.query = Some(format!("x={:x}", draw.below(1 << 40)));
            rows.push(row);
        }
    }
    let rows = together(vec![around(&SHOP, 6.0, 300.0, seed), hostile(rows)]);
    let kinds = &["cache_busting", "http_flood", "app_exhaustion"];
    let expect = Expectation { verdicts: ATTACK, requests: 0.9, ..found(SHOP.host, kinds, 30.0) };
    Scenario { rows: combined(rows), expect }
}

/// One image is asked for by 20 addresses, 150 times a second in all, under the names of browsers.
pub fn one_image_by_few(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 507);
    let all = times(&mut draw, (START_S, START_S + 300.0), 150.0);
    let rows = all.into_iter().map(|at| {
        let mut row = stranger(600 + draw.below(20)).asks(&NEWS, at, &(NEWS.image)(4, 0));
        (row.bytes, row.ja4) = (60_000, None);
        row
    });
    let rows = together(vec![around(&NEWS, 4.0, 300.0, seed), hostile(rows.collect())]);
    let kinds = &["http_flood", "bulk_download"];
    let expect = Expectation { verdicts: HARMFUL, requests: 0.9, ..found(NEWS.host, kinds, 60.0) };
    Scenario { rows: combined(rows), expect }
}
