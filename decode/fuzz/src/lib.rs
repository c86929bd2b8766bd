//! What every fuzz target shares: readers, the laws, and how an input is understood.
//!
//! ```text
//! input ─ Family ─▶ configuration, seed of the cuts, text
//!                        └─ Reader (whole, line by line, restarted, anew) ─▶ batches ─ laws ─▶ panic
//! ```
//!
//! # Invariants
//! - A law that is broken is a panic that names it; nothing else is reported.
//! - What is checked depends on the input alone, except that a reader has read other inputs before: that must not
//!   matter either, and now and then is compared with a reader that has not.
//!
//! Read [`Family::check`] first, then [`laws`].

pub mod columns;
pub mod family;
pub mod laws;
pub mod people;
pub mod reader;
pub mod stretch;

pub use family::Family;
pub use reader::Reader;
pub use stretch::mutate;

/// Defines a fuzz target that checks the inputs of a family of formats.
#[macro_export]
macro_rules! fuzz_family {
    ($family:expr) => {
        thread_local! {
            static FAMILY: std::cell::RefCell<$crate::Family> = std::cell::RefCell::new($family);
        }
        libfuzzer_sys::fuzz_target!(|input: &[u8]| {
            FAMILY.with_borrow_mut(|family| family.check(input));
        });
        libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            $crate::mutate(data, size, max_size, seed)
        });
    };
}
