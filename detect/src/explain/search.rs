//! The search: the conjunction of predicates that best separates what is there now from what is ordinary.
//!
//! A rule `S` is worth its likelihood gain `G = x ln(x/μ) − (x − μ)` nats, `x` the records it selects now and `μ`
//! the number it would select of ordinary traffic in the same time; a conjunct must pay for the choice among the
//! candidates. Records are told apart by a bit in a set per candidate, so that a conjunction is an AND.
//!
//! Only what can be written is a candidate: a value without a known text is no part of a list, and a rule that is
//! found can be printed. Where the samples allow it, a rule is chosen on one half of the records; its quality is
//! measured on the other, see [`super::fingerprint`].

use crate::explain::candidates::Candidate;
use crate::explain::rule::{Atom, Rule};
use crate::explain::sample::{Bits, Sample};
use crate::limits::FINGERPRINT_CONJUNCTS_MAX;
use crate::record::column::Column;
use crate::record::event::Event;
use crate::record::names::Names;

/// Rules followed at once.
const BEAM: usize = 4;

/// What a conjunct must gain, nats.
const CONJUNCT_NATS: f64 = 4.0;

/// Share of the excess a further conjunct must keep: what is ordinary among the selected it may well drop.
const KEEP_SHARE: f64 = 0.92;

/// Ordinary records that a value is taken to have besides those seen: what was never seen is rare, not impossible.
const PRIOR_HITS: f64 = 0.3;

/// Records of each sample from which on rules are chosen on one half and measured on the other: half of them is
/// enough for either.
const SPLIT_MIN: usize = 512;

/// What is there now, and what is ordinary.
#[derive(Debug, Clone)]
pub struct Evidence<'a> {
    /// Sampled records of the window, with the requests they stand for.
    pub now: Sample<'a>,
    /// Sampled ordinary records, with the requests of the window's ordinary traffic they stand for.
    pub ordinary: Sample<'a>,
    /// Distinct sources a value needs: one visitor's page is no pattern.
    pub sources_min: u32,
    /// Requests of the window above which a source is no ordinary visitor.
    pub source_requests_min: f64,
    /// Texts by their hash.
    pub names: &'a Names,
}

/// A rule and what it selects.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The rule.
    pub rule: Rule,
    /// Likelihood gain, nats, less what its conjuncts cost.
    pub gain: f64,
    /// Requests selected now.
    pub selected: f64,
    /// Requests it would select of ordinary traffic.
    pub expected: f64,
}

struct Partial {
    members: Vec<usize>,
    now: Bits,
    ordinary: Bits,
    gain: f64,
    cost: f64,
    /// Requests selected beyond those expected.
    excess: f64,
}

/// Likelihood gain of `selected` requests where `expected` are ordinary, nats; 0 where there is no excess.
pub fn gain(selected: f64, expected: f64) -> f64 {
    if selected <= expected {
        return 0.0;
    }
    selected * libm::log(selected / expected) - (selected - expected)
}

