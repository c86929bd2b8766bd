//! Programs on phones, and what is done to what they talk to: calls without pages, assets or referers.

use super::expect::{Expectation, HARMFUL, START_S, Scenario, found, nothing};
use super::scene::{around, hostile, times};
use crate::traffic::agents::current;
use crate::traffic::people::{Person, home, home_of, load};
use crate::traffic::row::{Text, combined};
use crate::traffic::sites::{CLOUD, NEWS, SHOP, Site};
use crate::traffic::{Draw, Row, together};

const API: Site = CLOUD.named("api.example");

/// A device, always the same by this number: five in six run the current version of the app.
fn device(who: u64) -> Person {
    let agent: Text = match who % 12 {
        0 => "NewsApp/5.1.0 (Android 14; Pixel 8) okhttp/4.12.0".into(),
        1 => "NewsApp/4.9.2 (iPhone; iOS 17.6; Scale/3.00)".into(),
        n if n < 7 => "NewsApp/5.2.1 (Android 15; SM-S921B) okhttp/4.12.0".into(),
        _ => "NewsApp/5.2.1 (iPhone; iOS 18.3; Scale/3.00)".into(),
    };
    let ja4 = if who % 12 < 7 {
        "t13d1516h2_8daaf6152771_02713d6af862"
    } else {
        "t13d2014h2_a09f3c656075_14788d8d241b"
    };
    Person { home: home_of(who), agent: (agent, ja4), returns: true }
}

/// What an app asks for when it is opened.
fn opened(draw: &mut Draw, at_s: f64, who: &Person, article: u64) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut at = at_s;
    for path in ["/v2/config", "/v2/home", "/v2/me/notifications"] {
        let mut row = who.asks(&API, at, path);
        if path.ends_with("notifications") && draw.chance(0.05) {
            (row.status, row.bytes) = (401, 90);
        }
        rows.push(row);
        at += draw.between(0.05, 0.4);
    }
    rows.push(who.asks(&API, at, &format!("/v2/articles/{article}")));
    rows
}

fn app(seconds: f64, seed: u64) -> Vec<Row> {
    let mut draw = Draw::of(seed, 131);
    let mut rows = Vec::new();
    for at in times(&mut draw, (0.0, seconds), 1.5) {
        let who = device(draw.below(12_000));
        let article = 990_000 + draw.zipf(4_000);
        rows.extend(opened(&mut draw, at, &who, article));
    }
    rows
}

/// A message goes to all phones: 8,000 of them open one article within minutes.
pub fn push(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 132);
    let mut rows = app(START_S + 1_800.0, seed);
    for n in 0..8_000 {
        let at = START_S + draw.wait(70.0);
        let article = if draw.chance(0.85) { 994_321 } else { 990_000 + draw.zipf(4_000) };
        rows.extend(opened(&mut draw, at, &device(n), article));
    }
    Scenario { rows: combined(together(vec![rows])), expect: nothing() }
}

/// Who opens the app logs in first, all day: one in eleven mistypes and tries again. Then it asks for what it shows.
pub fn logs_in(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 136);
    let mut rows = app(START_S + 1_800.0, seed);
    for at in times(&mut draw, (0.0, START_S + 1_800.0), 0.22) {
        let who = device(20_000 + draw.below(12_000));
        let mut at = at;
        while draw.chance(0.09) {
            let refused =
                Row { method: "POST", status: 401, bytes: 120, ..who.asks(&API, at, "/v2/login") };
            rows.push(refused);
            at += draw.between(3.0, 9.0);
        }
        rows.push(Row { method: "POST", bytes: 840, ..who.asks(&API, at, "/v2/login") });
        let article = 990_000 + draw.zipf(4_000);
        rows.extend(opened(&mut draw, at + 0.5, &who, article));
    }
    Scenario { rows: combined(together(vec![rows])), expect: nothing() }
}

