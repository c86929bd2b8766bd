//! What a detection lives on: which columns it needs, so that a log without them is known to be half blind.

use crate::incident::Kind;

/// One detection and the columns of `requests` that feed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal {
    /// What is detected.
    pub kind: Kind,
    /// Without any one of these it cannot work.
    pub needs: &'static [&'static str],
    /// Without any one of these it finds less, later or less surely.
    pub helps: &'static [&'static str],
}

/// How well a detection can work on a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Readiness {
    /// All it wants is there.
    On,
    /// It works without something.
    Degraded,
    /// It cannot work.
    Off,
}

impl Readiness {
    /// Name in logs and queries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Degraded => "degraded",
            Self::Off => "off",
        }
    }
}

/// Every detection. The host is what traffic is compared within: without it all sites are one.
pub const SIGNALS: [Signal; 7] = [
    Signal {
        kind: Kind::HttpFlood,
        needs: &[],
        helps: &["client_ip", "host", "path", "user_agent"],
    },
    Signal {
        kind: Kind::CacheBusting,
        needs: &["path", "query"],
        helps: &["client_ip", "host", "cache_status"],
    },
    Signal {
        kind: Kind::CredentialStuffing,
        needs: &["client_ip", "method", "path"],
        helps: &["host", "status", "user_agent"],
    },
    Signal {
        kind: Kind::BruteForce,
        needs: &["client_ip", "method", "path"],
        helps: &["host", "status"],
    },
    Signal {
        kind: Kind::ContentDiscovery,
        needs: &["client_ip", "path", "status"],
        helps: &["host"],
    },
    Signal { kind: Kind::Scraping, needs: &["client_ip", "path"], helps: &["host", "user_agent"] },
    Signal {
        kind: Kind::AppExhaustion,
        needs: &["path", "duration_us"],
        helps: &["client_ip", "host", "status"],
    },
];

impl Signal {
    /// How well it can work where `has` tells which columns ever hold a value, and the columns it misses.
    ///
    /// # Example
    /// ```
    /// use schemas::signals::{Readiness, SIGNALS};
    ///
    /// let flood = SIGNALS[0];
    /// assert_eq!(flood.readiness(|_| true), (Readiness::On, vec![]));
    /// assert_eq!(flood.readiness(|column| column != "host"), (Readiness::Degraded, vec!["host"]));
    /// ```
    pub fn readiness(&self, has: impl Fn(&str) -> bool) -> (Readiness, Vec<&'static str>) {
        let missing = |columns: &'static [&'static str]| {
            columns.iter().copied().filter(|column| !has(column)).collect::<Vec<_>>()
        };
        let (mut needed, helpful) = (missing(self.needs), missing(self.helps));
        let readiness = match (needed.is_empty(), helpful.is_empty()) {
            (false, _) => Readiness::Off,
            (true, false) => Readiness::Degraded,
            (true, true) => Readiness::On,
        };
        needed.extend(helpful);
        (readiness, needed)
    }

    /// Its columns, the needed ones first.
    pub fn columns(&self) -> impl Iterator<Item = &'static str> {
        self.needs.iter().chain(self.helps).copied()
    }
}

/// All columns that feed any detection, sorted.
pub fn columns() -> Vec<&'static str> {
    let mut columns: Vec<_> = SIGNALS.iter().flat_map(Signal::columns).collect();
    columns.sort_unstable();
    columns.dedup();
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::REQUESTS;

    #[test]
    fn every_column_is_one_of_requests_and_named_once() {
        for signal in SIGNALS {
            let columns: Vec<_> = signal.columns().collect();
            for (at, column) in columns.iter().enumerate() {
                assert!(REQUESTS.columns.iter().any(|known| known.name == *column), "{column}");
                assert!(!columns[..at].contains(column), "{column} twice in {}", signal.kind);
            }
        }
    }

    #[test]
    fn what_is_needed_weighs_more_than_what_helps() {
        let stuffing = SIGNALS[2];
        assert_eq!(stuffing.readiness(|c| c != "status").0, Readiness::Degraded);
        let (readiness, missing) = stuffing.readiness(|c| c != "status" && c != "method");
        assert_eq!((readiness, missing), (Readiness::Off, vec!["method", "status"]));
    }
}
