//! Format strings of other writers: Envoy's command operators, `HAProxy`'s `log-format`, Logpush's `record_template`, API
//! Gateway's `$context` variables.

use super::variables::{FormatError, Guess, SKIP, Token, Variable, push_literal};
use crate::json::{Fed, FieldMap, fed_by};
use crate::record::{Escape, Slot, Unit};

/// Who writes by a format string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    /// nginx's `log_format`, and API Gateway's.
    Nginx,
    /// Apache's `LogFormat`.
    Apache,
    /// Envoy, "Access logging: command operators".
    Envoy,
    /// `HAProxy` configuration manual, 8.2.6 "Custom log format".
    Haproxy,
    /// Cloudflare, "Log Output Options": `record_template`, of the names of Logpush's fields.
    Logpush,
}

/// What only `HAProxy`'s strings have.
const HAPROXY_MARKS: [&str; 7] = ["%ci", "%ST", "%[", "%{+", "%HM", "%HU", "%HP"];

impl Notation {
    /// Whose notation a format string is in; `None` when it has no variables.
    pub fn of(format: &str) -> Option<Self> {
        if format.contains("{{") {
            Some(Self::Logpush)
        } else if format.contains('$') {
            Some(Self::Nginx)
        } else if !format.contains('%') {
            None
        } else if has_operator(format) {
            Some(Self::Envoy)
        } else if HAPROXY_MARKS.iter().any(|mark| format.contains(mark)) {
            Some(Self::Haproxy)
        } else {
            Some(Self::Apache)
        }
    }
}

/// Whether one of Envoy's operators is in it, in its two signs or with arguments: `%START_TIME%`, `%REQ(`. `HAProxy`'s names
/// in capitals, one behind the other, are short ones: `%HPO%HQ`.
fn has_operator(format: &str) -> bool {
    let mut rest = format;
    while let Some((_, after)) = rest.split_once('%') {
        let end = after.find(|c| !is_of_operator(c)).unwrap_or(after.len());
        let (name, behind) = after.split_at(end);
        let is_name = name.contains('_') && name.split('_').all(|part| part.len() > 1)
            || ENVOY_HEADERS.contains(&name)
            || ENVOY.iter().any(|(known, ..)| *known == name);
        if is_name && behind.starts_with(['%', '(']) {
            return true;
        }
        rest = after;
    }
    false
}

const fn is_of_operator(c: char) -> bool {
    c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'
}

/// Envoy's operators.
const ENVOY: &[(&str, Slot, Unit, u8)] = &[
    ("START_TIME", Slot::Time, Unit::Auto, 0),
    ("PROTOCOL", Slot::Protocol, Unit::Auto, 0),
    ("PATH", Slot::Uri, Unit::Auto, 0),
    ("RESPONSE_CODE", Slot::Status, Unit::Auto, 0),
    ("RESPONSE_FLAGS", Slot::Aborted, Unit::Auto, 0),
    ("RESPONSE_FLAGS_LONG", Slot::Aborted, Unit::Auto, 1),
    ("BYTES_RECEIVED", Slot::RequestBytes, Unit::Auto, 0),
    ("BYTES_SENT", Slot::ResponseBytes, Unit::Auto, 0),
    ("DURATION", Slot::Duration, Unit::Millis, 0),
    ("DOWNSTREAM_REMOTE_ADDRESS", Slot::ClientIp, Unit::Auto, 0),
    ("DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", Slot::ClientIp, Unit::Auto, 0),
    ("DOWNSTREAM_DIRECT_REMOTE_ADDRESS", Slot::ClientIp, Unit::Auto, 1),
    ("DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT", Slot::ClientIp, Unit::Auto, 1),
    ("TLS_JA3_FINGERPRINT", Slot::Ja3, Unit::Auto, 0),
    ("TLS_JA4_FINGERPRINT", Slot::Ja4, Unit::Auto, 0),
    ("HOSTNAME", Slot::Edge, Unit::Auto, 0),
];

/// Envoy's operators of the headers of a request, with and without its query.
const ENVOY_HEADERS: [&str; 4] =
    ["REQ", "REQUEST_HEADER", "REQ_WITHOUT_QUERY", "REQUEST_HEADER_WITHOUT_QUERY"];

/// The headers of a request, as Envoy and `HAProxy` name them.
const HEADERS: &[(&str, Slot)] = &[
    (":method", Slot::Method),
    (":path", Slot::Uri),
    ("x-envoy-original-path", Slot::Uri),
    (":authority", Slot::Host),
    ("host", Slot::Host),
    (":scheme", Slot::Scheme),
    ("user-agent", Slot::UserAgent),
    ("referer", Slot::Referer),
    ("x-forwarded-for", Slot::ForwardedFor),
    ("x-request-id", Slot::RequestId),
];

