//! What consoles and collectors put before a line of text, beside the headers of syslog and CRI: `docker compose` and
//! process managers a name and a bar, `docker logs -t` a time, `kubectl logs --prefix` a pod in brackets, all of them
//! colours.

mod shaped;

use std::cell::LazyCell;

use super::address::is_plain_ip;
use super::envelope::{split_time, strip_cri, strip_header};
use super::line::sound::is_name;
use super::numbers::is_digits;
use super::reasons::is_level;
use super::record::Unit;
use super::time::TimeParser;
pub(super) use shaped::split_console;
use shaped::{begins_record, strip_columns, strip_shaped};

/// Longest name of a container or pod.
const NAME_BYTES_MAX: usize = 253;

/// What follows one of these; `None` where the text begins with none. Colours are set back behind it.
pub(super) fn strip_prefix(text: &str) -> Option<&str> {
    let bare = text.trim_ascii_end();
    let bare = ["\u{1b}[0m", "\u{1b}[m"].iter().find_map(|end| bare.strip_suffix(end));
    let text_only = bare.unwrap_or(text);
    let start = strip_colours(text_only);
    let is_coloured = start.len() < text_only.len();
    let dated = LazyCell::new(|| any_time(start));
    let rest = strip_header(start)
        .or_else(|| strip_cri(start))
        .or_else(|| strip_columns(start))
        .or_else(|| strip_dated_header(start, *dated))
        .or_else(|| strip_name(start, is_coloured))
        .or_else(|| strip_pod(start))
        .or_else(|| strip_word(start))
        .or_else(|| strip_logger(start, *dated))
        .or_else(|| strip_file(start))
        .or_else(|| strip_shaped(start))
        .or_else(|| strip_time(start))
        .or_else(|| strip_names_before_json(start));
    match rest {
        Some(rest) => Some(strip_colours(rest.trim_ascii_start()).trim_ascii_start()),
        None if is_coloured || bare.is_some() => Some(start.trim_ascii_start()),
        None => None,
    }
}

/// Without the sequences of ECMA-48 that set colours, `ESC [ … m`, and others of its kind.
fn strip_colours(text: &str) -> &str {
    let mut rest = text;
    while let Some(sequence) = rest.strip_prefix("\u{1b}[") {
        let parameters =
            sequence.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, ';' | '?'));
        let Some(tail) = parameters.strip_prefix(|c: char| c.is_ascii_alphabetic()) else { break };
        rest = tail;
    }
    rest
}

/// A text without the colours around it.
pub(super) fn without_colours(text: &str) -> &str {
    let text = text.trim_ascii();
    let ends = ["\u{1b}[0m", "\u{1b}[m"];
    let bare = ends.iter().find_map(|end| text.strip_suffix(end)).unwrap_or(text);
    strip_colours(bare).trim_ascii()
}

/// Words of the time in front of a line, at most: `Wed May  1 12:00:00 UTC 2024`.
const TIME_WORDS_MAX: usize = 6;

/// Fewest bytes of a time that is surely one.
const TIME_BYTES_MIN: usize = 10;

/// What is behind the longest time at the start, in any notation with a day.
fn any_time(text: &str) -> Option<&str> {
    if !may_begin_time(text) {
        return None;
    }
    let mut times = TimeParser::default();
    let ends = text.match_indices(' ').map(|(at, _)| at).take(TIME_WORDS_MAX);
    let found = ends.filter(|end| {
        let time = text.get(..*end).unwrap_or_default();
        let time = time.strip_suffix(':').unwrap_or(time);
        *end >= TIME_BYTES_MIN && !time.ends_with(' ') && times.parse(time, Unit::Auto).is_some()
    });
    text.get(found.max()? + 1..)
}

/// Longest word with which a time begins: the name of a day of the week.
const NAME_OF_DAY_BYTES_MAX: usize = 24;

