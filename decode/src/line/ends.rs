//! Where values end that are more than one word, and whether a line may go on behind its last one.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::sound::{is_forwarded, is_host, is_host_in_front};
use crate::literal::Literal;
use crate::numbers::is_digits;
use crate::record::Escape;
use crate::search::{self, divide};

/// Fields behind the last one of the format for which a closing quote is still believed to be one.
const EXTRA_FIELDS_MAX: usize = 32;

/// A value, how it is escaped, and the rest.
pub(super) type Found<'a> = Option<(&'a str, Escape, &'a str)>;

/// Position of `text` in `rest`, from `from` on.
#[expect(clippy::inline_always, reason = "a call for every value of a line costs a tenth of it")]
#[inline(always)]
pub(super) fn find(rest: &str, text: &Literal, from: usize) -> Option<usize> {
    let bytes = rest.as_bytes();
    let first = *text.as_str().as_bytes().first()?;
    let mut at = from;
    loop {
        at += search::byte(bytes.get(at..)?, first)?;
        if text.begins(bytes.get(at..)?) {
            return Some(at);
        }
        at += 1;
    }
}

/// Value and rest, divided by the byte that comes behind so many of its like.
pub(super) fn until_nth(rest: &str, byte: u8, count: u8, escape: Escape) -> Found<'_> {
    let bytes = rest.as_bytes();
    // A day of one digit has a blank before it that fills its column.
    let is_first =
        |at: &usize| at.checked_sub(1).is_none_or(|before| bytes.get(before) != Some(&byte));
    let at = memchr::memchr_iter(byte, bytes).filter(is_first).nth(usize::from(count))?;
    Some((rest.get(..at)?, escape, rest.get(at + 1..)?))
}

/// Value and rest, divided by a byte, behind blanks that fill a column.
// Apart from what most formats need.
#[inline(never)]
pub(super) fn until_padded(rest: &str, byte: u8, escape: Escape) -> Found<'_> {
    let (text, tail) = divide(rest.trim_start_matches(' '), byte)?;
    Some((text, escape, tail))
}

/// Whether a text has a bar in it.
#[inline(never)]
pub(super) fn has_bar(text: &str) -> bool {
    text.contains('|')
}

/// Length of bunny.net's ids, which are of hexadecimal digits.
const ID_BYTES: usize = 32;

/// A user agent and what is behind it, an id and a country. Bars inside are the client's own only if nothing between them
/// could be one of the fields around it: others may have bars, too.
pub(super) fn until_bar_before_last(rest: &str) -> Found<'_> {
    let (agent, tail) = divide(rest, b'|')?;
    let own = memchr::memrchr_iter(b'|', rest.as_bytes()).nth(1)?;
    if own == agent.len() {
        return Some((agent, Escape::None, tail));
    }
    let (text, behind) = (rest.get(..own)?, rest.get(own + 1..)?);
    if is_agent_with_bars(text, behind) {
        return Some((text, Escape::None, behind));
    }
    Some((agent, Escape::None, tail))
}

/// Whether a word is one of bunny.net's ids.
pub(super) fn is_id(word: &str) -> bool {
    word.len() == ID_BYTES && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a word is one of bunny.net's points of presence: `WA`, `LA2`.
pub(super) fn is_place(word: &str) -> bool {
    (2..=4).contains(&word.len())
        && word.bytes().take(2).all(|byte| byte.is_ascii_uppercase())
        && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

#[cold]
fn is_agent_with_bars(text: &str, behind: &str) -> bool {
    let is_country = |part: &str| part == "-" || (part.len() == 2 && is_place(part));
    let is_other = |part: &str| is_id(part) || is_place(part) || part.starts_with("http");
    behind
        .split_once('|')
        .is_some_and(|(id, country)| is_id(id) && is_country(country.trim_ascii()))
        && !text.split('|').any(is_other)
}

/// Value and rest, divided by the byte behind a list: `0.100, 0.020 : 0.001`, as nginx lists the servers it asked.
pub(super) fn until_list(rest: &str, byte: u8, escape: Escape) -> Found<'_> {
    let mut from = 0;
    loop {
        let at = from + search::byte(rest.as_bytes().get(from..)?, byte)?;
        let (text, tail) = (rest.get(..at)?, rest.get(at + 1..)?);
        from = at + 1;
        if tail.starts_with(": ") {
            from += 2;
        } else if !text.ends_with(',') {
            return Some((text, escape, tail));
        }
    }
}

/// The word in front of the client, if it can be a host, and what is behind its blank.
#[inline(never)]
pub(super) fn until_host(rest: &str) -> Option<(Option<&str>, &str)> {
    let (word, tail) = divide(rest, b' ')?;
    Some((is_host_in_front(word).then_some(word), tail))
}

/// Value and rest, divided by the last colon of the first word: IPv6 addresses are full of colons.
pub(super) fn until_port(rest: &str) -> Found<'_> {
    let word = memchr::memchr(b' ', rest.as_bytes()).unwrap_or(rest.len());
    let at = memchr::memrchr(b':', rest.as_bytes().get(..word)?)?;
    Some((rest.get(..at)?, Escape::None, rest.get(at + 1..)?))
}

