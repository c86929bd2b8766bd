//! The console in a real browser: Debian's Chromium, driven by Playwright.

use std::process::Command;

use serde_json::{Value, json};
use tests::sample::lake;
use tests::skip::{Missing, or_skip};
use tests::{Python, Served};

/// A Python that can drive a browser.
fn browser() -> Result<Python, Missing> {
    match Command::new("chromium").arg("--version").output() {
        Ok(said) if said.status.success() => Python::find(),
        _ => Err(Missing("Chromium missing: Debian package chromium".into())),
    }
}

#[test]
fn an_attack_leads_to_its_requests_a_source_and_sql() {
    let Some(python) = or_skip(browser()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let tables = lake(folder.path());
    let served = Served::start(&tables, &[]);
    let pictures = folder.path().join("pictures");
    std::fs::create_dir(&pictures).unwrap();
    let seen = python.ask("console.py", &[&served.http, pictures.to_str().unwrap()]);

    let story = &seen["story"];
    let told = format!(
        "SELECT fingerprint FROM attacks WHERE incident_id = '{}'",
        story["incident"].as_str().unwrap()
    );
    assert_eq!(story["rule"], tables.rows(&told)[0]["fingerprint"]);
    assert_eq!(story["requests"], true);
    assert!(story["source"].as_str().is_some_and(|source| !source.is_empty()), "{story}");
    assert_eq!(story["asked"], "SELECT kind, requests FROM attacks ORDER BY requests DESC");
    let most = &tables.rows("SELECT kind, requests FROM attacks ORDER BY requests DESC LIMIT 1")[0];
    assert_eq!(story["most"], json!([most["kind"], most["requests"].to_string()]));
    assert_eq!(story["wrong"], json!([]), "errors in the browser");
    // Accessible, within the policy and no wider than the window, wide and narrow, light and dark.
    assert_eq!(seen["faults"], json!({}));
    let plain = &seen["plain"];
    assert_eq!((&plain["listed"], &plain["wrong"]), (&json!(true), &json!([])), "without scripts");
    let parts: Vec<&str> =
        plain["parts"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for part in ["Who", "With what", "The rule that selects it", "Exactly these requests"] {
        assert!(parts.contains(&part), "without scripts: {parts:?}");
    }
    for page in ["now", "incident", "map", "explore", "source", "sql"] {
        let picture = std::fs::read(pictures.join(format!("{page}.png"))).unwrap();
        assert!(picture.starts_with(b"\x89PNG"), "{page}");
    }
    served.stop();
}
