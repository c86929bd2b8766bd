//! Whether a request was broken off before it was answered whole, as each server tells it.
//!
//! Some mark it with a status of its own, some with a word beside it, some with both. Where a format has no such mark,
//! nothing is said: a request without one may have been broken off all the same.

use super::record::{Record, Slot};
use crate::format::Format;
use crate::line::Notation;

/// How a format tells that a request was broken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Not at all, but for statuses that mean nothing else.
    Unsaid,
    /// By a status: one that means it, or none at all.
    Status,
    /// nginx's `$request_completion`: `OK` or nothing.
    Completion,
    /// `HAProxy`'s termination state: who ended it, and what it was waiting for.
    Termination,
    /// By a word of a list, perhaps among others.
    Word(Words),
}

/// Words by which a format says that a request was broken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// `true`, `1`: a flag.
    Flag,
    /// Apache's `%X`.
    Apache,
    /// Envoy's response flags, long or short.
    Envoy,
    /// `x-edge-detailed-result-type` of CloudFront.
    CloudFront,
    /// `statusDetails` of Google's load balancers.
    Google,
    /// `errorInfo` of Azure.
    Azure,
    /// The end of Squid's result.
    Squid,
    /// The outcome of a Cloudflare Worker.
    Workers,
    /// Windows' error of the connection, in the log of IIS.
    Windows,
}

/// Whether a byte stands between several words of one value.
const fn is_between(byte: u8) -> bool {
    matches!(byte, b',' | b'|' | b' ' | b':')
}

impl Words {
    /// Sources: Apache's `mod_log_config`, `%X`; Envoy, "Access logging: response flags" (the client's side of the
    /// connection ended, reset the stream, or was ended for its age); CloudFront, "Standard logging reference"; Google
    /// Cloud Load Balancing, "`statusDetails` HTTP failure messages"; Azure Front Door and Application Gateway,
    /// "Monitoring data reference"; Squid, "Squid result codes"; Cloudflare, "Workers trace events"; Windows system error
    /// codes (the name is gone, the operation was aborted, by peer or host).
    const fn list(self) -> &'static [&'static str] {
        match self {
            Self::Flag => &["true", "1", "yes"],
            Self::Apache => &["X"],
            Self::Envoy => &[
                "DC",
                "DR",
                "DT",
                "DownstreamConnectionTermination",
                "DownstreamRemoteReset",
                "DurationTimeout",
            ],
            Self::CloudFront => &["ClientCommError", "ClientHungUpRequest"],
            Self::Google => &[
                "client_disconnected_before_any_response",
                "client_disconnected_after_partial_response",
                "client_timed_out",
            ],
            Self::Azure => &[
                "ClientDisconnected",
                "ERRORINFO_CLIENT_CLOSED_REQUEST",
                "ERRORINFO_CLIENT_TIMED_OUT",
            ],
            Self::Squid => &["ABORTED", "TIMEDOUT"],
            Self::Workers => &["canceled", "responseStreamDisconnected"],
            Self::Windows => &["64", "995", "1229", "1236", "10053", "10054"],
        }
    }

    /// Whether one of them is among those of a value.
    fn are_in(self, text: &str) -> bool {
        if self.list().iter().all(|one| text.len() < one.len()) {
            return false;
        }
        let found = text.as_bytes().split(|byte| is_between(*byte));
        let is_listed =
            |word: &[u8]| self.list().iter().any(|one| one.as_bytes().eq_ignore_ascii_case(word));
        found.into_iter().any(is_listed)
    }
}

impl Ending {
    /// How the lines of a format tell it. Of the formats that many servers write none is said to: a request that
    /// Apache lost has an ordinary status.
    pub const fn of(format: Format) -> Self {
        match format {
            Format::Akamai
            | Format::Alb
            | Format::Apisix
            | Format::ApisixJson
            | Format::Apigee
            | Format::Caddy
            | Format::Cloudflare
            | Format::Elb
            | Format::IngressNginx
            | Format::Kong
            | Format::NginxProxyManager
            | Format::NginxProxyManagerDefault
            | Format::Npmplus
            | Format::Traefik
            | Format::TraefikJson => Self::Status,
            Format::NginxJson => Self::Completion,
            Format::Haproxy | Format::HaproxyHttps | Format::HaproxyClf | Format::HaproxyJson => {
                Self::Termination
            }
            Format::Envoy | Format::EnvoyJson | Format::Istio => Self::Word(Words::Envoy),
            Format::Cloudfront | Format::CloudfrontJson | Format::CloudfrontRealtime => {
                Self::Word(Words::CloudFront)
            }
            Format::GcpLb => Self::Word(Words::Google),
            Format::AzureFrontDoor | Format::AzureAppGateway => Self::Word(Words::Azure),
            Format::Iis => Self::Word(Words::Windows),
            Format::Squid => Self::Word(Words::Squid),
            Format::CloudflareWorkers => Self::Word(Words::Workers),
            Format::Floodmark | Format::Json => Self::Word(Words::Flag),
            _ => Self::Unsaid,
        }
    }

    /// How the lines of a format string tell it: nginx's and Cloudflare's by the status at least, Apache's by `%X` alone.
    pub fn of_string(format: &str) -> Self {
        match Notation::of(format) {
            _ if format.contains("request_completion") => Self::Completion,
            Some(Notation::Nginx | Notation::Logpush) => Self::Status,
            Some(Notation::Envoy) => Self::Word(Words::Envoy),
            Some(Notation::Haproxy) => Self::Termination,
            Some(Notation::Apache) | None => Self::Word(Words::Apache),
        }
    }

