//! What must hold for clients: whom a header is believed of, and what is left of addresses that are hidden.

use std::net::IpAddr;

use decode::ClientsConfig;
use decode::address::parse_address;
use decode::identity::{Claim, Clients, Level, Privacy};
use schemas::Networks;

use crate::columns::is_canonical_address;

/// The proxies that are trusted.
const TRUSTED: [&str; 3] = ["10.0.0.0/8", "2001:db8:ffff::/48", "127.0.0.1"];

/// One of them.
const PROXY: &str = "10.0.0.2";

/// A client as its proxy knows it.
const CLIENT: &str = "203.0.113.9";

/// The same client at home.
const CLIENT6: &str = "2001:db8:9:9:9:9:9:9";

/// What may stand before an address in a line.
const BEFORE: [&str; 8] = ["", "[", " ", "\"", "client:", "=", "(", "from "];

/// What may stand behind it: its port, punctuation, another address.
const BEHIND: [&str; 8] = ["", "]:443", ".", ", ", "->198.51.100.1:80", " ", "\"", "/64"];

/// How often a text may grow when its addresses are hidden: `::ffff:1` may become an address in full.
const SCRUB_GROWTH_MAX: usize = 8;

/// Clients under one policy.
#[derive(Debug)]
pub struct People {
    privacy: Privacy,
    trusted: Networks,
    clients: Clients,
}

impl People {
    /// Each policy there is.
    pub fn all() -> Vec<Self> {
        let key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
        let levels = [Level::Low, Level::Medium, Level::High].map(Privacy::Truncate);
        let key = key.parse().expect("a key");
        let policies = [Privacy::Keep, Privacy::Pseudonymise(key)].into_iter().chain(levels);
        policies.map(|privacy| Self::new(&privacy)).collect()
    }

    fn new(privacy: &Privacy) -> Self {
        let trusted = Networks::parse(TRUSTED).expect("networks");
        let clients = clients(&trusted, privacy);
        Self { privacy: privacy.clone(), trusted, clients }
    }

    /// Checks the laws on an input: a byte that chooses what stands beside an address, then peer, named client and
    /// list of forwarded addresses, a line each.
    pub fn check(&mut self, input: &[u8]) {
        let [beside, raw @ ..] = input else { return };
        self.scrubbing_leaves_none(raw, *beside);
        let Ok(text) = std::str::from_utf8(raw) else { return };
        let mut lines = text.splitn(3, '\n').map(|line| (!line.is_empty()).then_some(line));
        let mut next = || lines.next().flatten();
        let claim = Claim { peer: next(), named: next(), forwarded: next() };
        let address = self.identify(claim);
        self.strangers_are_not_believed(claim, address);
        self.a_client_cannot_choose(claim);
    }

    /// The address of a claim, which is canonical, and does not depend on what was asked before.
    fn identify(&mut self, claim: Claim<'_>) -> Option<IpAddr> {
        let shown = self.clients.identify(claim).address.map(str::to_owned);
        let again = self.clients.identify(claim).address.map(str::to_owned);
        assert_eq!(shown, again, "a client is the same when it comes again");
        let fresh =
            clients(&self.trusted, &self.privacy).identify(claim).address.map(str::to_owned);
        assert_eq!(shown, fresh, "a client does not depend on others");
        let shown = shown?;
        is_canonical_address(&shown);
        Some(shown.parse().expect("an address"))
    }

    /// How an address is shown.
    fn shown(&mut self, address: &str) -> Option<IpAddr> {
        self.identify(Claim { peer: Some(address), ..Claim::default() })
    }

    /// What a peer says that is not trusted changes nothing. A list in its place has no peer.
    fn strangers_are_not_believed(&mut self, claim: Claim<'_>, address: Option<IpAddr>) {
        let peer = claim.peer.filter(|peer| !peer.contains(','));
        let Some(peer) = peer.and_then(parse_address) else { return };
        if !self.trusted.contains(peer) {
            assert_eq!(address, self.shown(&peer.to_string()), "a stranger is who it is");
        }
    }

    /// Whatever a client sends, its own address stands behind it and is what counts.
    fn a_client_cannot_choose(&mut self, claim: Claim<'_>) {
        let forged = claim.forwarded.unwrap_or_default();
        let list = format!("{forged}, {CLIENT}, {PROXY}");
        let claim = Claim { peer: Some(PROXY), named: None, forwarded: Some(&list) };
        let (found, expected) = (self.identify(claim), self.shown(CLIENT));
        assert_eq!(found, expected, "a client cannot choose its address: {list:?}");
    }

    /// An address cannot be read from a scrubbed line, whatever stood beside it.
    fn scrubbing_leaves_none(&mut self, raw: &[u8], beside: u8) {
        let scrubbed = self.clients.scrub(raw).into_owned();
        assert!(scrubbed.len() <= SCRUB_GROWTH_MAX * raw.len() + 64, "scrubbing grows");
        if self.privacy == Privacy::Keep {
            assert_eq!(scrubbed, raw, "nothing is hidden");
            return;
        }
        let beside = usize::from(beside);
        let before = BEFORE[beside / BEHIND.len() % BEFORE.len()];
        let behind = BEHIND[beside % BEHIND.len()];
        let escaped = [CLIENT.replace('.', "%2E"), CLIENT6.replace(':', "%3a")];
        for client in [CLIENT, CLIENT6, &escaped[0], &escaped[1]] {
            let part = [before, client, behind].concat();
            let line = [raw, b" ", part.as_bytes()].concat();
            let scrubbed = self.clients.scrub(&line).into_owned();
            // The text before it may have the address by chance.
            let from = scrubbed.len().saturating_sub(part.len() + 1);
            let tail = String::from_utf8_lossy(&scrubbed[from..]);
            assert!(!tail.contains(client), "an address is left in {tail:?}");
        }
    }
}

fn clients(trusted: &Networks, privacy: &Privacy) -> Clients {
    let config = ClientsConfig {
        trusted_proxies: trusted.clone(),
        privacy: privacy.clone(),
        ..ClientsConfig::default()
    };
    Clients::new(&config)
}
