//! What was counted over many logs.

use std::collections::BTreeMap;

use detect::Alarms;
use sample_data::TruthEvent;
use schemas::Verdict;

use super::SETTINGS;
use super::watch::{Told, Watched};
use crate::measure::float;

/// An incident may be decided this long after the last request of its attack, µs: longer than any pane.
const AFTER_US: i64 = 60_000_000;

/// One incident, and whether it was of a planted attack.
#[derive(Debug, Clone)]
pub struct Judged {
    /// What was said.
    pub told: Told,
    /// Whether a planted attack was behind it.
    pub right: bool,
}

/// Counts over many logs.
#[derive(Debug, Default)]
pub struct Tally {
    /// Records read.
    pub records: u64,
    /// Logs read.
    pub logs: u64,
    /// Hosts times days.
    pub site_days: f64,
    /// Planted attacks.
    pub attacks: u64,
    /// Times that the evidence against a host was an alarm, under each setting.
    pub alarms: [Alarms; SETTINGS.len()],
    /// Of these found, under each setting, and after how many seconds.
    pub delays_s: [Vec<f64>; SETTINGS.len()],
    /// Incidents under each setting.
    pub judged: [Vec<Judged>; SETTINGS.len()],
}

impl Tally {
    /// Adds a log of which `events` are known.
    pub fn add(&mut self, watched: Watched, events: &[TruthEvent]) {
        let attacks: Vec<&TruthEvent> =
            events.iter().filter(|event| event.verdict == "attack" && event.requests > 0).collect();
        self.records += watched.records;
        self.logs += 1;
        self.site_days += watched.site_days;
        self.attacks += attacks.len() as u64;
        for (all, alarms) in self.alarms.iter_mut().zip(watched.alarms) {
            *all += alarms;
        }
        for (at, told) in watched.told.into_iter().enumerate() {
            for attack in &attacks {
                let found = told.iter().filter(|told| is_alarm(told) && is_of(told, attack));
                if let Some(first) = found.map(|told| told.detected_us).min() {
                    #[expect(clippy::cast_precision_loss, reason = "a span of minutes")]
                    self.delays_s[at].push((first - attack.start_us) as f64 / 1e6);
                }
            }
            let judge = |told: Told| {
                let right = attacks.iter().any(|attack| is_of(&told, attack));
                Judged { told, right }
            };
            self.judged[at].extend(told.into_iter().map(judge));
        }
    }

    /// Incidents under a setting that were ever called an attack or suspicious and were none.
    pub fn false_alarms(&self, at: usize) -> impl Iterator<Item = &Told> {
        self.judged[at].iter().filter(|one| !one.right && is_alarm(&one.told)).map(|one| &one.told)
    }

    /// False alarms under a setting by the strongest evidence, most first.
    pub fn by_feature(&self, at: usize) -> Vec<(String, u64)> {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for told in self.false_alarms(at) {
            *counts.entry(&told.feature).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().map(|(name, n)| (name.to_owned(), n)).collect();
        counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        counts
    }

    /// Median seconds to the first decision on those found.
    pub fn median_delay_s(&self, at: usize) -> Option<f64> {
        let mut delays = self.delays_s[at].clone();
        delays.sort_by(f64::total_cmp);
        delays.get(delays.len() / 2).copied()
    }
}

/// Whether anybody was ever told of it.
pub fn is_alarm(told: &Told) -> bool {
    told.worst != Verdict::Benign
}

fn is_of(told: &Told, attack: &TruthEvent) -> bool {
    let span = attack.start_us..=attack.end_us + AFTER_US;
    told.host == attack.host && span.contains(&told.detected_us)
}

/// Confidence of those told of and how many of them were right, in one bin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// From this confidence on, and below the next.
    pub from: f64,
    /// Up to it.
    pub to: f64,
    /// Mean of what was said.
    pub said: f64,
    /// How many.
    pub of: u64,
    /// Right ones.
    pub right: u64,
}

/// Edges of the bins: finer towards certainty, where most is said.
const EDGES: [f64; 8] = [0.0, 0.2, 0.5, 0.8, 0.9, 0.95, 0.99, 1.0];

/// Bins that hold anything.
pub fn bins<'a>(judged: impl Iterator<Item = &'a Judged>) -> Vec<Bin> {
    let empty = |edges: &[f64]| Bin { from: edges[0], to: edges[1], said: 0.0, of: 0, right: 0 };
    let mut bins: Vec<Bin> = EDGES.windows(2).map(empty).collect();
    for one in judged {
        let confidence = one.told.confidence;
        if let Some(bin) = bins.iter_mut().rfind(|bin| confidence >= bin.from) {
            bin.said += confidence;
            bin.of += 1;
            bin.right += u64::from(one.right);
        }
    }
    bins.retain(|bin| bin.of > 0);
    for bin in &mut bins {
        bin.said /= float(bin.of);
    }
    bins
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(host: &str, detected_us: i64, confidence: f64, worst: Verdict) -> Told {
        Told { host: host.to_owned(), detected_us, confidence, worst, feature: "x".to_owned() }
    }

    fn attack(host: &str) -> TruthEvent {
        TruthEvent {
            event: "http_flood".to_owned(),
            kind: Some("http_flood".to_owned()),
            verdict: "attack".to_owned(),
            host: host.to_owned(),
            start: None,
            end: None,
            start_us: 100_000_000,
            end_us: 200_000_000,
            requests: 9,
            source_count: 1,
            sources: Vec::new(),
            note: String::new(),
        }
    }

    #[test]
    fn right_is_what_was_decided_on_the_host_of_an_attack_while_it_lasted() {
        let told = vec![
            told("a", 130_000_000, 0.97, Verdict::Attack),
            told("b", 130_000_000, 0.9, Verdict::Suspicious),
            told("a", 90_000_000, 0.6, Verdict::Attack),
            told("c", 130_000_000, 0.1, Verdict::Benign),
        ];
        let mut watched = Watched { site_days: 3.0, ..Watched::default() };
        watched.told[0] = told;
        let mut tally = Tally::default();
        tally.add(watched, &[attack("a"), attack("d")]);
        assert_eq!((tally.attacks, tally.false_alarms(0).count()), (2, 2));
        assert_eq!(tally.median_delay_s(0), Some(30.0));
        assert_eq!(
            (tally.median_delay_s(1), tally.by_feature(0)),
            (None, vec![("x".to_owned(), 2)])
        );
        let bins = bins(tally.judged[0].iter());
        assert_eq!(
            bins.iter().map(|bin| (bin.of, bin.right)).collect::<Vec<_>>(),
            [(1, 0), (1, 0), (1, 0), (1, 1)]
        );
    }

    #[test]
    fn certainty_itself_is_in_the_last_bin() {
        let one = Judged { told: told("a", 0, 1.0, Verdict::Attack), right: true };
        assert_eq!(bins([&one].into_iter()).len(), 1);
    }
}