/// Whether a digit, a bracket or a word of nothing but letters is at the start, as of a month or a day of the week.
fn may_begin_time(text: &str) -> bool {
    if text.starts_with(|c: char| c.is_ascii_digit() || c == '[') {
        return true;
    }
    let end = text.find(|c: char| !c.is_alphabetic()).unwrap_or(text.len());
    (1..=NAME_OF_DAY_BYTES_MAX).contains(&end)
        && text.get(end..).is_some_and(|behind| behind.starts_with([' ', ',', '.']))
}

/// A header with a time in another notation than those of syslog, behind which is `dated`, `1714564800.123 edge1 nginx[7]: `, as
/// `journalctl` and devices write it, and the count of its bytes before one (RFC 6587).
fn strip_dated_header<'a>(text: &'a str, dated: Option<&'a str>) -> Option<&'a str> {
    let count = text.bytes().take_while(u8::is_ascii_digit).count();
    if (1..=7).contains(&count)
        && let Some(framed) = text.get(count..)?.strip_prefix(' ').filter(|it| it.starts_with('<'))
    {
        return strip_header(framed);
    }
    let rest = dated?.trim_ascii_start();
    strip_host_and_tag(rest).or_else(|| {
        let (tag, message) = rest.split_once(' ')?;
        is_tag(tag).then_some(message)
    })
}

/// `nginx:` or `nginx[7]:`.
fn is_tag(word: &str) -> bool {
    let Some(name) = word.strip_suffix(':') else { return false };
    let name = match name.split_once('[') {
        Some((name, pid)) if pid.strip_suffix(']').is_some_and(is_digits) => name,
        Some(_) => return false,
        None => name,
    };
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && is_name(name)
}

/// What libraries for logging put before a line: `- access - INFO - ` behind a time, `[time] [7] [INFO] `,
/// `I0501 12:00:00.123456  1 log.go:245] `, `INFO:werkzeug:`.
fn strip_logger<'a>(text: &'a str, dated: Option<&'a str>) -> Option<&'a str> {
    if let Some(rest) = dated.and_then(|rest| rest.strip_prefix("- ")) {
        let (name, rest) = rest.split_once(" - ")?;
        let (level, rest) = rest.split_once(" - ")?;
        return (!name.contains(' ') && is_level(level)).then_some(rest);
    }
    if let Some(rest) = dated.and_then(strip_thread) {
        return Some(rest);
    }
    if let Some((time, rest)) = text.strip_prefix('[').and_then(|text| text.split_once("] [")) {
        TimeParser::default().parse(time, Unit::Auto)?;
        let (pid, rest) = rest.split_once("] [")?;
        let (level, rest) = rest.split_once("] ")?;
        return (is_digits(pid) && is_level(level)).then_some(rest);
    }
    // `INFO:werkzeug:`.
    if let Some((level, rest)) = text.split_once(':')
        && is_level(level)
        && let Some((name, rest)) = rest.split_once(':')
    {
        return is_name(name).then_some(rest);
    }
    let graded = text.strip_prefix(['I', 'W', 'E', 'F'])?;
    let (day, rest) = graded.split_once(' ')?;
    let (place, rest) = rest.split_once("] ")?;
    let (clock, place) = place.split_once(' ')?;
    let is_clock = clock.get(..8).is_some_and(is_clock);
    (day.len() == 4 && is_digits(day) && is_clock && place.contains(".go:")).then_some(rest)
}

/// ` INFO 7 --- [thread-2] reactor.netty.http.server.AccessLog      : `, as Spring Boot has it behind a time: level, process,
/// application and thread, and a logger which says that it is one of requests. Others may quote what clients send.
fn strip_thread(dated: &str) -> Option<&str> {
    let (level, rest) = dated.trim_ascii_start().split_once(' ')?;
    let (process, rest) = rest.split_once(" --- [")?;
    let (names, line) = rest.split_once(" : ")?;
    let (threads, logger) = names.rsplit_once("] ")?;
    let logger = logger.trim_ascii();
    let is_of_requests = logger.to_ascii_lowercase().contains("access");
    let is_prefix = is_level(level) && is_digits(process.trim_ascii()) && !threads.contains('"');
    (is_prefix && is_name(logger) && is_of_requests).then_some(line)
}

