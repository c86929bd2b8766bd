//! What `false-alarms` moves: whether an attack close to the ordinary is found, and what it does not: floors on harm.
#![cfg(test)]

mod traffic;

use detect::DetectConfig;
use schemas::Verdict;
use traffic::{EPOCH, Row, burst, detect_dealt, ip, ordinary, together};

/// Settings from loose to strict.
const SETTINGS: [f64; 4] = [10.0, 0.1, 0.01, 1e-6];

/// When the attack begins, seconds: twelve minutes of ordinary traffic come first.
const START_S: f64 = 720.0;

/// Seconds from the start of the attack to its first decision under each setting.
fn found(attack: &[Row]) -> [Option<f64>; SETTINGS.len()] {
    let rows = together(vec![ordinary(900, 3.0, 1), attack.to_vec()]);
    SETTINGS.map(|false_alarms| {
        let config = DetectConfig { false_alarms, ..DetectConfig::default() };
        let findings = detect_dealt(&rows, config, 1);
        let alarms = findings.incidents.iter().filter(|one| one.verdict != Verdict::Benign);
        let first = alarms.map(|one| one.detected_ts).min()?;
        #[expect(clippy::cast_precision_loss, reason = "some minutes")]
        let after = (first - EPOCH) as f64 / 1e6 - START_S;
        Some(after)
    })
}

/// Runs an attack in growing strength: it is found no later under a looser setting than under a stricter one; the weakest is
/// found under none, the strongest under each, and one between them by the loosest alone.
fn grows(strengths: &[u32], attack: impl Fn(u32) -> Vec<Row>) {
    let found: Vec<_> = strengths.iter().map(|n| (*n, found(&attack(*n)))).collect();
    for (n, after) in &found {
        for pair in after.windows(2) {
            let later = |loose: f64| pair[1].is_none_or(|strict| loose <= strict);
            assert!(pair[0].map_or(pair[1].is_none(), later), "{n}: {found:?}");
        }
    }
    let (first, last) = (found[0].1, found[found.len() - 1].1);
    assert_eq!(first, [None; SETTINGS.len()], "{found:?}");
    assert!(last.iter().all(Option::is_some), "{found:?}");
    let told_apart =
        |after: &[Option<f64>; SETTINGS.len()]| after[0].is_some() && after[3].is_none();
    assert!(found.iter().any(|(_, after)| told_apart(after)), "{found:?}");
}

#[test]
fn one_source_that_asks_for_one_page_faster_and_faster() {
    grows(&[120, 300, 360, 420, 480, 600, 900, 3_000], |n| {
        burst(START_S, START_S + 60.0, n, |_, _| Row {
            agent: "Mozilla/5.0 (X11) Firefox/131.0".into(),
            ..Row::page(0.0, "203.0.113.9".into(), "/p/3".into())
        })
    });
}

#[test]
fn one_source_that_tries_more_and_more_passwords() {
    grows(&[5, 14, 16, 18, 20, 24, 60, 200], |n| {
        burst(START_S, START_S + 30.0, n, |_, _| Row {
            method: "POST",
            status: 401,
            ..Row::page(0.0, "203.0.113.9".into(), "/account/login".into())
        })
    });
}

/// Sixty requests above the ordinary within a minute are anybody's harm (`judge/worth.rs`); the evidence is plain long
/// before.
#[test]
fn a_floor_on_harm_moves_under_no_setting() {
    let flood = |n: u32| {
        burst(START_S, START_S + 60.0, n, |draw, i| Row {
            agent: "Mozilla/5.0 (Windows NT 6.1) Chrome/91.0".into(),
            ja4: Some("t13d1312h1_f57a46bbacb6_ab7e3b40a677"),
            ..Row::page(0.0, ip(77, 300 * i + draw.below(200)), format!("/p/{}", draw.below(40)))
        })
    };
    assert_eq!(found(&flood(60)), [None; SETTINGS.len()]);
    let above = found(&flood(120));
    assert!(above.iter().all(Option::is_some), "{above:?}");
}