fn header(name: &str) -> Option<Slot> {
    HEADERS.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|(_, slot)| *slot)
}

/// Splits a format string of Envoy's.
pub(super) fn envoy_tokens(format: &str) -> Result<Vec<Token>, FormatError> {
    let mut tokens = Vec::new();
    let mut rest = format;
    while let Some((literal, after)) = rest.split_once('%') {
        push_literal(&mut tokens, &literal.replace("\\n", ""));
        if let Some(tail) = after.strip_prefix('%') {
            push_literal(&mut tokens, "%");
            rest = tail;
            continue;
        }
        let broken = || FormatError::BrokenVariable(format!("%{after}"));
        let name = after.find(|c| !is_of_operator(c)).ok_or_else(broken)?;
        let (name, behind) = after.split_at(name);
        // What is in parentheses may have a `%` in it.
        let (arguments, behind) = match behind.strip_prefix('(') {
            Some(inner) => inner.split_once(')').ok_or_else(broken)?,
            None => ("", behind),
        };
        let (_, tail) = behind.split_once('%').ok_or_else(broken)?;
        tokens.push(Token::Variable(operator(name, arguments)));
        rest = tail;
    }
    push_literal(&mut tokens, &rest.replace("\\n", ""));
    Ok(tokens)
}

fn operator(name: &str, arguments: &str) -> Variable {
    if ENVOY_HEADERS.contains(&name) {
        // `X-ENVOY-ORIGINAL-PATH?:PATH`: the one, else the other.
        let slot = arguments.split('?').find_map(header);
        return slot.map_or(SKIP, |slot| Variable::new(Some(slot), Unit::Auto, 0));
    }
    let known = ENVOY.iter().find(|(known, ..)| *known == name);
    let Some((_, slot, unit, rank)) = known else { return SKIP };
    let blanks = u8::try_from(arguments.matches(' ').count()).unwrap_or(u8::MAX);
    let blanks = if *slot == Slot::Time { blanks } else { 0 };
    Variable { blanks, ..Variable::new(Some(*slot), *unit, *rank) }
}

/// `HAProxy`'s variables.
const HAPROXY: &[(&str, Slot, Unit, u8)] = &[
    ("ci", Slot::ClientIp, Unit::Auto, 0),
    ("tr", Slot::Time, Unit::Auto, 0),
    ("trg", Slot::Time, Unit::Auto, 0),
    ("trl", Slot::Time, Unit::Auto, 0),
    ("t", Slot::Time, Unit::Auto, 1),
    ("T", Slot::Time, Unit::Auto, 2),
    ("Tl", Slot::Time, Unit::Auto, 2),
    ("Ts", Slot::Time, Unit::Seconds, 3),
    ("ST", Slot::Status, Unit::Auto, 0),
    ("B", Slot::ResponseBytes, Unit::Auto, 0),
    ("U", Slot::RequestBytes, Unit::Auto, 0),
    ("r", Slot::Request, Unit::Auto, 0),
    ("HM", Slot::Method, Unit::Auto, 0),
    ("HU", Slot::Uri, Unit::Auto, 0),
    ("HP", Slot::Path, Unit::Auto, 0),
    ("HPO", Slot::Path, Unit::Auto, 1),
    ("HQ", Slot::Query, Unit::Auto, 0),
    ("HV", Slot::Protocol, Unit::Auto, 0),
    ("Ta", Slot::Duration, Unit::Millis, 0),
    ("Tt", Slot::Duration, Unit::Millis, 1),
    ("ts", Slot::Aborted, Unit::Auto, 1),
    ("tsc", Slot::Aborted, Unit::Auto, 0),
    ("ID", Slot::RequestId, Unit::Auto, 0),
    ("H", Slot::Edge, Unit::Auto, 0),
];

/// Those that feed nothing: addresses and names of servers, timers, counters.
const HAPROXY_SKIPPED: &[&str] = &[
    "hr", "hs", "hrl", "hsl", "cp", "bi", "bp", "b", "bc", "bq", "CC", "CS", "f", "fc", "fi", "fp",
    "ft", "lc", "ms", "pid", "rc", "rt", "s", "sc", "si", "sp", "sq", "sslc", "sslv", "Tc", "Td",
    "Th", "Ti", "Tq", "Tr", "TR", "Tu", "Tw", "ac", "o",
];

