//! The candidates of the search: of each column the values that stand out, and those that only narrow a rule down.
//!
//! Only what can be written is a candidate: a value without a known text is no part of a list.

use crate::explain::rule::Atom;
use crate::explain::sample::Bits;
use crate::explain::search::Evidence;
use crate::explain::sql;
use crate::limits::{FINGERPRINT_LIST_BYTES_MAX, FINGERPRINT_LIST_MAX};
use crate::record::column::Column;
use crate::record::event::Event;
use crate::record::source::Source;
use crate::store::table::Table;

/// Candidates kept of one attribute, besides the list of all that stand out.
const SINGLES_MAX: usize = 5;

/// Gain a value needs for the list of all that stand out, as a share of the greatest.
const LIST_GAIN_SHARE: f64 = 0.08;

/// How much greater a value's share of the traffic must be than its ordinary share: in a crowd everything is
/// more frequent.
const SHARE_LIFT_MIN: f64 = 2.0;

/// The same for a value that only narrows a rule down: common by itself, telling beside another.
const COMPANION_LIFT_MIN: f64 = 1.2;

/// Values of one attribute that only narrow a rule down.
const COMPANIONS_MAX: usize = 2;

/// Beginnings of texts that are kept, and methods: there are few of either.
const OTHERS_MAX: usize = 2;

/// A predicate that a rule may be made of, with the records of both samples that it selects.
pub(super) struct Candidate {
    /// The predicate.
    pub atom: Atom,
    /// Whether a rule may begin with it.
    pub begins: bool,
    /// Records of now.
    pub now: Bits,
    /// Ordinary records.
    pub ordinary: Bits,
}

/// What the records of both samples show of one thing.
struct Shown {
    now: Vec<u64>,
    ordinary: Vec<u64>,
}

impl Shown {
    /// A predicate that selects the records which show one of these values, sorted.
    fn candidate(&self, atom: Atom, begins: bool, values: &[u64]) -> Candidate {
        let (now, ordinary) = (Bits::of(&self.now, values), Bits::of(&self.ordinary, values));
        Candidate { atom, begins, now, ordinary }
    }
}

