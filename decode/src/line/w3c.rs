//! W3C extended log files: the fields are named in a `#Fields:` header, or known beforehand.
//!
//! <https://www.w3.org/TR/WD-logfile.html>; Amazon CloudFront "Standard logging reference" and "Use real-time access
//! logs"; Microsoft "W3C Extended Log File Format (IIS 6.0)".

use super::plan::{Fit, Optional, Plan};
use super::sound::is_address;
use super::variables::{FormatError, SKIP, Token, Variable};
use crate::address::is_plain_ip;
use crate::delimited::cell;
use crate::record::{Escape, Peer, Record, Slot, Unit, Value};
use crate::search;

/// Who wrote the file: they differ in units, delimiters and escapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Amazon CloudFront: tabs, seconds, `%XX` in header values.
    CloudFront,
    /// Microsoft IIS: blanks, milliseconds, `+` for a blank in header values.
    Iis,
}

/// The fields of CloudFront's standard log, version 1.
pub const CLOUDFRONT_FIELDS: &str = "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem \
    sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header \
    cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type \
    cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type \
    sc-content-type sc-content-len sc-range-start sc-range-end";

/// The fields of CloudFront's real-time log when all are selected, in their fixed order.
pub const CLOUDFRONT_REALTIME_FIELDS: &str = "timestamp c-ip time-to-first-byte sc-status sc-bytes cs-method \
    cs-protocol cs-host cs-uri-stem cs-bytes x-edge-location x-edge-request-id x-host-header time-taken \
    cs-protocol-version c-ip-version cs-user-agent cs-referer cs-cookie cs-uri-query x-edge-response-result-type \
    x-forwarded-for ssl-protocol ssl-cipher x-edge-result-type fle-encrypted-fields fle-status sc-content-type \
    sc-content-len sc-range-start sc-range-end c-port x-edge-detailed-result-type c-country cs-accept-encoding \
    cs-accept cache-behavior-path-pattern cs-headers cs-header-names cs-headers-count primary-distribution-id \
    primary-distribution-dns-name origin-fbl origin-lbl asn cmcd-encoded-bitrate cmcd-buffer-length \
    cmcd-buffer-starvation cmcd-content-id cmcd-object-duration cmcd-deadline cmcd-measured-throughput \
    cmcd-next-object-request cmcd-next-range-request cmcd-object-type cmcd-playback-rate \
    cmcd-requested-maximum-throughput cmcd-streaming-format cmcd-session-id cmcd-stream-type cmcd-startup \
    cmcd-top-bitrate cmcd-version r-host sr-reason x-edge-mqcs";

/// The fields IIS logs unless told otherwise.
pub const IIS_FIELDS: &str = "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip \
    cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken";

/// Fields that other versions of IIS log unless told otherwise: all, those before 8, 7 and 6, and those of clusters; and the
/// usual ones without a time.
pub const IIS_OTHER_FIELDS: [&str; 7] = [
    "date time s-sitename s-computername s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip \
     cs-version cs(User-Agent) cs(Cookie) cs(Referer) cs-host sc-status sc-substatus sc-win32-status sc-bytes \
     cs-bytes time-taken",
    "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status \
     sc-substatus sc-win32-status time-taken",
    "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status \
     sc-substatus sc-win32-status",
    "date time s-sitename s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) \
     sc-status sc-substatus sc-win32-status",
    "date time s-sitename s-computername s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip \
     cs(User-Agent) sc-status sc-substatus sc-win32-status",
    "date time s-computername s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) \
     cs(Referer) sc-status sc-substatus sc-win32-status time-taken",
    "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status \
     sc-substatus sc-win32-status",
];

/// Those with the commonest field that operators add, at the end.
pub const IIS_FORWARDED_FIELDS: [&str; 4] = [
    "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status \
     sc-substatus sc-win32-status time-taken x-forwarded-for",
    "date time s-sitename s-computername s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip \
     cs-version cs(User-Agent) cs(Cookie) cs(Referer) cs-host sc-status sc-substatus sc-win32-status sc-bytes \
     cs-bytes time-taken x-forwarded-for",
    "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status \
     sc-substatus sc-win32-status time-taken x-forwarded-for",
    "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status \
     sc-substatus sc-win32-status sc-bytes cs-bytes time-taken x-forwarded-for",
];

