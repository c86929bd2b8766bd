//! `floodmark demo`: alerts for the planted attacks and nothing else, and a next step that works.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use tests::{Floodmark, Tables, sample};

/// The demo's limit of a minute, and what a busy machine of a test may add.
const LIMIT: Duration = Duration::from_mins(4);

#[test]
fn demo_alerts_on_the_planted_attacks_and_its_suggestion_works() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Floodmark::new(["demo", "--alerts", "json"]).current_dir(folder.path());
    let output = demo.start().output(LIMIT).expect_status(0);
    let alerts = output.json_lines();

    // What an incident is held to be in the end: a flood may turn out to be cache busting.
    let incidents: BTreeMap<&str, &Value> =
        alerts.iter().map(|alert| (alert["incident_id"].as_str().expect("an id"), alert)).collect();
    let planted = sample::planted();
    for attack in &planted {
        let told = incidents.values().any(|alert| attack.is_told_by(alert));
        assert!(told, "no alert for {attack:?}\n{}", brief(&incidents));
    }
    for alert in incidents.values() {
        let meant = planted.iter().any(|attack| attack.is_told_by(alert));
        assert!(meant, "an alert for nothing planted: {alert}\n{}", brief(&incidents));
    }

    // The line it suggests is given to a shell as a person would.
    let said = output.stderr.lines().chain(output.stdout.lines());
    let suggestion = said.map(str::trim).find(|line| line.contains("floodmark sql "));
    let suggestion = suggestion.unwrap_or_else(|| panic!("no next step\n{}", output.describe()));
    let command = &suggestion[suggestion.find("floodmark sql").unwrap()..];
    let shell = command.replacen("floodmark", &tests::floodmark::binary().display().to_string(), 1);
    let ran = std::process::Command::new("sh")
        .args(["-c", &shell])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(ran.status.success() && !ran.stdout.is_empty(), "{command}: {ran:?}");
    let data = Tables::at(folder.path().join("floodmark-demo"));
    assert!(data.records() > 0);
}

/// Each incident in a line.
fn brief(incidents: &BTreeMap<&str, &Value>) -> String {
    let keys = ["kind", "verdict", "target_host", "target_path", "first_ts", "last_ts"];
    let line = |alert: &&Value| keys.map(|key| alert[key].to_string()).join(" ") + "\n";
    incidents.values().map(line).collect()
}
