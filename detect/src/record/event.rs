//! One access record as the detector keeps it: hashes, counts and classes, no text.

use serde::{Deserialize, Serialize};

use crate::record::names::is_cut;
use crate::record::source::Source;

/// Facts about a record, as bits of [`Event::flags`].
pub mod flag {
    /// Path of a style sheet, script, image, font, …
    pub const ASSET: u32 = 1;
    /// Path or query that takes credentials.
    pub const AUTH: u32 = 1 << 1;
    /// Referer absent.
    pub const REFERER_NONE: u32 = 1 << 2;
    /// Referer on the same host.
    pub const REFERER_OWN: u32 = 1 << 3;
    /// User agent that names its operator (`+http`, `bot`, …).
    pub const DECLARED_BOT: u32 = 1 << 4;
    /// Came too late to be decided on: only counted.
    pub const LATE: u32 = 1 << 5;
    /// Its texts are in the table of names.
    pub const NAMED: u32 = 1 << 6;
    /// Method with a body: POST, PUT, PATCH.
    pub const WRITE: u32 = 1 << 7;
    /// Cache status miss, expired, bypass: the origin was asked for what a cache might have held.
    pub const CACHE_MISS: u32 = 1 << 8;
    /// Path, query or user agent carries an attack or names a tool for attacks.
    pub const HOSTILE: u32 = 1 << 9;
    /// Matches a rule of an open incident.
    pub const EXPLAINED: u32 = 1 << 10;
    /// Its source is never judged.
    pub const EXEMPT: u32 = 1 << 11;
    /// Path or query says that it may take credentials, or hands out tokens for them: only refusals count.
    pub const TOKEN: u32 = 1 << 12;
    /// Broken off before it was answered, by the client or by the edge.
    pub const ABORTED: u32 = 1 << 13;
    /// Cache status hit or the like: the log tells of the cache.
    pub const CACHE_HIT: u32 = 1 << 15;
    /// Fetches pages, images or feeds on behalf of people, and says so.
    pub const FETCHER: u32 = 1 << 14;
    /// Its time is not believed: only counted.
    pub const IMPLAUSIBLE: u32 = 1 << 16;
    /// Judged at another time than it names: its clock is a whole number of quarter-hours off.
    pub const CORRECTED: u32 = 1 << 17;
    /// Its path holds the address of another site: a link that its reader took for one of this site.
    pub const MISREAD: u32 = 1 << 18;
    /// Reads what takes credentials where it is written to: the form of a log-in.
    pub const FORM: u32 = 1 << 19;
    /// Path that searchers ask for and no page leads to, see [`sought`](crate::record::sought).
    pub const SOUGHT: u32 = 1 << 20;
    /// Path that ends as programs of pages and archives do.
    pub const SCRIPT: u32 = 1 << 21;
    /// Path, query, user agent or referer has a server run a command or code. It is [`HOSTILE`], too.
    pub const COMMAND: u32 = 1 << 22;
    /// Path or query carries an attack, whatever the user agent names. It is [`HOSTILE`], too.
    pub const TEXT: u32 = 1 << 23;
    /// Writes, and names another page of the host than the one that it writes to, or of any where the log does not tell which host it is.
    pub const FROM_PAGE: u32 = 1 << 24;
}

/// Bytes of an answer, and of each millisecond of it, from which sending it takes the time, not making it: 0.8 Mbit/s, which
/// mobile clients draw. Choices.
const SENT_BYTES_MIN: f64 = 1e6;
const SENT_BYTES_A_MS_MIN: f64 = 100.0;

/// Whether it is the client who draws an answer of so many bytes for so many milliseconds.
pub fn takes_long_to_send(bytes: f64, duration_ms: f64) -> bool {
    bytes >= SENT_BYTES_MIN && bytes >= SENT_BYTES_A_MS_MIN * duration_ms
}

/// One access record. A hash of a text is that of its beginning, see [`cut`](super::names::cut).
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
    /// Hash of the path; 0 if none.
    pub path: u64,
    /// Hash of the query; 0 if none.
    pub query: u64,
    /// Hash of the JA4 fingerprint; 0 if none.
    pub ja4: u64,
    /// Hash of the query up to and including its first `=`; 0 if none.
    pub query_key: u64,
    /// Hashes of the path up to and including its second and its third slash, see [`folders`]; 0 where it has fewer.
    pub folders: [u64; 2],
    /// Bytes sent, saturating.
    pub bytes: u32,
    /// Time to serve, ms, saturating.
    pub duration_ms: u32,
    /// Autonomous system; 0 if unknown.
    pub asn: u32,
    /// Bits of [`flag`].
    pub flags: u32,
    /// Hash of the method; 0 if none.
    pub method: u32,
    /// Hash of the path with its numbers and keys left out; 0 where it has none.
    pub shape: u32,
    /// Hash of the user agent with its numbers and keys left out; 0 for browsers, whose names all look alike so.
    pub program: u32,
    /// Status; 0 if null, [`u16::MAX`] where it is no number between.
    pub status: u16,
    /// Country, by its two letters, see [`country_code`]; 0 if unknown.
    pub country: u16,
}

