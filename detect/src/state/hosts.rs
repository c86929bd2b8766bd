//! Which hosts have a state of their own.
//!
//! A `Host` header is chosen by whoever sends the request. A host is therefore admitted by merit: while there is plenty
//! of room, once it answered something other than a refusal; later, once it answered with success to several sources,
//! or has been asked for over minutes. What is not admitted is counted together, under [`OTHERS`], and judged as a class of its own. When the
//! table is full, hosts that have been silent longest make room, those that never had much traffic first.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::incident::target::Target;
use crate::limits::{HOSTS_AT_ONCE, HOSTS_BYTES_MAX, HOSTS_WAITING_MAX, TARGETS_MAX};
use crate::math::hash::{Hasher, mix};
use crate::normal::composition::Composition;
use crate::record::attribute::Attribute;
use crate::record::event::Event;
use crate::seen::minutes::MINUTE_KEPT_BYTES;
use crate::seen::votes::VOTES_KEPT_BYTES;
use crate::store::table::Table;

/// Key of what is not admitted.
pub const OTHERS: u64 = 2;

/// Answers with success that admit a host when room is short, and sources they went to.
const HITS_MIN: u32 = 3;
const SOURCES_MIN: u32 = 2;

/// Time over which a host that never answered with success must be asked for, seconds, and how often.
const ASKED_S: i64 = 120;
const ASKED_MIN: u32 = 20;

/// Seconds of silence after which a host may make room, and after which one that waits is forgotten.
const SILENT_S: i64 = 600;
const WAITING_S: i64 = 300;

/// Ordinary records of each host that are shared in a minute.
const SHARED_SAMPLES: usize = 16;

/// Requests below which a host has had little traffic.
const LIGHT: u64 = 200;

/// Share of what is ordinary on all hosts up to which a value tells who shows it: a choice, less than a tenth of what the
/// seldomer of the browsers in use have.
const RARE_SHARE: f64 = 0.001;

/// Times that a value must have been to be expected for its absence to say that its share is no greater (Hanley and
/// Lippman-Hand 1983).
const RULE_OF_THREE: f64 = 3.0;

/// Bytes of all hosts at most, at the end of a second.
pub const BYTES_MAX: usize = HOSTS_BYTES_MAX
    + TARGETS_MAX * (MINUTE_KEPT_BYTES + 2 * VOTES_KEPT_BYTES)
    + HOSTS_WAITING_MAX * Table::<Waiting>::ENTRY_BYTES;

/// A host that is not admitted yet.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Waiting {
    first_s: i64,
    last_s: i64,
    asked: u32,
    hits: u32,
    /// Bitmap of the sources that asked.
    sources: u64,
}

/// Hosts by the hash of their name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Hosts {
    /// Of a clone they are the same until they change. They are written down apart, one by one.
    #[serde(skip)]
    targets: Table<Arc<Target>>,
    waiting: Table<Waiting>,
    first_s: Option<i64>,
    /// Ordinary rate of all hosts together, requests per second, as of the last minute.
    pub level: f64,
    /// Records counted under [`OTHERS`].
    pub others: u64,
    /// Hosts that made room for others.
    pub evicted: u64,
    /// Bytes that the states were last found to hold, together.
    weight: usize,
}

impl Hosts {
    /// Key of the state that a record belongs to: its host's own, or [`OTHERS`]. The state is there afterwards.
    pub fn place(&mut self, event: &Event, now_s: i64) -> u64 {
        let first_s = *self.first_s.get_or_insert(now_s);
        if self.targets.get(event.host).is_some() {
            return event.host;
        }
        if self.has_merit(event, now_s) && self.has_room(now_s) {
            // What was found against it while nobody knew it is its own from now on.
            let cases = self.get_mut(OTHERS).map(|others| others.cases.take_of(event.host));
            let cases = cases.unwrap_or_default();
            let target = || Arc::new(Target { cases, ..Target::new(now_s) });
            self.targets.entry(event.host, target);
            self.waiting.remove(event.host);
            return event.host;
        }
        self.others += 1;
        self.targets.entry(OTHERS, || Arc::new(Target::new(first_s)));
        OTHERS
    }

