//! Values that are told by their shape.
//!
//! `HAProxy` logs the headers that it was told to capture: `{shop.example|Mozilla/5.0 (X11)} {text/html}`. Those of
//! the request come first, then those of the response, each in the order of the configuration, which no line tells.
//! So what a header is is told by its shape; of two that look alike the first counts, and addresses are left alone:
//! one of a client cannot be told from one that was asked for. Clients choose what they send: `{evil.example}` may be
//! their `X-Forwarded-For` or their user agent. So it is none where most lines before had something else at that place. What
//! was seen there is a part of what was learnt of a stream.

use serde::{Deserialize, Serialize};

use super::variables::Guess;
use crate::address::is_plain_ip;
use crate::record::{Escape, Record, Slot, Value};
use crate::search::divide;

/// Longest text that is taken for a host with a port.
const HOST_BYTES_MAX: usize = 259;

/// Headers of one line that are told apart; those behind them are counted with the last.
const PLACES: usize = 6;

/// Pairs of how many headers a line has and which of them one is.
const PAIRS: usize = PLACES * (PLACES + 1) / 2;

/// What was seen at each place of the captured headers in the lines before, apart by how many there were: frontends
/// capture different ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// Lines with a host there, and without. Counted until one is full, so that no flood can change it.
    seen: [[u8; 2]; PAIRS],
}

/// What a header is by its shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// A host.
    Host,
    /// Something else: a text, nothing, a number, an address.
    Other,
}

impl Shape {
    /// A host is a name with a dot in it whose last label is no number, possibly with a port.
    fn of(header: &str) -> Self {
        let (mut dots, mut before, mut is_name, mut is_port, mut is_sound) =
            (0, b'.', false, false, header.len() <= HOST_BYTES_MAX);
        for byte in header.bytes() {
            match byte {
                b'0'..=b'9' => {}
                b'a'..=b'z' | b'A'..=b'Z' if !is_port => is_name = true,
                b'.' if !is_port => {
                    is_sound &= before != b'.';
                    (dots, is_name) = (dots + 1, false);
                }
                b'-' | b'_' if !is_port => {}
                b':' if !is_port => is_port = true,
                b'a'..=b'z' | b'A'..=b'Z' | b'.' | b'-' | b'_' | b':' | b'[' | b']' => {
                    is_sound = false;
                }
                _ => return Self::Other,
            }
            before = byte;
        }
        if is_sound && is_name && dots > 0 { Self::Host } else { Self::Other }
    }
}

/// The captured headers of a line: how many, and a bit for each that is a host by its shape.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Captured {
    count: u8,
    hosts: u8,
}

impl Captured {
    /// Of a line without any.
    pub const NONE: Self = Self { count: 0, hosts: 0 };

    /// Notes what the header at a place is.
    fn note(&mut self, place: usize, shape: Shape) {
        if shape == Shape::Host {
            self.hosts |= 1 << place.min(PLACES - 1);
        }
        self.count = self.count.saturating_add(1);
    }
}

impl Layout {
    /// Whether no line has shown any.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    fn index(count: u8, place: usize) -> usize {
        let count = usize::from(count).clamp(1, PLACES);
        count * (count - 1) / 2 + place.min(count - 1)
    }

    /// Whether a host may stand at a place: in the lines before there was nothing else, or less of it.
    fn may_be_host(&self, count: u8, place: usize) -> bool {
        let seen = self.seen.get(Self::index(count, place));
        seen.is_none_or(|[hosts, others]| *others == 0 || hosts > others)
    }

    /// Counts the headers of a line.
    pub fn learn(&mut self, found: Captured) {
        for place in 0..usize::from(found.count).min(PLACES) {
            let Some([hosts, others]) = self.seen.get_mut(Self::index(found.count, place)) else {
                return;
            };
            if *hosts < u8::MAX && *others < u8::MAX {
                let is_host = (found.hosts >> place) & 1;
                *hosts += is_host;
                *others += 1 - is_host;
            }
        }
    }
}

