//! Short texts as numbers whose lowest byte is the first one of the text, and the decimal numbers written in them: most
//! values of a line have fewer than eight bytes, and what takes no loop takes no wrong guess of its end.

/// `'0'` in every byte.
const ZEROS: u64 = u64::MAX / 0xFF * b'0' as u64;

/// `'.'` in every byte.
const POINTS: u64 = u64::MAX / 0xFF * b'.' as u64;

/// Added to a byte, it sets the highest bit when the byte is above nine, in every byte.
const ABOVE_NINE: u64 = u64::MAX / 0xFF * (0x80 - 10);

/// The highest bit of every byte.
const HIGH: u64 = (u64::MAX / 0xFF) << 7;

/// Up to eight bytes, zeros behind them; of a longer text nothing sensible.
#[inline]
pub(super) fn up_to_8(text: &[u8]) -> u64 {
    let length = text.len();
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        // The two overlap where they are the same.
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return u64::from(first) | u64::from(last) << (8 * (length - 4) % 64);
    }
    let byte = |at: usize| text.get(at).map_or(0, |byte| u64::from(*byte) << (8 * at));
    byte(0) | byte(length / 2) | byte(length.saturating_sub(1))
}

/// Fewer than sixteen bytes, zeros behind them; of a longer text nothing sensible.
#[inline]
pub(super) fn below_16(text: &[u8]) -> u128 {
    let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) else {
        return u128::from(up_to_8(text));
    };
    let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    u128::from(first) | u128::from(last) << (8 * (text.len() - 8) % 128)
}

/// The number written by one to sixteen digits; `None` when the text is something else.
#[inline]
pub(super) fn number(text: &[u8]) -> Option<u64> {
    match text.len() {
        1..=8 => number_up_to_8(text),
        9..=16 => {
            let (head, tail) = text.split_last_chunk::<8>()?;
            Some(number_up_to_8(head)? * 100_000_000 + number_up_to_8(tail)?)
        }
        _ => None,
    }
}

#[inline]
fn number_up_to_8(text: &[u8]) -> Option<u64> {
    // Shifted up, so that missing digits are leading zeros.
    let shift = 64 - 8 * text.len();
    let digits = up_to_8(text) << shift ^ ZEROS << shift;
    (is_above_nine(digits) == 0).then(|| value(digits))
}

/// The number written by the digits around a point, and how many are behind it: `12.034` is 12,034 and three. `None` when
/// the text is something else, or has more than eight bytes.
#[inline]
pub(super) fn pointed(text: &[u8]) -> Option<(u64, usize)> {
    let digits = text.len().checked_sub(1).filter(|digits| (2..8).contains(digits))?;
    let bytes = up_to_8(text);
    let point = first_zero(bytes ^ POINTS)?;
    let whole = (1 << point) - 1;
    let without = (bytes & whole) | (bytes >> 8 & !whole);
    let shift = 64 - 8 * digits;
    let without = without << shift ^ ZEROS << shift;
    let behind = digits - point as usize / 8;
    let is_number = point > 0 && behind > 0 && is_above_nine(without) == 0;
    is_number.then(|| (value(without), behind))
}

/// Where the first byte that is zero begins, in bits.
#[inline]
const fn first_zero(bytes: u64) -> Option<u32> {
    let zeros = bytes.wrapping_sub(u64::MAX / 0xFF) & !bytes & HIGH;
    if zeros == 0 { None } else { Some(zeros.trailing_zeros() & !7) }
}

/// How many digits are at the start of a text, and the eight digits that begin with them, zeros behind them; `None`
/// when there are eight digits or more.
#[inline]
pub(super) fn leading_digits(text: &[u8]) -> Option<(usize, u64)> {
    let head = text.first_chunk().map_or_else(|| up_to_8(text), |head| u64::from_le_bytes(*head));
    let digits = head ^ ZEROS;
    // Right up to the first one; those behind it may be wrong.
    let others = is_above_nine(digits);
    if others == 0 {
        return None;
    }
    let bits = others.trailing_zeros() & !7;
    Some((bits as usize / 8, value(digits & ((1 << bits) - 1))))
}

/// How many digits are at the start of a text; `None` when there are eight or more.
#[inline]
pub(super) fn count_digits(text: &[u8]) -> Option<usize> {
    leading_digits(text).map(|(count, _)| count)
}

/// The highest bit of the bytes that are above nine, if no byte before them is.
#[inline]
const fn is_above_nine(digits: u64) -> u64 {
    (digits.wrapping_add(ABOVE_NINE) | digits) & HIGH
}

/// The number of eight digits, one in each byte, the first one lowest: neighbours are joined to numbers of two digits,
/// these to four, these to eight.
#[inline]
const fn value(digits: u64) -> u64 {
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_FFFF_0000_FFFF;
    fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xFFFF_FFFF
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn texts_are_their_bytes(text in proptest::collection::vec(any::<u8>(), 0..16)) {
            let mut bytes = [0; 16];
            bytes[..text.len()].copy_from_slice(&text);
            prop_assert_eq!(below_16(&text), u128::from_le_bytes(bytes));
            if text.len() <= 8 {
                prop_assert_eq!(u128::from(up_to_8(&text)), u128::from_le_bytes(bytes));
            }
        }

        #[test]
        fn numbers_are_what_is_written(text in "[0-9]{0,18}|[0-9]{0,16}.[0-9]{0,3}") {
            let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && text.len() <= 16;
            let expected = text.parse().ok().filter(|_| plain);
            prop_assert_eq!(number(text.as_bytes()), expected);
        }

        #[test]
        fn digits_around_a_point_are_a_number(text in "[0-9]{0,6}[.,x]?[0-9]{0,6}|[0-9.]{0,9}|.{0,9}") {
            let parts = text.split_once('.').filter(|(whole, fraction)| {
                let are_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
                are_digits(whole) && are_digits(fraction) && text.len() <= 8
            });
            let expected = parts.map(|(whole, fraction)| {
                (format!("{whole}{fraction}").parse().expect("digits"), fraction.len())
            });
            prop_assert_eq!(pointed(text.as_bytes()), expected);
        }

        #[test]
        fn leading_digits_end_where_digits_end(text in "[0-9]{0,10}|[0-9]{0,9}[^0-9].{0,4}") {
            let count = text.bytes().take_while(u8::is_ascii_digit).count();
            let expected = (count < 8).then(|| {
                let digits = format!("{:0<8}", &text[..count]);
                (count, digits.parse().unwrap())
            });
            prop_assert_eq!(leading_digits(text.as_bytes()), expected);
        }
    }
}
