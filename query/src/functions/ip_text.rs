//! Addresses and networks as text.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Bits of a source: an IPv4 address or an IPv6 /64, as the detector counts.
pub(super) const SOURCE_BITS: (u8, u8) = (32, 64);

/// Reads `192.0.2.1`, `2001:db8::1`, `192.0.2.0/24` or `2001:db8::/32`; IPv4-mapped IPv6 is IPv4.
pub(super) fn parse(text: &str) -> Option<IpNet> {
    let net = match text.split_once('/') {
        None => IpNet::from(text.parse::<IpAddr>().ok()?),
        Some((address, bits)) => IpNet::new(address.parse().ok()?, bits.parse().ok()?).ok()?,
    };
    Some(canonical(net))
}

/// IPv4-mapped IPv6 as IPv4, host bits cleared.
fn canonical(net: IpNet) -> IpNet {
    const MAPPED_BITS: u8 = 96;
    if let IpNet::V6(v6) = net
        && v6.prefix_len() >= MAPPED_BITS
        && let Some(v4) = v6.addr().to_ipv4_mapped()
        && let Ok(v4) = Ipv4Net::new(v4, v6.prefix_len() - MAPPED_BITS)
    {
        return IpNet::V4(v4.trunc());
    }
    net.trunc()
}

/// The network of `bits` around `net`; a network that is wider already stays as it is.
pub(super) fn widen(net: IpNet, v4_bits: u8, v6_bits: u8) -> IpNet {
    let wider = match net {
        IpNet::V4(v4) => Ipv4Net::new(v4.addr(), v4_bits.min(v4.prefix_len())).map(IpNet::V4),
        IpNet::V6(v6) => Ipv6Net::new(v6.addr(), v6_bits.min(v6.prefix_len())).map(IpNet::V6),
    };
    wider.map_or(net, |wider| wider.trunc())
}

/// Whether all of `inner` lies in `outer`.
pub(super) fn within(inner: &IpNet, outer: &IpNet) -> bool {
    outer.contains(inner)
}

/// A source as `source_windows` and `incidents` name it: a bare IPv4 address, or an IPv6 /64.
pub(super) fn source(net: IpNet) -> String {
    match widen(net, SOURCE_BITS.0, SOURCE_BITS.1) {
        IpNet::V4(v4) if v4.prefix_len() == SOURCE_BITS.0 => v4.addr().to_string(),
        net => net.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str, v4: u8, v6: u8) -> Option<String> {
        Some(widen(parse(text)?, v4, v6).to_string())
    }

    #[test]
    fn addresses_widen_to_their_network() {
        assert_eq!(prefix("192.0.2.77", 24, 48).as_deref(), Some("192.0.2.0/24"));
        assert_eq!(prefix("2001:db8:1:2::9", 24, 48).as_deref(), Some("2001:db8:1::/48"));
        assert_eq!(prefix("::ffff:192.0.2.77", 24, 48).as_deref(), Some("192.0.2.0/24"));
        assert_eq!(prefix("192.0.2.77", 0, 0).as_deref(), Some("0.0.0.0/0"));
        assert_eq!(prefix("198.51.0.0/16", 24, 48).as_deref(), Some("198.51.0.0/16"));
        for bad in ["", "-", "unknown", "192.0.2", "192.0.2.1:80", "1.2.3.4/33", "fe80::1%eth0"] {
            assert_eq!(prefix(bad, 24, 48), None, "{bad}");
        }
    }

    #[test]
    fn sources_are_named_as_the_detector_names_them() {
        let of = |text| parse(text).map(source);
        assert_eq!(of("192.0.2.77").as_deref(), Some("192.0.2.77"));
        assert_eq!(of("2001:db8::9").as_deref(), Some("2001:db8::/64"));
        assert_eq!(of("192.0.2.0/24").as_deref(), Some("192.0.2.0/24"));
    }

    #[test]
    fn networks_contain() {
        let holds = |inner, outer| within(&parse(inner).unwrap(), &parse(outer).unwrap());
        assert!(holds("192.0.2.77", "192.0.2.0/24"));
        assert!(holds("::ffff:192.0.2.77", "192.0.2.0/24"));
        assert!(holds("192.0.2.77", "::ffff:192.0.2.0/120"));
        assert!(holds("192.0.2.0/25", "192.0.2.0/24"));
        assert!(!holds("192.0.2.0/23", "192.0.2.0/24"));
        assert!(!holds("2001:db8::1", "0.0.0.0/0"));
    }
}
