//! What lines are that are no access records.

use super::RejectReason;
use super::format::Format;
use super::numbers::{is_digits, is_status};
use super::record::{Record, Slot};
use super::time::month_number;

/// Words by which servers grade what they say of themselves.
const LEVELS: [&str; 16] = [
    "debug", "info", "notice", "warn", "warning", "error", "crit", "critical", "alert", "emerg",
    "fatal", "panic", "trace", "verbose", "severe", "err",
];

/// Why a text that no format reads is no access record, where it can be told.
#[cold]
pub(super) fn reason_of(text: &str) -> Option<RejectReason> {
    if is_tcp_session(text) {
        Some(RejectReason::TcpSession)
    } else if is_of_error_log(text) {
        Some(RejectReason::ErrorLog)
    } else {
        None
    }
}

/// Whether a text begins as lines of error logs of nginx, Apache or programs in Go do, and those of no access log: it need not
/// be tried in every format. Where errors are written among
/// requests, who asks for them decides how many there are.
pub(super) fn begins_error_log(text: &str) -> bool {
    match text.as_bytes() {
        [b'0'..=b'9', _, _, _, b'/', ..] => begins_as_nginx(text),
        [b'[', day, ..] if day.is_ascii_uppercase() => begins_as_apache(text),
        [b't', b'i', b'm', b'e', b'=', ..] => text
            .split(' ')
            .nth(1)
            .and_then(|word| word.strip_prefix("level="))
            .is_some_and(is_level),
        _ => false,
    }
}

/// `2024/05/01 12:00:00 [error] 7#7: `.
fn begins_as_nginx(text: &str) -> bool {
    let is_like = |text: &str, like: &str| {
        text.len() == like.len()
            && text.bytes().zip(like.bytes()).all(|(byte, like)| match like {
                b'0' => byte.is_ascii_digit(),
                other => byte == other,
            })
    };
    let mut words = text.splitn(5, ' ');
    let mut next = || words.next().unwrap_or_default();
    let (date, clock, level, process) = (next(), next(), next(), next());
    let level = level.strip_prefix('[').and_then(|level| level.strip_suffix(']'));
    let process = process.strip_suffix(':').and_then(|process| process.split_once('#'));
    is_like(date, "0000/00/00")
        && is_like(clock, "00:00:00")
        && level.is_some_and(is_level)
        && process.is_some_and(|(process, thread)| is_digits(process) && is_digits(thread))
}

/// `[Wed May 01 12:00:00.123456 2024] [core:error] `.
fn begins_as_apache(text: &str) -> bool {
    let parts = || {
        let (time, rest) = text.strip_prefix('[')?.split_once("] [")?;
        let (of, _) = rest.split_once("] ")?;
        let mut words = time.split(' ').filter(|word| !word.is_empty());
        let (day, month) = (words.next()?, words.next()?);
        let is_time = day.len() == 3 && month_number(month.as_bytes()).is_some();
        is_time.then(|| of.rsplit(':').next().unwrap_or(of))
    };
    parts().is_some_and(is_level)
}

/// Why a record that has all of an access record is none: it says what it is.
#[inline]
pub(super) fn refusal_of(record: &Record<'_>) -> Option<RejectReason> {
    let kind = record.get(Slot::Kind)?.text;
    let says = |word: &str| {
        kind.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
    };
    match (says("access"), says("probe")) {
        (true, _) => None,
        (false, true) => Some(RejectReason::Probe),
        (false, false) => Some(RejectReason::OtherKind),
    }
}

/// Dialects whose keys are words that logs of any kind have.
const OF_COMMON_WORDS: [Format; 6] = [
    Format::NginxJson,
    Format::Floodmark,
    Format::HaproxyJson,
    Format::EnvoyJson,
    Format::ApiGateway,
    Format::Apigee,
];

/// Why a record, which says that it is of no other kind, has no request. Of a dialect that was recognised, and that nobody
/// named, the words may mean other things than they seem to.
#[inline]
pub(super) fn lack_of(
    record: &Record<'_>,
    format: Format,
    is_recognised: bool,
) -> Option<RejectReason> {
    if record.has_sure_request() {
        return None;
    }
    let is_recognised = is_recognised && OF_COMMON_WORDS.contains(&format);
    if record.has_request() {
        lack_beside(record, is_recognised)
    } else {
        Some(RejectReason::NoRequest)
    }
}

/// The same of a record that has something of a request, but no request line.
#[cold]
fn lack_beside(record: &Record<'_>, is_recognised: bool) -> Option<RejectReason> {
    if record.is_text {
        // A connection that was closed before anything came: `HTTP.sys` has a line for it all the same.
        let said = [Slot::Method, Slot::Uri, Slot::Path, Slot::Status];
        let is_idle = !record.truncated && said.iter().all(|slot| record.get(*slot).is_none());
        return is_idle.then_some(RejectReason::TcpSession);
    }
    let has = |slots: &[Slot]| slots.iter().any(|slot| record.was_seen(*slot));
    let has_target = has(&[Slot::Uri, Slot::Path]);
    let status = record.get(Slot::Status).map(|status| status.text);
    let is_answered = status.is_some_and(is_status);
    // Of a session: how it ended, and how much it was.
    let is_session = status == Some("0") && has(&[Slot::RequestBytes, Slot::ResponseBytes]);
    // nginx's streams have a status as requests do.
    let is_stream =
        record.get(Slot::Protocol).is_some_and(|protocol| matches!(protocol.text, "TCP" | "UDP"));
    let is_client = has(&[Slot::ClientIp, Slot::ForwardedFor, Slot::RealIp]);
    match (is_answered, status) {
        (false, Some(_)) if is_session && !has(&[Slot::Method]) => Some(RejectReason::TcpSession),
        _ if is_stream && !has_target && !has(&[Slot::Method]) => Some(RejectReason::TcpSession),
        (false, Some(_)) if !has_target => Some(RejectReason::NoRequest),
        _ if !is_recognised || (is_answered && is_client) => None,
        // A status alone, as the operator's own keys have it, is told apart by who asked.
        (true, _) if !has(&[Slot::Method]) => None,
        _ => Some(RejectReason::NoRequest),
    }
}

