//! What shippers wrap around a line: syslog headers, the line prefix of container runtimes, JSON with the line as a
//! string.

use std::mem::discriminant;

use serde::{Deserialize, Serialize};

use super::address::is_plain_ip;
use super::json::{
    FieldMap, FieldSource, JsonDecoder, bytes_in, is_followed, marks, object_in, sole_object,
};
use super::line::sound::is_name;
use super::numbers::is_digits;
use super::prefix::{split_console, strip_host_and_server, strip_prefix, without_colours};
use super::record::Unit;
use super::record::{Escape, Record, Slot, Value};
use super::text::{clean_owned, place, plain_line};
use super::time::TimeParser;

/// What is around a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Envelope {
    /// Nothing.
    None,
    /// A header as text: syslog (RFC 3164, RFC 5424, rsyslog's file formats) or CRI.
    Header,
    /// JSON that holds the line as a string: Filebeat, Fluent Bit, Vector, rsyslog, Docker.
    Json,
    /// JSON that holds the line with its header.
    JsonWithHeader,
    /// JSON that holds the line with what consoles and collectors put before it.
    JsonWithPrefix,
    /// GELF whose short message is the line, and the full one something else.
    ShortMessage,
    /// JSON that holds an object of JSON, the line: Kafka Connect, collectors that parsed it.
    Object,
    /// JSON that holds the line as a list of its bytes: journald, of a line that is no plain text.
    Bytes,
    /// JSON in JSON, or in objects of it, so many layers deep.
    Nested(u8),
    /// So many things that consoles and collectors put before a line: a container's name with a bar, a time, a pod in
    /// brackets, colours, headers.
    Prefix(u8),
    /// A time in front of JSON without one: Caddy's console and Fluentd's outputs.
    Console,
    /// A JSON string.
    Text,
    /// Quotes around the whole line, those inside as they are.
    Quotes,
    /// Quotes around the whole line, those inside doubled.
    Csv,
}

/// Envelopes in the order in which they are tried: a header first, since its words could pass for a host and a
/// user.
pub const ENVELOPES: [Envelope; 18] = [
    Envelope::Header,
    Envelope::None,
    Envelope::JsonWithHeader,
    Envelope::Json,
    Envelope::ShortMessage,
    Envelope::Object,
    Envelope::Bytes,
    Envelope::JsonWithPrefix,
    Envelope::Prefix(1),
    Envelope::Prefix(2),
    Envelope::Prefix(3),
    Envelope::Console,
    Envelope::Csv,
    Envelope::Text,
    Envelope::Quotes,
    Envelope::Nested(2),
    Envelope::Nested(3),
    Envelope::Nested(4),
];

/// Keys that hold a line, the more usual first.
const MESSAGE_KEYS: &[&str] = &[
    "message",
    "message.string",
    "log",
    "msg",
    "MESSAGE",
    "event.original",
    "line",
    "body",
    "textPayload",
    // GELF: the short one is the first line, or less.
    "full_message",
    "short_message",
    "payload",
    "resourceLogs.scopeLogs.logRecords.body.stringValue",
    "resourceLogs.scopeLogs.logRecords.body.kvlistValue.values.message",
    "resourceLogs.scopeLogs.logRecords.body.kvlistValue.values.log",
    "body.stringValue",
    "body.string",
    "payload.message",
    "payload.line",
    "payload.log",
    "payload.value",
    "event",
    "event.message",
    "_raw",
    "result._raw",
    "raw",
    "raw_log",
    "rawLog",
    "raw_message",
    "fields.message",
    "jsonPayload.message",
    "Body",
    "Line",
    "Message",
    "@message",
    "_line",
    "log_message",
    "logMessage",
    "original",
    "record",
    "access_log",
    "accessLog",
    "log_line",
    // Wazuh, NXLog, Azure's tables of containers, CrowdSec, Avro.
    "full_log",
    "raw_event",
    "Log_s",
    "LogMessage",
    "properties.LogMessage",
    "properties.log",
    "resultDescription",
    "@m",
    "Line.Raw",
    "payload.string",
    "entry",
    "text",
    "content",
    "data",
    "value",
];

/// Keys that hold a record as an object.
const OBJECT_KEYS: &[&str] = &[
    "payload",
    "message",
    "log",
    "event",
    "data",
    "record",
    "body",
    "Body",
    "value",
    "json",
    "jsonPayload",
    "fields",
    "parsed",
    "MESSAGE",
    "after",
    "_source",
    "result",
];

