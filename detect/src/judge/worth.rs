//! Whether what stands out is worth an incident.

use schemas::{Class, Kind, Verdict};

use crate::judge::evidence::{ATTACK, Judgement};
use crate::record::attribute::Attribute;
use crate::suspect::source::{Alarm, Crawl, Solo};
use crate::suspect::votes::HotValue;

/// Excess below which volume is nobody's harm, requests per second.
const EXCESS_RATE_MIN: f64 = 1.0;

/// The same as a share of the ordinary rate.
const EXCESS_SHARE_MIN: f64 = 0.05;

/// Excess requests of the window without which volume is no matter: one a second for a minute, two visitors' worth.
const EXCESS_REQUESTS_MIN: f64 = 60.0;

/// Factor on both where it is suspicious only: half a dozen visitors whose page asks for news every few seconds are as
/// much as the least that is worth being called an attack.
const SUSPICIOUS_FACTOR: f64 = 2.0;

/// Excess that makes a crowd worth a record.
pub const CROWD_RATE_MIN: f64 = 5.0;

/// Excess requests of the window without which a search for paths by many is no matter.
const SEARCH_REQUESTS_MIN: f64 = 20.0;

/// Excess requests of the window below which a judgement is no matter.
pub fn requests_min(judgement: Judgement) -> f64 {
    match judgement.kind.class() {
        Class::Volume | Class::Copying | Class::Connections => {
            EXCESS_REQUESTS_MIN * factor(judgement)
        }
        Class::Discovery => SEARCH_REQUESTS_MIN,
        Class::Credentials | Class::Benign => 0.0,
    }
}

/// Whether a kind says no more than that there is much of it.
pub const fn is_vague(kind: Kind) -> bool {
    matches!(kind, Kind::HttpFlood)
}

/// Whether it is a matter of volume.
pub const fn is_volume(judgement: Judgement) -> bool {
    matches!(judgement.kind.class(), Class::Volume)
}

/// Whether the excess is worth an incident.
pub fn worth(judgement: Judgement, excess: f64, level: f64) -> bool {
    match judgement.kind.class() {
        Class::Credentials | Class::Discovery => excess >= 0.1,
        Class::Benign => excess >= CROWD_RATE_MIN.max(0.5 * level),
        Class::Volume | Class::Copying | Class::Connections => {
            excess >= EXCESS_RATE_MIN.max(EXCESS_SHARE_MIN * level) * factor(judgement)
        }
    }
}

const fn factor(judgement: Judgement) -> f64 {
    if matches!(judgement.verdict, Verdict::Suspicious) { SUSPICIOUS_FACTOR } else { 1.0 }
}

/// A search by many is seen in the votes on what is asked for, not in volume.
pub fn supported(judgement: Judgement, hot: &[HotValue]) -> bool {
    let asks = |hot: &HotValue| {
        use Attribute::{Hostile, Path, Probe, Refusal};
        matches!(hot.attribute, Probe | Refusal | Path | Hostile)
    };
    judgement.kind.class() != Class::Discovery || hot.iter().any(asks)
}

/// Log odds are the evidence of a test over this, nats: 16 nats, about an alarm, are odds of seven to one twice
/// over.
pub const NATS_PER_ODDS: f64 = 4.0;

/// Log odds where a test's floor makes it an attack already.
pub const fn convicting_odds(nats: f64, nats_per_odds: f64) -> f64 {
    (nats / nats_per_odds).clamp(ATTACK, CONVICTING_ODDS_MAX)
}

/// Log odds beyond which more evidence of one test makes nothing surer.
const CONVICTING_ODDS_MAX: f64 = 6.0;

/// What a single source that stands out is held to be. Its floor is what makes it an attack; the evidence beyond tells how
/// sure that is.
pub fn solo_judgement(alarm: &Alarm) -> Judgement {
    let attackness = convicting_odds(alarm.score, NATS_PER_ODDS);
    let (kind, verdict) = match alarm.solo {
        _ if alarm.crawl == Crawl::Polite => (Kind::Crawler, Verdict::Benign),
        _ if alarm.crawl == Crawl::Fast => (Kind::HttpFlood, Verdict::Suspicious),
        Solo::Flood => (Kind::HttpFlood, Verdict::Attack),
        Solo::Credentials => (Kind::BruteForce, Verdict::Attack),
        Solo::Probes if alarm.counts => (Kind::Enumeration, Verdict::Attack),
        Solo::Probes => (Kind::ContentDiscovery, Verdict::Attack),
        Solo::Hostile | Solo::Attacks => (Kind::VulnScan, Verdict::Attack),
        Solo::Pages => (Kind::Scraping, Verdict::Attack),
        // one address that draws or wants much may be a partner's job; several at once are not
        Solo::Bytes => (Kind::BulkDownload, Verdict::Suspicious),
        Solo::Time => (Kind::AppExhaustion, Verdict::Suspicious),
        Solo::Aborts => (Kind::SlowHttp, Verdict::Suspicious),
    };
    Judgement { kind, verdict, attackness }
}
