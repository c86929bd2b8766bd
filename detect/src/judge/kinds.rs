//! What follows from a kind: its class, its technique, how severe it is at least.

use schemas::{Kind, Verdict};
use serde::{Deserialize, Serialize};

/// Which incidents of one host may be one: a class has at most one open incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Class {
    /// Volume and cost.
    Volume,
    /// Credentials.
    Credentials,
    /// Discovery of paths.
    Discovery,
    /// Copying.
    Copying,
    /// Not an attack.
    Benign,
}

/// The class of a kind.
pub const fn class_of(kind: Kind) -> Class {
    match kind {
        Kind::CredentialStuffing | Kind::BruteForce => Class::Credentials,
        Kind::ContentDiscovery | Kind::VulnScan => Class::Discovery,
        Kind::Scraping | Kind::Enumeration => Class::Copying,
        Kind::FlashCrowd | Kind::OriginFault | Kind::Crawler => Class::Benign,
        Kind::HttpFlood | Kind::CacheBusting | Kind::AppExhaustion | Kind::UnknownShift => {
            Class::Volume
        }
    }
}

/// MITRE ATT&CK technique of a kind.
pub const fn technique(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::HttpFlood => Some("T1499.002"),
        Kind::CacheBusting | Kind::AppExhaustion => Some("T1499.003"),
        Kind::CredentialStuffing => Some("T1110.004"),
        Kind::BruteForce => Some("T1110.001"),
        Kind::ContentDiscovery | Kind::Enumeration => Some("T1595.003"),
        Kind::VulnScan => Some("T1595.002"),
        Kind::Scraping => Some("T1594"),
        Kind::UnknownShift | Kind::FlashCrowd | Kind::OriginFault | Kind::Crawler => None,
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
    let floor =
        if matches!(class_of(kind), Class::Credentials | Class::Discovery) { 35.0 } else { 0.0 };
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