/// Lists of lines.
const LISTS: &[&str] = &["resourceLogs.scopeLogs.logRecords"];

/// Takes lines out of their envelopes.
#[derive(Debug, Clone)]
pub struct Opener {
    json: JsonDecoder,
    short: JsonDecoder,
}

impl Default for Opener {
    fn default() -> Self {
        let keys =
            |keys: &[&str]| FieldSource::Keys(keys.iter().map(|key| (*key).to_owned()).collect());
        let decoder = |message: &[&str]| {
            let fields = [("message", keys(message)), (marks::RECORD, keys(LISTS))];
            let fields = fields.map(|(name, keys)| (name.to_owned(), keys));
            JsonDecoder::new(&FieldMap::from(fields))
        };
        Self { json: decoder(MESSAGE_KEYS), short: decoder(&["short_message"]) }
    }
}

impl Opener {
    /// The line inside `text`; `None` when `text` has no such envelope. `scratch` holds it when JSON escapes had to
    /// be resolved.
    pub fn open<'a>(
        &mut self,
        envelope: Envelope,
        text: &'a str,
        scratch: &'a mut String,
    ) -> Option<&'a str> {
        match envelope {
            Envelope::None => Some(text),
            Envelope::Header => strip_header(text),
            Envelope::Json => message(&mut self.json, text, scratch),
            Envelope::ShortMessage => message(&mut self.short, text, scratch),
            Envelope::JsonWithHeader => strip_header(message(&mut self.json, text, scratch)?),
            Envelope::JsonWithPrefix => {
                let text = message(&mut self.json, text, scratch)?;
                strip_host_and_server(text).or_else(|| strip_prefix(text))
            }
            Envelope::Object => object_in(text, OBJECT_KEYS).or_else(|| sole_object(text)),
            Envelope::Bytes => {
                scratch.clear();
                scratch.push_str(&clean_owned(&bytes_in(text, MESSAGE_KEYS)?));
                Some(without_colours(scratch))
            }
            // What stands before text is counted by itself: a host may be among it.
            Envelope::Nested(_) if !text.starts_with('{') && !is_before_object(text) => None,
            Envelope::Nested(layers) => {
                let mut inner = text.to_owned();
                for _ in 0..layers {
                    inner = self.layer(&inner)?;
                }
                *scratch = inner;
                Some(scratch)
            }
            Envelope::Prefix(count) => (0..count).try_fold(text, |text, _| strip_prefix(text)),
            Envelope::Console => {
                let (time, rest) = split_console(text)?;
                scratch.clear();
                scratch.extend(["{\"ts\":\"", time, "\",", rest]);
                Some(scratch)
            }
            Envelope::Text => {
                let text = text.strip_prefix('"')?.strip_suffix('"')?;
                let value = Value { text, escape: Escape::Json, ..Value::default() };
                Some(plain_line(&value, scratch).trim_ascii())
            }
            Envelope::Quotes => {
                let quoted = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
                quoted('"').or_else(|| quoted('\''))
            }
            Envelope::Csv => {
                let inner = text.strip_prefix('"')?.strip_suffix('"')?;
                let is_doubled = inner.contains("\"\"") && !inner.replace("\"\"", "").contains('"');
                scratch.clear();
                scratch.push_str(&inner.replace("\"\"", "\""));
                is_doubled.then_some(scratch)
            }
        }
    }

    /// What is in each envelope that a text may have, in the order in which they are tried; no text twice.
    #[cold]
    pub fn open_all(&mut self, text: &str) -> Vec<(Envelope, String)> {
        let mut inners: Vec<(Envelope, String)> = Vec::new();
        let mut closed = None;
        for envelope in ENVELOPES {
            // Where some layers of a kind cannot be taken off, more cannot.
            if closed == Some(discriminant(&envelope)) {
                continue;
            }
            let mut scratch = String::new();
            match self.open(envelope, text, &mut scratch) {
                None => closed = Some(discriminant(&envelope)),
                Some(inner) if inners.iter().any(|(_, known)| known == inner) => {}
                Some(inner) => {
                    let inner = inner.to_owned();
                    inners.push((envelope, inner));
                }
            }
        }
        inners
    }

    /// What is in the outermost layer of a text.
    fn layer(&mut self, text: &str) -> Option<String> {
        let mut scratch = String::new();
        if !text.starts_with('{') {
            let inner = strip_header(text).or_else(|| strip_prefix(text));
            return inner.map(str::to_owned);
        }
        // A word is no line: what is beside it may be one.
        let message = message(&mut self.json, text, &mut scratch);
        let message = message.filter(|text| text.starts_with('{') || text.contains(' '));
        message
            .or_else(|| object_in(text, OBJECT_KEYS))
            .or_else(|| sole_object(text))
            .map(str::to_owned)
    }
}

