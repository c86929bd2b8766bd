//! Passwords tried: in waves, from many, slowly, where nobody would look for a log-in.

use schemas::Verdict;

use super::expect::{ATTACK, Expectation, START_S, Scenario, found, nothing};
use super::scene::{around, hostile, lasting, times};
use crate::traffic::people::{Person, home, load};
use crate::traffic::row::combined;
use crate::traffic::sites::{BLOG, SHOP, SMALL, Site};
use crate::traffic::{Draw, Row, agents, together};

const KINDS: &[&str] = &["brute_force", "credential_stuffing"];

/// One try: where, and how it is answered when it fails.
#[derive(Debug, Clone, Copy)]
struct Door {
    path: &'static str,
    status: i32,
    bytes: i64,
}

const WORDPRESS: Door = Door { path: "/wp-login.php", status: 200, bytes: 7_800 };

fn try_at(site: &Site, door: Door, at_s: f64, machine: u64) -> Row {
    let agent = agents::current()[(machine % 4) as usize].clone();
    let machine = Person { home: home(6_000 + machine % 900, machine), agent, returns: false };
    let mut row = machine.asks(site, at_s, door.path);
    (row.method, row.status, row.bytes) = ("POST", door.status, door.bytes);
    row
}

/// Tries from so many machines, so many a second in all, for so long.
fn tries(
    site: &Site,
    door: Door,
    (machines, per_s, last_s): (u64, f64, f64),
    seed: u64,
) -> Vec<Row> {
    let mut draw = Draw::of(seed, 71);
    let all = times(&mut draw, (START_S, START_S + last_s), per_s);
    hostile(all.into_iter().map(|at| try_at(site, door, at, draw.below(machines))).collect())
}

/// 300 homes, each with a browser that loads the form and all that belongs to it, and tries one to three passwords.
fn by_browsers(door: Door, within_s: f64, seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 76);
    let mut rows = Vec::new();
    for who in 0..300 {
        let person = Person { home: home(6_500 + who, 3), ..Person::visitor(90_000 + who) };
        let person = Person { returns: false, ..person };
        let mut at = START_S + draw.between(0.0, 400.0);
        for n in 0..=draw.below(3) {
            let form = person.asks(&SHOP, at, door.path);
            rows.extend(load(&SHOP, &mut draw, form, &person, n == 0, 0));
            let mut row = person.asks(&SHOP, at + draw.between(2.0, 4.0), door.path);
            row.referer = Some(format!("https://{}{}", SHOP.host, door.path));
            (row.method, row.status, row.bytes) = ("POST", door.status, door.bytes);
            rows.push(row);
            at += draw.between(5.0, 40.0);
        }
    }
    let rows = together(vec![around(&SHOP, 6.0, 450.0, seed), hostile(rows)]);
    let expect =
        Expectation { verdicts: ATTACK, ..found(SHOP.host, &["credential_stuffing"], within_s) };
    Scenario { rows, expect }
}

pub fn refused_browsers(seed: u64) -> Scenario {
    by_browsers(Door { path: "/account/login", status: 401, bytes: 2_300 }, 90.0, seed)
}

/// The form comes back with a word of refusal: only who tries again shows that it was one.
pub fn browsers_get_the_form_again(seed: u64) -> Scenario {
    by_browsers(Door { path: "/account/login", status: 200, bytes: 3_900 }, 150.0, seed)
}

/// 250 machines ask for the form of a log-in and post to it, as often the one as the other, thirty times a second.
pub fn flood_of_forms(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 78);
    let door = Door { path: "/account/login", status: 200, bytes: 9_000 };
    let ask = |at| {
        let machine = draw.below(250);
        let row = try_at(&SHOP, door, at, machine);
        let row = Row { referer: Some(format!("https://{}{}", SHOP.host, door.path)), ..row };
        if draw.chance(0.5) { Row { method: "GET", ..row } } else { row }
    };
    let mut of_times = Draw::of(seed, 79);
    let all = times(&mut of_times, (START_S, START_S + 300.0), 30.0);
    let rows = hostile(all.into_iter().map(ask).collect());
    let rows = together(vec![around(&SHOP, 5.0, 300.0, seed), rows]);
    let expect = Expectation { verdicts: ATTACK, requests: 0.9, ..found(SHOP.host, KINDS, 60.0) };
    Scenario { rows: combined(rows), expect }
}

