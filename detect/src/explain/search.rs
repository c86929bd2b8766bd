//! Fingerprints: the conjunction of predicates that best separates what is there now from what is ordinary.
//!
//! A rule `S` is worth its likelihood gain `G = x ln(x/μ) − (x − μ)` nats, `x` the records it selects now and `μ`
//! the number it would select of ordinary traffic in the same time; a conjunct must pay for the choice among the
//! candidates. Records are told apart by a bit in a set per candidate, so that a conjunction is an AND.

use crate::explain::rule::{Atom, Rule};
use crate::limits::{FINGERPRINT_CONJUNCTS_MAX, FINGERPRINT_LIST_MAX};
use crate::record::event::Event;
use crate::record::source::Source;
use crate::store::table::Table;

/// Candidates kept of one attribute, besides the list of all that stand out.
const SINGLES_MAX: usize = 5;

/// Rules followed at once.
const BEAM: usize = 4;

/// Gain a value needs for the list of all that stand out, as a share of the greatest.
const LIST_GAIN_SHARE: f64 = 0.08;

/// How much greater a value's share of the traffic must be than its ordinary share: in a crowd everything is
/// more frequent.
const SHARE_LIFT_MIN: f64 = 2.0;

/// What a conjunct must gain, nats.
const CONJUNCT_NATS: f64 = 4.0;

/// Share of the selected records a further conjunct must keep.
const KEEP_SHARE: f64 = 0.92;

/// What is there now, and what is ordinary.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// Sampled records of the window.
    pub now: &'a [Event],
    /// Requests one of them stands for.
    pub now_weight: f64,
    /// Sampled ordinary records.
    pub ordinary: &'a [Event],
    /// Requests of the window's ordinary traffic one of them stands for.
    pub ordinary_weight: f64,
    /// Distinct sources a value needs: one visitor's page is no pattern.
    pub sources_min: u32,
    /// Requests of the window above which a source is no ordinary visitor.
    pub source_requests_min: f64,
}

/// A rule and what it selects.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The rule.
    pub rule: Rule,
    /// Likelihood gain, nats.
    pub gain: f64,
    /// Requests selected now.
    pub selected: f64,
    /// Requests it would select of ordinary traffic.
    pub expected: f64,
}

/// Predicted quality of a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// Share of the excess that is selected.
    pub recall: f64,
    /// Share of the selected that is excess.
    pub precision: f64,
    /// Share of ordinary traffic that is selected.
    pub collateral: f64,
}

#[derive(Clone)]
struct Bits {
    words: Vec<u64>,
}

impl Bits {
    fn of(events: &[Event], atom: &Atom) -> Self {
        let mut words = vec![0_u64; events.len().div_ceil(64)];
        for (at, event) in events.iter().enumerate() {
            words[at / 64] |= u64::from(atom.matches(event)) << (at % 64);
        }
        Self { words }
    }

    fn and(&self, other: &Self) -> Self {
        Self { words: self.words.iter().zip(&other.words).map(|(a, b)| a & b).collect() }
    }

    fn count(&self) -> f64 {
        self.words.iter().map(|word| f64::from(word.count_ones())).sum()
    }
}

struct Candidate {
    atom: Atom,
    now: Bits,
    ordinary: Bits,
}

struct Partial {
    members: Vec<usize>,
    now: Bits,
    ordinary: Bits,
    gain: f64,
    cost: f64,
}

/// Likelihood gain of `selected` requests where `expected` are ordinary, nats; 0 where there is no excess.
pub fn gain(selected: f64, expected: f64) -> f64 {
    if selected <= expected {
        return 0.0;
    }
    selected * libm::log(selected / expected) - (selected - expected)
}

