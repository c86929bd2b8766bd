//! The shipped files are what the engine generates, and their truths count what is in them.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use sample_data::{
    EventKind, Format, GenerateConfig, Scenario, Truth, embedded_sample, embedded_truth_parsed,
    generate, generate_labelled, samples,
};

fn files() -> PathBuf {
    // Told when the test runs: checkouts may share the folder that is built into.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo starts the tests");
    Path::new(&package).join("files")
}

fn log_of(config: &GenerateConfig) -> (String, Truth) {
    let mut log = Vec::new();
    let truth = generate(config, &mut log).unwrap();
    (String::from_utf8(log).unwrap(), truth)
}

#[test]
fn shipped_files_are_generated() {
    for sample in samples() {
        let shipped = zstd::decode_all(&fs::read(files().join(sample.file)).unwrap()[..]).unwrap();
        let (log, truth) = log_of(&sample.config);
        assert!(log.as_bytes() == shipped, "{}: regenerate the samples", sample.file);
        let text = fs::read_to_string(files().join(sample.truth_file())).unwrap();
        assert_eq!(serde_json::from_str::<Truth>(&text).unwrap(), truth, "{}", sample.file);
    }
    assert_eq!(embedded_sample(), fs::read(files().join("sample.ndjson.zst")).unwrap());
}

#[test]
fn shipped_files_are_small() {
    let bytes: u64 =
        fs::read_dir(files()).unwrap().map(|f| f.unwrap().metadata().unwrap().len()).sum();
    assert!(bytes <= 5_000_000, "{bytes} bytes");
}

/// Counts, from the lines alone, what the truth of the sample says.
#[test]
fn the_truth_of_the_sample_counts_its_lines() {
    let truth = embedded_truth_parsed().unwrap();
    let log = String::from_utf8(zstd::decode_all(embedded_sample()).unwrap()).unwrap();
    assert_eq!(log.lines().count() as u64, truth.lines);
    let in_events: u64 = truth.events.iter().map(|e| e.requests).sum();
    assert_eq!(in_events + truth.background_requests, truth.lines);

    let mut hosts = BTreeSet::new();
    let mut by_source: BTreeMap<(String, String), u64> = BTreeMap::new();
    let mut busted = 0;
    let mut ids = BTreeSet::new();
    for line in log.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| row[key].as_str().unwrap().to_owned();
        hosts.insert(text("ClientRequestHost"));
        busted += u64::from(text("ClientRequestURI").contains("?_="));
        *by_source.entry((text("ClientRequestHost"), text("ClientIP"))).or_default() += 1;
        assert!(ids.insert(text("RayID")), "{line}");
        assert!(text("EdgeStartTimestamp") <= text("EdgeEndTimestamp"), "{line}");
    }
    assert_eq!(hosts, truth.hosts.iter().cloned().collect());
    for event in &truth.events {
        // Servers rented for an attack do nothing else on that host.
        let rented = ["http_flood", "content_discovery", "brute_force", "scraping"];
        if rented.contains(&event.event.as_str()) {
            let sent = event.sources.iter().map(|ip| by_source[&(event.host.clone(), ip.clone())]);
            assert_eq!(sent.sum::<u64>(), event.requests, "{}", event.event);
            assert_eq!(event.source_count, event.sources.len() as u64);
        }
        if event.event == "cache_busting" {
            assert_eq!(busted, event.requests);
        }
    }
}

#[test]
fn labels_name_every_line_of_an_event() {
    let config = GenerateConfig { rate: 10.0, ..GenerateConfig::default() };
    let (mut log, mut labels) = (Vec::new(), Vec::new());
    let truth = generate_labelled(&config, &mut log, Some(&mut labels)).unwrap();
    let log = String::from_utf8(log).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    let mut counted = vec![0_u64; truth.events.len()];
    for label in String::from_utf8(labels).unwrap().lines() {
        let [number, id, event] = label.split(',').collect::<Vec<_>>()[..] else {
            panic!("{label}")
        };
        let (line, event) =
            (lines[number.parse::<usize>().unwrap() - 1], event.parse::<usize>().unwrap());
        assert!(line.contains(&format!("\"RayID\":\"{id}\"")), "{label}");
        assert!(line.contains(&truth.events[event].host), "{label}");
        counted[event] += 1;
    }
    assert_eq!(counted, truth.events.iter().map(|e| e.requests).collect::<Vec<_>>());
    assert!(counted.iter().all(|n| *n > 0), "{counted:?}");
}

#[test]
fn an_attack_leaves_the_background_as_it_is() {
    let quiet = GenerateConfig {
        duration_s: 600,
        rate: 20.0,
        format: Format::VhostCombined,
        scenario: Scenario::Quiet,
        ..GenerateConfig::default()
    };
    let attacked = GenerateConfig {
        scenario: Scenario::Events(vec![EventKind::HttpFlood, EventKind::Scraping]),
        ..quiet.clone()
    };
    let (mut log, mut labels) = (Vec::new(), Vec::new());
    let truth = generate_labelled(&attacked, &mut log, Some(&mut labels)).unwrap();
    assert!(truth.events.iter().all(|e| e.requests > 500), "{truth:?}");
    let of_events: BTreeSet<usize> = String::from_utf8(labels)
        .unwrap()
        .lines()
        .map(|label| label.split(',').next().unwrap().parse().unwrap())
        .collect();
    let log = String::from_utf8(log).unwrap();
    let rest = log.lines().enumerate().filter(|(i, _)| !of_events.contains(&(i + 1)));
    assert!(rest.map(|(_, line)| line).eq(log_of(&quiet).0.lines()));
}

#[test]
fn every_format_of_the_same_run_has_the_same_lines() {
    let run = |format| {
        let scenario = Scenario::Quiet;
        log_of(&GenerateConfig { duration_s: 120, scenario, format, ..GenerateConfig::default() })
    };
    let counts: BTreeSet<u64> = Format::ALL.iter().map(|format| run(*format).1.lines).collect();
    assert_eq!(counts.len(), 1, "{counts:?}");
    for format in [Format::Cloudflare, Format::NginxJson, Format::Floodmark] {
        for line in run(format).0.lines() {
            serde_json::from_str::<serde_json::Value>(line).unwrap();
        }
    }
}

#[test]
fn lines_look_as_documented() {
    let first = |format| {
        let config = GenerateConfig { format, lines_max: Some(1), ..GenerateConfig::default() };
        log_of(&config).0
    };
    let lines: String = Format::ALL.iter().map(|format| first(*format)).collect();
    expect_test::expect_file!["lines.txt"].assert_eq(&lines);
}

#[test]
fn limits_are_kept() {
    let config = GenerateConfig { lines_max: Some(1_000), ..GenerateConfig::bench(1_000) };
    assert_eq!(log_of(&config).1.lines, 1_000);
    let wrong = GenerateConfig { hosts: 0, ..GenerateConfig::default() };
    let mut out = Vec::new();
    let error = generate(&wrong, &mut out).unwrap_err();
    assert_eq!(error.to_string(), "cannot generate: 0 hosts, not 1 to 1000");
    assert!(out.is_empty());
}