/// Whether a field begins here, and the last byte is a quote that closes a value, not one that opens one.
pub(super) fn ends_with_closed_quote(tail: &str) -> bool {
    match tail.trim_ascii_end().as_bytes() {
        [b' ', .., before, b'"'] => !matches!(before, b' ' | b'='),
        _ => false,
    }
}

/// Whether nothing, or only further fields of their own, follows a closing quote.
pub(super) fn ends_line(tail: &str) -> bool {
    let mut rest = tail.trim_ascii_end();
    if rest.is_empty() {
        return true;
    }
    for _ in 0..EXTRA_FIELDS_MAX {
        let Some(field) = rest.strip_prefix(' ') else { break };
        if let Some(quoted) = field.strip_prefix('"') {
            let Some(end) = closing_quote(quoted) else { return false };
            rest = quoted.get(end + 1..).unwrap_or_default();
        } else {
            let end = memchr::memchr2(b' ', b'"', field.as_bytes()).unwrap_or(field.len());
            let (name, value) = field.split_at(end);
            // `urt="0.004"`.
            rest = match value.strip_prefix('"') {
                Some(quoted) if name.ends_with(['=', ':']) => {
                    let Some((_, rest)) = quoted.split_once('"') else { return false };
                    rest
                }
                _ => value,
            };
        }
    }
    rest.is_empty()
}

/// Where the quote is that closes a field: the first that no backslash stands before, or, where a stray one does, the first.
fn closing_quote(quoted: &str) -> Option<usize> {
    let bytes = quoted.as_bytes();
    let first = search::byte(bytes, b'"')?;
    let mut from = 0;
    while let Some(hit) = bytes.get(from..).and_then(|rest| search::either(rest, b'"', b'\\')) {
        let at = from + hit;
        if bytes.get(at) == Some(&b'"') {
            return Some(at);
        }
        from = at + 2;
    }
    Some(first)
}

/// The word at the start, if fields in quotes or brackets follow and nothing else: headers behind the last one of a format.
#[cold]
pub(super) fn before_wrapped(text: &str) -> Option<&str> {
    let (word, behind) = text.split_once(' ')?;
    are_wrapped(behind).then_some(word)
}

fn are_wrapped(behind: &str) -> bool {
    let mut rest = behind;
    loop {
        let close = match rest.as_bytes().first() {
            Some(b'"') => '"',
            Some(b'[') => ']',
            _ => return false,
        };
        let Some((_, tail)) = rest.get(1..).and_then(|inner| inner.split_once(close)) else {
            return false;
        };
        match tail.strip_prefix(' ') {
            Some(next) => rest = next,
            None => return tail.is_empty(),
        }
    }
}

/// Whether what follows a value are the fields behind another request, of which those before were a part: a text in quotes
/// that ends as a request does with a status behind it, or status, size, referrer and agent to the end of the line. Beside
/// them stand other numbers and texts that operators add: `512 1024 "203.0.113.7"`.
pub(super) fn holds_answer(rest: &str) -> bool {
    holds_request_end(rest) || is_whole_answer(rest)
}

/// Whether a text ends with the version of a protocol, which a server puts behind what a client asked for.
pub(super) fn ends_as_request(text: &str) -> bool {
    let blank = memchr::memrchr(b' ', text.as_bytes());
    blank.and_then(|at| text.get(at + 1..)).is_some_and(is_version)
}

