//! How much of a client's address is kept.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipcrypt_rs::IpcryptPfx;

use super::addresses;

/// What becomes of client addresses before anything is stored or counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Privacy {
    /// They are kept.
    #[default]
    Keep,
    /// Their last bits are set to zero.
    Truncate(Level),
    /// They are encrypted so that addresses with a common prefix have a common prefix afterwards
    /// (draft-denis-ipcrypt, `ipcrypt-pfx`).
    Pseudonymise(Key),
}

/// How many bits are kept; the levels of `goaccess --anonymize-level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// IPv4 /24, IPv6 /64.
    Low,
    /// IPv4 /16, IPv6 /32.
    Medium,
    /// IPv4 /8, IPv6 /16.
    High,
}

impl Level {
    const fn kept_bits(self) -> (u32, u32) {
        match self {
            Self::Low => (24, 64),
            Self::Medium => (16, 32),
            Self::High => (8, 16),
        }
    }
}

/// A secret of 32 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; Key::BYTES]);

/// A text that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Too short, too long, or not hexadecimal.
    #[error("a key is 64 hexadecimal digits, as `openssl rand -hex 32` prints them")]
    NotHex,
    /// The cipher needs two different halves.
    #[error("the two halves of the key are equal; make one with `openssl rand -hex 32`")]
    EqualHalves,
}

impl Key {
    const BYTES: usize = IpcryptPfx::KEY_BYTES;
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if text.len() != 2 * Self::BYTES || !text.is_ascii() {
            return Err(KeyError::NotHex);
        }
        let mut key = [0; Self::BYTES];
        for (index, byte) in key.iter_mut().enumerate() {
            let digits = text.get(2 * index..2 * index + 2).ok_or(KeyError::NotHex)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| KeyError::NotHex)?;
        }
        let (first, second) = key.split_at(Self::BYTES / 2);
        if first == second { Err(KeyError::EqualHalves) } else { Ok(Self(key)) }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// Anonymises addresses.
pub(super) enum Anonymiser {
    Idle,
    Truncate(Level),
    Pseudonymise(Box<IpcryptPfx>),
}

impl fmt::Debug for Anonymiser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Idle => f.write_str("Idle"),
            Self::Truncate(level) => f.debug_tuple("Truncate").field(level).finish(),
            Self::Pseudonymise(_) => f.write_str("Pseudonymise(…)"),
        }
    }
}

impl Anonymiser {
    pub(super) fn new(privacy: &Privacy) -> Self {
        match privacy {
            Privacy::Keep => Self::Idle,
            Privacy::Truncate(level) => Self::Truncate(*level),
            Privacy::Pseudonymise(key) => Self::Pseudonymise(Box::new(IpcryptPfx::new(key.0))),
        }
    }

    pub(super) const fn is_idle(&self) -> bool {
        matches!(self, Self::Idle)
    }

    pub(super) fn apply(&self, address: IpAddr) -> IpAddr {
        match self {
            Self::Idle => address,
            Self::Truncate(level) => truncate(address, *level),
            Self::Pseudonymise(cipher) => cipher.encrypt_ipaddr(address),
        }
    }

    /// A text in which every address is anonymised, whatever it is an address of.
    pub(super) fn scrub<'a>(&self, raw: &'a [u8]) -> Cow<'a, [u8]> {
        if self.is_idle() {
            Cow::Borrowed(raw)
        } else {
            Cow::Owned(addresses::replace(raw, |address| self.apply(address)))
        }
    }
}

const fn truncate(address: IpAddr, level: Level) -> IpAddr {
    let (v4, v6) = level.kept_bits();
    match address {
        IpAddr::V4(address) => {
            IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & (u32::MAX << (32 - v4))))
        }
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (128 - v6))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn pseudonymiser() -> Anonymiser {
        Anonymiser::new(&Privacy::Pseudonymise(KEY.parse().unwrap()))
    }

    #[test]
    fn levels_keep_fewer_and_fewer_bits() {
        let shown = |level, text: &str| {
            Anonymiser::new(&Privacy::Truncate(level)).apply(text.parse().unwrap()).to_string()
        };
        let (v4, v6) = ("203.7.113.77", "2001:db8:1:2:3:4:5:6");
        assert_eq!(
            [Level::Low, Level::Medium, Level::High].map(|l| shown(l, v4)),
            ["203.7.113.0", "203.7.0.0", "203.0.0.0"].map(str::to_owned)
        );
        assert_eq!(
            [Level::Low, Level::Medium, Level::High].map(|l| shown(l, v6)),
            ["2001:db8:1:2::", "2001:db8::", "2001::"].map(str::to_owned)
        );
    }

    #[test]
    fn a_key_is_64_hexadecimal_digits_and_is_never_shown() {
        assert_eq!(format!("{:?}", KEY.parse::<Key>().unwrap()), "Key(…)");
        assert_eq!("abc".parse::<Key>(), Err(KeyError::NotHex));
        assert_eq!("0".repeat(64).parse::<Key>(), Err(KeyError::EqualHalves));
        assert_eq!("x".repeat(64).parse::<Key>(), Err(KeyError::NotHex));
    }

    #[test]
    fn a_line_that_is_no_record_loses_its_addresses_too() {
        let low = Anonymiser::new(&Privacy::Truncate(Level::Low));
        let raw = b"peer 203.0.113.77:443, 203.0.113.78. [2001:db8::5] at 12:30:45 v1.2.3.4.5 \xff";
        let expected =
            b"peer 203.0.113.0:443, 203.0.113.0. [2001:db8::] at 12:30:45 v1.2.3.4.5 \xff";
        assert_eq!(low.scrub(raw).as_ref(), expected.as_slice());
        assert!(matches!(Anonymiser::Idle.scrub(raw), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn pseudonyms_keep_common_prefixes_and_differ(a in any::<u32>(), b in any::<u32>()) {
            let cipher = pseudonymiser();
            let shown = |bits: u32| match cipher.apply(Ipv4Addr::from_bits(bits).into()) {
                IpAddr::V4(address) => address.to_bits(),
                IpAddr::V6(address) => panic!("{address} is no IPv4 address"),
            };
            let common = |a: u32, b: u32| (a ^ b).leading_zeros();
            prop_assert_eq!(common(a, b), common(shown(a), shown(b)));
        }
    }
}
