//! Autonomous system and country of an address.

use std::fmt;
use std::net::IpAddr;

/// Where an address belongs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Origin {
    /// Autonomous system.
    pub asn: Option<u32>,
    /// Country, two capital letters.
    pub country: Option<[u8; 2]>,
}

impl Origin {
    /// The country as text.
    pub fn country(&self) -> Option<&str> {
        self.country.as_ref().and_then(|code| std::str::from_utf8(code).ok())
    }
}

/// Who knows where addresses belong.
pub trait Origins: fmt::Debug {
    /// Where an address belongs.
    fn origin(&self, address: IpAddr) -> Origin;

    /// Takes up what has changed, if it is time to; whether answers may be others now.
    fn refresh(&mut self) -> bool;
}
