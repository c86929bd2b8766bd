//! What an incident selects and whom it counts, within bounds: what is full makes room by merit, so that who fills it with
//! little hides nothing that is much.

use crate::explain::rule::{Atom, Rule};
use crate::incident::open::Open;
use crate::limits::{INCIDENT_RULES_MAX, INCIDENT_SOURCES_COUNTED_MAX, RULE_SOURCES_MAX};
use crate::record::event::Event;
use crate::record::source::Source;

impl Open {
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
            self.rules.push(Rule { atoms: vec![Atom::Source(vec![source])] });
            return;
        };
        let Err(place) = list.binary_search(&source) else { return };
        if list.len() < RULE_SOURCES_MAX {
            list.insert(place, source);
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
        // By this it keeps its place, among others that come at the same moment.
        let counted = self.counted(source);
        *counted = observed.max(*counted);
    }

    /// Adds a rule that selects so many ordinary requests per second; whether it was a new one. Beyond
    /// [`INCIDENT_RULES_MAX`] it takes the place of the one that selects the fewest of the records of late, if it selects
    /// more of them.
    pub(super) fn add_rule<'e>(
        &mut self,
        rule: &Rule,
        ordinary_rate: f64,
        of_late: impl Iterator<Item = &'e Event> + Clone,
    ) -> bool {
        if self.rules.contains(rule) {
            return false;
        }
        let is_list = |rule: &Rule| matches!(rule.atoms.as_slice(), [Atom::Source(_)]);
        if self.rules.len() >= INCIDENT_RULES_MAX {
            let selected = |rule: &Rule| of_late.clone().filter(|event| rule.matches(event)).count();
            let others = self.rules.iter().enumerate().filter(|(_, rule)| !is_list(rule));
            let Some((fewest, at)) = others.map(|(at, rule)| (selected(rule), at)).min() else {
                return false;
            };
            if selected(rule) <= fewest {
                return false;
            }
            self.rules.remove(at);
        }
        self.rules.push(rule.clone());
        self.ordinary_rate += ordinary_rate;
        true
    }
}
