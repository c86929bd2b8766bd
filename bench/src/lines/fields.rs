//! The values of a request, as the fields of a layout write them.

use std::io::Write;

use arrow::array::{Array, StringArray};
use chrono::DateTime;
use schemas::RequestBatch;

/// A request, and how it is to be written.
pub(super) struct Request<'a> {
    pub(super) requests: &'a RequestBatch,
    pub(super) row: usize,
    /// The second in which it was logged.
    pub(super) second: &'a Second,
    /// What stands for a value that is missing.
    pub(super) nothing: &'static str,
}

/// A second, as the notations of logs write it.
#[derive(Default)]
pub(super) struct Second {
    epoch: i64,
    /// `2026-03-02T09:00:00`.
    iso: String,
    /// `02/Mar/2026:09:00:00`.
    clf: String,
}

impl Second {
    /// Makes it that of a moment, microseconds since 1970. Requests of one second follow each other.
    pub(super) fn move_to(&mut self, us: i64) {
        let epoch = us.div_euclid(1_000_000);
        if epoch != self.epoch
            && let Some(time) = DateTime::from_timestamp(epoch, 0)
        {
            let iso = time.format("%Y-%m-%dT%H:%M:%S").to_string();
            *self = Self { epoch, iso, clf: time.format("%d/%b/%Y:%H:%M:%S").to_string() };
        }
    }
}

/// Appends a value to a line.
pub(super) type Push = fn(&Request<'_>, &mut Vec<u8>);

/// What writes the field of that name.
pub(super) fn field(name: &str) -> Option<Push> {
    FIELDS.iter().find(|(known, _)| *known == name).map(|(_, push)| *push)
}

const FIELDS: &[(&str, Push)] = &[
    ("iso", |r, line| push(line, &r.second.iso)),
    ("date", |r, line| push(line, r.second.iso.get(..10).unwrap_or_default())),
    ("clock", |r, line| push(line, r.second.iso.get(11..).unwrap_or_default())),
    ("clf", |r, line| {
        push(line, &r.second.clf);
        push(line, " +0000");
    }),
    ("haproxy", |r, line| {
        push(line, &r.second.clf);
        push(line, ".655");
    }),
    ("epoch", |r, line| push_number(line, r.second.epoch)),
    ("ip", |r, line| push(line, r.ip())),
    ("peer", |r, line| push_peer(line, r.ip())),
    ("asn", |r, line| push_number(line, r.requests.client_asn().value(r.row))),
    ("country", |r, line| push(line, r.text(r.requests.client_country()))),
    ("edge", |r, line| push(line, r.text(r.requests.edge()))),
    ("method", |r, line| push(line, r.text(r.requests.method()))),
    ("scheme", |r, line| push(line, r.text(r.requests.scheme()))),
    ("host", |r, line| push(line, r.text(r.requests.host()))),
    ("path", |r, line| push(line, r.text(r.requests.path()))),
    ("query", |r, line| push(line, r.text(r.requests.query()))),
    ("uri", |r, line| {
        push(line, r.text(r.requests.path()));
        if r.requests.query().is_valid(r.row) {
            push(line, "?");
            push(line, r.text(r.requests.query()));
        }
    }),
    ("protocol", |r, line| push(line, r.text(r.requests.protocol()))),
    ("status", |r, line| push_number(line, i64::from(r.requests.status().value(r.row)))),
    ("in", |r, line| push_number(line, r.requests.request_bytes().value(r.row))),
    ("out", |r, line| push_number(line, r.requests.response_bytes().value(r.row))),
    ("s", |r, line| push_seconds(line, r.us())),
    ("ms", |r, line| push_number(line, r.us() / 1_000)),
    ("us", |r, line| push_number(line, r.us())),
    ("agent", |r, line| push(line, r.agent())),
    ("agent_percent", |r, line| push_percent(line, r.agent(), b" ")),
    ("agent_plus", |r, line| push(line, &r.agent().replace(' ', "+"))),
    ("agent_url", |r, line| push_percent(line, r.agent(), URL)),
    ("referer", |r, line| push(line, r.referer())),
    ("referer_url", |r, line| push_percent(line, r.referer(), URL)),
    ("cache", |r, line| push(line, r.text(r.requests.cache_status()))),
    ("ja3", |r, line| push(line, r.text(r.requests.ja3()))),
    ("ja4", |r, line| push(line, r.text(r.requests.ja4()))),
    ("id", |r, line| push(line, r.text(r.requests.request_id()))),
];

/// Characters that Akamai escapes.
const URL: &[u8] = b" /:;,?=+";

impl Request<'_> {
    fn text<'a>(&self, column: &'a StringArray) -> &'a str {
        if column.is_valid(self.row) { column.value(self.row) } else { self.nothing }
    }

    fn ip(&self) -> &str {
        self.text(self.requests.client_ip())
    }

    fn agent(&self) -> &str {
        self.text(self.requests.user_agent())
    }

    fn referer(&self) -> &str {
        self.text(self.requests.referer())
    }

    fn us(&self) -> i64 {
        self.requests.duration_us().value(self.row)
    }
}

fn push(line: &mut Vec<u8>, text: &str) {
    line.extend_from_slice(text.as_bytes());
}

fn push_number(line: &mut Vec<u8>, number: i64) {
    // Writing to a vector cannot fail.
    let _ = write!(line, "{number}");
}

/// `0.012`, from microseconds.
fn push_seconds(line: &mut Vec<u8>, us: i64) {
    let _ = write!(line, "{}.{:03}", us / 1_000_000, us / 1_000 % 1_000);
}

/// An address with a port to follow: IPv6 in brackets.
fn push_peer(line: &mut Vec<u8>, ip: &str) {
    let is_ipv6 = ip.contains(':');
    push(line, if is_ipv6 { "[" } else { "" });
    push(line, ip);
    push(line, if is_ipv6 { "]" } else { "" });
}

/// Text with some of its bytes written `%XX`.
fn push_percent(line: &mut Vec<u8>, text: &str, escaped: &[u8]) {
    for byte in text.bytes() {
        if escaped.contains(&byte) {
            let _ = write!(line, "%{byte:02X}");
        } else {
            line.push(byte);
        }
    }
}
