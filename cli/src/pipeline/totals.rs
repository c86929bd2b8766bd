//! What a run has read and found, for the progress line and the closing summary.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use detect::Counters;
use ingest::identity::ClientCounters;
use schemas::{Incident, PositionedBatch, State, Verdict};

/// Counts since the start of the process.
#[derive(Debug)]
pub struct Totals {
    started: Instant,
    /// Access records.
    pub requests: u64,
    /// Lines that could not be read.
    pub rejects: u64,
    /// Requests of those who are never judged.
    pub exempt: u64,
    /// Forwarding headers that were not followed, as of the last commit.
    pub clients: ClientCounters,
    incidents: Arc<IncidentTotals>,
    times: Arc<TimeTotals>,
}

/// Records that were not judged at the time they name; counted by the detection thread.
#[derive(Debug, Default)]
pub struct TimeTotals {
    late: AtomicU64,
    implausible: AtomicU64,
    corrected: AtomicU64,
}

impl TimeTotals {
    /// Takes over what the detector has counted since `start`.
    pub fn set(&self, now: &Counters, start: &Counters) {
        for (total, now, start) in [
            (&self.late, now.late, start.late),
            (&self.implausible, now.implausible, start.implausible),
            (&self.corrected, now.corrected, start.corrected),
        ] {
            total.store(now.saturating_sub(start), Ordering::Relaxed);
        }
    }
}

/// Incidents opened, by verdict; counted by the detection thread.
#[derive(Debug, Default)]
pub struct IncidentTotals {
    attack: AtomicU64,
    suspicious: AtomicU64,
    benign: AtomicU64,
}

impl IncidentTotals {
    /// Counts an incident when it opens.
    pub fn add(&self, incident: &Incident) {
        if incident.state != State::Open {
            return;
        }
        let counter = match incident.verdict {
            Verdict::Attack => &self.attack,
            Verdict::Suspicious => &self.suspicious,
            Verdict::Benign => &self.benign,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

impl Totals {
    /// Nothing yet; `incidents` and `times` are counted elsewhere.
    pub fn start(incidents: Arc<IncidentTotals>, times: Arc<TimeTotals>) -> Self {
        Self {
            started: Instant::now(),
            requests: 0,
            rejects: 0,
            exempt: 0,
            clients: ClientCounters::default(),
            incidents,
            times,
        }
    }

    /// Counts one batch.
    pub fn add_batch(&mut self, batch: &PositionedBatch) {
        self.requests += batch.requests.rows() as u64;
        self.exempt += batch.requests.exempt_rows() as u64;
        self.rejects += batch.rejects.num_rows() as u64;
    }

    /// Records read.
    pub const fn records(&self) -> u64 {
        self.requests + self.rejects
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Records a second since the start.
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    pub fn rate(&self) -> f64 {
        self.records() as f64 / self.elapsed().as_secs_f64().max(1e-9)
    }

    /// One line: what was read and found.
    pub fn summary(&self) -> String {
        let load = |total: &AtomicU64| total.load(Ordering::Relaxed);
        let asides = [
            (load(&self.times.late), "too late to be judged"),
            (load(&self.times.implausible), "not judged since nothing confirms the time they name"),
            (
                load(&self.times.corrected),
                "judged at the time that their zone or clock should have named",
            ),
            (self.exempt, "from the allow-list"),
            (self.clients.untrusted, "with forwarding headers from peers that are not trusted"),
        ];
        let asides = asides.into_iter().filter(|(count, _)| *count > 0);
        let asides = asides.map(|(count, what)| format!("; {} {what}", thousands(count)));
        let asides = asides.collect::<Vec<_>>().concat();
        format!(
            "{} records read: {} requests, {} rejects{asides}; incidents: {} attack, {} suspicious, {} benign; \
             {:.1} s, {} records/s",
            thousands(self.records()),
            thousands(self.requests),
            thousands(self.rejects),
            self.incidents.attack.load(Ordering::Relaxed),
            self.incidents.suspicious.load(Ordering::Relaxed),
            self.incidents.benign.load(Ordering::Relaxed),
            self.elapsed().as_secs_f64(),
            thousands_f64(self.rate()),
        )
    }
}

/// `1234567` as `1,234,567`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A rate, rounded and grouped.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is positive and far below 2^53"
)]
pub fn thousands_f64(number: f64) -> String {
    thousands(number.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
    }
}
