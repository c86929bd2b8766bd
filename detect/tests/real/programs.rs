//! Programs that ask all day: in vain, again after a fault, twice for a handshake.

use super::expect::{START_S, Scenario, nothing};
use super::scene::{around, lasting, times};
use crate::traffic::people::{Person, home};
use crate::traffic::robots::asks;
use crate::traffic::row::{Text, combined};
use crate::traffic::sites::{CHAT, CLOUD, SHOP};
use crate::traffic::{Draw, Row, together};

/// Path and answer number `n` of 60 that a version of a desktop client asks for.
fn vain(n: u64, newer: bool) -> (String, i32) {
    if n < 40 {
        let size = if newer { 512 } else { 64 };
        return (format!("/index.php/avatar/u{n}/{size}"), 404);
    }
    let version = if newer { "v3" } else { "v2" };
    (format!("/ocs/{version}.php/apps/part{n}/api"), [200, 404, 401][(n % 3) as usize])
}

/// 300 desktop clients of one version poll for what is not there; all update in the 75th minute.
pub fn poll_in_vain(seed: u64) -> Scenario {
    const END_S: f64 = 6_000.0;
    let old: Text = "Mozilla/5.0 (Windows) mirall/3.15.3 (Nextcloud, windows-10.0.19045 ClientArchitecture: x86_64 OsArchitecture: x86_64)".into();
    let new: Text = "Mozilla/5.0 (Windows) mirall/3.16.0 (Nextcloud, windows-10.0.19045 ClientArchitecture: x86_64 OsArchitecture: x86_64)".into();
    let mut draw = Draw::of(seed, 51);
    let mut rows = Vec::new();
    for client in 0..300 {
        let ip = match client {
            0..120 => home(80, client / 20).ip,
            _ => Person::visitor(60_000 + client).home.ip,
        };
        let updates = 4_500.0 + draw.between(0.0, 60.0);
        let mut at = draw.between(0.0, 30.0);
        while at < END_S {
            let newer = at >= updates;
            for _ in 0..2 {
                let (path, status) = vain(draw.below(60), newer);
                let agent = if newer { &new } else { &old };
                let row = asks(&CLOUD, at + draw.unit(), ip.clone(), agent, path);
                rows.push(Row { status, bytes: if status == 200 { 700 } else { 120 }, ..row });
            }
            at += draw.between(29.5, 30.5);
        }
    }
    let rows = together(vec![lasting(&CLOUD, 2.0, END_S, seed), rows]);
    Scenario { rows: combined(rows), expect: nothing() }
}

/// 9,000 sockets close at once; each tries again, in vain for 40 s, then gets through.
pub fn reconnect_storm(seed: u64) -> Scenario {
    const WAITS: [f64; 4] = [1.0, 2.0, 4.0, 5.0];
    let mut draw = Draw::of(seed, 52);
    let mut rows = Vec::new();
    for who in 0..9_000_u64 {
        let person = CHAT.person(who * 3);
        let socket = |draw: &mut Draw, at: f64, status: i32| {
            let mut row = person.asks(&CHAT, at, "/socket");
            row.query = Some(format!("t={:x}{:x}", draw.below(1 << 30), who));
            (row.status, row.bytes) = (status, 150);
            row
        };
        let closed = START_S + draw.between(0.0, 0.4);
        rows.push(socket(&mut draw, closed, 101));
        let (mut at, mut tries) = (START_S, 0);
        loop {
            at += WAITS[tries.min(3)] * draw.between(0.5, 1.5);
            tries += 1;
            let down = at < START_S + 40.0;
            rows.push(socket(&mut draw, at, if down { 502 } else { 101 }));
            if !down {
                let path = format!("/api/v4/channels/{}/posts", draw.below(60));
                rows.push(person.asks(&CHAT, at + 0.3, &path));
                break;
            }
        }
    }
    let rows = together(vec![around(&CHAT, 30.0, 60.0, seed), rows]);
    Scenario { rows: combined(rows), expect: nothing() }
}

