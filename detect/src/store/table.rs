//! A hash table whose iteration order is the order of insertion, so that no result depends on a hasher.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize, Serializer};

/// Secret of this process that decides where keys are placed and nothing else: whoever chooses keys (the owner of an
/// IPv6 /32 chooses a whole network of them) cannot choose collisions, and no result depends on it.
static PLACEMENT: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0_u64) | 1);

/// Slot without an entry.
const EMPTY: u32 = u32::MAX;

/// Entries up to which there is no index: so few keys are compared one by one sooner than one is hashed.
const SCANNED_MAX: usize = 8;

/// Map from an already hashed 64-bit key to `V`: dense entries in insertion order and an open-addressing index.
///
/// A slot of the index holds the position of an entry in its low bits and, in those that no position needs, bits of the
/// key's hash, so that an entry is hardly ever looked at that is not the one wanted.
///
/// Only the entries are written to a checkpoint; the index is rebuilt on reading.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "Vec<(u64, V)>", bound(deserialize = "V: Deserialize<'de>"))]
pub struct Table<V> {
    entries: Vec<(u64, V)>,
    /// A power of two of slots, or none where the entries are few.
    index: Vec<u32>,
    secret: u64,
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Self { entries: Vec::new(), index: Vec::new(), secret: *PLACEMENT }
    }
}

impl<V: PartialEq> PartialEq for Table<V> {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl<V> From<Vec<(u64, V)>> for Table<V> {
    fn from(entries: Vec<(u64, V)>) -> Self {
        let mut table = Self { entries, ..Self::default() };
        table.rebuild();
        table
    }
}

impl<V: Serialize> Serialize for Table<V> {
    /// The entries as they lie: a state has millions, of which a checkpoint makes no copy.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.entries.serialize(serializer)
    }
}

/// Both halves of the product of a key with the secret, folded.
#[expect(clippy::cast_possible_truncation, reason = "both halves of a product")]
const fn placement(key: u64, secret: u64) -> u64 {
    let product = ((key ^ secret) as u128) * ((secret ^ 0x9e37_79b9_7f4a_7c15) as u128);
    (product >> 64) as u64 ^ product as u64
}

/// Where the search for a key begins, and what a slot of it holds beside the position: the low bits of the placement
/// and high ones. A position is less than `mask`, so that no slot in use is [`EMPTY`].
#[expect(clippy::cast_possible_truncation, reason = "low bits, then high ones")]
const fn home(placement: u64, mask: usize) -> (usize, u32) {
    (placement as usize & mask, (placement >> 32) as u32 & !(mask as u32))
}