/// Keeps what can be told of a text. A host where a remote log name stands is one only if it is `alone`: the name of a
/// user, one word, is all there is between it and the time.
pub(super) fn keep<'a>(
    text: &'a str,
    is_alone: impl FnOnce() -> bool,
    (escape, guess): (Escape, Guess),
    record: &mut Record<'a>,
) {
    match guess {
        Guess::Captures => keep_captures(text, escape, record),
        Guess::HostForName if Shape::of(text) == Shape::Host && is_alone() => {
            record.set(Slot::Host, Value { text, rank: u8::MAX, ..Value::default() });
        }
        Guess::HostAndTarget => {
            let at = text.find(['/', '?']).unwrap_or(text.len());
            let (host, target) = text.split_at(at);
            record.set(Slot::Host, Value { text: host, ..Value::default() });
            record.set(Slot::Uri, Value { text: target, escape, ..Value::default() });
        }
        Guess::Target => {
            let at = text.find(['/', '?']).unwrap_or(text.len());
            let target = text.get(at..).unwrap_or_default();
            record.set(Slot::Uri, Value { text: target, escape, ..Value::default() });
        }
        Guess::NoId => record.truncated |= is_id(text),
        Guess::Word => record.truncated |= text.contains(' '),
        Guess::Tls => record.truncated |= !is_tls(text),
        Guess::Cipher => record.truncated |= !is_cipher(text),
        Guess::SquidResult => keep_squid_result(text, record),
        Guess::HostForName | Guess::Nothing | Guess::List => {}
    }
}

/// Whether a text is an id of 128 bits, which the header Range is not.
fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a text is a version of TLS as OpenSSL calls it: `TLSv1.3`, `SSLv3`.
fn is_tls(text: &str) -> bool {
    text.starts_with("TLSv") || text.starts_with("SSLv") || text.starts_with("DTLSv")
}

/// Whether a text is a suite of ciphers as OpenSSL calls it: `ECDHE-RSA-AES128-GCM-SHA256`, `(NONE)`.
fn is_cipher(text: &str) -> bool {
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text == "(NONE)"
        || (text.starts_with(|first: char| first.is_ascii_uppercase())
            && text.bytes().all(is_of_name))
}

/// Squid, "Squid result codes": `TCP_MISS`, `TCP_MEM_HIT`, `TCP_MISS_ABORTED`: protocol, outcome, and how it ended where
/// that was not as it should be.
fn keep_squid_result<'a>(text: &'a str, record: &mut Record<'a>) {
    // It is a word; with others in it, it is of another line.
    record.truncated |= text.contains(' ');
    // Another cache asked, over ICP, whether it is there.
    if text.starts_with("UDP_") {
        record.set(Slot::Kind, Value { text, ..Value::default() });
    }
    let outcome = text.strip_prefix("TCP_").unwrap_or(text);
    let (outcome, ending) = match outcome.rsplit_once('_') {
        Some((outcome, ending @ ("ABORTED" | "TIMEDOUT"))) => (outcome, ending),
        _ => (outcome, "-"),
    };
    let outcome = match outcome.rsplit_once('_') {
        Some((_, last @ ("HIT" | "MISS"))) => last,
        _ => outcome,
    };
    record.set(Slot::CacheStatus, Value { text: outcome, ..Value::default() });
    record.set(Slot::Aborted, Value { text: ending, ..Value::default() });
}

/// Keeps the headers of the request, in the text between queue lengths and request.
fn keep_captures<'a>(text: &'a str, escape: Escape, record: &mut Record<'a>) {
    let Some((_, opened)) = divide(text, b'{') else { return };
    let Some((headers, _)) = divide(opened, b'}') else { return };
    let (mut captured, mut hosts) = (Captured::NONE, [None; PLACES]);
    let (mut rest, mut place) = (Some(headers), 0);
    while let Some(behind) = rest {
        let text;
        (text, rest) =
            divide(behind, b'|').map_or((behind, None), |(text, rest)| (text, Some(rest)));
        let shape = Shape::of(text);
        captured.note(place, shape);
        match slot_of(text, shape) {
            // Whether one may stand there is known once all are counted.
            Some(Slot::Host) => {
                hosts.get_mut(place.min(PLACES - 1)).map(|host| host.get_or_insert(text));
            }
            Some(slot) => record.set(slot, Value { text, escape, ..Value::default() }),
            None => {}
        }
        place += 1;
    }
    for (place, host) in hosts.into_iter().enumerate() {
        if let Some(text) = host
            && record.layout.may_be_host(captured.count, place)
        {
            record.set(Slot::Host, Value { text, escape, ..Value::default() });
        }
    }
    record.captured = captured;
}