/// Folders are mounted: each request is refused once (or twice) before it is granted; on Monday morning all come.
pub fn handshakes(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 53);
    let mut rows = Vec::new();
    for client in 0..150_u64 {
        let ip = Person::visitor(61_000 + client % 120).home.ip;
        let agent: Text = match client % 3 {
            0 => "Microsoft-WebDAV-MiniRedir/10.0.19045".into(),
            1 => "gvfs/1.54.1".into(),
            _ => "davfs2/1.7.0 neon/0.33.0".into(),
        };
        let mut at =
            if client < 30 { draw.between(0.0, 600.0) } else { START_S + draw.wait(120.0) };
        while at < START_S + 1_400.0 {
            let path = format!("/remote.php/dav/files/u{}/{}", client, draw.below(60));
            let row = asks(&CLOUD, at, ip.clone(), &agent, path);
            let refusals = if client % 3 == 0 { 2 } else { 1 };
            for n in 0..=refusals {
                let mut row = row.clone();
                row.ts += n * 40_000;
                row.method = "PROPFIND";
                (row.status, row.bytes) = if n < refusals { (401, 460) } else { (207, 3_000) };
                rows.push(row);
            }
            at += 1.0 + draw.wait(30.0);
        }
    }
    let rows = together(vec![around(&CLOUD, 2.0, 600.0, seed), rows]);
    Scenario { rows: combined(rows), expect: nothing() }
}

/// An office behind one address, 20 kinds of browser, has to use new passwords: people fail and fail, then get in.
pub fn office_after_password_change(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 54);
    let mut rows = Vec::new();
    for who in 0..40_u64 {
        let mut person = Person::visitor(62_000 + who % 20);
        person.home = home(81, 7);
        for at in times(&mut draw, (0.0, START_S), 1.0 / 3_600.0) {
            let mut row = person.asks(&SHOP, at, "/account/login");
            (row.method, row.status) = ("POST", 302);
            row.referer = Some("https://shop.example/account/login".into());
            rows.extend([row, person.asks(&SHOP, at + 1.0, "/p/orders")]);
        }
        let mut at = START_S + draw.between(0.0, 600.0);
        for _ in 0..2 + draw.below(6) {
            let mut row = person.asks(&SHOP, at, "/account/login");
            (row.method, row.status, row.bytes) = ("POST", 401, 410);
            row.referer = Some("https://shop.example/account/login".into());
            rows.push(person.pulls(&SHOP, at + 0.5, "/static/shop.css", "/account/login"));
            rows.push(row);
            at += 6.0 + draw.wait(20.0);
        }
        let mut row = person.asks(&SHOP, at, "/account/login");
        (row.method, row.status) = ("POST", 302);
        rows.push(row);
    }
    let rows = together(vec![around(&SHOP, 4.0, 900.0, seed), rows]);
    Scenario { rows: combined(rows), expect: nothing() }
}

/// Files of hours are logged when they end, with the time at which they began.
pub fn uploads_logged_late(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 55);
    let end_s = START_S + 1_500.0;
    let mut logged: Vec<(i64, Row)> =
        lasting(&CLOUD, 4.0, end_s, seed).into_iter().map(|row| (row.ts, row)).collect();
    for at in times(&mut draw, (0.0, end_s), 0.25) {
        let person = Person::visitor(63_000 + draw.below(300));
        let mut row =
            person.asks(&CLOUD, at, &format!("/remote.php/dav/files/film-{}", draw.below(5_000)));
        let takes = 2_000_000 + draw.below(540_000_000) as i64;
        (row.method, row.status, row.bytes, row.duration_us) = ("PUT", 201, 0, Some(takes));
        if at + takes as f64 / 1e6 < end_s {
            logged.push((row.ts + takes, row));
        }
    }
    logged.sort_by_key(|(at, _)| *at);
    Scenario { rows: logged.into_iter().map(|(_, row)| row).collect(), expect: nothing() }
}
