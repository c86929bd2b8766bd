//! What a source was let in with for long, and the pace at which it was: whose key stops working goes on as before, and guesses nothing.

use serde::{Deserialize, Serialize};

use crate::math::hash::mix;
use crate::record::event::Event;

/// Time for which, and requests that were let in, from which on it is what a source does: an hour and two dozen, choices; who
/// has an account of his own and means to guess gains no more than his own pace.
pub const LONG_S: i64 = 3_600;
const MANY: u32 = 24;

/// Time that is looked back on, seconds; the older half of more is forgotten.
const SPAN_MAX_S: i64 = 4 * LONG_S;

/// Time without a request that does not count as time in which it came seldom, seconds.
const AWAY_S: i64 = 1_800;

/// Times its pace at which it may go on in vain: programs that are refused try each once or twice more. A choice.
const GOES_ON_MAX: f32 = 3.0;

/// Refusals of ten minutes, decayed, up to which nothing is said against it, one every five seconds: a program that goes on faster
/// is a matter, whatever it did before. A choice.
const GOES_ON_600_MAX: f32 = 120.0;

/// What one source is let in with, most of all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Accepted {
    /// What: an address, by its shape where it has numbers, and a user agent; 0 for nothing.
    what: u64,
    from_s: i64,
    to_s: i64,
    count: u32,
    /// Majority vote: its lead.
    lead: u32,
    /// Refusals of the same in the last ten minutes, decayed, that are held to be no tries.
    spared_600: f32,
}

/// Lead that cannot be made up for is no lead: keys and addresses change.
const LEAD_MAX: u32 = 64;

/// What a write is let in with: it is renewed with its program, and may have an address for each thing that it writes.
pub fn written(event: &Event) -> u64 {
    let address = if event.shape == 0 { event.path } else { u64::from(event.shape) };
    mix(address ^ mix(event.user_agent)) | 1
}

/// What a read is let in with, wherever: a program reads more than one address with one key.
pub const fn read(event: &Event) -> u64 {
    mix(event.user_agent) | 1
}

impl Accepted {
    /// Takes in a request that was let in.
    pub fn note(&mut self, what: u64, now_s: i64) {
        if self.what != what {
            if self.lead > 0 {
                self.lead -= 1;
                return;
            }
            *self = Self { what, from_s: now_s, to_s: now_s, ..Self::default() };
        }
        if now_s - self.to_s > AWAY_S {
            self.from_s += now_s - self.to_s;
        }
        self.to_s = now_s;
        self.count += 1;
        self.lead = (self.lead + 1).min(LEAD_MAX);
        let span = self.to_s - self.from_s;
        if span > SPAN_MAX_S {
            self.from_s += span / 2;
            self.count /= 2;
        }
    }

    /// Takes over what a source was let in with before anybody asked: so many in the hour up to now, or as few as are many enough.
    pub fn take_over(&mut self, what: u64, now_s: i64, count: u32) {
        let (from_s, count) = (now_s - LONG_S, count.max(MANY));
        *self = Self { what, from_s, to_s: now_s, count, ..Self::default() };
    }

    /// Lets what was spared decay.
    pub fn decay(&mut self, factor_600: f32) {
        self.spared_600 *= factor_600;
    }

    /// How many requests in vain in ten minutes are spared: thrice the pace at which the source was let in with the same, where that
    /// was for long; else 0.
    pub fn most_600(&self, what: u64) -> f32 {
        let span = self.to_s - self.from_s;
        if self.what != what || self.count < MANY || span < LONG_S {
            return 0.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "a count and seconds of some hours")]
        let pace_600 = self.count as f32 * 600.0 / span as f32;
        (GOES_ON_MAX * pace_600).clamp(1.0, GOES_ON_600_MAX)
    }

    /// Whether a request in vain is spared.
    pub fn spares(&mut self, what: u64) -> bool {
        let is_spared = self.spared_600 < self.most_600(what);
        self.spared_600 += f32::from(u8::from(is_spared));
        is_spared
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Let in every so many seconds for so long.
    fn accepted(every_s: i64, for_s: i64) -> Accepted {
        let mut accepted = Accepted::default();
        (0..=for_s / every_s).for_each(|n| accepted.note(7, n * every_s));
        accepted
    }

    /// Of some requests in vain every so many seconds, the share that is spared.
    fn spared(mut accepted: Accepted, every_s: f32, what: u64) -> f64 {
        let factor = libm::expf(-every_s / 600.0);
        let spares = |_: &u32| {
            accepted.decay(factor);
            accepted.spares(what)
        };
        (0..2_000).filter(spares).fold(0.0, |sum, _| sum + 1.0 / 2_000.0)
    }

    #[test]
    fn who_was_let_in_for_hours_goes_on_at_the_same_pace_and_no_faster() {
        for every_s in [20_u16, 60, 300] {
            let known = accepted(i64::from(every_s), 20 * LONG_S);
            let every_s = f32::from(every_s);
            assert!(spared(known, every_s, 7) > 0.999, "{every_s}");
            let faster = spared(known, every_s / 10.0, 7);
            assert!(faster < 0.4, "{every_s}: {faster}");
            assert!(spared(known, every_s, 8) <= 0.0, "something else");
        }
    }

    #[test]
    fn who_came_of_late_or_seldom_or_does_much_is_spared_nothing_or_little() {
        assert!(spared(accepted(20, 1_800), 20.0, 7) <= 0.0);
        assert!(spared(accepted(600, LONG_S), 600.0, 7) <= 0.0);
        assert!(spared(accepted(1, 3 * LONG_S), 1.0, 7) < 0.3);
    }

    #[test]
    fn a_night_away_is_no_slow_pace() {
        let mut accepted = accepted(20, 2 * LONG_S);
        (0..40).for_each(|n| accepted.note(7, 16 * LONG_S + 20 * n));
        assert!(spared(accepted, 20.0, 7) > 0.999);
    }

    #[test]
    fn what_is_sent_between_does_not_replace_it_at_once() {
        let mut accepted = accepted(60, 3 * LONG_S);
        (0..20).for_each(|n| accepted.note(8, 3 * LONG_S + n));
        assert!(accepted.spares(7) && !accepted.spares(8));
        (0..300).for_each(|n| accepted.note(8, 3 * LONG_S + 60 * n));
        assert!(accepted.spares(8) && !accepted.spares(7));
    }
}
