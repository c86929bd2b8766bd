//! What is generated: fleets of sites without an attack, of every size, and fleets with every planted event.

use std::fmt;

use decode::DecoderConfig;
use sample_data::{Format, GenerateConfig, MODELS, Scenario, Truth, generate};

use super::watch::{Watch, Watched};
use crate::error::BenchError;
use crate::measure::float;

/// Requests a second of a site, mean over a day: a blog, a shop of a village, a shop.
const RATES: [f64; 3] = [0.05, 0.3, 1.0];

/// The busy ones, of which there is a day for so many site-days of the others: they cost as much as they have requests.
const BUSY_RATE: f64 = 6.0;
const BUSY_EVERY: u32 = 200;

/// Days of a fleet without an attack: a week has a Sunday.
const DAYS: i64 = 7;

/// Requests a second of all hosts of a fleet with planted events.
const PLANTED_RATES: [f64; 4] = [4.0, 12.0, 40.0, 120.0];

const DAY_S: i64 = 86_400;

/// One generated log.
#[derive(Debug)]
pub struct Fleet {
    config: GenerateConfig,
}

impl fmt::Display for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let GenerateConfig { hosts, rate, duration_s, seed, scenario, .. } = &self.config;
        write!(f, "{scenario}, seed {seed}: {hosts} hosts, {rate} requests/s for {duration_s} s")
    }
}

/// Fleets without an attack, about so many site-days in all.
pub fn clean(site_days: u32) -> Vec<Fleet> {
    let hosts = u32::try_from(MODELS).unwrap_or(u32::MAX);
    let week = hosts * u32::try_from(DAYS).unwrap_or(1);
    let mut fleets = Vec::new();
    let mut left = site_days;
    let mut since_busy = BUSY_EVERY / 2;
    let (mut seed, mut rates) = (101, RATES.iter().copied().cycle());
    while left > 0 {
        let (rate, duration_s, days) = if since_busy >= BUSY_EVERY {
            since_busy = 0;
            (BUSY_RATE, DAY_S, hosts)
        } else {
            (rates.next().unwrap_or(BUSY_RATE), DAYS * DAY_S, week)
        };
        since_busy += days;
        left = left.saturating_sub(days);
        let rate = rate * f64::from(hosts);
        fleets.push(Fleet::of(seed, rate, duration_s, Scenario::Quiet));
        seed += 1;
    }
    fleets
}

/// So many fleets with every event.
pub fn planted(runs: u32) -> Vec<Fleet> {
    let seeds = 1_001..1_001 + u64::from(runs);
    let sample = GenerateConfig::default();
    seeds
        .zip(PLANTED_RATES.iter().cycle())
        .map(|(seed, rate)| Fleet::of(seed, *rate, sample.duration_s, Scenario::Sample))
        .collect()
}

impl Fleet {
    fn of(seed: u64, rate: f64, duration_s: i64, scenario: Scenario) -> Self {
        let format = Format::Cloudflare;
        let config = GenerateConfig {
            seed,
            rate,
            duration_s,
            scenario,
            format,
            ..GenerateConfig::default()
        };
        Self { config }
    }

    /// Whether no event is planted.
    pub fn is_clean(&self) -> bool {
        self.config.scenario.events().is_empty()
    }

    /// Generates the log into detectors, one a setting.
    ///
    /// # Errors
    /// When a record is lost on the way.
    pub fn watch(&self) -> Result<(Watched, Truth), BenchError> {
        let mut watch = Watch::new(&DecoderConfig::of(self.config.format.as_str()))?;
        let truth = generate(&self.config, &mut watch)?;
        let mut watched = watch.finish();
        super::super::stages::check(&self.to_string(), truth.lines, watched.records)?;
        // Hosts that nobody came to have been watched all the same.
        #[expect(clippy::cast_precision_loss, reason = "a month of seconds")]
        let days = self.config.duration_s as f64 / DAY_S as f64;
        watched.site_days = days * float(self.config.hosts as u64);
        Ok((watched, truth))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_site_days_as_asked_for_of_every_size() {
        let fleets = clean(300);
        let days = |fleet: &Fleet| fleet.config.duration_s / DAY_S * 7;
        let all: i64 = fleets.iter().map(days).sum();
        assert!((300..350).contains(&all), "{all}");
        for rate in RATES.into_iter().chain([BUSY_RATE]) {
            let of = |fleet: &&Fleet| (fleet.config.rate - rate * 7.0).abs() < 1e-9;
            assert!(fleets.iter().any(|fleet| of(&fleet)), "{rate}");
        }
        assert!(fleets.iter().all(Fleet::is_clean) && !planted(3).iter().any(Fleet::is_clean));
    }

    #[test]
    fn no_two_fleets_are_alike() {
        let fleets = clean(300);
        let seeds: std::collections::BTreeSet<u64> =
            fleets.iter().chain(&planted(40)).map(|fleet| fleet.config.seed).collect();
        assert_eq!(seeds.len(), fleets.len() + 40);
    }
}