/// 300 people log in within three minutes, and go on to what they came for.
pub fn all_log_in_at_once(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 80);
    let mut rows = Vec::new();
    for who in 0..300 {
        let person = Person { returns: false, ..Person::visitor(95_000 + who) };
        let at = START_S + draw.between(0.0, 180.0);
        let form = person.asks(&SHOP, at, "/account/login");
        rows.extend(load(&SHOP, &mut draw, form, &person, true, 0));
        let at = at + draw.between(4.0, 15.0);
        let mut row = person.asks(&SHOP, at, "/account/login");
        row.referer = Some(format!("https://{}/account/login", SHOP.host));
        (row.method, row.status, row.bytes) = ("POST", 302, 300);
        rows.push(row);
        let page = person.asks(&SHOP, at + 0.2, "/p/orders");
        rows.extend(load(&SHOP, &mut draw, page, &person, false, 2));
    }
    let rows = together(vec![around(&SHOP, 5.0, 300.0, seed), rows]);
    Scenario { rows: combined(rows), expect: nothing() }
}

/// What knows who may log in fails for half an hour: most are told so, the others are refused, and all of them try again.
pub fn cannot_be_asked(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 81);
    let mut rows = Vec::new();
    for n in 0..900 {
        let known = n % 3 != 0;
        let person =
            if known { SHOP.person(draw.below(6_000)) } else { Person::visitor(97_000 + n) };
        let mut at = START_S + draw.between(0.0, 1_500.0);
        let page = person.asks(&SHOP, at, "/");
        rows.extend(load(&SHOP, &mut draw, page, &person, !known, 0));
        at += draw.between(3.0, 9.0);
        for _ in 0..2 + draw.below(6) {
            let row = person.asks(&SHOP, at, "/account/login");
            let status = if draw.chance(0.75) { 503 } else { 401 };
            let referer = Some(format!("https://{}/", SHOP.host));
            rows.push(Row { method: "POST", status, bytes: 120, referer, ..row });
            at += draw.between(1.0, 30.0);
        }
    }
    let rows = together(vec![around(&SHOP, 5.0, 1_800.0, seed), rows]);
    // It may be told, but not as what it is not.
    let kinds = &["credential_stuffing", "origin_fault", "retry_storm"];
    let expect = Expectation {
        verdicts: &[Verdict::Suspicious],
        collateral: 0.2,
        ..found(SHOP.host, kinds, 2_000.0)
    };
    Scenario { rows: combined(rows), expect }
}

/// Passwords are tried so fast that a quarter of the answers are errors.
pub fn tried_until_it_fails(seed: u64) -> Scenario {
    let door = Door { path: "/account/login", status: 401, bytes: 2_300 };
    let mut draw = Draw::of(seed, 82);
    let mut rows = tries(&SHOP, door, (600, 12.0, 600.0), seed);
    for row in &mut rows {
        if draw.chance(0.25) {
            (row.status, row.bytes) = (503, 190);
        }
    }
    let rows = together(vec![around(&SHOP, 5.0, 600.0, seed), rows]);
    let expect = Expectation { verdicts: ATTACK, requests: 0.6, ..found(SHOP.host, KINDS, 60.0) };
    Scenario { rows: combined(rows), expect }
}

/// What keeps the passwords fails for ten minutes: whoever logs in is refused, and tries again.
pub fn refused_all(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 77);
    let mut rows = Vec::new();
    for at in times(&mut draw, (0.0, START_S + 1_200.0), 0.4) {
        let person = SHOP.person(draw.below(6_000));
        let fails = (START_S..START_S + 600.0).contains(&at);
        let again = if fails { 1 + draw.below(3) } else { 0 };
        for n in 0..=again {
            let at = at + n as f64 * 9.0;
            let form = person.asks(&SHOP, at, "/account/login");
            rows.extend(load(&SHOP, &mut draw, form, &person, n == 0, 0));
            let mut row = person.asks(&SHOP, at + draw.between(2.0, 6.0), "/account/login");
            (row.method, row.status, row.bytes) = ("POST", 302, 300);
            if fails || draw.chance(0.1) {
                (row.status, row.bytes) = (401, 2_300);
            }
            rows.push(row);
        }
    }
    let rows = together(vec![around(&SHOP, 6.0, 900.0, seed), rows]);
    // It may be told, but not as what it is not.
    let expect = Expectation {
        verdicts: &[Verdict::Suspicious],
        ..found(SHOP.host, &["credential_stuffing"], 1_300.0)
    };
    Scenario { rows, expect }
}

