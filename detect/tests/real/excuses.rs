//! Attacks that put on what excuses others: a shared address, a failing origin, the name of a service, small incidents
//! that take up the room. And clients whose ordinary requests look like what is not excused.

use super::expect::{ATTACK, Expectation, START_S, Scenario, found, nothing};
use super::scene::{around, hostile, times};
use crate::traffic::people::{Person, home};
use crate::traffic::row::{Text, combined};
use crate::traffic::sites::SHOP;
use crate::traffic::{Draw, Row, agents, robots, together};

/// How long each of them lasts, seconds.
const LASTS_S: f64 = 300.0;

fn end_s() -> f64 {
    START_S + LASTS_S
}

fn at_the_shop(rows: Vec<Row>, seed: u64) -> Vec<Row> {
    together(vec![hostile(rows), around(&SHOP, 6.0, LASTS_S, seed)])
}

/// A request of a visitor with a number, under the program that goes with it.
fn visitor(n: u64, at: f64, path: &str) -> Row {
    let agent = agents::of_visitor(n);
    Person { home: home(5_000 + n % 3_000, n), agent, returns: false }.asks(&SHOP, at, path)
}

/// What one machine does under a dozen names, with an asset among every six requests.
fn under_many_names(seed: u64, per_s: f64, mut ask: impl FnMut(&mut Draw, f64) -> Row) -> Vec<Row> {
    let mut draw = Draw::of(seed, 301);
    let all = times(&mut draw, (START_S, end_s()), per_s);
    let rows = all.into_iter().enumerate().map(|(i, at)| {
        let mut row = match i % 6 {
            0 => visitor(91_000, at, "/static/shop.css"),
            _ => ask(&mut draw, at),
        };
        row.agent = agents::current()[draw.below(12) as usize % agents::current().len()].0.clone();
        row.ja4 = None;
        row
    });
    combined(at_the_shop(rows.collect(), seed))
}

/// Ten passwords a second from one address that poses as many people.
pub fn names_try_passwords(seed: u64) -> Scenario {
    let rows = under_many_names(seed, 10.0, |_, at| {
        let mut row = visitor(91_000, at, "/account/login");
        (row.method, row.status, row.bytes) = ("POST", 401, 400);
        row
    });
    let kinds = &["brute_force", "credential_stuffing"];
    let expect = Expectation { verdicts: ATTACK, requests: 0.8, ..found(SHOP.host, kinds, 60.0) };
    Scenario { rows, expect }
}

/// 200 pages a second from one address that poses as many people.
pub fn names_flood(seed: u64) -> Scenario {
    let rows = under_many_names(seed, 200.0, |draw, at| {
        visitor(91_000, at, &(SHOP.page)(draw.below(1_500)).0)
    });
    let expect =
        Expectation { requests: 0.9, ..found(SHOP.host, &["http_flood", "scraping"], 30.0) };
    Scenario { rows, expect }
}

/// 200 requests a second of one program from 3,000 addresses, so that the origin answers most of everybody with 503.
pub fn flood_that_succeeds(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 302);
    let all = times(&mut draw, (START_S, end_s()), 200.0);
    let agent: Text = "python-requests/2.32".into();
    let ask = |at| {
        let n = draw.below(3_000);
        robots::asks(&SHOP, at, home(5_000 + n, n).ip, &agent, (SHOP.page)(draw.below(1_500)).0)
    };
    let rows = all.into_iter().map(ask).collect();
    let mut rows = at_the_shop(rows, seed);
    for row in rows.iter_mut().filter(|row| row.host == SHOP.host) {
        if (START_S + 5.0..end_s()).contains(&row.at_s()) && draw.chance(0.7) {
            (row.status, row.bytes) = (503, 190);
        }
    }
    let expect = Expectation {
        verdicts: ATTACK,
        requests: 0.9,
        ..found(SHOP.host, &["http_flood", "swarm"], 30.0)
    };
    Scenario { rows, expect }
}

