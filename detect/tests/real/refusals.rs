//! Reads that are refused for want of credentials: keys and passwords guessed without a form, and programs that are refused
//! first, or have lost their key.

use super::expect::{ATTACK, Expectation, START_S, Scenario, found, nothing};
use super::scene::{around, hostile, times};
use crate::traffic::people::{Person, home};
use crate::traffic::robots::asks;
use crate::traffic::row::{Text, combined};
use crate::traffic::sites::{CLOUD, SHOP, Site};
use crate::traffic::{Draw, Row, together};

const API: Site = CLOUD.named("api.example");

const KINDS: &[&str] = &["brute_force", "credential_stuffing"];

fn program(n: u64) -> Text {
    let all = ["python-requests/2.32.3", "okhttp/4.12.0", "Go-http-client/2.0", "axios/1.7.9"];
    all[(n % 4) as usize].into()
}

/// Partners of an interface that ask for what is new, each at its own pace, all day.
fn partners(last_s: f64, seed: u64) -> Vec<Row> {
    let mut draw = Draw::of(seed, 601);
    let mut rows = Vec::new();
    for at in times(&mut draw, (0.0, START_S + last_s), 2.0) {
        let n = draw.zipf(70);
        let path = format!("/api/v2/{}", ["items", "contacts", "me"][draw.below(3) as usize]);
        rows.push(asks(&API, at, home(800 + n, n).ip, &program(n), path));
    }
    rows
}

/// Three machines guess keys, one every two seconds each.
pub fn keys_guessed(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 602);
    let guess = |at| {
        let n = draw.below(3);
        let row = asks(&API, at, home(900 + n, n).ip, &program(0), "/api/v2/me".into());
        Row { status: 401, bytes: 60, ..row }
    };
    let mut of_times = Draw::of(seed, 603);
    let all = times(&mut of_times, (START_S, START_S + 1_800.0), 1.5);
    let rows = hostile(all.into_iter().map(guess).collect());
    let expect = Expectation {
        verdicts: ATTACK,
        named: 1.0,
        requests: 0.9,
        visitors: 0,
        ..found(API.host, KINDS, 900.0)
    };
    Scenario { rows: combined(together(vec![partners(2_700.0, seed), rows])), expect }
}

/// Sixty machines try passwords for six folders of a storage for files, each of them every ten minutes.
pub fn folders_of_others(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 604);
    let mut rows = Vec::new();
    for at in times(&mut draw, (START_S, START_S + 7_200.0), 0.1) {
        let n = draw.below(60);
        let name = ["admin", "info", "office", "anna", "thomas", "till"][draw.below(6) as usize];
        let path = format!("/remote.php/dav/files/{name}/");
        let row = asks(&CLOUD, at, home(6_000 + n, n).ip, &program(n), path);
        rows.push(Row { method: "PROPFIND", status: 401, bytes: 400, ..row });
    }
    let rows = together(vec![around(&CLOUD, 2.0, 7_200.0, seed), hostile(rows)]);
    let expect = Expectation { requests: 0.5, ..found(CLOUD.host, KINDS, 3_600.0) };
    Scenario { rows: combined(rows), expect }
}

/// Whoever opens an application is asked who he is before he has said so; in the afternoon there are more.
pub fn asked_who_it_is(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 605);
    let mut rows = Vec::new();
    let early = times(&mut draw, (0.0, START_S), 0.1);
    let late = times(&mut draw, (START_S, START_S + 5_400.0), 0.2);
    for (n, at) in early.into_iter().chain(late).enumerate() {
        let person = Person { returns: false, ..Person::visitor(70_000 + n as u64) };
        let me = person.asks(&API, at, "/api/v2/me");
        rows.push(Row { status: 401, bytes: 60, ..me });
        if draw.chance(0.4) {
            let log_in = person.asks(&API, at + 9.0, "/api/v2/login");
            rows.push(Row { method: "POST", bytes: 700, ..log_in });
            rows.push(person.asks(&API, at + 9.5, "/api/v2/me"));
            rows.push(person.asks(&API, at + 10.0, "/api/v2/items"));
        }
    }
    let rows = together(vec![partners(6_300.0, seed), rows]);
    Scenario { rows: combined(rows), expect: nothing() }
}

