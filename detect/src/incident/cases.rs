//! The incidents of one host, and the sources that stand out until the second ends.

use schemas::{Class, Kind, Verdict};
use serde::{Deserialize, Serialize};

use crate::incident::open::{Asked, Open};
use crate::incident::patience::Patience;
use crate::incident::pulses::Pulses;
use crate::limits::{ALARMS_MAX, CLOSED_INCIDENTS_MAX, OPEN_INCIDENTS_MAX};
use crate::record::event::{Event, flag};
use crate::suspect::source::Alarm;

/// The incidents of one host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Cases {
    /// Open incidents, oldest first.
    pub open: Vec<Open>,
    /// Incidents closed a short while ago.
    pub closed: Vec<Open>,
    /// Sources that stood out in the running second, and what they did before, requests and since when, µs.
    #[serde(skip)]
    pub alarms: Vec<(Alarm, u64, i64)>,
    /// What they stand out by; see [`Alarm::slot`].
    #[serde(skip)]
    raised: u32,
    /// When the host is looked at next.
    pub patience: Patience,
    /// What came in the last five minutes waits to be held against the days.
    pub drift_is_due: bool,
    /// What came in pulses, each of them too little to be a matter.
    pub pulses: Option<Pulses>,
}

impl Cases {
    /// Counts an event in the incidents that select it: in each benign one, and in one that is none, which explains it; before
    /// those that are suspicious it is one that is an attack. The verdict of the one that explains it, benign where none does.
    pub fn explain(&mut self, event: &mut Event) -> Verdict {
        let seen = *event;
        let mut explains: Option<(usize, Verdict)> = None;
        for (at, open) in self.open.iter_mut().enumerate().filter(|(_, open)| open.matches(&seen)) {
            match (open.verdict, explains) {
                (Verdict::Benign, _) => open.count(&seen),
                (Verdict::Attack, None | Some((_, Verdict::Suspicious))) | (_, None) => {
                    explains = Some((at, open.verdict));
                }
                _ => {}
            }
        }
        let Some((at, verdict)) = explains else { return Verdict::Benign };
        self.open[at].count(&seen);
        event.flags |= flag::EXPLAINED;
        verdict
    }

    /// Whether an incident that is suspicious, of this class and not about its source alone, selects the event.
    pub fn is_suspected_of(&self, class: Class, event: &Event) -> bool {
        let suspects = |open: &Open| {
            open.verdict == Verdict::Suspicious
                && open.class == class
                && open.only_source() != Some(event.source)
        };
        self.open.iter().any(|open| suspects(open) && open.matches(event))
    }

    /// Whether one more incident may be open: beyond the first few, each class has a place that no other takes, so that
    /// small incidents of other classes leave no blind spot for a large one. Within a class what stands out joins.
    pub fn has_room(&self, class: Class) -> bool {
        self.open.len() < OPEN_INCIDENTS_MAX || self.open.iter().all(|open| open.class != class)
    }

    /// Keeps an incident that was closed, in the place of the one closed longest ago where there are many.
    pub fn keep_closed(&mut self, closed: Open) {
        if self.closed.len() >= CLOSED_INCIDENTS_MAX {
            self.closed.remove(0);
        }
        self.closed.push(closed);
    }

    /// Takes out the incidents that are of this one host, as far as is known.
    pub fn take_of(&mut self, host: u64) -> Self {
        let is_of = |open: &mut Open| open.asked == Asked::One(host);
        Self {
            open: self.open.extract_if(.., is_of).collect(),
            closed: self.closed.extract_if(.., is_of).collect(),
            ..Self::default()
        }
    }

    /// Bytes held at most, by what it counts.
    pub fn weight(&self) -> usize {
        let incidents: usize = self.open.iter().chain(&self.closed).map(Open::weight).sum();
        incidents + self.pulses.as_ref().map_or(0, Pulses::weight)
    }

    /// The incident of this id, open or closed a short while ago.
    pub fn find(&self, id: &str) -> Option<&Open> {
        self.open.iter().chain(&self.closed).find(|open| open.id == id)
    }

    /// Whether an incident of this kind is open.
    pub fn is_open(&self, kind: Kind) -> bool {
        self.open.iter().any(|open| open.kind == kind)
    }

