//! Hosts with next to no traffic of their own: attacks that are small there, and what is no attack however much it is
//! beside the little that they have.

use super::expect::{ATTACK, Expectation, START_S, Scenario, found, nothing};
use super::scene::{around, hostile, times};
use crate::traffic::people::{Person, home, load};
use crate::traffic::row::{Text, combined};
use crate::traffic::sites::{BLOG, SMALL, Site};
use crate::traffic::{Draw, Row, agents, robots, together};

/// A host of downloads: three pages, of which two are large.
const DOWNLOADS: Site = Site {
    host: "files.example",
    pages: 3,
    page: |n| match n {
        0 => ("/".into(), None),
        n => (format!("/release/{n}"), None),
    },
    assets: &[],
    images: 0,
    aside: |_| None,
    ..SMALL
};

/// Somebody who runs a browser in use.
fn somebody(who: u64) -> Person {
    Person { home: home(5_000 + who % 700, who), agent: agents::of_visitor(who), returns: false }
}

fn quiet(site: &Site, rows: Vec<Row>, event_s: f64, seed: u64) -> Vec<Row> {
    combined(together(vec![rows, around(site, 0.1, event_s, seed)]))
}

/// Two large files, three times a second for a quarter of an hour, by a program at twelve addresses of each network.
fn draws(agent: &str, networks: &[&str], seed: u64) -> Vec<Row> {
    let mut draw = Draw::of(seed, 401);
    let agent: Text = agent.to_owned().into();
    let ask = |at| {
        let network = *draw.pick(networks);
        let ip = robots::address(network, 12, &mut draw);
        let mut row =
            robots::asks(&DOWNLOADS, at, ip, &agent, format!("/release/{}", 1 + draw.below(2)));
        row.bytes = 2_000_000 + draw.below(12_000_000) as i64;
        row
    };
    times(&mut Draw::of(seed, 402), (START_S, START_S + 900.0), 3.0).into_iter().map(ask).collect()
}

/// A crawler that says who it is reads what there is to read from one network, and that is two files.
pub fn crawled_downloads(seed: u64) -> Scenario {
    let agent = "Exampleseek/2.0 (+https://seek.example/about-our-bot)";
    let rows = quiet(&DOWNLOADS, draws(agent, &["115.248"], seed), 900.0, seed);
    Scenario { rows, expect: nothing() }
}

/// The same under that name from many networks: anybody can send it.
pub fn drawn_downloads(seed: u64) -> Scenario {
    let agent = "Exampleseek/2.0 (+https://seek.example/about-our-bot)";
    let networks = [
        "21.7", "35.9", "44.3", "58.1", "62.8", "77.2", "81.6", "93.4", "101.5", "113.9", "121.1",
        "126.7", "31.2", "48.8",
    ];
    let rows = quiet(&DOWNLOADS, hostile(draws(agent, &networks, seed)), 900.0, seed);
    let kinds = &["bulk_download", "http_flood"];
    Scenario { rows, expect: Expectation { requests: 0.9, ..found(DOWNLOADS.host, kinds, 120.0) } }
}

/// A scanner tries two dozen commands of a shell within half a minute where a visitor comes every quarter of an hour.
pub fn shell_texts(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 407);
    let folders = ["/stats", "/awstats", "/cgi-bin", "/scripts", "/stat", "/apps", "/web", "/"];
    let agent: Text =
        "Mozilla/5.0 (Windows NT 6.1; WOW64; rv:8.0) Gecko/20100101 Firefox/8.0".into();
    let mut rows = Vec::new();
    for n in 0..25_u64 {
        let at = START_S + n as f64 * draw.between(1.0, 1.2);
        let path = format!("{}/report{}.pl", folders[(n % 8) as usize], n / 8);
        let mut row = robots::asks(&SMALL, at, "203.0.113.9".into(), &agent, path);
        row.query = Some("config=|echo;echo%20AA;uname;id;echo%20BB;echo|".into());
        (row.status, row.bytes) = (404, 512);
        rows.push(row);
    }
    let visits = SMALL.ordinary(START_S + 1_800.0, 0.001, seed);
    let expect = Expectation {
        verdicts: ATTACK,
        named: 1.0,
        visitors: 0,
        ..found(SMALL.host, &["vuln_scan"], 60.0)
    };
    Scenario { rows: combined(together(vec![hostile(rows), visits])), expect }
}