/// 20 passwords a second from 20 networks under the name of a server that delivers messages.
pub fn deliveries_of_passwords(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 303);
    let all = times(&mut draw, (START_S, end_s()), 20.0);
    let agent: Text = "Mastodon/4.2.1 (http.rb/5.1.1; +https://a.example/)".into();
    let ask = |at| {
        let n = draw.below(2_400);
        let ip = home(7_000 + n % 20, n).ip;
        let mut row = robots::asks(&SHOP, at, ip, &agent, "/account/login".into());
        (row.method, row.status, row.bytes) = ("POST", 401, 400);
        row
    };
    let rows = all.into_iter().map(ask).collect();
    let expect = Expectation {
        requests: 0.9,
        ..found(SHOP.host, &["credential_stuffing", "brute_force", "http_flood"], 60.0)
    };
    Scenario { rows: at_the_shop(rows, seed), expect }
}

/// Four machines keep an incident each open with a few requests a second; 400 a second from 4,000 come behind them.
pub fn behind_four_incidents(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 304);
    let mut rows = Vec::new();
    for (i, at) in times(&mut draw, (START_S, end_s()), 2.0).into_iter().enumerate() {
        let mut probe = visitor(1, at, &format!("/nix-{i}"));
        probe.status = 404;
        let mut password = visitor(2, at, "/account/login");
        (password.method, password.status) = ("POST", 401);
        rows.extend([probe, password, visitor(3, at, &(SHOP.page)(draw.below(1_500)).0)]);
        for _ in 0..3 {
            let mut broken_off = visitor(4, at, "/");
            (broken_off.status, broken_off.bytes) = (499, 0);
            rows.push(broken_off);
        }
    }
    let agent: Text = "Go-http-client/1.1".into();
    for at in times(&mut draw, (START_S + 150.0, end_s()), 400.0) {
        let n = draw.below(4_000);
        let ip = home(5_000 + n % 3_000, 10_000 + n).ip;
        rows.push(robots::asks(&SHOP, at, ip, &agent, "/".into()));
    }
    let kinds = &[
        "http_flood",
        "brute_force",
        "scraping",
        "content_discovery",
        "slow_http",
        "stream_abuse",
    ];
    let expect = Expectation { requests: 0.9, at_most: 6, ..found(SHOP.host, kinds, 170.0) };
    Scenario { rows: at_the_shop(rows, seed), expect }
}

/// Four machines try a password now and then, one after the other; a fifth tries four a second.
pub fn passwords_behind_four(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 307);
    let mut rows = Vec::new();
    for (n, from_s, per_s) in
        [(1, 0.0, 0.4), (2, 80.0, 0.4), (3, 160.0, 0.4), (4, 240.0, 0.4), (5, 420.0, 4.0)]
    {
        for at in times(&mut draw, (START_S + from_s, START_S + 700.0), per_s) {
            let mut row = visitor(n, at, "/account/login");
            (row.method, row.status, row.bytes) = ("POST", 401, 400);
            rows.push(row);
        }
    }
    let rows = together(vec![hostile(rows), around(&SHOP, 6.0, 700.0, seed)]);
    let expect = Expectation {
        verdicts: ATTACK,
        named: 1.0,
        visitors: 0,
        at_most: 4,
        ..found(SHOP.host, &["brute_force", "credential_stuffing"], 60.0)
    };
    Scenario { rows, expect }
}

