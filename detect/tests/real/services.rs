//! Services that come in bursts or never rest, and do what they are there for.

use super::expect::{START_S, Scenario, nothing};
use super::scene::{around, times};
use crate::traffic::people::{Person, home, session};
use crate::traffic::robots::{FACEBOOK, GOOGLE_PROXY, PHOTON, address, asks};
use crate::traffic::row::{Text, combined};
use crate::traffic::sites::{BLOG, CLOUD, NEWS, SHOP, Site};
use crate::traffic::{Draw, Row, agents, robots, together};

const END_S: f64 = START_S + 1_800.0;

fn harmless(site: &Site, per_s: f64, rows: Vec<Row>, seed: u64) -> Scenario {
    let rows = together(vec![around(site, per_s, 900.0, seed), rows]);
    Scenario { rows: combined(rows), expect: nothing() }
}

/// Somebody's newsletter goes out: proxies fetch 40 images within a minute, again and again.
pub fn image_proxies(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 91);
    let mut rows = Vec::new();
    for (n, at) in times(&mut draw, (START_S, START_S + 900.0), 1.0 / 120.0).into_iter().enumerate()
    {
        let (agent, network): (Text, &str) = match n % 3 {
            0 => (PHOTON.into(), "192.0"),
            1 => (GOOGLE_PROXY.into(), "66.102"),
            _ => ("Amazon CloudFront".into(), "130.176"),
        };
        for image in 0..40 {
            let ip = address(network, 25, &mut draw);
            let path = (BLOG.image)(draw.zipf(60), image % 4);
            rows.push(asks(&BLOG, at + draw.between(0.0, 60.0), ip, &agent, path));
        }
    }
    harmless(&BLOG, 1.5, rows, seed)
}

/// A link is shared in large groups: previews of one page, 60 within two minutes.
pub fn link_previews(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 92);
    let bing = "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; BingPreview/1.0b) Chrome/116.0 Safari/537.36";
    let mut rows = Vec::new();
    for n in 0..60_u64 {
        let (agent, network): (Text, &str) = match n % 4 {
            0 | 1 => (FACEBOOK.into(), "173.252"),
            2 => (bing.into(), "40.77"),
            _ => ("WhatsApp/2.24.25.78 A".into(), "31.13"),
        };
        let (path, _) = (NEWS.page)(12);
        let ip = address(network, 40, &mut draw);
        let at = START_S + draw.between(0.0, 120.0);
        rows.push(asks(&NEWS, at, ip.clone(), &agent, path));
        rows.push(asks(&NEWS, at + 0.4, ip, &agent, (NEWS.image)(12, 0)));
    }
    harmless(&NEWS, 4.0, rows, seed)
}

/// 400 readers of a feed, many of them on the full hour.
pub fn feed_readers(seed: u64) -> Scenario {
    let mut rows = robots::feed_readers(&BLOG, END_S, 250, seed);
    let mut draw = Draw::of(seed, 93);
    let agent: Text = "FreshRSS/1.24.3 (Linux; https://freshrss.org)".into();
    for hour in 0..=1 {
        for reader in 0..150 {
            let at = f64::from(hour) * 3_600.0 + draw.wait(8.0);
            let row = asks(&BLOG, at, home(8_000 + reader, 1).ip, &agent, BLOG.feed.into());
            rows.push(Row { status: 304, bytes: 0, ..row });
        }
    }
    harmless(&BLOG, 1.5, rows, seed)
}

/// 300 servers run one program, which names its maker, and ask for the feed and a page on the full hour.
pub fn readers_of_one_name(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 96);
    let agent: Text = "NewsBlob/1.3 (+https://newsblob.example/)".into();
    let mut rows = Vec::new();
    for hour in 0..=2 {
        for reader in 0..300 {
            let at = f64::from(hour) * 3_600.0 + draw.wait(8.0);
            let ip = home(8_400 + reader, 1).ip;
            rows.push(asks(&BLOG, at, ip.clone(), &agent, BLOG.feed.into()));
            rows.push(asks(&BLOG, at + 0.5, ip, &agent, (BLOG.page)(draw.below(6)).0));
        }
    }
    let rows = together(vec![around(&BLOG, 1.5, 4_200.0, seed), rows]);
    Scenario { rows: combined(rows), expect: nothing() }
}

