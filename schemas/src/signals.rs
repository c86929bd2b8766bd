//! What a detection lives on: which columns it needs, so that a log without them is known to be half blind.

use crate::kinds::{KINDS, KindRow};

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

/// Every detection: the kinds of attack that the detector reports. The host is what traffic is compared within: without
/// it all sites are one.
pub fn detections() -> impl Iterator<Item = &'static KindRow> {
    KINDS.iter().filter(|row| !row.kind.is_benign())
}

/// All columns that feed any detection, sorted.
pub fn columns() -> Vec<&'static str> {
    let mut columns: Vec<_> = detections().flat_map(KindRow::columns).collect();
    columns.sort_unstable();
    columns.dedup();
    columns
}

impl KindRow {
    /// How well it can be told where `has` tells which columns ever hold a value, and the columns it misses, the needed
    /// ones first.
    ///
    /// # Example
    /// ```
    /// use schemas::Kind;
    /// use schemas::signals::Readiness;
    ///
    /// let busting = Kind::CacheBusting.row();
    /// assert_eq!(busting.readiness(|_| true), (Readiness::On, vec![]));
    /// assert_eq!(busting.readiness(|column| column != "host"), (Readiness::Degraded, vec!["host"]));
    /// let neither = busting.readiness(|column| !matches!(column, "host" | "query"));
    /// assert_eq!(neither, (Readiness::Off, vec!["query", "host"]));
    /// ```
    pub fn readiness(&self, has: impl Fn(&str) -> bool) -> (Readiness, Vec<&'static str>) {
        let missing = |columns: &'static [&'static str]| {
            columns.iter().copied().filter(|column| !has(column)).collect::<Vec<_>>()
        };
        let (mut lacks, helpful) = (missing(self.needs), missing(self.helps));
        let readiness = match (lacks.is_empty(), helpful.is_empty()) {
            (false, _) => Readiness::Off,
            (true, false) => Readiness::Degraded,
            (true, true) => Readiness::On,
        };
        lacks.extend(helpful);
        (readiness, lacks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detection_is_an_attack() {
        assert!(detections().count() > 5);
        assert!(detections().all(|row| !row.kind.is_benign()));
    }

    #[test]
    fn columns_are_named_once() {
        let columns = columns();
        assert!(columns.is_sorted_by(|a, b| a < b), "{columns:?}");
        assert!(detections().flat_map(KindRow::columns).all(|column| columns.contains(&column)));
    }
}
