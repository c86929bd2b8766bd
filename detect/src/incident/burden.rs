//! What an excess costs the origin, and whether those who make it do anything else.

use crate::explain::search::Evidence;
use crate::incident::look::span;
use crate::incident::target::Target;
use crate::judge::profile::Profile;
use crate::record::event::Event;
use crate::store::table::Table;

/// Time that the answers of the last seconds took, in times the ordinary: the rate with the mean time of an answer, against the
/// ordinary of both; 0 where the log does not tell.
pub(super) fn burden(
    target: &Target,
    (now_s, seconds): (i64, i64),
    [all, usual]: [&Profile; 2],
    level: f64,
) -> f64 {
    let of_late = target.host.seconds.iter().filter(|second| second.at_s > now_s - seconds);
    let requests: f64 = of_late.map(|second| f64::from(second.all)).sum();
    let ordinary = level * usual.duration_ms;
    if ordinary > 0.0 { requests / span(seconds) * all.duration_ms / ordinary } else { 0.0 }
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
