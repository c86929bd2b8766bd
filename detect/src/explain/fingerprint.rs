//! Fingerprints: of an incident's rules what can be written, and what the written text selects.

use serde::{Deserialize, Serialize};

use crate::explain::rule::{Atom, Rule};
use crate::explain::search::Evidence;
use crate::explain::sql;
use crate::limits::{FINGERPRINT_LIST_BYTES_MAX, FINGERPRINT_LIST_MAX};
use crate::math::interval;
use crate::record::event::Event;
use crate::record::names::Names;
use crate::record::source::Source;
use crate::store::table::Table;

/// Listed sources of a /24 or /48 from which on the network may stand for them.
const DENSE_SOURCES_MIN: u32 = 8;

/// Share of a network's requests that its listed sources must send for it to stand for them.
const DENSE_SHARE_MIN: f64 = 0.9;

/// Error probability of each bound: 95 % of them hold.
const ERROR: f64 = 0.05;

/// What is printed of an incident's rules, measured as it is printed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Any of these.
    pub rules: Vec<Rule>,
    /// What they select.
    pub quality: Quality,
}

impl Fingerprint {
    /// SQL predicate over `requests`; `None` when a text has been forgotten.
    pub fn sql(&self, names: &Names) -> Option<String> {
        sql::any(&self.rules, names)
    }
}

/// Predicted quality of a fingerprint, all shares 0–1, of the requests of its host.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// Share of the excess that is selected.
    pub recall: f64,
    /// 95 % lower bound of it, the size of the excess taken as known.
    pub recall_lower: f64,
    /// Share of the selected that is excess.
    pub precision: f64,
    /// Share of ordinary traffic that is selected.
    pub collateral: f64,
    /// 95 % upper bound of it.
    pub collateral_upper: f64,
}

