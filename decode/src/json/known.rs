//! Which keys the lines of a stream have had: a line with another key may be written in another dialect, though the keys that
//! both have in common make a record of it.

use rapidhash::v3::rapidhash_v3;
use serde::{Deserialize, Serialize};

use super::scan::{Broken, Cursor};

/// Words of a set.
const WORDS: usize = 8;

/// Bits of a set that are set when it knows no more: some hundred keys, which no dialect is told by.
const BITS_MAX: u32 = 192;

/// A set of keys, each of which is two bits of it: one key in hundreds that is not in it seems to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySet([u64; WORDS]);

impl KeySet {
    /// The keys of the object that a line is, or of the first in the list that it is, as far as it is JSON.
    #[cold]
    pub(crate) fn of(line: &str) -> Self {
        let mut keys = Self::default();
        // What was found before the line stops being JSON counts all the same.
        let _broken = keys.fill(&mut Cursor::new(line));
        keys
    }

    fn fill(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Broken> {
        if cursor.peek()? == b'[' {
            cursor.skip(1);
        }
        cursor.expect(b'{')?;
        while cursor.peek()? == b'"' {
            let (key, _) = cursor.string()?;
            cursor.expect(b':')?;
            self.add(&Self::one(key));
            cursor.skip_value()?;
            if !cursor.another()? {
                break;
            }
        }
        Ok(())
    }

    fn one(key: &str) -> Self {
        let hash = rapidhash_v3(key.as_bytes());
        let mut keys = Self::default();
        for bit in [hash % 512, hash / 512 % 512] {
            let word = usize::try_from(bit / 64).ok().and_then(|word| keys.0.get_mut(word));
            if let Some(word) = word {
                *word |= 1 << (bit % 64);
            }
        }
        keys
    }

    /// Whether a key is in it, or it is full.
    pub(super) fn has(&self, key: &str) -> bool {
        let key = Self::one(key);
        let is_in = self.0.iter().zip(key.0).all(|(all, one)| all & one == one);
        is_in || self.0.iter().map(|word| word.count_ones()).sum::<u32>() >= BITS_MAX
    }

    /// Adds all keys of another.
    pub(crate) fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(word, other)| *word |= other);
    }
}

/// What a decoder knows of the keys of its lines.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Heeded {
    /// The keys that they had; `None` where none of them can be of another dialect.
    pub(super) known: Option<KeySet>,
    /// The last one had another.
    pub(super) has_news: bool,
}

impl Heeded {
    /// Whether a key of a line is one that none before it had.
    pub(super) fn note(&mut self, key: &str) -> bool {
        let is_new = self.known.as_ref().is_some_and(|known| !known.has(key));
        self.has_news |= is_new;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_a_line_are_those_of_its_object() {
        let keys = KeySet::of(r#"[{"a":1,"b":{"c":2},"d":[{"e":3}]},{"f":4}]"#);
        for (key, is_known) in
            [("a", true), ("b", true), ("c", false), ("d", true), ("e", false), ("f", false)]
        {
            assert_eq!(keys.has(key), is_known, "{key}");
        }
        assert!(KeySet::of(r#"{"a":1,"b":"#).has("b"));
        assert_eq!(KeySet::of("a"), KeySet::default());
    }

    #[test]
    fn a_full_set_has_every_key() {
        let mut keys = KeySet::default();
        let is_new = |number: &u32| {
            let key = number.to_string();
            let is_new = !keys.has(&key);
            keys.add(&KeySet::one(&key));
            is_new
        };
        let new = (0..10_000).filter(is_new).count();
        assert!((80..200).contains(&new), "{new}");
    }
}