    fn has_merit(&mut self, event: &Event, now_s: i64) -> bool {
        let is_roomy = self.targets.len() < HOSTS_AT_ONCE;
        // Records that name no host are of one site; a log without status codes tells of no success.
        if event.host == 0 || is_roomy && !event.is_refused_path() {
            return true;
        }
        if self.waiting.len() >= HOSTS_WAITING_MAX && self.waiting.get(event.host).is_none() {
            self.waiting.retain(|_, waiting| now_s - waiting.last_s <= WAITING_S);
            if self.waiting.len() >= HOSTS_WAITING_MAX {
                self.waiting.retain(|_, waiting| waiting.asked > 1);
            }
            if self.waiting.len() >= HOSTS_WAITING_MAX {
                self.waiting.clear();
            }
        }
        let fresh = || Waiting { first_s: now_s, last_s: now_s, asked: 0, hits: 0, sources: 0 };
        let (waiting, _) = self.waiting.entry(event.host, fresh);
        waiting.last_s = now_s;
        waiting.asked = waiting.asked.saturating_add(1);
        waiting.hits = waiting.hits.saturating_add(u32::from(event.is_hit()));
        waiting.sources |= 1 << (mix(event.source.0) >> 58);
        let served = waiting.hits >= HITS_MIN && waiting.sources.count_ones() >= SOURCES_MIN;
        served || waiting.asked >= ASKED_MIN && now_s - waiting.first_s >= ASKED_S
    }

    /// Makes room where there is none: the half of the hosts that may go which were silent longest.
    fn has_room(&mut self, now_s: i64) -> bool {
        if self.targets.len() < TARGETS_MAX {
            return true;
        }
        let may_go = |key: u64, target: &Target| {
            let silent = now_s - target.host.active_s;
            (key > OTHERS && target.cases.open.is_empty() && silent >= SILENT_S)
                .then_some((target.host.requests >= LIGHT, target.host.active_s))
        };
        let mut ranks: Vec<(bool, i64)> =
            self.targets.iter().filter_map(|(key, target)| may_go(*key, target)).collect();
        if ranks.is_empty() {
            return false;
        }
        ranks.sort_unstable();
        let cut = ranks.get(ranks.len() / 2).copied().unwrap_or_default();
        let before = self.targets.len();
        self.targets.retain(|key, target| may_go(key, target).is_none_or(|rank| rank > cut));
        self.evicted += (before - self.targets.len()) as u64;
        self.weight = self.targets.iter().map(|(_, target)| target.held).sum();
        true
    }

    /// Notes what a state holds now, at the end of a second in which it may have grown.
    pub fn weigh(&mut self, key: u64) {
        let Some(target) = self.targets.get_mut(key) else { return };
        let held = target.weight();
        if held != target.held {
            self.weight = self.weight - target.held + held;
            Arc::make_mut(target).held = held;
        }
    }

    /// Gives up hosts where all hold more than `bytes_max` together, until a quarter of it is free: of those that hold
    /// more than the mean the ones admitted last, since whoever invents hosts comes after those that were there; such
    /// with an open incident only where the others are not enough. What is given up, with its incidents still to close.
    pub fn shed(&mut self, bytes_max: usize) -> Vec<(u64, Target)> {
        let mut shed = Vec::new();
        for with_incidents in [false, true] {
            if self.weight <= bytes_max {
                break;
            }
            let mean = self.weight / self.targets.len().max(1);
            let mut excess = self.weight.saturating_sub(bytes_max / 4 * 3);
            let mut gone: Vec<u64> = Vec::new();
            for (key, target) in self.targets.iter().rev() {
                let may_go = *key != OTHERS && target.held >= mean;
                if may_go && excess > 0 && (with_incidents || target.cases.open.is_empty()) {
                    excess = excess.saturating_sub(target.held);
                    gone.push(*key);
                }
            }
            self.evicted += gone.len() as u64;
            for key in gone {
                let target = self.targets.remove(key).map(Arc::unwrap_or_clone);
                shed.extend(target.map(|target| (key, target)));
            }
            self.weight = self.targets.iter().map(|(_, target)| target.held).sum();
        }
        shed
    }

