//! What has to come out of a scenario, and whether it did.

use std::collections::{BTreeMap, BTreeSet};

use detect::{DetectConfig, Findings};
use schemas::{Incident, Verdict};

use super::predicate::{parse, selects};
use crate::traffic::{EPOCH, Row, agents, detect_dealt, time};

/// When the event of most scenarios begins, seconds after the start: after 70 minutes of ordinary traffic.
pub const START_S: f64 = 4_200.0;

/// What is allowed and what is wanted.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// Kinds that an incident above benign may have; none stands for: there must be no such incident.
    pub kinds: &'static [&'static str],
    pub verdicts: &'static [Verdict],
    /// How long a host is learned before it is judged, s; none stands for the default.
    pub learning_s: Option<i64>,
    /// Paths that the settings say take credentials.
    pub credential_paths: &'static [&'static str],
    /// The first decision falls at or after this, s.
    pub start_s: f64,
    /// And no later than this after the start, s.
    pub within_s: f64,
    /// Hosts on which something has to be found, each.
    pub hosts: Vec<String>,
    /// Incidents of one host, at most.
    pub at_most: usize,
    /// Requests that an incident counts, at most.
    pub counts: i64,
    /// Least share of the hostile sources with five requests and more that are named or selected.
    pub sources: f64,
    /// Least share of those that are named.
    pub named: f64,
    /// Least share of the hostile requests that the fingerprints select.
    pub requests: f64,
    /// Largest share of a host's ordinary requests that the fingerprints select.
    pub collateral: f64,
    /// Sources that did nothing hostile and are named, at most.
    pub visitors: usize,
    /// Largest share of browsers in use among the user agents that the fingerprints name.
    pub browsers: f64,
}

pub const ATTACK: &[Verdict] = &[Verdict::Attack];
pub const HARMFUL: &[Verdict] = &[Verdict::Attack, Verdict::Suspicious];

/// Nobody does harm: nothing may stand above benign, not for a moment.
pub fn nothing() -> Expectation {
    Expectation { hosts: Vec::new(), ..found("", &[], 0.0) }
}

/// Something of these kinds is found on the host, attack or suspicious, within this many seconds of the start.
pub fn found(host: &str, kinds: &'static [&'static str], within_s: f64) -> Expectation {
    Expectation {
        kinds,
        verdicts: HARMFUL,
        learning_s: None,
        credential_paths: &[],
        start_s: START_S,
        within_s,
        hosts: vec![host.to_owned()],
        at_most: 2,
        counts: i64::MAX,
        sources: 0.0,
        named: 0.0,
        requests: 0.0,
        collateral: 0.05,
        visitors: usize::MAX,
        browsers: 1.0,
    }
}

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    /// Each incident, in words.
    pub came: Vec<String>,
    /// What of it is wrong.
    pub wrong: Vec<String>,
    /// Kinds of incidents of any verdict, and features of their evidence.
    pub fired: BTreeSet<String>,
}

/// One run of traffic and what has to come of it.
#[derive(Debug)]
pub struct Scenario {
    pub rows: Vec<Row>,
    pub expect: Expectation,
}

/// In words that fit a line; of the evidence what was seen against what was expected.
pub fn told(incident: &Incident) -> String {
    let after = (incident.detected_ts - EPOCH) as f64 / 1e6;
    let fingerprint = incident.fingerprint.as_deref().unwrap_or("no fingerprint");
    let evidence: Vec<String> = incident
        .evidence
        .iter()
        .map(|one| format!("{} {:.1}/{:.1}", one.feature, one.observed, one.expected))
        .collect();
    format!(
        "{} {} on {} at {after:.0} s, {} requests, {} sources, {} | {}",
        incident.verdict,
        incident.kind,
        incident.target_host.as_deref().unwrap_or("no host"),
        incident.requests,
        incident.source_count,
        fingerprint.chars().take(160).collect::<String>(),
        evidence.join(", "),
    )
}

/// Each incident with its worst revision's verdict and its last revision's everything else.
fn incidents(findings: &Findings) -> Vec<(&Incident, Verdict)> {
    let mut all: BTreeMap<&str, (&Incident, Verdict)> = BTreeMap::new();
    for incident in &findings.incidents {
        let entry = all.entry(&incident.incident_id).or_insert((incident, incident.verdict));
        *entry = (incident, entry.1.min(incident.verdict));
    }
    let mut all: Vec<_> = all.into_values().collect();
    all.sort_by_key(|(incident, _)| incident.detected_ts);
    all
}

fn fired(findings: &Findings) -> BTreeSet<String> {
    let names = |incident: &Incident| {
        let features = incident.evidence.iter().map(|one| one.feature.clone());
        features.chain([incident.kind.to_string()]).collect::<Vec<_>>()
    };
    findings.incidents.iter().flat_map(names).collect()
}

impl Scenario {
    fn config(&self) -> DetectConfig {
        let mut config = DetectConfig::default();
        if let Some(learning_s) = self.expect.learning_s {
            config.learning_us = learning_s * 1_000_000;
        }
        config.credential_paths =
            self.expect.credential_paths.iter().map(|path| (*path).to_owned()).collect();
        config
    }

    /// What comes out when the rows are dealt out to so many partitions, revision by revision.
    pub fn dealt(&self, partitions: usize) -> Vec<Incident> {
        detect_dealt(&self.rows, self.config(), partitions).incidents
    }

