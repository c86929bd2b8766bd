//! Where an attack comes from, as narrowly as one thing explains it: one source, one network, one autonomous system,
//! one TLS fingerprint.

use std::net::{Ipv4Addr, Ipv6Addr};

use schemas::incident::one_line;
use serde::{Deserialize, Serialize};

use crate::incident::open::Open;
use crate::record::names::Names;
use crate::record::source::Source;

/// Share of the requests that a scope must explain: nine in ten, for visitors are among what a predicate selects.
const SHARE_MIN: f64 = 0.9;

/// A value that most of what is counted shows, by majority vote (Boyer and Moore 1981): where its share is `s`, its lead
/// is at least `2 s − 1` of all, and at most `s`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Majority {
    value: u64,
    lead: u64,
}

impl Majority {
    /// Counts a value so many times.
    pub const fn count(&mut self, value: u64, times: u64) {
        if self.value == value {
            self.lead += times;
        } else if self.lead >= times {
            self.lead -= times;
        } else {
            (self.value, self.lead) = (value, times - self.lead);
        }
    }

    /// The value that [`SHARE_MIN`] of `all` show, and that at least `2 SHARE_MIN − 1` do: what is counted in passing knows
    /// no more. Not 0, which stands for none.
    #[expect(clippy::cast_precision_loss, reason = "counts for people")]
    fn of(self, all: u64) -> Option<u64> {
        let least = (2.0 * SHARE_MIN - 1.0) * all as f64;
        (self.value != 0 && self.lead as f64 >= least).then_some(self.value)
    }
}

impl Open {
    /// Where it comes from, as it follows the number of sources: ` in 203.0.113.0/24`, ` of AS64500`; empty where
    /// nothing narrower than everywhere explains it, and for a single source, which is named beside it.
    pub(super) fn scope(&self, names: &Names) -> String {
        if self.sources.len() <= 1 {
            return String::new();
        }
        let network = self.network().map(|network| format!(" in {network}"));
        network
            .or_else(|| self.asn.of(self.requests).map(|asn| format!(" of AS{asn}")))
            .or_else(|| {
                let ja4 = self.ja4.of(self.requests).and_then(|hash| names.get(hash))?;
                Some(format!(" with the TLS fingerprint {}", one_line(ja4)))
            })
            .unwrap_or_default()
    }

    /// The narrowest network that explains it: /24, /16 or, of IPv6, /48, /32.
    fn network(&self) -> Option<String> {
        let lengths = [(Source::prefix as fn(Source) -> Source, 24, 48), (Source::network, 16, 32)];
        lengths.into_iter().find_map(|(of, v4, v6)| {
            let network = self.network_of(of)?;
            Some(match network.as_v4() {
                Some(address) => format!("{}/{v4}", Ipv4Addr::from(address)),
                None => format!("{}/{v6}", Ipv6Addr::from(u128::from(network.0) << 64)),
            })
        })
    }

    /// The /24 or /48 that explains it.
    pub(super) fn narrow_network(&self) -> Option<Source> {
        self.network_of(Source::prefix)
    }

    /// The program, whatever its version, that explains it; browsers are none.
    pub(super) fn main_program(&self) -> Option<u64> {
        self.program.of(self.requests)
    }

    /// The TLS fingerprint that explains it.
    pub(super) fn main_ja4(&self) -> Option<u64> {
        self.ja4.of(self.requests)
    }

    /// The network, of those that `of` makes, that explains it.
    #[expect(clippy::cast_precision_loss, reason = "counts for people")]
    fn network_of(&self, of: fn(Source) -> Source) -> Option<Source> {
        let all: u64 = self.sources.iter().map(|(_, count)| *count).sum();
        let mut vote = Majority::default();
        for (source, count) in self.sources.iter() {
            vote.count(of(Source(*source)).0, *count);
        }
        let network = Source(vote.value);
        let within = self.sources.iter().filter(|(source, _)| of(Source(*source)) == network);
        let within: u64 = within.map(|(_, count)| *count).sum();
        let explains = within as f64 >= SHARE_MIN * all as f64 && !network.is_named();
        explains.then_some(network)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::open::{Opening, Origin};
    use crate::record::event::Event;
    use schemas::{Kind, Verdict};

    fn scope(events: impl Iterator<Item = Event>) -> String {
        let mut open = Open::new(Opening {
            id: String::new(),
            kind: Kind::HttpFlood,
            verdict: Verdict::Attack,
            rules: Vec::new(),
            origin: Origin::Many,
            attackness: 3.0,
            now: 0,
            ordinary_rate: 0.0,
            quiet_us: 0,
        });
        for event in events {
            open.count(&event);
        }
        open.scope(&Names::default())
    }

    fn from(address: u32, asn: u32) -> Event {
        Event { source: Source::v4(address), asn, ..Event::default() }
    }

    #[test]
    fn the_narrowest_that_explains_it_is_told() {
        let base = 0xcb00_7100;
        assert_eq!(scope((0..50).map(|_| from(base, 7))), "", "one source");
        assert_eq!(scope((0..50).map(|n| from(base + n, 7))), " in 203.0.113.0/24");
        assert_eq!(scope((0..50).map(|n| from(base + n * 256, 7))), " in 203.0.0.0/16");
        assert_eq!(scope((0..50).map(|n| from(n << 24, 7))), " of AS7");
        assert_eq!(scope((0..50).map(|n| from(n << 24, n))), "");
        let visitors = (0..100).map(|n| from(if n % 20 == 0 { n << 24 } else { base + n }, 7));
        assert_eq!(scope(visitors), " in 203.0.113.0/24", "a visitor in twenty");
        let half = (0..100).map(|n| from(if n % 2 == 0 { n << 24 } else { base + n }, n));
        assert_eq!(scope(half), "", "half of it");
        let six = (0..20_u128).map(|n| {
            let address = Ipv6Addr::from((0x2001_0db8_0007_u128 << 80) + (n << 64));
            Event { source: Source::v6(address).unwrap(), ..Event::default() }
        });
        assert_eq!(scope(six), " in 2001:db8:7::/48");
    }
}
