//! Who fills what the detector keeps with little hides nothing that is much.
#![cfg(test)]

mod traffic;

use detect::limits::{OPEN_INCIDENTS_MAX, RULE_SOURCES_MAX};
use schemas::{Class, Kind, Verdict};
use traffic::{Row, burst, detect, ip, latest, ordinary, together};

/// The address whose attack must be told.
const HEAVY: &str = "203.0.113.7";

fn guess(ip: String, path: u64) -> Row {
    Row { status: 404, agent: "scan/1".into(), ..Row::page(0.0, ip, format!("/{path:x}/admin")) }
}

#[test]
fn one_who_searches_hard_is_selected_beside_more_searchers_than_a_rule_has_room_for() {
    let light = RULE_SOURCES_MAX as u64 + 300;
    // they come one after the other, as fast as they are found
    let searchers = (0..light).map(|who| {
        let from = 900.0 + 60.0 * who as f64 / light as f64;
        burst(from, from + 2.0, 45, |_, path| guess(ip(90, who * 70_000), 1_000 * who + path))
    });
    let hard = burst(975.0, 1_000.0, 3_000, |_, path| guess(HEAVY.into(), 90_000_000 + path));
    let mut parts = vec![ordinary(1_060, 3.0, 1), hard];
    parts.extend(searchers);
    let (findings, _) = detect(&together(parts));
    let found = latest(&findings);
    let searches = found.iter().filter(|one| one.kind.class() == Class::Discovery);
    let of_heavy: Vec<_> = searches.filter(|one| one.sources.iter().any(|s| s == HEAVY)).collect();
    let [one] = of_heavy.as_slice() else { panic!("{found:#?}") };
    assert_eq!(one.sources.first().map(String::as_str), Some(HEAVY));
    assert!(one.source_count > 300, "{}", one.source_count);
    let fingerprint = one.fingerprint.as_deref().unwrap_or_default();
    eprintln!("{} {} {fingerprint}", one.requests, one.source_count);
}

#[test]
fn a_flood_is_found_beside_as_many_incidents_as_may_be_open() {
    let matters = OPEN_INCIDENTS_MAX as u64 + 2;
    // one address after the other tries passwords, at a pace of its own, until the end
    let mut parts = vec![ordinary(2_000, 3.0, 1)];
    for who in 0..matters {
        let from = 800.0 + 120.0 * who as f64;
        let tries = ((1_900.0 - from) / 3.0) as u32;
        parts.push(burst(from, 1_900.0, tries, |_, _| Row {
            method: "POST",
            status: 401,
            ..Row::page(0.0, ip(91, who * 70_000), "/account/login".into())
        }));
    }
    parts.push(burst(1_700.0, 1_760.0, 6_000, |draw, n| Row {
        agent: "curl/8".into(),
        query: Some(format!("q={n}")),
        ..Row::page(0.0, ip(92, draw.below(80) * 70_000), "/p/1".into())
    }));
    let (findings, _) = detect(&together(parts));
    let found = latest(&findings);
    let tries = found.iter().filter(|one| one.kind.class() == Class::Credentials);
    eprintln!("{} of credentials", tries.count());
    let floods = found.iter().filter(|one| one.kind.class() == Class::Volume);
    let flood = floods.max_by_key(|one| one.requests);
    let flood = flood.unwrap_or_else(|| panic!("{found:#?}"));
    assert_eq!(flood.verdict, Verdict::Attack);
    assert!(flood.requests > 5_000 && flood.kind != Kind::FlashCrowd, "{flood:#?}");
}
