//! Who sends: an IPv4 address, or the /64 of an IPv6 address, in 64 bits.
//!
//! A /64 is what one IPv6 subscriber gets; counting single addresses would let one machine pass for many.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// A source. IPv4 addresses live in the reserved block `0:ffff::/32`, addresses that cannot be read (hashed
/// client names, for example) in `ff00::/8`, where no client is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Source(pub u64);

const IPV4: u64 = 0x0000_ffff_0000_0000;
const NAMED: u64 = 0xff00_0000_0000_0000;

impl Source {
    /// Nothing was logged.
    pub const UNKNOWN: Self = Self(0);

    /// The source of an IPv4 address.
    pub const fn v4(address: u32) -> Self {
        Self(IPV4 | address as u64)
    }

    /// The source of an IPv6 address; an IPv4-mapped one is its IPv4 address. `None` in the blocks that stand for
    /// something else here: an address there is a name.
    pub fn v6(address: Ipv6Addr) -> Option<Self> {
        let bits = u128::from(address);
        if bits >> 32 == 0xffff {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the low 32 bits are the address"
            )]
            return Some(Self::v4(bits as u32));
        }
        let source = Self((bits >> 64) as u64);
        if source.is_named() || source.as_v4().is_some() { None } else { Some(source) }
    }

    /// Reads an address; `name_hash` stands in where it is none.
    pub fn parse(text: &str, name_hash: impl FnOnce() -> u64) -> Self {
        if text.is_empty() {
            return Self::UNKNOWN;
        }
        if let Some(address) = ipv4(text.as_bytes()) {
            return Self::v4(address);
        }
        let address = text.parse::<Ipv6Addr>().ok();
        address.and_then(Self::v6).unwrap_or_else(|| Self(NAMED | name_hash() >> 8))
    }

    /// The IPv4 address, when it is one.
    pub const fn as_v4(self) -> Option<u32> {
        #[expect(clippy::cast_possible_truncation, reason = "the low 32 bits are the address")]
        if self.0 & 0xffff_ffff_0000_0000 == IPV4 { Some(self.0 as u32) } else { None }
    }

    /// Whether it stands for a name that is no address.
    pub const fn is_named(self) -> bool {
        self.0 >= NAMED || self.0 == 0
    }

    /// The /24 of an IPv4 address, the /48 of an IPv6 one.
    #[must_use]
    pub const fn prefix(self) -> Self {
        self.without(0xff, 0xffff)
    }

    /// The /16 of an IPv4 address, the /32 of an IPv6 one: about what one operator has.
    #[must_use]
    pub const fn network(self) -> Self {
        self.without(0xffff, 0xffff_ffff)
    }

    /// An address without these bits, a name as it is.
    const fn without(self, v4_bits: u64, v6_bits: u64) -> Self {
        if self.is_named() {
            self
        } else if self.as_v4().is_some() {
            Self(self.0 & !v4_bits)
        } else {
            Self(self.0 & !v6_bits)
        }
    }

    /// Canonical text: `192.0.2.7` or `2001:db8::/64`; `None` for a name.
    pub fn text(self) -> Option<String> {
        if self.is_named() {
            return None;
        }
        Some(match self.as_v4() {
            Some(address) => Ipv4Addr::from(address).to_string(),
            None => format!("{}/64", Ipv6Addr::from(u128::from(self.0) << 64)),
        })
    }
}

/// Dotted quad, without leading-zero checks: logs write what the kernel prints.
fn ipv4(text: &[u8]) -> Option<u32> {
    if text.len() > 15 {
        return None;
    }
    let (mut address, mut part, mut digits, mut dots) = (0_u32, 0_u32, 0, 0);
    for byte in text {
        match byte {
            b'0'..=b'9' => {
                part = part * 10 + u32::from(byte - b'0');
                digits += 1;
                if digits > 3 || part > 255 {
                    return None;
                }
            }
            b'.' if digits > 0 && dots < 3 => {
                address = address << 8 | part;
                (part, digits) = (0, 0);
                dots += 1;
            }
            _ => return None,
        }
    }
    (dots == 3 && digits > 0).then_some(address << 8 | part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<String> {
        Source::parse(text, || u64::MAX).text()
    }

    #[test]
    fn addresses_have_one_text() {
        assert_eq!(read("192.0.2.7").as_deref(), Some("192.0.2.7"));
        assert_eq!(read("::ffff:192.0.2.7").as_deref(), Some("192.0.2.7"));
        assert_eq!(read("2001:db8::7").as_deref(), Some("2001:db8::/64"));
        assert_eq!(read("2001:db8:0:0:ffff::1").as_deref(), Some("2001:db8::/64"));
        assert_eq!(read("::1").as_deref(), None, "the loopback shares its /64 with nothing else");
        for bad in ["", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1..2.3", "host.example", "1.2.3.4 "] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_address_in_a_block_of_ours_is_a_name() {
        for odd in ["0:ffff:c000:207::1", "ff02::1", "::1", "::"] {
            let source = Source::parse(odd, || 1 << 40);
            assert!(source.is_named() && source != Source::UNKNOWN, "{odd}");
        }
    }

    proptest! {
        #[test]
        fn every_ipv4_address_survives(bits: u32) {
            let text = Ipv4Addr::from(bits).to_string();
            prop_assert_eq!(read(&text), Some(text));
        }
    }
}