impl Evidence<'_> {
    /// Candidate predicates: of each attribute the values that gain most, and the list of all that stand out; then
    /// values that stand out too little to begin a rule with.
    pub(super) fn candidates(&self) -> Vec<Candidate> {
        use Column::{Asn, Country, Ja4, Method, Path, Query, Referer, Status, UserAgent};
        let (mut candidates, mut companions) = (Vec::new(), Vec::new());
        for column in [UserAgent, Ja4, Path, Query, Status, Asn, Country] {
            let shown = self.shown(column.facts().of);
            let tallies = self.tallies(&shown, self.sources_min, 0.0);
            let mut standing = self.standing(&tallies, 2.0);
            standing.retain(|(value, _)| *value != 0 || !matches!(column, Ja4 | Asn | Country));
            let one_of = |values| Atom::OneOf(column, values);
            self.offer(&standing, one_of, &shown, &mut candidates);
            if !matches!(column, Asn | Country) {
                let common = self.common(&tallies);
                self.add(&common, COMPANIONS_MAX, one_of, (&shown, false), &mut companions);
            }
        }
        let sources = |values: Vec<u64>| values.into_iter().map(Source).collect();
        let prefixes = self.shown(|event| event.source.prefix().0);
        let standing = self.prefixes(&prefixes);
        self.offer(&standing, |v| Atom::Prefix(sources(v)), &prefixes, &mut candidates);
        let each = self.shown(|event| event.source.0);
        let standing = self.sources(&each);
        self.offer(&standing, |v| Atom::Source(sources(v)), &each, &mut candidates);
        for column in [Query, Path] {
            for of in column.facts().beginnings {
                let shown = self.shown(*of);
                let tallies = self.tallies(&shown, self.sources_min, 0.0);
                let mut standing = self.standing(&tallies, 2.0);
                standing.retain(|(text, _)| *text != 0);
                let begins =
                    |texts: Vec<u64>| Atom::Begins(column, texts.first().copied().unwrap_or(0));
                self.add(&standing, OTHERS_MAX, begins, (&shown, true), &mut candidates);
            }
        }
        let methods = self.shown(Method.facts().of);
        let standing = self.standing(&self.tallies(&methods, self.sources_min, 0.0), 2.0);
        let method = |values| Atom::OneOf(Method, values);
        self.add(&standing, OTHERS_MAX, method, (&methods, true), &mut candidates);
        let referers = self.shown(Referer.facts().of);
        candidates.push(referers.candidate(Atom::referer_none(), true, &[0]));
        candidates.append(&mut companions);
        candidates
    }

    fn shown(&self, value: fn(&Event) -> u64) -> Shown {
        Shown { now: self.now.shown(value), ordinary: self.ordinary.shown(value) }
    }

    /// Adds the first `most` values that can be written, one by one.
    fn add(
        &self,
        values: &[(u64, f64)],
        most: usize,
        make: impl Fn(Vec<u64>) -> Atom,
        (shown, begins): (&Shown, bool),
        candidates: &mut Vec<Candidate>,
    ) {
        let atoms = values.iter().map(|(value, _)| (make(vec![*value]), *value));
        let written = atoms.filter(|(atom, _)| self.length(atom).is_some()).take(most);
        candidates.extend(written.map(|(atom, value)| shown.candidate(atom, begins, &[value])));
    }

    /// Bytes of an atom's values as text, where all can be written.
    pub(super) fn length(&self, atom: &Atom) -> Option<usize> {
        let lengths = atom.tests(self.names).map(|test| sql::length(atom.column(), test));
        lengths.sum()
    }

    /// Adds the values that gain most one by one, and the list of all that stand out, of those that can be written.
    fn offer(
        &self,
        standing: &[(u64, f64)],
        make: impl Fn(Vec<u64>) -> Atom,
        shown: &Shown,
        candidates: &mut Vec<Candidate>,
    ) {
        let mut list: Vec<u64> = Vec::new();
        let (mut most, mut bytes) = (None, 0);
        for (value, gain) in standing {
            let atom = make(vec![*value]);
            let Some(length) = self.length(&atom) else { continue };
            let most = *most.get_or_insert(*gain);
            bytes += length;
            let listed = *gain >= LIST_GAIN_SHARE * most && bytes <= FINGERPRINT_LIST_BYTES_MAX;
            if list.len() < SINGLES_MAX {
                candidates.push(shown.candidate(atom, true, &[*value]));
            } else if !listed {
                break;
            }
            if listed {
                list.push(*value);
            }
            if list.len() >= FINGERPRINT_LIST_MAX {
                break;
            }
        }
        if list.len() > 1 {
            list.sort_unstable();
            candidates.push(shown.candidate(make(list.clone()), true, &list));
        }
    }

    /// Networks with several sources each.
    fn prefixes(&self, shown: &Shown) -> Vec<(u64, f64)> {
        let named = self.standing(&self.tallies(shown, 4, 0.0), 4.0);
        named.into_iter().filter(|(value, _)| !Source(*value).is_named()).collect()
    }

    /// Sources that send more than visitors do.
    fn sources(&self, shown: &Shown) -> Vec<(u64, f64)> {
        let standing = self.standing(&self.tallies(shown, 1, self.source_requests_min), 1.0);
        standing.into_iter().filter(|(value, _)| *value != 0).collect()
    }

    /// Values with at least so many records that stand out, by gain.
    fn standing(&self, tallies: &Table<Tally>, records_min: f64) -> Vec<(u64, f64)> {
        let (now_total, ordinary_total) = (self.now.total(), self.ordinary.total());
        self.by_gain(tallies, |tally| {
            let expected = self.expected(tally.ordinary);
            tally.records >= records_min
                && tally.now > 2.5 * expected
                && tally.now * ordinary_total > SHARE_LIFT_MIN * expected * now_total
        })
    }

    /// Values that do not stand out, and yet are more frequent than ordinary, by gain.
    fn common(&self, tallies: &Table<Tally>) -> Vec<(u64, f64)> {
        let (now_total, ordinary_total) = (self.now.total(), self.ordinary.total());
        self.by_gain(tallies, |tally| {
            let expected = self.expected(tally.ordinary);
            let lift = tally.now * ordinary_total / (expected * now_total);
            let stands = tally.now > 2.5 * expected && lift > SHARE_LIFT_MIN;
            lift > COMPANION_LIFT_MIN && !stands
        })
    }

    /// Values that are shown now by at least so many sources in so many requests, with how often.
    fn tallies(&self, shown: &Shown, voters_min: u32, requests_min: f64) -> Table<Tally> {
        let mut tallies: Table<Tally> = Table::default();
        for ((event, weight), value) in self.now.entries().zip(&shown.now) {
            let (tally, _) = tallies.entry(*value, Tally::default);
            tally.records += 1.0;
            tally.now += weight;
            tally.vote(event.source.0);
        }
        // What is left are few, which makes the search for what is ordinary of them short.
        tallies.retain(|_, tally| tally.voters >= voters_min && tally.now >= requests_min);
        if tallies.is_empty() {
            return tallies;
        }
        for ((_, weight), value) in self.ordinary.entries().zip(&shown.ordinary) {
            if let Some(tally) = tallies.get_mut(*value) {
                tally.ordinary += weight;
            }
        }
        tallies
    }

    /// Values that `stands` accepts, with their gain, greatest first.
    fn by_gain(&self, tallies: &Table<Tally>, stands: impl Fn(&Tally) -> bool) -> Vec<(u64, f64)> {
        let mut standing: Vec<(u64, f64)> = tallies
            .iter()
            .filter(|(_, tally)| stands(tally))
            .map(|(value, tally)| (*value, self.gain(tally.now, tally.ordinary)))
            .filter(|(_, gain)| *gain > 1.5)
            .collect();
        standing.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        standing
    }
}

/// Records of one value, the requests they stand for, and its first few distinct sources.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    records: f64,
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
