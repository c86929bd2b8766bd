//! Votes in a window of one host: each source counts once for each value it shows.
//!
//! One visitor loads a page in thirty requests; votes make the counts independent enough for a test.

use serde::{Deserialize, Serialize};

use crate::limits::VOTES_CAST_MAX;
use crate::math::hash::Hasher;
use crate::normal::composition::Tally;
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
    fresh: Table<Event>,
    /// Votes for programs, whatever their version.
    programs: Table<u32>,
}

/// Votes for one value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Count {
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
    pub example: Event,
}

impl Votes {
    /// Lets an event vote.
    pub fn vote(&mut self, event: &Event, facts: Facts, hasher: &Hasher) {
        if self.cast.len() >= VOTES_CAST_MAX {
            return;
        }
        let who = event.source.0;
        let look = hasher.pair(
            who,
            event.user_agent
                ^ event.ja4.rotate_left(17)
                ^ u64::from(event.flags & (flag::REFERER_NONE | flag::REFERER_OWN)),
        );
        let content = !event.has(flag::ASSET) && !event.is_empty();
        let new_look = self.cast.entry(look, || ()).1;
        if !new_look && !content {
            return;
        }
        for attribute in Attribute::ALL {
            let of_look = attribute < Attribute::Path;
            if of_look && !new_look || !of_look && !content {
                continue;
            }
            let value = attribute.value(event, facts, hasher);
            if value == 0 {
                continue;
            }
            let key = hasher.pair(value, attribute as u64 + 1);
            if self.cast.entry(hasher.pair(key, who), || ()).1 {
                self.totals[attribute as usize] += 1;
                self.counts.entry(key, || (attribute as u8, 0)).0.1 += 1;
                self.fresh.entry(key, || *event);
                if attribute == Attribute::Program {
                    *self.programs.entry(u64::from(event.program), || 0).0 += 1;
                }
            }
        }
    }

    /// The values that drew votes since the last call.
    pub fn take_fresh(&mut self, hasher: &Hasher) -> Vec<Count> {
        let fresh = std::mem::take(&mut self.fresh);
        let count = |(key, example): &(u64, Event)| {
            let (attribute, votes) = *self.counts.get(*key)?;
            let attribute = *Attribute::ALL.get(usize::from(attribute))?;
            let is_version = matches!(attribute, Attribute::UserAgent | Attribute::Software);
            let program = u64::from(if is_version { example.program } else { 0 });
            let votes_of = self.programs.get(program).copied().unwrap_or(0);
            let key_of = hasher.pair(program, Attribute::Program as u64 + 1);
            Some(Count {
                program: if program == 0 { (0, 0) } else { (votes_of, key_of) },
                attribute,
                key: *key,
                votes,
                of: self.totals[attribute.whole()],
                example: *example,
            })
        };
        fresh.iter().filter_map(count).collect()
    }

    /// The counts, for learning.
    pub fn tally(&self) -> Tally {
        self.counts.iter().map(|(key, (attribute, count))| (*attribute, *key, *count)).collect()
    }

    /// Starts the next window.
    pub fn clear(&mut self) {
        if self.cast.len() > 4_096 {
            *self = Self::default();
            return;
        }
        self.cast.clear();
        self.counts.clear();
        self.programs.clear();
        self.totals = [0; ATTRIBUTES];
        self.fresh = Table::default();
    }

    /// Bytes held.
    pub const fn state_bytes(&self) -> usize {
        self.cast.state_bytes() + self.counts.state_bytes()
    }
}
