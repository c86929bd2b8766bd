//! Keyed hashes of traffic values: whoever sends the traffic must not be able to choose collisions.

use rapidhash::v3::{RapidSecrets, rapidhash_v3_seeded};

/// Hashes texts with secrets derived from the configured key.
#[derive(Clone)]
pub struct Hasher {
    secrets: RapidSecrets,
    key: u64,
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hasher(keyed)")
    }
}

impl Hasher {
    /// Derives the secrets from `key`.
    pub fn new(key: u64) -> Self {
        Self { secrets: RapidSecrets::seed(key), key }
    }

    /// Hash of a text; never 0, which stands for an absent one.
    pub fn text(&self, text: &str) -> u64 {
        self.bytes(text.as_bytes())
    }

    /// Hash of a path: that of a folder follows from that of its name, see [`with_slash`].
    pub fn path(&self, text: &str) -> u64 {
        match text.strip_suffix('/') {
            Some(name) if !name.is_empty() => with_slash(self.text(name)),
            _ => self.text(text),
        }
    }

    fn bytes(&self, text: &[u8]) -> u64 {
        rapidhash_v3_seeded(text, &self.secrets).max(1)
    }

    /// Half of the hash of a text, for what has few values; never 0.
    #[expect(clippy::cast_possible_truncation, reason = "half of a hash")]
    pub fn short(&self, text: &[u8]) -> u32 {
        (self.bytes(text) as u32).max(1)
    }

    /// Hash of a pair of hashes or numbers; never 0.
    pub const fn pair(&self, a: u64, b: u64) -> u64 {
        self.second(b).with(a)
    }

    /// The second of a pair, for many that have it in common.
    pub const fn second(&self, b: u64) -> Second {
        Second(mix(b ^ self.key))
    }
}

/// The second of a pair of hashes or numbers, hashed.
#[derive(Debug, Clone, Copy)]
pub struct Second(u64);

impl Second {
    /// Hash of the pair with this first: the same as [`Hasher::pair`].
    pub const fn with(self, a: u64) -> u64 {
        let hash = mix(a ^ self.0);
        if hash == 0 { 1 } else { hash }
    }
}

/// Told apart from other uses of [`mix`] by this: any odd number would do.
const SLASH: u64 = 0x2f2f_2f2f_2f2f_2f2f;

/// Hash of a path with a slash at its end, from that of the path without; never 0.
pub const fn with_slash(path: u64) -> u64 {
    let hash = mix(path ^ SLASH);
    if hash == 0 { 1 } else { hash }
}

/// Finalizer of `SplitMix64`: a bijection that mixes every bit.
pub const fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_changes_the_hash() {
        let (a, b) = (Hasher::new(1), Hasher::new(2));
        assert_ne!(a.text("/"), b.text("/"));
        assert_ne!(a.pair(1, 2), b.pair(1, 2));
        assert_ne!(a.pair(1, 2), a.pair(2, 1));
        assert_eq!(a.text(""), Hasher::new(1).text(""));
        assert_eq!(a.path("/b/"), with_slash(a.path("/b")));
        assert_ne!(a.path("/"), with_slash(a.text("")));
        assert_ne!(a.path("/b/"), b.path("/b/"));
    }
}