/// Whether what consoles and collectors put before a line stands before an object of JSON.
fn is_before_object(text: &str) -> bool {
    text.ends_with('}') && strip_prefix(text).is_some_and(|inner| inner.starts_with("{\""))
}

/// The line that a text of JSON holds under one of the keys of `json`.
fn message<'a>(json: &mut JsonDecoder, text: &'a str, scratch: &'a mut String) -> Option<&'a str> {
    let mut record = Record::default();
    // Of several lines each is read by itself.
    if !json.decode(text, &mut record) || json.holds_several() {
        return None;
    }
    let value = *record.get(Slot::Inner)?;
    if record.truncated && is_followed(text) {
        return None;
    }
    if is_one_of_several(text, value.text) {
        return None;
    }
    Some(plain_line(&value, scratch).trim_ascii())
}

/// Whether a value, the text of a string, is the first of a list: the others are lines, too.
fn is_one_of_several(text: &str, value: &str) -> bool {
    let Some(place) = place(text, value) else { return false };
    let before = text.get(..place.start).and_then(|before| before.strip_suffix('"'));
    let behind = text.get(place.end + 1..);
    before.is_some_and(|before| before.trim_ascii_end().ends_with('['))
        && behind.is_some_and(|behind| behind.trim_ascii_start().starts_with(','))
}

/// What follows a syslog or CRI header.
pub fn strip_header(text: &str) -> Option<&str> {
    let rest = strip_priority(text);
    let is_prioritised = rest.len() < text.len();
    if is_prioritised && let Some(message) = strip_rfc5424(rest) {
        return Some(message);
    }
    let (time, after_time) = split_time(rest)?;
    if !time.is_empty()
        && let Some(message) = strip_cri(after_time)
    {
        return Some(message);
    }
    // Host, then a tag that ends with a colon. Some daemons leave the host out.
    let (first, after_first) = after_time.split_once(' ')?;
    if first.ends_with(':') {
        return Some(after_first.trim_ascii_start());
    }
    let (tag, message) = after_first.split_once(' ')?;
    if tag.ends_with(':') {
        return Some(message.trim_ascii_start());
    }
    // A relay has put its own header in front of another; a device has no tag, but a name, and a client behind it.
    let is_relayed = strip_priority(after_first).len() < after_first.len();
    let is_untagged = || is_name(first) && !is_plain_ip(first) && is_plain_ip(tag);
    (is_prioritised && (is_relayed || is_untagged())).then_some(after_first)
}

/// Without `<134>`.
pub(super) fn strip_priority(text: &str) -> &str {
    let after = text.strip_prefix('<').and_then(|rest| rest.split_once('>'));
    match after {
        Some((digits, rest))
            if (1..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) =>
        {
            rest
        }
        _ => text,
    }
}

/// RFC 5424 §6: `1 time host app procid msgid structured-data message`, the priority gone.
fn strip_rfc5424(text: &str) -> Option<&str> {
    let mut rest = text.strip_prefix("1 ")?;
    let mut field = "";
    for _ in 0..5 {
        (field, rest) = rest.split_once(' ')?;
    }
    let message = match rest.as_bytes().first()? {
        b'-' => rest.get(1..)?,
        b'[' => strip_structured_data(rest)?,
        // Heroku leaves them out behind a message id that says nothing.
        _ => rest
            .split_once(' ')
            .filter(|(word, _)| field == "-" && is_plain_ip(word))
            .map(|_| rest)?,
    };
    let message = message.strip_prefix(' ').unwrap_or(message);
    Some(message.strip_prefix('\u{feff}').unwrap_or(message))
}

