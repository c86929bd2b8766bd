//! The candidates of the search: of each column the values that stand out, and those that only narrow a rule down.
//!
//! Only what can be written is a candidate: a value without a known text is no part of a list.

use crate::explain::rule::Atom;
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

impl Evidence<'_> {
    /// Candidate predicates: of each attribute the values that gain most, and the list of all that stand out.
    pub(super) fn atoms(&self) -> Vec<Atom> {
        use Column::{Asn, Ja4, Method, Path, Query, Status, UserAgent};
        let mut atoms = Vec::new();
        for column in [UserAgent, Ja4, Path, Query, Status, Asn] {
            let mut standing = self.values(column);
            standing.retain(|(value, _)| *value != 0 || !matches!(column, Ja4 | Asn));
            self.offer(&standing, |values| Atom::OneOf(column, values), &mut atoms);
        }
        let sources = |values: Vec<u64>| values.into_iter().map(Source).collect();
        self.offer(&self.prefixes(), |values| Atom::Prefix(sources(values)), &mut atoms);
        self.offer(&self.sources(), |values| Atom::Source(sources(values)), &mut atoms);
        let keys = self.standing(|event| event.query_key, self.sources_min, 2.0, 0.0);
        let keys = keys.iter().filter(|(key, _)| *key != 0).map(|(key, _)| Atom::QueryKey(*key));
        atoms.extend(keys.filter(|atom| self.length(atom).is_some()).take(2));
        let methods = self.values(Method);
        let methods = methods.iter().map(|(method, _)| Atom::OneOf(Method, vec![*method]));
        atoms.extend(methods.filter(|atom| self.length(atom).is_some()).take(2));
        atoms.push(Atom::referer_none());
        atoms
    }

    /// Values that stand out too little to begin a rule with.
    pub(super) fn companions(&self) -> Vec<Atom> {
        use Column::{Ja4, Path, Query, Status, UserAgent};
        let mut atoms = Vec::new();
        for column in [UserAgent, Ja4, Path, Query, Status] {
            let standing = self.common(column.facts().of, self.sources_min);
            let companions = standing.iter().map(|(value, _)| Atom::OneOf(column, vec![*value]));
            atoms
                .extend(companions.filter(|atom| self.length(atom).is_some()).take(COMPANIONS_MAX));
        }
        atoms
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
        atoms: &mut Vec<Atom>,
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
                atoms.push(atom);
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
            atoms.push(make(list));
        }
    }

    /// Values that are more frequent now than ordinary and shown by enough sources, by gain.
    fn values(&self, column: Column) -> Vec<(u64, f64)> {
        self.standing(column.facts().of, self.sources_min, 2.0, 0.0)
    }

    /// Networks with several sources each.
    fn prefixes(&self) -> Vec<(u64, f64)> {
        let named = self.standing(|event| event.source.prefix().0, 4, 4.0, 0.0);
        named.into_iter().filter(|(value, _)| !Source(*value).is_named()).collect()
    }

    /// Sources that send more than visitors do.
    fn sources(&self) -> Vec<(u64, f64)> {
        let least = self.source_requests_min;
        let standing = self.standing(|event| event.source.0, 1, 1.0, least);
        standing.into_iter().filter(|(value, _)| *value != 0).collect()
    }

    /// Values with at least so many sources, records and requests that stand out, by gain.
    fn standing(
        &self,
        value: fn(&Event) -> u64,
        voters_min: u32,
        records_min: f64,
        requests_min: f64,
    ) -> Vec<(u64, f64)> {
        let (now_total, ordinary_total) = (self.now.total(), self.ordinary.total());
        self.tallied(value, |tally| {
            let expected = self.expected(tally.ordinary);
            tally.records >= records_min
                && tally.now >= requests_min
                && tally.voters >= voters_min
                && tally.now > 2.5 * expected
                && tally.now * ordinary_total > SHARE_LIFT_MIN * expected * now_total
        })
    }

    /// Values with at least so many sources that do not stand out, and yet are more frequent than ordinary, by gain.
    fn common(&self, value: fn(&Event) -> u64, voters_min: u32) -> Vec<(u64, f64)> {
        let (now_total, ordinary_total) = (self.now.total(), self.ordinary.total());
        self.tallied(value, |tally| {
            let expected = self.expected(tally.ordinary);
            let lift = tally.now * ordinary_total / (expected * now_total);
            let stands = tally.now > 2.5 * expected && lift > SHARE_LIFT_MIN;
            tally.voters >= voters_min && lift > COMPANION_LIFT_MIN && !stands
        })
    }

    /// Values that `stands` accepts, with their gain, greatest first.
    fn tallied(
        &self,
        value: fn(&Event) -> u64,
        stands: impl Fn(&Tally) -> bool,
    ) -> Vec<(u64, f64)> {
        let mut counts: Table<Tally> = Table::default();
        for (event, weight) in self.now.entries() {
            let (tally, _) = counts.entry(value(event), Tally::default);
            tally.records += 1.0;
            tally.now += weight;
            tally.vote(event.source.0);
        }
        for (event, weight) in self.ordinary.entries() {
            if let Some(tally) = counts.get_mut(value(event)) {
                tally.ordinary += weight;
            }
        }
        let mut standing: Vec<(u64, f64)> = counts
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