/// `access.log:` as `grep` names the file, and the number of the line behind it or, with a tab, alone.
fn strip_file(text: &str) -> Option<&str> {
    if let Some((number, rest)) = text.split_once('\t')
        && is_digits(number.trim_ascii_start())
    {
        return Some(rest);
    }
    let (name, rest) = text.split_once(':')?;
    let is_of_path = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
    let is_file = name.len() <= NAME_BYTES_MAX
        && name.contains(".log")
        && name.chars().all(is_of_path)
        && !rest.starts_with(' ');
    let number = rest.split_once(':').filter(|(number, _)| is_digits(number) && number.len() < 5);
    is_file.then(|| number.map_or(rest, |(_, rest)| rest))
}

/// `web-5d9 nginx `, which before JSON can be no part of it; before text it could be a host and a client.
fn strip_names_before_json(text: &str) -> Option<&str> {
    let mut rest = text;
    for _ in 0..3 {
        let (word, tail) = rest.split_once(' ')?;
        let word = strip_colours(word);
        let word = word.split_once('\u{1b}').map_or(word, |(word, _)| word);
        if !is_name(word) {
            return None;
        }
        rest = strip_colours(tail.trim_ascii_start());
        if rest.starts_with("{\"") {
            return Some(rest);
        }
    }
    None
}

/// `web-1  | `, and `0|web  | ` as a process manager has it: blanks before the bar as well as behind it, which fields
/// with bars between do not have. Only a name in colour has them set back behind the bar, at once, and `nerdctl` has a client
/// there.
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
    (rest.starts_with(' ')
        || is_coloured && rest.starts_with('\u{1b}')
        || begins_record(rest).is_some())
    .then_some(rest)
}

/// `nginx: `, `@cee: `, a level, and `ACCESS`, by which collectors and daemons grade or name what follows.
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
    (is_name || is_level(word) || is_tag(word) || word == "ACCESS").then_some(rest)
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

/// How the names of servers begin that have an access log.
const SERVERS: [&str; 18] = [
    "nginx",
    "httpd",
    "apache",
    "haproxy",
    "caddy",
    "traefik",
    "envoy",
    "istio",
    "varnish",
    "squid",
    "lighttpd",
    "litespeed",
    "h2o",
    "openresty",
    "angie",
    "tengine",
    "ingress",
    "kong",
];

/// The same where the name is a server's: a program says `bad cookie: `, and behind it what a client sent.
pub(super) fn strip_host_and_server(text: &str) -> Option<&str> {
    let (_, tag) = text.split_once(' ')?;
    SERVERS.iter().find(|server| tag.starts_with(**server))?;
    strip_host_and_tag(text)
}

/// `[pod/web-5d9/nginx] `.
fn strip_pod(text: &str) -> Option<&str> {
    let (name, rest) = text.strip_prefix('[')?.split_once("] ")?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | ' ');
    let is_pod = name.len() <= NAME_BYTES_MAX
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(is_name);
    is_pod.then(|| if name.contains('/') { behind_stream(rest) } else { rest })
}