/// One or more `[id name="value" …]`.
fn strip_structured_data(text: &str) -> Option<&str> {
    if !text.starts_with('[') {
        return None;
    }
    let bytes = text.as_bytes();
    let (mut at, mut quoted) = (0, false);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            b']' if !quoted && bytes.get(at + 1) != Some(&b'[') => return text.get(at + 1..),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The time of a header and what follows it: `May  1 12:00:00` or ISO 8601.
pub(super) fn split_time(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let is_rfc3164 = bytes.len() > 16
        && super::time::month_number(bytes.get(..3)?).is_some()
        && bytes.get(3) == Some(&b' ')
        && bytes.get(9) == Some(&b':')
        && bytes.get(12) == Some(&b':');
    if is_rfc3164 {
        let (time, rest) = text.split_at_checked(15)?;
        return Some((time, rest.strip_prefix(' ').or_else(|| behind_fraction(rest))?));
    }
    if let Some(parts) = split_short_day(text) {
        return Some(parts);
    }
    let (time, rest) = text.split_once(' ')?;
    // A time in brackets is a field.
    let is_bare = time.contains('T') && !time.starts_with('[');
    TimeParser::default().parse(time, Unit::Seconds).filter(|_| is_bare)?;
    Some((time, rest))
}

/// What is behind the fraction of a second and a blank: devices write one in the times of RFC 3164.
#[cold]
fn behind_fraction(text: &str) -> Option<&str> {
    let (digits, rest) = text.strip_prefix('.')?.split_once(' ')?;
    (is_digits(digits) && digits.len() <= 9).then_some(rest)
}

/// `May 1 12:00:00`, with one blank before a day of one digit.
fn split_short_day(text: &str) -> Option<(&str, &str)> {
    let (time, rest) = text.split_at_checked(14)?;
    let [month @ .., b' ', day, b' ', _, _, b':', _, _, b':', _, _] = time.as_bytes() else {
        return None;
    };
    let is_time = day.is_ascii_digit() && super::time::month_number(month).is_some();
    Some((time, rest.strip_prefix(' ').filter(|_| is_time)?))
}

/// Kubernetes' container runtime interface: `stdout F message`, the time gone.
pub(super) fn strip_cri(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("stdout ").or_else(|| text.strip_prefix("stderr "))?;
    // More tags may follow, a colon before each.
    let (tags, line) = rest.split_once(' ')?;
    matches!(tags.split(':').next()?, "F" | "P").then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        for (text, message) in [
            ("<190>May  1 12:00:00 edge1 nginx: a b", Some("a b")),
            ("2024-05-01T12:00:00Z stdout F:x:y a b", Some("a b")),
            ("2024-05-01T12:00:00Z stdout Fx a b", None),
            ("May  1 12:00:00 edge1 haproxy[77]: a b", Some("a b")),
            ("<134>May 11 12:00:00 haproxy[77]: a b", Some("a b")),
            ("2024-05-01T12:00:00.123456+02:00 edge1 haproxy[77]: a b", Some("a b")),
            ("<165>1 2024-05-01T12:00:00Z edge1 nginx 77 - - a b", Some("a b")),
            ("<165>1 2024-05-01T12:00:00Z edge1 nginx - ID [x y=\"\\\"]\"][z] a b", Some("a b")),
            ("<165>1 - - - - - - a b", Some("a b")),
            ("<190>1 2024-05-01T12:00:00Z host app web.1 - 192.0.2.1 - a", Some("192.0.2.1 - a")),
            ("<190>1 2024-05-01T12:00:00Z host app web.1 x 192.0.2.1 - a", None),
            ("<190>1 2024-05-01T12:00:00Z host app web.1 - anna 192.0.2.1", None),
            ("May 1 12:00:00 edge1 nginx: a b", Some("a b")),
            ("May 1 12:00:0", None),
            ("2024-05-01T12:00:00.123456789Z stdout F a b", Some("a b")),
            ("192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET /: HTTP/1.1\" 200 1", None),
            ("a b c: d", None),
            ("<165>", None),
            ("", None),
        ] {
            assert_eq!(strip_header(text), message, "{text}");
        }
    }

    #[test]
    fn messages_in_json() {
        let open = |text: &str| {
            let mut scratch = String::new();
            Opener::default().open(Envelope::Json, text, &mut scratch).map(str::to_owned)
        };
        let line = Some("a \"b\"".to_owned());
        assert_eq!(open(r#"{"@timestamp":"x","message":"a \"b\"","log":{"offset":5}}"#), line);
        assert_eq!(open(r#"{"log":"a \"b\"\n","stream":"stdout"}"#), line);
        assert_eq!(open(r#"{"event":{"original":"a \"b\""}}"#), line);
        assert_eq!(open(r#"{"a":1}"#), None);
    }
}
