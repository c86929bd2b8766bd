//! Numbers of any length in their binary form: digits of base 10,000 (`numeric_send` of PostgreSQL).

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

/// Signs.
const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;

/// Decimal digits of a digit.
const WIDTH: usize = 4;

/// Writes a number that is given as decimal digits, with a point or without.
pub(super) fn put(out: &mut BytesMut, text: &str) {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (NEGATIVE, digits),
        None => (POSITIVE, text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = whole.trim_start_matches('0');
    let value =
        |group: &[u8]| group.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    // The first one may be short of digits before it, the last of digits behind it.
    let before = whole.as_bytes().rchunks(WIDTH).rev().map(value);
    let behind = part.as_bytes().chunks(WIDTH);
    let behind = behind.map(|group| (group.len()..WIDTH).fold(value(group), |sum, _| sum * 10));
    let weight = before.len();
    let values = before.chain(behind);
    let is_zero = |value: &u16| *value == 0;
    let leading = values.clone().take_while(is_zero).count();
    let trailing = values.clone().rev().take_while(is_zero).count();
    let kept = values.clone().count().saturating_sub(leading + trailing);
    let count = |of: usize| u16::try_from(of).unwrap_or(u16::MAX);
    let place = |of: usize| i16::try_from(of).unwrap_or(i16::MAX);
    out.put_u16(count(kept));
    out.put_i16(if kept == 0 { 0 } else { place(weight) - place(leading) - 1 });
    out.put_u16(if kept == 0 { POSITIVE } else { sign });
    out.put_u16(count(part.len()));
    values.skip(leading).take(kept).for_each(|value| out.put_u16(value));
}

/// The decimal digits of a number in its binary form; `None` for what is none, or no finite one.
pub(super) fn text(mut bytes: Bytes) -> Option<String> {
    if bytes.len() < 8 {
        return None;
    }
    let (count, weight) = (usize::from(bytes.get_u16()), bytes.get_i16());
    let (sign, scale) = (bytes.get_u16(), usize::from(bytes.get_u16()));
    // More digits than any type of ours holds.
    if bytes.len() != count * 2 || !(-20..20).contains(&weight) || count > 40 || scale > 80 {
        return None;
    }
    let digits: Vec<u16> = (0..count).map(|_| bytes.get_u16()).collect();
    if digits.iter().any(|digit| *digit > 9_999) {
        return None;
    }
    let mut text = match sign {
        POSITIVE => String::new(),
        NEGATIVE => "-".to_owned(),
        _ => return None,
    };
    let at = |place: i16| {
        let index = usize::try_from(weight - place).ok();
        let digit = index.and_then(|index| digits.get(index)).copied().unwrap_or(0);
        format!("{digit:04}")
    };
    let whole: String = (0..=weight.max(0)).rev().map(at).collect();
    let whole = whole.trim_start_matches('0');
    text.push_str(if whole.is_empty() { "0" } else { whole });
    if scale > 0 {
        let places = i16::try_from(scale.div_ceil(WIDTH)).unwrap_or(0);
        let part: String = (1..=places).map(|place| at(-place)).collect();
        text.push('.');
        text.push_str(part.get(..scale)?);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_the_way_there_and_back() {
        for number in [
            "0",
            "1",
            "-1",
            "10000",
            "12345678901234567890",
            "0.0001",
            "-0.10",
            "123.4500",
            "9999.9999",
            "100000000.00000001",
            "0.00000001",
        ] {
            let mut bytes = BytesMut::new();
            put(&mut bytes, number);
            assert_eq!(text(bytes.freeze()).as_deref(), Some(number));
        }
        assert_eq!(text(Bytes::from_static(b"\0\0\0\0\xc0\0\0\0")), None, "no number");
        assert_eq!(text(Bytes::from_static(b"\0\x01")), None);
    }

    #[test]
    fn the_form_is_that_of_postgres() {
        let mut bytes = BytesMut::new();
        put(&mut bytes, "12345.6");
        assert_eq!(&bytes[..], b"\0\x03\0\x01\0\0\0\x01\0\x01\x09\x29\x17\x70");
    }
}
