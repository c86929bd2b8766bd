//! A large table that may be lent to whoever writes it down, and goes on changing meanwhile.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use crate::store::table::Table;

/// A [`Table`] of which a clone can be had at once: while one is kept, what changes is laid over what was lent, and comes
/// to it with the first change after the clone is gone.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "Table<V>", bound(deserialize = "V: Deserialize<'de>"))]
pub struct Lendable<V> {
    /// The entries; of a table that is lent those that have changed since, or are new.
    table: Table<V>,
    lent: Option<Lent<V>>,
}

#[derive(Debug, Clone)]
struct Lent<V> {
    table: Arc<Table<V>>,
    /// How many entries are new since.
    new: usize,
}

impl<V> Default for Lendable<V> {
    fn default() -> Self {
        Table::default().into()
    }
}

impl<V> From<Table<V>> for Lendable<V> {
    fn from(table: Table<V>) -> Self {
        Self { table, lent: None }
    }
}

impl<V: Clone + PartialEq> PartialEq for Lendable<V> {
    fn eq(&self, other: &Self) -> bool {
        self.whole() == other.whole()
    }
}

impl<V: Clone + Serialize> Serialize for Lendable<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.whole().serialize(serializer)
    }
}

/// Brings what was changed to a table.
fn merge<V>(table: &mut Table<V>, over: Table<V>) {
    for (key, value) in over.into_entries() {
        match table.get_mut(key) {
            Some(place) => *place = value,
            None => {
                table.entry(key, || value);
            }
        }
    }
}

impl<V> Lendable<V> {
    /// Bytes of an entry; see [`Table::weight`].
    pub const ENTRY_BYTES: usize = Table::<V>::ENTRY_BYTES;

    /// Number of keys.
    pub fn len(&self) -> usize {
        match &self.lent {
            None => self.table.len(),
            Some(lent) => lent.table.len() + lent.new,
        }
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes held; what is lent counts as held.
    pub fn state_bytes(&self) -> usize {
        let lent = self.lent.as_ref().map_or(0, |lent| lent.table.state_bytes());
        self.table.state_bytes() + lent
    }

    /// The value of `key`.
    pub fn get(&self, key: u64) -> Option<&V> {
        let lent = self.lent.as_ref();
        self.table.get(key).or_else(|| lent.and_then(|lent| lent.table.get(key)))
    }
}

impl<V: Clone> Lendable<V> {
    /// The value of `key`, mutable.
    pub fn get_mut(&mut self, key: u64) -> Option<&mut V> {
        self.take_back();
        if let Some(lent) = &self.lent
            && self.table.get(key).is_none()
        {
            let value = lent.table.get(key)?;
            self.table.entry(key, || value.clone());
        }
        self.table.get_mut(key)
    }

    /// The value of `key`, inserted when absent; the flag tells whether it was.
    #[inline]
    pub fn entry(&mut self, key: u64, value: impl FnOnce() -> V) -> (&mut V, bool) {
        self.take_back();
        let Some(lent) = &mut self.lent else { return self.table.entry(key, value) };
        let mut is_new = false;
        let (place, _) = self.table.entry(key, || {
            lent.table.get(key).cloned().unwrap_or_else(|| {
                lent.new += 1;
                is_new = true;
                value()
            })
        });
        (place, is_new)
    }

    /// The table, to be looked through or changed throughout. What is still lent is copied.
    pub fn own(&mut self) -> &mut Table<V> {
        if let Some(lent) = self.lent.take() {
            let whole = Arc::unwrap_or_clone(lent.table);
            let over = std::mem::replace(&mut self.table, whole);
            merge(&mut self.table, over);
        }
        &mut self.table
    }

    /// Lends the table to the next clone.
    pub fn lend(&mut self) {
        let table = Arc::new(std::mem::take(self.own()));
        self.lent = Some(Lent { table, new: 0 });
    }

    /// Takes the table back, if no clone is left.
    #[inline]
    fn take_back(&mut self) {
        if self.lent.as_ref().is_some_and(|lent| Arc::strong_count(&lent.table) == 1) {
            self.own();
        }
    }

    fn whole(&self) -> Cow<'_, Table<V>> {
        match &self.lent {
            None => Cow::Borrowed(&self.table),
            Some(lent) if self.table.is_empty() => Cow::Borrowed(&lent.table),
            Some(lent) => {
                let mut table = Table::clone(&lent.table);
                merge(&mut table, self.table.clone());
                Cow::Owned(table)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_lent_stays_and_what_changes_meanwhile_is_there(
            steps in prop::collection::vec((0_u8..7, 0_u64..60), 0..200),
        ) {
            let (mut lendable, mut table) = (Lendable::<u32>::default(), Table::<u32>::default());
            let mut lent: Option<(Lendable<u32>, Table<u32>)> = None;
            for (step, key) in steps {
                match step {
                    0..3 => {
                        let (one, is_new) = lendable.entry(key, || 0);
                        *one += 1;
                        let (other, was_new) = table.entry(key, || 0);
                        *other += 1;
                        prop_assert_eq!(is_new, was_new);
                    }
                    3 => {
                        let values = [lendable.get_mut(key), table.get_mut(key)];
                        values.into_iter().flatten().for_each(|value| *value += 5);
                    }
                    4 => {
                        lendable.lend();
                        lent = Some((lendable.clone(), table.clone()));
                    }
                    5 => lent = None,
                    _ => {
                        lendable.own().retain(|other, _| other != key);
                        table.retain(|other, _| other != key);
                    }
                }
                if let Some((lent, was)) = &lent {
                    prop_assert_eq!(&*lent.whole(), was);
                }
                prop_assert_eq!(lendable.len(), table.len());
                prop_assert_eq!(lendable.get(key), table.get(key));
                prop_assert_eq!(&*lendable.whole(), &table);
            }
            prop_assert_eq!(lendable.own(), &mut table);
        }
    }
}