/// 400 machines of a builder, behind two addresses, and developers all day fetch from a forge and a store of images, which refuse first.
pub fn fetched_after_a_refusal(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 606);
    let mut rows = Vec::new();
    for n in 0..900_u64 {
        let ip = if n < 400 { home(82, n % 2).ip } else { home(7_500 + n % 90, n % 90).ip };
        let from = if n < 400 { START_S } else { 0.0 };
        let at = draw.between(from, START_S + 900.0);
        let bytes = 200 + 37 * draw.below(90) as i64;
        let mut ask = |after: f64, agent: &str, path: &str, query: Option<&str>, status| {
            let row = asks(&API, at + after, ip.clone(), &agent.to_owned().into(), path.into());
            let bytes = if status == 401 { 20 } else { bytes };
            rows.push(Row { query: query.map(Into::into), status, bytes, ..row });
        };
        if n % 2 == 0 {
            let repository = format!("/group/part{}.git/info/refs", n % 9);
            let service = Some("service=git-upload-pack");
            ask(0.0, "git/2.47.3", &repository, service, 401);
            ask(0.1, "git/2.47.3", &repository, service, 200);
        } else {
            let image = format!("/v2/group/part{}/manifests/latest", n % 9);
            ask(0.0, "docker/27.3.1", "/v2/", None, 401);
            ask(0.1, "docker/27.3.1", "/token", Some("service=registry"), 200);
            ask(0.2, "docker/27.3.1", &image, None, 200);
            ask(0.3, "docker/27.3.1", &image.replace("manifests", "blobs"), None, 200);
        }
    }
    let rows = together(vec![partners(1_800.0, seed), rows]);
    Scenario { rows: combined(rows), expect: nothing() }
}

/// A crawler follows links into what is closed to it; programs whose key ran out before anybody watched go on asking.
pub fn closed_to_them(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 607);
    let mut rows = Vec::new();
    for (n, at) in times(&mut draw, (START_S, START_S + 900.0), 0.5).into_iter().enumerate() {
        let path = format!("/admin/page-{}", n % 300);
        let agent = crate::traffic::robots::GOOGLEBOT.into();
        let row = asks(&API, at, "66.249.66.7".into(), &agent, path);
        rows.push(Row { status: 401, bytes: 400, ..row });
    }
    for n in 0..6_u64 {
        let mut at = 10.0 * draw.unit();
        while at < START_S + 900.0 {
            let row = asks(&API, at, home(950 + n, n).ip, &program(n), "/api/v2/items".into());
            rows.push(Row { status: 401, bytes: 60, ..row });
            at += (10.0 + 10.0 * n as f64) * draw.between(0.97, 1.03);
        }
    }
    let rows = together(vec![partners(1_800.0, seed), rows]);
    Scenario { rows: combined(rows), expect: nothing() }
}

/// What a program with a key sends every so many seconds; from `fails_s` on it is refused, and tries each once more.
fn with_a_key(
    ask: impl Fn(f64) -> Row,
    every_s: f64,
    (from_s, fails_s, end_s): (f64, f64, f64),
    draw: &mut Draw,
) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut at = from_s + every_s * draw.unit();
    while at < end_s {
        let row = ask(at);
        if at < fails_s {
            rows.push(row);
        } else {
            rows.push(Row { status: 401, bytes: 60, ..row });
            rows.push(Row { status: 401, bytes: 60, ..ask(at + 1.0) });
        }
        at += every_s * draw.between(0.9, 1.1);
    }
    rows
}

fn device(n: u64, at: f64) -> Row {
    let (ip, path) = (home(7_600 + n, n).ip, format!("/v1/devices/sn-{n:05}/telemetry"));
    let row = asks(&API, at, ip, &"esp-idf/5.3".into(), path);
    Row { method: "POST", status: 202, bytes: 2, ..row }
}

fn merchant(at: f64) -> Row {
    let row = asks(&API, at, home(960, 1).ip, &program(0), "/v1/payments".into());
    Row { method: "POST", status: 201, bytes: 900, ..row }
}

