//! Small synthetic traffic: people who load pages with their assets, and whatever a test adds.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    clippy::cast_lossless,
    reason = "small numbers"
)]

pub mod agents;
pub mod draw;
pub mod people;
pub mod robots;
pub mod row;
pub mod sites;

use arrow_array::BooleanArray;
use detect::{DetectConfig, Detector, Findings};
use schemas::Incident;

pub use draw::Draw;
pub use row::{EPOCH, Row, batch, time};

const AGENTS: [(&str, &str); 4] = [
    ("Mozilla/5.0 (Windows NT 10.0) Chrome/131.0.0.0", "t13d1516h2_8daaf6152771_02713d6af862"),
    ("Mozilla/5.0 (iPhone) Version/18.1 Safari/604.1", "t13d2014h2_a09f3c656075_e42f34c56612"),
    ("Mozilla/5.0 (X11) Firefox/131.0", "t13d1715h2_5b57614c22b0_5c2c66f702b0"),
    ("Mozilla/5.0 (Linux; Android 10) Chrome/130.0 Mobile", "t13d1516h2_8daaf6152771_02713d6af863"),
];

/// The address of a visitor.
pub fn ip(net: u64, n: u64) -> String {
    format!("{net}.{}.{}.{}", n / 65_536 % 256, n / 256 % 256, n % 256)
}

/// One visit: a page, its assets, sometimes a log-in.
pub fn visit(draw: &mut Draw, at_s: f64, who: u64, landing: Option<(&str, &str)>) -> Vec<Row> {
    let (agent, ja4) = AGENTS[usize::try_from(who % 4).unwrap()];
    let page =
        landing.map_or_else(|| format!("/p/{}", draw.below(40)), |(path, _)| path.to_owned());
    let mut first = Row::page(at_s, ip(10 + who / 100_000, who), page.clone());
    (first.agent, first.ja4) = (agent.into(), Some(ja4));
    first.referer = landing.map(|(_, referer)| referer.to_owned());
    let mut rows = vec![first.clone()];
    for asset in 0..6 + draw.below(5) {
        let mut row = first.clone();
        row.ts += 50_000 + i64::try_from(draw.below(900_000)).unwrap();
        row.path = format!("/static/{}-{asset}.css", page.len());
        row.referer = Some(format!("https://shop.example{page}"));
        rows.push(row);
    }
    if draw.below(30) == 0 {
        let mut login = first;
        login.ts += 5_000_000;
        (login.method, login.path) = ("POST", "/account/login".into());
        login.status = if draw.below(5) == 0 { 401 } else { 302 };
        login.referer = Some("https://shop.example/account/login".into());
        rows.push(login);
    }
    rows
}

/// `seconds` of ordinary visits, `per_s` of them a second on average.
pub fn ordinary(seconds: u64, per_s: f64, seed: u64) -> Vec<Row> {
    let mut draw = Draw::new(seed);
    let mut rows = Vec::new();
    let mut at = 0.0;
    let end = seconds as f64;
    while at < end {
        at += -libm::log(1.0 - draw.unit()) / per_s;
        let who = draw.below(3_000);
        rows.extend(visit(&mut draw, at, who, None));
    }
    rows.sort_by_key(|row| row.ts);
    rows
}

/// `n` rows between two seconds, made by `make(draw, index)`.
pub fn burst(
    from_s: f64,
    to_s: f64,
    n: u32,
    mut make: impl FnMut(&mut Draw, u64) -> Row,
) -> Vec<Row> {
    let mut draw = Draw::new(u64::from(n) + 7);
    (0..n)
        .map(|i| {
            let mut row = make(&mut draw, u64::from(i));
            row.ts = time(from_s + (to_s - from_s) * f64::from(i) / f64::from(n));
            row
        })
        .collect()
}

/// All rows in order of time.
pub fn together(parts: Vec<Vec<Row>>) -> Vec<Row> {
    let mut rows: Vec<Row> = parts.into_iter().flatten().collect();
    rows.sort_by_key(|row| row.ts);
    rows
}

/// Runs rows of one partition to the end.
pub fn detect(rows: &[Row]) -> (Findings, Detector) {
    detect_but(rows, |_| false)
}

/// The same, with rows that are never judged.
pub fn detect_but(rows: &[Row], exempt: impl Fn(&Row) -> bool) -> (Findings, Detector) {
    let mut detector = Detector::new(DetectConfig::default());
    let mut findings = Findings::default();
    for part in rows.chunks(4_096) {
        let marks: BooleanArray = part.iter().map(|row| Some(exempt(row))).collect();
        detector.on_batch("log/0", &batch(part).with_exempt(marks), &mut findings);
    }
    detector.finish(&mut findings);
    (findings, detector)
}

/// Rows under other settings, dealt out to so many partitions, one to each in turn.
pub fn detect_dealt(rows: &[Row], config: DetectConfig, partitions: usize) -> Findings {
    let names: Vec<String> = (0..partitions).map(|n| format!("log/{n}")).collect();
    let mut detector = Detector::new(config);
    let mut findings = Findings::default();
    for name in &names {
        detector.open_partition(name);
    }
    for part in rows.chunks(1_024 * partitions) {
        for (n, name) in names.iter().enumerate() {
            let own: Vec<Row> = part.iter().skip(n).step_by(partitions).cloned().collect();
            detector.on_batch(name, &batch(&own), &mut findings);
        }
    }
    detector.finish(&mut findings);
    findings
}

/// The last revision of each incident, in order of decision.
pub fn latest(findings: &Findings) -> Vec<&Incident> {
    let mut last: Vec<&Incident> = Vec::new();
    for incident in &findings.incidents {
        match last.iter_mut().find(|known| known.incident_id == incident.incident_id) {
            Some(known) => *known = incident,
            None => last.push(incident),
        }
    }
    last
}

/// A record and its arrival, µs, where one was noted.
pub type Arrived = (Row, Option<i64>);

/// The partitions of the laws.
pub const NAMES: [&str; 2] = ["log/0", "log/1"];

/// The detector of the laws: a minute is enough to learn.
pub fn short_learning() -> DetectConfig {
    DetectConfig { learning_us: 60_000_000, ..DetectConfig::default() }
}

/// Ordinary traffic with a flood in its second minute.
pub fn three_minutes_with_flood() -> Vec<Row> {
    let flood = burst(100.0, 130.0, 1_500, |draw, i| Row {
        agent: "curl/8".into(),
        query: Some(format!("q={i}")),
        ..Row::page(0.0, ip(90, draw.below(50)), "/p/1".into())
    });
    together(vec![ordinary(180, 2.0, 9), flood])
}

/// Requests of hosts that were judged.
pub fn judged(findings: &Findings) -> i64 {
    findings.target_windows.iter().map(|row| row.requests).sum()
}
