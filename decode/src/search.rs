//! Bytes that end a value.
//!
//! Most values are short: their first bytes are looked at together and without a call, the rest by `memchr`.

use wide::u8x16;

use super::lanes::{LANES, is, load, mask};

/// Bytes looked at here.
const NEAR: usize = 2 * LANES;

/// Position of `needle`.
#[inline]
pub(super) fn byte(text: &[u8], needle: u8) -> Option<usize> {
    let Some((head, rest)) = text.split_first_chunk() else { return first(mask(text, is(needle))) };
    match first(near(head, is(needle))) {
        None => Some(NEAR + memchr::memchr(needle, rest)?),
        at => at,
    }
}

/// What is before and behind the first such byte.
#[expect(clippy::inline_always, reason = "a call for every value of a line costs a tenth of it")]
#[inline(always)]
pub(super) fn divide(text: &str, needle: u8) -> Option<(&str, &str)> {
    let (before, behind) = text.split_at_checked(byte(text.as_bytes(), needle)?)?;
    Some((before, behind.get(1..)?))
}

/// Position of the first of two bytes.
#[inline]
pub(super) fn either(text: &[u8], one: u8, other: u8) -> Option<usize> {
    let (is_one, is_other) = (is(one), is(other));
    let passes = |bytes| is_one(bytes) | is_other(bytes);
    let Some((head, rest)) = text.split_first_chunk() else { return first(mask(text, passes)) };
    match first(near(head, passes)) {
        None => Some(NEAR + memchr::memchr2(one, other, rest)?),
        at => at,
    }
}

/// Position of the `count`th `needle`, counted from one; or how many there are.
#[inline]
pub(super) fn nth(text: &[u8], needle: u8, count: usize) -> Result<usize, usize> {
    let Some((head, rest)) = text.split_first_chunk() else {
        return nth_of(mask(text, is(needle)), count);
    };
    // Most are near.
    nth_of(near(head, is(needle)), count).or_else(|seen| {
        Ok(NEAR + nth_behind(rest, needle, count - seen).map_err(|more| seen + more)?)
    })
}

/// The same of what follows the bytes looked at first.
#[inline(never)]
fn nth_behind(text: &[u8], needle: u8, count: usize) -> Result<usize, usize> {
    let (chunks, rest) = text.as_chunks();
    let whole = chunks.iter().map(|chunk| near(chunk, is(needle)));
    let mut all_seen = 0;
    for (index, hits) in whole.chain([mask(rest, is(needle))]).enumerate() {
        match nth_of(hits, count - all_seen) {
            Ok(at) => return Ok(index * NEAR + at),
            Err(seen) => all_seen += seen,
        }
    }
    Err(all_seen)
}

/// Place of the `count`th hit, or how many there are: one after the other, for there are few.
#[inline]
const fn nth_of(mut hits: u64, count: usize) -> Result<usize, usize> {
    let mut seen = 0;
    while hits != 0 {
        seen += 1;
        if seen == count {
            return Ok(hits.trailing_zeros() as usize);
        }
        hits &= hits - 1;
    }
    Err(seen)
}

/// A bit for each byte that passes.
#[inline]
fn near(head: &[u8; NEAR], passes: impl Fn(u8x16) -> u8x16) -> u64 {
    let (chunks, _) = head.as_chunks();
    let bits = |chunk: &[u8; LANES]| u64::from(passes(load(*chunk)).to_bitmask());
    chunks.iter().rev().fold(0, |hits, chunk| hits << LANES | bits(chunk))
}

/// The place of the first hit.
const fn first(hits: u64) -> Option<usize> {
    if hits == 0 { None } else { Some(hits.trailing_zeros() as usize) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_first_hit_is_found_wherever_it_is(
            text in proptest::collection::vec(prop_oneof![any::<u8>(), 0x20u8..0x24], 0..100),
        ) {
            prop_assert_eq!(byte(&text, b'"'), text.iter().position(|byte| *byte == b'"'));
            prop_assert_eq!(
                either(&text, b'"', b'!'),
                text.iter().position(|byte| matches!(byte, b'"' | b'!'))
            );
            let hits = || text.iter().enumerate().filter(|(_, byte)| **byte == b'"');
            for count in 1..=text.len() + 1 {
                let expected = hits().nth(count - 1).map(|(at, _)| at).ok_or(hits().count());
                prop_assert_eq!(nth(&text, b'"', count), expected);
            }
        }
    }
}
