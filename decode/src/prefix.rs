//! What consoles and collectors put before a line of text, beside the headers of syslog and CRI: `docker compose` and
//! process managers a name and a bar, `docker logs -t` a time, `kubectl logs --prefix` a pod in brackets, all of them
//! colours.

use super::address::is_plain_ip;
use super::envelope::{split_time, strip_cri, strip_header};
use super::line::sound::is_name;
use super::reasons::is_level;
use super::record::Unit;
use super::time::TimeParser;

/// Longest name of a container or pod.
const NAME_BYTES_MAX: usize = 253;

/// What follows one of these; `None` where the text begins with none. Colours are set back behind it.
pub(super) fn strip_prefix(text: &str) -> Option<&str> {
    let bare = text.trim_ascii_end();
    let bare = ["\u{1b}[0m", "\u{1b}[m"].iter().find_map(|end| bare.strip_suffix(end));
    let text_only = bare.unwrap_or(text);
    let start = strip_colours(text_only);
    let is_coloured = start.len() < text_only.len();
    let rest = strip_header(start)
        .or_else(|| strip_name(start, is_coloured))
        .or_else(|| strip_pod(start))
        .or_else(|| strip_word(start))
        .or_else(|| strip_time(start));
    match rest {
        Some(rest) => Some(strip_colours(rest.trim_ascii_start()).trim_ascii_start()),
        None if is_coloured || bare.is_some() => Some(start.trim_ascii_start()),
        None => None,
    }
}

/// Without the sequences of ECMA-48 that set colours, `ESC [ … m`.
fn strip_colours(text: &str) -> &str {
    let mut rest = text;
    while let Some(sequence) = rest.strip_prefix("\u{1b}[") {
        let parameters = sequence.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        let Some(tail) = parameters.strip_prefix(['m', 'K']) else { break };
        rest = tail;
    }
    rest
}

/// `web-1  | `, and `0|web  | ` as a process manager has it: blanks before the bar as well as behind it, which fields
/// with bars between do not have. Only a name in colour has them set back behind the bar, at once.
fn strip_name(text: &str, is_coloured: bool) -> Option<&str> {
    let is_name =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | '@' | '[' | ']');
    let name =
        |text: &'_ str| text.find(|c| !is_name(c)).filter(|end| (1..=NAME_BYTES_MAX).contains(end));
    let (first, rest) = text.split_at_checked(name(text)?)?;
    // A client, and behind it what somebody says of himself.
    if is_plain_ip(first) {
        return None;
    }
    let is_number = first.bytes().all(|byte| byte.is_ascii_digit());
    let rest = match rest.strip_prefix('|').filter(|_| is_number) {
        Some(rest) => rest.get(name(rest)?..)?,
        None => rest,
    };
    let rest = strip_colours(rest);
    let rest = rest.strip_prefix(' ')?.trim_ascii_start().strip_prefix('|')?;
    (rest.starts_with(' ') || is_coloured && rest.starts_with('\u{1b}')).then_some(rest)
}

/// `nginx: `, `@cee: `, and a level, by which collectors and daemons grade or name what follows.
fn strip_word(text: &str) -> Option<&str> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    if let Some(rest) = text.strip_prefix("@cee:") {
        return Some(rest);
    }
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
    let name = word.strip_suffix(':').filter(|name| name.len() <= NAME_BYTES_MAX);
    let is_name = name.is_some_and(|name| {
        name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(is_of_name)
    });
    (is_name || is_level(word)).then_some(rest)
}

/// `edge1 nginx[7]: `: the header of syslog whose time a collector took out. In a line of text it could be a host, and
/// a client that somebody named.
pub(super) fn strip_host_and_tag(text: &str) -> Option<&str> {
    let (host, rest) = text.split_once(' ')?;
    let (tag, rest) = rest.split_once(' ')?;
    let name = tag.strip_suffix(':')?;
    let name = name.split_once('[').map_or(name, |(name, _)| name);
    let is_host = host.len() <= NAME_BYTES_MAX && is_name(host) && !is_plain_ip(host);
    (is_host && name.starts_with(|c: char| c.is_ascii_alphabetic()) && is_name(name))
        .then_some(rest)
}