/// Thirty hosts of a provider are tried one after the other, by the same 300 machines.
pub fn waves(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 72);
    let mut parts = Vec::new();
    let mut hosts = Vec::new();
    let end_s = START_S + 30.0 * 120.0 + 1_200.0;
    for n in 0..30_u64 {
        let host: &'static str = format!("customer{n}.example").leak();
        let site = SMALL.named(host);
        parts.push(site.ordinary(end_s, 0.15, seed * 40 + n));
        let from = START_S + n as f64 * 120.0;
        let wave = times(&mut draw, (from, from + 300.0), 2.0);
        let wave = wave
            .into_iter()
            .map(|at| try_at(&site, WORDPRESS, at, (n * 10 + draw.below(40)) % 300));
        parts.push(hostile(wave.collect()));
        hosts.push(host.to_owned());
    }
    let expect =
        Expectation { hosts, at_most: 1, requests: 0.9, ..found("", KINDS, 30.0 * 120.0 + 300.0) };
    Scenario { rows: combined(together(parts)), expect }
}

/// XML-RPC is answered with 200 whatever the password.
const XMLRPC: Door = Door { path: "/xmlrpc.php", status: 200, bytes: 403 };

pub fn xmlrpc(seed: u64) -> Scenario {
    let rows = vec![around(&BLOG, 1.5, 600.0, seed), tries(&BLOG, XMLRPC, (1, 2.0, 600.0), seed)];
    let expect = Expectation { sources: 1.0, ..found(BLOG.host, KINDS, 300.0) };
    Scenario { rows: combined(together(rows)), expect }
}

pub fn xmlrpc_twice_slashed(seed: u64) -> Scenario {
    let door = Door { path: "//xmlrpc.php", ..XMLRPC };
    let rows = vec![around(&BLOG, 1.5, 900.0, seed), tries(&BLOG, door, (60, 2.0, 900.0), seed)];
    let expect = Expectation { sources: 0.9, ..found(BLOG.host, KINDS, 600.0) };
    Scenario { rows: combined(together(rows)), expect }
}

/// One machine tries at a door with an unusual name, once a second for a quarter of an hour.
fn at_door(door: Door, machines: u64, seed: u64) -> Scenario {
    let rows = vec![
        around(&SHOP, 2.0, 900.0, seed),
        tries(&SHOP, door, (machines, 1.0 + machines as f64 / 40.0, 900.0), seed),
    ];
    let expect = Expectation { sources: 0.9, ..found(SHOP.host, KINDS, 600.0) };
    Scenario { rows: combined(together(rows)), expect }
}

pub fn joomla(seed: u64) -> Scenario {
    at_door(Door { path: "/administrator/index.php", status: 200, bytes: 5_212 }, 1, seed)
}

pub fn phpmyadmin(seed: u64) -> Scenario {
    at_door(Door { path: "/pma/index.php", status: 200, bytes: 11_480 }, 3, seed)
}

pub fn router(seed: u64) -> Scenario {
    at_door(Door { path: "/cgi-bin/luci", status: 403, bytes: 3_870 }, 1, seed)
}

pub fn json_in_german(seed: u64) -> Scenario {
    at_door(Door { path: "/api/v2/konto/anmelden", status: 401, bytes: 61 }, 40, seed)
}

pub fn graphql(seed: u64) -> Scenario {
    at_door(Door { path: "/graphql", status: 200, bytes: 118 }, 1, seed)
}

/// So many machines, each with so many tries at any time, on a host with hardly any traffic.
fn spread(
    door: Door,
    (machines, each): (u64, u32),
    last_s: f64,
    (seed, stream): (u64, u64),
) -> Vec<Row> {
    let mut draw = Draw::of(seed, stream);
    let mut rows = Vec::new();
    for machine in 0..machines {
        for _ in 0..each {
            rows.push(try_at(&SMALL, door, START_S + draw.between(0.0, last_s), machine));
        }
    }
    combined(together(vec![around(&SMALL, 0.3, last_s, seed), hostile(rows)]))
}

/// 2,000 addresses try three times each within three hours.
pub fn spread_over_thousands(seed: u64) -> Scenario {
    let rows = spread(WORDPRESS, (2_000, 3), 10_800.0, (seed, 73));
    let expect = Expectation { requests: 0.5, ..found(SMALL.host, KINDS, 3_600.0) };
    Scenario { rows, expect }
}