/// 200 machines that came an hour ago guess the names of 5,000 backups, as if an update had sent them.
pub fn search_by_known(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 305);
    let mut rows = Vec::new();
    for n in 0..200 {
        let came = 300.0 + 15.0 * n as f64;
        let visit = ["/", "/static/shop.css"];
        let visit = visit.iter().zip([0.0, 0.5]);
        rows.extend(visit.map(|(path, later)| visitor(90_000 + n, came + later, path)));
    }
    let mut search = Vec::new();
    for n in 0..200 {
        for k in 0..25 {
            let at = draw.between(START_S, end_s());
            let mut row = visitor(90_000 + n, at, &format!("/backup-{}.zip", n * 25 + k));
            (row.status, row.bytes) = (404, 2_900);
            row.referer = Some(format!("https://{}/", SHOP.host));
            search.push(row);
        }
    }
    let kinds = &["content_discovery", "enumeration", "http_flood"];
    let expect = Expectation { requests: 0.9, ..found(SHOP.host, kinds, 60.0) };
    Scenario { rows: together(vec![at_the_shop(search, seed), rows]), expect }
}

/// What a client sends every so many seconds, one of `clients`; the first of them have done so from the beginning.
fn every(
    seed: u64,
    (clients, old, seconds): (u64, u64, f64),
    ask: impl Fn(&mut Draw, u64, f64) -> Vec<Row>,
) -> Scenario {
    let mut draw = Draw::of(seed, 306);
    let mut rows = Vec::new();
    for client in 0..clients {
        let mut at = if client < old { 0.0 } else { START_S } + seconds * draw.unit();
        while at < START_S + 1_200.0 {
            rows.extend(ask(&mut draw, client, at));
            at += seconds * draw.between(0.97, 1.03);
        }
    }
    let rows = together(vec![rows, around(&SHOP, 2.0, 900.0, seed)]);
    Scenario { rows: combined(rows), expect: nothing() }
}

/// Twelve clients of a mail server, a third of them there already, whose every request is refused twice before it is taken, as NTLM does.
pub fn challenged_clients(seed: u64) -> Scenario {
    let agent: Text = "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0)".into();
    every(seed, (12, 4, 45.0), |draw, client, at| {
        let ip = home(600 + client, client).ip;
        let ask = |(step, status): (usize, i32), bytes| {
            let at = at + 0.1 * step as f64;
            let path = "/EWS/Exchange.asmx".into();
            let mut row = robots::asks(&SHOP, at, ip.clone(), &agent, path);
            (row.method, row.status, row.bytes) = ("POST", status, bytes);
            row
        };
        let taken = 900 + draw.below(4_000) as i64;
        vec![ask((0, 401), 0), ask((1, 401), 0), ask((2, 200), taken)]
    })
}

/// Five visitors wait in a support chat that asks for news by POST and is answered alike.
pub fn chat_polls(seed: u64) -> Scenario {
    every(seed, (5, 0, 5.0), |_, client, at| {
        let mut row = visitor(12_000 + client, at, "/chat/poll");
        (row.method, row.status, row.bytes) = ("POST", 200, 320);
        row.referer = Some(format!("https://{}/", SHOP.host));
        vec![row]
    })
}

/// Two servers of a partner hand over what they have every ten seconds, and are answered alike.
pub fn servers_post(seed: u64) -> Scenario {
    let agent: Text = "okhttp/4.12.0".into();
    every(seed, (2, 0, 10.0), |_, client, at| {
        let ip = home(700 + client, client).ip;
        let mut row = robots::asks(&SHOP, at, ip, &agent, "/api/v2/stock".into());
        (row.method, row.status, row.bytes) = ("POST", 200, 150);
        vec![row]
    })
}

/// A live video begins: 150 visitors fetch a list and a segment every four seconds.
pub fn live_video(seed: u64) -> Scenario {
    every(seed, (150, 0, 4.0), |draw, client, at| {
        let segment = ((at - START_S) / 4.0) as u64;
        let mut list = visitor(9_000 + client, at, "/live/index.m3u8");
        list.bytes = 600 + draw.below(7) as i64;
        let mut part = visitor(9_000 + client, at + 0.2, &format!("/live/seg-{segment}.ts"));
        part.bytes = 1_500_000;
        vec![list, part]
    })
}