const _: () = assert!(
    size_of::<Event>() <= 112,
    "a staged record fits two cache lines, and leaves a word or two"
);

impl Event {
    /// Whether every bit of `flags` is set.
    pub const fn has(&self, flags: u32) -> bool {
        self.flags & flags == flags
    }

    /// Hundreds of the status.
    pub const fn status_class(&self) -> u16 {
        self.status / 100
    }

    /// Answered with what was asked for: 2xx, or 304 where the client has it already.
    pub const fn is_hit(&self) -> bool {
        matches!(self.status, 200..=299 | 304)
    }

    /// Whether its Referer is a page of this host, or any page where the log does not tell which host it is.
    pub const fn names_page(&self) -> bool {
        self.has(flag::REFERER_OWN) || self.host == 0 && !self.has(flag::REFERER_NONE)
    }

    /// A connection that ended without a request.
    pub const fn is_empty(&self) -> bool {
        self.path == 0 && self.method == 0
    }

    /// Sent elsewhere.
    pub const fn is_redirected(&self) -> bool {
        matches!(self.status, 301 | 302 | 303 | 307 | 308)
    }

    /// Path asked for that does not exist or must not be seen, by the status alone: every 4xx but those about
    /// credentials (401, 407) or payment (402), the client's time or rate (408, 425, 429, 499), or the size of the request (411, 413,
    /// 414, 431), and 444, with which nginx closes without an answer.
    pub const fn is_refused_path(&self) -> bool {
        matches!(self.status, 400..=498)
            && !matches!(self.status, 401 | 402 | 407 | 408 | 411 | 413 | 414 | 425 | 429 | 431)
    }

    /// What was asked for is not there.
    pub const fn is_missing(&self) -> bool {
        matches!(self.status, 404 | 410)
    }

    /// Whether its time is not the origin's: a cache answered, or the client drew it for as long.
    pub fn is_sent_long(&self) -> bool {
        self.has(flag::CACHE_HIT)
            || takes_long_to_send(f64::from(self.bytes), f64::from(self.duration_ms))
    }

    /// Not paid: a card that was declined, or a quota that is used up.
    pub const fn is_unpaid(&self) -> bool {
        self.status == 402
    }

    /// Want of credentials, or of payment: told by the status alone.
    pub const fn is_turned_down(&self) -> bool {
        self.status == 401 || self.is_unpaid()
    }

    /// A read that was refused for want of credentials, whatever its method; what belongs to a page aside, which is refused with it.
    pub const fn is_refused_read(&self) -> bool {
        self.status == 401 && self.flags & (flag::WRITE | flag::ASSET) == 0
    }

    /// Log-in that failed, as far as a status tells.
    pub const fn is_refused_login(&self) -> bool {
        matches!(self.status, 400..=404 | 422 | 423 | 429)
    }
}

/// The two letters of a country as a number; 0 for any other text: what a log says there may be anything. Digits are let
/// through, as in `T1`, which some use for Tor.
pub const fn country_code(text: &str) -> u16 {
    match *text.as_bytes() {
        [a @ (b'A'..=b'Z' | b'0'..=b'9'), b @ (b'A'..=b'Z' | b'0'..=b'9')] => {
            u16::from_be_bytes([a, b])
        }
        _ => 0,
    }
}

/// A query up to and including its first `=`: `r=` of `r=8f3a`; empty when there is none.
pub fn query_key(query: &str) -> &str {
    query.find('=').map_or("", |at| &query[..=at])
}

/// A path up to and including its second and its third slash: `/api/` and `/api/v1/` of `/api/v1/items/7`; empty
/// where it has fewer, or does not begin with one.
///
/// The paths that begin with such a text are exactly those that have it for a folder, as long as it is not cut.
pub fn folders(path: &str) -> [&str; 2] {
    if !path.starts_with('/') {
        return [""; 2];
    }
    let mut slashes = path.match_indices('/').skip(1);
    let mut next = || slashes.next().map_or("", |(at, _)| &path[..=at]);
    [next(), next()].map(|folder| if is_cut(folder) { "" } else { folder })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_has_two_letters() {
        assert_eq!(country_code("DE").to_be_bytes(), *b"DE");
        assert_eq!(country_code("T1").to_be_bytes(), *b"T1");
        for hostile in ["", "D", "DEU", "de", "D'", "\u{1b}[", "\u{e9}", "D\0", "--"] {
            assert_eq!(country_code(hostile), 0, "{hostile:?}");
        }
    }

    #[test]
    fn a_path_has_folders() {
        assert_eq!(folders("/api/v1/items/7"), ["/api/", "/api/v1/"]);
        assert_eq!(folders("/api/v1"), ["/api/", ""]);
        assert_eq!(folders("//"), ["//", ""]);
        for none in ["", "/", "/about", "*", "http://a.example/b/c/"] {
            assert_eq!(folders(none), ["", ""], "{none}");
        }
        assert_eq!(folders(&format!("/{}/a/b", "x".repeat(5_000))), ["", ""]);
    }

    #[test]
    fn a_query_has_a_key() {
        assert_eq!(query_key("r=81&b=2"), "r=");
        assert_eq!(query_key("81"), "");
    }
}