/// One page under ever new queries, four times in three seconds from twenty addresses that run what visitors run.
pub fn past_the_caches(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 403);
    let all = times(&mut draw, (START_S, START_S + 600.0), 1.3);
    let ask = |at| {
        let mut row = somebody(8_000 + draw.below(20)).asks(&DOWNLOADS, at, "/release/1");
        row.query = Some(format!("r={:x}", draw.below(1 << 40)));
        row
    };
    let mut rows = quiet(&DOWNLOADS, hostile(all.into_iter().map(ask).collect()), 600.0, seed);
    // Programs come here, whose user agents look like those of browsers.
    for row in &mut rows {
        row.referer = None;
    }
    let expect = Expectation {
        verdicts: ATTACK,
        requests: 0.9,
        ..found(DOWNLOADS.host, &["cache_busting"], 120.0)
    };
    Scenario { rows, expect }
}

/// A newsletter: two hundred open one page within ten minutes, each by a link of their own, with all that it loads.
pub fn newsletter(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 404);
    let mut rows = Vec::new();
    for (n, at) in times(&mut draw, (START_S, START_S + 600.0), 0.35).into_iter().enumerate() {
        let who = somebody(20_000 + n as u64);
        let mut row = who.asks(&SMALL, at, "/news.html");
        row.query = Some(format!("mc_eid={:010x}", draw.below(1 << 40)));
        rows.extend(load(&SMALL, &mut draw, row, &who, true, 4));
    }
    Scenario { rows: quiet(&SMALL, rows, 600.0, seed), expect: nothing() }
}

/// Thirty requests within five seconds from forty addresses, once a minute for a quarter of an hour.
pub fn pulses(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 405);
    let agent = agents::old()[5].clone();
    let mut rows = Vec::new();
    for n in 0..450_u64 {
        let at = START_S + (n / 30) as f64 * 60.0 + draw.between(0.0, 5.0);
        let who = 8_100 + draw.below(40);
        let one = Person { home: home(who, who), agent: agent.clone(), returns: false };
        rows.push(one.asks(&SMALL, at, "/"));
    }
    let expect = Expectation {
        verdicts: ATTACK,
        requests: 0.9,
        ..found(SMALL.host, &["http_flood"], 300.0)
    };
    Scenario { rows: quiet(&SMALL, hostile(rows), 900.0, seed), expect }
}

/// A program at thirty places of which nobody has heard looks at the front page once a minute, to see whether it is there.
pub fn watched_from_thirty_places(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 406);
    let agent: Text = "checker/3.1".into();
    let mut rows = Vec::new();
    for place in 0..30_u64 {
        let (ip, phase) = (home(8_200 + place, place).ip, draw.between(0.0, 60.0));
        for minute in 0..30_u64 {
            let at = START_S + phase + minute as f64 * 60.0 + draw.between(0.0, 0.5);
            rows.push(robots::asks(&SMALL, at, ip.clone(), &agent, "/".into()));
        }
    }
    Scenario { rows: quiet(&SMALL, rows, 1_800.0, seed), expect: nothing() }
}