/// A crawler whose operator has a dozen networks reads two pages a second.
pub fn crawler_from_a_dozen(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 97);
    let agent: Text = robots::BINGBOT.into();
    let mut rows = Vec::new();
    for at in times(&mut draw, (START_S, START_S + 600.0), 2.0) {
        let ip = address(&format!("40.{}", 70 + draw.below(12)), 120, &mut draw);
        let (path, query) = (NEWS.page)(draw.below(NEWS.pages));
        rows.push(Row { query, ..asks(&NEWS, at, ip, &agent, path) });
    }
    harmless(&NEWS, 4.0, rows, seed)
}

/// Monitors of three services, each from a dozen places, every half minute.
pub fn monitors(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 94);
    let mut rows = Vec::new();
    for place in 0..36_u64 {
        let agent: Text = match place % 3 {
            0 => "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)".into(),
            1 => "Better Stack Better Uptime Bot Mozilla/5.0".into(),
            _ => "StatusCake".into(),
        };
        let mut at = draw.between(0.0, 30.0);
        while at < END_S {
            rows.push(asks(&BLOG, at, home(8_200 + place, 1).ip, &agent, "/".into()));
            at += 30.0 + draw.between(-0.2, 0.2);
        }
    }
    harmless(&BLOG, 1.5, rows, seed)
}

/// Dozens of screens behind each of three addresses hold a stream of events open, a minute at a time, as other visitors do.
pub fn screens_that_wait(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 201);
    let mut rows = Vec::new();
    let wait = |person: &Person, at: f64| Row {
        duration_us: Some(60_000_000),
        ..person.asks(&SHOP, at, "/api/events")
    };
    for at in times(&mut draw, (0.0, START_S + 1_200.0), 0.5) {
        rows.push(wait(&SHOP.person(draw.below(600)), at));
    }
    for office in 0..3 {
        let person = Person { home: home(9_970 + office, 1), ..Person::visitor(95_000 + office) };
        for screen in 0..24 {
            let mut at = START_S + f64::from(screen);
            while at < START_S + 1_200.0 {
                rows.push(wait(&person, at));
                at += 61.0;
            }
        }
    }
    Scenario { rows: together(vec![around(&SHOP, 6.0, 900.0, seed), rows]), expect: nothing() }
}

/// A customer whose quota is used up asks on, every two seconds, and is told so.
pub fn quota_used_up(seed: u64) -> Scenario {
    let customer = Person { home: home(9_980, 1), ..Person::visitor(96_000) };
    let ask = |n: u64| {
        let mut row = customer.asks(&SHOP, START_S + 2.0 * n as f64, "/api/v1/translate");
        (row.method, row.status, row.bytes) = ("POST", 402, 90);
        row
    };
    let rows = (0..450).map(ask).collect();
    Scenario { rows: together(vec![around(&SHOP, 6.0, 900.0, seed), rows]), expect: nothing() }
}

/// A job that looks every ten minutes whether there is something to fetch, and once a night fetches 2 GB.
pub fn nightly_backup(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 95);
    let agent: Text = "rclone/v1.69.1".into();
    let ip = home(8_300, 1).ip;
    let mut rows = Vec::new();
    for at in 0..10_u32 {
        let at = f64::from(at) * 600.0 + 40.0;
        rows.push(Row {
            method: "PROPFIND",
            status: 207,
            ..asks(&CLOUD, at, ip.clone(), &agent, "/remote.php/dav/files/backup/".into())
        });
    }
    for n in 0..20_u32 {
        let at = START_S + f64::from(n) * 15.0 + draw.unit();
        let row =
            asks(&CLOUD, at, ip.clone(), &agent, format!("/remote.php/dav/files/backup/part-{n}"));
        rows.push(Row { bytes: 104_857_600, duration_us: Some(14_000_000), ..row });
    }
    harmless(&CLOUD, 2.0, rows, seed)
}

