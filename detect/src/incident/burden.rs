//! What an excess costs the origin, and whether those who make it do anything else.

use crate::explain::search::Evidence;
use crate::incident::look::span;
use crate::incident::target::Target;
use crate::record::event::Event;
use crate::seen::source_record::TOLD_MS_MAX;
use crate::store::table::Table;

/// Time that answers take the origin, seconds a second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Work {
    /// Ordinarily.
    pub(super) usual: f64,
    /// Of late.
    pub(super) of_late: f64,
}

impl Work {
    /// Times the ordinary; 0 where the log does not tell.
    pub(super) fn times(self) -> f64 {
        if self.usual > 0.0 { self.of_late / self.usual } else { 0.0 }
    }
}

/// Seconds that a record took the origin.
pub(super) fn work_of(event: &Event) -> f64 {
    if event.is_sent_long() { 0.0 } else { f64::from(event.duration_ms.min(TOLD_MS_MAX)) / 1e3 }
}

/// The same of the mean record.
pub(super) fn mean_work<'a>(events: impl Iterator<Item = &'a Event>) -> f64 {
    let (sum, count) =
        events.fold((0.0, 0.0_f64), |(sum, count), event| (sum + work_of(event), count + 1.0));
    sum / count.max(1.0)
}

/// Time that the answers of the last seconds took, in times the ordinary: the rate with the mean time of an answer, against the
/// ordinary of both; 0 where the log does not tell.
pub(super) fn burden(
    target: &Target,
    (now_s, seconds): (i64, i64),
    evidence: &Evidence<'_>,
    level: f64,
) -> f64 {
    let of_late = target.host.seconds.iter().filter(|second| second.at_s > now_s - seconds);
    let requests: f64 = of_late.map(|second| f64::from(second.all)).sum();
    let of_late = requests / span(seconds) * mean_work(evidence.now.iter());
    Work { usual: level * mean_work(evidence.ordinary.iter()), of_late }.times()
}

/// Share of what the selected sources ask for that is selected.
pub(super) fn only(evidence: &Evidence<'_>, select: impl Fn(&Event) -> bool) -> f64 {
    let mut sources: Table<()> = Table::default();
    for event in evidence.now.iter().filter(|event| select(event)) {
        sources.entry(event.source.0, || ());
    }
    let theirs = evidence.now.iter().filter(|event| sources.get(event.source.0).is_some());
    let (selected, all) = theirs.fold((0.0, 0.0), |(selected, all), event| {
        (selected + f64::from(u8::from(select(event))), all + 1.0)
    });
    if all > 0.0 { selected / all } else { 0.0 }
}
