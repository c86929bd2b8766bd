//! Where an attack comes from, as narrowly as one thing explains it: one source, one network, one autonomous system,
//! one country, one TLS fingerprint.

use std::net::{Ipv4Addr, Ipv6Addr};

use schemas::incident::one_line;
use serde::{Deserialize, Serialize};

use crate::incident::open::Open;
use crate::record::event::Event;
use crate::record::names::Names;
use crate::record::source::Source;

/// Share of the requests that a scope must explain: nine in ten, for visitors are among what a predicate selects.
const SHARE_MIN: f64 = 0.9;

/// How much greater the share of a country must be in it than in what is ordinary on the host, as of a condition of a
/// fingerprint: where most visitors are at home it explains nothing.
const LIFT_MIN: f64 = 2.0;

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
            .or_else(|| self.foreign_country().map(|country| format!(" in the country {country}")))
            .or_else(|| {
                let ja4 = self.ja4.of(self.requests).and_then(|hash| names.get(hash))?;
                Some(format!(" with the TLS fingerprint {}", one_line(ja4)))
            })
            .unwrap_or_default()
    }

    /// Notes whether the country that explains it is another than most of these come from, which are ordinary.
    #[expect(clippy::cast_precision_loss, reason = "sizes of samples")]
    pub(super) fn compare(&mut self, ordinary: &[Event]) {
        let country = self.country.of(self.requests);
        let same = ordinary.iter().filter(|event| country == Some(u64::from(event.country)));
        let most = SHARE_MIN / LIFT_MIN * ordinary.len() as f64;
        self.is_foreign = country.is_some() && (same.count() as f64) < most;
    }

    /// The country that explains it, where it is not that of most visitors.
    fn foreign_country(&self) -> Option<String> {
        let country = self.country.of(self.requests).filter(|_| self.is_foreign)?;
        let [a, b] = u16::try_from(country).ok()?.to_be_bytes().map(char::from);
        Some(format!("{a}{b}"))
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
    use crate::incident::open::Opening;
    use crate::record::event::country_code;
    use schemas::Kind;

    fn scope(events: impl Iterator<Item = Event>) -> String {
        scope_beside(events, &[])
    }

    fn scope_beside(events: impl Iterator<Item = Event>, ordinary: &[Event]) -> String {
        let mut open = Open::new(Opening::an_attack(Kind::HttpFlood));
        for event in events {
            open.count(&event);
        }
        open.compare(ordinary);
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

    #[test]
    fn a_country_is_told_where_most_visitors_are_of_others() {
        let of = |country: &'static str| {
            (0..50_u32).map(move |n| Event { country: country_code(country), ..from(n << 24, n) })
        };
        let visitors = |of_it: u32| -> Vec<Event> {
            let country = |n: u32| if n < of_it { "VN" } else { ["DE", ""][n as usize % 2] };
            (0..100).map(|n| Event { country: country_code(country(n)), ..from(n, n) }).collect()
        };
        assert_eq!(scope_beside(of("VN"), &visitors(44)), " in the country VN");
        assert_eq!(scope_beside(of("VN"), &visitors(46)), "");
        assert_eq!(scope_beside(of("VN"), &[]), "", "nothing is known of the visitors");
        assert_eq!(scope_beside(of("\u{1b}["), &visitors(0)), "", "no country");
        let asn = of("VN").map(|event| Event { asn: 7, ..event });
        assert_eq!(scope_beside(asn, &visitors(0)), " of AS7", "narrower");
    }
}
