//! Values that are told by their shape.
//!
//! `HAProxy` logs the headers that it was told to capture: `{shop.example|Mozilla/5.0 (X11)} {text/html}`. Those of
//! the request come first, then those of the response, each in the order of the configuration, which no line tells.
//! So what a header is is told by its shape; of two that look alike the first counts, and addresses are left alone:
//! one of a client cannot be told from one that was asked for.

use super::variables::Guess;
use crate::record::{Escape, Record, Slot, Value};
use crate::search::divide;

/// Longest text that is taken for a host with a port.
const HOST_BYTES_MAX: usize = 259;

/// Keeps what can be told of a text.
pub(super) fn keep<'a>(text: &'a str, escape: Escape, guess: Guess, record: &mut Record<'a>) {
    match guess {
        Guess::Captures => keep_captures(text, escape, record),
        Guess::HostForName if is_host(text) => {
            record.set(Slot::Host, Value { text, rank: u8::MAX, ..Value::default() });
        }
        Guess::HostAndTarget => {
            let at = text.find(['/', '?']).unwrap_or(text.len());
            let (host, target) = text.split_at(at);
            record.set(Slot::Host, Value { text: host, ..Value::default() });
            record.set(Slot::Uri, Value { text: target, escape, ..Value::default() });
        }
        Guess::SquidResult => keep_squid_result(text, record),
        Guess::HostForName | Guess::Nothing | Guess::List => {}
    }
}

/// Squid, "Squid result codes": `TCP_MISS`, `TCP_MEM_HIT`, `TCP_MISS_ABORTED`: protocol, outcome, and how it ended where
/// that was not as it should be.
fn keep_squid_result<'a>(text: &'a str, record: &mut Record<'a>) {
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
    let Some((mut captured, _)) = divide(opened, b'}') else { return };
    loop {
        let (text, rest) = divide(captured, b'|').unwrap_or((captured, ""));
        if let Some(slot) = slot_of(text) {
            record.set(slot, Value { text, escape, ..Value::default() });
        }
        if text.len() == captured.len() {
            return;
        }
        captured = rest;
    }
}

fn slot_of(header: &str) -> Option<Slot> {
    if is_host(header) {
        Some(Slot::Host)
    } else if header.starts_with("http://") || header.starts_with("https://") {
        Some(Slot::Referer)
    } else if is_product(header) {
        Some(Slot::UserAgent)
    } else {
        None
    }
}

/// A name with a dot in it whose last label is no number, possibly with a port.
fn is_host(text: &str) -> bool {
    let (mut dots, mut before, mut is_name, mut port) = (0, b'.', false, "");
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b':' => {
                port = text.get(at + 1..).unwrap_or_default();
                break;
            }
            b'.' if before == b'.' => return false,
            b'.' => (dots, is_name) = (dots + 1, false),
            b'a'..=b'z' | b'A'..=b'Z' => is_name = true,
            b'0'..=b'9' | b'-' | b'_' => {}
            _ => return false,
        }
        before = byte;
    }
    is_name
        && dots > 0
        && text.len() <= HOST_BYTES_MAX
        && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// A name, a slash and a version, RFC 9110 §10.1.5: what user agents begin with, and media types do not.
fn is_product(text: &str) -> bool {
    let Some((name, version)) = divide(text, b'/') else { return false };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+ ".contains(&byte);
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(is_name)
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
            assert_eq!(slot_of(header), slot, "{header}");
        }
    }
}
