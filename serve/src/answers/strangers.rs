//! Connections of those who have not shown yet that they may ask: one peer cannot take the places of all others.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The part of all connections that one peer may hold before it is known: a choice, so that it takes four to keep out
/// everybody else, and a browser, which opens six, is never in need.
const PART: usize = 4;

/// Who is one peer: an address, or the network of IPv6 that one customer gets (RFC 6177 speaks of /64 at least).
fn peer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let network = v6.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(network.into())
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Connections of strangers, by peer.
#[derive(Debug, Clone)]
pub(super) struct Strangers {
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
    max: usize,
}

impl Strangers {
    /// - `connections`: of all together.
    pub(super) fn new(connections: usize) -> Self {
        Self { counts: Arc::default(), max: (connections / PART).max(1) }
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more connection of `address`; `None` where it has as many as it may.
    pub(super) fn enter(&self, address: IpAddr) -> Option<Stranger> {
        let peer = peer(address);
        let mut counts = self.counts();
        let count = counts.entry(peer).or_default();
        if *count >= self.max {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Stranger { of: self.clone(), peer, is_known: AtomicBool::new(false) })
    }

    fn leave(&self, peer: IpAddr) {
        let mut counts = self.counts();
        if let Some(count) = counts.get_mut(&peer) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&peer);
            }
        }
    }
}

/// A connection whose owner is unknown, until it is known or dropped.
#[derive(Debug)]
pub struct Stranger {
    of: Strangers,
    peer: IpAddr,
    is_known: AtomicBool,
}

impl Stranger {
    /// Takes note that its owner may ask.
    pub fn know(&self) {
        if !self.is_known.swap(true, Ordering::Relaxed) {
            self.of.leave(self.peer);
        }
    }

    /// Whether its owner has shown that they may ask.
    pub fn is_known(&self) -> bool {
        self.is_known.load(Ordering::Relaxed)
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.know();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_has_its_part_and_those_who_are_known_are_not_counted() {
        let strangers = Strangers::new(8);
        let enter = |address: &str| strangers.enter(address.parse().unwrap());
        let (first, second) = (enter("192.0.2.1").unwrap(), enter("::ffff:192.0.2.1").unwrap());
        assert!(enter("192.0.2.1").is_none());
        assert!(enter("192.0.2.2").is_some(), "another peer");
        first.know();
        first.know();
        let third = enter("192.0.2.1").unwrap();
        assert!(enter("192.0.2.1").is_none(), "known once, whoever says it again");
        drop((first, second, third));
        assert!(strangers.counts().is_empty());
        let _two = (enter("2001:db8::1").unwrap(), enter("2001:db8::2").unwrap());
        assert!(enter("2001:db8::3").is_none(), "one network");
        assert!(enter("2001:db8:0:1::1").is_some());
        assert!(Strangers::new(1).enter(IpAddr::from([192, 0, 2, 1])).is_some());
    }
}
