//! What a host answers to paths it was never asked for: some answer everything with success and one page.
//!
//! The sizes of successful answers to new paths are counted, the frequent ones exactly (Misra and Gries, 1982). Pages
//! differ in size; one size for most new paths, whatever their shapes, which few of the known ones have, is what the host
//! says when it has nothing to say.

use serde::{Deserialize, Serialize};

use crate::math::hash::mix;
use crate::record::event::{Event, flag};

/// Sizes counted at once.
const SIZES: usize = 8;

/// New paths that must have been answered, before any size says something.
const PATHS_MIN: u32 = 12;

/// Answers to known paths that must have been counted as well: where nothing is asked for twice, as orders by their numbers are
/// not, nobody can tell what the host says when it has something to say.
const KNOWN_MIN: u32 = 12;

/// Shapes of new paths that must have been answered so of late, of 64 classes: where all that is asked for is of few, what is
/// answered alike are the many things of one kind.
const SHAPES_MIN: u32 = 4;

/// Bytes of a page that says nothing, at most: larger answers of one size are parts of a file.
const PAGE_BYTES_MAX: u32 = 262_144;

/// Share of the known paths' answers that may have the same size: where more do, the size tells nothing.
const KNOWN_SHARE_MAX: f64 = 0.3;

/// Counts are halved at this sum: what a host did long ago does not matter.
const SUM_MAX: u32 = 64;

/// Sizes of successful answers to new paths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Answers {
    sizes: [Size; SIZES],
    sum: u32,
    known_sum: u32,
}

/// Answers of one size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Size {
    bytes: u32,
    /// To new paths.
    new: u32,
    /// To known ones.
    known: u32,
    /// Bitmap of the shapes of the new ones, since the counts were halved.
    shapes: u64,
    /// The same of the time before that.
    shapes_before: u64,
}

impl Size {
    const fn shapes(&self) -> u32 {
        (self.shapes | self.shapes_before).count_ones()
    }
}

impl Answers {
    /// Whether a request was answered with what it asked for; takes in the answers to new paths.
    pub fn is_hit(&mut self, event: &Event, is_known: impl FnOnce() -> bool) -> bool {
        if !event.is_hit() {
            return false;
        }
        if event.status != 200
            || event.bytes == 0
            || event.bytes > PAGE_BYTES_MAX
            || event.has(flag::ASSET)
        {
            return true;
        }
        if is_known() {
            self.count_known(event.bytes);
            return true;
        }
        self.count_new(event);
        !self.is_catch_all(event)
    }

    fn count_known(&mut self, bytes: u32) {
        self.known_sum += 1;
        if let Some(size) = self.sizes.iter_mut().find(|size| size.bytes == bytes) {
            size.known += 1;
        }
        self.forget();
    }

    fn count_new(&mut self, event: &Event) {
        self.sum += 1;
        let bytes = event.bytes;
        // A path without anything that varies is a shape of its own.
        let shape = if event.shape == 0 { event.path } else { u64::from(event.shape) };
        let shape = 1 << (mix(shape) >> 58);
        if let Some(size) = self.sizes.iter_mut().find(|size| size.bytes == bytes) {
            size.new += 1;
            size.shapes |= shape;
        } else if let Some(free) = self.sizes.iter_mut().find(|size| size.new == 0) {
            *free = Size { bytes, new: 1, shapes: shape, ..Size::default() };
        } else {
            self.sizes.iter_mut().for_each(|size| size.new -= 1);
        }
        self.forget();
    }

    fn forget(&mut self) {
        // Each by itself: however much of the one there is, the other says what it said.
        if self.sum >= SUM_MAX {
            self.sum /= 2;
            for size in &mut self.sizes {
                size.new /= 2;
                size.shapes_before = std::mem::take(&mut size.shapes);
            }
        }
        if self.known_sum >= SUM_MAX {
            self.known_sum /= 2;
            self.sizes.iter_mut().for_each(|size| size.known /= 2);
        }
    }

    /// Whether a success is the one that the host gives to most new paths.
    pub fn is_catch_all(&self, event: &Event) -> bool {
        let is_usual =
            |size: &Size| f64::from(size.known) > KNOWN_SHARE_MAX * f64::from(self.known_sum);
        event.status == 200
            && self.sum >= PATHS_MIN
            && self.known_sum >= KNOWN_MIN
            && self.sizes.iter().any(|size| {
                size.bytes == event.bytes
                    && 2 * size.new > self.sum
                    && size.shapes() >= SHAPES_MIN
                    && !is_usual(size)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(bytes: u32) -> Event {
        Event { status: 200, bytes, ..Event::default() }
    }

    /// One of many paths.
    fn other(path: u64, bytes: u32) -> Event {
        Event { path: mix(path), ..page(bytes) }
    }

    #[test]
    fn one_page_for_everything_is_no_success() {
        let mut answers = Answers::default();
        assert!(
            (0..100).all(|path| answers.is_hit(&other(path, 512), || false)),
            "nothing is known"
        );
        let mut answers = Answers::default();
        (0..KNOWN_MIN).for_each(|i| assert!(answers.is_hit(&page(9_000 + i), || true)));
        let hits = (0..10_000).filter(|path| answers.is_hit(&other(*path, 512), || false)).count();
        assert_eq!(hits, 11);
        assert!(answers.is_hit(&page(512), || true), "what is known stays known");
        assert!(answers.is_hit(&page(9_000), || false));
    }

    #[test]
    fn things_of_one_kind_are_alike_and_are_there() {
        let mut answers = Answers::default();
        (0..KNOWN_MIN).for_each(|i| assert!(answers.is_hit(&page(9_000 + i), || true)));
        // What else is as large now and then does not add up.
        let order = |path| Event { shape: if path % 50 == 0 { 0 } else { 7 }, ..other(path, 512) };
        assert!((0..5_000).all(|path| answers.is_hit(&order(path), || false)));
    }

    #[test]
    fn a_site_whose_pages_are_alike_serves_them() {
        let mut answers = Answers::default();
        let hits = (0..1_000_u32).filter(|i| answers.is_hit(&page(512), || i % 3 > 0)).count();
        assert_eq!(hits, 1_000);
    }

    #[test]
    fn pages_of_all_sizes_are_successes() {
        let mut answers = Answers::default();
        assert!((0..5_000).all(|i| answers.is_hit(&page(1_000 + i * 7), || false)));
    }
}
