//! Who has which address: invented access networks in ranges that no person can have.
//!
//! IPv4 comes from 100.64.0.0/10 (shared space), 10.0.0.0/8 (private) and 198.18.0.0/15 (benchmarks),
//! IPv6 from `2001:db8::/32` and AS numbers from 64496–64511 and 65536–65551 (documentation).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::random::{Random, Weighted, mix2, zipf};

/// What a network is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Home,
    Mobile,
    Hosting,
    Office,
}

#[derive(Debug, Clone, Copy)]
struct Network {
    asn: u32,
    country: &'static str,
    /// First address of its IPv4 range, and the number of addresses in it.
    v4: (u32, u64),
    /// Third group of its IPv6 prefix, with the low byte free: a /40 of `2001:db8::/32`.
    v6: u16,
}

/// One address and what a log says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) ip: IpAddr,
    pub(crate) asn: u32,
    pub(crate) country: &'static str,
}

/// Every network of a run. The same for every seed: only who uses it differs.
#[derive(Debug)]
pub(crate) struct Networks {
    all: Vec<Network>,
    home: Weighted,
    seed: u64,
}

const COUNTRIES: [&str; 16] = [
    "de", "fr", "gb", "us", "nl", "pl", "es", "it", "se", "at", "ch", "cz", "be", "dk", "br", "in",
];
const HOME: u32 = 18;
const MOBILE: u32 = 5;
const HOSTING: u32 = 6;
const OFFICE: u32 = 3;

const fn asn(index: u32) -> u32 {
    if index < 16 { 64_496 + index } else { 65_536 + index - 16 }
}

const fn range(a: u32, b: u32, c: u32, bits: u32) -> (u32, u64) {
    ((a << 24) | (b << 16) | (c << 8), 1 << (32 - bits))
}

impl Networks {
    /// The networks of a run with this seed.
    pub(crate) fn new(seed: u64) -> Self {
        let mut networks = Vec::new();
        let mut add = |v4| {
            let index = u32::try_from(networks.len()).unwrap_or(0);
            let country = COUNTRIES[networks.len() % COUNTRIES.len()];
            let v6 = u16::try_from(index << 8).unwrap_or(0);
            networks.push(Network { asn: asn(index), country, v4, v6 });
        };
        for i in 0..HOME {
            add(range(100, 64 + 2 * i, 0, 15));
        }
        for i in 0..MOBILE {
            add(range(100, 104 + i, 0, 16));
        }
        for i in 0..HOSTING {
            add(range(198, 18, 32 * i, 19));
        }
        for i in 0..OFFICE {
            add(range(10, 20 + 7 * i, 0, 16));
        }
        let home = Weighted::new((0..HOME as usize).map(|rank| zipf(rank, 0.7)));
        Self { all: networks, home, seed }
    }

    fn of(&self, used_for: Use, random: &mut Random) -> Network {
        let candidates: [u64; 2] = match used_for {
            Use::Home => return self.all[self.home.draw(random)],
            Use::Mobile => [u64::from(HOME), u64::from(MOBILE)],
            Use::Hosting => [u64::from(HOME + MOBILE), u64::from(HOSTING)],
            Use::Office => [u64::from(HOME + MOBILE + HOSTING), u64::from(OFFICE)],
        };
        let at = candidates[0] + random.below(candidates[1]);
        self.all[usize::try_from(at).unwrap_or(0)]
    }

    /// The address of visitor number `visitor`: the same whenever they return.
    pub(crate) fn visitor(&self, visitor: u64) -> Address {
        let mut random = Random::new(self.seed ^ 0x7669_7369, visitor);
        self.home_or_mobile(&mut random, 0.3)
    }

    /// A machine of a botnet in people's homes: no address of an ordinary visitor by intention.
    pub(crate) fn infected_home(&self, random: &mut Random) -> Address {
        self.home_or_mobile(random, 0.12)
    }

    fn home_or_mobile(&self, random: &mut Random, v6: f64) -> Address {
        let used_for = if random.chance(0.85) { Use::Home } else { Use::Mobile };
        let network = self.of(used_for, random);
        if used_for == Use::Home && random.chance(v6) {
            network.v6(random)
        } else {
            network.v4(random)
        }
    }

    /// A rented server. `block` numbers of the same value lie in the same /24.
    pub(crate) fn server(&self, block: u64, random: &mut Random) -> Address {
        let mut where_from = Random::new(self.seed ^ 0x7365_7276, block);
        let network = self.of(Use::Hosting, &mut where_from);
        let first = network.v4.0 + 256 * low(where_from.below(network.v4.1 / 256));
        network.at(IpAddr::V4(Ipv4Addr::from(first + 2 + low(random.below(250)))))
    }

    /// Gateway number `index`, behind which many people share one address.
    pub(crate) fn gateway(&self, index: u64) -> Address {
        let mut random = Random::new(self.seed ^ 0x6761_7465, index);
        let used_for = if index % 3 == 2 { Use::Office } else { Use::Mobile };
        self.of(used_for, &mut random).v4(&mut random)
    }
}

fn low(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl Network {
    const fn at(&self, ip: IpAddr) -> Address {
        Address { ip, asn: self.asn, country: self.country }
    }

    fn v4(&self, random: &mut Random) -> Address {
        let offset = low(random.below(self.v4.1));
        // .0 and .255 are rarely clients.
        let last = (offset & 0xff).clamp(1, 254);
        self.at(IpAddr::V4(Ipv4Addr::from(self.v4.0 + ((offset & !0xff) | last))))
    }

    fn v6(&self, random: &mut Random) -> Address {
        let home = random.next();
        let [a, b, c, d] = interface(mix2(home, 1));
        let [site, net, ..] = interface(home);
        self.at(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, self.v6 | (site & 0xff), net, a, b, c, d)))
    }
}

fn interface(bits: u64) -> [u16; 4] {
    [48, 32, 16, 0].map(|shift| u16::try_from((bits >> shift) & 0xffff).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_reserved() {
        let networks = Networks::new(5);
        let mut random = Random::new(5, 5);
        for i in 0..20_000 {
            let all = [
                networks.visitor(i),
                networks.infected_home(&mut random),
                networks.server(i % 9, &mut random),
                networks.gateway(i % 20),
            ];
            for address in all {
                let reserved = match address.ip {
                    IpAddr::V4(ip) => {
                        let [a, b, ..] = ip.octets();
                        a == 10 || (a == 100 && b & 0xc0 == 64) || (a == 198 && b & 0xfe == 18)
                    }
                    IpAddr::V6(ip) => ip.segments()[..2] == [0x2001, 0xdb8],
                };
                assert!(reserved, "{address:?}");
                assert!(matches!(address.asn, 64_496..=64_511 | 65_536..=65_551), "{address:?}");
            }
        }
    }

    #[test]
    fn a_visitor_returns_with_the_same_address() {
        let networks = Networks::new(5);
        assert_eq!(networks.visitor(77), networks.visitor(77));
        assert_ne!(networks.visitor(77), networks.visitor(78));
    }
}
