//! Incidents of who was held to try credentials, and handed something over that was refused at first.

use schemas::{Class, Incident, State};

use crate::incident::lifecycle::Desk;
use crate::incident::open::Open;
use crate::incident::target::Target;
use crate::record::event::{Event, flag};

/// Writes of the last minute, each of something else and taken, from which what was refused before was no guess. A choice.
const HANDED_MIN: usize = 8;

impl Desk<'_> {
    /// Ends an incident about one source that goes on with what it was refused, and is let do so; whether that was so. That it was told
    /// stays: who guesses may be let in, and go on, too.
    pub(super) fn ends_handed_over(
        &self,
        target: &mut Target,
        at: usize,
        out: &mut Vec<Incident>,
    ) -> bool {
        if !self.is_handed_over(target, &target.cases.open[at]) {
            return false;
        }
        let mut over = target.cases.open.remove(at);
        over.closed_ts = Some(self.now);
        let level = target.host.normal.rate.level();
        out.push(over.revise(State::Close, self.now, self.host, self.names, level));
        true
    }

    fn is_handed_over(&self, target: &Target, open: &Open) -> bool {
        let of_one = open.is_of_singles() && open.class == Class::Credentials;
        let Some(source) = open.only_source().filter(|_| of_one) else { return false };
        let key = self.hasher.pair(self.host_key, source.0);
        let Some(tried) = self.attempters.get(key) else { return false };
        let is_taken = |event: &Event| {
            event.has(flag::WRITE) && event.is_hit() && tried.queue.is_kept_by(event)
        };
        let all = || target.host.recent.iter().filter(|event| event.source == source);
        if all().count() < HANDED_MIN || !all().all(is_taken) {
            return false;
        }
        let mut items: Vec<u64> = all().map(|event| event.query).collect();
        items.sort_unstable();
        items.dedup();
        items.len() >= HANDED_MIN.max(all().count() / 2)
    }
}