impl Evidence<'_> {
    fn expected(&self, hits: f64) -> f64 {
        (hits + 0.3) * self.ordinary_weight
    }

    fn gain(&self, now: f64, ordinary: f64) -> f64 {
        // weights above 1 do not make a sample more certain
        let scale = self.now_weight.max(1.0);
        gain(now * self.now_weight, self.expected(ordinary)) / scale
    }

    /// The best rule, if any stands out; with a seed, one that begins with a predicate on one of its columns
    /// and selects its record.
    pub fn best_rule(&self, seed: Option<(&[u8], &Event)>) -> Option<Found> {
        let candidates: Vec<Candidate> = self
            .atoms()
            .into_iter()
            .map(|atom| Candidate {
                now: Bits::of(self.now, &atom),
                ordinary: Bits::of(self.ordinary, &atom),
                atom,
            })
            .collect();
        let mut beam: Vec<Partial> = Vec::new();
        let fits = |atom: &Atom| {
            seed.is_none_or(|(columns, event)| {
                columns.contains(&atom.column()) && atom.matches(event)
            })
        };
        let seeded = candidates.iter().any(|candidate| fits(&candidate.atom));
        for (at, candidate) in candidates.iter().enumerate() {
            if seeded && !fits(&candidate.atom) {
                continue;
            }
            let cost = cost(&candidate.atom);
            let partial = self.partial(vec![at], &candidate.now, &candidate.ordinary, cost);
            beam.push(partial);
        }
        prune(&mut beam, 2 * BEAM);
        for _ in 1..FINGERPRINT_CONJUNCTS_MAX {
            let mut next: Vec<Partial> = Vec::new();
            for parent in &beam {
                next.extend(self.children(parent, &candidates));
            }
            if next.is_empty() {
                break;
            }
            beam.extend(next);
            prune(&mut beam, BEAM);
        }
        let best = beam.first().filter(|best| best.gain > 0.0)?;
        let atoms = best.members.iter().map(|at| candidates[*at].atom.clone()).collect();
        Some(Found {
            rule: Rule { atoms },
            gain: best.gain,
            selected: best.now.count() * self.now_weight,
            expected: self.expected(best.ordinary.count()),
        })
    }

    fn partial(&self, members: Vec<usize>, now: &Bits, ordinary: &Bits, cost: f64) -> Partial {
        let (now, ordinary) = (now.clone(), ordinary.clone());
        let gain = self.gain(now.count(), ordinary.count()) - cost;
        Partial { members, now, ordinary, gain, cost }
    }

    fn children(&self, parent: &Partial, candidates: &[Candidate]) -> Vec<Partial> {
        let columns: Vec<u8> =
            parent.members.iter().map(|at| candidates[*at].atom.column()).collect();
        let before = parent.now.count();
        let mut children = Vec::new();
        for (at, candidate) in candidates.iter().enumerate() {
            if columns.contains(&candidate.atom.column()) {
                continue;
            }
            let now = parent.now.and(&candidate.now);
            if now.count() < KEEP_SHARE * before {
                continue;
            }
            let ordinary = parent.ordinary.and(&candidate.ordinary);
            let mut members = parent.members.clone();
            members.push(at);
            members.sort_unstable();
            let child = self.partial(members, &now, &ordinary, parent.cost + cost(&candidate.atom));
            if child.gain > parent.gain {
                children.push(child);
            }
        }
        children
    }

    /// Predicted quality of a disjunction of rules on the records `keep` accepts.
    pub fn quality(&self, rules: &[Rule], excess: f64, keep: impl Fn(usize) -> bool) -> Quality {
        let share = |events: &[Event]| {
            let (mut hits, mut all) = (0.0_f64, 0.0_f64);
            for (_, event) in events.iter().enumerate().filter(|(at, _)| keep(*at)) {
                all += 1.0;
                hits += f64::from(u8::from(rules.iter().any(|rule| rule.matches(event))));
            }
            (hits / all.max(1.0), all)
        };
        #[expect(clippy::cast_precision_loss, reason = "sizes of samples")]
        let (now_total, ordinary_total) = (
            self.now.len() as f64 * self.now_weight,
            self.ordinary.len() as f64 * self.ordinary_weight,
        );
        let (now, _) = share(self.now);
        let (collateral, _) = share(self.ordinary);
        let selected = now * now_total;
        let expected = (collateral * ordinary_total).min(selected);
        let excess = excess.max(selected - expected).max(1e-9);
        Quality {
            recall: ((selected - expected) / excess).clamp(0.0, 1.0),
            precision: if selected > 0.0 {
                (1.0 - expected / selected).clamp(0.0, 1.0)
            } else {
                0.0
            },
            collateral,
        }
    }

    /// Candidate predicates: of each attribute the values that gain most, and the list of all that stand out.
    fn atoms(&self) -> Vec<Atom> {
        let mut atoms = Vec::new();
        let mut offer = |standing: Vec<(u64, f64)>, make: fn(Vec<u64>) -> Atom| {
            for (value, _) in standing.iter().take(SINGLES_MAX) {
                atoms.push(make(vec![*value]));
            }
            let most = standing.first().map_or(0.0, |(_, gain)| *gain);
            let mut all: Vec<u64> = standing
                .iter()
                .take_while(|(_, gain)| *gain >= LIST_GAIN_SHARE * most)
                .take(FINGERPRINT_LIST_MAX)
                .map(|(value, _)| *value)
                .collect();
            if all.len() > 1 {
                all.sort_unstable();
                atoms.push(make(all));
            }
        };
        offer(self.values(|e| e.user_agent), Atom::UserAgent);
        offer(self.values(|e| e.ja4).into_iter().filter(|(v, _)| *v != 0).collect(), Atom::Ja4);
        offer(self.values(|e| e.path), Atom::Path);
        offer(self.values(|e| e.query), Atom::Query);
        offer(self.values(|e| u64::from(e.status)), |v| Atom::Status(narrow(&v)));
        offer(
            self.values(|e| u64::from(e.asn)).into_iter().filter(|(v, _)| *v != 0).collect(),
            |v| Atom::Asn(narrow(&v)),
        );
        offer(self.prefixes(), |v| Atom::Prefix(v.into_iter().map(Source).collect()));
        offer(self.sources(), |v| Atom::Source(v.into_iter().map(Source).collect()));
        for (value, _) in
            self.values(|e| u64::from(e.query_key)).iter().take(2).filter(|(v, _)| *v != 0)
        {
            if let Some(event) = self.now.iter().find(|event| u64::from(event.query_key) == *value)
            {
                atoms.push(Atom::QueryKey(event.query_key, event.query));
            }
        }
        for (value, _) in self.values(|e| u64::from(e.method)).iter().take(2) {
            if let Ok(method) = u16::try_from(*value) {
                atoms.push(Atom::Method(method, crate::record::event::method_name_key(method)));
            }
        }
        atoms.push(Atom::RefererNone);
        atoms
    }

    /// Values that are more frequent now than ordinary and shown by enough sources, by gain.
    fn values(&self, value: fn(&Event) -> u64) -> Vec<(u64, f64)> {
        self.standing(value, |event| event.source.0, self.sources_min, 2.0)
    }

    /// Networks with several sources each.
    fn prefixes(&self) -> Vec<(u64, f64)> {
        let named = self.standing(|e| e.source.prefix().0, |event| event.source.0, 4, 4.0);
        named.into_iter().filter(|(value, _)| !Source(*value).is_named()).collect()
    }

    /// Sources that send more than visitors do.
    fn sources(&self) -> Vec<(u64, f64)> {
        let least = self.source_requests_min / self.now_weight.max(1.0);
        let standing = self.standing(|e| e.source.0, |event| event.source.0, 1, least);
        standing.into_iter().filter(|(value, _)| *value != 0).collect()
    }

    fn standing(
        &self,
        value: fn(&Event) -> u64,
        voter: fn(&Event) -> u64,
        voters_min: u32,
        least: f64,
    ) -> Vec<(u64, f64)> {
        #[expect(clippy::cast_precision_loss, reason = "sizes of samples")]
        let (now_size, ordinary_size) = (self.now.len() as f64, self.ordinary.len() as f64);
        let mut counts: Table<Tally> = Table::default();
        for event in self.now {
            let (tally, _) = counts.entry(value(event), Tally::default);
            tally.now += 1.0;
            tally.vote(voter(event));
        }
        for event in self.ordinary {
            if let Some(tally) = counts.get_mut(value(event)) {
                tally.ordinary += 1.0;
            }
        }
        let mut standing: Vec<(u64, f64)> = counts
            .iter()
            .filter(|(_, tally)| {
                tally.now >= least
                    && tally.voters >= voters_min
                    && tally.now * self.now_weight > 2.5 * self.expected(tally.ordinary)
                    && tally.now * ordinary_size
                        > SHARE_LIFT_MIN * (tally.ordinary + 0.3) * now_size
            })
            .map(|(value, tally)| (*value, self.gain(tally.now, tally.ordinary)))
            .filter(|(_, gain)| *gain > 1.5)
            .collect();
        standing.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        standing
    }
}

