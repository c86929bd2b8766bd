//! What tools put before a line that is known by its shape alone. The words of most could be a host, a client and what he
//! says of himself: they are taken off only where no line of a server begins like them, and an address stands behind them.

use super::{
    NAME_BYTES_MAX, SERVERS, TIME_BYTES_MIN, any_time, is_tag, strip_dated_header, without_colours,
};
use crate::envelope::{split_time, strip_priority};
use crate::line::sound::{is_address, is_name, looks_like_time};
use crate::numbers::is_digits;
use crate::reasons::is_level;
use crate::record::Unit;
use crate::time::{TimeParser, month_number};

/// What is behind one of these.
pub(super) fn strip_shaped(text: &str) -> Option<&str> {
    match text.as_bytes().first()? {
        b'<' => {
            let rest = strip_priority(text);
            let is_prioritised = rest.len() < text.len();
            let header = || strip_dated_header(rest, any_time(rest));
            is_prioritised.then(|| header().or_else(|| begins_record(rest)))?
        }
        b'[' => strip_uptime(text).or_else(|| strip_time_in_brackets(text)),
        b'C' | b'L' => strip_consumer(text),
        b'@' => strip_tai(text),
        b'{' => strip_labels(text),
        b'/' => strip_group(text),
        _ => strip_machine(text)
            .or_else(|| strip_facility(text))
            .or_else(|| strip_server(text))
            .or_else(|| strip_replica(text)),
    }
}

/// The text, if its first word is one address.
fn from_address(text: &str) -> Option<&str> {
    let (word, _) = text.split_once(' ')?;
    (is_address(word) && !word.contains(',')).then_some(text)
}

/// The text, if a record of a common log begins it: an address, a dash, and a time in brackets further on.
pub(super) fn begins_record(text: &str) -> Option<&str> {
    let (client, rest) = text.split_once(' ')?;
    let is_timed =
        rest.match_indices(" [").any(|(at, _)| rest.get(at + 2..).is_some_and(looks_like_time));
    (is_address(client) && rest.starts_with("- ") && is_timed).then_some(text)
}

/// `[2024-05-01 12:00:00] ` in front of a record that has its own time: what `ts` of moreutils and scripts write. A time of the
/// common log there is the first field of some servers, and the record a text in their second.
fn strip_time_in_brackets(text: &str) -> Option<&str> {
    let (time, rest) = text.strip_prefix('[')?.split_once("] ")?;
    let is_year_first = matches!(time.as_bytes(), [_, _, _, _, b'-' | b'/', ..]);
    begins_record(rest).filter(|_| is_year_first && is_time(time))
}

/// `CreateTime:1714564800123`, `Partition:0`, `Offset:5` and the key with tabs between, as Kafka's console consumer prints
/// them.
fn strip_consumer(text: &str) -> Option<&str> {
    let (time, rest) = text.split_once('\t')?;
    let (kind, stamp) = time.split_once(':')?;
    if !matches!(kind, "CreateTime" | "LogAppendTime") || !is_digits(stamp) {
        return None;
    }
    let is_place = |word: &str| {
        let number = word.strip_prefix("Partition:").or_else(|| word.strip_prefix("Offset:"));
        number.is_some_and(is_digits)
    };
    let mut rest = rest;
    while let Some((_, behind)) = rest.split_once('\t').filter(|(word, _)| is_place(word)) {
        rest = behind;
    }
    let key = rest.split_once('\t').filter(|(key, _)| is_name(key));
    Some(key.map_or(rest, |(_, value)| value))
}

/// Whether a word is the name of a machine, a program or a container, and no address.
fn is_one_name(word: &str) -> bool {
    word.len() <= NAME_BYTES_MAX && is_name(word) && !is_address(word)
}

/// `[  123.456789] edge1 nginx[7]: `: `journalctl -o short-monotonic`.
fn strip_uptime(text: &str) -> Option<&str> {
    let (uptime, rest) = text.strip_prefix('[')?.split_once("] ")?;
    let (seconds, micros) = uptime.trim_ascii_start().split_once('.')?;
    if !is_digits(seconds) || micros.len() != 6 || !is_digits(micros) {
        return None;
    }
    let (host, rest) = rest.split_once(' ')?;
    let (tag, rest) = rest.split_once(' ')?;
    (is_tag(tag) && is_one_name(host)).then_some(rest)
}

/// `@4000000050d506482dbdf024 `: the time of `multilog`.
fn strip_tai(text: &str) -> Option<&str> {
    let (label, rest) = text.strip_prefix('@')?.split_once(' ')?;
    let is_label = label.len() == 24 && label.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_label.then_some(rest)
}

/// `{app="nginx",pod="p"} `: the labels of Loki, as `logcli` writes them.
fn strip_labels(text: &str) -> Option<&str> {
    let mut rest = text.strip_prefix('{')?;
    loop {
        let (name, value) = rest.split_once("=\"")?;
        if !is_name(name) {
            return None;
        }
        let mut is_escaped = false;
        let end = value.bytes().position(|byte| {
            let is_end = byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            is_end
        })?;
        rest = value.get(end + 1..)?;
        if let Some(behind) = rest.strip_prefix("} ") {
            return Some(behind);
        }
        rest = rest.strip_prefix(',')?.trim_ascii_start();
    }
}