/// A service known for it talks XML-RPC with the blog all day.
pub fn jetpack(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 96);
    let agent: Text = "Jetpack by WordPress.com; +https://jetpack.com/support/".into();
    let mut rows = Vec::new();
    for at in times(&mut draw, (0.0, END_S), 0.12) {
        let ip = address("192.0", 40, &mut draw);
        let mut row = asks(&BLOG, at, ip, &agent, "/xmlrpc.php".into());
        row.query = Some(format!(
            "for=jetpack&token={:x}&timestamp={}&nonce={:x}",
            draw.below(1 << 30),
            1_741_089_600 + at as u64,
            draw.below(1 << 30)
        ));
        (row.method, row.bytes) = ("POST", 300 + draw.below(4_000) as i64);
        rows.push(row);
    }
    harmless(&BLOG, 1.5, rows, seed)
}

/// Pages that stay open and ask again every few seconds.
fn open_pages(
    site: &Site,
    (people, every_s): (u64, f64),
    seed: u64,
    ask: impl Fn(&mut Row, &mut Draw),
) -> Vec<Row> {
    let mut draw = Draw::of(seed, 97);
    let mut rows = Vec::new();
    for start in times(&mut draw, (0.0, END_S), people as f64 / 600.0) {
        let who = Person::visitor(draw.below(5_000));
        rows.extend(session(site, &mut draw, start, &who));
        let (mut at, end) = (start + 1.0, start + draw.wait(600.0));
        while at < end.min(END_S) {
            let mut row = who.asks(site, at, "/");
            row.referer = Some(format!("https://{}/", site.host));
            ask(&mut row, &mut draw);
            rows.push(row);
            at += every_s + draw.between(-0.1, 0.1);
        }
    }
    rows
}

/// A page that renews its token every five seconds.
pub fn token_refresh(seed: u64) -> Scenario {
    let rows = open_pages(&SHOP, (15, 5.0), seed, |row, _| {
        (row.method, row.path, row.status, row.bytes) = ("POST", "/oauth/token".into(), 200, 912);
    });
    harmless(&SHOP, 2.0, rows, seed)
}

/// What visitors do is counted every ten seconds.
pub fn telemetry(seed: u64) -> Scenario {
    let rows = open_pages(&NEWS, (40, 10.0), seed, |row, _| {
        (row.method, row.path, row.status, row.bytes) = ("POST", "/collect".into(), 204, 0);
    });
    harmless(&NEWS, 4.0, rows, seed)
}

/// A page asks whether there is news, with a token in the query.
pub fn polling(seed: u64) -> Scenario {
    let rows = open_pages(&SHOP, (20, 6.0), seed, |row, _| {
        (row.method, row.path, row.status, row.bytes) = ("POST", "/api/poll".into(), 200, 64);
        row.query = Some(format!("token={}", row.ip.replace('.', "f")));
    });
    harmless(&SHOP, 2.0, rows, seed)
}

/// A payment provider tells of many payments at once.
pub fn webhooks(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 98);
    let agent: Text = "Stripe/1.0 (+https://stripe.com/docs/webhooks)".into();
    let mut rows = Vec::new();
    for at in times(&mut draw, (0.0, END_S), 1.0 / 200.0) {
        for _ in 0..20 + draw.below(100) {
            let ip = address("54.187", 12, &mut draw);
            let row =
                asks(&SHOP, at + draw.between(0.0, 15.0), ip, &agent, "/hooks/payments".into());
            rows.push(Row { method: "POST", bytes: 2, ..row });
        }
    }
    harmless(&SHOP, 3.0, rows, seed)
}

/// Thirty requests in twenty seconds from one new program, on a site whose busy minutes have more.
pub fn tiny_excess(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 99);
    let who = Person { home: home(8_400, 3), agent: agents::old()[3].clone(), returns: false };
    let ask = |_| {
        let page = (BLOG.page)(draw.zipf(40)).0;
        who.asks(&BLOG, START_S + draw.between(0.0, 20.0), &page)
    };
    let rows = (0..30).map(ask).collect();
    harmless(&BLOG, 1.0, rows, seed)
}

/// A new crawler that says who it is reads a page every two seconds from one network.
pub fn polite_crawler(seed: u64) -> Scenario {
    let agent = "Mozilla/5.0 (compatible; Exampleseek/1.2; +https://seek.example/about-our-bot)";
    let rows = robots::crawl(&BLOG, (START_S, END_S - 900.0), 0.5, agent, (&["141.98"], 6), seed);
    harmless(&BLOG, 1.5, rows, seed)
}