/// A program posts a form for three minutes, then loads a page with all that belongs to it, and from there follows every link.
pub fn spams_and_follows(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 407);
    let one = Person { home: home(8_300, 1), agent: agents::current()[4].clone(), returns: false };
    let mut rows = Vec::new();
    for n in 0..180_u64 {
        let mut row = one.asks(&BLOG, START_S + n as f64, "/contact");
        if n % 2 == 1 {
            (row.method, row.status, row.bytes) = ("POST", if n < 40 { 200 } else { 403 }, 190);
        }
        rows.push(row);
    }
    let links_s = START_S + 180.0;
    for n in 0..12_u64 {
        rows.push(one.pulls(&BLOG, links_s, &(BLOG.image)(n, 1), "/"));
    }
    for n in 0..120_u64 {
        let at = links_s + n as f64 * 0.22;
        rows.push(one.asks(&BLOG, at, &(BLOG.page)(1 + draw.below(390)).0));
    }
    for row in &mut rows {
        row.referer = Some("https://blog.example/".into());
    }
    let rows = together(vec![hostile(rows), around(&BLOG, 1.5, 300.0, seed)]);
    let expect = Expectation {
        sources: 1.0,
        visitors: 0,
        ..found(BLOG.host, &["scraping", "http_flood"], 300.0)
    };
    Scenario { rows: combined(rows), expect }
}

/// The owner goes through the site with most of it in the cache: a page every three seconds for eight minutes, and an image
/// for every twelfth.
pub fn owner_looks_through(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 408);
    let owner = Person { home: home(8_400, 1), agent: agents::current()[1].clone(), returns: true };
    let (mut rows, mut at) = (Vec::new(), START_S);
    for n in 0..160_u64 {
        at += 1.0 + draw.wait(2.0);
        let mut row = owner.asks(&BLOG, at, &(BLOG.page)(1 + draw.below(60)).0);
        row.referer = Some("https://blog.example/".into());
        if n % 12 == 0 {
            rows.push(owner.pulls(&BLOG, at + 0.1, &(BLOG.image)(n, 1), "/"));
        }
        rows.push(row);
    }
    let rows = together(vec![rows, around(&BLOG, 1.5, 600.0, seed)]);
    Scenario { rows: combined(rows), expect: nothing() }
}

/// A reader of links that takes those to other sites for paths of this one: each is moved to a plainer form, and then not
/// there.
pub fn misreads_links(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 412);
    let (agent, ip): (Text, _) = ("Java/1.6.0_04".into(), home(8_700, 1).ip);
    let mut rows = vec![robots::asks(&BLOG, START_S, ip.clone(), &agent, "/".into())];
    for n in 0..60_u64 {
        let (at, page) = (START_S + 3.0 + n as f64 * 2.0, draw.below(900));
        let link = |slashes: &str| format!("/https:{slashes}site{n}.example/{page}");
        for (n, (slashes, status)) in [("//", 301), ("/", 404)].into_iter().enumerate() {
            let row = robots::asks(&BLOG, at + n as f64 * 0.4, ip.clone(), &agent, link(slashes));
            rows.push(Row { status, bytes: 397, ..row });
        }
    }
    let rows = together(vec![rows, around(&BLOG, 0.5, 600.0, seed)]);
    Scenario { rows: combined(rows), expect: nothing() }
}

/// A plugin's owner calls every blog that has it, from many addresses, each time under a token of its own.
pub fn calls_with_tokens(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 413);
    let agent: Text = "Jetpack by WordPress.com".into();
    let ask = |at| {
        let ip = robots::address("192.0", 70, &mut draw);
        let mut row = robots::asks(&BLOG, at, ip, &agent, "/xmlrpc.php".into());
        row.query = Some(format!("for=jetpack&token={:016x}", draw.below(1 << 50)));
        Row { method: "POST", bytes: 800, ..row }
    };
    let all = times(&mut Draw::of(seed, 414), (START_S, START_S + 90.0), 1.3);
    let rows = together(vec![all.into_iter().map(ask).collect(), around(&BLOG, 0.2, 600.0, seed)]);
    Scenario { rows: combined(rows), expect: nothing() }
}

