//! Addresses in lines that are no records: wherever they stand, with names, ports and punctuation around them.
//!
//! Where it is unclear what belongs to an address, rather too much is taken for one than too little.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

/// Shortest IPv6 address of a client, such as `2a00::1`: shorter ones say nothing about anybody.
const IPV6_BYTES_MIN: usize = 7;

/// `%3A`.
const ESCAPE_BYTES: usize = 3;

/// Longest text that is tried as an IPv6 address, with what may stand before and behind it.
const IPV6_BYTES_MAX: usize = 64;

/// A copy of `raw` with each address replaced, also where its colons and dots are written `%3A` and `%2E`.
pub(super) fn replace(raw: &[u8], with: impl Fn(IpAddr) -> IpAddr) -> Vec<u8> {
    let unescaped = Unescaped::new(raw);
    let mut copy = Vec::with_capacity(raw.len());
    let (mut at, mut done) = (0, 0);
    for run in unescaped.bytes.chunk_by(|a, b| is_of_address(*a) == is_of_address(*b)) {
        // The bytes of an address are ASCII; whatever else this is, it holds none.
        let text = std::str::from_utf8(run).unwrap_or_default();
        for (place, address) in find(text) {
            let start = unescaped.place(at + place.start);
            copy.extend_from_slice(raw.get(done..start).unwrap_or_default());
            copy.extend(with(address.to_canonical()).to_string().into_bytes());
            done = unescaped.place(at + place.end);
        }
        at += run.len();
    }
    copy.extend_from_slice(raw.get(done..).unwrap_or_default());
    copy
}

/// A line in which the escapes of the punctuation of addresses are resolved.
struct Unescaped {
    bytes: Vec<u8>,
    /// Where the escapes were, in `bytes`.
    escapes: Vec<usize>,
}

impl Unescaped {
    fn new(raw: &[u8]) -> Self {
        let mut unescaped = Self { bytes: Vec::with_capacity(raw.len()), escapes: Vec::new() };
        let mut rest = raw;
        while let Some(at) = memchr::memchr(b'%', rest) {
            let (before, escape) = rest.split_at(at);
            let (byte, length) = match escape {
                [_, b'3', b'A' | b'a', ..] => (b':', ESCAPE_BYTES),
                [_, b'2', b'E' | b'e', ..] => (b'.', ESCAPE_BYTES),
                _ => (b'%', 1),
            };
            unescaped.bytes.extend_from_slice(before);
            if length > 1 {
                unescaped.escapes.push(unescaped.bytes.len());
            }
            unescaped.bytes.push(byte);
            rest = escape.get(length..).unwrap_or_default();
        }
        unescaped.bytes.extend_from_slice(rest);
        unescaped
    }

    /// Where in the line a byte came from.
    fn place(&self, at: usize) -> usize {
        at + self.escapes.partition_point(|escape| *escape < at) * (ESCAPE_BYTES - 1)
    }
}

const fn is_of_address(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || byte == b'.' || byte == b':'
}

/// The addresses of a text that has no bytes but those of addresses, in order.
fn find(text: &str) -> Vec<(Range<usize>, IpAddr)> {
    let Some((at, address)) = ipv6(text) else { return ipv4s(text, 0..text.len()).collect() };
    let before = ipv4s(text, 0..at.start);
    let behind = ipv4s(text, at.end..text.len());
    before.chain([(at.clone(), address)]).chain(behind).collect()
}

/// The text, perhaps without a name before its first colon, and a full stop or port behind.
fn ipv6(text: &str) -> Option<(Range<usize>, IpAddr)> {
    if !(IPV6_BYTES_MIN..=IPV6_BYTES_MAX).contains(&text.len()) {
        return None;
    }
    let starts = [0, text.find(':')? + 1];
    let ends = [text.len(), text.trim_end_matches('.').len(), text.rfind(':')?];
    ends.into_iter().find_map(|end| {
        starts.into_iter().find_map(|start| {
            let found = text.get(start..end).filter(|found| found.len() >= IPV6_BYTES_MIN)?;
            let address: Ipv6Addr = found.parse().ok()?;
            Some((start..end, address.into()))
        })
    })
}

