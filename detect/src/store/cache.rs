//! A small direct-mapped cache in front of what is dear to look up or to compute.

/// Values by already hashed keys other than 0; a key takes the place of another that shares its slot.
///
/// It holds what can be had again at any time, and is no part of the state.
#[derive(Debug)]
pub struct Cache<V> {
    slots: Box<[(u64, V)]>,
}

/// Slots of a cache: some hundred kilobytes at most, to stay near the processor.
const SLOTS: usize = 8_192;

impl<V: Copy + Default> Default for Cache<V> {
    fn default() -> Self {
        Self { slots: vec![(0, V::default()); SLOTS].into() }
    }
}

impl<V: Copy + Default> Cache<V> {
    /// The value of `key`, made when it is not there; the flag tells whether it was made.
    pub fn get_or(&mut self, key: u64, make: impl FnOnce() -> V) -> (V, bool) {
        #[expect(clippy::cast_possible_truncation, reason = "the low bits choose the slot")]
        let slot = &mut self.slots[key as usize % SLOTS];
        if slot.0 == key && key != 0 {
            return (slot.1, false);
        }
        *slot = (key, make());
        (slot.1, true)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.slots.fill((0, V::default()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_made_once_until_another_takes_its_place() {
        let mut cache = Cache::default();
        assert_eq!(cache.get_or(5, || 'a'), ('a', true));
        assert_eq!(cache.get_or(5, || 'b'), ('a', false));
        assert_eq!(cache.get_or(5 + SLOTS as u64, || 'c'), ('c', true));
        assert_eq!(cache.get_or(5, || 'd'), ('d', true));
        cache.clear();
        assert_eq!(cache.get_or(5, || 'e'), ('e', true));
    }

    #[test]
    fn nothing_is_kept_under_no_key() {
        let mut cache = Cache::default();
        assert_eq!(cache.get_or(0, || 'a'), ('a', true));
        assert_eq!(cache.get_or(0, || 'b'), ('b', true));
    }
}
