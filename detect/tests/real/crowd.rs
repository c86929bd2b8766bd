//! Many at once who do no harm: a link that goes round, a new episode, a campus.

use super::expect::{START_S, Scenario, nothing};
use super::scene::{around, times};
use crate::traffic::people::{Home, Person, home, load, session};
use crate::traffic::row::{Text, combined};
use crate::traffic::sites::{BLOG, NEWS, SHOP, WIKI};
use crate::traffic::{Draw, Row, agents, robots, time, together};

/// 3,000 servers of a network of instances fetch one article and its image once each.
fn link_goes_round(seed: u64, overloaded: bool) -> Scenario {
    let mut draw = Draw::of(seed, 41);
    let page = (BLOG.page)(37).0;
    let mut rows = Vec::new();
    for n in 0..3_000 {
        let agent: Text = format!(
            "Mastodon/4.{}.{} (http.rb/5.{}.2; +https://inst-{n}.example/)",
            1 + draw.below(3),
            draw.below(14),
            1 + draw.below(2)
        )
        .into();
        let at = START_S
            + if draw.chance(0.8) { draw.between(0.0, 60.0) } else { draw.between(60.0, 300.0) };
        let ip = home(2_000 + draw.below(2_500), n).ip;
        let image = at + draw.between(0.4, 3.0);
        rows.push(robots::asks(&BLOG, at, ip.clone(), &agent, page.clone()));
        rows.push(robots::asks(&BLOG, image, ip, &agent, (BLOG.image)(37, 0)));
    }
    let mut rows = together(vec![around(&BLOG, 1.5, 300.0, seed), rows]);
    if overloaded {
        let down = time(START_S + 15.0)..time(START_S + 240.0);
        for row in rows.iter_mut().filter(|row| row.host == BLOG.host && down.contains(&row.ts)) {
            if draw.chance(0.85) {
                (row.status, row.bytes) = (503, 190);
            }
        }
    }
    Scenario { rows: combined(rows), expect: nothing() }
}

pub fn link_held(seed: u64) -> Scenario {
    link_goes_round(seed, false)
}

pub fn link_overloaded(seed: u64) -> Scenario {
    link_goes_round(seed, true)
}

/// A stream begins: within a minute and a half 1,500 players that nobody had before ask the caches for a list and its parts,
/// every four seconds each.
pub fn stream_begins(seed: u64) -> Scenario {
    const PLAYERS: [(&str, &str); 3] = [
        (
            "AppleCoreMedia/1.0.0.22D72 (Apple TV; U; CPU OS 18_3 like Mac OS X; en_us)",
            "t13d2014h2_a09f3c656075_14788d8d241b",
        ),
        (
            "Sport/7.2 (Linux;Android 14) ExoPlayerLib/2.19.1",
            "t13d1512h2_46e7e9700bed_45f260be83e2",
        ),
        (
            "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/108.0.5359.211 Safari/537.36 WebAppManager",
            "t13d1517h2_8daaf6152771_b0da82dd1658",
        ),
    ];
    let mut draw = Draw::of(seed, 48);
    let mut rows = Vec::new();
    for n in 0..1_500 {
        let (agent, ja4) = draw.pick(&PLAYERS);
        let person = Person {
            home: home(1_200 + draw.below(400), n),
            agent: ((*agent).into(), ja4),
            returns: false,
        };
        let mut at = START_S + draw.wait(30.0).min(90.0);
        while at < START_S + 240.0 {
            let part = (at - START_S + 3_600.0) as u64 / 4;
            let cached = if draw.chance(0.08) { "expired" } else { "hit" };
            let list = person.asks(&NEWS, at, "/live/finale/720/list.m3u8");
            rows.push(Row { cache: Some(cached), bytes: 900, ..list });
            let file = person.asks(&NEWS, at + 0.2, &format!("/live/finale/720/{part}.ts"));
            rows.push(Row { cache: Some("hit"), bytes: 1_400_000, ..file });
            at += 4.0;
        }
    }
    Scenario { rows: together(vec![around(&NEWS, 12.0, 240.0, seed), rows]), expect: nothing() }
}

/// How long after an episode a player fetches it: most within minutes, all within half an hour.
fn soon(draw: &mut Draw) -> f64 {
    let wait = draw.wait(420.0);
    if wait < 1_700.0 { wait } else { draw.between(0.0, 1_700.0) }
}

