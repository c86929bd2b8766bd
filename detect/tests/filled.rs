//! Who fills what the detector keeps with little hides nothing that is much.
#![cfg(test)]

mod traffic;

use detect::limits::{ALARMS_MAX, OPEN_INCIDENTS_MAX, RULE_SOURCES_MAX};
use detect::{DetectConfig, Detector, Findings};
use schemas::{Class, Verdict};
use traffic::{EPOCH, Row, batch, burst, detect, detect_dealt, ip, latest, ordinary, together};

/// The address whose attack must be told.
const HEAVY: &str = "203.0.113.7";

fn guess(ip: String, path: u64) -> Row {
    Row { status: 404, ..Row::page(0.0, ip, format!("/{path:x}/admin")) }
}

/// Findings of a detector that is restarted again and again, most often while the tables are full.
fn restarted(rows: &[Row]) -> Findings {
    let mut detector = Detector::new(DetectConfig::default());
    let mut findings = Findings::default();
    for part in rows.chunks(20_000) {
        detector.on_batch("log/0", &batch(part), &mut findings);
        let checkpoint = detector.checkpoint().unwrap();
        detector = Detector::restore(DetectConfig::default(), &checkpoint).unwrap();
    }
    detector.finish(&mut findings);
    findings
}

#[test]
fn one_who_searches_hard_is_named_beside_more_searchers_than_there_is_room_for() {
    let light = u32::try_from(ALARMS_MAX + RULE_SOURCES_MAX).unwrap();
    let searchers =
        burst(900.0, 903.0, 40 * light, |_, n| guess(ip(90, n % u64::from(light) * 700), n));
    let hard = burst(902.0, 930.0, 3_000, |_, path| guess(HEAVY.into(), 90_000_000 + path));
    let rows = together(vec![ordinary(960, 3.0, 1), searchers, hard]);
    let findings = restarted(&rows);
    assert_eq!(
        findings,
        detect_dealt(&rows, DetectConfig::default(), 3),
        "however it is dealt out"
    );
    let found = latest(&findings);
    let of_search: Vec<_> =
        found.iter().filter(|one| one.kind.class() == Class::Discovery).collect();
    let [one] = of_search.as_slice() else { panic!("{found:#?}") };
    assert_eq!(one.sources.first().map(String::as_str), Some(HEAVY));
    assert!(one.source_count > i64::from(light) / 2, "{}", one.source_count);
    let hard: i64 = 3_000;
    assert!(one.requests > i64::from(light) * 20 + hard / 2, "{}", one.requests);
}

#[test]
fn a_flood_is_found_beside_as_many_incidents_as_may_be_open() {
    const END_S: f64 = 1_700.0;
    let steady =
        |from: f64, n: u32, make: &dyn Fn(u64) -> Row| burst(from, END_S, n, |_, n| make(n));
    let parts = vec![
        ordinary(1_700, 3.0, 1),
        steady(800.0, 450, &|_| Row {
            method: "POST",
            status: 401,
            ..Row::page(0.0, ip(91, 1), "/account/login".into())
        }),
        steady(900.0, 800, &|n| guess(ip(92, 2), n)),
        steady(1_000.0, 2_100, &|n| Row {
            agent: "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)".into(),
            ..Row::page(0.0, ip(93, 3), format!("/p/{n}"))
        }),
        steady(1_100.0, 12_000, &|n| Row {
            status: 499,
            bytes: 0,
            ..Row::page(0.0, ip(94, n % 8 * 70_000), "/p/2".into())
        }),
        burst(1_600.0, 1_660.0, 6_000, |draw, n| Row {
            agent: "curl/8".into(),
            query: Some(format!("q={n}")),
            ..Row::page(0.0, ip(95, draw.below(80) * 70_000), "/p/1".into())
        }),
    ];
    let (findings, _) = detect(&together(parts));
    let found = latest(&findings);
    let flood_ts = EPOCH + 1_600_000_000;
    let before = found.iter().filter(|one| {
        one.detected_ts < flood_ts && one.closed_ts.is_none_or(|closed| closed > flood_ts)
    });
    let before: Vec<_> = before.map(|one| one.kind).collect();
    assert!(before.len() >= OPEN_INCIDENTS_MAX, "{before:?}");
    assert!(before.iter().all(|kind| kind.class() != Class::Volume), "{before:?}");
    let floods = found.iter().filter(|one| one.kind.class() == Class::Volume);
    let flood = floods.max_by_key(|one| one.requests);
    let flood = flood.unwrap_or_else(|| panic!("{found:#?}"));
    assert_eq!(flood.verdict, Verdict::Attack);
    assert!(flood.requests > 5_000, "{flood:#?}");
}
