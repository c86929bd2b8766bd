//! What lines are that are no access records.

use super::RejectReason;
use super::record::{Record, Slot};

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
