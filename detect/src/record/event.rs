//! One access record as the detector keeps it: hashes, counts and classes, no text.

use serde::{Deserialize, Serialize};

use crate::record::source::Source;

/// Facts about a record, as bits of [`Event::flags`].
pub mod flag {
    /// Path of a style sheet, script, image, font, …
    pub const ASSET: u16 = 1;
    /// Path or query that takes credentials.
    pub const AUTH: u16 = 1 << 1;
    /// Referer absent.
    pub const REFERER_NONE: u16 = 1 << 2;
    /// Referer on the same host.
    pub const REFERER_OWN: u16 = 1 << 3;
    /// User agent that names its operator (`+http`, `bot`, …).
    pub const DECLARED_BOT: u16 = 1 << 4;
    /// Came too late to be decided on: only counted.
    pub const LATE: u16 = 1 << 5;
    /// Its texts are in the table of names.
    pub const NAMED: u16 = 1 << 6;
    /// Method with a body: POST, PUT, PATCH.
    pub const WRITE: u16 = 1 << 7;
    /// Cache status miss, expired, bypass: the origin was asked for what a cache might have held.
    pub const CACHE_MISS: u16 = 1 << 8;
    /// Cache status hit or the like.
    pub const CACHE_HIT: u16 = 1 << 9;
    /// Matches a rule of an open incident.
    pub const EXPLAINED: u16 = 1 << 10;
    /// Its source is never judged.
    pub const EXEMPT: u16 = 1 << 11;
    /// Its time is not believed: only counted.
    pub const IMPLAUSIBLE: u16 = 1 << 12;
    /// Judged at another time than it names: its clock is a whole number of quarter-hours off.
    pub const CORRECTED: u16 = 1 << 13;
}

/// One access record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Event {
    /// Effective event time, µs.
    pub ts: i64,
    /// Source.
    pub source: Source,
    /// Hash of the host; 0 where the log names none.
    pub host: u64,
    /// Hash of the user agent; 0 if none.
    pub user_agent: u64,
    /// Hash of the path.
    pub path: u64,
    /// Hash of the query; 0 if none.
    pub query: u64,
    /// Hash of the JA4 fingerprint; 0 if none.
    pub ja4: u64,
    /// Hash of the query up to and including its first `=`; 0 if none.
    pub query_key: u32,
    /// Bytes sent, saturating.
    pub bytes: u32,
    /// Time to serve, ms, saturating.
    pub duration_ms: u32,
    /// Autonomous system; 0 if unknown.
    pub asn: u32,
    /// Status; 0 if none.
    pub status: u16,
    /// Bits of [`flag`].
    pub flags: u16,
    /// Hash of the method.
    pub method: u16,
    /// Country, two letters; 0 if unknown.
    pub country: u16,
}

const _: () = assert!(size_of::<Event>() <= 96, "a staged record fits one and a half cache lines");

impl Event {
    /// Whether every bit of `flags` is set.
    pub const fn has(&self, flags: u16) -> bool {
        self.flags & flags == flags
    }

    /// Hundreds of the status.
    pub const fn status_class(&self) -> u16 {
        self.status / 100
    }

    /// Path asked for that does not exist or must not be seen.
    pub const fn is_refused_path(&self) -> bool {
        matches!(self.status, 400 | 403 | 404 | 410 | 444)
    }

    /// Log-in that failed, as far as a status tells.
    pub const fn is_refused_login(&self) -> bool {
        matches!(self.status, 400 | 401 | 403 | 404 | 422 | 423 | 429)
    }
}

/// A query up to and including its first `=`: `r=` of `r=8f3a`; empty when there is none.
pub fn query_key(query: &str) -> &str {
    query.find('=').map_or("", |at| &query[..=at])
}

/// Key under which the text of a method is named.
pub const fn method_name_key(method: u16) -> u64 {
    0x6d65_7468_6f64_0000 | method as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_has_a_key() {
        assert_eq!(query_key("r=81&b=2"), "r=");
        assert_eq!(query_key("81"), "");
    }
}
