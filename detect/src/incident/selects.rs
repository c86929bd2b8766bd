//! What an incident selects and whom it counts, within bounds: what is full makes room by merit, so that who fills it with
//! little hides nothing that is much.

use schemas::{Class, Kind, Verdict};

use crate::explain::rule::{Atom, Rule};
use crate::incident::open::{Open, Opening, Origin};
use crate::limits::{INCIDENT_RULES_MAX, INCIDENT_SOURCES_COUNTED_MAX, RULE_SOURCES_MAX};
use crate::record::event::Event;
use crate::record::source::Source;

/// Share of what two incidents select, either of them, that both must select to be one matter: rules are found anew each time,
/// and refined. A choice.
const SAME_MIN: f64 = 0.5;

impl Open {
    /// Whether what opens is what this one, which was closed, was about: by its rules, or by what they select of the records of
    /// late. An attack is not taken up by what is less; but a crowd of its own sources is none: by then they have been here before.
    pub(super) fn is_again<'e>(
        &self,
        opening: &Opening,
        of_late: impl Iterator<Item = &'e Event>,
    ) -> bool {
        let is_crowd = opening.kind == Kind::FlashCrowd
            && self.class == Class::Volume
            && self.verdict == Verdict::Attack;
        if !is_crowd && self.class != opening.kind.class() {
            return false;
        }
        if self.rules == opening.rules {
            return true;
        }
        let is_less = opening.verdict != Verdict::Attack && self.verdict != opening.verdict;
        let is_of_singles = matches!(opening.origin, Origin::Singles(_));
        if is_less && !is_crowd
            || self.class == Class::Benign
            || self.is_of_singles() != is_of_singles
        {
            return false;
        }
        let (mut both, mut either, mut own) = (0.0, 0.0, 0.0);
        for event in of_late {
            let opens = opening.rules.iter().any(|rule| rule.matches(event));
            let was = self.matches(event);
            both += f64::from(u8::from(opens && was));
            either += f64::from(u8::from(opens || was));
            let is_own = || self.sources.get(event.source.0).is_some();
            own += f64::from(u8::from(opens && was && is_own()));
        }
        either > 0.0 && both >= SAME_MIN * either && (!is_crowd || own >= SAME_MIN * either)
    }

    /// Distinct sources; of more than are counted one by one, so many.
    pub fn source_count(&self) -> usize {
        self.sources.len().max(self.sources_most)
    }

    /// Requests counted of a source. Where there is no room for another, those with the fewest make some: a quarter at
    /// least.
    pub(super) fn counted(&mut self, source: Source) -> &mut u64 {
        let is_full = self.sources.len() >= INCIDENT_SOURCES_COUNTED_MAX;
        if is_full && self.sources.get(source.0).is_none() {
            self.sources_most = self.sources_most.max(self.sources.len());
            let mut few = 1;
            while self.sources.len() > INCIDENT_SOURCES_COUNTED_MAX / 4 * 3 {
                self.sources.retain(|_, requests| *requests > few);
                few *= 2;
            }
        }
        self.sources.entry(source.0, || 0).0
    }

    /// Adds a source to the rule of sources, or gives it one. In a full rule it takes the place of the source with the
    /// fewest requests, if by what was `observed` of it it has more.
    pub fn add_source(&mut self, source: Source, observed: f64) {
        let list = self.rules.iter_mut().find_map(|rule| match rule.atoms.as_mut_slice() {
            [Atom::Source(list)] => Some(list),
            _ => None,
        });
        let Some(list) = list else {
            self.measured = 0;
            self.rules.push(Rule { atoms: vec![Atom::Source(vec![source])] });
            return;
        };
        let Err(place) = list.binary_search(&source) else { return };
        if list.len() < RULE_SOURCES_MAX {
            list.insert(place, source);
            self.measured = 0;
            return;
        }
        let counted = |source: &Source| self.sources.get(source.0).copied().unwrap_or(0);
        let all = list.iter().enumerate().map(|(at, listed)| (counted(listed), at));
        let Some((fewest, at)) = all.min() else { return };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let observed = libm::floor(observed) as u64;
        if observed <= fewest {
            return;
        }
        list.remove(at);
        let place = list.partition_point(|listed| *listed < source);
        list.insert(place, source);
        self.measured = 0;
        // By this it keeps its place, among others that come at the same moment.
        let counted = self.counted(source);
        *counted = observed.max(*counted);
    }

    /// Adds a rule that selects so many ordinary requests per second; whether it was a new one, and not a part of another, unless
    /// that speaks of answers alone: then it takes its place. Beyond
    /// [`INCIDENT_RULES_MAX`] it takes the place of the one that selects the fewest of the records of late, if it selects
    /// more of them.
    pub(super) fn add_rule<'e>(
        &mut self,
        rule: &Rule,
        ordinary_rate: f64,
        of_late: &(impl Iterator<Item = &'e Event> + Clone),
    ) -> bool {
        if let Some(present) = self.rules.iter_mut().find(|present| present.covers(rule)) {
            let is_better = present.is_of_answers() && !rule.is_of_answers();
            if is_better {
                present.clone_from(rule);
                self.measured = 0;
            }
            return is_better;
        }
        let is_list = |rule: &Rule| matches!(rule.atoms.as_slice(), [Atom::Source(_)]);
        if self.rules.len() >= INCIDENT_RULES_MAX {
            let selected =
                |rule: &Rule| of_late.clone().filter(|event| rule.matches(event)).count();
            let others = self.rules.iter().enumerate().filter(|(_, rule)| !is_list(rule));
            let Some((fewest, at)) = others.map(|(at, rule)| (selected(rule), at)).min() else {
                return false;
            };
            if selected(rule) <= fewest {
                return false;
            }
            self.rules.remove(at);
        }
        self.measured = 0;
        self.rules.push(rule.clone());
        self.ordinary_rate += ordinary_rate;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::column::Column;
    use crate::record::names::Names;
    use schemas::State;

    fn incident(rules: Vec<Rule>) -> Open {
        Open::new(Opening { rules, ..Opening::an_attack(Kind::HttpFlood) })
    }

    #[test]
    fn what_another_rule_selects_is_not_said_twice() {
        let one_of = |column, values: &[u64]| Atom::OneOf(column, values.to_vec());
        let rule = |atoms: &[Atom]| Rule { atoms: atoms.to_vec() };
        let refused = one_of(Column::Status, &[401]);
        let log_in = one_of(Column::Path, &[7]);
        let both = rule(&[log_in.clone(), refused.clone()]);
        let after = |present: Rule, rule: &Rule| {
            let mut open = incident(vec![present]);
            open.measured = 9;
            let is_new = open.add_rule(rule, 0.0, &std::iter::empty());
            assert_eq!(open.measured, if is_new { 0 } else { 9 });
            (is_new, open.rules)
        };
        let (is_new, rules) = after(rule(&[refused]), &both);
        assert!(is_new && rules == [both.clone()], "by an answer nobody can be stopped: {rules:?}");
        let (is_new, rules) = after(rule(std::slice::from_ref(&log_in)), &both);
        assert!(!is_new && rules == [rule(&[log_in])], "{rules:?}");
        let wider = rule(&[one_of(Column::Path, &[5, 7])]);
        assert!(!after(wider.clone(), &both).0);
        let (is_new, rules) = after(both.clone(), &wider);
        assert!(is_new && rules == [both, wider]);
    }

    fn from(source: u32) -> Event {
        Event { source: Source::v4(source), ..Event::default() }
    }

    fn listed(open: &Open) -> Vec<Source> {
        let [Rule { atoms }] = open.rules.as_slice() else { panic!("{:?}", open.rules) };
        let [Atom::Source(list)] = atoms.as_slice() else { panic!("{atoms:?}") };
        assert!(list.is_sorted(), "as they are searched for");
        list.clone()
    }

    #[test]
    fn a_heavy_source_is_selected_though_light_ones_fill_the_rule() {
        let mut open = incident(Vec::new());
        let most = u32::try_from(RULE_SOURCES_MAX).unwrap();
        for light in 0..2 * most {
            open.add_source(Source::v4(1_000 + light), 30.0);
            (0..40).for_each(|_| open.count(&from(1_000 + light)));
        }
        let first: Vec<Source> = (0..most).map(|light| Source::v4(1_000 + light)).collect();
        assert_eq!(listed(&open), first, "those who come later do no more");
        for heavy in [5, 900_000] {
            open.add_source(Source::v4(heavy), 700.0);
            assert!(open.matches(&from(heavy)));
        }
        // so many light ones at the same moment take no place of a heavy one
        (0..most).for_each(|light| open.add_source(Source::v4(50_000 + light), 41.0));
        assert!(open.matches(&from(5)) && open.matches(&from(900_000)));
        assert_eq!(listed(&open).len(), RULE_SOURCES_MAX);
        assert!(open.weight() < 1 << 20, "{}", open.weight());
    }

    #[test]
    fn a_great_part_of_an_attack_is_selected_though_small_ones_fill_the_rules() {
        let agent = |agent: u64| Rule { atoms: vec![Atom::OneOf(Column::UserAgent, vec![agent])] };
        let list = Rule { atoms: vec![Atom::Source(vec![Source::v4(1)])] };
        let mut open = incident(vec![list.clone()]);
        let shows = |agent: u64| Event { user_agent: agent, ..from(7) };
        let often = |agent: u64| if agent == 9 { 500 } else { 10 + agent };
        let of_late: Vec<Event> =
            (1..10).flat_map(|agent| (0..often(agent)).map(move |_| shows(agent))).collect();
        for small in 1..9 {
            open.add_rule(&agent(small), 1.0, &of_late.iter());
        }
        assert_eq!(open.rules.len(), INCIDENT_RULES_MAX);
        assert!(!open.add_rule(&agent(8), 1.0, &of_late.iter()), "it is there");
        assert!(open.add_rule(&agent(9), 1.0, &of_late.iter()));
        assert!(!open.add_rule(&agent(10), 1.0, &of_late.iter()), "nothing of it");
        assert_eq!(open.rules, [list, agent(7), agent(8), agent(9)], "the greatest, and the list");
    }

    #[test]
    fn the_heaviest_is_named_though_others_fill_what_is_counted() {
        let mut open = incident(Vec::new());
        let most = u32::try_from(INCIDENT_SOURCES_COUNTED_MAX).unwrap();
        let heavy = 0xcb00_7107;
        for light in 0..2 * most + 300 {
            open.count(&from(light));
            if light > most && light % 1_000 == 0 {
                open.count(&from(heavy));
            }
            assert!(open.sources.len() <= INCIDENT_SOURCES_COUNTED_MAX);
        }
        open.credit(Source::v4(heavy + 1), 9_999, 0);
        let told = open.revise(State::Update, 1, None, &Names::default(), 1.0);
        assert_eq!(told.sources[..2], ["203.0.113.8", "203.0.113.7"]);
        assert_eq!(told.requests, i64::from(2 * most + 300) + 200 + 9_999);
        assert_eq!(told.source_count, i64::from(most), "as many as there is room for");
    }
}
