//! What no person asks for and nobody minds: crawlers, monitors, feed readers, previews, proxies, a few probes.

use super::draw::Draw;
use super::people::{Home, Person, home};
use super::row::{Row, Text, time};
use super::sites::Site;

pub const GOOGLEBOT: &str = "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/133.0.6943.53 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
pub const BINGBOT: &str = "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36";
pub const SEMRUSH: &str =
    "Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)";
pub const FACEBOOK: &str =
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)";
pub const PHOTON: &str = "Photon/1.0";
pub const GOOGLE_PROXY: &str =
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)";

/// A request of a program: nothing but the path, no referer.
pub fn asks(site: &Site, at_s: f64, ip: String, agent: &Text, path: String) -> Row {
    let network = ip.split('.').take(2).fold(0, |sum, part| sum * 256 + part.parse().unwrap_or(0));
    let home = Home { ip, asn: 20_000 + network, country: "US" };
    let agent = (agent.clone(), "t13d1812h1_85036bcba153_375ca2c5e164");
    let row = Person { home, agent, returns: false }.asks(site, at_s, &path);
    Row { path, ..row }
}

/// One of `count` addresses below a /16, such as `66.249`.
pub fn address(network: &str, count: u64, draw: &mut Draw) -> String {
    let n = draw.below(count);
    format!("{network}.{}.{}", 64 + n / 40, 1 + n % 40)
}

/// Reads pages all over the site, `per_s` a second, from `count` addresses of the networks.
pub fn crawl(
    site: &Site,
    (from_s, to_s): (f64, f64),
    per_s: f64,
    agent: &'static str,
    (networks, count): (&[&str], u64),
    seed: u64,
) -> Vec<Row> {
    let mut draw = Draw::of(seed, agent.len() as u64);
    let agent: Text = agent.into();
    let (mut rows, mut at) = (Vec::new(), from_s);
    loop {
        at += draw.wait(1.0 / per_s);
        if at >= to_s {
            return rows;
        }
        let network = *draw.pick(networks);
        let (path, query) = (site.page)(draw.below(site.pages));
        let mut row = asks(site, at, address(network, count, &mut draw), &agent, path);
        row.query = query;
        if draw.chance(0.04) {
            row.path = format!("{}/gone-{}", row.path.trim_end_matches('/'), draw.below(300));
            (row.status, row.bytes) = (404, 2_900);
        } else if draw.chance(0.15) {
            (row.status, row.bytes) = (304, 0);
        }
        rows.push(row);
    }
}

/// Asks for the front page each minute, from three places.
pub fn monitor(site: &Site, seconds: f64, every_s: f64) -> Vec<Row> {
    let agent: Text =
        "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)".into();
    let count = (seconds / every_s) as u64;
    let ask = |n: u64| {
        let ip = format!("216.144.250.{}", 150 + n % 3);
        Row {
            method: "HEAD",
            bytes: 0,
            ..asks(site, n as f64 * every_s + 3.0, ip, &agent, "/".into())
        }
    };
    (0..count).map(ask).collect()
}

/// Readers of the feed, each every ten minutes to an hour.
pub fn feed_readers(site: &Site, seconds: f64, readers: u64, seed: u64) -> Vec<Row> {
    let mut draw = Draw::of(seed, 21);
    let mut rows = Vec::new();
    for reader in 0..readers {
        let agent: Text = match reader % 4 {
            0 => format!(
                "Feedly/1.0 (+http://www.feedly.com/fetcher.html; {} subscribers)",
                3 + reader
            )
            .into(),
            1 => "FreshRSS/1.24.3 (Linux; https://freshrss.org)".into(),
            2 => "Tiny Tiny RSS/24.06 (https://tt-rss.org/)".into(),
            _ => "NetNewsWire (RSS Reader; https://netnewswire.com/)".into(),
        };
        let every = draw.between(600.0, 3_600.0);
        let mut at = draw.between(0.0, every);
        while at < seconds {
            let ip = home(200 + reader, reader).ip;
            let mut row = asks(site, at, ip, &agent, site.feed.into());
            (row.status, row.bytes) = if draw.chance(0.7) { (304, 0) } else { (200, 30_000) };
            rows.push(row);
            at += every;
        }
    }
    rows
}

/// Now and then a link is shared: two to six fetches of a page or its images within seconds.
pub fn previews(site: &Site, seconds: f64, every_s: f64, seed: u64) -> Vec<Row> {
    let mut draw = Draw::of(seed, 22);
    let (mut rows, mut at) = (Vec::new(), draw.wait(every_s));
    while at < seconds {
        let page = draw.zipf(site.pages);
        let (agent, network): (Text, &str) = match draw.below(3) {
            0 => (FACEBOOK.into(), "173.252"),
            1 => (PHOTON.into(), "192.0"),
            _ => (GOOGLE_PROXY.into(), "66.102"),
        };
        for n in 0..2 + draw.below(5) {
            let ip = address(network, 12, &mut draw);
            let proxy = agent != FACEBOOK;
            let path =
                if proxy || n % 3 == 2 { (site.image)(page, n % 5) } else { (site.page)(page).0 };
            rows.push(asks(site, at + draw.between(0.0, 12.0), ip, &agent, path));
        }
        at += draw.wait(every_s);
    }
    rows
}

const PROBES: [&str; 12] = [
    "/.env",
    "/wp-login.php",
    "/xmlrpc.php",
    "/.git/config",
    "/phpinfo.php",
    "/admin/",
    "/wp-content/plugins/wp-file-manager/readme.txt",
    "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
    "/actuator/health",
    "/.aws/credentials",
    "/config.json",
    "/wlwmanifest.xml",
];

/// The noise of the network: somebody tries one to eight paths that are not there; never thirty in ten minutes.
pub fn probes(site: &Site, seconds: f64, every_s: f64, seed: u64) -> Vec<Row> {
    let mut draw = Draw::of(seed, 23);
    let (mut rows, mut at) = (Vec::new(), draw.wait(every_s));
    while at < seconds {
        let ip = home(400 + draw.below(900), draw.below(100)).ip;
        let agent: Text = draw
            .pick(&["Mozilla/5.0", "Go-http-client/1.1", "python-requests/2.32.3"])
            .to_owned()
            .into();
        for n in 0..draw.several(3.0, 8) {
            let path = draw.pick(&PROBES).to_string();
            let row = asks(site, at + n as f64 * 0.7, ip.clone(), &agent, path);
            rows.push(Row { status: 404, bytes: 2_900, ..row });
        }
        at += draw.wait(every_s);
    }
    rows
}

/// All of them, about 15 % of `per_s`.
pub fn all(site: &Site, seconds: f64, per_s: f64, seed: u64) -> Vec<Row> {
    // Crawlers do not grow with the site for ever.
    let per_s = per_s.min(100.0);
    let span = (0.0, seconds);
    let mut rows = crawl(site, span, per_s * 0.05, GOOGLEBOT, (&["66.249"], 60), seed);
    rows.extend(crawl(site, span, per_s * 0.03, BINGBOT, (&["40.77", "157.55"], 40), seed));
    rows.extend(crawl(site, span, per_s * 0.04, SEMRUSH, (&["185.191", "85.208"], 20), seed));
    rows.extend(monitor(site, seconds, 60.0));
    rows.extend(feed_readers(site, seconds, 4 + (per_s * 4.0) as u64, seed));
    rows.extend(previews(site, seconds, 1_800.0 / per_s.max(0.5), seed));
    rows.extend(probes(site, seconds, 300.0, seed));
    let end = time(seconds);
    rows.retain(|row| row.ts < end);
    rows
}
