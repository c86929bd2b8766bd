//! Makers: what can be compared of who is behind two incidents.
//!
//! The sets of sources are compared by sketches: of each the keyed hashes that are least, so many of both as lie below the
//! greatest that either keeps are a sample of both sets by the same draw.
//!
//! # Source
//! Broder, "On the resemblance and containment of documents" (1997), §3: the least hashes of a set as a sample of it.

use serde::{Deserialize, Serialize};

use crate::incident::open::Open;
use crate::limits::CAMPAIGN_SOURCES_MAX;
use crate::math::hash::Hasher;
use crate::record::attribute::Attribute;
use crate::record::event::Event;
use crate::record::source::Source;

/// Share of the smaller set of sources that must be in the other, and how many of them, where there are as many: of a
/// botnet each host sees a part, and visitors that two hosts share are few among those that an incident selects. A choice.
const OVERLAP_MIN: f64 = 1.0 / 3.0;
const COMMON_MIN: usize = 2;

/// Sources in common from which samples of two sets tell of the sets; those of whole sets always do.
const SAMPLED_MIN: usize = 4;

/// Share of the ordinary records of a host from which a source, or its network, is everybody's there, and no link: an
/// address that one in twenty requests come from anyway is a proxy's. A choice.
const EVERYBODYS_SHARE: f64 = 0.05;

/// Sources up to which one of them may be everybody's.
const FEW_SOURCES: usize = 16;

/// Sources from which the software that they share tells who they are: what one scanner runs is a tool that anybody can
/// have, and two of them at a time are everyday. A choice.
const CROWD_MIN: usize = 10;

/// Salt of the hashes, so that they are no others.
const SALT: u64 = 0x6d61_6b65_7273;

/// Who is behind an incident, as far as it shows. 0 stands for what tells nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Makers {
    /// Keyed hashes of the sources, the least of them, sorted.
    sources: Vec<u64>,
    /// The /24 or /48 that nearly all of it comes from.
    network: u64,
    /// The program that nearly all of its many sources name, where hardly anybody else does.
    program: u64,
    /// The TLS fingerprint that nearly all of its many sources show, where hardly anybody else does.
    ja4: u64,
}

impl Makers {
    /// Those of an incident, beside ordinary records of its host. `is_rare` says whether hardly anything ordinary shows a
    /// value, on any host: a browser in use is no link, and neither is a tool that everybody is scanned with.
    pub fn of(
        open: &Open,
        ordinary: &[Event],
        hasher: &Hasher,
        mut is_rare: impl FnMut(Attribute, u64) -> bool,
    ) -> Self {
        let everybodys = |of: fn(Source) -> Source, value: Source| {
            let shown = ordinary.iter().filter(|event| of(event.source) == value).count();
            #[expect(clippy::cast_precision_loss, reason = "sizes of samples")]
            let share = shown as f64 / ordinary.len().max(1) as f64;
            share >= EVERYBODYS_SHARE
        };
        let is_few = open.sources.len() <= FEW_SOURCES;
        let known = |source: &Source| {
            *source != Source::UNKNOWN && !(is_few && everybodys(|source| source, *source))
        };
        let sources = open.sources.iter().map(|(source, _)| Source(*source)).filter(known);
        let network = open.narrow_network().filter(|one| !everybodys(Source::prefix, *one));
        let mut rare = |attribute: Attribute, value: Option<u64>| {
            let value = value.filter(|_| open.sources.len() >= CROWD_MIN);
            value.filter(|value| is_rare(attribute, *value)).unwrap_or(0)
        };
        Self {
            sources: least(sources.map(|source| hasher.pair(source.0, SALT))),
            network: network.map_or(0, |network| network.0),
            program: rare(Attribute::Program, open.main_program()),
            ja4: rare(Attribute::Ja4, open.main_ja4()),
        }
    }

    /// Makers that these hashes are known of.
    #[cfg(test)]
    pub fn of_hashes(sources: Vec<u64>) -> Self {
        Self { sources, ..Self::default() }
    }

    /// Whether the same are behind both.
    pub fn are(&self, other: &Self) -> bool {
        let same = |one: u64, other: u64| one != 0 && one == other;
        same(self.network, other.network)
            || same(self.program, other.program)
            || same(self.ja4, other.ja4)
            || self.overlap(other)
    }

    fn overlap(&self, other: &Self) -> bool {
        let end = self.sampled_below().min(other.sampled_below());
        let (a, b) = (below(&self.sources, end), below(&other.sources, end));
        let least = a.len().min(b.len());
        let (mut a, mut b, mut common) = (a, b, 0_usize);
        while let ([x, rest_a @ ..], [y, rest_b @ ..]) = (a, b) {
            common += usize::from(x == y);
            if x <= y {
                a = rest_a;
            }
            if y <= x {
                b = rest_b;
            }
        }
        let enough = if end == u64::MAX { COMMON_MIN.min(least.max(1)) } else { SAMPLED_MIN };
        #[expect(clippy::cast_precision_loss, reason = "sizes of sketches")]
        let share = common as f64 / least.max(1) as f64;
        common >= enough && share >= OVERLAP_MIN
    }

