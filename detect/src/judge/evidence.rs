//! Is it an attack or a crowd, and of which kind? Ordered rules, the first that fits wins.
//!
//! Volume alone never convicts. What speaks for an attack is that its sources look alike in what they run or
//! where they come from, behave unlike people (no assets, no referer), or ask for what only machines ask for.

use schemas::{Kind, Verdict};

use crate::judge::profile::Profile;

pub use schemas::Class;

/// The class of a kind.
pub const fn class_of(kind: Kind) -> Class {
    kind.class()
}

/// MITRE ATT&CK technique of a kind.
pub fn technique(kind: Kind) -> Option<&'static str> {
    kind.row().technique.map(|technique| technique.id)
}

/// What is judged: the records a rule selects, against ordinary traffic of the host.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// The records selected.
    pub seen: Profile,
    /// All records of the window.
    pub all: Profile,
    /// Ordinary records.
    pub ordinary: Profile,
    /// Strongest evidence from software or network of the sources, nats.
    pub software_nats: f64,
    /// Ordinary rate of the host, requests per second.
    pub level: f64,
    /// Unexplained rate of the host of late, requests per second.
    pub rate: f64,
}

/// What it is held to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judgement {
    /// Kind.
    pub kind: Kind,
    /// Verdict.
    pub verdict: Verdict,
    /// Log odds that it is an attack.
    pub attackness: f64,
}

/// Log odds at which an attack is called one.
pub const ATTACK: f64 = 2.0;

/// Log odds below which it is a crowd.
pub const CROWD: f64 = -1.0;

/// Networks from which a crawler comes, at most: anybody can send its name, few its addresses.
const CRAWLER_NETWORKS_MAX: f64 = 8.0;

/// Share of one path in what a crawler reads, at most.
const CRAWLER_TOP_PATH_MAX: f64 = 0.5;

impl Case {
    /// The judgement.
    pub fn judge(&self) -> Judgement {
        let seen = &self.seen;
        let attackness = self.attackness();
        if seen.errors_5xx >= 0.4
            && self.ordinary.errors_5xx < 0.2
            && self.all.errors_5xx >= 0.3
            && seen.top_path < 0.7
        {
            return Judgement { kind: Kind::OriginFault, verdict: Verdict::Benign, attackness };
        }
        let broken = seen.refused >= 0.6 && seen.probes < 0.3 * seen.refused && seen.auth < 0.3;
        if broken && self.software_nats < 20.0 && self.rate < 1.5 * self.level + 5.0 {
            // what the host used to serve is gone: a deployment, not a search for it
            return Judgement { kind: Kind::OriginFault, verdict: Verdict::Benign, attackness };
        }
        if seen.declared >= 0.8
            && seen.networks <= CRAWLER_NETWORKS_MAX
            && seen.top_path < CRAWLER_TOP_PATH_MAX
        {
            return Judgement { kind: Kind::Crawler, verdict: Verdict::Benign, attackness };
        }
        if seen.sources <= 3.0
            && seen.top_source >= 0.8
            && seen.agents >= 5.0
            && seen.top_agent < 0.5
            && self.software_nats < 10.0
        {
            // many people behind few addresses
            return Judgement { kind: Kind::FlashCrowd, verdict: Verdict::Benign, attackness };
        }
        let kind = self.kind();
        let verdict = if attackness >= ATTACK {
            Verdict::Attack
        } else if attackness >= CROWD {
            Verdict::Suspicious
        } else {
            Verdict::Benign
        };
        let kind = if verdict == Verdict::Benign { Kind::FlashCrowd } else { kind };
        Judgement { kind, verdict, attackness }
    }

    /// Kind, given that it is hostile.
    pub fn kind(&self) -> Kind {
        let (seen, ordinary) = (&self.seen, &self.ordinary);
        if seen.auth >= 0.6 && ordinary.auth < 0.5 && seen.auth > 3.0 * ordinary.auth {
            let each = seen.count / seen.sources.max(1.0);
            return if seen.sources >= 10.0 && each < 30.0 {
                Kind::CredentialStuffing
            } else {
                Kind::BruteForce
            };
        }
        if seen.probes >= 0.5 {
            return Kind::ContentDiscovery;
        }
        if seen.bytes > 8.0 * ordinary.bytes && seen.bytes > 5e6 {
            return Kind::Scraping;
        }
        if seen.duration_ms > 5.0 * ordinary.duration_ms.max(20.0) && seen.duration_ms > 1_000.0 {
            return Kind::AppExhaustion;
        }
        if seen.queries >= 0.8
            && seen.query_spread >= 0.8
            && seen.top_path >= 0.5
            && seen.count >= 20.0
            && ordinary.query_spread * ordinary.queries < 0.5
        {
            return Kind::CacheBusting;
        }
        Kind::HttpFlood
    }

