//! Small synthetic traffic: people who load pages with their assets, and whatever a test adds.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use detect::{DetectConfig, Detector, Findings};
use schemas::tables::REQUESTS;
use schemas::{Incident, RequestBatch};

/// Start of every run, µs: 2025-03-04 12:00:00 UTC.
pub const EPOCH: i64 = 1_741_089_600_000_000;

/// One record.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub ts: i64,
    pub ip: String,
    pub method: &'static str,
    pub host: &'static str,
    pub path: String,
    pub query: Option<String>,
    pub status: i32,
    pub agent: String,
    pub referer: Option<String>,
    pub ja4: Option<&'static str>,
}

impl Row {
    /// A page read by a browser, `at_s` seconds after the start.
    pub fn page(at_s: f64, ip: String, path: String) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "whole microseconds")]
        let ts = EPOCH + (at_s * 1e6) as i64;
        Self {
            ts,
            ip,
            method: "GET",
            host: "shop.example",
            path,
            query: None,
            status: 200,
            agent: "Mozilla/5.0 (X11) Firefox/131.0".into(),
            referer: None,
            ja4: Some("t13d1715h2_5b57614c22b0_5c2c66f702b0"),
        }
    }
}

/// Numbers without a pattern, the same in every run.
#[derive(Debug)]
pub struct Draw(u64);

impl Draw {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    pub fn unit(&mut self) -> f64 {
        self.below(1 << 30) as f64 / f64::from(1 << 30)
    }
}

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
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
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
            #[expect(clippy::cast_possible_truncation, reason = "whole microseconds")]
            let at = ((from_s + (to_s - from_s) * f64::from(i) / f64::from(n)) * 1e6) as i64;
            row.ts = EPOCH + at;
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

/// Rows as a batch.
pub fn batch(rows: &[Row]) -> RequestBatch {
    let text = |get: &dyn Fn(&Row) -> Option<String>| -> ArrayRef {
        Arc::new(rows.iter().map(get).collect::<StringArray>())
    };
    let n = rows.len();
    let none: ArrayRef = Arc::new(StringArray::new_null(n));
    let longs: ArrayRef = Arc::new(Int64Array::new_null(n));
    let times: TimestampMicrosecondArray = rows.iter().map(|row| Some(row.ts)).collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(times.with_timezone("UTC")),
        Arc::clone(&none),
        text(&|row| Some(row.ip.clone())),
        Arc::clone(&longs),
        Arc::clone(&none),
        text(&|row| Some(row.method.to_owned())),
        Arc::clone(&none),
        text(&|row| (!row.host.is_empty()).then(|| row.host.to_owned())),
        text(&|row| Some(row.path.clone())),
        text(&|row| row.query.clone()),
        Arc::clone(&none),
        Arc::new(rows.iter().map(|row| Some(row.status)).collect::<Int32Array>()),
        Arc::clone(&longs),
        Arc::new(Int64Array::from(vec![5_000; n])),
        Arc::new(Int64Array::from(vec![20_000; n])),
        text(&|row| Some(row.agent.clone())),
        text(&|row| row.referer.clone()),
        Arc::clone(&none),
        Arc::clone(&none),
        text(&|row| row.ja4.map(str::to_owned)),
        Arc::clone(&none),
        Arc::new(BooleanArray::from(vec![false; n])),
        Arc::clone(&none),
        Arc::new(Int32Array::new_null(n)),
        Arc::clone(&longs),
        Arc::new(Int32Array::from(vec![0; n])),
    ];
    let rows = RecordBatch::try_new(REQUESTS.row_schema(), columns).unwrap();
    RequestBatch::try_new(rows).unwrap()
}

/// Rows as a batch, with the time at which each arrived.
pub fn batch_arrived(rows: &[(Row, Option<i64>)]) -> RequestBatch {
    let plain: Vec<Row> = rows.iter().map(|(row, _)| row.clone()).collect();
    batch(&plain).with_arrivals(rows.iter().map(|(_, arrival)| *arrival).collect())
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