/// What is behind the stream that Cloud Foundry names behind a process, `[APP/PROC/WEB/0] OUT `.
fn behind_stream(text: &str) -> &str {
    ["OUT ", "ERR "].iter().find_map(|stream| text.strip_prefix(stream)).unwrap_or(text)
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
        // The stream of a cloud's log: no host has a slash in it.
        let stream = rest.split_once(' ').filter(|(word, _)| {
            let is_of_name = |c: char| c.is_ascii_alphanumeric() || "/.-_[]".contains(c);
            word.contains('/') && !word.starts_with('/') && word.chars().all(is_of_name)
        });
        let behind = stream.map(|(_, rest)| behind_stream(rest));
        return Some(strip_cri(rest).or(behind).unwrap_or(rest));
    }
    // `2024-05-01T12:00:00: `.
    if let Some((time, rest)) = text.split_once(": ")
        && time.len() >= TIME_BYTES_MIN
        && time.contains('T')
        && !time.contains(' ')
        && TimeParser::default().parse(time, Unit::Auto).is_some()
    {
        return Some(rest);
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
        let is_offset = digits.is_some_and(|digits| digits.len() == 4 && is_digits(digits));
        is_offset || matches!(*zone, "UTC" | "GMT" | "Z")
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
            ("web    |192.0.2.1 - - [01/May", Some("192.0.2.1 - - [01/May")),
            ("web    |192.0.2.1|- [01", None),
            ("[APP/PROC/WEB/0] OUT a b", Some("a b")),
            ("[web] OUT a b", Some("OUT a b")),
            ("2024-05-01T12:00:00.12+0000 [APP/PROC/WEB/0] OUT a b", Some("a b")),
            ("2024-05-01 12:00:00.1 UTC a b", Some("a b")),
            ("May  1 12:00:00.123 edge1 nginx: a b", Some("a b")),
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
            ("2024-05-01 12:00:00.1 +0000 tag.x: a b", Some("a b")),
            ("tag.x: a b", Some("a b")),
            ("INFO a b", Some("a b")),
            ("ACCESS [2024-05-01T12:00:00Z] b", Some("[2024-05-01T12:00:00Z] b")),
            ("edge1 nginx[7]: a b", None),
            ("@cee:{}", Some("{}")),
            ("\u{1b}[32ma b\u{1b}[0m", Some("a b")),
            ("\u{1b}[2K\u{1b}[?25ha b", Some("a b")),
            ("1714564800.123456 edge1 nginx[7]: a b", Some("a b")),
            ("Wed 2024-05-01 12:00:00 UTC edge1 nginx[7]: a b", Some("a b")),
            ("May  1 2024 12:00:00 edge1 nginx: a b", Some("a b")),
            ("May  1 2024 12:00:00 UTC: edge1 nginx: a b", Some("a b")),
            ("57 <190>1 2024-05-01T12:00:00Z e n - - - a b", Some("a b")),
            ("nginx[7]: a b", Some("a b")),
            ("stdout F a b", Some("a b")),
            ("2024-05-01 12:00:00,123 - access - INFO - a b", Some("a b")),
            ("[2024-05-01 12:00:00 +0000] [7] [INFO] a b", Some("a b")),
            ("I0501 12:00:00.123456       1 log.go:245] a b", Some("a b")),
            ("INFO:werkzeug:a b", Some("a b")),
            ("access.log:a b", Some("a b")),
            ("www/access.log.1:12:a b", Some("a b")),
            ("    12\ta b", Some("a b")),
            ("2024-05-01T12:00:00: a b", Some("a b")),
            ("2024-05-01T12:00:00Z web/nginx/7f a b", Some("a b")),
            ("web-5d9 nginx {\"a\":1}", Some("{\"a\":1}")),
            ("\u{1b}[35mweb-5d9\u{1b}[0m \u{1b}[95mnginx\u{1b}[0m {\"a\":1}", Some("{\"a\":1}")),
            ("web-5d9 nginx 192.0.2.1", None),
            ("192.0.2.1 {\"a\":1}", Some("{\"a\":1}")),
            ("1714564800.779    180 192.0.2.224 TCP_MISS/200 411", None),
            ("[2024-05-01T12:00:00Z] \"GET / HTTP/1.1\" 200", None),
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
        assert_eq!(strip_host_and_server("edge1 nginx[7]: a b"), Some("a b"));
        assert_eq!(strip_host_and_server("edge1 nginx_access: a b"), Some("a b"));
        assert_eq!(strip_host_and_server("bad cookie: a b"), None);
        assert_eq!(strip_host_and_server("bad cookie[0]: a b"), None);
    }
}