    fn attackness(&self) -> f64 {
        let (seen, ordinary) = (&self.seen, &self.ordinary);
        let log2 = |x: f64| libm::log2(x);
        let mut odds = -1.5;
        odds += 2.5 * (self.software_nats / 25.0).clamp(0.0, 2.0);
        if ordinary.assets > 0.15 {
            odds += 0.7 * log2((ordinary.assets + 0.02) / (seen.assets + 0.02)).clamp(-2.0, 3.0);
        }
        odds += 2.0 * (seen.referer_none - ordinary.referer_none).clamp(-1.0, 1.0);
        odds += 1.0 * (ordinary.known_sources - seen.known_sources).clamp(-0.5, 1.0);
        odds += 2.0 * (seen.refused - ordinary.refused).clamp(0.0, 1.0);
        odds -= 3.0 * (seen.referer_other - ordinary.referer_other).clamp(0.0, 1.0);
        if self.kind() != Kind::HttpFlood {
            odds += 1.5;
        }
        if seen.sources >= 20.0 {
            odds += 2.0 * (seen.top_agent - ordinary.top_agent - 0.1).clamp(-0.2, 0.8);
        }
        odds
    }
}

/// Severity 0–100 of an attack: how far above the forecast, how broad, how sure.
pub fn severity(kind: Kind, verdict: Verdict, excess_rate: f64, level: f64, sources: f64) -> i32 {
    if verdict == Verdict::Benign {
        return 10;
    }
    let volume = (libm::log2(1.0 + excess_rate / level.max(0.5)) / 5.0).clamp(0.0, 1.0);
    let breadth = (libm::log10(sources.max(1.0)) / 4.0).clamp(0.0, 1.0);
    let sure = if verdict == Verdict::Attack { 20.0 } else { 0.0 };
    let base = 15.0 + 45.0 * volume + 20.0 * breadth + sure;
    let floor = f64::from(kind.row().floor.severity);
    let ceiling = if verdict == Verdict::Attack { 100.0 } else { 59.0 };
    #[expect(clippy::cast_possible_truncation, reason = "clamped to 0–100")]
    let severity = libm::round(base.max(floor).clamp(0.0, ceiling)) as i32;
    severity
}

/// Confidence 0–1 from the log odds.
pub fn confidence(attackness: f64) -> f64 {
    let p = 1.0 / (1.0 + libm::exp(-attackness));
    libm::round(p.clamp(0.01, 0.999) * 1_000.0) / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ordinary() -> Profile {
        Profile {
            count: 4_000.0,
            sources: 900.0,
            assets: 0.7,
            referer_none: 0.15,
            referer_other: 0.2,
            known_sources: 0.5,
            top_agent: 0.2,
            ..Profile::default()
        }
    }

    fn case(seen: Profile, software_nats: f64) -> Case {
        Case { seen, all: seen, ordinary: ordinary(), software_nats, level: 40.0, rate: 140.0 }
    }

    #[test]
    fn a_crowd_from_a_link_is_a_crowd() {
        let seen = Profile {
            count: 3_000.0,
            sources: 800.0,
            assets: 0.75,
            referer_none: 0.05,
            referer_other: 0.5,
            known_sources: 0.1,
            top_agent: 0.2,
            ..Profile::default()
        };
        let judgement = case(seen, 0.0).judge();
        assert_eq!(
            (judgement.kind, judgement.verdict),
            (Kind::FlashCrowd, Verdict::Benign),
            "{judgement:?}"
        );
    }

    #[test]
    fn one_program_from_everywhere_is_a_flood() {
        let seen = Profile {
            count: 3_000.0,
            sources: 2_000.0,
            referer_none: 1.0,
            top_agent: 1.0,
            top_path: 1.0,
            ..Profile::default()
        };
        let judgement = case(seen, 60.0).judge();
        assert_eq!((judgement.kind, judgement.verdict), (Kind::HttpFlood, Verdict::Attack));
    }

    #[test]
    fn an_origin_that_fails_is_not_attacked() {
        let seen =
            Profile { count: 3_000.0, sources: 500.0, errors_5xx: 0.9, assets: 0.1, ..ordinary() };
        assert_eq!(case(seen, 0.0).judge().kind, Kind::OriginFault);
    }
}
