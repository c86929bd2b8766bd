//! One access record as the detector keeps it: hashes, counts and classes, no text.

use arrow_array::{Array, Int64Array, StringArray};
use schemas::RequestBatch;
use serde::{Deserialize, Serialize};

use crate::hash::Hasher;
use crate::limits::CLASSES_MAX;
use crate::source::Source;
use crate::table::Table;

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

fn text(array: &StringArray, row: usize) -> &str {
    if array.is_null(row) { "" } else { array.value(row) }
}

fn long(array: &Int64Array, row: usize) -> i64 {
    if array.is_null(row) { 0 } else { array.value(row) }
}

fn saturated(value: i64) -> u32 {
    u32::try_from(value.max(0)).unwrap_or(u32::MAX)
}

/// The texts of one record, borrowed from its batch.
#[derive(Debug, Clone, Copy)]
pub struct Texts<'a> {
    /// Host.
    pub host: &'a str,
    /// Path.
    pub path: &'a str,
    /// Query.
    pub query: &'a str,
    /// User agent.
    pub user_agent: &'a str,
    /// JA4 fingerprint.
    pub ja4: &'a str,
    /// Method.
    pub method: &'a str,
    /// Client address.
    pub client_ip: &'a str,
}

impl<'a> Texts<'a> {
    /// Texts of a row; absent ones are empty.
    pub fn of(batch: &'a RequestBatch, row: usize) -> Self {
        Self {
            host: text(batch.host(), row),
            path: text(batch.path(), row),
            query: text(batch.query(), row),
            user_agent: text(batch.user_agent(), row),
            ja4: text(batch.ja4(), row),
            method: text(batch.method(), row),
            client_ip: text(batch.client_ip(), row),
        }
    }
}

/// What a text says, by its hash: paths and user agents repeat, searching them for words is dear.
///
/// A cache of a pure function: it is no part of the state.
#[derive(Debug, Default)]
pub struct Classes {
    flags: Table<u16>,
}

impl Classes {
    fn of(&mut self, hash: u64, classify: impl FnOnce() -> u16) -> u16 {
        if self.flags.len() >= CLASSES_MAX {
            self.flags.clear();
        }
        *self.flags.entry(hash, classify).0
    }
}

/// Reads a row of a batch, with its own time.
pub fn read(
    batch: &RequestBatch,
    row: usize,
    texts: &Texts<'_>,
    hasher: &Hasher,
    classes: &mut Classes,
) -> Event {
    let hash = |text: &str| if text.is_empty() { 0 } else { hasher.text(text) };
    let status = if batch.status().is_null(row) { 0 } else { batch.status().value(row) };
    let country = text(batch.client_country(), row).as_bytes();
    let user_agent = hash(texts.user_agent);
    let path = hash(texts.path);
    let query = hash(texts.query);
    let mut flags = flags(batch, row, texts);
    flags |= classes
        .of(user_agent, || if declares_itself(texts.user_agent) { flag::DECLARED_BOT } else { 0 });
    let mut said = classes.of(path, || {
        let auth = if takes_credentials(texts.path) { flag::AUTH } else { 0 };
        if is_asset(texts.path) { auth | flag::ASSET } else { auth }
    });
    if flags & flag::WRITE == 0 {
        said &= !flag::AUTH;
    } else if said & flag::AUTH == 0 && takes_credentials(texts.query) {
        said |= flag::AUTH;
    }
    flags |= said;
    Event {
        ts: batch.ts().value(row),
        source: Source::parse(texts.client_ip, || hasher.text(texts.client_ip)),
        host: hash(texts.host),
        user_agent,
        path,
        query,
        ja4: hash(texts.ja4),
        query_key: short(hash(query_key(texts.query))),
        bytes: saturated(long(batch.response_bytes(), row)),
        duration_ms: saturated(long(batch.duration_us(), row) / 1_000),
        asn: saturated(long(batch.client_asn(), row)),
        status: u16::try_from(status).unwrap_or(0),
        flags,
        method: method(texts.method),
        country: if country.len() == 2 { u16::from_be_bytes([country[0], country[1]]) } else { 0 },
    }
}

#[expect(clippy::cast_possible_truncation, reason = "32 bits of a hash")]
const fn short(hash: u64) -> u32 {
    hash as u32
}

