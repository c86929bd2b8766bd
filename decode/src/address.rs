//! Client addresses and host names in one canonical spelling.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::lanes::{contains, is, mask, within};
use super::numbers::is_digits;
use super::search;

/// The canonical text of the first address in `text`, or `None` when there is none.
///
/// Brackets, port and zone are stripped, of a list (`X-Forwarded-For`) the first entry counts, IPv6 is written as
/// in RFC 5952 and IPv4-mapped IPv6 as IPv4. `scratch` is used when the canonical text differs from the given.
#[inline]
pub fn canonical_ip<'a>(text: &'a str, scratch: &'a mut String) -> Option<&'a str> {
    if is_plain_ip(text) { Some(text) } else { canonical_other(text, scratch) }
}

/// The same of a text that is [no plain one](is_plain_ip).
#[inline]
pub(super) fn canonical_other<'a>(text: &'a str, scratch: &'a mut String) -> Option<&'a str> {
    if let Some(rest) = text.strip_prefix('[')
        && let Some((host, _)) = search::divide(rest, b']')
        && is_plain_ipv6(host.as_bytes())
    {
        return Some(host);
    }
    if let Some(colon) = search::byte(text.as_bytes(), b':')
        && let Some(host) = text.get(..colon).filter(|host| is_ipv4(host.as_bytes()))
    {
        return Some(host);
    }
    match parse_ip(text)? {
        (IpAddr::V4(_), text) => Some(text),
        (IpAddr::V6(address), _) => {
            scratch.clear();
            match address.to_ipv4_mapped() {
                Some(address) => write!(scratch, "{address}").ok()?,
                None => write!(scratch, "{address}").ok()?,
            }
            Some(scratch)
        }
    }
}

/// Whether the text is an address, and certainly in its canonical spelling.
#[inline]
pub fn is_plain_ip(text: &str) -> bool {
    is_ipv4(text.as_bytes()) || is_plain_ipv6(text.as_bytes())
}

/// The address before a port, if the text is a plain one with a port: `192.0.2.1:80`, `[2001:db8::1]:80`.
#[inline]
pub fn without_port(text: &str) -> Option<&str> {
    if let Some(inner) = text.strip_prefix('[') {
        let (host, behind) = search::divide(inner, b']')?;
        let port = behind.strip_prefix(':')?;
        return (is_plain_ipv6(host.as_bytes()) && is_port(port)).then_some(host);
    }
    let (host, port) = search::divide(text, b':')?;
    (is_ipv4(host.as_bytes()) && is_port(port)).then_some(host)
}

/// The plain IPv4 address that the text is: four numbers up to 255 without leading zeros.
fn plain_ipv4(text: &[u8]) -> Option<Ipv4Addr> {
    let (mut parts, mut value, mut digits, mut first, mut bits) = (0u8, 0u32, 0u8, 0u8, 0u32);
    if text.len() > 15 {
        return None;
    }
    for &byte in text {
        match byte {
            b'0'..=b'9' => {
                if digits == 0 {
                    first = byte;
                }
                digits += 1;
                value = value * 10 + u32::from(byte - b'0');
                if digits > 3 || value > 255 || (digits > 1 && first == b'0') {
                    return None;
                }
            }
            b'.' if digits > 0 => {
                parts += 1;
                bits = bits << 8 | value;
                value = 0;
                digits = 0;
            }
            _ => return None,
        }
    }
    (parts == 3 && digits > 0).then(|| Ipv4Addr::from_bits(bits << 8 | value))
}

/// An address that no client on the internet has (RFC 1918, RFC 4193, loopback, link-local).
pub(crate) const fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_loopback() || v6.is_unicast_link_local(),
    }
}

/// Whether the text is what [`plain_ipv4`] reads. By masks with a bit for each byte, since no processor can predict the
/// branches of a loop over addresses.
pub(super) fn is_ipv4(text: &[u8]) -> bool {
    if !(7..=15).contains(&text.len()) {
        return false;
    }
    let all = (1 << text.len()) - 1;
    let dots = mask(text, is(b'.'));
    let digits = mask(text, within(b'0', b'9'));
    let starts = (dots << 1 | 1) & digits;
    let pairs = starts & digits >> 1;
    let threes = pairs & digits >> 2;
    let fours = threes & digits >> 3;
    let zeros = mask(text, is(b'0'));
    let (twos, above_two) = (mask(text, is(b'2')), mask(text, within(b'3', b'9')));
    let (fives, above_five) = (mask(text, is(b'5')), mask(text, within(b'6', b'9')));
    // The two digits behind are above 55.
    let above_5x = above_five >> 1 | fives >> 1 & above_five >> 2;
    let too_large = threes & (above_two | twos & above_5x);
    dots | digits == all
        && dots.count_ones() == 3
        && starts.count_ones() == 4
        && fours | pairs & zeros | too_large == 0
}