/// `[pod/web-5d9/nginx] `.
fn strip_pod(text: &str) -> Option<&str> {
    let (name, rest) = text.strip_prefix('[')?.split_once("] ")?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | ' ');
    let is_pod = name.len() <= NAME_BYTES_MAX
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(is_name);
    is_pod.then_some(rest)
}

/// A time, and the stream that CRI names behind it.
fn strip_time(text: &str) -> Option<&str> {
    // Fluentd's files: time, tag and record with tabs between.
    let mut columns = text.splitn(3, '\t');
    if let (Some(time), Some(_), Some(record)) = (columns.next(), columns.next(), columns.next())
        && time.contains('T')
        && TimeParser::default().parse(time, Unit::Auto).is_some()
    {
        return Some(record);
    }
    if let Some((time, rest)) = split_time(text)
        && !time.is_empty()
    {
        return Some(strip_cri(rest).unwrap_or(rest));
    }
    // `2024-05-01 12:00:00,123`, and the time of day alone.
    let clock = text.get(..8).filter(|clock| is_clock(clock));
    if clock.is_some() {
        return text.get(8..)?.split_once(' ').map(|(_, rest)| rest);
    }
    let day = text.get(..10)?;
    let (clock, rest) = text.get(11..)?.split_once(' ')?;
    TimeParser::default().parse(&format!("{day}T{clock}"), Unit::Auto)?;
    let zone = rest.split_once(' ').filter(|(zone, _)| {
        let digits = zone.strip_prefix(['+', '-']);
        digits.is_some_and(|digits| digits.len() == 4 && digits.parse::<u16>().is_ok())
    });
    Some(zone.map_or(rest, |(_, rest)| rest))
}

fn is_clock(text: &str) -> bool {
    let [h1, h2, b':', m1, m2, b':', s1, s2] = text.as_bytes() else { return false };
    [h1, h2, m1, m2, s1, s2].iter().all(|digit| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_before_a_line_is_taken_off() {
        for (text, rest) in [
            ("web-1  | a b", Some("a b")),
            ("web_1 | {}", Some("{}")),
            ("\u{1b}[36mweb-1  | \u{1b}[0ma b", Some("a b")),
            ("\u{1b}[36mweb-1  |\u{1b}[0m a b", Some("a b")),
            ("0|web  | a b", Some("a b")),
            ("\u{1b}[0ma b", Some("a b")),
            ("[pod/web-5d9/nginx] a b", Some("a b")),
            ("2024-05-01T12:00:00.123456789Z a b", Some("a b")),
            ("2024-05-01T12:00:00Z stdout F a b", Some("a b")),
            ("2024-05-01 12:00:00,123 a b", Some("a b")),
            ("12:00:00 web.1  | a b", Some("web.1  | a b")),
            ("2024-05-01T12:00:00+00:00\ttag.x\ta b", Some("a b")),
            ("2024-05-01 12:00:00.1 +0000 tag.x: a b", Some("tag.x: a b")),
            ("tag.x: a b", Some("a b")),
            ("INFO a b", Some("a b")),
            ("edge1 nginx[7]: a b", None),
            ("@cee:{}", Some("{}")),
            ("\u{1b}[32ma b\u{1b}[0m", Some("a b")),
            ("May  1 12:00:00 edge1 nginx[7]: a b", Some("a b")),
            ("192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /a|b HTTP/1.1\" 200 1", None),
            ("[01/May/2024:12:00:00 +0000] a", None),
            ("a|b|c", None),
            ("a b | c", None),
            ("HIT| |200", None),
            ("HIT|a | |200", None),
            ("HIT |\u{1b}[0m||200", None),
            ("2001:db8:: a", None),
            ("a:b c", None),
            ("| a", None),
            ("192.0.2.1 | 198.51.100.66 x", None),
            ("\u{1b}[", None),
            ("", None),
        ] {
            assert_eq!(strip_prefix(text), rest, "{text}");
        }
    }

    #[test]
    fn a_header_may_have_no_time() {
        assert_eq!(strip_host_and_tag("edge1 nginx[7]: a b"), Some("a b"));
        assert_eq!(strip_host_and_tag("192.0.2.1 nginx: a b"), None);
        assert_eq!(strip_host_and_tag("edge1 - a b"), None);
    }
}