impl Evidence<'_> {
    /// What can be written of a disjunction of rules, and its quality; `None` when nothing can.
    ///
    /// A conjunct is never left out: a rule with one that cannot be written is. Lists are cut to the heaviest
    /// [`FINGERPRINT_LIST_MAX`] values that can be written; a long list of sources may become one of networks.
    pub fn fingerprint(&self, rules: &[Rule]) -> Option<Fingerprint> {
        let rules: Vec<Rule> = rules.iter().flat_map(|rule| self.written(rule)).collect();
        (!rules.is_empty()).then(|| Fingerprint { quality: self.quality(&rules), rules })
    }

    /// Predicted quality of a disjunction of rules: on the half of the records that no rule is chosen on, where the
    /// samples are large enough to be split, else on all.
    pub fn quality(&self, rules: &[Rule]) -> Quality {
        if self.is_split() { self.half(true).measure(rules) } else { self.measure(rules) }
    }

    fn measure(&self, rules: &[Rule]) -> Quality {
        let select = |event: &Event| rules.iter().any(|rule| rule.matches(event));
        let (now, ordinary) = (&self.now, &self.ordinary);
        let (selected, usual) = (now.weigh(select), ordinary.weigh(select));
        let caught = (selected - usual).max(0.0);
        // what is left beyond what is ordinary
        let missed = ((now.total() - selected) - (ordinary.total() - usual)).max(0.0);
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        let (excess, records) = (caught / now.design(), (caught + missed) / now.design());
        let seen = (usual / ordinary.design(), ordinary.total() / ordinary.design());
        Quality {
            recall: share(caught, caught + missed),
            recall_lower: interval::lower(excess, records, ERROR),
            precision: share(caught, selected),
            collateral: share(usual, ordinary.total()),
            collateral_upper: interval::upper(seen.0, seen.1, ERROR),
        }
    }

    /// A rule as one or two that can be written; none when a conjunct cannot.
    fn written(&self, rule: &Rule) -> Vec<Rule> {
        if let [Atom::Source(sources)] = rule.atoms.as_slice()
            && sources.len() > FINGERPRINT_LIST_MAX
        {
            return self.condensed(sources);
        }
        let atoms: Option<Vec<Atom>> = rule.atoms.iter().map(|atom| self.bounded(atom)).collect();
        atoms.filter(|atoms| !atoms.is_empty()).map(|atoms| Rule { atoms }).into_iter().collect()
    }

    /// The heaviest values of an atom that can be written, within the limits of a list.
    fn bounded(&self, atom: &Atom) -> Option<Atom> {
        let column = atom.column();
        let lengths: Vec<Option<usize>> =
            atom.tests(self.names).map(|test| sql::length(column, test)).collect();
        let bytes: Option<usize> = lengths.iter().copied().sum();
        if lengths.len() <= FINGERPRINT_LIST_MAX
            && bytes.is_some_and(|bytes| bytes <= FINGERPRINT_LIST_BYTES_MAX)
        {
            return Some(atom.clone());
        }
        let weight = |at: usize| {
            let one = atom.filtered(|other| other == at);
            self.now.weigh(|event| one.as_ref().is_some_and(|one| one.matches(event)))
        };
        let mut order: Vec<(f64, usize, usize)> = (0..)
            .zip(&lengths)
            .filter_map(|(at, length)| length.map(|length| (weight(at), at, length)))
            .collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut room = FINGERPRINT_LIST_BYTES_MAX;
        let mut kept: Vec<usize> = Vec::new();
        for (_, at, length) in order.into_iter().take(FINGERPRINT_LIST_MAX) {
            let Some(left) = room.checked_sub(length) else { continue };
            room = left;
            kept.push(at);
        }
        atom.filtered(|at| kept.contains(&at))
    }

    /// A long list of sources as the heaviest networks and sources that stand for it, within the limit of a list.
    ///
    /// A network stands for its listed sources where there are many of them, they send nearly all that comes from
    /// it, and nobody else was seen there in ordinary traffic.
    fn condensed(&self, sources: &[Source]) -> Vec<Rule> {
        let mut entries: Vec<(f64, bool, Source)> = Vec::new();
        let seen = self.seen(sources);
        for (source, weight) in seen.sources.iter() {
            let source = Source(*source);
            let is_dense = seen.networks.get(source.prefix().0).is_some_and(Network::is_dense);
            if !is_dense && self.length(&Atom::Source(vec![source])).is_some() {
                entries.push((*weight, false, source));
            }
        }
        for (prefix, network) in seen.networks.iter().filter(|(_, network)| network.is_dense()) {
            entries.push((network.all, true, Source(*prefix)));
        }
        entries.sort_by(|a, b| b.0.total_cmp(&a.0).then((b.1, a.2).cmp(&(a.1, b.2))));
        entries.truncate(FINGERPRINT_LIST_MAX);
        let chosen = |wide: bool| {
            let entries = entries.iter().filter(|entry| entry.1 == wide);
            let mut chosen: Vec<Source> = entries.map(|entry| entry.2).collect();
            chosen.sort_unstable();
            chosen
        };
        let atoms = [Atom::Prefix(chosen(true)), Atom::Source(chosen(false))];
        let atoms = atoms.into_iter().filter(|atom| atom.values() > 0);
        atoms.map(|atom| Rule { atoms: vec![atom] }).collect()
    }

    /// Requests of listed sources and of their networks.
    fn seen(&self, sources: &[Source]) -> Seen {
        let mut seen = Seen::default();
        for source in sources {
            seen.sources.entry(source.0, || 0.0);
            if !source.prefix().is_named() {
                seen.networks.entry(source.prefix().0, Network::default).0.sources += 1;
            }
        }
        for (event, weight) in self.now.entries() {
            let listed = seen.sources.get_mut(event.source.0);
            let is_listed = listed.is_some();
            if let Some(sum) = listed {
                *sum += weight;
            }
            if let Some(network) = seen.networks.get_mut(event.source.prefix().0) {
                network.all += weight;
                network.listed += if is_listed { weight } else { 0.0 };
            }
        }
        for event in self.ordinary.iter().filter(|e| seen.sources.get(e.source.0).is_none()) {
            if let Some(network) = seen.networks.get_mut(event.source.prefix().0) {
                network.has_others = true;
            }
        }
        seen
    }
}

/// What listed sources and their networks send.
#[derive(Debug, Default)]
struct Seen {
    sources: Table<f64>,
    networks: Table<Network>,
}

/// A /24 or /48 with listed sources.
#[derive(Debug, Default)]
struct Network {
    sources: u32,
    listed: f64,
    all: f64,
    has_others: bool,
}

