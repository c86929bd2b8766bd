//! Who was on a host before: known from the second ten minutes after the first visit on, for days.

use serde::{Deserialize, Serialize};

use crate::limits::VISITORS_NOTED_MAX;
use crate::math::hash::mix;
use crate::normal::known::Known;
use crate::record::source::Source;

/// Length of a span, seconds: who came in this one or the one before is new.
const SPAN_S: i64 = 600;

/// Visitors of one host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Visitors {
    known: Known,
    now: Vec<u64>,
    before: Vec<u64>,
    span: i64,
}

impl Visitors {
    /// Notes a source with its first request of late.
    pub fn note(&mut self, source: Source, now_s: i64) {
        let span = now_s.div_euclid(SPAN_S);
        if span > self.span {
            let ended = std::mem::take(&mut self.now);
            let older = std::mem::replace(&mut self.before, ended);
            for source in older {
                self.known.insert(source);
            }
            if span > self.span + 1 {
                for source in std::mem::take(&mut self.before) {
                    self.known.insert(source);
                }
            }
            self.span = span;
        }
        if self.now.len() < VISITORS_NOTED_MAX {
            self.now.push(mix(source.0));
        }
    }

    /// Whether a source came ten minutes ago or earlier.
    pub fn contains(&self, source: Source) -> bool {
        self.known.contains(mix(source.0))
    }

    /// Bytes held at most, by what it counts.
    pub const fn weight(&self) -> usize {
        self.known.weight() + (self.now.len() + self.before.len()) * 16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_just_came_is_new_and_who_came_before_is_known() {
        let mut visitors = Visitors::default();
        let (one, other) = (Source::v4(1), Source::v4(2));
        visitors.note(one, 10_000);
        visitors.note(other, 10_700);
        assert!(!visitors.contains(one));
        visitors.note(other, 11_300);
        assert!(visitors.contains(one) && !visitors.contains(other));
    }

    #[test]
    fn invented_visitors_have_bounded_room_and_make_nobody_unknown() {
        let mut visitors = Visitors::default();
        let of_old = |n: u32| Source::v4(n + 1);
        (0..1_000).for_each(|n| visitors.note(of_old(n), 10_000));
        for span in 1..3 {
            for n in 0..2 * u32::try_from(VISITORS_NOTED_MAX).unwrap() {
                visitors.note(Source::v4(1_000_000 * span + n), 10_000 + 600 * i64::from(span));
            }
            assert_eq!(visitors.now.len(), VISITORS_NOTED_MAX);
            assert!(visitors.weight() < 1 << 20, "{}", visitors.weight());
        }
        assert!((0..1_000).all(|n| visitors.contains(of_old(n))));
        let known = (0..10_000).filter(|n| visitors.contains(Source::v4(900_000_000 + n))).count();
        assert!(known < 1_000, "{known} of 10,000 who never came");
        // who comes when the flood is over is noted as before it
        for span in 3..6 {
            visitors.note(Source::v4(7_000_000), 10_000 + 600 * span);
        }
        assert!(visitors.contains(Source::v4(7_000_000)));
    }
}
