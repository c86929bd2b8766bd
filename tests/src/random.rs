//! What a test leaves to chance, and can repeat.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A pseudo-random sequence; the variable `FLOODMARK_TEST_SEED` repeats one that failed.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// A sequence of its own for each run, by the clock; says its seed.
    #[expect(clippy::print_stdout, reason = "shown of tests that fail")]
    pub fn new() -> Self {
        let clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let seed = std::env::var("FLOODMARK_TEST_SEED").map_or_else(
            |_| u64::try_from(clock() % 1_000_000).unwrap(),
            |seed| seed.parse().unwrap(),
        );
        println!("FLOODMARK_TEST_SEED={seed}");
        Self(seed)
    }

    /// A number below `limit`, by `SplitMix64` (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
    fn number(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % limit
    }

    /// A time below `limit`.
    pub fn below(&mut self, limit: Duration) -> Duration {
        Duration::from_micros(self.number(u64::try_from(limit.as_micros()).unwrap()))
    }

    /// One of several.
    pub fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let at = self.number(u64::try_from(all.len()).unwrap());
        &all[usize::try_from(at).unwrap()]
    }
}

impl Default for Random {
    fn default() -> Self {
        Self::new()
    }
}