/// Somebody tries every 45 seconds for six hours; an hour later 600 addresses begin to try twice each, as seldom as they can.
/// Who keeps an incident open hides nobody.
pub fn spread_behind_one(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 76);
    let one = times(&mut draw, (START_S, START_S + 21_600.0), 1.0 / 45.0);
    let mut rows: Vec<Row> =
        one.into_iter().map(|at| try_at(&SMALL, WORDPRESS, at, 9_999)).collect();
    for machine in 0..1_200 {
        let at = START_S + 3_600.0 + draw.between(0.0, 18_000.0);
        rows.push(try_at(&SMALL, WORDPRESS, at, machine % 600));
    }
    let rows = combined(together(vec![around(&SMALL, 0.3, 21_600.0, seed), hostile(rows)]));
    let expect = Expectation { requests: 0.5, ..found(SMALL.host, KINDS, 3_600.0) };
    Scenario { rows, expect }
}

/// One address tries twice an hour for a day; the edge refuses it.
pub fn twice_an_hour(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 74);
    let door = Door { status: 403, bytes: 1_200, ..WORDPRESS };
    let rows = (0..48).map(|n| {
        let at = START_S + 1_800.0 * f64::from(n) + draw.between(0.0, 300.0);
        try_at(&SMALL, door, at, 5)
    });
    let rows =
        together(vec![lasting(&SMALL, 0.2, START_S + 87_300.0, seed), hostile(rows.collect())]);
    let expect = Expectation { sources: 1.0, ..found(SMALL.host, KINDS, 86_400.0) };
    Scenario { rows: combined(rows), expect }
}

/// 589 tries in eleven hours from 234 addresses, answered with 403.
pub fn slow_from_hundreds(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 75);
    let door = Door { status: 403, bytes: 1_200, ..WORDPRESS };
    let rows = (0..589_u64).map(|_| {
        let at = START_S + draw.between(0.0, 39_600.0);
        try_at(&BLOG, door, at, 900 + draw.below(234))
    });
    let rows = hostile(rows.collect());
    let rows = together(vec![lasting(&BLOG, 0.6, START_S + 40_500.0, seed), rows]);
    let expect = Expectation { requests: 0.5, ..found(BLOG.host, KINDS, 39_600.0) };
    Scenario { rows: combined(rows), expect }
}

/// A host with a request every twenty seconds: one machine tries every two seconds for half an hour.
pub fn on_a_quiet_host(seed: u64) -> Scenario {
    let door = Door { status: 403, bytes: 1_200, ..WORDPRESS };
    let rows =
        vec![around(&SMALL, 0.05, 1_800.0, seed), tries(&SMALL, door, (1, 0.5, 1_800.0), seed)];
    let expect = Expectation { verdicts: ATTACK, sources: 1.0, ..found(SMALL.host, KINDS, 600.0) };
    Scenario { rows: combined(together(rows)), expect }
}

/// The same campaign where no word says that it is a log-in, each machine tries twice, and a wrong password is answered
/// like a right one: only a setting can tell.
pub fn named_by_a_setting(seed: u64) -> Scenario {
    let door = Door { path: "/konto/oeffnen", status: 200, bytes: 118 };
    let rows = spread(door, (1_500, 2), 7_200.0, (seed, 75));
    let expect = Expectation {
        requests: 0.5,
        credential_paths: &["/konto/*"],
        ..found(SMALL.host, KINDS, 3_600.0)
    };
    Scenario { rows, expect }
}

#[test]
fn a_setting_names_a_log_in_that_nothing_else_tells() {
    let mut scenario = named_by_a_setting(1);
    assert_eq!(scenario.run().wrong, [""; 0]);
    scenario.expect.credential_paths = &["/konto"];
    assert!(!scenario.run().wrong.is_empty(), "found without being named");
}

/// A host that nobody has asked for, tried from its first line on; a minute later its first visitor comes.
pub fn before_anybody_came(seed: u64) -> Scenario {
    let site = SMALL.named("new.example");
    let door = Door { status: 403, bytes: 1_200, ..WORDPRESS };
    let mut visits = site.ordinary(600.0, 0.3, seed);
    for row in &mut visits {
        row.ts += ((START_S + 60.0) * 1e6) as i64;
    }
    let rows =
        vec![around(&SHOP, 2.0, 660.0, seed), tries(&site, door, (1, 2.0, 600.0), seed), visits];
    let expect = Expectation { sources: 1.0, at_most: 1, ..found("new.example", KINDS, 300.0) };
    Scenario { rows: combined(together(rows)), expect }
}

