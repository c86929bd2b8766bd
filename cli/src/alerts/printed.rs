//! What was last printed of each open incident, so that only what matters is printed again.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use schemas::{Incident, Kind, State, Verdict};

use super::campaign::{Campaigns, Part, Totals};
use super::shape;
use super::text::level;

/// Incidents remembered. Beyond it the one printed longest ago is let go; should it be open still, it is printed in full
/// at its next revision.
pub(super) const PRINTED_MAX: usize = 16_384;

/// What is to be printed of a revision.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Telling {
    /// Nothing that a reader must know.
    Nothing,
    /// All of it.
    Block,
    /// One line with what has changed.
    Update(Changes),
    /// One line: the same attack on one more host.
    Also,
    /// One line: it is over; and one more where its campaign is over with it.
    Close(Option<Totals>),
    /// One line: its campaign is over.
    End(Totals),
}

/// What has changed since the last printing; severity and verdict as they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Changes {
    pub(super) severity: Option<i32>,
    pub(super) verdict: Option<Verdict>,
    pub(super) kind: Option<Kind>,
    pub(super) target: bool,
    pub(super) fingerprint: bool,
}

/// Open incidents as they were last printed.
#[derive(Debug, Default)]
pub(super) struct Printed {
    last: BTreeMap<String, Last>,
    campaigns: Campaigns,
    printings: u64,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    severity: i32,
    verdict: Verdict,
    kind: Kind,
    target: u64,
    fingerprint: Option<u64>,
    printing: u64,
}

impl Last {
    fn of(incident: &Incident, printing: u64) -> Self {
        let mut hasher = DefaultHasher::new();
        (&incident.target_host, &incident.target_path).hash(&mut hasher);
        Self {
            severity: incident.severity,
            verdict: incident.verdict,
            kind: incident.kind,
            target: hasher.finish(),
            fingerprint: incident.fingerprint.as_deref().map(shape::of),
            printing,
        }
    }

    fn changes(&self, before: &Self) -> Changes {
        let severity = (level(self.severity) != level(before.severity)).then_some(before.severity);
        Changes {
            severity,
            verdict: (self.verdict != before.verdict).then_some(before.verdict),
            kind: (self.kind != before.kind).then_some(before.kind),
            target: self.target != before.target,
            fingerprint: self.fingerprint != before.fingerprint,
        }
    }
}

impl Printed {
    /// What to print of a revision, and remembers that it is printed. Benign incidents are told of only while what was
    /// printed before was not.
    pub(super) fn take(&mut self, incident: &Incident) -> Telling {
        let id = &incident.incident_id;
        let before = self.last.get(id);
        if before.is_none() && incident.verdict == Verdict::Benign {
            return Telling::Nothing;
        }
        let is_block = before.is_none();
        if is_block {
            match self.campaigns.part(incident) {
                Part::Block => {}
                Part::Line => return Telling::Also,
                Part::Nothing if incident.state == State::Close => {
                    return self.campaigns.end(incident).map_or(Telling::Nothing, Telling::End);
                }
                Part::Nothing => return Telling::Nothing,
            }
        }
        self.campaigns.hear(incident, is_block);
        if incident.state == State::Close {
            self.last.remove(id);
            return Telling::Close(self.campaigns.end(incident));
        }
        let now = Last::of(incident, self.printings);
        let telling = match self.last.get(id).map(|before| now.changes(before)) {
            None => Telling::Block,
            Some(changes) if changes == Changes::default() => return Telling::Nothing,
            Some(changes) => Telling::Update(changes),
        };
        self.printings += 1;
        self.last.insert(id.clone(), now);
        if self.last.len() > PRINTED_MAX {
            self.forget_one();
        }
        telling
    }

    fn forget_one(&mut self) {
        let oldest = self.last.iter().min_by_key(|(_, last)| last.printing);
        if let Some(id) = oldest.map(|(id, _)| id.clone()) {
            self.last.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::tests::incident;

    fn update() -> Incident {
        Incident { revision: 1, state: State::Update, ..incident() }
    }

    fn second(change: impl FnOnce(&mut Incident)) -> Telling {
        let mut printed = Printed::default();
        assert_eq!(printed.take(&incident()), Telling::Block);
        let mut next = update();
        change(&mut next);
        printed.take(&next)
    }

    #[test]
    fn mere_counts_are_not_told() {
        let counted = second(|next| {
            (next.requests, next.excess_requests, next.source_count) = (9_000, 8_000, 70);
            next.sources.push("198.51.100.9".into());
            (next.severity, next.confidence) = (95, 0.2);
            next.fingerprint_collateral = Some(0.5);
            next.summary = "more of it".into();
        });
        assert_eq!(counted, Telling::Nothing);
    }

    #[test]
    fn what_matters_is_told() {
        let one = |changes| Telling::Update(changes);
        let none = Changes::default();
        let tellings = [
            (second(|i| i.severity = 79), Changes { severity: Some(80), ..none }),
            (
                second(|i| i.verdict = Verdict::Suspicious),
                Changes { verdict: Some(Verdict::Attack), ..none },
            ),
            (second(|i| i.kind = Kind::Scraping), Changes { kind: Some(Kind::HttpFlood), ..none }),
            (second(|i| i.target_path = Some("/a".into())), Changes { target: true, ..none }),
            (second(|i| i.fingerprint = None), Changes { fingerprint: true, ..none }),
        ];
        for (told, changes) in tellings {
            assert_eq!(told, one(changes));
        }
    }

    #[test]
    fn changes_are_since_the_last_printing() {
        let mut printed = Printed::default();
        printed.take(&incident());
        let high = Incident { severity: 70, ..update() };
        assert!(matches!(printed.take(&high), Telling::Update(_)));
        assert_eq!(printed.take(&Incident { severity: 61, ..update() }), Telling::Nothing);
        let back = Changes { severity: Some(70), ..Changes::default() };
        assert_eq!(printed.take(&update()), Telling::Update(back));
    }

    #[test]
    fn a_benign_incident_is_told_of_when_it_was_an_alert_before() {
        let mut printed = Printed::default();
        let benign = Incident { verdict: Verdict::Benign, ..incident() };
        assert_eq!(printed.take(&benign), Telling::Nothing);
        let over = Incident { state: State::Close, ..benign.clone() };
        assert_eq!(printed.take(&over), Telling::Nothing);
        assert_eq!(printed.take(&update()), Telling::Block);
        let again = Changes { verdict: Some(Verdict::Attack), ..Changes::default() };
        let benign = Incident { state: State::Update, ..benign };
        assert_eq!(printed.take(&benign), Telling::Update(again));
        assert_eq!(printed.take(&over), Telling::Close(None));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut printed = Printed::default();
        for n in 0..PRINTED_MAX + 10 {
            printed.take(&Incident { incident_id: format!("{n}"), ..incident() });
        }
        assert_eq!(printed.last.len(), PRINTED_MAX);
        assert!(!printed.last.contains_key("9") && printed.last.contains_key("10"));
        for n in 0..PRINTED_MAX + 10 {
            let over = Incident { incident_id: format!("{n}"), state: State::Close, ..incident() };
            assert_eq!(printed.take(&over), Telling::Close(None));
        }
        assert!(printed.last.is_empty());
    }
}