/// A query up to and including its first `=`: `r=` of `r=8f3a`; empty when there is none.
pub fn query_key(query: &str) -> &str {
    query.find('=').map_or("", |at| &query[..=at])
}

fn method(text: &str) -> u16 {
    let mut hash = 0_u16;
    for byte in text.bytes() {
        hash = hash.wrapping_mul(31).wrapping_add(u16::from(byte));
    }
    hash
}

/// Key under which the text of a method is named.
pub const fn method_name_key(method: u16) -> u64 {
    0x6d65_7468_6f64_0000 | method as u64
}

fn flags(batch: &RequestBatch, row: usize, texts: &Texts<'_>) -> u16 {
    let mut flags = 0;
    let mut set = |on: bool, bit: u16| {
        if on {
            flags |= bit;
        }
    };
    let write = matches!(texts.method, "POST" | "PUT" | "PATCH");
    let referer = text(batch.referer(), row);
    set(write, flag::WRITE);
    set(referer.is_empty() || referer == "-", flag::REFERER_NONE);
    set(!texts.host.is_empty() && host_of(referer) == Some(texts.host), flag::REFERER_OWN);
    let cache = text(batch.cache_status(), row);
    set(matches!(cache, "miss" | "expired" | "bypass"), flag::CACHE_MISS);
    set(matches!(cache, "hit" | "revalidated" | "stale" | "updating"), flag::CACHE_HIT);
    flags
}

fn host_of(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let end = rest.find(['/', '?', ':']).unwrap_or(rest.len());
    Some(&rest[..end])
}

/// Extensions of what a page pulls in by itself.
const ASSETS: &[&str] = &[
    "css",
    "js",
    "mjs",
    "map",
    "png",
    "jpg",
    "jpeg",
    "gif",
    "ico",
    "svg",
    "webp",
    "avif",
    "bmp",
    "woff",
    "woff2",
    "ttf",
    "otf",
    "eot",
    "mp3",
    "ogg",
    "webm",
    "swf",
    "cur",
    "webmanifest",
];

fn is_asset(path: &str) -> bool {
    let tail = &path.as_bytes()[path.len().saturating_sub(12)..];
    let Some(dot) = tail.iter().rposition(|byte| *byte == b'.') else { return false };
    let extension = &tail[dot + 1..];
    ASSETS.iter().any(|asset| extension.eq_ignore_ascii_case(asset.as_bytes()))
}

/// Words in the path of an address that takes credentials.
const CREDENTIAL_WORDS: &[&str] = &[
    "login",
    "logon",
    "signin",
    "sign-in",
    "sign_in",
    "log-in",
    "oauth",
    "token",
    "auth",
    "session",
    "password",
    "xmlrpc",
    "account/verify",
    "2fa",
    "otp",
];

fn takes_credentials(text: &str) -> bool {
    CREDENTIAL_WORDS.iter().any(|word| contains(text, word))
}

/// ASCII case-insensitive search for a lower-case word.
fn contains(text: &str, word: &str) -> bool {
    let (text, word) = (text.as_bytes(), word.as_bytes());
    text.len() >= word.len() && text.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))
}

/// Whether a user agent says who runs it and is no browser in use by a person.
fn declares_itself(user_agent: &str) -> bool {
    const WORDS: &[&str] = &[
        "+http",
        "bot/",
        "bot;",
        "crawler",
        "spider",
        "slurp",
        "monitor",
        "bot_version",
        "uptime",
    ];
    WORDS.iter().any(|word| contains(user_agent, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_classes() {
        assert!(
            is_asset("/a/b.CSS")
                && is_asset("/x.woff2")
                && !is_asset("/index.php")
                && !is_asset("/")
        );
        assert!(!is_asset("/releases.tar.gz") && !is_asset(""));
        assert!(takes_credentials("/wp-login.php") && takes_credentials("title=Special:UserLogin"));
        assert!(!takes_credentials("/cart"));
    }

    #[test]
    fn a_query_has_a_key() {
        assert_eq!(query_key("r=81&b=2"), "r=");
        assert_eq!(query_key("81"), "");
    }

    #[test]
    fn bots_say_so() {
        assert!(declares_itself(
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
        ));
        assert!(!declares_itself("python-requests/2.31.0"));
        assert_eq!(host_of("https://shop.example/a?b"), Some("shop.example"));
        assert_eq!(host_of("-"), None);
    }
}
