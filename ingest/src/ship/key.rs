//! The key of a message: the client's network, so that all requests of a source come in one partition.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bits of an IPv4 address that make a key.
const V4_BITS: u32 = 24;

/// Bits of an IPv6 address that make a key.
const V6_BITS: u32 = 64;

/// Tokens of a plain line in which the client address is looked for: a host may come before it.
const TOKENS_MAX: usize = 3;

/// Bytes of the longest address in text: IPv4 in IPv6, and a scope.
const ADDRESS_BYTES_MAX: usize = 64;

/// Names under which JSON logs give the client address, the most telling first.
const JSON_NAMES: [&str; 16] = [
    "ClientIP",
    "client_ip",
    "clientIp",
    "client_addr",
    "client_address",
    "remote_addr",
    "remote_ip",
    "remote_host",
    "remoteAddr",
    "c-ip",
    "c_ip",
    "cliIP",
    "clientRequestIP",
    "src_ip",
    "source_ip",
    "ip",
];

/// The network of a client: an IPv4 /24 or an IPv6 /64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientNetwork(IpAddr);

impl ClientNetwork {
    /// The network of `address`. IPv4 written as IPv6 counts as IPv4.
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(v4) => {
                IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & (u32::MAX << (32 - V4_BITS))))
            }
            IpAddr::V6(v6) => {
                IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << (128 - V6_BITS))))
            }
        })
    }
}

impl fmt::Display for ClientNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = if self.0.is_ipv4() { V4_BITS } else { V6_BITS };
        write!(f, "{}/{bits}", self.0)
    }
}

/// Finds the client's network in a line of any of the formats we read, without decoding the line.
///
/// JSON: the value of the first known name that is an address, at any depth. Otherwise: the first of
/// the first three tokens that is an address. `None` is no fault: such a message gets no key.
///
/// # Example
/// ```
/// # use ingest::client_network;
/// let line = br#"www.example.org 203.0.113.7 - - [01/Mar/2026:00:00:00 +0000] "GET / HTTP/1.1" 200 5"#;
/// assert_eq!(client_network(line).unwrap().to_string(), "203.0.113.0/24");
/// ```
pub fn client_network(line: &[u8]) -> Option<ClientNetwork> {
    let line = line.trim_ascii();
    let address =
        if line.first() == Some(&b'{') { json_address(line) } else { plain_address(line) };
    address.map(ClientNetwork::of)
}

fn plain_address(line: &[u8]) -> Option<IpAddr> {
    line.split(|byte| matches!(byte, b' ' | b'\t' | b','))
        .filter(|token| !token.is_empty())
        .take(TOKENS_MAX)
        .find_map(parse)
}

/// Looks at the names of the line once, in the order they come.
fn json_address(line: &[u8]) -> Option<IpAddr> {
    let mut best: Option<(usize, IpAddr)> = None;
    let mut rest = line;
    while let Some(quote) = memchr::memchr(b'"', rest) {
        rest = rest.get(quote + 1..)?;
        let Some(end) = string_end(rest) else { break };
        let (name, after) = rest.split_at_checked(end)?;
        rest = after.get(1..)?;
        let Some(value) = string_value(rest) else { continue };
        let Some(rank) = JSON_NAMES.iter().position(|known| known.as_bytes() == name) else {
            continue;
        };
        if best.is_none_or(|(so_far, _)| rank < so_far) {
            best = parse(value).map(|address| (rank, address)).or(best);
        }
        if rank == 0 && best.is_some() {
            break;
        }
    }
    best.map(|(_, address)| address)
}

/// Where the quote is that ends a string.
fn string_end(text: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let found = memchr::memchr2(b'"', b'\\', text.get(from..)?)? + from;
        match text.get(found) {
            Some(b'\\') => from = found + 2,
            _ => return Some(found),
        }
    }
}

/// The string that follows a name: `: "…"`.
fn string_value(after_name: &[u8]) -> Option<&[u8]> {
    let value = after_name.trim_ascii_start().strip_prefix(b":")?;
    let value = value.trim_ascii_start().strip_prefix(b"\"")?;
    value.get(..string_end(value)?)
}

fn parse(token: &[u8]) -> Option<IpAddr> {
    if token.len() > ADDRESS_BYTES_MAX {
        return None;
    }
    let token = std::str::from_utf8(token).ok()?.trim_matches(['"', '[', ']']);
    // A list of forwarded addresses names the client first.
    token.split(',').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, network: &str) {
        let found = client_network(line.as_bytes());
        assert_eq!(found.map_or("none".to_owned(), |network| network.to_string()), network);
    }

    #[test]
    fn plain_lines_name_the_client_first_or_after_the_host() {
        check("203.0.113.7 - - [x] \"GET / HTTP/1.1\" 200 5", "203.0.113.0/24");
        check("www.example.org:443 2001:db8:1:2:3::4 - -", "2001:db8:1:2::/64");
        check("::ffff:203.0.113.7 - -", "203.0.113.0/24");
        check("- - - 203.0.113.7", "none");
        check("", "none");
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_have_a_key_or_none(
            line in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80),
            text in r#"\{["\\:{} a,]*("ClientIP"|"ip")?["\\: 1.a]*"#,
        ) {
            client_network(&line);
            client_network(text.as_bytes());
        }

        #[test]
        fn neighbours_share_a_key(bits: u32, low in 0_u32..256) {
            let network = |bits| ClientNetwork::of(IpAddr::V4(Ipv4Addr::from_bits(bits)));
            proptest::prop_assert_eq!(network(bits), network(bits & !255 | low));
        }
    }

    #[test]
    fn json_lines_name_the_client_anywhere() {
        check(r#"{"a":"ClientIP","b":1,"ClientIP" : "203.0.113.7"}"#, "203.0.113.0/24");
        check(r#"{"ip":"198.51.100.1","remote_addr":"203.0.113.7"}"#, "203.0.113.0/24");
        check(r#"{"ua":"\"ClientIP\":\"1.2.3.4\"","ClientIP":"203.0.113.7"}"#, "203.0.113.0/24");
        check(r#"{"request":{"client_ip":"2001:db8::1","#, "2001:db8::/64");
        check(r#"{"ClientIP":7}"#, "none");
        check(r#"{"ClientIP":"203"#, "none");
        check(r#"{"ClientIP"#, "none");
    }
}
