//! People: where they come from, what browser they have, how they go through a site.

use super::agents::{self, Agent};
use super::draw::{Draw, mix};
use super::row::{Row, time};
use super::sites::Site;

/// A place in the network.
#[derive(Debug, Clone)]
pub struct Home {
    pub ip: String,
    pub asn: i64,
    pub country: &'static str,
}

const COUNTRIES: [&str; 8] = ["DE", "FR", "US", "GB", "NL", "PL", "IT", "ES"];

/// Networks of the visitors; those from here on are free for others.
pub const VISITOR_NETWORKS: u64 = 60;

/// An address in a network; networks below 27,000 have no address in common.
pub fn home(network: u64, who: u64) -> Home {
    let bits = mix(who ^ (network << 40));
    let (a, b) = (20 + network % 107, network / 107);
    let ip = format!("{a}.{b}.{}.{}", bits % 256, 1 + (bits >> 8) % 254);
    let country = COUNTRIES[(network % 8) as usize];
    Home { ip, asn: 3_000 + network as i64, country }
}

/// The home of a visitor.
pub fn home_of(who: u64) -> Home {
    let mut draw = Draw::new(mix(who ^ 0x0077));
    home(draw.zipf(VISITOR_NETWORKS), who)
}

/// Somebody on a site.
#[derive(Debug, Clone)]
pub struct Person {
    pub home: Home,
    pub agent: Agent,
    /// Has been here before: much is in the cache.
    pub returns: bool,
}

impl Person {
    /// A visitor, always the same by this number.
    pub fn visitor(who: u64) -> Self {
        let returns = mix(who ^ 0x55).is_multiple_of(3);
        Self { home: home_of(who), agent: agents::of_visitor(who), returns }
    }

    /// A request of this person; a page unless the path says otherwise.
    pub fn asks(&self, site: &Site, at_s: f64, path: &str) -> Row {
        let weight = path.bytes().fold(7_u64, |sum, byte| mix(sum ^ u64::from(byte)));
        Row {
            host: site.host.into(),
            agent: self.agent.0.clone(),
            ja4: Some(self.agent.1),
            asn: Some(self.home.asn),
            country: Some(self.home.country),
            bytes: 6_000 + (weight % 40_000) as i64,
            duration_us: Some(15_000 + (weight % 150_000) as i64),
            cache: Some("dynamic"),
            ..Row::page(at_s, self.home.ip.clone(), path.to_owned())
        }
    }

    /// Asset of a page, from the edge's cache most of the time.
    pub fn pulls(&self, site: &Site, at_s: f64, path: &str, page: &str) -> Row {
        let cached =
            self.returns && !mix(path.len() as u64 ^ self.home.asn as u64).is_multiple_of(4);
        Row {
            status: if cached { 304 } else { 200 },
            bytes: if cached { 0 } else { 1_500 + (path.len() as i64 * 917) % 60_000 },
            duration_us: Some(2_000),
            cache: Some("hit"),
            referer: Some(format!("https://{}{page}", site.host)),
            ..self.asks(site, at_s, path)
        }
    }
}

const LANDINGS: [Option<&str>; 10] = [
    None,
    None,
    None,
    Some("https://www.google.com/"),
    Some("https://www.google.com/"),
    Some("https://www.google.com/"),
    Some("https://duckduckgo.com/"),
    Some("https://www.bing.com/"),
    Some("https://t.co/"),
    Some("https://news.example/links"),
];

/// A page with all that it pulls in; the rows are not in order of time.
pub fn load(
    site: &Site,
    draw: &mut Draw,
    row: Row,
    who: &Person,
    first: bool,
    page: u64,
) -> Vec<Row> {
    let at = row.at_s();
    let path = row.path.clone();
    let mut rows = vec![row];
    if first {
        for asset in site.assets {
            if !who.returns || draw.chance(0.5) {
                rows.push(who.pulls(site, at + draw.between(0.05, 1.5), asset, &path));
            }
        }
    }
    for image in 0..site.images.min(1 + page % 6) {
        let image = (site.image)(page, image);
        rows.push(who.pulls(site, at + draw.between(0.1, 2.5), &image, &path));
    }
    rows
}

/// One visit from the landing to the leaving.
pub fn session(site: &Site, draw: &mut Draw, at_s: f64, who: &Person) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut at = at_s;
    let mut came_from = draw.pick(&LANDINGS).map(str::to_owned);
    for step in 0..draw.several(site.depth, 25) {
        let number = draw.zipf(site.pages);
        let (path, query) = (site.page)(number);
        let mut row = who.asks(site, at, &path);
        row.query = query;
        row.referer = came_from.replace(format!("https://{}{path}", site.host));
        if draw.chance(0.012) {
            row.path.push_str("-old");
            (row.status, row.bytes) = (404, 2_900);
        } else if draw.chance(0.02) {
            (row.status, row.bytes) = (301, 178);
        } else if who.returns && draw.chance(0.05) {
            (row.status, row.bytes) = (304, 0);
        }
        rows.extend(load(site, draw, row, who, step == 0, number));
        rows.extend(site.asides(draw, at + 2.0, who, &path));
        at += 2.0 + draw.wait(25.0);
    }
    rows
}

/// Visits of `seconds`, `per_s` requests a second on average; `who` are this many people.
pub fn visits(site: &Site, seconds: f64, per_s: f64, people: u64, seed: u64) -> Vec<Row> {
    let mut probe = Draw::of(seed, 11);
    let sample: usize =
        (0..300).map(|who| session(site, &mut probe, 0.0, &site.person(who)).len()).sum();
    let gap = sample as f64 / 300.0 / per_s;
    let mut draw = Draw::of(seed, 12);
    let (mut rows, mut at) = (Vec::new(), if per_s > 1_000.0 { -60.0 } else { -600.0 });
    while at < seconds {
        // Busy and quiet quarters of an hour.
        let tide = 1.0 + 0.25 * libm::sin(at / 900.0 * core::f64::consts::TAU / 4.0);
        at += draw.wait(gap / tide);
        let who = site.person(draw.below(people));
        rows.extend(session(site, &mut draw, at, &who));
    }
    let (start, end) = (time(0.0), time(seconds));
    rows.retain(|row| (start..end).contains(&row.ts));
    rows
}