    /// Ends a minute: what is ordinary on all hosts together is what strangers are compared with.
    pub fn end_minute(&mut self) {
        self.level = self.iter().map(|(_, target)| target.host.normal.rate.level()).sum();
        let mut shared: Vec<Event> = Vec::new();
        for (_, target) in self.iter().filter(|(key, _)| *key != OTHERS) {
            let sample = &target.host.normal.sample.events;
            let step = sample.len().div_ceil(SHARED_SAMPLES).max(1);
            shared.extend(sample.iter().step_by(step));
        }
        if let Some(others) = self.get_mut(OTHERS) {
            for event in shared {
                others.host.normal.sample.offer(event);
            }
        }
    }

    /// State of a host of which the past tells, before a record of it came; made where there is none and plenty of room.
    pub fn await_host(&mut self, key: u64, now_s: i64) -> Option<&mut Target> {
        if self.targets.get(key).is_none() {
            if self.targets.len() >= HOSTS_AT_ONCE {
                return None;
            }
            self.targets.entry(key, || Arc::new(Target::awaited(now_s)));
        }
        self.get_mut(key)
    }

    /// Begins anew with these states, after `unseen_s` seconds that nobody watched.
    pub fn resume(&mut self, targets: Vec<(u64, Target)>, unseen_s: i64) {
        let first_s = self.first_s.map(|first_s| first_s + unseen_s);
        *self = Self { first_s, level: self.level, ..Self::default() };
        for (key, target) in targets {
            self.targets.entry(key, || Arc::new(target));
            self.weigh(key);
        }
    }

    /// Whether a value is seldom ordinary, on all hosts together: at most [`RARE_SHARE`] of the votes show it.
    pub fn is_rare(&self, attribute: Attribute, value: u64, hasher: &Hasher) -> bool {
        let key = Composition::key(attribute, value, hasher);
        // Who names no program is a browser.
        let whole = if attribute == Attribute::Program { Attribute::UserAgent } else { attribute };
        let (mut seen, mut all) = (0.0, 0.0);
        for (_, target) in self.iter() {
            let ordinary = &target.host.normal.composition;
            seen += ordinary.seen(key);
            all += ordinary.learned(whole);
        }
        RARE_SHARE * all >= RULE_OF_THREE && seen <= RARE_SHARE * all
    }