/// An office of which most is in the caches: pages alone for a minute of every three, with their images otherwise, all day.
pub fn office_in_spells(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 411);
    let mut rows = Vec::new();
    for at in times(&mut draw, (START_S - 3_600.0, START_S + 7_200.0), 0.075) {
        let agent = agents::current()[draw.below(4) as usize].clone();
        let one = Person { home: home(8_600, 1), agent, returns: true };
        let page = draw.zipf(BLOG.pages);
        let mut row = one.asks(&BLOG, at, &(BLOG.page)(page).0);
        row.referer = Some("https://blog.example/".into());
        let alone = ((at / 60.0) as u64).is_multiple_of(3);
        rows.extend(if alone { vec![row] } else { load(&BLOG, &mut draw, row, &one, false, page) });
    }
    let rows = together(vec![rows, around(&BLOG, 1.5, 7_200.0, seed)]);
    Scenario { rows: combined(rows), expect: nothing() }
}

/// One address sends attacks for half an hour to a host that is known for a quarter of one; nobody came there yet who named no
/// page that they come from, and some do then.
pub fn searched_where_all_had_a_referer(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 409);
    let start_s = 1_000.0;
    let one = Person { home: home(8_500, 1), agent: agents::old()[2].clone(), returns: false };
    let other = Person { home: home(8_501, 1), agent: agents::old()[7].clone(), returns: false };
    let mut rows = Vec::new();
    for at in times(&mut Draw::of(seed, 410), (start_s, start_s + 1_800.0), 2.0) {
        let who = if draw.chance(0.06) { &other } else { &one };
        let mut row = who.asks(&SMALL, at, &format!("/cgi-bin/{}.cgi", draw.below(400)));
        row.query = Some("page=..%2F..%2Fetc%2Fpasswd".into());
        (row.status, row.bytes) = (404, 300);
        rows.push(row);
    }
    let mut rows = together(vec![hostile(rows), SMALL.ordinary(4_000.0, 0.1, seed)]);
    rows.retain(|row| row.hostile || row.referer.is_some() || row.at_s() > start_s + 60.0);
    let kinds = &["vuln_scan", "content_discovery"];
    let expect =
        Expectation { start_s, visitors: 0, collateral: 0.01, ..found(SMALL.host, kinds, 120.0) };
    Scenario { rows: combined(rows), expect }
}

/// One address after the other asks for so many paths that are not there, so many seconds apart, on a host with hardly a visitor.
fn slow_guesses(addresses: u64, (count, every_s): (u64, f64), seed: u64) -> Vec<Row> {
    let mut draw = Draw::of(seed, 411);
    let mut rows = Vec::new();
    let mut at = START_S;
    for who in 0..addresses {
        let one = Person { home: home(8_600 + who, 1), ..Person::visitor(97_000 + who) };
        for n in 0..count {
            at += every_s * draw.between(0.6, 1.4);
            let mut row = one.asks(&SMALL, at, &format!("/old/{who}/{n:x}/backup.zip"));
            (row.status, row.bytes) = (404, 900);
            rows.push(row);
        }
    }
    rows
}

/// A path every forty seconds for two hours.
pub fn searched_slowly(seed: u64) -> Scenario {
    let rows = hostile(slow_guesses(1, (180, 40.0), seed));
    let expect = Expectation {
        sources: 1.0,
        named: 1.0,
        visitors: 0,
        ..found(SMALL.host, &["content_discovery", "vuln_scan"], 3_600.0)
    };
    let rows = together(vec![rows, around(&SMALL, 0.01, 7_200.0, seed)]);
    Scenario { rows: combined(rows), expect }
}

/// Robots that pass, one after the other, twenty paths by each within an hour.
pub fn passed_by_robots(seed: u64) -> Scenario {
    let rows = slow_guesses(5, (20, 150.0), seed);
    let rows = together(vec![rows, around(&SMALL, 0.01, 16_000.0, seed)]);
    Scenario { rows: combined(rows), expect: nothing() }
}
