//! Who asked: the client's address as far as it can be believed, its network and country, and how much of it is
//! kept.
//!
//! ```text
//! peer, forwarding headers ─ forwarded ─▶ address ─ origin ─▶ autonomous system, country
//!                                            ├───── allow ──▶ never judged
//!                                            └───── privacy ─▶ the address that is stored
//! ```
//!
//! # Invariants
//! - A header is believed only from a trusted proxy; whoever else sends one is counted, not followed.
//! - Where addresses are anonymised, the true one leaves this module for nothing but the origins and the allow-list.

mod addresses;
mod allow;
mod forwarded;
mod origin;
mod privacy;
mod told;

use std::net::IpAddr;

use schemas::Networks;

pub use allow::{AllowList, AllowedAgent};
pub use forwarded::Claim;
pub use origin::{Origin, Origins};
pub use privacy::{Key, KeyError, Level, Privacy};
pub use told::{Hop, Part, tell};

use forwarded::resolve;
use privacy::Anonymiser;

/// What is known of proxies, networks and privacy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientsConfig {
    /// Proxies whose word on their clients is taken.
    pub trusted_proxies: Networks,
    /// How much of an address is kept.
    pub privacy: Privacy,
    /// Who is never judged.
    pub allow: AllowList,
}

/// Records whose forwarding headers were not followed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClientCounters {
    /// The peer is no trusted proxy: the header may be forged.
    pub untrusted: u64,
    /// No proxy is trusted at all.
    pub unconfigured: u64,
}

/// A client as it goes into the tables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Client<'a> {
    /// Address in canonical spelling, anonymised if asked for.
    pub address: Option<&'a str>,
    /// The address as it is.
    pub actual: Option<IpAddr>,
    /// Where it belongs.
    pub origin: Origin,
}

/// Finds out who asked, record by record.
#[derive(Debug)]
pub struct Clients {
    trusted: Networks,
    allow: AllowList,
    origins: Option<Box<dyn Origins>>,
    anonymiser: Anonymiser,
    counters: ClientCounters,
    /// Clients repeat: the last one with a slot's hash.
    known: Box<[Option<Known>]>,
}

#[derive(Debug, Clone)]
struct Known {
    address: IpAddr,
    /// As it goes into the tables: writing it takes longer than all the rest.
    shown: Box<str>,
    origin: Origin,
}

const SLOTS: usize = 4_096;

impl Clients {
    /// Clients of whom is known what `config` says.
    pub fn new(config: &ClientsConfig) -> Self {
        Self {
            trusted: config.trusted_proxies.clone(),
            allow: config.allow.clone(),
            origins: None,
            anonymiser: Anonymiser::new(&config.privacy),
            counters: ClientCounters::default(),
            known: vec![None; SLOTS].into(),
        }
    }

    /// Asks `origins` where clients belong, too.
    #[must_use]
    pub fn with_origins(mut self, origins: Box<dyn Origins>) -> Self {
        self.origins = Some(origins);
        self
    }

    /// Whether what the peer is called is all there is to it: nothing is trusted, looked up, hidden or exempt.
    #[inline]
    pub fn are_peers(&self) -> bool {
        self.trusted.is_empty()
            && self.origins.is_none()
            && self.anonymiser.is_idle()
            && self.allow.is_empty()
    }

    /// Who is never judged, if anybody.
    pub fn allow_list(&self) -> Option<&AllowList> {
        (!self.allow.is_empty()).then_some(&self.allow)
    }

    /// Notes a forwarding header that nobody was told to follow.
    #[inline]
    pub const fn pass_over(&mut self) {
        self.counters.unconfigured += 1;
    }

    /// The client of a record.
    pub fn identify(&mut self, claim: Claim<'_>) -> Client<'_> {
        let resolved = resolve(claim, &self.trusted);
        if resolved.is_ignored {
            let counter = if self.trusted.is_empty() {
                &mut self.counters.unconfigured
            } else {
                &mut self.counters.untrusted
            };
            *counter += 1;
        }
        let known = resolved.address.and_then(|address| self.know(address));
        known.map_or_else(Client::default, |known| Client {
            address: Some(&known.shown),
            actual: Some(known.address),
            origin: known.origin,
        })
    }

    /// What is known of an address, looked up unless it was the last one with its hash.
    fn know(&mut self, address: IpAddr) -> Option<&Known> {
        let place = self.known.get_mut(slot_of(address))?;
        if place.as_ref().is_none_or(|known| known.address != address) {
            let shown = self.anonymiser.apply(address).to_string().into();
            let origin = self.origins.as_ref().map(|origins| origins.origin(address));
            *place = Some(Known { address, shown, origin: origin.unwrap_or_default() });
        }
        place.as_ref()
    }

    /// A line that was not understood, with its addresses anonymised if asked for.
    pub fn scrub<'a>(&self, raw: &'a [u8]) -> std::borrow::Cow<'a, [u8]> {
        self.anonymiser.scrub(raw)
    }

    /// Forgets where clients belong once that is told otherwise. Cheap enough to be called often.
    pub fn refresh(&mut self) {
        if self.origins.as_mut().is_some_and(|origins| origins.refresh()) {
            self.known.fill(None);
        }
    }

    /// What was not followed so far.
    pub const fn counters(&self) -> ClientCounters {
        self.counters
    }
}

#[expect(clippy::cast_possible_truncation, reason = "some bits of a mixed number choose the slot")]
fn slot_of(address: IpAddr) -> usize {
    let bits = match address {
        IpAddr::V4(address) => u64::from(address.to_bits()),
        IpAddr::V6(address) => {
            let bits = address.to_bits();
            (bits ^ (bits >> 64)) as u64
        }
    };
    (bits.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize % SLOTS
}