/// Those that have no quotes where texts have them: numbers, timers, dates, and how a session ended.
const HAPROXY_BARE: &[&str] = &[
    "cp", "bp", "fp", "sp", "ST", "B", "U", "bq", "sq", "fc", "bc", "sc", "rc", "ac", "lc", "pid",
    "rt", "ms", "t", "tr", "trg", "trl", "T", "Tl", "Ts", "Ta", "Tc", "Td", "Th", "Ti", "Tq", "Tr",
    "TR", "Tt", "Tu", "Tw", "ts", "tsc",
];

/// Times with a blank before their zone.
const HAPROXY_WITH_ZONE: [&str; 4] = ["trg", "trl", "T", "Tl"];

/// Samples that are the same as a variable.
const HAPROXY_SAMPLES: &[(&str, Slot, u8)] = &[
    ("src", Slot::ClientIp, 1),
    ("method", Slot::Method, 1),
    ("capture.req.method", Slot::Method, 1),
    ("capture.req.uri", Slot::Uri, 1),
    ("url", Slot::Uri, 1),
    ("pathq", Slot::Uri, 1),
    ("path", Slot::Path, 2),
    ("query", Slot::Query, 1),
    ("status", Slot::Status, 1),
    ("ssl_fc_sni", Slot::Host, 2),
    ("unique-id", Slot::RequestId, 1),
];

/// Splits a `log-format` of `HAProxy`'s.
pub(super) fn haproxy_tokens(format: &str) -> Result<Vec<Token>, FormatError> {
    let mut tokens = Vec::new();
    // Outside quotes a blank of the configuration is escaped.
    let plain = format.replace("\\ ", " ");
    let mut rest = &*plain;
    let mut are_all_quoted = false;
    while let Some((literal, after)) = rest.split_once('%') {
        push_literal(&mut tokens, literal);
        let broken = || FormatError::BrokenVariable(format!("%{after}"));
        if let Some(tail) = after.strip_prefix('%') {
            push_literal(&mut tokens, "%");
            rest = tail;
            continue;
        }
        let (flags, behind) = match after.strip_prefix('{') {
            Some(inner) => inner.split_once('}').ok_or_else(broken)?,
            None => ("", after),
        };
        // A name and a type, of those that are written as JSON.
        let behind = match behind.strip_prefix('(') {
            Some(inner) => inner.split_once(')').ok_or_else(broken)?.1,
            None => behind,
        };
        let (variable, name, tail) = if let Some(inner) = behind.strip_prefix('[') {
            let (sample, tail) = inner.split_once(']').ok_or_else(broken)?;
            (sample_of(sample), "", tail)
        } else {
            let end = name_end(behind).ok_or_else(broken)?;
            let (name, tail) = behind.split_at(end);
            (haproxy_variable(name), name, tail)
        };
        let is_quoted = (are_all_quoted || flags.contains("+Q"))
            && !flags.contains("-Q")
            && !HAPROXY_BARE.contains(&name);
        // Lists of headers at the end: they are not there where none is captured.
        if name == "hrl" && matches!(tail.trim_ascii(), "" | "%hsl") {
            if let Some(Token::Literal(before)) = tokens.last_mut() {
                before.truncate(before.trim_ascii_end().len());
            }
            rest = "";
            continue;
        }
        if name == "ms" && is_behind_seconds(&tokens) {
            tokens.pop();
            rest = tail;
            continue;
        }
        if name == "o" {
            are_all_quoted = is_quoted;
            // It writes nothing, nor is the blank behind it written.
            rest = tail.strip_prefix(' ').unwrap_or(tail);
            continue;
        }
        push_literal(&mut tokens, if is_quoted { "\"" } else { "" });
        let is_headers = matches!(name, "hr" | "hs") && !is_quoted && are_before_quote(tail);
        if is_headers && let Some(headers) = headers_before(&mut tokens) {
            if name == "hr" {
                (headers.guess, headers.escape) = (Guess::Captures, Escape::Hash);
            }
        } else {
            tokens.push(Token::Variable(variable));
        }
        push_literal(&mut tokens, if is_quoted { "\"" } else { "" });
        // Behind them, or behind nothing where there are none, stands one blank.
        rest = match tail.strip_prefix(' ') {
            Some(behind) if is_headers && !behind.starts_with("%hs") => behind,
            _ => tail,
        };
    }
    push_literal(&mut tokens, rest);
    Ok(tokens)
}

/// Whether the last tokens are seconds and a point, behind which `%ms` is the fraction: `%Ts.%ms` is one time.
fn is_behind_seconds(tokens: &[Token]) -> bool {
    let [.., Token::Variable(seconds), Token::Literal(point)] = tokens else { return false };
    seconds.slot == Some(Slot::Time) && seconds.unit == Unit::Seconds && point == "."
}