/// Whether the text is an IPv6 address that is certainly canonical: lower case, no leading zeros, no group `0`, and
/// at most one `::`, inside. Other canonical addresses take the long way.
pub(super) fn is_plain_ipv6(text: &[u8]) -> bool {
    if !(4..=39).contains(&text.len()) || matches!(text, [b':', ..] | [.., b':']) {
        return false;
    }
    let all = (1 << text.len()) - 1;
    let (is_number, is_letter) = (within(b'0', b'9'), within(b'a', b'f'));
    let digits = mask(text, |bytes| is_number(bytes) | is_letter(bytes));
    let colons = mask(text, is(b':'));
    let starts = (colons << 1 | 1) & digits;
    let five = digits & digits >> 1 & digits >> 2 & digits >> 3 & digits >> 4;
    if digits | colons != all || five | starts & mask(text, is(b'0')) != 0 {
        return false;
    }
    let gaps = (colons & colons >> 1).count_ones();
    // With `::` at least two groups are left out: six groups at most, so six colons.
    let colons = colons.count_ones();
    (gaps == 0 && colons == 7) || (gaps == 1 && (2..=6).contains(&colons))
}

/// The address in `text`, without port, brackets, zone or quotes; an IPv4-mapped one as IPv4.
pub fn parse_address(text: &str) -> Option<IpAddr> {
    if let Some(address) = plain_ipv4(text.as_bytes()) {
        return Some(address.into());
    }
    parse_entry(text).map(|(address, _)| address.to_canonical())
}

fn parse_ip(text: &str) -> Option<(IpAddr, &str)> {
    parse_entry(text.split(',').next()?)
}

fn parse_entry(text: &str) -> Option<(IpAddr, &str)> {
    let text = text.trim_matches([' ', '"', '\'']);
    let (host, bracketed) = match text.strip_prefix('[') {
        Some(rest) => (rest.split(']').next()?, true),
        None => (text, false),
    };
    let host = host.split('%').next()?;
    if let Ok(address) = host.parse::<Ipv6Addr>() {
        return Some((IpAddr::V6(address), host));
    }
    let host = if bracketed { host } else { host.split(':').next()? };
    host.parse::<Ipv4Addr>().ok().map(|address| (IpAddr::V4(address), host))
}

/// Lower-cased host without port, brackets and trailing dot; `None` when nothing is left, or the text can be no host.
#[inline]
pub fn canonical_host<'a>(text: &'a str, scratch: &'a mut String) -> Option<&'a str> {
    let (host, port) = search::divide(text, b':').unwrap_or((text, ""));
    if is_plain_host(host.as_bytes()) && is_port(port) {
        Some(host)
    } else {
        any_host(text, scratch)
    }
}

/// Whether the text is a host, and certainly in its canonical spelling: small letters, digits, `-` and `.`. Where a digit is the
/// last it may be a number.
#[inline]
fn is_plain_host(text: &[u8]) -> bool {
    let (is_letter, is_slash, is_rest) = (within(b'a', b'z'), is(b'/'), within(b'-', b'9'));
    // What is between `-` and `9`: digits, the dot, and a slash.
    let is_other = |bytes| !(is_letter(bytes) | is_rest(bytes)) | is_slash(bytes);
    !text.is_empty()
        && !matches!(text, [b'-'] | [.., b'.' | b'0'..=b'9'])
        && !contains(text, is_other)
}

#[inline]
fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the last label of a name is a number, which no name of a machine has.
pub fn ends_in_number(name: &str) -> bool {
    let last = name.trim_end_matches('.').rsplit('.').next().unwrap_or(name);
    is_digits(last)
}

/// Whether what stands where a host does is a number, a duration or part of an address: the last label of a host is a number in
/// addresses only (WHATWG URL, "ends in a number").
fn is_number(host: &str) -> bool {
    ends_in_number(host) && !is_ipv4(host.as_bytes())
}

#[cold]
fn any_host<'a>(text: &'a str, scratch: &'a mut String) -> Option<&'a str> {
    if !is_possible_host(text) {
        return None;
    }
    let host = strip_port(text);
    if is_number(host) {
        return None;
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.is_empty() || host == "-" {
        return None;
    }
    Some(lower(host, scratch))
}

/// Whether a text has only what hosts are made of: letters, digits, `-`, `.` and `_`, and those of other scripts; colons
/// are of a port or an address.
fn is_possible_host(text: &str) -> bool {
    let is_of_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '_');
    if text.chars().all(is_of_name) {
        return true;
    }
    if canonical_ip(text, &mut String::new()).is_some() {
        return !text.contains([' ', '"', '\'', ',']);
    }
    match text.rsplit_once(':') {
        Some((host, port)) => host.chars().all(is_of_name) && is_port(port),
        None => false,
    }
}

