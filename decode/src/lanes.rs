//! Bytes looked at sixteen at a time. A test of them gives a mask: a bit for each byte, the first one lowest.

use wide::u8x16;

use super::word::below_16;

/// Bytes looked at together.
pub(super) const LANES: usize = 16;

/// Sixteen bytes side by side.
#[inline]
pub(super) fn load(bytes: [u8; LANES]) -> u8x16 {
    u8x16::new(bytes)
}

/// A bit for each of up to 64 bytes for which `passes` holds.
#[inline]
pub(super) fn mask(text: &[u8], passes: impl Fn(u8x16) -> u8x16) -> u64 {
    let bits = |bytes: [u8; LANES]| u64::from(passes(load(bytes)).to_bitmask());
    let Some(last) = text.last_chunk() else {
        return bits(below_16(text).to_le_bytes()) & ((1 << text.len()) - 1);
    };
    let (chunks, _) = text.as_chunks();
    let whole = chunks.iter().enumerate();
    let mask = whole.fold(0, |mask, (index, chunk)| mask | bits(*chunk) << (index * LANES));
    mask | bits(*last) << (text.len() - LANES)
}

/// Whether `passes` holds for any byte of a text.
#[inline]
pub(super) fn contains(text: &[u8], passes: impl Fn(u8x16) -> u8x16) -> bool {
    let Some(last) = text.last_chunk() else { return mask(text, passes) != 0 };
    let (chunks, _) = text.as_chunks();
    let none = u8x16::splat(0);
    let hits = chunks.iter().fold(none, |hits, chunk| hits | passes(load(*chunk)));
    (hits | passes(load(*last))).to_bitmask() != 0
}

/// A test for bytes from `first` to `last`.
#[inline]
pub(super) fn within(first: u8, last: u8) -> impl Fn(u8x16) -> u8x16 + Copy {
    let (first, width) = (u8x16::splat(first), u8x16::splat(last - first));
    move |bytes| (bytes - first).min(width).simd_eq(bytes - first)
}

/// A test for one byte.
#[inline]
pub(super) fn is(byte: u8) -> impl Fn(u8x16) -> u8x16 + Copy {
    let byte = u8x16::splat(byte);
    move |bytes| bytes.simd_eq(byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn masks_say_which_bytes_pass(text in proptest::collection::vec(any::<u8>(), 0..=64)) {
            let bits = |test: &dyn Fn(u8) -> bool| {
                let bytes = text.iter().enumerate();
                bytes.fold(0u64, |mask, (at, byte)| mask | u64::from(test(*byte)) << at)
            };
            let letters = |byte: u8| byte.is_ascii_uppercase();
            prop_assert_eq!(mask(&text, within(b'A', b'Z')), bits(&letters));
            prop_assert_eq!(mask(&text, is(0)), bits(&|byte| byte == 0));
            prop_assert_eq!(contains(&text, within(b'A', b'Z')), text.iter().any(|byte| letters(*byte)));
        }
    }
}