/// A shop is named on television: 5,000 people type its name within two minutes.
pub fn television(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 133);
    let mut rows = Vec::new();
    for who in 0..5_000 {
        let person = Person { returns: false, ..Person::visitor(130_000 + who) };
        let at = START_S + 120.0 * draw.unit() * draw.unit();
        let row = person.asks(&SHOP, at, "/");
        rows.extend(load(&SHOP, &mut draw, row, &person, true, 0));
        if draw.chance(0.4) {
            let (path, query) = (SHOP.page)(draw.zipf(40));
            let mut row = person.asks(&SHOP, at + draw.between(5.0, 40.0), &path);
            (row.query, row.referer) = (query, Some(format!("https://{}/", SHOP.host)));
            rows.extend(load(&SHOP, &mut draw, row, &person, false, 3));
        }
    }
    let rows = together(vec![around(&SHOP, 5.0, 400.0, seed), rows]);
    Scenario { rows: combined(rows), expect: nothing() }
}

/// Tickets go on sale: 3,000 people load one page anew until they get in, and a third are told to wait.
pub fn ticket_sale(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 134);
    let mut rows = Vec::new();
    for who in 0..3_000 {
        let person = Person { returns: true, ..Person::visitor(140_000 + who) };
        let mut at = START_S + draw.between(-30.0, 60.0);
        let mut first = true;
        for _ in 0..draw.several(12.0, 60) {
            let mut row = person.asks(&NEWS, at, "/tickets/spring-festival");
            row.referer =
                (!first).then(|| format!("https://{}/tickets/spring-festival", NEWS.host));
            if draw.chance(0.35) {
                (row.status, row.bytes) = (503, 1_900);
            }
            rows.extend(load(&NEWS, &mut draw, row, &person, first, 2));
            first = false;
            at += draw.between(2.0, 12.0);
        }
    }
    let rows = together(vec![around(&NEWS, 6.0, 900.0, seed), rows]);
    Scenario { rows: combined(rows), expect: nothing() }
}

/// Somebody of a botnet that poses as browsers in use.
fn bot(draw: &mut Draw, network: u64, bots: u64) -> Person {
    let n = draw.below(bots);
    let list = current();
    let agent = list[(n % list.len() as u64) as usize].clone();
    Person { home: home(network + n % 150, n), agent, returns: false }
}

fn attacked(
    site: &Site,
    per_s: f64,
    seconds: f64,
    rows: Vec<Row>,
    expect: Expectation,
    seed: u64,
) -> Scenario {
    let rows = together(vec![hostile(rows), around(site, per_s, seconds, seed)]);
    Scenario { rows: combined(rows), expect }
}

/// Text messages with codes are ordered to numbers that earn by them: three a second from 300 homes.
pub fn codes_by_message(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 135);
    let all = times(&mut draw, (START_S, START_S + 600.0), 3.0);
    let ask = |at| {
        let mut row = bot(&mut draw, 10_100, 300).asks(&SHOP, at, "/api/account/send-code");
        (row.method, row.status, row.bytes) = ("POST", 200, 48);
        row
    };
    let rows = all.into_iter().map(ask).collect();
    let kinds = &["credential_stuffing", "brute_force", "http_flood", "app_exhaustion"];
    let expect = Expectation { requests: 0.9, verdicts: HARMFUL, ..found(SHOP.host, kinds, 300.0) };
    attacked(&SHOP, 6.0, 600.0, rows, expect, seed)
}

/// Stolen cards are tried out with small payments: 1.5 a second from 200 homes, nearly all declined.
pub fn cards(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 136);
    let all = times(&mut draw, (START_S, START_S + 900.0), 1.5);
    let ask = |at| {
        let mut row = bot(&mut draw, 10_300, 200).asks(&SHOP, at, "/checkout/pay");
        (row.method, row.status, row.bytes) = ("POST", 402, 310);
        if draw.chance(0.04) {
            (row.status, row.bytes) = (200, 1_200);
        }
        row
    };
    let rows = all.into_iter().map(ask).collect();
    let kinds = &["credential_stuffing", "brute_force", "http_flood"];
    let expect = Expectation { requests: 0.9, ..found(SHOP.host, kinds, 400.0) };
    attacked(&SHOP, 6.0, 900.0, rows, expect, seed)
}