fn strip_port(text: &str) -> &str {
    if let Some(rest) = text.strip_prefix('[') {
        return rest.split(']').next().unwrap_or(rest);
    }
    let Some(colon) = search::byte(text.as_bytes(), b':') else { return text };
    match text.split_at_checked(colon) {
        // One colon, and nothing but digits behind it.
        Some((host, port)) if port.bytes().skip(1).all(|byte| byte.is_ascii_digit()) => host,
        _ => text,
    }
}

/// `text` in ASCII lower case; `scratch` holds it when it was not already.
#[inline]
pub fn lower<'a>(text: &'a str, scratch: &'a mut String) -> &'a str {
    if contains(text.as_bytes(), within(b'A', b'Z')) {
        scratch.clear();
        scratch.push_str(text);
        scratch.make_ascii_lowercase();
        scratch
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_short_way_to_ipv4_agrees_with_the_long_one(
            text in "((0|[1-9]|1[0-9]{1,2}|2[0-9]{0,2}|[0-9]{1,3})[.]){3}([0-9]{1,3}|25[0-9])|[0-9.]{5,17}|[0-9.x]{0,9}",
        ) {
            prop_assert_eq!(is_ipv4(text.as_bytes()), text.parse::<Ipv4Addr>().is_ok(), "{}", text);
        }

        #[test]
        fn the_short_way_to_ipv6_takes_no_other_spelling(
            text in "([0-9a-f]{1,4}:){1,7}:?([0-9a-f]{1,4}:){0,5}[0-9a-f]{0,4}|[0-9a-fA-F:]{0,40}",
        ) {
            if is_plain_ipv6(text.as_bytes()) {
                prop_assert_eq!(text.parse::<Ipv6Addr>().unwrap().to_string(), text);
            }
        }
    }

    #[test]
    fn addresses() {
        for (text, expected) in [
            ("192.0.2.1", Some("192.0.2.1")),
            ("192.0.2.1:443", Some("192.0.2.1")),
            ("::ffff:192.0.2.1", Some("192.0.2.1")),
            ("[::FFFF:192.0.2.1]:80", Some("192.0.2.1")),
            ("2001:0DB8:0:0::1", Some("2001:db8::1")),
            ("[2001:db8::1]:8080", Some("2001:db8::1")),
            ("fe80::1%eth0", Some("fe80::1")),
            ("::1", Some("::1")),
            ("192.0.2.7, 10.0.0.1", Some("192.0.2.7")),
            ("\"192.0.2.7\"", Some("192.0.2.7")),
            ("256.0.0.1", None),
            ("01.2.3.4", None),
            ("1.2.3", None),
            ("1.2.3.4.5", None),
            ("unix:", None),
            ("host.example", None),
            ("", None),
            ("[", None),
        ] {
            assert_eq!(canonical_ip(text, &mut String::new()), expected, "{text}");
        }
    }

    #[test]
    fn the_short_way_agrees_with_the_long_one() {
        for text in [
            "2001:db8::1",
            "2001:db8:1:2:3:4:5:6",
            "2001:db8:0:2:3:4:5:6",
            "2001:db8::0:1",
            "1::",
            "::1",
            "2001:0db8::1",
            "2001:DB8::1",
            "1:2:3:4:5:6:7::",
            "1:2:3:4:5:6::8",
            "1:2:3:4:5::8",
            "1::2::3",
            "12345::1",
            "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:8:9",
            "1:::2",
            "1::2:3:4:5:6:7",
        ] {
            if is_plain_ipv6(text.as_bytes()) {
                let address: Ipv6Addr = text.parse().unwrap();
                assert_eq!(address.to_string(), text);
            }
        }
        assert!(is_plain_ipv6(b"2001:db8::1") && is_plain_ipv6(b"2001:db8:1:2:3:4:5:6"));
    }

    #[test]
    fn hosts() {
        for (text, expected) in [
            ("WWW.Example.COM:443", Some("www.example.com")),
            ("example.com.", Some("example.com")),
            ("[2001:DB8::1]:443", Some("2001:db8::1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("a:b", None),
            ("a/b", None),
            ("a b", None),
            ("2024-05-01T12:00:00Z", None),
            ("bücher.example", Some("bücher.example")),
            ("_dmarc.example", Some("_dmarc.example")),
            ("[", None),
            (":80", None),
            ("-", None),
        ] {
            assert_eq!(canonical_host(text, &mut String::new()), expected, "{text}");
        }
    }
}
