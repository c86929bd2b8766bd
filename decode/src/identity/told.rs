//! Who asked, told step by step.

use schemas::Networks;

use super::forwarded::{Claim, resolve, walked};
use crate::address::parse_address;

/// An address on the way from the client to the edge, as the line names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// As it stands in the line.
    pub text: String,
    /// What it is taken for.
    pub part: Part,
}

/// What an address is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Who asked.
    Client,
    /// A proxy whose word is believed.
    Proxy,
    /// What somebody claims whom nobody vouches for.
    Claimed,
    /// No address: nothing left of it is believed.
    NoAddress,
}

impl Part {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Client => "who asked",
            Self::Proxy => "a proxy that is believed",
            Self::Claimed => "claimed, not believed",
            Self::NoAddress => "no address",
        }
    }
}

/// The addresses that a record names, from the edge outwards: the peer, then the entries of the list from right to left,
/// or the one address of a header that names one.
pub fn tell(claim: Claim<'_>, trusted: &Networks) -> Vec<Hop> {
    let client = resolve(claim, trusted).address;
    let list = match claim.peer {
        Some(peer) if peer.contains(',') => Some(peer),
        _ => claim.forwarded,
    };
    let peer = claim.peer.filter(|peer| *peer != "-" && !peer.contains(','));
    let named = claim.named.into_iter();
    let texts = peer.into_iter().chain(list.into_iter().flat_map(walked)).chain(named);
    let (mut hops, mut is_found) = (Vec::new(), false);
    for text in texts {
        let address = parse_address(text);
        let part = match address {
            _ if is_found => Part::Claimed,
            None => Part::NoAddress,
            Some(address) if Some(address) == client => {
                is_found = true;
                Part::Client
            }
            Some(_) => Part::Proxy,
        };
        hops.push(Hop { text: text.to_owned(), part });
    }
    hops
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_has_its_part() {
        let trusted = Networks::parse(["10.0.0.0/8"]).unwrap();
        let told = |peer, forwarded, named| {
            let claim = Claim { peer, named, forwarded };
            let hops = tell(claim, &trusted);
            hops.into_iter().map(|hop| (hop.text, hop.part)).collect::<Vec<_>>()
        };
        let hops = told(Some("10.0.0.1"), Some("1.1.1.1, 203.0.113.9, 10.0.0.2"), None);
        let parts: Vec<_> = hops.iter().map(|(_, part)| *part).collect();
        assert_eq!(parts, [Part::Proxy, Part::Proxy, Part::Client, Part::Claimed]);
        assert_eq!(hops[2].0, "203.0.113.9");
        let hops = told(Some("192.0.2.1"), Some("1.1.1.1"), Some("2.2.2.2"));
        let parts: Vec<_> = hops.iter().map(|(_, part)| *part).collect();
        assert_eq!(parts, [Part::Client, Part::Claimed, Part::Claimed]);
        let hops = told(Some("10.0.0.1"), Some("unknown"), Some("203.0.113.9"));
        let parts: Vec<_> = hops.iter().map(|(_, part)| *part).collect();
        assert_eq!(parts, [Part::Proxy, Part::NoAddress, Part::Client]);
        assert_eq!(told(None, None, None), []);
    }
}