/// Whether a record of a balancer is of a connection over which no request came: it has dashes for one, and no status.
/// Elsewhere a client may have sent them.
#[inline]
pub(super) fn is_tcp_record(format: Format, record: &Record<'_>) -> bool {
    let request = record.get(Slot::Request);
    request.is_some_and(|request| request.text.starts_with("- -"))
        && is_tcp_record_of_balancer(format, record)
}

#[cold]
fn is_tcp_record_of_balancer(format: Format, record: &Record<'_>) -> bool {
    let is_balancer = matches!(format, Format::Elb | Format::Alb | Format::Istio | Format::Envoy);
    let is_empty = |request: &str| request.trim_ascii_end() == "- - -";
    is_balancer
        && record.get(Slot::Request).is_some_and(|request| is_empty(request.text))
        && !record.get(Slot::Status).is_some_and(|status| is_status(status.text))
}

/// `HAProxy`'s `option tcplog`: `… [time] frontend backend/server 1/0/98 8398 -- 6/5/5/5/0 0/0`.
fn is_tcp_session(text: &str) -> bool {
    let Some((_, behind)) = text.split_once("] ") else { return false };
    let mut words = behind.split(' ');
    let (Some(_), Some(server), Some(timers)) = (words.next(), words.next(), words.next()) else {
        return false;
    };
    let is_timer = |timer: &str| {
        let digits = timer.trim_start_matches(['-', '+']);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    server.contains('/') && timers.split('/').count() == 3 && timers.split('/').all(is_timer)
}

fn is_of_error_log(text: &str) -> bool {
    // `2024/05/01 12:00:00 [error] 7#7: …`, `[Wed May 01 12:00:00.123456 2024] [core:error] …`.
    let brackets = text.match_indices('[').take(4);
    let in_brackets = brackets.filter_map(|(at, _)| text.get(at + 1..)?.split_once(']'));
    let mut in_brackets =
        in_brackets.map(|(inside, _)| inside.rsplit(':').next().unwrap_or(inside));
    let is_bracketed = in_brackets.any(is_level) && !text.contains("\" 2");
    // `time="…" level=error msg="…"`.
    let is_pair =
        text.split(' ').take(6).any(|word| word.strip_prefix("level=").is_some_and(is_level));
    // `… [time] frontend/1: SSL handshake failure`.
    let is_of_haproxy = text.split_once("] ").is_some_and(|(_, behind)| {
        behind.split(' ').next().is_some_and(|word| word.contains('/') && word.ends_with(':'))
    });
    is_bracketed || is_pair || is_of_haproxy
}

/// Whether a word grades what is said.
pub(super) fn is_level(word: &str) -> bool {
    LEVELS.iter().any(|level| word.eq_ignore_ascii_case(level))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_logs_are_told_by_how_their_lines_begin() {
        for (text, is_one) in [
            ("2024/05/01 12:00:00 [error] 7#7: *1 open() failed", true),
            ("2024/05/01 12:00:00 [notice] 1#1: start", true),
            ("2024/05/01 12:00:00 [error] a GET /", false),
            ("2024/05/01 12:00:00 192.0.2.1 [error] 7#7: x", false),
            ("[Wed May 01 12:00:00.1 2024] [core:error] [pid 7] x", true),
            ("[Wed May  1 12:00:00 2024] [error] [client 192.0.2.1] x", true),
            ("[Wed May 01 12:00:00 2024] [x] y", false),
            ("[01/May/2024:12:00:00 +0000] [error] x", false),
            (r#"time="2024-05-01T12:00:00Z" level=error msg="x""#, true),
            (r#"time="2024-05-01T12:00:00Z" status=200"#, false),
            (r#"192.0.2.1 - - [01/May/2024:12:00:00 +0000] "GET /[error] HTTP/1.1" 200 1"#, false),
            ("", false),
        ] {
            assert_eq!(begins_error_log(text), is_one, "{text}");
        }
    }

    #[test]
    fn what_is_no_request_is_told() {
        for (text, reason) in [
            ("2024/05/01 12:00:00 [error] 7#7: *1 open() failed", Some(RejectReason::ErrorLog)),
            ("[Wed May 01 12:00:00.1 2024] [core:error] [pid 7] x", Some(RejectReason::ErrorLog)),
            (r#"time="2024-05-01T12:00:00Z" level=error msg="x""#, Some(RejectReason::ErrorLog)),
            (
                "192.0.2.1:4000 [01/May/2024:12:00:00.000] fe/1: SSL handshake failure",
                Some(RejectReason::ErrorLog),
            ),
            (
                "192.0.2.1:4000 [01/May/2024:12:00:00.000] fe be/s1 1/0/98 8398 -- 6/5/5/5/0 0/0",
                Some(RejectReason::TcpSession),
            ),
            (r#"192.0.2.1 - - [01/May/2024:12:00:00 +0000] "GET / HTTP/1.1" 200 1"#, None),
            ("nothing of use", None),
            ("", None),
        ] {
            assert_eq!(reason_of(text), reason, "{text}");
        }
    }
}