/// The value before captured headers, which is skipped: it takes them in. Where none are captured they are not written,
/// nor the blank before them, and with blanks of their own they end where a quote or the line does.
fn headers_before(tokens: &mut Vec<Token>) -> Option<&mut Variable> {
    if let [.., Token::Variable(before), Token::Literal(blank)] = &tokens[..]
        && blank == " "
        && before.slot.is_none()
    {
        tokens.pop();
    }
    match tokens.last_mut() {
        Some(Token::Variable(before)) if before.slot.is_none() => Some(before),
        _ => None,
    }
}

/// Whether what comes behind captured headers is in quotes: it ends them, whatever is in them.
fn are_before_quote(format: &str) -> bool {
    let behind = format.strip_prefix(" %hs").unwrap_or(format);
    behind.starts_with(" \"") || behind.starts_with(" %{+Q}")
}

/// Where the longest name that is known ends.
fn name_end(text: &str) -> Option<usize> {
    let names = HAPROXY.iter().map(|(name, ..)| *name).chain(HAPROXY_SKIPPED.iter().copied());
    names.filter(|name| text.starts_with(name)).map(str::len).max()
}

fn haproxy_variable(name: &str) -> Variable {
    match name {
        "hr" => Variable { guess: Guess::Captures, escape: Escape::Hash, ..SKIP },
        _ => HAPROXY.iter().find(|(known, ..)| *known == name).map_or(
            SKIP,
            |(_, slot, unit, rank)| Variable {
                escape: Escape::Hash,
                blanks: u8::from(HAPROXY_WITH_ZONE.contains(&name)),
                ..Variable::new(Some(*slot), *unit, *rank)
            },
        ),
    }
}

/// `src`, `req.hdr(host)`, `capture.req.hdr(0)`, with converters behind commas.
fn sample_of(sample: &str) -> Variable {
    let name = sample.split(',').next().unwrap_or(sample).trim_ascii();
    let slot = |slot, rank| Variable {
        escape: Escape::Hash,
        ..Variable::new(Some(slot), Unit::Auto, rank)
    };
    if let Some((_, slot_of, rank)) = HAPROXY_SAMPLES.iter().find(|(known, ..)| *known == name) {
        return slot(*slot_of, *rank);
    }
    let in_header = ["req.hdr(", "req.fhdr(", "hdr(", "fhdr("]
        .iter()
        .find_map(|start| name.strip_prefix(start)?.strip_suffix(')'));
    in_header.and_then(header).map_or(SKIP, |found| slot(found, 0))
}

/// Splits a `record_template` of Logpush's, of the keys in `fields`.
pub(super) fn logpush_tokens(format: &str, fields: &FieldMap) -> Result<Vec<Token>, FormatError> {
    let mut tokens = Vec::new();
    let mut rest = format;
    while let Some((literal, after)) = rest.split_once("{{") {
        push_literal(&mut tokens, literal);
        let broken = || FormatError::BrokenVariable(format!("{{{{{after}"));
        let (action, tail) = after.split_once("}}").ok_or_else(broken)?;
        let action = action.trim_ascii();
        if let Some(name) = action.strip_prefix('.') {
            tokens.push(Token::Variable(field(name, fields)));
        } else {
            let text = action.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
            push_literal(&mut tokens, text.ok_or_else(broken)?);
        }
        rest = tail;
    }
    push_literal(&mut tokens, rest);
    Ok(tokens)
}

fn field(name: &str, fields: &FieldMap) -> Variable {
    let fed = fed_by(fields, |key| key == name);
    fed.map_or(SKIP, |Fed { target, .. }| {
        Variable::new(Some(target.slot), target.unit, target.rank)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notations_are_told_apart() {
        for (format, notation) in [
            ("$remote_addr [$time_local]", Some(Notation::Nginx)),
            ("%h %l %u %t \"%r\" %>s %b", Some(Notation::Apache)),
            ("%D%I %{Host}i", Some(Notation::Apache)),
            ("%h %t \"%r\" %>s %D_%I %T_%D", Some(Notation::Apache)),
            ("[%START_TIME%] %REQ(:METHOD)%", Some(Notation::Envoy)),
            ("%ci:%cp [%tr] %ST", Some(Notation::Haproxy)),
            ("%ci [%tr] %HM %HPO%HQ %ST", Some(Notation::Haproxy)),
            ("%PROTOCOL% %REQ_WITHOUT_QUERY(:PATH)%", Some(Notation::Envoy)),
            ("{{.ClientIP}} {{.EdgeStartTimestamp}}", Some(Notation::Logpush)),
            ("combined", None),
        ] {
            assert_eq!(Notation::of(format), notation, "{format}");
        }
    }
}