    /// Every source whose hash is not above this is known.
    fn sampled_below(&self) -> u64 {
        if self.sources.len() < CAMPAIGN_SOURCES_MAX {
            return u64::MAX;
        }
        self.sources.last().copied().unwrap_or(u64::MAX)
    }

    /// Bytes of one at most, besides itself.
    pub const OWNED_BYTES_MAX: usize = CAMPAIGN_SOURCES_MAX * size_of::<u64>();

    /// Bytes that it owns.
    pub const fn state_bytes(&self) -> usize {
        self.sources.capacity() * size_of::<u64>()
    }
}

/// The least [`CAMPAIGN_SOURCES_MAX`] of the hashes, sorted.
fn least(hashes: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut all: Vec<u64> = hashes.collect();
    if all.len() > CAMPAIGN_SOURCES_MAX {
        all.select_nth_unstable(CAMPAIGN_SOURCES_MAX);
        all.truncate(CAMPAIGN_SOURCES_MAX);
    }
    all.sort_unstable();
    all.shrink_to_fit();
    all
}

fn below(sorted: &[u64], end: u64) -> &[u64] {
    &sorted[..sorted.partition_point(|hash| *hash <= end)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::Kind;

    use crate::incident::open::Opening;
    use crate::math::hash::mix;

    fn of_events(
        events: impl Iterator<Item = Event>,
        ordinary: &[Event],
        is_rare: impl FnMut(Attribute, u64) -> bool,
    ) -> Makers {
        let mut open = Open::new(Opening::an_attack(Kind::BruteForce));
        for event in events {
            open.count(&event);
        }
        Makers::of(&open, ordinary, &Hasher::new(7), is_rare)
    }

    fn from(n: u64) -> Event {
        #[expect(clippy::cast_possible_truncation, reason = "any address")]
        let source = Source::v4(mix(n + 1) as u32);
        Event { source, program: 9, ja4: 8, ..Event::default() }
    }

    fn makers(range: std::ops::Range<u64>) -> Makers {
        of_events(range.map(from), &[], |_, _| false)
    }

    #[test]
    fn a_third_of_the_smaller_set_is_in_the_other() {
        assert!(makers(0..1).are(&makers(0..1)));
        assert!(makers(0..40).are(&makers(10..50)) && makers(0..40).are(&makers(39..40)));
        assert!(!makers(0..40).are(&makers(30..70)), "ten of forty");
        assert!(!makers(0..40).are(&makers(39..42)), "one of three");
        assert!(!makers(0..0).are(&makers(0..0)));
        // beyond what is kept of each, by samples
        for (smaller, larger) in [(0..3_000, 1_000..9_000), (0..20_000, 0..20_000)] {
            let (smaller, larger) = (makers(smaller), makers(larger));
            assert!(smaller.are(&larger) && larger.are(&smaller));
            assert_eq!(larger.sources.len(), CAMPAIGN_SOURCES_MAX);
        }
        assert!(
            !makers(0..3_000).are(&makers(2_500..9_000))
                && !makers(0..3_000).are(&makers(3_000..9_000))
        );
    }

    #[test]
    fn what_everybody_shows_is_no_link() {
        let of = |first: u64, is_rare: fn(Attribute, u64) -> bool| {
            of_events((first..first + 20).map(from), &[], is_rare)
        };
        assert!(of(0, |_, _| true).are(&of(100, |_, _| true)));
        assert!(!of(0, |_, _| false).are(&of(100, |_, _| false)));
        let only = |attribute: Attribute, _| attribute == Attribute::Ja4;
        assert!(of(0, only).are(&of(100, only)));
        let one = |n: u64| of_events(std::iter::once(from(n)), &[], |_, _| true);
        assert!(!one(0).are(&of(100, |_, _| true)) && !one(0).are(&one(1)), "anybody's tool");
        // behind a proxy that nobody named, everybody has its address
        let proxied: Vec<Event> = (0..100).map(|n| from(if n < 90 { 0 } else { n })).collect();
        let behind = || of_events((0..50).map(|_| from(0)), &proxied, |_, _| false);
        assert!(!behind().are(&behind()));
        let unknown = || of_events((0..50).map(|_| Event::default()), &[], |_, _| false);
        assert!(!unknown().are(&unknown()), "a log without addresses");
    }

    #[test]
    fn neighbours_in_a_narrow_network_are_the_same() {
        let in_net = |net: u32, first: u32| {
            let event =
                move |n| Event { source: Source::v4(net << 8 | (first + n)), ..Event::default() };
            of_events((0..20).map(event), &[], |_, _| false)
        };
        assert!(in_net(7, 0).are(&in_net(7, 100)));
        assert!(!in_net(7, 0).are(&in_net(8, 100)));
    }
}
