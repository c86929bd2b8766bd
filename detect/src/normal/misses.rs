//! Paths that are asked for in vain as a matter of course: a host's programs and old links ask for them all day.
//!
//! A path is an ordinary miss once sources of enough networks that have been here for a while have asked for it. Passing
//! robots with one list of paths do not excuse each other: they do not stay.

use serde::{Deserialize, Serialize};

use crate::limits::MISSES_MAX;
use crate::math::hash::mix;
use crate::record::source::Source;
use crate::store::table::Table;

/// Networks that must have asked for a path in earlier spans: one operator rarely has as many, and those of a search
/// that is going on now do not excuse each other.
const NETWORKS_MIN: u32 = 6;

/// Length of a span, and time for which a source must have been here, seconds: longer than most searches for paths
/// last.
pub const SPAN_S: i64 = 300;

/// Seconds after which a path that nobody asks for is forgotten.
const KEEP_S: i64 = 2 * 86_400;

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Miss {
    last_s: i64,
    /// Bitmap of the networks that asked in the running span.
    now: u64,
    /// Bitmap of the networks that asked in earlier spans.
    before: u64,
}

impl Miss {
    const fn is_ordinary(&self) -> bool {
        self.before.count_ones() >= NETWORKS_MIN
    }
}

/// Paths of one host that were asked for in vain, with who asked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Misses {
    paths: Table<Miss>,
}

impl Misses {
    /// Takes in a request in vain, of a source that has been here for [`SPAN_S`] or has not; whether the path is an
    /// ordinary miss.
    pub fn add(&mut self, path: u64, source: Source, now_s: i64, stays: bool) -> bool {
        if !stays {
            return self.paths.get(path).is_some_and(Miss::is_ordinary);
        }
        if self.paths.len() >= MISSES_MAX && self.paths.get(path).is_none() {
            self.make_room(now_s);
        }
        let (miss, _) = self.paths.entry(path, || Miss { last_s: now_s, now: 0, before: 0 });
        if miss.last_s.div_euclid(SPAN_S) != now_s.div_euclid(SPAN_S) {
            miss.before |= std::mem::take(&mut miss.now);
        }
        miss.last_s = now_s;
        miss.now |= 1 << (mix(source.network().0) >> 58);
        miss.is_ordinary()
    }

    /// Forgets what nobody asks for any more and, where that is not enough, what few ask for.
    fn make_room(&mut self, now_s: i64) {
        let mut networks_min = 1;
        while self.paths.len() > MISSES_MAX / 4 * 3 {
            self.paths.retain(|_, miss| {
                now_s - miss.last_s <= KEEP_S
                    && (miss.before | miss.now).count_ones() > networks_min
            });
            networks_min += 1;
        }
    }

    /// Bytes held at most, by what it counts.
    pub const fn weight(&self) -> usize {
        self.paths.weight()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_many_ask_for_all_day_is_an_ordinary_miss() {
        let mut misses = Misses::default();
        let mut asks = |minute: i64, network: u32| {
            misses.add(7, Source::v4(network << 16 | 9), minute * 60, true)
        };
        assert!((0..200).all(|minute| !asks(minute, 1)), "one network asks for long");
        assert!((0..20).all(|network| !asks(210, network)), "they all come at once");
        assert!(asks(240, 50));
        assert!(
            misses.add(7, Source::v4(1), 240 * 60, false)
                && !misses.add(8, Source::v4(1), 240 * 60, false)
        );
    }

    #[test]
    fn a_search_for_paths_does_not_fill_the_table() {
        let mut misses = Misses::default();
        for minute in 0..40 {
            (0..30).for_each(|network| {
                misses.add(7, Source::v4(network << 16), minute * 60, true);
            });
            for path in 0..2_000_u64 {
                misses.add(
                    1_000 + path * 50 + minute.unsigned_abs(),
                    Source::v4(5),
                    minute * 60,
                    true,
                );
            }
        }
        assert!(misses.add(7, Source::v4(5), 2_400, true));
        assert!(!misses.add(1_000, Source::v4(5), 2_400, true));
        assert!(misses.paths.len() <= MISSES_MAX);
    }
}