impl Network {
    fn is_dense(&self) -> bool {
        self.sources >= DENSE_SOURCES_MIN
            && self.listed > 0.0
            && self.listed >= DENSE_SHARE_MIN * self.all
            && !self.has_others
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::sample::Sample;
    use crate::record::column::Column;

    fn from(address: u32) -> Event {
        Event { ts: i64::from(address), source: Source::v4(address), ..Event::default() }
    }

    fn evidence<'a>(now: &'a [Event], ordinary: &'a [Event], names: &'a Names) -> Evidence<'a> {
        Evidence {
            now: Sample::even(now, 2.0),
            ordinary: Sample::even(ordinary, 1.0),
            sources_min: 1,
            source_requests_min: 10.0,
            names,
        }
    }

    #[test]
    fn a_long_list_of_sources_becomes_networks_and_the_heaviest_others() {
        let dense = 0xc000_0200_u32;
        let visited = 0xcb00_7100_u32;
        let sources: Vec<u32> = (0..40)
            .map(|n| dense + n)
            .chain((0..40).map(|n| visited + n))
            .chain((0..80).map(|n| 0x0a00_0000 + n * 65_536))
            .collect();
        let mut now: Vec<Event> = sources.iter().map(|source| from(*source)).collect();
        now.extend((0..5).map(|_| from(0x0a00_0000 + 79 * 65_536)));
        let ordinary = [from(visited + 200), from(1), from(2), from(3)];
        let list = Atom::Source(sources.iter().map(|source| Source::v4(*source)).collect());
        let names = Names::default();
        let evidence = evidence(&now, &ordinary, &names);
        let printed = evidence.fingerprint(&[Rule { atoms: vec![list] }]).unwrap();
        let [networks, others] = printed.rules.as_slice() else { panic!("{printed:?}") };
        assert_eq!(networks.atoms, [Atom::Prefix(vec![Source::v4(dense)])]);
        assert_eq!(others.atoms[0].values(), FINGERPRINT_LIST_MAX - 1);
        assert!(others.matches(&from(0x0a00_0000 + 79 * 65_536)), "the heaviest is there");
        assert!(!others.matches(&from(dense)));
        let caught = 40.0 + 63.0 + 5.0;
        let recall = caught / (165.0 - 2.0);
        assert!((printed.quality.recall - recall).abs() < 1e-9, "{:?}", printed.quality);
    }

    #[test]
    fn a_rule_that_cannot_be_written_is_not_part_of_the_figures() {
        let now: Vec<Event> =
            (0..100).map(|n| Event { user_agent: 7 + u64::from(n % 2), ..from(n) }).collect();
        let mut names = Names::default();
        names.insert(7, "known");
        let evidence = evidence(&now, &[], &names);
        let agent = |value| Rule { atoms: vec![Atom::OneOf(Column::UserAgent, vec![value])] };
        let printed = evidence.fingerprint(&[agent(7), agent(8)]).unwrap();
        assert_eq!(printed.rules, [agent(7)]);
        assert!((printed.quality.recall - 0.5).abs() < 1e-9);
        assert_eq!(printed.sql(&names).unwrap(), "user_agent = 'known'");
        let both = Rule { atoms: vec![Atom::OneOf(Column::UserAgent, vec![7, 8])] };
        assert_eq!(evidence.fingerprint(&[both]).unwrap().rules, [agent(7)]);
        assert_eq!(evidence.fingerprint(&[agent(8)]), None);
    }

    #[expect(clippy::cast_precision_loss, reason = "some hundreds")]
    const fn float(n: u64) -> f64 {
        n as f64
    }

    #[test]
    fn of_long_texts_the_heaviest_are_written_within_the_room_of_a_list() {
        let mut names = Names::default();
        (1..=40).for_each(|agent| names.insert(agent, &format!("{agent:03}{}", "x".repeat(900))));
        let now: Vec<Event> = (1..=40_u64)
            .flat_map(|agent| (0..agent).map(move |_| Event { user_agent: agent, ..from(1) }))
            .collect();
        let evidence = evidence(&now, &[], &names);
        let all = Atom::OneOf(Column::UserAgent, (1..=40).collect());
        let printed = evidence.fingerprint(&[Rule { atoms: vec![all] }]).unwrap();
        let [Rule { atoms }] = printed.rules.as_slice() else { panic!("{printed:?}") };
        let one = evidence.length(&Atom::OneOf(Column::UserAgent, vec![1])).unwrap();
        let written = (FINGERPRINT_LIST_BYTES_MAX / one) as u64;
        assert!((2..20).contains(&written), "{written}");
        assert_eq!(
            atoms.as_slice(),
            [Atom::OneOf(Column::UserAgent, (41 - written..=40).collect())]
        );
        let text = printed.sql(&names).unwrap();
        assert!(text.len() < FINGERPRINT_LIST_BYTES_MAX + 100, "{}", text.len());
        let recall = float((41 - written..=40).sum()) / float(now.len() as u64);
        assert!((printed.quality.recall - recall).abs() < 1e-9, "that of what is written");
    }
}