impl<V> Table<V> {
    /// Number of keys.
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no key.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Entries in insertion order.
    pub fn iter(&self) -> std::slice::Iter<'_, (u64, V)> {
        self.entries.iter()
    }

    /// Keys and values in insertion order.
    pub fn into_entries(self) -> std::vec::IntoIter<(u64, V)> {
        self.entries.into_iter()
    }

    /// Keys and mutable values in insertion order.
    pub fn entries_mut(&mut self) -> impl Iterator<Item = (&u64, &mut V)> {
        self.entries.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// Removes every key and keeps the memory.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.index.fill(EMPTY);
    }

    /// Bytes held, capacity included; what the values own besides is not counted.
    pub const fn state_bytes(&self) -> usize {
        self.entries.capacity() * size_of::<(u64, V)>() + self.index.capacity() * size_of::<u32>()
    }

    /// Bytes that so many entries take at most: room to double, and the index. It depends on the entries alone, so that
    /// what is decided by it is the same after a restart.
    pub const fn weight(&self) -> usize {
        self.entries.len() * Self::ENTRY_BYTES
    }

    /// See [`Self::weight`].
    pub const ENTRY_BYTES: usize = 2 * size_of::<(u64, V)>() + 4 * size_of::<u32>();

    /// The value of `key`.
    pub fn get(&self, key: u64) -> Option<&V> {
        self.position(key).map(|at| &self.entries[at].1)
    }

    /// The value of `key`, mutable.
    pub fn get_mut(&mut self, key: u64) -> Option<&mut V> {
        self.position(key).map(|at| &mut self.entries[at].1)
    }

    /// Position of `key` in insertion order.
    pub fn position(&self, key: u64) -> Option<usize> {
        if self.index.is_empty() {
            return self.entries.iter().position(|entry| entry.0 == key);
        }
        self.search(key).ok()
    }

    /// Position of `key`, by the index; where it is not there, the slot that waits for it and what to write beside its
    /// position.
    fn search(&self, key: u64) -> Result<usize, (usize, u32)> {
        let mask = self.index.len() - 1;
        #[expect(clippy::cast_possible_truncation, reason = "an index has fewer than 2^32 slots")]
        let position = mask as u32;
        let (mut slot, tag) = home(placement(key, self.secret), mask);
        loop {
            let found = self.index[slot & mask];
            if found == EMPTY {
                return Err((slot, tag));
            }
            let at = (found & position) as usize;
            if found & !position == tag && self.entries[at].0 == key {
                return Ok(at);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// The key and the value at a position.
    pub fn at(&self, position: usize) -> Option<&(u64, V)> {
        self.entries.get(position)
    }

    /// The value at a position.
    pub fn at_mut(&mut self, position: usize) -> Option<&mut V> {
        self.entries.get_mut(position).map(|(_, value)| value)
    }

    /// The value of `key`, inserted when absent; the flag tells whether it was.
    pub fn entry(&mut self, key: u64, value: impl FnOnce() -> V) -> (&mut V, bool) {
        let (at, new) = self.place(key, value);
        (&mut self.entries[at].1, new)
    }

    /// The position of `key`, whose value is inserted when absent; the flag tells whether it was.
    pub fn place(&mut self, key: u64, value: impl FnOnce() -> V) -> (usize, bool) {
        let at = self.entries.len();
        if self.index.is_empty() {
            if let Some(at) = self.entries.iter().position(|entry| entry.0 == key) {
                return (at, false);
            }
            self.entries.push((key, value()));
            if at >= SCANNED_MAX {
                self.rebuild();
            }
            return (at, true);
        }
        match self.search(key) {
            Ok(at) => (at, false),
            Err((slot, tag)) => {
                self.index[slot] = tag | u32::try_from(at).unwrap_or(EMPTY - 1);
                self.entries.push((key, value()));
                if (self.entries.len() + 1) * 8 > self.index.len() * 5 {
                    self.rebuild();
                }
                (at, true)
            }
        }
    }

    /// Removes a key; its value, if it was there. The order of the others stays: this takes time in proportion to their
    /// number.
    pub fn remove(&mut self, key: u64) -> Option<V> {
        let at = self.position(key)?;
        let (_, value) = self.entries.remove(at);
        self.rebuild();
        Some(value)
    }

    /// Keeps the entries that `keep` accepts, in order.
    pub fn retain(&mut self, mut keep: impl FnMut(u64, &mut V) -> bool) {
        let before = self.entries.len();
        self.entries.retain_mut(|(key, value)| keep(*key, value));
        if self.entries.len() != before {
            self.rebuild();
        }
    }

    /// Makes the index anew, with room to grow by a quarter at least.
    fn rebuild(&mut self) {
        self.index.clear();
        if self.entries.len() <= SCANNED_MAX {
            return;
        }
        let slots = ((self.entries.len() + 1) * 2).next_power_of_two();
        if slots > self.index.capacity() {
            // A vector that grows would copy what it held.
            self.index = Vec::with_capacity(slots);
        }
        self.index.resize(slots, EMPTY);
        let mask = slots - 1;
        for (at, (key, _)) in (0_u32..).zip(&self.entries) {
            let (mut slot, tag) = home(placement(*key, self.secret), mask);
            while self.index[slot] != EMPTY {
                slot = (slot + 1) & mask;
            }
            self.index[slot] = tag | at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn a_table_is_a_map_in_insertion_order(keys in prop::collection::vec(0_u64..200, 0..400), cut in 0_u64..200) {
            let (mut table, mut map, mut order) = (Table::default(), BTreeMap::new(), Vec::new());
            for key in keys {
                let (count, new) = table.entry(key, || 0_u32);
                *count += 1;
                prop_assert_eq!(new, !map.contains_key(&key));
                if new {
                    order.push(key);
                }
                *map.entry(key).or_insert(0_u32) += 1;
            }
            prop_assert_eq!(table.iter().map(|e| e.0).collect::<Vec<_>>(), order);
            table.retain(|key, _| key >= cut);
            for key in 0..200 {
                prop_assert_eq!(table.get(key), map.get(&key).filter(|_| key >= cut));
            }
            let copy: Table<u32> = table.iter().copied().collect::<Vec<_>>().into();
            prop_assert_eq!(copy, table);
        }
    }
}