/// A new episode: players ask for the feed and fetch the file in parts, most within twenty minutes.
pub fn podcast(seed: u64) -> Scenario {
    const PLAYERS: [&str; 6] = [
        "AppleCoreMedia/1.0.0.22D72 (iPhone; U; CPU OS 18_3 like Mac OS X; de_de)",
        "Podcasts/4025.510.3 CFNetwork/3826.400.120 Darwin/24.3.0",
        "Overcast/3.0 (+http://overcast.fm/; iOS podcast app)",
        "AntennaPod/3.6.1",
        "Pocket Casts/7.80",
        "Spotify/9.0.18 iOS/18.3 (iPhone15,2)",
    ];
    let mut draw = Draw::of(seed, 42);
    let mut rows = Vec::new();
    for at in times(&mut draw, (0.0, START_S + 2_700.0), 0.4) {
        // Listeners' players ask for the feed by day and night and fetch older episodes.
        let who = draw.below(2_500);
        let ip = Person::visitor(50_000 + who).home.ip;
        let agent: Text = PLAYERS[(who % 6) as usize].into();
        if draw.chance(0.7) {
            let row = robots::asks(&BLOG, at, ip, &agent, BLOG.feed.into());
            rows.push(Row { status: 304, bytes: 0, ..row });
        } else {
            let path = format!("/podcast/episode-{}.mp3", 111 - draw.zipf(111));
            let row = robots::asks(&BLOG, at, ip, &agent, path);
            rows.push(Row { status: 206, bytes: 9_000_000, ..row });
        }
    }
    for who in 0..2_500_u64 {
        let agent: Text = PLAYERS[(who % 6) as usize].into();
        let mut at = START_S + soon(&mut draw);
        let ip = Person::visitor(50_000 + who).home.ip;
        rows.push(robots::asks(&BLOG, at, ip.clone(), &agent, BLOG.feed.into()));
        for _ in 0..draw.several(4.0, 12) {
            at += draw.between(0.5, 20.0);
            let row =
                robots::asks(&BLOG, at, ip.clone(), &agent, "/podcast/episode-112.mp3".into());
            rows.push(Row { status: 206, bytes: 9_000_000, ..row });
        }
    }
    let rows = together(vec![around(&BLOG, 1.5, 1_800.0, seed), rows]);
    Scenario { rows: combined(rows), expect: nothing() }
}

fn from_campus(mut person: Person) -> Person {
    person.home = Home { ip: "198.51.100.40".into(), asn: 680, country: "DE" };
    person
}

/// A campus behind one address reads all day; then a lecture of 200 begins with the same article.
pub fn campus(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 43);
    let mut rows = Vec::new();
    for at in times(&mut draw, (0.0, START_S + 1_500.0), 0.08) {
        let who = from_campus(Person::visitor(80_000 + draw.below(800)));
        rows.extend(session(&WIKI, &mut draw, at, &who));
    }
    for n in 0..200 {
        let at = START_S + 120.0 * draw.unit() * draw.unit();
        rows.extend(session(&WIKI, &mut draw, at, &from_campus(Person::visitor(80_000 + n))));
    }
    let rows = together(vec![around(&WIKI, 6.0, 600.0, seed), rows]);
    Scenario { rows: combined(rows), expect: nothing() }
}

/// Each visit to a blog claims to come from some site that wants visitors.
pub fn referrer_spam(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 44);
    let mut rows = Vec::new();
    for at in times(&mut draw, (START_S, START_S + 1_200.0), 0.4) {
        let home = home(3_000 + draw.below(300), draw.below(40));
        let list = agents::current();
        let agent = list[draw.zipf(list.len() as u64) as usize].clone();
        let mut row = Person { home, agent, returns: false }.asks(&BLOG, at, "/");
        row.referer = Some(format!("https://cheap-{}.example/", draw.below(40)));
        rows.push(row);
    }
    let rows = together(vec![around(&BLOG, 1.5, 1_200.0, seed), rows]);
    Scenario { rows: combined(rows), expect: nothing() }
}

/// A link on a large site: 3,000 people within a few minutes, with referer and all that a page pulls in.
pub fn people_follow_a_link(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 45);
    let mut rows = Vec::new();
    for who in 0..3_000 {
        let person = Person { returns: false, ..Person::visitor(90_000 + who) };
        let (path, _) = (BLOG.page)(51);
        let mut row = person.asks(&BLOG, START_S + 300.0 * draw.unit() * draw.unit(), &path);
        row.referer = draw.chance(0.8).then(|| "https://news.example/item?id=4411".to_owned());
        rows.extend(load(&BLOG, &mut draw, row, &person, true, 51));
    }
    let rows = together(vec![around(&BLOG, 1.5, 400.0, seed), rows]);
    Scenario { rows: combined(rows), expect: nothing() }
}

/// A sale begins: 900 people load one product page again and again, each two seconds; what belongs to it they have.
pub fn sale(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 46);
    let (page, _) = (SHOP.page)(37);
    let mut rows = Vec::new();
    for who in 0..900 {
        let person = Person::visitor(150_000 + who);
        let mut at = START_S + draw.between(0.0, 60.0);
        let leaves = START_S + 480.0 - draw.wait(60.0);
        let mut first = true;
        while at < leaves {
            let mut row = person.asks(&SHOP, at, &page);
            row.referer = (!first).then(|| format!("https://{}{page}", SHOP.host));
            if first {
                rows.extend(load(&SHOP, &mut draw, row, &person, true, 2));
                first = false;
            } else {
                rows.push(row);
            }
            at += 1.2 + draw.wait(1.2);
        }
    }
    let rows = together(vec![around(&SHOP, 40.0, 900.0, seed), rows]);
    Scenario { rows: combined(rows), expect: nothing() }
}
