//! Votes in a window of one host: each source counts once for each value it shows.
//!
//! One visitor loads a page in thirty requests; votes make the counts independent enough for a test.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::limits::{VOTES_CAST_MAX, VOTES_KEPT_MAX};
use crate::math::hash::Hasher;
use crate::normal::composition::{Composition, Tally};
use crate::record::attribute::{ATTRIBUTES, Attribute, Facts};
use crate::record::event::{Event, flag};
use crate::store::table::Table;

/// Votes in the running window of one host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Votes {
    cast: Table<()>,
    counts: Table<(u8, u32)>,
    totals: [u32; ATTRIBUTES],
    /// Values that drew votes since they were last looked at, each with a record that shows it.
    #[serde(skip)]
    fresh: Fresh,
    /// Votes for programs, whatever their version.
    programs: Table<u32>,
}

/// Values that drew votes in the running second: their places among the counts, and which of the host's recent records
/// shows them.
#[derive(Debug, Clone, Default)]
struct Fresh {
    values: Vec<(usize, usize)>,
    /// Whether the value at a place is among them.
    marks: Vec<bool>,
}

impl PartialEq for Fresh {
    fn eq(&self, other: &Self) -> bool {
        self.values == other.values
    }
}

impl Fresh {
    /// Notes a value that drew a vote by a record, if it is the first in this second.
    fn note(&mut self, place: usize, record: usize) {
        if self.marks.len() <= place {
            self.marks.resize(place + 1, false);
        }
        if let Some(mark) = self.marks.get_mut(place).filter(|mark| !**mark) {
            *mark = true;
            self.values.push((place, record));
        }
    }

    /// Forgets the values, keeps the memory.
    fn clear(&mut self) {
        for (place, _) in self.values.drain(..) {
            if let Some(mark) = self.marks.get_mut(place) {
                *mark = false;
            }
        }
    }
}

/// Bytes that one window keeps for the next.
pub const VOTES_KEPT_BYTES: usize =
    VOTES_KEPT_MAX * (Table::<()>::ENTRY_BYTES + Table::<(u8, u32)>::ENTRY_BYTES);

/// Votes for one value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Count<'a> {
    /// Of which attribute.
    pub attribute: Attribute,
    /// Key of the value.
    pub key: u64,
    /// Its votes.
    pub votes: u32,
    /// Votes its own are a share of.
    pub of: u32,
    /// Votes for the program that a user agent is a version of, and its key; 0 where it is of none.
    pub program: (u32, u64),
    /// A record that shows the value.
    pub example: &'a Event,
}

impl Votes {
    /// Whether more votes are taken.
    const fn has_room(&self) -> bool {
        self.cast.len() < VOTES_CAST_MAX
    }

    /// Whether a source shows itself in a new way.
    fn sees(&mut self, look: u64) -> bool {
        self.cast.entry(look, || ()).1
    }

    /// Takes one vote of `of` (source and value) for a value, unless it was cast before; whether it was not.
    fn cast(&mut self, attribute: Attribute, key: u64, of: u64, ballot: &Ballot<'_>) -> bool {
        if !self.cast.entry(of, || ()).1 {
            return false;
        }
        self.totals[attribute as usize] += 1;
        let (place, _) = self.counts.place(key, || (attribute as u8, 0));
        if let Some((_, votes)) = self.counts.at_mut(place) {
            *votes += 1;
        }
        self.fresh.note(place, ballot.place);
        if attribute == Attribute::Program {
            *self.programs.entry(u64::from(ballot.event.program), || 0).0 += 1;
        }
        true
    }

    /// Shows the values that drew votes since the last call and have at least so many, each with one of the host's
    /// `recent` records.
    pub fn show_fresh(
        &mut self,
        votes_min: u32,
        recent: &VecDeque<Event>,
        hasher: &Hasher,
        mut show: impl FnMut(&Count<'_>),
    ) {
        for (place, record) in &self.fresh.values {
            let Some((key, (attribute, votes))) = self.counts.at(*place) else { continue };
            if *votes < votes_min {
                continue;
            }
            let Some(attribute) = Attribute::ALL.get(usize::from(*attribute)) else { continue };
            let Some(example) = recent.get(*record) else { continue };
            let is_version = matches!(attribute, Attribute::UserAgent | Attribute::Software);
            let program = match u64::from(example.program) {
                program if is_version && program != 0 => {
                    let votes = self.programs.get(program).copied().unwrap_or(0);
                    (votes, Composition::key(Attribute::Program, program, hasher))
                }
                _ => (0, 0),
            };
            show(&Count {
                program,
                attribute: *attribute,
                key: *key,
                votes: *votes,
                of: self.totals[attribute.whole()],
                example,
            });
        }
        self.fresh.clear();
    }

    /// The counts, for learning.
    pub fn tally(&self) -> Tally {
        self.counts.iter().map(|(key, (attribute, count))| (*attribute, *key, *count)).collect()
    }

    /// Starts the next window.
    pub fn clear(&mut self) {
        if self.cast.len() > VOTES_KEPT_MAX {
            *self = Self::default();
            return;
        }
        self.cast.clear();
        self.counts.clear();
        self.programs.clear();
        self.totals = [0; ATTRIBUTES];
        self.fresh.clear();
    }

    /// Bytes held at most, by what it counts.
    pub const fn weight(&self) -> usize {
        self.cast.weight() + self.counts.weight() + self.programs.weight()
    }
}

/// A record that votes.
#[derive(Debug, Clone, Copy)]
pub struct Ballot<'a> {
    /// The record.
    pub event: &'a Event,
    /// Its place among the host's recent records, where it will be.
    pub place: usize,
    /// What its host and its source know of it.
    pub facts: Facts,
}