/// `/aws/nginx i-0abc123 `: group and stream of `CloudWatch`, as `awslogs` writes them.
fn strip_group(text: &str) -> Option<&str> {
    let is_part = |word: &str| {
        let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"/.-_#[]$".contains(&byte);
        word.len() <= NAME_BYTES_MAX && word.bytes().all(is_of_name) && !is_address(word)
    };
    let (group, rest) = text.split_once(' ')?;
    let (stream, rest) = rest.split_once(' ')?;
    (is_part(group) && is_part(stream) && stream.len() > 1).then(|| from_address(rest))?
}

/// `app[a1b2c3d4] fra [info] `: machine, region and level of Fly.
fn strip_machine(text: &str) -> Option<&str> {
    let (machine, rest) = text.strip_prefix("app[")?.split_once("] ")?;
    let (region, rest) = rest.split_once(" [")?;
    let (level, rest) = rest.split_once("] ")?;
    let is_region = region.len() == 3 && region.bytes().all(|byte| byte.is_ascii_lowercase());
    (is_name(machine) && is_region && is_level(level)).then_some(rest)
}

/// The facilities of syslog.
const FACILITIES: [&str; 13] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "local",
];

/// Whether a word is a facility of syslog.
fn is_facility(word: &str) -> bool {
    let word = word.strip_suffix(|last: char| matches!(last, '0'..='7')).unwrap_or(word);
    FACILITIES.iter().any(|facility| word.eq_ignore_ascii_case(facility))
}

/// `edge1.example 10.0.0.7 local7.info nginx: `: host, its address, facility and severity, tag.
fn strip_facility(text: &str) -> Option<&str> {
    let mut words = text.splitn(5, ' ');
    let mut next = || words.next();
    let (host, address, priority, tag, rest) = (next()?, next()?, next()?, next()?, next()?);
    let (facility, severity) = priority.split_once('.')?;
    let is_priority = is_facility(facility) && is_level(severity);
    (is_priority && is_tag(tag) && is_address(address) && is_one_name(host)).then_some(rest)
}

/// `May  1 12:00:00 edge1 nginx_access `: a header of syslog whose tag is a server's, without a colon.
fn strip_server(text: &str) -> Option<&str> {
    // A time of another kind is nothing that begins so.
    month_number(text.as_bytes().get(..3)?)?;
    let (time, rest) = split_time(text)?;
    if time.contains('T') {
        return None;
    }
    let (host, rest) = rest.split_once(' ')?;
    let (tag, rest) = rest.split_once(' ')?;
    let is_server = SERVERS.iter().any(|server| tag.starts_with(server));
    (is_server && is_one_name(tag) && is_one_name(host)).then(|| from_address(rest))?
}

/// What Kubernetes makes the ends of names of.
const OF_HASH: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// `nginx-7c5ddbdf54-x2ldq nginx `: a pod of a deployment and its container, as `stern` writes them.
fn strip_replica(text: &str) -> Option<&str> {
    let (pod, rest) = text.split_once(' ')?;
    let (name, end) = pod.rsplit_once('-')?;
    let (_, hash) = name.rsplit_once('-')?;
    let is_hash = |text: &str| text.bytes().all(|byte| OF_HASH.contains(&byte));
    if end.len() != 5 || !is_hash(end) || !(8..=10).contains(&hash.len()) || !is_hash(hash) {
        return None;
    }
    let (container, rest) = rest.split_once(' ')?;
    (is_one_name(pod) && is_one_name(container)).then(|| from_address(rest))?
}

/// Columns with tabs between: time, level and name before a line, and the ten of Papertrail's archives.
pub(super) fn strip_columns(text: &str) -> Option<&str> {
    // Both begin with a digit, as few names do: such a line need not be looked through.
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let (first, rest) = text.split_once('\t')?;
    if is_digits(first) {
        return strip_archive(rest);
    }
    let (level, rest) = rest.split_once('\t')?;
    let (name, rest) = rest.split_once('\t')?;
    (is_level(level) && is_name(name) && is_time(first)).then(|| from_address(rest))?
}

/// The time in front of an object without one, and what is in that object: of a line of Caddy's console or of Fluentd's outputs.
pub(in super::super) fn split_console(text: &str) -> Option<(&str, &str)> {
    split_tagged(text).or_else(|| split_columns(text))
}

/// `2024-05-01 12:00:00.000000000 +0000 nginx.access: {`, or time, tag and object with tabs between: Fluentd's `stdout` and `file`.
fn split_tagged(text: &str) -> Option<(&str, &str)> {
    let (before, object) = text.split_once('{').filter(|(_, object)| object.starts_with('"'))?;
    let (time, tag) = match before.strip_suffix('\t') {
        Some(before) => before.rsplit_once('\t')?,
        None => before.strip_suffix(": ")?.rsplit_once(' ')?,
    };
    (is_time(time) && is_name(tag)).then_some((time, object))
}