impl Evidence<'_> {
    /// Ordinary requests where `hits` of the sample were seen.
    pub(super) fn expected(&self, hits: f64) -> f64 {
        hits + PRIOR_HITS * self.ordinary.mean()
    }

    pub(super) fn gain(&self, now: f64, ordinary: f64) -> f64 {
        // weights above 1 do not make a sample more certain
        gain(now, self.expected(ordinary)) / self.now.design().max(1.0)
    }

    /// Likelihood gain of what a predicate selects, nats.
    pub fn gain_of(&self, select: impl Fn(&Event) -> bool) -> f64 {
        self.gain(self.now.weigh(&select), self.ordinary.weigh(&select))
    }

    /// Whether the samples are large enough to choose on one half and to measure on the other.
    pub(super) const fn is_split(&self) -> bool {
        self.now.len() >= SPLIT_MIN && self.ordinary.len() >= SPLIT_MIN
    }

    /// One half of the evidence, or the other.
    pub(super) fn half(&self, other: bool) -> Self {
        Self { now: self.now.half(other), ordinary: self.ordinary.half(other), ..*self }
    }

    /// The best rule, if any stands out; with a seed, one that begins with a predicate on one of its columns
    /// and selects its record.
    pub fn best_rule(&self, seed: Option<(&[Column], &Event)>) -> Option<Found> {
        let rule = if self.is_split() { self.half(false).search(seed) } else { self.search(seed) }?;
        Some(self.found(rule)).filter(|found| found.gain > 0.0)
    }

    /// A rule, with what it selects.
    pub fn found(&self, rule: Rule) -> Found {
        let select = |event: &Event| rule.matches(event);
        let (now, ordinary) = (self.now.weigh(select), self.ordinary.weigh(select));
        let gain = self.gain(now, ordinary) - rule.atoms.iter().map(cost).sum::<f64>();
        Found { gain, selected: now, expected: self.expected(ordinary), rule }
    }

    fn search(&self, seed: Option<(&[Column], &Event)>) -> Option<Rule> {
        let candidates = self.candidates();
        let mut beam: Vec<Partial> = Vec::new();
        let fits = |atom: &Atom| {
            seed.is_none_or(|(columns, event)| {
                columns.contains(&atom.column()) && atom.matches(event)
            })
        };
        let seeded = candidates.iter().any(|candidate| candidate.begins && fits(&candidate.atom));
        for (at, candidate) in candidates.iter().enumerate() {
            if !candidate.begins || seeded && !fits(&candidate.atom) {
                continue;
            }
            let (now, ordinary) = (candidate.now.clone(), candidate.ordinary.clone());
            beam.push(self.partial(vec![at], now, ordinary, cost(&candidate.atom)));
        }
        prune(&mut beam, 2 * BEAM);
        for _ in 1..FINGERPRINT_CONJUNCTS_MAX {
            let next: Vec<Partial> =
                beam.iter().flat_map(|parent| self.children(parent, &candidates)).collect();
            if next.is_empty() {
                break;
            }
            beam.extend(next);
            prune(&mut beam, BEAM);
        }
        let best = beam.first().filter(|best| best.gain > 0.0)?;
        let members = self.needed(best, &candidates);
        let members = members.iter().filter_map(|at| candidates.get(*at));
        Some(Rule { atoms: members.map(|candidate| candidate.atom.clone()).collect() })
    }

    /// The members without which the rule is worth less: what the search began with may have become superfluous.
    fn needed(&self, best: &Partial, candidates: &[Candidate]) -> Vec<usize> {
        let (mut members, mut gain) = (best.members.clone(), best.gain);
        for at in &best.members {
            let rest: Vec<usize> = members.iter().copied().filter(|other| other != at).collect();
            let chosen: Vec<&Candidate> =
                rest.iter().filter_map(|at| candidates.get(*at)).collect();
            let Some(first) = chosen.first() else { break };
            let both = |sets: (Bits, Bits), next: &&Candidate| {
                (sets.0.and(&next.now), sets.1.and(&next.ordinary))
            };
            let sets = chosen.iter().fold((first.now.clone(), first.ordinary.clone()), both);
            let cost = chosen.iter().map(|candidate| cost(&candidate.atom)).sum();
            let shorter = self.partial(rest, sets.0, sets.1, cost);
            if shorter.gain >= gain {
                (members, gain) = (shorter.members, shorter.gain);
            }
        }
        members
    }

    fn partial(&self, members: Vec<usize>, now: Bits, ordinary: Bits, cost: f64) -> Partial {
        let weights = (self.now.weigh_bits(&now), self.ordinary.weigh_bits(&ordinary));
        let gain = self.gain(weights.0, weights.1) - cost;
        let excess = weights.0 - weights.1;
        Partial { members, now, ordinary, gain, cost, excess }
    }

    fn children(&self, parent: &Partial, candidates: &[Candidate]) -> Vec<Partial> {
        let members = parent.members.iter().filter_map(|at| candidates.get(*at));
        let columns: Vec<Column> = members.map(|candidate| candidate.atom.column()).collect();
        let mut children = Vec::new();
        for (at, candidate) in candidates.iter().enumerate() {
            if columns.contains(&candidate.atom.column()) {
                continue;
            }
            let now = self.now.weigh_both(&parent.now, &candidate.now);
            let ordinary = self.ordinary.weigh_both(&parent.ordinary, &candidate.ordinary);
            let cost = parent.cost + cost(&candidate.atom);
            let gain = self.gain(now, ordinary) - cost;
            let excess = now - ordinary;
            if gain > parent.gain && excess >= KEEP_SHARE * parent.excess {
                let mut members = parent.members.clone();
                members.push(at);
                members.sort_unstable();
                let now = parent.now.and(&candidate.now);
                let ordinary = parent.ordinary.and(&candidate.ordinary);
                children.push(Partial { members, now, ordinary, gain, cost, excess });
            }
        }
        children
    }
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
    use crate::explain::sql;
    use crate::math::hash::mix;
    use crate::record::event::{country_code, flag};
    use crate::record::source::Source;

    fn event(agent: u64, path: u64, at: u64) -> Event {
        Event {
            ts: i64::try_from(at).unwrap(),
            user_agent: agent,
            path,
            source: Source::v4(u32::try_from(at).unwrap()),
            ..Event::default()
        }
    }

    /// Every number below 200 is the hash of a text.
    fn names() -> Names {
        let mut names = Names::default();
        (1..200).for_each(|n| names.insert(n, &format!("text {n}")));
        names
    }

    fn ordinary() -> Vec<Event> {
        (0..1_000).map(|i| event(1 + i % 7, 1 + i % 50, i % 400)).collect()
    }

    fn evidence<'a>(now: &'a [Event], ordinary: &'a [Event], names: &'a Names) -> Evidence<'a> {
        Evidence {
            now: Sample::even(now, 1.0),
            ordinary: Sample::even(ordinary, 0.2),
            sources_min: 3,
            source_requests_min: 50.0,
            names,
        }
    }

    fn flood(agent: u64, path: u64, n: u64) -> Vec<Event> {
        let mut now = ordinary()[..200].to_vec();
        now.extend((0..n).map(|i| event(agent, path, 1_000 + i)));
        now
    }

    #[test]
    fn the_common_trait_of_the_excess_is_found() {
        let (names, ordinary) = (names(), ordinary());
        for n in [300, 600] {
            let now = flood(99, 3, n);
            let evidence = evidence(&now, &ordinary, &names);
            assert_eq!(evidence.is_split(), n == 600);
            let found = evidence.best_rule(None).unwrap();
            let agent = Atom::OneOf(Column::UserAgent, vec![99]);
            assert!(found.rule.atoms.contains(&agent), "{found:?}");
            let fingerprint = evidence.fingerprint(&[found.rule]).unwrap();
            let quality = fingerprint.quality;
            assert!(quality.recall > 0.95 && quality.precision > 0.99, "{quality:?}");
            assert!(quality.collateral == 0.0 && quality.collateral_upper < 0.01, "{quality:?}");
        }
    }

    #[test]
    fn what_cannot_be_written_is_no_candidate() {
        let (names, ordinary) = (names(), ordinary());
        let now = flood(777, 3, 300);
        let found = evidence(&now, &ordinary, &names).best_rule(None).unwrap();
        assert!(found.rule.atoms.iter().all(|atom| atom.column() != Column::UserAgent));
        assert!(sql::all(&found.rule, &names).is_some(), "{found:?}");
        let unnamed = Names::default();
        let found = evidence(&now, &ordinary, &unnamed).best_rule(None).unwrap();
        assert!(sql::all(&found.rule, &unnamed).is_some(), "{found:?}");
    }

    #[test]
    fn weights_decide_as_repeated_records_do() {
        let (names, ordinary) = (names(), ordinary());
        let now = flood(99, 3, 300);
        let doubled: Vec<Event> = now.iter().flat_map(|event| [*event, *event]).collect();
        let one =
            Evidence { now: Sample::weighted(&now, |_| 2.0), ..evidence(&now, &ordinary, &names) };
        let other = evidence(&doubled, &ordinary, &names);
        let rule = one.best_rule(None).unwrap();
        let again = other.best_rule(None).unwrap();
        assert_eq!((rule.selected, rule.expected), (again.selected, again.expected));
        assert_eq!(rule.rule, again.rule);
    }

    #[test]
    fn a_pair_of_ordinary_values_is_found_where_neither_is_rare() {
        let (names, mut ordinary) = (names(), ordinary());
        // every third record is of the user agent, too common to stand out by itself
        ordinary.iter_mut().step_by(3).for_each(|event| event.user_agent = 1);
        let mut now = ordinary.clone();
        now.extend((1..401).map(|i| event(1, 1, i * 70_000)));
        // nobody shows a referer: that may be where the search begins, and is no part of the rule
        let no_referer = |event: &mut Event| event.flags = flag::REFERER_NONE;
        now.iter_mut().chain(&mut ordinary).for_each(no_referer);
        let evidence = Evidence {
            ordinary: Sample::even(&ordinary, 1.0),
            ..evidence(&now, &ordinary, &names)
        };
        let mut columns: Vec<Column> =
            evidence.best_rule(None).unwrap().rule.atoms.iter().map(Atom::column).collect();
        columns.sort_unstable();
        assert_eq!(columns, [Column::UserAgent, Column::Path]);
    }

    #[test]
    fn ordinary_traffic_has_no_fingerprint() {
        let (names, ordinary) = (names(), ordinary());
        assert_eq!(evidence(&ordinary[..200], &ordinary, &names).best_rule(None), None);
    }

    #[test]
    fn a_rule_has_so_many_conjuncts_at_most_and_each_of_them_tells() {
        let names = names();
        // each trait is that of a third of the visitors, and all of them are those of the attack
        let shows = |at: u64, all: bool| {
            let value =
                |n: u64| if all || mix(at * 7 + n).is_multiple_of(3) { 150 + n } else { 1 + n };
            Event {
                source: Source::v4(u32::try_from(mix(at) >> 32).unwrap()),
                ja4: value(2),
                query: value(3),
                asn: u32::try_from(value(4)).unwrap(),
                status: u16::try_from(value(5)).unwrap(),
                country: country_code(if value(6) > 150 { "VN" } else { "DE" }),
                ..event(value(0), value(1), at)
            }
        };
        let ordinary: Vec<Event> = (0..2_000).map(|at| shows(at, false)).collect();
        let mut now: Vec<Event> = ordinary[..300].to_vec();
        now.extend((5_000..6_000).map(|at| shows(at, true)));
        let found = evidence(&now, &ordinary, &names).best_rule(None).unwrap();
        assert_eq!(found.rule.atoms.len(), FINGERPRINT_CONJUNCTS_MAX, "{found:?}");
        assert!(found.selected >= 1_000.0 && found.expected < 20.0, "{found:?}");
    }
}
