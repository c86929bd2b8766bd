//! Attacks on several hosts: which of their incidents are one campaign, and which are not.

use std::collections::BTreeSet;

use detect::{DetectConfig, Detector, Findings};
use schemas::{Incident, Verdict};

use super::logins;
use crate::traffic::people::{Person, home};
use crate::traffic::row::{batch, combined};
use crate::traffic::sites::SMALL;
use crate::traffic::{Draw, Row, agents, detect_dealt, together};

/// When the attacks begin, seconds after the start.
const FROM_S: f64 = 1_500.0;

/// Ordinary traffic of so many small hosts.
fn hosts(count: u64, end_s: f64, seed: u64) -> Vec<Vec<Row>> {
    (0..count).map(|n| SMALL.named(name(n)).ordinary(end_s, 0.5, seed * 100 + n)).collect()
}

fn name(n: u64) -> &'static str {
    format!("site{n:02}.example").leak()
}

/// Somebody with a browser in use, of a network of his own.
fn machine(n: u64) -> Person {
    let agent = agents::current()[(n % 4) as usize].clone();
    Person { home: home(7_000 + n, n), agent, returns: false }
}

/// Guesses at paths of a host.
fn scan(host: u64, from_s: f64, who: &Person) -> Vec<Row> {
    let guess = |n: u64| {
        let path = format!("/backup{}.{}", n / 3, ["zip", "sql", "php"][(n % 3) as usize]);
        let mut row = who.asks(&SMALL.named(name(host)), from_s + n as f64 * 0.4, &path);
        (row.status, row.bytes) = (404, 900);
        row
    };
    (0..200).map(guess).collect()
}

/// Passwords tried on a host.
fn tries(host: u64, from_s: f64, who: &Person) -> Vec<Row> {
    let attempt = |n: u64| {
        let at_s = from_s + n as f64;
        let mut row = who.asks(&SMALL.named(name(host)), at_s, "/wp-login.php");
        (row.method, row.status, row.bytes) = ("POST", 200, 7_800);
        row
    };
    (0..240).map(attempt).collect()
}

/// A minute of a flood by any of so many sources; `of` makes one.
fn flood(host: u64, from_s: f64, seed: u64, of: impl Fn(u64) -> Person) -> Vec<Row> {
    let mut draw = Draw::of(seed, 40 + host);
    let one = |n: u32| {
        let who = of(draw.below(200));
        who.asks(&SMALL.named(name(host)), from_s + f64::from(n) / 40.0, "/")
    };
    (0..2_400_u32).map(one).collect()
}

fn found(parts: Vec<Vec<Row>>) -> Vec<Incident> {
    detect_dealt(&together(parts), DetectConfig::default(), 1).incidents
}

/// The last revision of each incident that is not benign, in order of their first.
fn last(incidents: &[Incident]) -> Vec<&Incident> {
    let mut last: Vec<&Incident> = Vec::new();
    for one in incidents.iter().filter(|one| one.verdict != Verdict::Benign) {
        match last.iter_mut().find(|known| known.incident_id == one.incident_id) {
            Some(known) => *known = one,
            None => last.push(one),
        }
    }
    last
}

/// The campaign that all incidents are part of, on so many hosts: each but the first from its first revision on.
fn one_campaign(incidents: &[Incident], hosts: usize) {
    let all = last(incidents);
    let on: BTreeSet<_> = all.iter().filter_map(|one| one.target_host.as_deref()).collect();
    assert_eq!(on.len(), hosts, "{on:?}");
    let first = &all[0].incident_id;
    for one in &all[1..] {
        assert_eq!(one.campaign_id.as_ref(), Some(first), "{one:#?}");
    }
    for one in incidents.iter().filter(|one| one.verdict != Verdict::Benign) {
        let is_first = one.incident_id == *first;
        assert!(is_first || one.campaign_id.is_some(), "{one:#?}");
        assert_eq!(one.campaign_id.is_some(), one.campaign_hosts.is_some());
        if let Some(count) = one.campaign_hosts {
            let said = format!("; the same on {count} hosts in all");
            assert!(count >= 2 && one.summary.ends_with(&said), "{}", one.summary);
        }
    }
    let most = incidents.iter().filter_map(|one| one.campaign_hosts).max();
    assert_eq!(most.map(|most| most as usize), Some(hosts));
}

fn all_alone(incidents: &[Incident], count: usize) {
    let all = last(incidents);
    assert_eq!(all.len(), count, "{all:#?}");
    for one in incidents {
        assert_eq!((&one.campaign_id, one.campaign_hosts), (&None, None), "{one:#?}");
    }
}

#[test]
fn log_in_waves_over_thirty_hosts_are_one_campaign() {
    one_campaign(&logins::waves(1).dealt(1), 30);
}