/// What a header of that shape is.
fn slot_of(header: &str, shape: Shape) -> Option<Slot> {
    if shape == Shape::Host {
        Some(Slot::Host)
    } else if header.starts_with("http://") || header.starts_with("https://") {
        Some(Slot::Referer)
    } else if is_product(header) {
        Some(Slot::UserAgent)
    } else {
        None
    }
}

/// A name, a slash and a version, RFC 9110 §10.1.5: what user agents begin with, and media types do not.
fn is_product(text: &str) -> bool {
    let Some((name, version)) = divide(text, b'/') else { return false };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+ ".contains(&byte);
    // `proxy 192.0.2.1/32` has an address there.
    let word = memchr::memrchr(b' ', name.as_bytes()).map_or(0, |at| at + 1);
    let word =
        name.get(word..).filter(|word| word.starts_with(|first: char| first.is_ascii_hexdigit()));
    let is_address = word.is_some_and(is_plain_ip);
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(is_name)
        && !is_address
        && version.trim_start_matches(['v', 'V']).starts_with(|first: char| first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_told_by_their_shape() {
        for (header, slot) in [
            ("shop.example", Some(Slot::Host)),
            ("Shop.Example:8443", Some(Slot::Host)),
            ("192.0.2.1", None),
            ("192.0.2.1:80", None),
            ("Mozilla/5.0 (X11; Linux x86_64)", Some(Slot::UserAgent)),
            ("Apache-HttpClient/4.5.13 (Java/11)", Some(Slot::UserAgent)),
            ("proxy 192.0.2.1/32", None),
            ("text/html", None),
            ("en-US,en;q=0.9", None),
            ("session=a/1", None),
            ("https://shop.example/a", Some(Slot::Referer)),
            ("gzip", None),
            ("1.1", None),
            ("v1.2", None),
            (".example", None),
            ("shop..example", None),
            ("shop.example:x", None),
            ("", None),
        ] {
            assert_eq!(slot_of(header, Shape::of(header)), slot, "{header}");
        }
    }

    #[test]
    fn a_host_stands_where_hosts_stood_before() {
        let host = |layout: &mut Layout, headers: &'static str| {
            let line = format!("0/0 {{{headers}}} ");
            let mut record = Record::default();
            record.layout = *layout;
            keep_captures(&line, Escape::Hash, &mut record);
            layout.learn(record.captured);
            record.get(Slot::Host).map(|host| host.text.to_owned())
        };
        let mut layout = Layout::default();
        for (headers, found) in [
            ("shop.example", Some("shop.example")),
            ("shop.example", Some("shop.example")),
            ("192.0.2.1:80", None),
            ("shop.example", Some("shop.example")),
            // Other frontends capture other headers.
            ("Mozilla/5.0 (X11)|shop.example", Some("shop.example")),
            ("evil.example|shop.example", Some("shop.example")),
            ("evil.example|", None),
            ("shop.example", Some("shop.example")),
        ] {
            assert_eq!(host(&mut layout, headers).as_deref(), found, "{headers}");
        }
        // Addresses, as clients forward them, are no hosts: what stands in their place is none.
        for _ in 0..9 {
            assert_eq!(host(&mut layout, "198.51.100.7||curl/8.5.0"), None);
        }
        for _ in 0..9 {
            assert_eq!(host(&mut layout, "evil.example||curl/8.5.0"), None);
        }
        // As many as it takes until no flood changes it.
        for _ in 0..=u8::MAX {
            host(&mut layout, "curl/8.5.0|");
        }
        for _ in 0..1_000 {
            assert_eq!(host(&mut layout, "evil.example|"), None);
        }
    }
}
