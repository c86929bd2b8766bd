//! W3C extended log files: the fields are named in a `#Fields:` header, or known beforehand.
//!
//! <https://www.w3.org/TR/WD-logfile.html>; Amazon CloudFront "Standard logging reference" and "Use real-time access
//! logs"; Microsoft "W3C Extended Log File Format (IIS 6.0)".

use super::plan::{Optional, Plan};
use super::variables::{FormatError, SKIP, Token, Variable};
use crate::record::{Escape, Slot, Unit};

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
    cs-accept cache-behavior-path-pattern cs-headers cs-header-names cs-headers-count";

/// The fields IIS logs unless told otherwise.
pub const IIS_FIELDS: &str = "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip \
    cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken";

/// Fields that other versions of IIS log unless told otherwise: all, those before 8, 7 and 6, and those of clusters.
pub const IIS_OTHER_FIELDS: [&str; 6] = [
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
];

/// Values before which a line without header must not end.
const FIELDS_MIN: usize = 12;

impl Plan {
    /// A plan for the field names of a `#Fields:` header, with or without that word, blanks between them.
    ///
    /// # Errors
    /// [`FormatError`] when there is no field or none holds a time.
    pub fn w3c(fields: &str, dialect: Dialect) -> Result<Self, FormatError> {
        let fields = fields.strip_prefix("#Fields:").unwrap_or(fields);
        let delimiter = match dialect {
            Dialect::CloudFront => "\t",
            Dialect::Iis => " ",
        };
        let mut tokens = Vec::new();
        for name in fields.split_ascii_whitespace() {
            if !tokens.is_empty() {
                tokens.push(Token::Literal(delimiter.to_owned()));
            }
            tokens.push(Token::Variable(variable(name, dialect)));
        }
        let optional = Optional::From(FIELDS_MIN.min(tokens.len()));
        Ok(Self::from_tokens(tokens)?.with_optional(optional))
    }
}

/// What a W3C field feeds.
fn variable(name: &str, dialect: Dialect) -> Variable {
    let lower = name.to_ascii_lowercase();
    let seconds = match dialect {
        Dialect::CloudFront => Unit::Seconds,
        Dialect::Iis => Unit::Millis,
    };
    let (slot, unit, rank) = match lower.as_str() {
        "date" => (Slot::Date, Unit::Auto, 0),
        "time" => (Slot::Clock, Unit::Auto, 0),
        "timestamp" | "timestamp(ms)" => (Slot::Time, Unit::Auto, 0),
        "c-ip" => (Slot::ClientIp, Unit::Auto, 0),
        "x-forwarded-for" | "cs(x-forwarded-for)" => (Slot::ForwardedFor, Unit::Auto, 0),
        "cs(cf-connecting-ip)" | "cs(true-client-ip)" => (Slot::RealIp, Unit::Auto, 0),
        "cs-method" => (Slot::Method, Unit::Auto, 0),
        "cs-uri-stem" | "cs-uri" => (Slot::Uri, Unit::Auto, 0),
        "cs-uri-query" => (Slot::Query, Unit::Auto, 0),
        "sc-status" => (Slot::Status, Unit::Auto, 0),
        "sc-bytes" => (Slot::ResponseBytes, Unit::Auto, 0),
        "cs-bytes" => (Slot::RequestBytes, Unit::Auto, 0),
        "time-taken" => (Slot::Duration, seconds, 0),
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
