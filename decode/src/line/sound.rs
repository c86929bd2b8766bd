//! Whether what stands at a place can be what the format has there.

use std::net::{IpAddr, SocketAddr};

use crate::address::{canonical_ip, ends_in_number, is_ipv4, is_private};
use crate::lanes::{contains, is};
use crate::numbers::is_digits;
use crate::reasons::is_level;
use crate::search::divide;

/// Whether a text, which is no plain address, can be what a server writes of its client: an address in another spelling,
/// a name, the word for a socket. `words` is how many words stand between it and the time, where nothing else does: of
/// a name it must be certain that it is not something else, such as what a console puts before a line.
#[cold]
pub(crate) fn is_sound_client(text: &str, tail: &str, words: Option<usize>) -> bool {
    if is_address(text) {
        return true;
    }
    // A number alone stands for a client whose address is kept nowhere.
    let is_machine = is_name(text) && !(text.contains('.') && ends_in_number(text));
    if !is_machine && !text.starts_with("unix:") {
        return false;
    }
    let Some(words) = words else { return true };
    // An empty one is a blank too many.
    let found = words_before_time(tail).map(|word| if word.is_empty() { words + 1 } else { 1 });
    found.sum::<usize>() == words
}

/// The words in front of a time in brackets. Other brackets may be part of a name that somebody chose.
pub(super) fn words_before_time(tail: &str) -> impl Iterator<Item = &str> {
    let is_time = |word: &str| word.strip_prefix('[').is_some_and(looks_like_time);
    tail.split(' ').take_while(move |word| !is_time(word))
}

/// Whether a line has an address in front of its time, a dash, and another address: the client and a user who calls himself like
/// one, or what `X-Forwarded-For` said and the client. A line by itself does not tell.
#[cold]
pub(crate) fn has_two_addresses(line: &str) -> bool {
    let words: Vec<&str> = words_before_time(line).collect();
    matches!(words.as_slice(), [.., one, "-", other] if is_address(one) && is_address(other))
}

/// Whether an address stands among the words between client and time, too, or a time where there must be words: then a
/// host with blanks in it may be in front, and nobody can tell which of them asked. Or a text in quotes: then the time may be one
/// that a client wrote. `words` is how many words stand behind a
/// client at least: what has fewer behind it, and a dash for the remote log name in front, is what a user calls himself.
#[cold]
pub(super) fn has_other_client(tail: &str, words: usize) -> bool {
    let mut found = words_before_time(tail).peekable();
    if words > 0 && found.peek().is_none() {
        return true;
    }
    if holds_quoted(before_time(tail)) {
        return true;
    }
    let of_users = if tail.starts_with("- ") { words } else { 0 };
    let clients = words_before_time(tail).count().saturating_sub(of_users);
    found.take(clients).any(ends_in_address)
}

/// What stands in front of the first time in brackets.
fn before_time(tail: &str) -> &str {
    let is_time = |at: &usize| tail.get(at + 2..).is_some_and(looks_like_time);
    let end = tail.match_indices(" [").map(|(at, _)| at).find(is_time);
    end.and_then(|end| tail.get(..end)).unwrap_or_default()
}

/// Whether there are quotes in what stands in front of a time that are neither escaped nor around the name of a user.
fn holds_quoted(text: &str) -> bool {
    let name = text.strip_prefix("- ").unwrap_or(text);
    let inner = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name);
    let mut quotes = inner.match_indices('"').map(|(at, _)| at);
    quotes.any(|at| !inner.get(..at).is_some_and(|before| before.ends_with('\\')))
}

/// Whether a word is an address, or one behind a dash: where a line was torn behind that, the next one begins there.
pub(super) fn ends_in_address(word: &str) -> bool {
    is_address(word.strip_prefix('-').unwrap_or(word))
}

/// Whether a text is an address, possibly with port, brackets or zone, or a list of them, and nothing else.
pub(crate) fn is_address(text: &str) -> bool {
    !contains(text.as_bytes(), is(b'"'))
        && canonical_ip(text, &mut String::new()).is_some()
        && !has_torn_port(text)
}

/// Whether what stands behind the colon of an address is no port: two that ran into each other.
fn has_torn_port(text: &str) -> bool {
    let first = text.split(',').next().unwrap_or(text);
    let is_port = |port: &str| is_digits(port.trim_ascii());
    first.split_once(':').is_some_and(|(host, port)| is_ipv4(host.as_bytes()) && !is_port(port))
}

/// Whether a text can be the name of a machine.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