/// Before the names of fields that a header gives, and that lines without one were found to have.
const NAMED: [&str; 2] = ["#Fields:", SHOWN];

/// Before those that lines without a header were found to have.
const SHOWN: &str = "#Fields shown:";

/// The first of these fields, as many as a line has: what later lines have at least.
#[cold]
pub fn fields_shown(fields: &str, line: &str) -> String {
    let delimiter = if line.contains('\t') { b'\t' } else { b' ' };
    let found = memchr::memchr_iter(delimiter, line.trim_ascii_end().as_bytes()).count() + 1;
    let names: Vec<&str> = fields.split_ascii_whitespace().take(found).collect();
    format!("{SHOWN} {}", names.join(" "))
}

/// Whether lines that were found to have the fields of `found` may stand where those of `known` were met: under a header
/// no others do, and without one a writer that was updated has more, and none has fewer.
pub fn may_follow(known: &str, found: &str) -> bool {
    let count = |fields: &str| fields.split_ascii_whitespace().count();
    !known.starts_with("#Fields") || (known.starts_with(SHOWN) && count(found) > count(known))
}

/// Values before which a line without header must not end.
const FIELDS_MIN: usize = 12;

/// Reads lines whose fields a header names.
#[derive(Debug, Clone)]
pub struct W3cPlan {
    blanks: Plan,
    tabs: Plan,
    fields: Vec<Variable>,
    has_status: bool,
    /// No header says how many fields a line has.
    is_open: bool,
}

impl W3cPlan {
    /// A plan for the field names of a `#Fields:` header, with or without that word, blanks between them.
    ///
    /// # Errors
    /// [`FormatError`] when there is no field or none holds a time.
    pub fn new(fields: &str, dialect: Dialect) -> Result<Self, FormatError> {
        // A header says what each line has; without one an earlier version may have had fewer fields.
        let header = NAMED.iter().find_map(|before| fields.strip_prefix(before));
        let (fields, is_named) = (header.unwrap_or(fields), header.is_some());
        let fields: Vec<Variable> =
            fields.split_ascii_whitespace().map(|name| variable(name, dialect)).collect();
        // CloudFront has left out the last ones of a header. One more than those that are read: nothing read can be cut.
        let read = fields.iter().rposition(|field| field.slot.is_some()).map_or(0, |at| at + 2);
        let named = match dialect {
            Dialect::CloudFront => read.min(fields.len()),
            Dialect::Iis => fields.len(),
        };
        let plan = |delimiter: &str| {
            let mut tokens = Vec::new();
            for field in &fields {
                if !tokens.is_empty() {
                    tokens.push(Token::Literal(delimiter.to_owned()));
                }
                tokens.push(Token::Variable(*field));
            }
            let least = if is_named { named } else { FIELDS_MIN.min(fields.len()) };
            let optional = Optional::From(least);
            let mut plan = Plan::from_tokens(tokens)?.with_optional(optional);
            if let Some(last) = plan.steps.last_mut() {
                last.is_word = delimiter == " ";
            }
            Ok(plan)
        };
        let has_status = fields.iter().any(|field| field.slot == Some(Slot::Status));
        Ok(Self { blanks: plan(" ")?, tabs: plan("\t")?, fields, has_status, is_open: !is_named })
    }