    /// Whether the origin fails, or did so a short while ago: people ask again and again for what they did not get.
    pub fn is_failing(&self) -> bool {
        let fails = |open: &Open| matches!(open.kind, Kind::OriginFault | Kind::RetryStorm);
        self.open.iter().chain(&self.closed).any(fails)
    }

    /// Marks the records that the open incidents explain.
    pub fn mark_explained<'a>(&self, events: impl Iterator<Item = &'a mut Event>) {
        for event in events {
            let explains = |open: &Open| open.verdict != Verdict::Benign && open.matches(event);
            if self.open.iter().any(explains) {
                event.flags |= flag::EXPLAINED;
            }
        }
    }

    /// Notes a source that stands out, if there is room; it then does so once. Beyond the first many there is a place for
    /// one that stands out by what none of them does.
    pub fn raise(&mut self, alarm: Alarm, requests: u64, first_ts: i64) -> bool {
        let has_room = self.alarms.len() < ALARMS_MAX || self.raised & alarm.slot() == 0;
        if has_room {
            self.raised |= alarm.slot();
            self.alarms.push((alarm, requests, first_ts));
        }
        has_room
    }

    /// Takes out the sources that stood out.
    pub fn take_alarms(&mut self) -> Vec<(Alarm, u64, i64)> {
        self.raised = 0;
        std::mem::take(&mut self.alarms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::open::Opening;
    use crate::record::source::Source;
    use crate::suspect::source::{Crawl, Solo};

    fn alarm(solo: Solo, source: u32) -> Alarm {
        Alarm {
            solo,
            source: Source::v4(source),
            scale_s: 10.0,
            expected: 1.0,
            observed: 30.0,
            score: 20.0,
            crawl: Crawl::No,
            counts: false,
        }
    }

    fn incident(kind: Kind, id: usize) -> Open {
        Open::new(Opening { id: id.to_string(), ..Opening::an_attack(kind) })
    }

    #[test]
    fn sources_that_stand_out_by_one_thing_hide_none_that_does_by_another() {
        let mut cases = Cases::default();
        let raised = (0..10_000).filter(|source| cases.raise(alarm(Solo::Pages, *source), 0, 0));
        assert_eq!(raised.count(), ALARMS_MAX);
        assert!(cases.raise(alarm(Solo::Flood, 1), 0, 0));
        assert!(cases.raise(Alarm { crawl: Crawl::Polite, ..alarm(Solo::Pages, 1) }, 0, 0));
        assert!(!cases.raise(alarm(Solo::Flood, 2), 0, 0) && cases.alarms.len() == ALARMS_MAX + 2);
        assert_eq!(cases.take_alarms().len(), ALARMS_MAX + 2);
        assert!(cases.raise(alarm(Solo::Pages, 9_999), 0, 0), "in the next second");
    }

    #[test]
    fn each_class_has_a_place_however_many_incidents_are_open() {
        let mut cases = Cases::default();
        for id in 0..1_000 {
            if cases.has_room(Class::Volume) {
                cases.open.push(incident(Kind::HttpFlood, id));
            }
        }
        assert_eq!(cases.open.len(), OPEN_INCIDENTS_MAX);
        let others = [Kind::BruteForce, Kind::ContentDiscovery, Kind::Scraping, Kind::Crawler];
        for kind in others.into_iter().chain(others) {
            if cases.has_room(kind.class()) {
                cases.open.push(incident(kind, 0));
            }
        }
        assert_eq!(cases.open.len(), OPEN_INCIDENTS_MAX + others.len());
        assert!(others.into_iter().all(|kind| cases.is_open(kind)));
    }

    #[test]
    fn of_closed_incidents_the_last_are_kept() {
        let mut cases = Cases::default();
        (0..100).for_each(|id| cases.keep_closed(incident(Kind::BruteForce, id)));
        assert_eq!(cases.closed.len(), CLOSED_INCIDENTS_MAX);
        assert!(cases.find("99").is_some());
        assert!(cases.find(&(100 - CLOSED_INCIDENTS_MAX).to_string()).is_some());
        assert!(cases.find("0").is_none());
    }
}
