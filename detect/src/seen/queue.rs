//! What a program hands over one by one, and keeps until it is taken: the same again and again while it is refused, then the next.
//!
//! A guess that was refused is not sent again. Where what is written stands in the query, that tells the two apart.

use serde::{Deserialize, Serialize};

use crate::record::event::Event;
use crate::seen::accepted::written;

/// Refusals of the same in a row from which it is kept until it is taken. A choice.
const KEPT_MIN: u16 = 4;

/// Refusals of the same in a row up to which they are no guesses: half an hour of every fifteen seconds. A choice, for what else is
/// sent with it may be a guess.
const KEPT_MAX: u16 = 120;

/// Mean time between them, seconds: who keeps something waits before the next time; who guesses does not. A choice.
const WAIT_MIN_S: u32 = 10;

/// What one source hands over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// Where, and by which program: see [`written`], a half of it.
    what: u32,
    /// The query of the last, a half of its hash.
    item: u32,
    /// First refusal of it, second.
    since_s: i64,
    /// From then to the last refusal, seconds.
    waited_s: u32,
    /// Refusals of it in a row.
    refused: u16,
    /// What was refused is taken, or what comes after it.
    taken: bool,
}

#[expect(clippy::cast_possible_truncation, reason = "half of a hash")]
const fn half(hash: u64) -> u32 {
    hash as u32
}

impl Queue {
    /// Takes in a write; whether it tries to hand over what was refused before, hands it over, or the next.
    pub fn is_served(&mut self, event: &Event, now_s: i64) -> bool {
        if event.query == 0 {
            return false;
        }
        let (what, item) = (half(written(event)), half(event.query));
        let is_same = (self.what, self.item) == (what, item);
        if event.is_hit() {
            let goes_on = self.is_kept_by(event) && !(is_same && self.taken);
            if goes_on {
                (self.item, self.taken) = (item, true);
            }
            return goes_on;
        }
        // A want of credentials says what is wrong.
        if event.is_turned_down() || !event.is_refused_login() {
            return false;
        }
        if is_same && !self.taken {
            self.refused = self.refused.saturating_add(1);
            self.waited_s = u32::try_from(now_s - self.since_s).unwrap_or(u32::MAX);
        } else {
            *self = Self { what, item, since_s: now_s, refused: 1, ..Self::default() };
        }
        self.refused <= KEPT_MAX && self.is_kept_by(event)
    }

    /// Whether a write is of what was refused again and again, and waited for.
    pub fn is_kept_by(&self, event: &Event) -> bool {
        self.refused >= KEPT_MIN
            && self.waited_s >= WAIT_MIN_S * u32::from(self.refused - 1)
            && self.what == half(written(event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(status: u16, query: u64) -> Event {
        Event { status, query, path: 5, user_agent: 6, ..Event::default() }
    }

    /// Of writes every so many seconds, each of a status and a query, those that hand over.
    fn handed(every_s: i64, writes: &[(u16, u64)]) -> Vec<usize> {
        let mut queue = Queue::default();
        let hands = |(n, (status, query)): (usize, &(u16, u64))| -> Option<usize> {
            let at_s = i64::try_from(n).unwrap() * every_s;
            queue.is_served(&write(*status, *query), at_s).then_some(n)
        };
        writes.iter().enumerate().filter_map(hands).collect()
    }

    #[test]
    fn what_is_kept_until_it_is_taken_is_handed_over_and_what_comes_next() {
        let refused = [(403, 1); 6];
        let taken = [(200, 1), (200, 2), (200, 3), (200, 3), (200, 4)];
        let writes = [refused.as_slice(), &taken].concat();
        assert_eq!(handed(12, &writes), [3, 4, 5, 6, 7, 8, 10]);
        assert_eq!(handed(8, &writes), [0; 0], "in a hurry");
    }

    #[test]
    fn what_is_refused_for_ever_is_no_longer_kept() {
        let handed = handed(12, &[(403, 1); 1_000]);
        assert_eq!(handed.last(), Some(&(usize::from(KEPT_MAX) - 1)));
    }

    #[test]
    fn guesses_hand_over_nothing() {
        let each: Vec<(u16, u64)> =
            (1..20).map(|n| (403, n)).chain([(200, 20), (200, 21)]).collect();
        assert_eq!(handed(12, &each), [0; 0], "each another one");
        let same = [[(401, 1); 6], [(200, 2); 6]].concat();
        assert_eq!(handed(12, &same), [0; 0], "want of credentials");
        let none = [[(403, 0); 6], [(200, 0); 6]].concat();
        assert_eq!(handed(12, &none), [0; 0], "what cannot be seen");
    }
}