    /// As [`Plan::decode`]: a line with more fields than the header is not one of it.
    #[inline]
    pub fn decode<'a>(&self, line: &'a str, record: &mut Record<'a>) -> Fit {
        let fit = match self.plan(line).decode(line, record) {
            Fit::Whole if self.has_status && !record.was_seen(Slot::Status) => {
                record.truncated = true;
                if is_sound(record) && !begins_quoted(line) { Fit::Cut } else { Fit::No }
            }
            Fit::Whole if self.is_open && !is_in_place(record) => Fit::No,
            fit @ (Fit::Whole | Fit::Cut) if is_sound(record) && !has_quotes(record) => fit,
            _ => self.decode_quoted(line, record),
        };
        tell_unit(record);
        fit
    }

    /// As [`Plan::decode_anyhow`], of a line that lost its tail: what has other fields cannot be read by these.
    pub fn decode_anyhow<'a>(&self, line: &'a str, record: &mut Record<'a>) -> Fit {
        record.clear();
        let fit = self.plan(line).decode(line, record);
        // One that is whole says nothing of a request.
        let is_cut = fit == Fit::Cut || (fit == Fit::Whole && !record.has_sure_request());
        let is_placed = is_cut && is_sound(record) && !begins_quoted(line);
        tell_unit(record);
        if is_placed { fit } else { Fit::No }
    }

    /// What stands between the fields is told by the line: some write tabs under a header with blanks.
    #[inline]
    fn plan(&self, line: &str) -> &Plan {
        let first = search::either(line.as_bytes(), b' ', b'\t');
        match first.and_then(|at| line.as_bytes().get(at)) {
            Some(b'\t') => &self.tabs,
            _ => &self.blanks,
        }
    }

    /// Fills `record` from a line with a text in quotes. Those who put texts in quotes write a quote inside twice, and the
    /// text may hold blanks; others write what clients sent as it is, without blanks. In which of the two ways the line has
    /// all fields of the header shows whose it is: where it has them in both, the fields are the same.
    #[cold]
    fn decode_quoted<'a>(&self, line: &'a str, record: &mut Record<'a>) -> Fit {
        let line = line.trim_end_matches(['\r', ' ', '\t']);
        let first = search::either(line.as_bytes(), b' ', b'\t');
        let delimiter = first.and_then(|at| line.as_bytes().get(at)).copied().unwrap_or(b' ');
        if self.read_quoted(line, delimiter, record) && is_sound(record) {
            return Fit::Whole;
        }
        record.clear();
        let values = memchr::memchr_iter(delimiter, line.as_bytes()).count() + 1;
        let is_whole = values == self.fields.len()
            && self.plan(line).decode(line, record) == Fit::Whole
            && is_sound(record);
        if is_whole { Fit::Whole } else { Fit::No }
    }

    /// Takes exactly the fields of the header, some of them in quotes; whether the line has them.
    fn read_quoted<'a>(&self, line: &'a str, delimiter: u8, record: &mut Record<'a>) -> bool {
        record.clear();
        record.is_text = true;
        let mut from = Some(0);
        for field in &self.fields {
            let Some((cell, next)) = from.and_then(|from| cell(line, from, delimiter)) else {
                return false;
            };
            if let Some(slot) = field.slot {
                let text = line.get(cell.bytes).unwrap_or_default();
                let escape = if cell.is_quoted { Escape::Doubled } else { field.escape };
                record.set(slot, Value { text, escape, unit: field.unit, rank: field.rank });
            }
            from = next;
        }
        from.is_none()
    }
}

/// Whether a text begins with a quote: then some have blanks in them, perhaps.
#[inline]
fn has_quotes(record: &Record<'_>) -> bool {
    let slots = [Slot::UserAgent, Slot::Uri, Slot::Referer];
    slots.iter().any(|slot| record.get(*slot).is_some_and(|value| value.text.starts_with('"')))
}

/// Whether any field of a line begins with a quote. Of one that lost its tail nobody can tell how many fields that is.
#[cold]
fn begins_quoted(line: &str) -> bool {
    line.contains(" \"") || line.contains("\t\"")
}

/// A time in milliseconds that has a fraction is one in seconds: Tomcat and `WebLogic` write it so.
#[inline]
fn tell_unit(record: &mut Record<'_>) {
    if let Some(value) = record.get(Slot::Duration)
        && value.unit == Unit::Millis
        && value.text.contains('.')
    {
        let value = Value { unit: Unit::Seconds, rank: 0, ..*value };
        record.set(Slot::Duration, value);
    }
}

/// Whether client, target, method and status are such: with the fields of another header they stand elsewhere.
#[inline]
fn is_sound(record: &Record<'_>) -> bool {
    let text = |slot| record.get(slot).map(|value| value.text);
    let is_client =
        |text: &str| record.peer == Peer::Plain || is_plain_ip(text) || is_address(text);
    text(Slot::ClientIp).is_none_or(is_client)
        && text(Slot::Method).is_none_or(|method| {
            !method.starts_with(|first: char| first.is_ascii_digit() || first == '/')
        })
        && text(Slot::Uri).is_none_or(|uri| !uri.starts_with(|first: char| first.is_ascii_digit()))
        && text(Slot::Date).is_none_or(|date| date.as_bytes().get(4) == Some(&b'-'))
        && text(Slot::Status).is_none_or(is_code)
}