/// The IPv4 addresses of a part of the text: no colon belongs to one.
fn ipv4s(text: &str, part: Range<usize>) -> impl Iterator<Item = (Range<usize>, IpAddr)> {
    let mut at = part.start;
    text.get(part).unwrap_or_default().split(':').filter_map(move |piece| {
        let start = at;
        at += piece.len() + 1;
        ipv4(piece).map(|(range, address)| (start + range.start..start + range.end, address))
    })
}

/// Four numbers with dots between them; letters that are hexadecimal digits too may touch them. Five are a version.
fn ipv4(piece: &str) -> Option<(Range<usize>, IpAddr)> {
    let start = piece.len() - piece.trim_start_matches('.').len();
    let text = piece.get(start..)?.trim_end_matches('.');
    let mut numbers = text.split('.');
    let (first, second) = (numbers.next()?, numbers.next()?);
    let (third, fourth) = (numbers.next()?, numbers.next()?);
    if numbers.next().is_some() {
        return None;
    }
    let octet = |digits: &str| digits.parse::<u8>().ok();
    let longest = |of: &dyn Fn(usize) -> Option<u8>| {
        (1..=3).rev().find_map(|digits| of(digits).map(|octet| (digits, octet)))
    };
    let (digits, a) = longest(&|n| octet(first.get(first.len().checked_sub(n)?..)?))?;
    let (last_digits, d) = longest(&|n| octet(fourth.get(..n)?))?;
    let before = start + first.len() - digits;
    let end = start + text.len() - fourth.len() + last_digits;
    Some((before..end, Ipv4Addr::new(a, octet(second)?, octet(third)?, d).into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn replaced(text: &str) -> String {
        let with = |address: IpAddr| match address {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        String::from_utf8(replace(text.as_bytes(), with)).unwrap()
    }

    #[test]
    fn addresses_are_found_whatever_touches_them() {
        for (text, expected) in [
            ("203.0.113.77", "0.0.0.0"),
            ("client:203.0.113.77:443,", "client:0.0.0.0:443,"),
            ("203.0.113.77. Then", "0.0.0.0. Then"),
            ("src=203.0.113.77,198.51.100.7", "src=0.0.0.0,0.0.0.0"),
            ("203.0.113.77:198.51.100.7", "0.0.0.0:0.0.0.0"),
            ("?ip%3A203.0.113.77%20", "?ip%3A0.0.0.0%20"),
            ("2001:db8::5", "::"),
            ("peer:2001:db8::5.", "peer:::."),
            ("[2001:db8::5]:443", "[::]:443"),
            ("src:2001:db8:1:2:3:4:5:6", "src:::"),
            ("203.0.113.77:2001:db8::5", "0.0.0.0:::"),
            ("::ffff:203.0.113.77", "0.0.0.0"),
            ("?ip=2001%3Adb8%3a%3A5%20", "?ip=::%20"),
            ("%3A203%2E0%2e113.77%3A80%3a", "%3A0.0.0.0%3A80%3a"),
            ("50%25 %3 %2E%", "50%25 %3 %2E%"),
            // Neither times, versions nor addresses of another kind.
            ("12:30:45.123", "12:30:45.123"),
            ("v1.2.3.4.5 1.2.3 a.b.c.d", "v1.2.3.4.5 1.2.3 a.b.c.d"),
            ("00:1a:2b:3c:4d:5e", "00:1a:2b:3c:4d:5e"),
        ] {
            assert_eq!(replaced(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_address_in_any_text_is_gone(
            before in "([ -~]{0,20}[ =\",(])?",
            bits in 1..=u32::MAX,
            behind in "([ :,\";)][ -~]{0,20})?",
        ) {
            let address = format!("{before}{}", Ipv4Addr::from_bits(bits));
            let shown = replaced(&format!("{address}{behind}"));
            prop_assert!(!shown.contains(&address), "{}{} → {}", address, behind, shown);
        }

        #[test]
        fn what_is_no_address_stays(raw in proptest::collection::vec(0x80_u8.., 0..200)) {
            prop_assert_eq!(replace(&raw, |_| IpAddr::V4(Ipv4Addr::UNSPECIFIED)), raw);
        }
    }
}
