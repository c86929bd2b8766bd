//! Bytes that end a value.
//!
//! Most values are short: their first bytes are looked at sixteen at a time and without a call, the rest by `memchr`.

/// Bytes of a word.
const WORD: usize = size_of::<u128>();

/// Words looked at here.
const WORDS: usize = 2;

/// The lowest bit of each byte.
const LOW: u128 = u128::MAX / 0xFF;

/// Position of `needle`.
#[inline]
pub(super) fn byte(text: &[u8], needle: u8) -> Option<usize> {
    let pattern = pattern(needle);
    let mut rest = text;
    for word in 0..WORDS {
        let Some((head, tail)) = rest.split_first_chunk() else { break };
        if let Some(at) = first(zeros(u128::from_le_bytes(*head) ^ pattern)) {
            return Some(word * WORD + at);
        }
        rest = tail;
    }
    Some(text.len() - rest.len() + memchr::memchr(needle, rest)?)
}

/// Position of the first of two bytes.
#[inline]
pub(super) fn either(text: &[u8], one: u8, other: u8) -> Option<usize> {
    let patterns = (pattern(one), pattern(other));
    let mut rest = text;
    for word in 0..WORDS {
        let Some((head, tail)) = rest.split_first_chunk() else { break };
        let head = u128::from_le_bytes(*head);
        if let Some(at) = first(zeros(head ^ patterns.0) | zeros(head ^ patterns.1)) {
            return Some(word * WORD + at);
        }
        rest = tail;
    }
    Some(text.len() - rest.len() + memchr::memchr2(one, other, rest)?)
}

/// A byte in every place of a word.
const fn pattern(byte: u8) -> u128 {
    LOW * byte as u128
}

/// The highest bit of bytes that are zero; bytes above the lowest such one may have it too
/// (Warren, "Hacker's Delight", 6-1 "Find First 0-Byte").
const fn zeros(word: u128) -> u128 {
    word.wrapping_sub(LOW) & !word & LOW << 7
}

/// The place of the lowest byte with a bit set.
const fn first(bits: u128) -> Option<usize> {
    if bits == 0 { None } else { Some((bits.trailing_zeros() / u8::BITS) as usize) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_first_hit_is_found_wherever_it_is(
            text in proptest::collection::vec(prop_oneof![any::<u8>(), 0x20u8..0x24], 0..64),
        ) {
            prop_assert_eq!(byte(&text, b'"'), text.iter().position(|byte| *byte == b'"'));
            prop_assert_eq!(
                either(&text, b'"', b'!'),
                text.iter().position(|byte| matches!(byte, b'"' | b'!'))
            );
        }
    }
}
