//! What a host answers to paths it was never asked for: some answer everything with success and one page.
//!
//! The sizes of successful answers to new paths are counted, the frequent ones exactly (Misra and Gries, 1982). Pages
//! differ in size; one size for most new paths is what the host says when it has nothing to say.

use serde::{Deserialize, Serialize};

use crate::record::event::{Event, flag};

/// Sizes counted at once.
const SIZES: usize = 8;

/// New paths that must have been answered, before any size says something.
const PATHS_MIN: u32 = 32;

/// Counts are halved at this sum: what a host did long ago does not matter.
const SUM_MAX: u32 = 1_024;

/// Sizes of successful answers to new paths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Answers {
    sizes: [(u32, u32); SIZES],
    sum: u32,
}

impl Answers {
    /// Whether a request was answered with what it asked for; takes in the answers to new paths.
    pub fn is_hit(&mut self, event: &Event, is_known: impl FnOnce() -> bool) -> bool {
        if !event.is_hit() {
            return false;
        }
        let tells = event.status == 200 && event.bytes > 0 && !event.has(flag::ASSET);
        if !tells || is_known() {
            return true;
        }
        self.count(event.bytes);
        !self.is_catch_all(event)
    }

    fn count(&mut self, bytes: u32) {
        self.sum += 1;
        if let Some((_, count)) = self.sizes.iter_mut().find(|(size, _)| *size == bytes) {
            *count += 1;
        } else if let Some(free) = self.sizes.iter_mut().find(|(_, count)| *count == 0) {
            *free = (bytes, 1);
        } else {
            self.sizes.iter_mut().for_each(|(_, count)| *count -= 1);
        }
        if self.sum >= SUM_MAX {
            self.sum /= 2;
            self.sizes.iter_mut().for_each(|(_, count)| *count /= 2);
        }
    }

    /// Whether a success is the one that the host gives to most new paths.
    pub fn is_catch_all(&self, event: &Event) -> bool {
        let of = |(size, count): &(u32, u32)| *size == event.bytes && 2 * count > self.sum;
        event.status == 200 && self.sum >= PATHS_MIN && self.sizes.iter().any(of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(bytes: u32) -> Event {
        Event { status: 200, bytes, ..Event::default() }
    }

    #[test]
    fn one_page_for_everything_is_no_success() {
        let mut answers = Answers::default();
        let hits = (0..100).filter(|_| answers.is_hit(&page(512), || false)).count();
        assert_eq!(hits, 31);
        assert!(answers.is_hit(&page(512), || true), "what is known stays known");
        assert!(answers.is_hit(&page(9_000), || false));
    }

    #[test]
    fn pages_of_all_sizes_are_successes() {
        let mut answers = Answers::default();
        assert!((0..5_000).all(|i| answers.is_hit(&page(1_000 + i * 7), || false)));
    }
}