/// The same by 120 browsers that were at the shop before they pay, one to four times each: seven minutes, and few of each.
pub fn cards_of_few(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 138);
    let mut rows = Vec::new();
    for who in 0..120 {
        let person = Person { home: home(10_700 + who, 4), ..Person::visitor(94_000 + who) };
        let mut at = START_S + draw.between(0.0, 400.0);
        for _ in 0..=draw.below(4) {
            let mut row = person.asks(&SHOP, at, "/api/checkout/pay");
            row.referer = Some(format!("https://{}/checkout", SHOP.host));
            (row.method, row.status, row.bytes) = ("POST", 402, 310);
            rows.push(row);
            at += draw.between(3.0, 20.0);
        }
    }
    let kinds = &["credential_stuffing", "brute_force"];
    let expect = Expectation { requests: 0.9, ..found(SHOP.host, kinds, 240.0) };
    attacked(&SHOP, 6.0, 420.0, rows, expect, seed)
}

/// Queries of many levels: six a second from 150 homes, each takes the origin three to eight seconds.
pub fn deep_queries(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 137);
    let all = times(&mut draw, (START_S, START_S + 300.0), 6.0);
    let ask = |at| {
        let mut row = bot(&mut draw, 10_500, 150).asks(&NEWS, at, "/graphql");
        (row.method, row.status, row.bytes) = ("POST", 200, 180_000 + draw.below(90_000) as i64);
        row.duration_us = Some(draw.between(3e6, 8e6) as i64);
        row
    };
    let rows: Vec<Row> = all.into_iter().map(ask).collect();
    let expect = Expectation { requests: 0.9, ..found(NEWS.host, &["app_exhaustion"], 120.0) };
    let rows = together(vec![hostile(rows), around(&NEWS, 8.0, 300.0, seed)]);
    Scenario { rows, expect }
}

/// Searches that nobody made before, written as paths: twelve a second from 250 homes.
pub fn searches_as_paths(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 138);
    let all = times(&mut draw, (START_S, START_S + 300.0), 12.0);
    let ask = |at| {
        let path = format!("/search/{:x}-{:x}", draw.below(1 << 20), draw.below(1 << 20));
        bot(&mut draw, 10_700, 250).asks(&SHOP, at, &path)
    };
    let rows = all.into_iter().map(ask).collect();
    let kinds = &["cache_busting", "http_flood", "scraping", "swarm"];
    let expect = Expectation { requests: 0.9, collateral: 0.02, ..found(SHOP.host, kinds, 60.0) };
    attacked(&SHOP, 6.0, 300.0, rows, expect, seed)
}

/// Members are counted through by 300 homes, eight a second; every fourth number is nobody's.
pub fn members_counted(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 139);
    let all = times(&mut draw, (START_S, START_S + 600.0), 8.0);
    let ask = |(n, at): (usize, f64)| {
        let mut row =
            bot(&mut draw, 10_900, 300).asks(&API, at, &format!("/v2/members/{}", 41_000 + n));
        if n % 4 == 0 {
            (row.status, row.bytes) = (404, 60);
        }
        row
    };
    let rows = hostile(all.into_iter().enumerate().map(ask).collect());
    let kinds = &["enumeration", "scraping", "swarm", "content_discovery", "http_flood"];
    let expect = Expectation { requests: 0.9, ..found(API.host, kinds, 300.0) };
    let rows = together(vec![rows, app(START_S + 1_500.0, seed)]);
    Scenario { rows: combined(rows), expect }
}