/// Whether the fields behind those stand where they seem to: two lines that ran into each other have as many as one that says
/// more.
#[inline]
fn is_in_place(record: &Record<'_>) -> bool {
    let text = |slot| record.get(slot).map(|value| value.text.as_bytes());
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic();
    text(Slot::Protocol).is_none_or(|protocol| matches!(protocol, [b'H' | b'h', ..]))
        && text(Slot::Country)
            .is_none_or(|country| country.len() == 2 && country.iter().all(is_letter))
}

/// Whether a text is what stands for a status: of a number of more digits, or of no number, it is none.
#[inline]
fn is_code(text: &str) -> bool {
    text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What a W3C field feeds.
fn variable(name: &str, dialect: Dialect) -> Variable {
    let lower = name.to_ascii_lowercase();
    let seconds = match dialect {
        Dialect::CloudFront => Unit::Seconds,
        Dialect::Iis => Unit::Millis,
    };
    let (slot, unit, rank) = match lower.as_str() {
        "date" | "date-local" | "date-utc" => (Slot::Date, Unit::Auto, 0),
        "time" | "time-local" | "time-utc" => (Slot::Clock, Unit::Auto, 0),
        "timestamp" | "timestamp(ms)" => (Slot::Time, Unit::Auto, 0),
        "c-ip" => (Slot::ClientIp, Unit::Auto, 0),
        // The client's address, as Akamai names it.
        "cs-ip" => (Slot::ClientIp, Unit::Auto, 1),
        "x-forwarded-for" | "cs(x-forwarded-for)" => (Slot::ForwardedFor, Unit::Auto, 0),
        "cs(cf-connecting-ip)" | "cs(true-client-ip)" => (Slot::RealIp, Unit::Auto, 0),
        "cs-method" => (Slot::Method, Unit::Auto, 0),
        "cs-uri-stem" | "cs-uri" => (Slot::Uri, Unit::Auto, 0),
        // As Blue Coat names it.
        "cs-uri-path" => (Slot::Uri, Unit::Auto, 1),
        "cs-uri-query" => (Slot::Query, Unit::Auto, 0),
        "sc-status" => (Slot::Status, Unit::Auto, 0),
        "sc-bytes" => (Slot::ResponseBytes, Unit::Auto, 0),
        "bytes" => (Slot::ResponseBytes, Unit::Auto, 1),
        "cs-bytes" => (Slot::RequestBytes, Unit::Auto, 0),
        // Preferred is what [`tell_unit`] makes of it.
        "time-taken" => (Slot::Duration, seconds, 1),
        "cs(user-agent)" | "cs-user-agent" => (Slot::UserAgent, Unit::Auto, 0),
        "cs(referer)" | "cs-referer" => (Slot::Referer, Unit::Auto, 0),
        "x-host-header" => (Slot::Host, Unit::Auto, 0),
        "cs(host)" | "cs-host" => (Slot::Host, Unit::Auto, 1),
        "cs-protocol" => (Slot::Scheme, Unit::Auto, 0),
        "cs-protocol-version" | "cs-version" => (Slot::Protocol, Unit::Auto, 0),
        "x-edge-location" => (Slot::Edge, Unit::Auto, 0),
        "s-computername" => (Slot::Edge, Unit::Auto, 1),
        "x-edge-request-id" => (Slot::RequestId, Unit::Auto, 0),
        "x-edge-result-type" => (Slot::CacheStatus, Unit::Auto, 0),
        "x-edge-detailed-result-type" | "sc-win32-status" => (Slot::Aborted, Unit::Auto, 0),
        "c-country" => (Slot::Country, Unit::Auto, 0),
        "asn" => (Slot::Asn, Unit::Auto, 0),
        _ => return SKIP,
    };
    let escape = match (slot, dialect) {
        (Slot::UserAgent | Slot::Referer | Slot::ForwardedFor, Dialect::CloudFront) => {
            Escape::Percent
        }
        (Slot::UserAgent | Slot::Referer | Slot::ForwardedFor, Dialect::Iis) => Escape::Plus,
        _ => Escape::None,
    };
    Variable { escape, ..Variable::new(Some(slot), unit, rank) }
}