    /// Whether a status that does not mean it says that it was not so.
    const fn is_told_by_status(self) -> bool {
        matches!(self, Self::Status | Self::Word(Words::CloudFront | Words::Azure))
    }

    /// What a value says; `None` for one that says nothing. Empty is what a dash is, too.
    fn reads(self, text: &str) -> Option<bool> {
        match self {
            Self::Unsaid | Self::Status => None,
            // Most lines; no list has a zero in it.
            Self::Word(_) if matches!(text, "" | "0") => Some(false),
            Self::Completion => Some(text != "OK"),
            Self::Termination => terminated(text),
            Self::Word(words) => Some(words.are_in(text)),
        }
    }
}

/// Whether a request was broken off, if its line tells. Some statuses mean it whoever writes them: 408 (the client sent
/// nothing in time), 460 (Amazon's balancers) and 499 (nginx, and many after it): the client left; 0 or -1: there was
/// no answer. nginx's 444 is an answer of sorts: it was refused.
#[inline]
pub(super) fn is_aborted(record: &Record<'_>, status: Option<i32>) -> Option<bool> {
    match status {
        Some(408 | 460 | 499) => Some(true),
        Some(_) if record.ending == Ending::Unsaid => None,
        Some(_) if record.ending == Ending::Status => Some(false),
        _ => told(record, status),
    }
}

// Apart from what most lines need.
#[inline(never)]
fn told(record: &Record<'_>, status: Option<i32>) -> Option<bool> {
    let ending = record.ending;
    if status.is_none() && is_no_answer(record) {
        return Some(true);
    }
    let by_status = || status.filter(|_| ending.is_told_by_status()).map(|_| false);
    if !record.was_seen(Slot::Aborted) {
        return by_status();
    }
    let text = record.get(Slot::Aborted).map_or("", |value| value.text);
    // The line may have ended right there.
    if text.is_empty() && record.is_partial() {
        None
    } else {
        ending.reads(text).or_else(by_status)
    }
}

/// Whether the place of the status says that there is none. An empty one says so where the status tells of such
/// requests at all; of a line that lost its end nothing is known.
fn is_no_answer(record: &Record<'_>) -> bool {
    match record.get(Slot::Status) {
        Some(status) => matches!(status.text, "0" | "000" | "-1"),
        None => {
            record.ending.is_told_by_status()
                && record.was_seen(Slot::Status)
                && !record.is_partial()
        }
    }
}

/// `HAProxy` configuration manual, 8.5 "Session state at disconnection": the first letter is who ended it: the client
/// (`C` left, `c` timed out), or the proxy for want of a server (`D`), by an operator (`K`), of resources (`R`) or by
/// mistake (`I`). What it refused (`P`), answered itself (`L`) and what servers did (`S`, `s`) was answered.
fn terminated(state: &str) -> Option<bool> {
    let first = state.bytes().next()?;
    Some(matches!(first, b'C' | b'c' | b'D' | b'K' | b'R' | b'I'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Value;

    #[track_caller]
    fn check(format: Format, status: &str, told: Option<&str>, aborted: Option<bool>) {
        let mut record = Record::default();
        record.ending = Ending::of(format);
        record.set(Slot::Status, Value { text: status, ..Value::default() });
        if let Some(text) = told {
            record.set(Slot::Aborted, Value { text, ..Value::default() });
        }
        let status = status.parse().ok().filter(|status| *status >= 100);
        assert_eq!(is_aborted(&record, status), aborted, "{format} {status:?} {told:?}");
    }

    #[test]
    fn every_server_tells_it_in_its_way() {
        check(Format::Combined, "200", None, None);
        check(Format::Combined, "499", None, Some(true));
        check(Format::Combined, "-", None, None);
        check(Format::IngressNginx, "200", None, Some(false));
        check(Format::Alb, "-", None, Some(true));
        check(Format::Alb, "460", None, Some(true));
        check(Format::Caddy, "0", None, Some(true));
        check(Format::NginxJson, "200", None, None);
        check(Format::NginxJson, "200", Some("OK"), Some(false));
        check(Format::NginxJson, "200", Some(""), Some(true));
        check(Format::Haproxy, "200", Some("----"), Some(false));
        check(Format::Haproxy, "200", Some("CD--"), Some(true));
        check(Format::Haproxy, "408", Some("cR--"), Some(true));
        check(Format::Haproxy, "503", Some("SC--"), Some(false));
        check(Format::Haproxy, "403", Some("PR--"), Some(false));
        check(Format::Haproxy, "-1", Some("CR--"), Some(true));
        check(Format::Envoy, "0", Some("DC"), Some(true));
        check(Format::Envoy, "200", Some("-"), Some(false));
        check(Format::EnvoyJson, "503", Some("UF,URX"), Some(false));
        check(Format::EnvoyJson, "200", Some("UPE,DC"), Some(true));
        check(Format::EnvoyJson, "200", None, None);
        check(Format::Cloudfront, "000", Some("Error"), Some(true));
        check(Format::Cloudfront, "200", Some("ClientCommError"), Some(true));
        check(Format::Cloudfront, "200", None, Some(false));
        check(Format::Floodmark, "200", Some("true"), Some(true));
        check(Format::Floodmark, "200", Some("false"), Some(false));
        check(Format::Iis, "200", Some("64"), Some(true));
        check(Format::Iis, "200", Some("0"), Some(false));
    }
}
