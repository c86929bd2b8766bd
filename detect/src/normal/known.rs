//! What a host knows, such as the paths it serves, in two generations of a bitmap: what was not seen in a whole
//! generation is forgotten, and no number of values fills it.

use serde::{Deserialize, Serialize};

use crate::limits::{KNOWN_WORDS_MAX, KNOWN_WORDS_MIN};

/// Share of set bits at which a generation is full: a value never seen is then taken for a known one in as many
/// cases, in each of two generations.
const FILL_MAX: f64 = 0.05;

const _: () = assert!(
    KNOWN_WORDS_MIN.is_power_of_two() && KNOWN_WORDS_MAX.is_power_of_two(),
    "words are chosen by the low bits, and grow by the factor four"
);

/// A set of hashes that forgets in generations.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Known {
    current: Vec<u64>,
    previous: Vec<u64>,
    set: u32,
}

/// Where the bit of a value is among so many words, a power of two.
const fn slot(words: usize, value: u64) -> (usize, u64) {
    ((value >> 6) as usize & (words - 1), 1 << (value & 63))
}

fn holds(words: &[u64], value: u64) -> bool {
    if words.is_empty() {
        return false;
    }
    let (word, bit) = slot(words.len(), value);
    words.get(word).is_some_and(|word| word & bit != 0)
}

impl Known {
    /// Whether the value is in the set.
    pub fn contains(&self, value: u64) -> bool {
        holds(&self.current, value) || holds(&self.previous, value)
    }

    /// Adds a value.
    #[expect(clippy::cast_precision_loss, reason = "sizes of bitmaps")]
    pub fn insert(&mut self, value: u64) {
        if self.current.is_empty() {
            self.current = vec![0; KNOWN_WORDS_MIN];
        }
        let (word, bit) = slot(self.current.len(), value);
        let Some(word) = self.current.get_mut(word) else { return };
        if *word & bit != 0 {
            return;
        }
        *word |= bit;
        self.set += 1;
        if f64::from(self.set) > FILL_MAX * 64.0 * self.current.len() as f64 {
            let words = (self.current.len() * 4).min(KNOWN_WORDS_MAX);
            self.previous = std::mem::replace(&mut self.current, vec![0; words]);
            self.set = 0;
        }
    }

    /// Bytes held at most, by what it counts.
    pub const fn weight(&self) -> usize {
        (self.current.len() + self.previous.len()) * 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::hash::mix;

    #[test]
    fn what_is_in_use_stays_known_however_much_else_comes() {
        let mut known = Known::default();
        for i in 0..2_000_000_u64 {
            if i % 100 == 0 {
                (0..50).for_each(|home| known.insert(mix(home)));
            }
            known.insert(mix(1_000 + i));
        }
        assert!((0..50).all(|home| known.contains(mix(home))));
        let strange = (0..10_000_u64).filter(|i| known.contains(mix(1 << 40 | i))).count();
        assert!(strange < 1_500, "{strange} of 10,000 paths never served are held to be");
        assert!(known.weight() <= 16 * KNOWN_WORDS_MAX);
    }

    #[test]
    fn a_small_host_has_a_small_bitmap_and_loses_nothing_when_it_grows() {
        let mut known = Known::default();
        known.insert(mix(0));
        assert_eq!(known.weight(), 8 * KNOWN_WORDS_MIN);
        let mut full_at = 0;
        for value in 1..2_000 {
            known.insert(mix(value));
            if full_at == 0 && known.weight() > 8 * KNOWN_WORDS_MIN {
                full_at = value;
            }
        }
        assert!((780..900).contains(&full_at), "{full_at} values until it is full");
        assert_eq!(known.weight(), 8 * (KNOWN_WORDS_MIN + 4 * KNOWN_WORDS_MIN));
        assert!((0..2_000).all(|value| known.contains(mix(value))));
    }
}