    /// States in order of admission.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &Target)> {
        self.targets.iter().map(|(key, target)| (*key, &**target))
    }

    /// The states that `which` chooses, in order of admission, mutable.
    pub fn iter_mut(
        &mut self,
        which: impl Fn(&Target) -> bool,
    ) -> impl Iterator<Item = (u64, &mut Target)> {
        let chosen = self.targets.entries_mut().filter(move |(_, target)| which(target));
        chosen.map(|(key, target)| (*key, Arc::make_mut(target)))
    }

    /// The state of a key.
    pub fn get(&self, key: u64) -> Option<&Target> {
        self.targets.get(key).map(|target| &**target)
    }

    /// The same, mutable.
    pub fn get_mut(&mut self, key: u64) -> Option<&mut Target> {
        self.targets.get_mut(key).map(Arc::make_mut)
    }

    /// Takes the states out, to be written down one after the other.
    pub fn take_targets(&mut self) -> impl ExactSizeIterator<Item = (u64, Arc<Target>)> {
        std::mem::take(&mut self.targets).into_entries()
    }

    /// Puts states in that were written down.
    pub fn put_targets(&mut self, targets: Vec<(u64, Arc<Target>)>) {
        self.targets = targets.into();
    }

    /// Bytes held.
    pub const fn state_bytes(&self) -> usize {
        self.weight + self.targets.state_bytes() + self.waiting.state_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::HISTOGRAM_VALUES_MAX;
    use crate::record::source::Source;

    fn event(host: u64, status: u16, source: u32) -> Event {
        Event { host: mix(host), status, source: Source::v4(source), ..Event::default() }
    }

    /// Fills the table beyond what is admitted at once with hosts that answer to one source.
    fn flooded() -> Hosts {
        let mut hosts = Hosts::default();
        for host in 0..200_000 {
            hosts.place(&event(1_000 + host, 200, 5), 100);
        }
        hosts
    }

    #[test]
    fn random_hosts_are_one_class_and_fill_nothing() {
        let hosts = flooded();
        assert!(hosts.targets.len() <= HOSTS_AT_ONCE + 1, "{}", hosts.targets.len());
        assert!(hosts.waiting.len() <= HOSTS_WAITING_MAX);
        assert!(hosts.others > 190_000);
    }

    #[test]
    fn when_hosts_hold_too_much_the_newest_of_the_heavy_go() {
        let mut hosts = Hosts::default();
        for host in 0..40 {
            for path in 0..if host < 20 { 2_000 } else { 4_000 } {
                let event = Event { path: mix(path), ..event(host, 200, 1) };
                let place = hosts.place(&event, 100);
                hosts.get_mut(place).unwrap().host.minute.add(&event);
            }
            hosts.weigh(mix(host));
        }
        let all = hosts.weight;
        hosts.shed(all);
        assert_eq!(hosts.evicted, 0);
        hosts.shed(all - 1);
        assert!(hosts.weight <= all / 4 * 3 && hosts.evicted > 5, "{} of {all}", hosts.weight);
        let left = |host: u64| hosts.targets.get(mix(host)).is_some();
        assert!((0..20).all(left) && left(20) && !left(39));
        let held: usize = hosts.iter().map(|(_, target)| target.weight()).sum();
        assert_eq!(held, hosts.weight);
    }

    #[test]
    fn a_host_with_visitors_is_admitted_beside_them() {
        let mut hosts = flooded();
        let late = event(7, 200, 1);
        let places: Vec<u64> =
            (1..4).map(|source| hosts.place(&event(7, 200, source), 101)).collect();
        assert_eq!(places, [OTHERS, OTHERS, late.host]);
    }

    #[test]
    fn a_host_that_never_answers_with_success_is_admitted_in_time() {
        let mut hosts = Hosts::default();
        let places: Vec<u64> =
            (0..40).map(|i| hosts.place(&event(7, 404, 1), 100 + i * 10)).collect();
        assert_eq!(places.first(), Some(&OTHERS));
        assert_eq!(places.last(), Some(&mix(7)));
    }

    #[test]
    fn when_all_room_is_taken_the_silent_make_some() {
        let mut hosts = Hosts::default();
        for host in 0..2 * TARGETS_MAX as u64 {
            for source in 0..HITS_MIN {
                hosts.place(&event(host, 200, source), i64::try_from(host).unwrap());
            }
        }
        assert!(hosts.targets.len() <= TARGETS_MAX && hosts.evicted > 0, "{}", hosts.targets.len());
        let newest = 2 * TARGETS_MAX as u64 - 1;
        assert_eq!(hosts.place(&event(newest, 404, 9), 9_000), mix(newest));
    }

    #[test]
    fn hosts_that_hold_all_there_is_room_for_give_way_to_those_that_were_there() {
        let mut hosts = Hosts::default();
        for host in 0..200 {
            hosts.place(&event(host, 200, 1), 100);
            hosts.weigh(mix(host));
        }
        // one that was filled by its `Host` header's owner, with what it holds multiplied for the others
        let stuffed = hosts.get_mut(mix(199)).unwrap();
        for value in 0..HISTOGRAM_VALUES_MAX as u64 + 1_000 {
            let event = Event { path: mix(value), user_agent: value, ..event(199, 200, 1) };
            stuffed.host.minute.add(&Event { source: Source(value), query: value, ..event });
        }
        hosts.weigh(mix(199));
        let held = hosts.get(mix(199)).unwrap().held;
        assert!(held < HOSTS_BYTES_MAX / 64, "one host does not push out the others: {held}");
        for host in 50..199 {
            hosts.get_mut(mix(host)).unwrap().held = held;
        }
        hosts.weight = hosts.iter().map(|(_, target)| target.held).sum();
        assert!(hosts.weight > HOSTS_BYTES_MAX);
        let shed = hosts.shed(HOSTS_BYTES_MAX);
        assert!(hosts.weight <= HOSTS_BYTES_MAX / 4 * 3, "{}", hosts.weight);
        assert_eq!((hosts.evicted, hosts.targets.len()), (shed.len() as u64, 200 - shed.len()));
        assert!((0..50).all(|host| hosts.get(mix(host)).is_some()), "those that hold little");
        assert!(hosts.get(mix(50)).is_some() && hosts.get(mix(199)).is_none());
    }
}