/// Whether a word is the version of a protocol: `HTTP/1.1`, `HTTP/2`.
pub(super) fn is_version(word: &str) -> bool {
    let version = word.strip_prefix("HTTP/").unwrap_or_default();
    matches!(version.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'9', b'.', b'0'..=b'9'])
}

/// Longest version of a protocol, `HTTP/1.1`.
const VERSION_BYTES_MAX: usize = 8;

/// Before the version of a protocol.
static BEFORE_VERSION: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(" HTTP/"));

/// Whether the end of a request in quotes, with a status behind it, is in a text.
pub(super) fn holds_request_end(text: &str) -> bool {
    request_ends(text).next().is_some()
}

/// Where requests end in a text, in quotes and with a status behind.
pub(super) fn request_ends(text: &str) -> impl Iterator<Item = usize> {
    BEFORE_VERSION.find_iter(text.as_bytes()).filter(|at| {
        let rest = text.get(at + 1..).unwrap_or_default();
        // No further: a text may be full of what looks like the beginning of one.
        let quote = rest.bytes().take(VERSION_BYTES_MAX + 1).position(|byte| byte == b'"');
        let ended = quote.and_then(|quote| Some((rest.get(..quote)?, rest.get(quote + 1..)?)));
        ended.is_some_and(|(version, behind)| is_version(version) && begins_status(behind))
    })
}

/// Whether a blank and a status stand at the start.
pub(super) fn begins_status(rest: &str) -> bool {
    match rest.as_bytes() {
        [b' ', b'1'..=b'5', second, third, behind @ ..] => {
            second.is_ascii_digit() && third.is_ascii_digit() && matches!(behind, [] | [b' ', ..])
        }
        _ => false,
    }
}

/// Whether a text is status, size and two texts in quotes.
fn is_whole_answer(rest: &str) -> bool {
    let parts = || {
        let (status, rest) = rest.strip_prefix(' ')?.split_once(' ')?;
        let (size, quoted) = rest.trim_ascii_end().split_once(" \"")?;
        let (referer, agent) = quoted.strip_suffix('"')?.split_once("\" \"")?;
        Some([status, size, referer, agent])
    };
    begins_status(rest) && parts().is_some_and(is_answer)
}

/// Whether these can be the status, the size, the referrer and the agent of a request.
pub(super) fn is_answer([status, size, referer, agent]: [&str; 4]) -> bool {
    // Operators add the host and the addresses of proxies.
    let is_place = |text: &str| is_forwarded(text) || (text.contains('.') && is_host(text));
    is_status(status) && (size == "-" || is_digits(size)) && !is_place(referer) && !is_place(agent)
}

pub(super) fn is_status(text: &str) -> bool {
    text.len() == 3 && text.starts_with(|first| ('1'..='5').contains(&first)) && is_digits(text)
}

/// What is before and behind the byte at the end of several values: `192.0.2.1, 10.0.0.1 - -`.
#[cold]
pub(super) fn divide_list(rest: &str, byte: u8) -> Option<(&str, &str)> {
    let mut from = 0;
    loop {
        let end = from + search::byte(rest.as_bytes().get(from..)?, byte)?;
        let (text, tail) = rest.split_at_checked(end)?;
        if !text.ends_with(',') {
            return Some((text, tail.get(1..)?));
        }
        from = end + 1;
    }
}

/// How many values in quotes a line seems to have: quotes with a blank, or nothing, behind them.
#[cold]
pub(super) fn count_closing(line: &str) -> usize {
    let bytes = line.trim_ascii_end().as_bytes();
    let closes = |at: &usize| matches!(bytes.get(at + 1), None | Some(b' '));
    memchr::memchr_iter(b'"', bytes).filter(closes).count()
}

/// How many quotes a line has.
#[inline]
pub(super) fn count_quotes(line: &str) -> usize {
    memchr::memchr_iter(b'"', line.as_bytes()).count()
}

/// Whether a text with quotes in it, which its writer does not escape, looks as if fields were in it: it begins like what
/// is behind a quote, or behind one of its own a number, a dash or another quote follows.
#[cold]
pub(super) fn holds_fields(text: &str) -> bool {
    let begins_field = |behind: &str| {
        behind.strip_prefix(' ').is_some_and(|behind| {
            behind.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '-' | '"'))
        })
    };
    let mut inner = text.match_indices('"').filter_map(|(at, _)| text.get(at + 1..));
    begins_field(text) || inner.any(begins_field)
}
