//! Which address is the client's: the walk through `X-Forwarded-For` from the right.
//!
//! Each proxy appends the address it was spoken to from, so the entries on the right are the word of our own proxies
//! and the ones on the left the word of whoever spoke to them. The client is the first address from the right that
//! no trusted proxy has (MDN, "X-Forwarded-For", "Selecting an IP address").

use std::net::IpAddr;

use schemas::Networks;

use crate::address::{is_private, parse_address};

/// What a record says about where it came from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Claim<'a> {
    /// The address that spoke to the edge, if the log has it.
    pub peer: Option<&'a str>,
    /// A header in which a proxy names one client, such as `CF-Connecting-IP`.
    pub named: Option<&'a str>,
    /// `X-Forwarded-For` or `Forwarded` (RFC 7239).
    pub forwarded: Option<&'a str>,
}

/// The outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolved {
    /// The client, or the nearest to it that can be believed.
    pub address: Option<IpAddr>,
    /// There was a header, and the peer is not one to believe it of.
    pub is_ignored: bool,
}

/// The client of a claim.
pub fn resolve(claim: Claim<'_>, trusted: &Networks) -> Resolved {
    match claim.peer {
        // nginx behind a socket of its own machine: whoever speaks there is no stranger.
        None | Some("unix:") => without_peer(claim.forwarded, claim.named, trusted),
        Some(list) if list.contains(',') => without_peer(Some(list), claim.named, trusted),
        Some(peer) => with_peer(peer, claim, trusted),
    }
}

/// Where the log has no peer, or the list in its place, the last entry of the list takes it: it is what the nearest
/// proxy saw. If nobody said who the proxies are, they are taken to be those with private addresses.
fn without_peer(list: Option<&str>, named: Option<&str>, trusted: &Networks) -> Resolved {
    let is_proxy = |address| {
        if trusted.is_empty() { is_private(address) } else { trusted.contains(address) }
    };
    let walked = list.and_then(|list| walk(list, is_proxy));
    Resolved { address: walked.or_else(|| named.and_then(parse_address)), is_ignored: false }
}

fn with_peer(peer: &str, claim: Claim<'_>, trusted: &Networks) -> Resolved {
    // Who forwards for nobody but himself claims nothing.
    let claims = claim.named.is_some() || claim.forwarded.is_some_and(|list| list != peer);
    let peer = parse_address(peer);
    let Some(proxy) = peer.filter(|peer| trusted.contains(*peer)) else {
        return Resolved { address: peer, is_ignored: claims };
    };
    // The list comes first: every proxy appends to it, but a header with one name passes those that do not set it
    // as the client sent it.
    let walked = claim.forwarded.and_then(|list| walk(list, |hop| trusted.contains(hop)));
    let client = walked.or_else(|| claim.named.and_then(parse_address));
    Resolved { address: Some(client.unwrap_or(proxy)), is_ignored: false }
}

/// From the right, the first address that is no proxy's; the leftmost when all are. It ends at what is no address
/// (`unknown`, a name): nobody vouches for what stands left of it.
fn walk(list: &str, is_proxy: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let mut client = None;
    for entry in walked(list) {
        let Some(address) = parse_address(entry) else { break };
        client = Some(address);
        if !is_proxy(address) {
            break;
        }
    }
    client
}

/// What the entries of a list name, from right to left.
pub(super) fn walked(list: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    // Commas in quotes divide nothing (RFC 9110, section 5.6.4).
    let divides = move |character| {
        is_quoted ^= character == '"';
        character == ',' && !is_quoted
    };
    list.rsplit(divides).map(|entry| node(entry).trim())
}