/// The same of Caddy's columns: time, level, logger and message.
fn split_columns(text: &str) -> Option<(&str, &str)> {
    let mut columns = text.splitn(5, '\t');
    let mut next = || columns.next();
    let (time, level, logger, _, object) = (next()?, next()?, next()?, next()?, next()?);
    let rest = object.strip_prefix('{').filter(|rest| rest.starts_with('"'))?;
    let is_of_time = |byte: u8| byte.is_ascii_digit() || b"/-:. TZ+".contains(&byte);
    let is_console = time.bytes().all(is_of_time)
        && is_time(time)
        && is_level(without_colours(level))
        && is_name(logger)
        && !rest.contains("\"ts\":");
    is_console.then_some((time, rest))
}

/// The columns behind the id of a Papertrail's line: two times, an id, host, address, facility, severity and program.
fn strip_archive(text: &str) -> Option<&str> {
    let mut columns = text.splitn(9, '\t');
    let mut next = || columns.next();
    let is_row = is_time(next()?)
        && is_time(next()?)
        && is_digits(next()?)
        && is_name(next()?)
        && is_address(next()?)
        && is_facility(next()?)
        && is_level(next()?)
        && is_name(next()?);
    next().filter(|_| is_row)
}

fn is_time(text: &str) -> bool {
    text.len() >= TIME_BYTES_MIN && TimeParser::default().parse(text, Unit::Auto).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_shape_of_its_own_is_taken_off() {
        for (before, is_whole) in [
            ("<134>May  1 2024 12:00:00 edge1 nginx: ", true),
            ("[  123.456789] edge1 nginx[7]: ", true),
            ("@4000000050d506482dbdf024 ", true),
            ("{app=\"nginx\",pod=\"a\\\"} b\"} ", true),
            ("/aws/nginx i-0abc123 ", true),
            ("app[a1b2c3d4] fra [info] ", true),
            ("edge1.example 10.0.0.7 local7.info nginx: ", true),
            ("May  1 12:00:00 edge1 nginx_access ", true),
            ("nginx-7c5ddbdf54-x2ldq nginx ", true),
            ("<134>", true),
            ("[2024-05-01 12:00:00] ", true),
            ("CreateTime:1714564800123\t", true),
            ("LogAppendTime:1714564800123\tPartition:0\tOffset:5\tnull\t", true),
            // What may be a host, a client, or what he says of himself.
            ("[2024-05-01] ", false),
            ("[01/May/2024:12:00:00 +0000] ", false),
            ("CreateTime:x\t", false),
            ("CreateTime:1714564800123 ", false),
            ("<134>May  1 2024 12:00:00 192.0.2.9 ", false),
            ("[123.456] edge1 nginx: ", false),
            ("[  123.456789] 192.0.2.9 nginx: ", false),
            ("@4000000050d506482dbdf0 ", false),
            ("{app=\"nginx\"", false),
            ("/t 192.0.2.9 ", false),
            ("/t - ", false),
            ("app[a1b2c3d4] fra [x] ", false),
            ("192.0.2.9 10.0.0.7 local7.info nginx: ", false),
            ("edge1 10.0.0.7 local7.info - ", false),
            ("May  1 12:00:00 192.0.2.9 nginx_access ", false),
            ("May  1 12:00:00 edge1 anna ", false),
            ("web-5d9 nginx ", false),
            ("nginx-7c5ddbdf54-x2ldq 192.0.2.9 ", false),
            ("nginx-7c5ddbdf54-x2ldq ", false),
        ] {
            let line = "192.0.2.1 - - [01/May/2024:12:00:00 +0000]";
            let text = format!("{before}{line}");
            assert_eq!(strip_shaped(&text), is_whole.then_some(line), "{before}");
        }
        assert_eq!(strip_shaped("nginx-7c5ddbdf54-x2ldq nginx shop.example a"), None);
        assert_eq!(strip_shaped("/t x 192.0.2.66, 192.0.2.1 a"), None);
    }

    #[test]
    fn columns_before_a_line() {
        let line = "192.0.2.1 - a";
        for (before, is_whole) in [
            ("2024-05-01T12:00:09.123Z\tINFO\tnginx\t", true),
            (
                "1\t2024-05-01T12:00:00\t2024-05-01T12:00:00Z\t2\te\t10.0.0.7\tLocal7\tInfo\tnginx\t",
                true,
            ),
            ("2024-05-01T12:00:09.123Z\t192.0.2.1\tnginx\t", false),
            ("2024-05-01T12:00:09.123Z\tINFO\tGET /\t", false),
            ("1\t2024-05-01T12:00:00\t192.0.2.1\t2\te\t10.0.0.7\tLocal7\tInfo\tnginx\t", false),
            ("x\tINFO\tnginx\t", false),
        ] {
            let text = format!("{before}{line}");
            assert_eq!(strip_columns(&text), is_whole.then_some(line), "{before}");
        }
    }
}
