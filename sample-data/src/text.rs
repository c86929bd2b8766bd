//! Appending to a line without allocating.

use std::io::Write as _;
use std::net::IpAddr;

/// Appends text as it is.
pub(crate) fn push_text(line: &mut Vec<u8>, text: &str) {
    line.extend_from_slice(text.as_bytes());
}

/// Appends a decimal number.
pub(crate) fn push_number(line: &mut Vec<u8>, mut n: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = digit(n % 10);
        n /= 10;
        if n == 0 {
            break;
        }
    }
    line.extend_from_slice(&digits[at..]);
}

/// Appends the last `width` decimal digits of a number, with leading zeros.
pub(crate) fn push_fixed(line: &mut Vec<u8>, mut n: u64, width: usize) {
    let start = line.len();
    line.resize(start + width, b'0');
    for slot in line[start..].iter_mut().rev() {
        *slot = digit(n % 10);
        n /= 10;
    }
}

/// Appends 16 lower-case hexadecimal digits.
pub(crate) fn push_hex16(line: &mut Vec<u8>, n: u64) {
    for shift in (0..16).rev() {
        let nibble = (n >> (4 * shift)) & 0xf;
        line.push(b"0123456789abcdef"[usize::try_from(nibble).unwrap_or(0)]);
    }
}

/// Appends an address in canonical text (RFC 5952 for IPv6).
pub(crate) fn push_ip(line: &mut Vec<u8>, ip: IpAddr) {
    match ip {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            for (octet, after) in [(a, "."), (b, "."), (c, "."), (d, "")] {
                push_number(line, u64::from(octet));
                push_text(line, after);
            }
        }
        // Writing to a vector cannot fail.
        IpAddr::V6(v6) => write!(line, "{v6}").unwrap_or_default(),
    }
}

fn digit(n: u64) -> u8 {
    b'0' + u8::try_from(n).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_addresses() {
        let mut line = Vec::new();
        push_number(&mut line, 0);
        line.push(b' ');
        push_number(&mut line, u64::MAX);
        line.push(b' ');
        push_fixed(&mut line, 1_234, 3);
        line.push(b' ');
        push_hex16(&mut line, 0xbeef);
        line.push(b' ');
        push_ip(&mut line, "198.18.0.255".parse().unwrap());
        line.push(b' ');
        push_ip(&mut line, "2001:db8:0:0:1::2".parse().unwrap());
        let text = String::from_utf8(line).unwrap();
        assert_eq!(
            text,
            "0 18446744073709551615 234 000000000000beef 198.18.0.255 2001:db8::1:0:0:2"
        );
    }
}