/// The address of an entry: of `for=192.0.2.60;proto=http` what stands behind `for=`.
fn node(entry: &str) -> &str {
    if memchr::memchr(b'=', entry.as_bytes()).is_none() {
        return entry;
    }
    let is_for =
        |pair: &&str| pair.trim().get(..4).is_some_and(|key| key.eq_ignore_ascii_case("for="));
    match entry.split(';').find(is_for) {
        Some(pair) => pair.trim().get(4..).unwrap_or_default(),
        None => entry,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn client(peer: &str, forwarded: &str) -> (String, bool) {
        let trusted = Networks::parse(["10.0.0.0/8", "2001:db8:ffff::/48"]).unwrap();
        let claim = Claim {
            peer: (!peer.is_empty()).then_some(peer),
            named: None,
            forwarded: (!forwarded.is_empty()).then_some(forwarded),
        };
        let resolved = resolve(claim, &trusted);
        (
            resolved.address.map(|address| address.to_string()).unwrap_or_default(),
            resolved.is_ignored,
        )
    }

    #[test]
    fn the_walk_goes_from_right_to_left() {
        for (peer, forwarded, expected, is_ignored) in [
            // Forged entries on the left change nothing.
            ("10.0.0.1", "1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9", false),
            ("10.0.0.1", "203.0.113.9", "203.0.113.9", false),
            ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3", false),
            ("10.0.0.1", "", "10.0.0.1", false),
            ("10.0.0.1", "unknown", "10.0.0.1", false),
            ("10.0.0.1", "198.51.100.1, unknown, 10.0.0.2", "10.0.0.2", false),
            // Ports, brackets, quotes, zones, mapped addresses, RFC 7239.
            ("10.0.0.1:443", "203.0.113.9:1234", "203.0.113.9", false),
            ("::ffff:10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9", false),
            ("2001:db8:ffff::1", "\"[2001:db8::9]:4711\"", "2001:db8::9", false),
            ("10.0.0.1", "for=203.0.113.9;proto=https, For=\"10.0.0.7:80\"", "203.0.113.9", false),
            ("10.0.0.1", "for=203.0.113.9, for=10.0.0.7;host=\"a,b;c\"", "203.0.113.9", false),
            // A list in the place of the peer, whatever its entries look like.
            ("1.1.1.1:80, 203.0.113.9", "", "203.0.113.9", false),
            ("[2001:db8::1], 203.0.113.9", "", "203.0.113.9", false),
            ("::1%x, 203.0.113.9", "", "203.0.113.9", false),
            // Nobody believes a stranger, nor one who is known by name alone.
            ("client.example", "1.1.1.1", "", true),
            ("unix:", "203.0.113.9", "203.0.113.9", false),
            ("198.51.100.7", "1.1.1.1", "198.51.100.7", true),
            ("198.51.100.7", "", "198.51.100.7", false),
            // Without a peer the nearest proxy's word counts.
            ("", "1.1.1.1, 203.0.113.9", "203.0.113.9", false),
            ("1.1.1.1, 203.0.113.9, 10.0.0.2", "", "203.0.113.9", false),
        ] {
            let (expected, found) = ((expected.to_owned(), is_ignored), client(peer, forwarded));
            assert_eq!(found, expected, "peer {peer}, header {forwarded}");
        }
    }

    #[test]
    fn without_peer_and_trusted_proxies_the_private_ones_are_passed_over() {
        for (forwarded, expected) in [
            ("1.1.1.1, 203.0.113.9, 10.42.0.1", "203.0.113.9"),
            ("192.168.1.100, 10.42.0.1", "192.168.1.100"),
            ("fd00::5a24, [fd00::1]:54321", "fd00::5a24"),
            ("1.1.1.1, 203.0.113.9", "203.0.113.9"),
        ] {
            let claim = Claim { forwarded: Some(forwarded), ..Claim::default() };
            let address = resolve(claim, &Networks::default()).address.unwrap();
            assert_eq!(address.to_string(), expected, "{forwarded}");
        }
    }

    #[test]
    fn a_header_with_one_client_is_for_want_of_a_list_and_from_a_trusted_peer_only() {
        let trusted = Networks::parse(["10.0.0.0/8"]).unwrap();
        let address = |peer, forwarded| {
            let claim = Claim { peer: Some(peer), named: Some("203.0.113.9"), forwarded };
            resolve(claim, &trusted).address.unwrap().to_string()
        };
        assert_eq!(address("10.0.0.1", None), "203.0.113.9");
        assert_eq!(address("10.0.0.1", Some("unknown")), "203.0.113.9");
        assert_eq!(address("192.0.2.1", None), "192.0.2.1");
        // A client that sends the header through a proxy which sets the list alone.
        assert_eq!(address("10.0.0.1", Some("203.0.113.9, 198.51.100.1")), "198.51.100.1");
    }

    proptest! {
        /// Whatever a client sends in the header, its own address stands behind it and is what counts.
        #[test]
        fn a_client_cannot_choose_its_address(forged in "[ -~]{0,60}") {
            let (found, _) = client("10.0.0.1", &format!("{forged}, 203.0.113.9, 10.0.0.2"));
            prop_assert_eq!(found, "203.0.113.9");
        }
    }
}