#[test]
fn one_address_that_scans_forty_hosts_is_one_campaign() {
    let who = machine(1);
    let mut parts = hosts(40, FROM_S + 600.0, 1);
    parts.extend((0..40).map(|n| scan(n, FROM_S + n as f64 * 5.0, &who)));
    one_campaign(&found(parts), 40);
}

#[test]
fn a_flood_that_walks_from_host_to_host_is_one_campaign() {
    let mut parts = hosts(6, FROM_S + 6.0 * 300.0, 2);
    parts.extend((0..6).map(|n| flood(n, FROM_S + n as f64 * 300.0, 2, |n| machine(100 + n))));
    one_campaign(&found(parts), 6);
}

#[test]
fn a_flood_from_one_network_is_one_campaign_and_so_is_one_of_a_rare_program() {
    for program in [false, true] {
        // How rare a program is is known from what is ordinary on all hosts.
        let mut parts = hosts(30, FROM_S + 400.0, 3);
        for host in 0..4 {
            // Each host is flooded by others, who have the network or the program in common.
            let of = move |n: u64| {
                let mut who = machine(1_000 + host * 300 + n);
                if program {
                    who.agent = ("stress-kit/1.0".into(), "");
                } else {
                    who.home.ip = format!("198.51.100.{}", host * 50 + n % 50);
                }
                who
            };
            parts.push(flood(host, FROM_S + host as f64 * 20.0, 3, of));
        }
        one_campaign(&combined_found(parts), 4);
    }
}

fn combined_found(parts: Vec<Vec<Row>>) -> Vec<Incident> {
    found(parts.into_iter().map(combined).collect())
}

#[test]
fn others_at_the_same_time_are_no_campaign() {
    let mut parts = hosts(6, FROM_S + 900.0, 4);
    for host in 0..3 {
        parts.push(tries(host, FROM_S, &machine(host + 1)));
        // Sources of browsers in use, others on each host.
        parts.push(flood(host + 3, FROM_S, 4, move |n| machine(1_000 + host * 300 + n)));
    }
    all_alone(&combined_found(parts), 6);
}

#[test]
fn one_address_that_tries_passwords_here_and_searches_there_is_no_campaign() {
    let who = machine(1);
    let mut parts = hosts(2, FROM_S + 900.0, 5);
    parts.extend([tries(0, FROM_S, &who), scan(1, FROM_S, &who)]);
    all_alone(&found(parts), 2);
}

#[test]
fn what_comes_half_an_hour_later_is_another_matter() {
    let who = machine(1);
    let parts = |pause_s: f64| {
        let mut parts = hosts(2, FROM_S + pause_s + 900.0, 6);
        parts.extend([scan(0, FROM_S, &who), scan(1, FROM_S + pause_s, &who)]);
        parts
    };
    one_campaign(&found(parts(600.0)), 2);
    all_alone(&found(parts(2_400.0)), 2);
}

/// What an incident is held to be does not depend on what happens elsewhere: nothing can be hidden in a campaign.
#[test]
fn a_campaign_changes_nothing_about_its_incidents() {
    let who = machine(1);
    let ordinary = hosts(3, FROM_S + 600.0, 7);
    let attacks: Vec<Vec<Row>> = (0..3).map(|n| scan(n, FROM_S + n as f64 * 7.0, &who)).collect();
    let together = found(ordinary.iter().chain(&attacks).cloned().collect());
    one_campaign(&together, 3);
    for (host, attack) in attacks.iter().enumerate() {
        let alone = found(ordinary.iter().chain([attack]).cloned().collect());
        let of_host =
            together.iter().filter(|one| one.target_host.as_deref() == Some(name(host as u64)));
        let stripped: Vec<Incident> = of_host
            .map(|one| {
                let summary = one.summary.split("; the same on").next().unwrap_or_default();
                let (campaign_id, campaign_hosts) = (None, None);
                Incident { summary: summary.to_owned(), campaign_id, campaign_hosts, ..one.clone() }
            })
            .collect();
        assert_eq!(stripped, alone);
    }
}

#[test]
fn restarts_and_cuts_change_no_campaign() {
    let who = machine(1);
    let mut parts = hosts(8, FROM_S + 500.0, 8);
    parts.extend((0..8).map(|n| scan(n, FROM_S + n as f64 * 30.0, &who)));
    let rows = together(parts);
    let run = |piece: usize, restart: bool| {
        let mut detector = Detector::new(DetectConfig::default());
        let mut findings = Findings::default();
        for part in rows.chunks(piece) {
            detector.on_batch("log/0", &batch(part), &mut findings);
            if restart {
                let bytes = detector.checkpoint().unwrap();
                detector = Detector::restore(DetectConfig::default(), &bytes).unwrap();
            }
        }
        detector.finish(&mut findings);
        findings.incidents
    };
    let whole = run(100_000, false);
    one_campaign(&whole, 8);
    assert_eq!(run(97, true), whole);
    assert_eq!(run(1_000, false), whole);
}