/// Lets a record vote in the running pane and in the running minute. A pane lies in its minute: what it knows was cast
/// in both.
pub fn vote([pane, minute]: [&mut Votes; 2], ballot: &Ballot<'_>, hasher: &Hasher) {
    let Ballot { event, facts, .. } = *ballot;
    let who = hasher.second(event.source.0);
    let look = hasher.pair(
        event.source.0,
        event.user_agent
            ^ event.ja4.rotate_left(17)
            ^ u64::from(event.flags & (flag::REFERER_NONE | flag::REFERER_OWN)),
    );
    let content = !event.has(flag::ASSET) && !event.is_empty();
    let (in_pane, in_minute) = (pane.has_room(), minute.has_room());
    let new_in_pane = in_pane && pane.sees(look);
    let new_in_minute = in_minute && (new_in_pane || !in_pane) && minute.sees(look);
    let (of_look, of_content) = Attribute::ALL.split_at(Attribute::Path as usize);
    let of_look = if new_in_pane || new_in_minute { of_look } else { &[] };
    let of_content = if content { of_content } else { &[] };
    for attribute in of_look.iter().chain(of_content) {
        let value = attribute.value(event, facts, hasher);
        if value == 0 {
            continue;
        }
        let key = Composition::key(*attribute, value, hasher);
        let of = who.with(key);
        let is_content = *attribute >= Attribute::Path;
        let mut is_new = true;
        if in_pane && (is_content || new_in_pane) {
            is_new = pane.cast(*attribute, key, of, ballot);
        }
        if in_minute && (is_content || new_in_minute) && is_new {
            minute.cast(*attribute, key, of, ballot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::hash::mix;
    use crate::record::source::Source;

    /// A record that shows something new of whatever is voted on.
    fn hostile(n: u64) -> (Event, Facts) {
        let new = |salt: u64| mix(n ^ salt << 40);
        let event = Event {
            source: Source(new(1)),
            user_agent: new(2),
            ja4: new(3),
            asn: u32::try_from(n).unwrap() + 1,
            program: u32::try_from(n).unwrap() + 1,
            path: new(4),
            query_key: new(5),
            status: 404,
            flags: flag::HOSTILE | flag::WRITE | flag::REFERER_NONE,
            ..Event::default()
        };
        let facts = Facts {
            probe: true,
            asked: new(1),
            guess: true,
            sought: true,
            bare: true,
            endpoint: new(6),
            usual_answer: true,
            was_asked: 0,
            on_page: false,
        };
        (event, facts)
    }

    #[test]
    fn a_minute_that_is_full_of_votes_leaves_the_panes_to_see_what_comes() {
        let (mut pane, mut minute, hasher) = (Votes::default(), Votes::default(), Hasher::new(7));
        let mut most = 0;
        for n in 0..60 * 400 {
            if n % 2_000 == 0 {
                most = most.max(pane.cast.len());
                pane.clear();
            }
            let (event, facts) = hostile(n);
            vote([&mut pane, &mut minute], &Ballot { event: &event, place: 0, facts }, &hasher);
        }
        // a record that begins below the limit votes on all there is
        assert!((VOTES_CAST_MAX..VOTES_CAST_MAX + ATTRIBUTES + 1).contains(&minute.cast.len()));
        let room = (VOTES_CAST_MAX + ATTRIBUTES) * Table::<(u8, u32)>::ENTRY_BYTES;
        assert!(minute.weight() <= 3 * room, "{}", minute.weight());
        assert!(most < VOTES_CAST_MAX, "{most}");
        pane.clear();
        let agent = mix(99);
        for n in 0..50 {
            let (event, facts) = hostile(1_000_000 + n);
            let event = Event { user_agent: agent, ..event };
            vote([&mut pane, &mut minute], &Ballot { event: &event, place: 0, facts }, &hasher);
        }
        let key = Composition::key(Attribute::UserAgent, agent, &hasher);
        assert!(pane.tally().contains(&(Attribute::UserAgent as u8, key, 50)));
    }

    #[test]
    fn a_window_keeps_the_room_of_a_quiet_one_and_not_that_of_a_flood() {
        let hasher = Hasher::new(7);
        let kept = |records: u64| {
            let (mut pane, mut minute) = (Votes::default(), Votes::default());
            for n in 0..records {
                let (event, facts) = hostile(n);
                vote([&mut pane, &mut minute], &Ballot { event: &event, place: 0, facts }, &hasher);
            }
            let is_quiet = pane.cast.len() <= VOTES_KEPT_MAX;
            pane.clear();
            assert_eq!((pane.weight(), pane.totals), (0, [0; ATTRIBUTES]));
            (is_quiet, pane.cast.state_bytes() + pane.counts.state_bytes())
        };
        let (is_quiet, bytes) = kept(60);
        assert!(is_quiet && bytes > 0 && bytes <= VOTES_KEPT_BYTES, "{bytes}");
        assert_eq!(kept(120), (false, 0));
    }
}