/// Keys of 40 of 200 devices, of a merchant's server and of 40 programs that keep folders the same stop working; all go on as before.
pub fn keys_stop_working(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 608);
    let end_s = START_S + 5_400.0;
    let mut parts = vec![partners(6_300.0, seed)];
    for n in 0..200 {
        let fails_s = if n % 5 == 0 { START_S } else { end_s };
        parts.push(with_a_key(|at| device(n, at), 60.0, (0.0, fails_s, end_s), &mut draw));
    }
    parts.push(with_a_key(merchant, 15.0, (0.0, START_S, end_s), &mut draw));
    for n in 0..80_u64 {
        let fails_s = if n % 2 == 0 { START_S } else { end_s };
        let folder = |at| {
            let path = format!("/remote.php/dav/files/u{n}/");
            let agent = "Mozilla/5.0 (Linux) mirall/3.16.7 (Nextcloud)".into();
            let row = asks(&API, at, home(7_900 + n, n).ip, &agent, path);
            Row { method: "PROPFIND", status: 207, bytes: 480, ..row }
        };
        parts.push(with_a_key(folder, 30.0, (0.0, fails_s, end_s), &mut draw));
    }
    Scenario { rows: combined(together(parts)), expect: nothing() }
}

/// A merchant's server, whose key is taken every fifteen seconds, guesses the keys of others two a second.
pub fn guesses_with_a_key_of_its_own(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 609);
    let end_s = START_S + 900.0;
    let own = with_a_key(merchant, 15.0, (0.0, end_s, end_s), &mut draw);
    let all = times(&mut draw, (START_S, end_s), 2.0);
    let guess = |at| Row { status: 401, bytes: 60, ..merchant(at) };
    let rows = hostile(all.into_iter().map(guess).collect());
    let expect = Expectation {
        verdicts: ATTACK,
        named: 1.0,
        requests: 0.8,
        ..found(API.host, KINDS, 300.0)
    };
    let rows = together(vec![partners(1_800.0, seed), own, rows]);
    Scenario { rows: combined(rows), expect }
}

fn card(at: f64, n: u64, status: i32) -> Row {
    let person = Person { home: home(6_700 + n, n), returns: false, ..Person::visitor(n) };
    let row = person.asks(&SHOP, at, "/gift-card/balance");
    let referer = Some(format!("https://{}/gift-card", SHOP.host));
    Row { method: "POST", status, bytes: 120, referer, ..row }
}

/// People ask what is left on a card, once a minute one of them; one in five mistypes.
fn cards_asked(end_s: f64, draw: &mut Draw) -> Vec<Row> {
    let mut rows = Vec::new();
    for (n, at) in times(draw, (0.0, end_s), 1.0 / 60.0).into_iter().enumerate() {
        let n = 200 + n as u64;
        if draw.chance(0.2) {
            rows.push(card(at - 8.0, n, 404));
        }
        rows.push(card(at, n, 200));
    }
    rows
}

/// Twenty machines guess the numbers of gift cards, two a second in all; of 200 one is right.
pub fn codes_guessed(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 610);
    let end_s = START_S + 2_400.0;
    let own = cards_asked(end_s, &mut draw);
    let all = times(&mut draw, (START_S, end_s), 2.0);
    let guess = |at| card(at, draw.below(20), if draw.chance(0.995) { 404 } else { 200 });
    let rows = hostile(all.into_iter().map(guess).collect());
    let rows = together(vec![around(&SHOP, 4.0, 2_400.0, seed), own, rows]);
    let expect = Expectation {
        verdicts: ATTACK,
        sources: 0.9,
        visitors: 2,
        ..found(SHOP.host, KINDS, 1_200.0)
    };
    Scenario { rows: combined(rows), expect }
}

/// What programs post to is gone, for those who did so for hours and for one that is set up wrongly: they go on every half minute to
/// two minutes.
pub fn posts_to_what_is_gone(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 611);
    let end_s = START_S + 5_400.0;
    let mut parts = vec![around(&SHOP, 4.0, 5_400.0, seed), cards_asked(end_s, &mut draw)];
    for n in 0..12_u64 {
        let from_s = if n < 9 { 0.0 } else { START_S };
        let mut at = from_s + 60.0 * draw.unit();
        while at < end_s {
            let row = asks(&SHOP, at, home(980 + n, n).ip, &program(n), "/api/stock".into());
            let (status, bytes) = if at < START_S { (200, 340) } else { (404, 60) };
            parts.push(vec![Row { method: "POST", status, bytes, ..row }]);
            at += (30.0 + 10.0 * (n % 9) as f64) * draw.between(0.9, 1.1);
        }
    }
    Scenario { rows: combined(together(parts)), expect: nothing() }
}
