//! When a host is looked at next: at once, again in every second while what was found is only short of being enough,
//! ever more seldom where nothing is found.

use serde::{Deserialize, Serialize};

use crate::seen::host::RECENT_S;

/// Wait after the first look that finds nothing, seconds.
const WAIT_S: i64 = 2;

/// Longest wait after looks that find nothing, seconds.
const WAIT_MAX_S: i64 = 30;

/// Longest wait while a value of the sender's stands out, seconds: few crowds share one, so that it is worth the search.
const TELLING_WAIT_S: i64 = 4;

/// Looks in a row, a second apart, at what is short of being enough: a pane has five seconds.
const EAGER_MAX: u8 = 5;

/// What a look came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Looked {
    /// Nothing that stands out.
    Nothing,
    /// Something that would be a matter if there were more of it.
    Short,
    /// An incident was opened, or one was joined.
    Opened,
}

/// When a host is looked at next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patience {
    last_s: i64,
    wait_s: i64,
    backoff_s: i64,
    eager: u8,
}

impl Default for Patience {
    fn default() -> Self {
        Self { last_s: i64::MIN / 2, wait_s: 0, backoff_s: WAIT_S, eager: EAGER_MAX }
    }
}

impl Patience {
    /// Whether evidence of this second is looked into; `telling` if it speaks of the senders.
    pub(super) fn is_due(&self, now_s: i64, telling: bool) -> bool {
        let wait_s = if telling { self.wait_s.min(TELLING_WAIT_S) } else { self.wait_s };
        now_s >= self.last_s + wait_s
    }

    /// Takes in what the look of this second came to.
    pub(super) fn note(&mut self, now_s: i64, looked: Looked) {
        // Evidence that was gone for a minute is another matter.
        if now_s - self.last_s > self.wait_s + RECENT_S {
            *self = Self::default();
        }
        self.last_s = now_s;
        match looked {
            Looked::Opened => *self = Self { last_s: now_s, wait_s: 1, ..Self::default() },
            Looked::Short if self.eager > 0 => {
                self.eager -= 1;
                self.wait_s = 1;
            }
            Looked::Short | Looked::Nothing => {
                self.backoff_s = (self.backoff_s * 2).min(WAIT_MAX_S);
                self.wait_s = self.backoff_s;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds at which a host is looked at whose evidence is there all the time.
    fn looks(looked: Looked, telling: bool, until_s: i64) -> Vec<i64> {
        let mut patience = Patience::default();
        let mut at = Vec::new();
        for now_s in 1_000..1_000 + until_s {
            if patience.is_due(now_s, telling) {
                patience.note(now_s, looked);
                at.push(now_s - 1_000);
            }
        }
        at
    }

    #[test]
    fn nothing_is_looked_for_ever_more_seldom() {
        assert_eq!(looks(Looked::Nothing, false, 100), [0, 4, 12, 28, 58, 88]);
        assert_eq!(looks(Looked::Nothing, true, 14), [0, 4, 8, 12]);
    }

    #[test]
    fn what_is_short_of_being_enough_is_looked_at_every_second_of_a_pane() {
        assert_eq!(looks(Looked::Short, false, 30), [0, 1, 2, 3, 4, 5, 9, 17]);
    }

    #[test]
    fn evidence_that_was_gone_is_looked_at_like_new() {
        let mut patience = Patience::default();
        for now_s in 0..1_000 {
            if patience.is_due(now_s, false) {
                patience.note(now_s, Looked::Short);
            }
        }
        patience.note(2_000, Looked::Short);
        assert!(patience.is_due(2_001, false));
    }
}