/// Records of one value, and its first few distinct sources.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    now: f64,
    ordinary: f64,
    voters: u32,
    seen: [u64; 4],
}

impl Tally {
    fn vote(&mut self, voter: u64) {
        let known = self.seen.len().min(self.voters as usize);
        if known < self.seen.len() && !self.seen[..known].contains(&voter) {
            self.seen[known] = voter;
            self.voters += 1;
        }
    }
}

fn narrow<T: TryFrom<u64>>(values: &[u64]) -> Vec<T> {
    values.iter().filter_map(|value| T::try_from(*value).ok()).collect()
}

/// A choice must pay for itself: each value of a list is one.
fn cost(atom: &Atom) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "at most a list")]
    let values = atom.values() as f64;
    CONJUNCT_NATS * values
}

fn prune(beam: &mut Vec<Partial>, width: usize) {
    beam.sort_by(|a, b| {
        b.gain
            .total_cmp(&a.gain)
            .then(a.members.len().cmp(&b.members.len()))
            .then_with(|| a.members.cmp(&b.members))
    });
    beam.dedup_by(|a, b| a.members == b.members);
    beam.truncate(width);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(agent: u64, path: u64, at: u64) -> Event {
        Event {
            user_agent: agent,
            path,
            source: Source::v4(u32::try_from(at).unwrap()),
            ..Event::default()
        }
    }

    #[test]
    fn the_common_trait_of_the_excess_is_found() {
        let ordinary: Vec<Event> = (0..1_000).map(|i| event(i % 7, i % 50, i % 400)).collect();
        let mut now: Vec<Event> = (0..200).map(|i| event(i % 7, i % 50, i % 400)).collect();
        now.extend((0..300).map(|i| event(99, 3, 1_000 + i)));
        let evidence = Evidence {
            now: &now,
            now_weight: 1.0,
            ordinary: &ordinary,
            ordinary_weight: 0.2,
            sources_min: 3,
            source_requests_min: 50.0,
        };
        let found = evidence.best_rule(None).unwrap();
        assert!(found.rule.atoms.contains(&Atom::UserAgent(vec![99])), "{found:?}");
        let quality = evidence.quality(&[found.rule], 300.0, |at| at % 2 == 1);
        assert!(quality.recall > 0.95 && quality.precision > 0.99 && quality.collateral == 0.0);
    }

    #[test]
    fn ordinary_traffic_has_no_fingerprint() {
        let ordinary: Vec<Event> = (0..1_000).map(|i| event(i % 7, i % 50, i % 400)).collect();
        let evidence = Evidence {
            now: &ordinary[..200],
            now_weight: 1.0,
            ordinary: &ordinary,
            ordinary_weight: 0.2,
            sources_min: 3,
            source_requests_min: 50.0,
        };
        assert_eq!(evidence.best_rule(None), None);
    }
}