    /// Runs it.
    pub fn run(&self) -> Outcome {
        let findings = detect_dealt(&self.rows, self.config(), 1);
        let all = incidents(&findings);
        let harmful: Vec<&Incident> = all
            .iter()
            .filter(|(_, worst)| *worst != Verdict::Benign)
            .map(|(incident, _)| *incident)
            .collect();
        let mut wrong = Vec::new();
        for incident in &harmful {
            wrong.extend(self.faults(incident));
        }
        for host in &self.expect.hosts {
            let of_host: Vec<&Incident> = harmful
                .iter()
                .copied()
                .filter(|incident| incident.detected_ts >= time(self.expect.start_s))
                .filter(|incident| incident.target_host.as_deref().unwrap_or("") == host)
                .collect();
            wrong.extend(self.host_faults(host, &of_host));
        }
        let came = all.iter().map(|(incident, _)| told(incident)).collect();
        Outcome { came, wrong, fired: fired(&findings) }
    }

    fn faults(&self, incident: &Incident) -> Vec<String> {
        let expect = &self.expect;
        let mut wrong = Vec::new();
        let host = incident.target_host.as_deref().unwrap_or("");
        let start_ts = time(expect.start_s);
        if !expect.hosts.iter().any(|known| known == host) || incident.detected_ts < start_ts {
            wrong.push(format!("false alarm: {}", told(incident)));
            return wrong;
        }
        if !expect.kinds.contains(&incident.kind.as_str()) {
            wrong.push(format!("{} is not of {:?}", incident.kind, expect.kinds));
        }
        if incident.requests > expect.counts {
            wrong.push(format!("{} requests, wanted {}", incident.requests, expect.counts));
        }
        if !expect.verdicts.contains(&incident.verdict) {
            wrong.push(format!("{} is not of {:?}", incident.verdict, expect.verdicts));
        }
        wrong
    }

    fn host_faults(&self, host: &str, incidents: &[&Incident]) -> Vec<String> {
        let expect = &self.expect;
        let mut wrong = Vec::new();
        let Some(first) = incidents.iter().map(|incident| incident.detected_ts).min() else {
            return vec![format!("nothing found on {host}")];
        };
        let after_s = (first - time(expect.start_s)) as f64 / 1e6;
        if after_s > expect.within_s {
            wrong.push(format!("found after {after_s:.0} s, wanted {:.0}", expect.within_s));
        }
        if incidents.len() > expect.at_most {
            wrong.push(format!(
                "{} incidents on {host}, wanted {}",
                incidents.len(),
                expect.at_most
            ));
        }
        wrong.extend(self.selection_faults(host, incidents));
        wrong
    }

    fn selection_faults(&self, host: &str, incidents: &[&Incident]) -> Vec<String> {
        let expect = &self.expect;
        let terms: Vec<_> = incidents
            .iter()
            .filter_map(|incident| incident.fingerprint.as_deref())
            .map(parse)
            .collect();
        let named: BTreeSet<&str> =
            incidents.iter().flat_map(|incident| &incident.sources).map(String::as_str).collect();
        let mut hostile: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
        let (mut caught, mut ordinary, mut hit) = (0, 0, 0);
        for row in self.rows.iter().filter(|row| host.is_empty() || row.host == host) {
            let selected = terms.iter().any(|term| selects(term, row));
            if row.hostile {
                let source = hostile.entry(&row.ip).or_default();
                source.0 += 1;
                source.1 += u32::from(selected);
                caught += u32::from(selected);
            } else {
                ordinary += 1;
                hit += u32::from(selected);
            }
        }
        let sum: u32 = hostile.values().map(|(all, _)| all).sum();
        let heavy: Vec<_> = hostile.iter().filter(|(_, (all, _))| *all >= 5).collect();
        let known =
            heavy.iter().filter(|(ip, (all, some))| named.contains(**ip) || some * 2 >= *all);
        let listed = heavy.iter().filter(|(ip, _)| named.contains(**ip)).count();
        let mut wrong = Vec::new();
        let mut least = |what: &str, part: usize, of: usize, wanted: f64| {
            if (part as f64) < wanted * of as f64 {
                wrong.push(format!("{what}: {part} of {of}, wanted {wanted}"));
            }
        };
        least("hostile sources named or selected", known.count(), heavy.len(), expect.sources);
        least("hostile sources named", listed, heavy.len(), expect.named);
        least("hostile requests selected", caught as usize, sum as usize, expect.requests);
        if f64::from(hit) > expect.collateral * f64::from(ordinary) {
            wrong.push(format!(
                "ordinary requests selected: {hit} of {ordinary}, allowed {}",
                expect.collateral
            ));
        }
        let visitors = named.iter().filter(|ip| !hostile.contains_key(**ip)).count();
        if visitors > expect.visitors {
            wrong.push(format!("{visitors} of {} sources named are visitors", named.len()));
        }
        wrong.extend(self.browser_faults(incidents));
        wrong
    }

    /// A rule that names browsers in use strikes people.
    fn browser_faults(&self, incidents: &[&Incident]) -> Option<String> {
        let texts = incidents.iter().filter_map(|incident| incident.fingerprint.as_deref());
        let literals: Vec<&str> = texts
            .flat_map(|text| text.split('\'').skip(1).step_by(2))
            .filter(|literal| literal.starts_with("Mozilla/"))
            .collect();
        let current = literals.iter().filter(|literal| agents::is_current(literal)).count();
        (current as f64 > self.expect.browsers * literals.len() as f64).then(|| {
            format!(
                "{current} of {} user agents in the fingerprints are browsers in use",
                literals.len()
            )
        })
    }
}