/// One machine tries passwords for half an hour; for two minutes of it another does: one matter, of two.
pub fn two_at_once(seed: u64) -> Scenario {
    let every = |from: f64, gap: f64, count: u64, machine: u64| {
        (0..count).map(move |n| try_at(&BLOG, WORDPRESS, from + n as f64 * gap, machine))
    };
    let first = every(START_S, 3.0, 600, 11);
    let second = every(START_S + 900.0, 1.5, 80, 12);
    let rows = hostile(first.chain(second).collect());
    let rows = together(vec![rows, around(&BLOG, 1.5, 1_800.0, seed)]);
    let expect = Expectation {
        at_most: 1,
        sources: 1.0,
        named: 1.0,
        visitors: 0,
        ..found(BLOG.host, KINDS, 180.0)
    };
    Scenario { rows: combined(rows), expect }
}

/// The names of two writers are asked for, the form is looked at, and 32 passwords come within a second, each of which the program
/// fails at.
pub fn broken_within_a_second(seed: u64) -> Scenario {
    let door = Door { path: "//wp-login.php", status: 500, bytes: 2_600 };
    let mut rows: Vec<Row> =
        (0..32_u64).map(|n| try_at(&BLOG, door, START_S + 2.0 + n as f64 * 0.04, 5)).collect();
    for n in 0..2_u64 {
        let mut row = try_at(&BLOG, door, START_S + n as f64 * 0.3, 5);
        (row.method, row.path, row.query) = ("GET", "/".into(), Some(format!("author={}", n + 1)));
        rows.push(Row { status: 200, ..row });
    }
    let look = try_at(&BLOG, door, START_S + 1.0, 5);
    rows.push(Row { method: "HEAD", status: 200, bytes: 0, ..look });
    let rows = together(vec![around(&BLOG, 0.5, 60.0, seed), hostile(rows)]);
    let expect = Expectation { named: 1.0, visitors: 0, ..found(BLOG.host, KINDS, 10.0) };
    Scenario { rows: combined(rows), expect }
}

/// A program that takes the page to which all is moved for an answer: twenty passwords in fifty seconds, none of which arrives.
pub fn moved_for_good(seed: u64) -> Scenario {
    let door = Door { path: "/account/login", status: 301, bytes: 240 };
    let mut rows = Vec::new();
    for n in 0..20_u64 {
        let row = try_at(&SHOP, door, START_S + n as f64 * 2.5, 6);
        let page =
            Row { method: "GET", status: 200, bytes: 9_000, ts: row.ts + 400_000, ..row.clone() };
        rows.extend([row, page]);
    }
    let rows = together(vec![around(&SHOP, 0.5, 60.0, seed), hostile(rows)]);
    let expect = Expectation { named: 1.0, visitors: 0, ..found(SHOP.host, KINDS, 60.0) };
    Scenario { rows: combined(rows), expect }
}

/// Those who log in try three or four times, each of which is moved to TLS, or fails, since what keeps the accounts is broken; their
/// app tries once a second.
pub fn fails_for_all(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 90);
    let mut rows = Vec::new();
    for who in 0..30 {
        let person = Person { returns: false, ..Person::visitor(97_000 + who) };
        let at = START_S + draw.between(0.0, 600.0);
        let (status, times, every_s) =
            [(301, 3, 9.0), (500, 4, 7.0), (500, 20, 1.05)][(who % 3) as usize];
        let form = person.asks(&SHOP, at, "/account/login");
        rows.extend(load(&SHOP, &mut draw, form, &person, true, 0));
        for n in 0..times as u64 {
            let mut row = person.asks(&SHOP, at + 5.0 + n as f64 * every_s, "/account/login");
            (row.method, row.status, row.bytes) = ("POST", status, 700);
            row.referer = Some(format!("https://{}/account/login", SHOP.host));
            rows.push(row);
        }
    }
    let rows = together(vec![around(&SHOP, 5.0, 700.0, seed), rows]);
    Scenario { rows: combined(rows), expect: nothing() }
}
