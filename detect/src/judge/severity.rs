//! How severe an incident is, and how sure.

use schemas::{Kind, Verdict};

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
