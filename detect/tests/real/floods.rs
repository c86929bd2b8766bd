//! Volume: on a large host, under made-up names, in bytes.

use super::expect::{ATTACK, Expectation, START_S, Scenario, found};
use super::scene::{around, hostile, times};
use crate::traffic::people::{Person, home};
use crate::traffic::row::combined;
use crate::traffic::sites::{BLOG, CLOUD, NEWS, SHOP};
use crate::traffic::{Draw, Row, agents, robots, together};

/// 10,000 requests a second for a minute, then 12,000 more for ten seconds; the host is learned for 40 s only.
pub fn large_host(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 101);
    let bots: Vec<Person> = (0..4_000)
        .map(|n| Person {
            home: home(9_000 + n % 300, n),
            agent: agents::old()[(n % 5) as usize].clone(),
            returns: false,
        })
        .collect();
    let flood = (0..120_000_u32).map(|n| {
        let bot = draw.pick(&bots);
        bot.asks(&NEWS, 60.0 + f64::from(n) / 12_000.0, "/")
    });
    let rows = together(vec![hostile(flood.collect()), NEWS.ordinary(75.0, 10_000.0, seed)]);
    let expect = Expectation {
        start_s: 60.0,
        learning_s: Some(40),
        requests: 0.9,
        ..found(NEWS.host, &["http_flood"], 10.0)
    };
    Scenario { rows, expect }
}

/// Every request asks for a host that nobody has: 200 a second from 300 addresses. A new customer's host comes up
/// meanwhile.
pub fn random_hosts(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 102);
    let mut rows = Vec::new();
    for at in times(&mut draw, (START_S, START_S + 300.0), 200.0) {
        let agent = agents::old()[draw.below(8) as usize].clone();
        let bot = Person { home: home(9_400 + draw.below(300), 2), agent, returns: false };
        let mut row = bot.asks(&SHOP, at, "/");
        row.host = format!("{:08x}.example", draw.below(1 << 31)).into();
        (row.status, row.bytes) = (404, 150);
        rows.push(row);
    }
    let mut new = SHOP.named("new.example").ordinary(START_S + 1_200.0, 2.0, seed + 9);
    new.retain(|row| row.at_s() > START_S + 60.0);
    let rows = together(vec![around(&SHOP, 5.0, 300.0, seed), hostile(rows), new]);
    let expect = Expectation {
        verdicts: ATTACK,
        sources: 0.9,
        requests: 0.9,
        ..found("", &["http_flood", "content_discovery", "unknown_shift"], 120.0)
    };
    Scenario { rows: combined(rows), expect }
}

/// One address draws in twenty minutes fifty times what anybody else does.
pub fn bulk_download(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 103);
    let agent = agents::current()[0].clone();
    let one = Person { home: home(9_800, 1), agent, returns: false };
    let rows = (0..600_u32).map(|n| {
        let path = format!("/remote.php/dav/files/archive/{}", draw.below(90_000));
        let row = one.asks(&CLOUD, START_S + f64::from(n) * 2.0, &path);
        Row { bytes: 52_428_800, duration_us: Some(1_900_000), ..row }
    });
    let rows = together(vec![hostile(rows.collect()), around(&CLOUD, 3.0, 1_200.0, seed)]);
    let expect = Expectation {
        sources: 1.0,
        visitors: 0,
        ..found(CLOUD.host, &["bulk_download", "scraping"], 600.0)
    };
    Scenario { rows: combined(rows), expect }
}

/// A new program adds a third to a host of 1,200 requests a second, from 2,000 addresses; learned for 40 s only.
pub fn new_program(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 104);
    let flood = (0..8_000_u32).map(|n| {
        let ip = home(9_900 + draw.below(400), draw.below(5)).ip;
        let (path, _) = (NEWS.page)(draw.zipf(60));
        let row =
            robots::asks(&NEWS, 80.0 + f64::from(n) / 400.0, ip, &"okhttp/4.9.0".into(), path);
        Row { ja4: Some("t13d190900_9dc949149365_97f8aa674fd9"), ..row }
    });
    let rows = together(vec![hostile(flood.collect()), NEWS.ordinary(110.0, 1_200.0, seed)]);
    let expect = Expectation {
        start_s: 80.0,
        learning_s: Some(40),
        verdicts: ATTACK,
        requests: 0.9,
        ..found(NEWS.host, &["http_flood"], 20.0)
    };
    Scenario { rows, expect }
}

/// A thousand homes of one country, of many networks and with browsers in use, read the site's pages at once.
pub fn from_one_country(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 105);
    let flood = times(&mut draw, (START_S, START_S + 240.0), 60.0).into_iter().map(|at| {
        let n = draw.below(1_000);
        let mut bot =
            Person { home: home(10_000 + n, n), agent: agents::of_visitor(n), returns: false };
        bot.home.country = "VN";
        let path = (SHOP.page)(draw.zipf(60)).0;
        bot.asks(&SHOP, at, &path)
    });
    let flood = hostile(flood.collect());
    let rows = together(vec![flood, around(&SHOP, 4.0, 240.0, seed)]);
    let expect = Expectation {
        verdicts: ATTACK,
        requests: 0.9,
        ..found(SHOP.host, &["http_flood", "scraping", "swarm"], 60.0)
    };
    Scenario { rows, expect }
}

#[test]
fn a_country_is_named_where_it_explains_the_flood() {
    let scenario = from_one_country(1);
    let told = scenario.dealt(1);
    let last = told.last().unwrap();
    assert!(last.summary.contains(" in the country VN"), "{}", last.summary);
    let fingerprint = last.fingerprint.as_deref().unwrap();
    assert!(fingerprint.contains("client_country = 'VN'"), "{fingerprint}");
    let mut without = scenario;
    without.rows.iter_mut().for_each(|row| row.country = None);
    for one in without.dealt(1) {
        let text = format!("{} {:?}", one.summary, one.fingerprint);
        assert!(!text.contains("country"), "{text}");
    }
}

/// One machine asks for a hundred overlapping ranges of the front page at a time.
pub fn range_abuse(seed: u64) -> Scenario {
    let agent = agents::current()[1].clone();
    let one = Person { home: home(9_810, 1), agent, returns: false };
    let rows = (0..1_800_u32).map(|n| {
        let row = one.asks(&BLOG, START_S + f64::from(n) * 0.1, "/");
        Row { method: "HEAD", status: 206, bytes: 340, duration_us: Some(4_000_000), ..row }
    });
    let rows = together(vec![hostile(rows.collect()), around(&BLOG, 1.5, 180.0, seed)]);
    let kinds = &["http_flood", "app_exhaustion", "exploit_burst", "stream_abuse"];
    let expect = Expectation { sources: 1.0, ..found(BLOG.host, kinds, 120.0) };
    Scenario { rows: combined(rows), expect }
}