/// Whether a text can be a host: a name, an address, or an address in brackets, possibly with a port.
pub(crate) fn is_host(text: &str) -> bool {
    let name = match text.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => text,
    };
    (is_name(name) && !is_told_by_tools(name) && !(name.contains('.') && ends_in_number(name)))
        || (!name.contains([',', ' ', '"']) && is_address(name))
}

/// Words that collectors and consoles put before a line, or write where there is nothing, beside levels: streams, zones,
/// nothing.
const OF_TOOLS: [&str; 11] =
    ["stdout", "stderr", "out", "err", "utc", "gmt", "null", "nil", "none", "nan", "undefined"];

/// Whether a word is one of these, a level, a single letter, as CRI marks parts, or a day.
fn is_told_by_tools(word: &str) -> bool {
    let is_letter = word.len() == 1 && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_letter
        || is_level(word)
        || OF_TOOLS.iter().any(|known| word.eq_ignore_ascii_case(known))
        || is_day(word)
}

/// `2024-05-01`.
fn is_day(word: &str) -> bool {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = word.as_bytes() else { return false };
    [y1, y2, y3, y4, m1, m2, d1, d2].into_iter().all(u8::is_ascii_digit)
}

/// Whether a word in front of the client is a host that it is there for: of most a dot says so.
#[inline(never)]
pub(super) fn is_host_in_front(word: &str) -> bool {
    let bytes = word.as_bytes();
    let is_plain = bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && contains(bytes, is(b'.'));
    is_plain || is_other_host_in_front(word)
}

/// The same of one without a dot, or of other letters: names of other scripts and `_` stand for hosts, too.
#[cold]
fn is_other_host_in_front(word: &str) -> bool {
    let is_number = word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let is_torn = word.ends_with(':') || word.contains([',', '"', '=', '|', '/', '(', '<']);
    !is_torn && !is_told_by_tools(word) && (!is_number || is_address(word))
}

/// Whether the text of a value holds the beginning of another record: a time in brackets, which no escaped value and no
/// field has. Two writers without a lock leave such lines.
#[cold]
pub(super) fn holds_record(text: &str) -> bool {
    memchr::memchr_iter(b'[', text.as_bytes())
        .any(|at| text.get(at + 1..).is_some_and(looks_like_time))
}

/// The list of addresses in quotes right behind the fields of a format: nginx's stock `main` is `combined` with
/// `"$http_x_forwarded_for"` added.
pub(super) fn forwarded_behind(rest: &str) -> Option<&str> {
    let (text, _) = divide(rest.strip_prefix(" \"")?, b'"')?;
    is_forwarded(text).then_some(text)
}

/// Lowest port that is a client's own and no server's: those of servers are chosen to be remembered.
const CLIENT_PORT_MIN: u16 = 10_000;

/// Whether a text is a list of addresses that proxies forward. Some write the port as well, as upstreams have one: it is a
/// list of clients if one of its entries has none, or the last is an address of the internet with the port of a client.
pub(super) fn is_forwarded(text: &str) -> bool {
    let (is_dot, is_colon) = (is(b'.'), is(b':'));
    if !contains(text.as_bytes(), |bytes| is_dot(bytes) | is_colon(bytes)) {
        return false;
    }
    let last = text.rsplit(',').next().unwrap_or_default().trim_ascii();
    last.parse::<IpAddr>().is_ok()
        || last.parse::<SocketAddr>().is_ok_and(|last| is_client(last) || has_bare_address(text))
}

/// Whether a socket is rather a client's than an upstream's.
fn is_client(socket: SocketAddr) -> bool {
    !is_private(socket.ip()) && socket.port() >= CLIENT_PORT_MIN
}

/// Whether one of the entries of a list is an address alone.
fn has_bare_address(list: &str) -> bool {
    list.split(',').any(|entry| entry.trim_ascii().parse::<IpAddr>().is_ok())
}

/// Whether a time in common log or ISO notation, or an epoch, stands at the start.
pub(crate) fn looks_like_time(text: &str) -> bool {
    let start = text.as_bytes().get(..5).unwrap_or_default();
    match start {
        [d1, d2, b'/', m1, _] => {
            d1.is_ascii_digit() && d2.is_ascii_digit() && m1.is_ascii_alphabetic()
        }
        [year @ .., fifth] if year.len() == 4 => {
            year.iter().all(u8::is_ascii_digit) && (*fifth == b'-' || fifth.is_ascii_digit())
        }
        _ => false,
    }
}
