//! The variables of nginx's `log_format` and the directives of Apache's `LogFormat`, and the slots they feed.

use crate::record::{Escape, Slot, Unit};

/// A format string that cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Neither `$` nor `%` in it.
    #[error(
        "a log format string needs variables such as `$remote_addr` or `%h`; for a format by name see `--help`"
    )]
    NoVariables,
    /// A variable or directive without a name or an end.
    #[error("broken variable at `{0}` of the log format string")]
    BrokenVariable(String),
    /// Two variables touch, so that nobody can tell where the first ends.
    #[error(
        "no text between variable {0} and the next one of the log format string: put a blank there"
    )]
    Touching(usize),
    /// None of the variables holds a time.
    #[error("it has no time, such as `$time_local`, `%t` or, among W3C fields, `timestamp`")]
    NoTime,
}

/// What a variable feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Where the value goes; `None` skips it.
    pub slot: Option<Slot>,
    /// Unit of a duration or numeric time.
    pub unit: Unit,
    /// Preference among variables that feed one slot; the lowest wins.
    pub rank: u8,
    /// How its text is escaped where no quotes are around it.
    pub escape: Escape,
    /// What may be told of it by its shape.
    pub guess: Guess,
    /// Blanks in it: a time may have some.
    pub blanks: u8,
    /// It belongs to the time before it: a fraction, a zone.
    pub is_part_of_time: bool,
    /// Blanks may stand before it, to fill a column.
    pub is_padded: bool,
}

/// A value whose meaning is told by its shape.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Guess {
    /// None of these.
    #[default]
    Nothing,
    /// Headers that `HAProxy` captured.
    Captures,
    /// The remote log name, `%l`; lighttpd writes the host there.
    HostForName,
    /// Nothing: a list with commas or colons and blanks in it, as nginx writes of the servers it asked.
    List,
    /// A host with the target behind it.
    HostAndTarget,
    /// Something of no interest with the target behind it.
    Target,
    /// Nothing; but the edge's id of the request in it shows that bars in texts of a client moved the fields before it from
    /// their places.
    NoId,
    /// Nothing; but a blank in it shows that those in a text of a client moved it from its place.
    Word,
    /// A version of TLS.
    Tls,
    /// A suite of ciphers of TLS.
    Cipher,
    /// Squid's result: the outcome of the cache, and whether the client stayed.
    SquidResult,
}

impl Variable {
    /// A variable without escapes.
    pub const fn new(slot: Option<Slot>, unit: Unit, rank: u8) -> Self {
        let guess = Guess::Nothing;
        let (escape, blanks, is_part_of_time) = (Escape::None, 0, false);
        Self { slot, unit, rank, escape, guess, blanks, is_part_of_time, is_padded: false }
    }
}

/// A piece of a format string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// Text that stands in every line.
    Literal(String),
    /// A value.
    Variable(Variable),
}

/// Slots of nginx's variables. A rank above zero yields to the variable that is surer of the same thing.
const NGINX: &[(&str, Slot, Unit, u8)] = &[
    ("time_local", Slot::Time, Unit::Auto, 2),
    ("time_iso8601", Slot::Time, Unit::Auto, 1),
    ("msec", Slot::Time, Unit::Seconds, 0),
    // A balancer that speaks the PROXY protocol is the peer: its word is in front of the request, not in a header.
    ("proxy_protocol_addr", Slot::ClientIp, Unit::Auto, 0),
    ("remote_addr", Slot::ClientIp, Unit::Auto, 1),
    ("binary_remote_addr", Slot::ClientIp, Unit::Auto, 2),
    ("realip_remote_addr", Slot::ClientIp, Unit::Auto, 3),
    ("http_x_forwarded_for", Slot::ForwardedFor, Unit::Auto, 0),
    ("proxy_add_x_forwarded_for", Slot::ForwardedFor, Unit::Auto, 1),
    ("http_forwarded", Slot::ForwardedFor, Unit::Auto, 2),
    ("http_cf_connecting_ip", Slot::RealIp, Unit::Auto, 0),
    ("http_true_client_ip", Slot::RealIp, Unit::Auto, 0),
    ("http_x_real_ip", Slot::RealIp, Unit::Auto, 1),
    ("request", Slot::Request, Unit::Auto, 0),
    ("request_method", Slot::Method, Unit::Auto, 0),
    ("request_uri", Slot::Uri, Unit::Auto, 0),
    ("uri", Slot::Path, Unit::Auto, 0),
    ("document_uri", Slot::Path, Unit::Auto, 1),
    ("args", Slot::Query, Unit::Auto, 0),
    // The question mark of the query behind it.
    ("is_args", Slot::Query, Unit::Auto, 1),
    ("query_string", Slot::Query, Unit::Auto, 0),
    ("server_protocol", Slot::Protocol, Unit::Auto, 0),
    ("scheme", Slot::Scheme, Unit::Auto, 0),
    ("host", Slot::Host, Unit::Auto, 0),
    ("http_host", Slot::Host, Unit::Auto, 1),
    ("server_name", Slot::Host, Unit::Auto, 2),
    ("status", Slot::Status, Unit::Auto, 0),
    ("request_length", Slot::RequestBytes, Unit::Auto, 0),
    ("bytes_sent", Slot::ResponseBytes, Unit::Auto, 0),
    ("body_bytes_sent", Slot::ResponseBytes, Unit::Auto, 1),
    ("request_time", Slot::Duration, Unit::Seconds, 0),
    ("http_user_agent", Slot::UserAgent, Unit::Auto, 0),
    ("http_referer", Slot::Referer, Unit::Auto, 0),
    ("upstream_cache_status", Slot::CacheStatus, Unit::Auto, 0),
    ("request_id", Slot::RequestId, Unit::Auto, 0),
    ("req_id", Slot::RequestId, Unit::Auto, 1),
    ("http_x_request_id", Slot::RequestId, Unit::Auto, 2),
    ("request_completion", Slot::Aborted, Unit::Auto, 0),
    ("hostname", Slot::Edge, Unit::Auto, 0),
    // Amazon API Gateway, "Variables for access logging".
    ("context.identity.sourceIp", Slot::ClientIp, Unit::Auto, 0),
    ("context.requestTimeEpoch", Slot::Time, Unit::Millis, 0),
    ("context.requestTime", Slot::Time, Unit::Auto, 1),
    ("context.httpMethod", Slot::Method, Unit::Auto, 0),
    ("context.path", Slot::Uri, Unit::Auto, 0),
    ("context.resourcePath", Slot::Uri, Unit::Auto, 1),
    ("context.protocol", Slot::Protocol, Unit::Auto, 0),
    ("context.status", Slot::Status, Unit::Auto, 0),
    ("context.responseLength", Slot::ResponseBytes, Unit::Auto, 0),
    ("context.responseLatency", Slot::Duration, Unit::Millis, 0),
    ("context.domainName", Slot::Host, Unit::Auto, 0),
    ("context.identity.userAgent", Slot::UserAgent, Unit::Auto, 0),
    ("context.requestId", Slot::RequestId, Unit::Auto, 0),
    ("context.extendedRequestId", Slot::RequestId, Unit::Auto, 1),
    ("geoip_country_code", Slot::Country, Unit::Auto, 0),
    ("geoip2_data_country_code", Slot::Country, Unit::Auto, 0),
    ("geoip2_data_country_iso_code", Slot::Country, Unit::Auto, 0),
    ("http_ssl_ja3", Slot::Ja3, Unit::Auto, 1),
    ("http_ssl_ja3_hash", Slot::Ja3, Unit::Auto, 0),
    ("ssl_ja4", Slot::Ja4, Unit::Auto, 0),
];

/// Splits an nginx `log_format`. Besides nginx's variables it knows the slots by name, as `$slot:client_ip`, and
/// `$slot:duration.ms` with a unit: the notation of the built-in formats.
pub fn nginx_tokens(format: &str) -> Result<Vec<Token>, FormatError> {
    let mut tokens = Vec::new();
    let mut rest = format;
    while let Some((literal, after)) = rest.split_once('$') {
        push_literal(&mut tokens, literal);
        // API Gateway's variables are paths.
        let is_path = after.starts_with("context.") || after.starts_with("{context.");
        let is_name =
            |c: char| c.is_ascii_alphanumeric() || c == '_' || is_path && matches!(c, '.' | '-');
        let (name, tail) = if let Some(braced) = after.strip_prefix('{') {
            braced
                .split_once('}')
                .ok_or_else(|| FormatError::BrokenVariable(format!("${after}")))?
        } else {
            let prefix = if after.starts_with("slot:") { 5 } else { 0 };
            let name = after.get(prefix..).unwrap_or_default();
            let end = name.find(|c| !is_name(c)).unwrap_or(name.len());
            after.split_at(prefix + end)
        };
        if name.is_empty() {
            return Err(FormatError::BrokenVariable(format!("${after}")));
        }
        tokens.push(Token::Variable(nginx_variable(name)));
        rest = tail;
    }
    push_literal(&mut tokens, rest);
    Ok(tokens)
}

fn nginx_variable(name: &str) -> Variable {
    if let Some(slot) = name.strip_prefix("slot:") {
        return own_variable(slot);
    }
    // Of these nginx writes a value for each server that it asked.
    let is_list = name.starts_with("upstream_") && name != "upstream_cache_status";
    if is_list {
        return Variable { guess: Guess::List, ..SKIP };
    }
    // `Wednesday, 01-May-2024 12:00:00 UTC`, unless `config timefmt` says otherwise.
    if matches!(name, "date_local" | "date_gmt") {
        return Variable { blanks: 3, ..Variable::new(Some(Slot::Time), Unit::Auto, 3) };
    }
    let known = NGINX.iter().find(|(known, ..)| *known == name);
    known.map_or(SKIP, |(_, slot, unit, rank)| Variable::new(Some(*slot), *unit, *rank))
}

/// `duration_ms`, `client_ip`, `captures`, `_`; with `_padded` behind it blanks may stand before the value.
fn own_variable(name: &str) -> Variable {
    if let Some(name) = name.strip_suffix("_padded") {
        return Variable { is_padded: true, ..own_variable(name) };
    }
    let (base, unit) = match name.rsplit_once('_') {
        Some((base @ ("duration" | "ts"), unit)) => (
            base,
            match unit {
                "s" => Unit::Seconds,
                "ms" => Unit::Millis,
                "us" => Unit::Micros,
                "ns" => Unit::Nanos,
                _ => Unit::Auto,
            },
        ),
        _ => (name, Unit::Auto),
    };
    match name {
        "captures" => Variable { guess: Guess::Captures, escape: Escape::Hash, ..SKIP },
        "squid_result" => Variable { guess: Guess::SquidResult, ..SKIP },
        "list" => Variable { guess: Guess::List, ..SKIP },
        "no_id" => Variable { guess: Guess::NoId, ..SKIP },
        "word" => Variable { guess: Guess::Word, ..SKIP },
        "haproxy_request" => {
            Variable { escape: Escape::Hash, ..Variable::new(Some(Slot::Request), unit, 0) }
        }
        _ => Variable::new(Slot::named(base), unit, 0),
    }
}

pub(super) const SKIP: Variable = Variable::new(None, Unit::Auto, 0);

/// Splits an Apache `LogFormat`; `\"` stands for a quote, as in `httpd.conf`.
pub fn apache_tokens(format: &str) -> Result<Vec<Token>, FormatError> {
    let format = format.replace("\\\"", "\"").replace("\\t", "\t");
    let mut tokens = Vec::new();
    let mut rest = format.as_str();
    while let Some((literal, after)) = rest.split_once('%') {
        push_literal(&mut tokens, literal);
        let broken = || FormatError::BrokenVariable(format!("%{after}"));
        if let Some(tail) = after.strip_prefix('%') {
            push_literal(&mut tokens, "%");
            rest = tail;
            continue;
        }
        // Conditions on the status (`!200,304`) and the choice of the request (`<`, `>`) change no notation.
        let directive =
            after.trim_start_matches(|c: char| c.is_ascii_digit() || "!,<>".contains(c));
        // Of two the last request's counts, which was answered.
        let is_last = after.strip_suffix(directive).is_some_and(|choice| choice.contains('>'));
        let (argument, letter) = match directive.strip_prefix('{') {
            Some(braced) => braced.split_once('}').ok_or_else(broken)?,
            None => ("", directive),
        };
        let mut characters = letter.chars();
        let mut name = characters.next().ok_or_else(broken)?;
        if name == '^' {
            // `%^ti` and `%^to`: trailers.
            characters.nth(1);
            name = '^';
        }
        rest = characters.as_str();
        if name == 't' && argument.is_empty() {
            push_literal(&mut tokens, "[");
            tokens.push(Token::Variable(apache_variable(name, argument)));
            push_literal(&mut tokens, "]");
        } else {
            let variable = apache_variable(name, argument);
            let rank = variable.rank + u8::from(name == 's' && !is_last);
            tokens.push(Token::Variable(Variable { rank, ..variable }));
        }
    }
    push_literal(&mut tokens, rest);
    Ok(tokens)
}

fn apache_variable(name: char, argument: &str) -> Variable {
    let header = argument.to_ascii_lowercase();
    let (slot, unit, rank) = match (name, header.as_str()) {
        ('a', "c") => (Slot::ClientIp, Unit::Auto, 3),
        ('a', _) => (Slot::ClientIp, Unit::Auto, 0),
        ('h', _) => (Slot::ClientIp, Unit::Auto, 1),
        ('i', "x-forwarded-for") => (Slot::ForwardedFor, Unit::Auto, 0),
        ('i', "forwarded") => (Slot::ForwardedFor, Unit::Auto, 2),
        ('i', "cf-connecting-ip" | "true-client-ip") => (Slot::RealIp, Unit::Auto, 0),
        ('i', "x-real-ip") => (Slot::RealIp, Unit::Auto, 1),
        ('t', "msec" | "begin:msec" | "end:msec") => (Slot::Time, Unit::Millis, 0),
        ('t', "usec" | "begin:usec" | "end:usec") => (Slot::Time, Unit::Micros, 0),
        ('t', _) => return apache_time(argument),
        ('r', _) => (Slot::Request, Unit::Auto, 0),
        ('l', _) => return Variable { guess: Guess::HostForName, ..SKIP },
        ('x', "ssl_protocol") => return Variable { guess: Guess::Tls, ..SKIP },
        ('x', "ssl_cipher") => return Variable { guess: Guess::Cipher, ..SKIP },
        ('m', _) => (Slot::Method, Unit::Auto, 0),
        ('U', _) => (Slot::Path, Unit::Auto, 0),
        ('q', _) => (Slot::Query, Unit::Auto, 0),
        ('H', _) => (Slot::Protocol, Unit::Auto, 0),
        ('i', "host") => (Slot::Host, Unit::Auto, 0),
        ('V', _) => (Slot::Host, Unit::Auto, 1),
        ('v', _) => (Slot::Host, Unit::Auto, 2),
        ('s', _) => (Slot::Status, Unit::Auto, 0),
        ('O', _) => (Slot::ResponseBytes, Unit::Auto, 0),
        ('b' | 'B', _) => (Slot::ResponseBytes, Unit::Auto, 1),
        ('I', _) => (Slot::RequestBytes, Unit::Auto, 0),
        ('D', _) | ('T', "us") => (Slot::Duration, Unit::Micros, 0),
        ('T', "ms") => (Slot::Duration, Unit::Millis, 0),
        ('T', _) => (Slot::Duration, Unit::Seconds, 1),
        ('i', "user-agent") => (Slot::UserAgent, Unit::Auto, 0),
        ('i', "referer") => (Slot::Referer, Unit::Auto, 0),
        ('X', _) => (Slot::Aborted, Unit::Auto, 0),
        ('L', _) => (Slot::RequestId, Unit::Auto, 1),
        // `varnishncsa`: whether it hit, and how it went about it.
        ('x', "varnish:handling") => (Slot::CacheStatus, Unit::Auto, 0),
        ('x', "varnish:hitmiss") => (Slot::CacheStatus, Unit::Auto, 1),
        ('e', "unique_id") | ('i', "x-request-id") => (Slot::RequestId, Unit::Auto, 0),
        _ => return SKIP,
    };
    Variable::new(Some(slot), unit, rank)
}

/// `%{FORMAT}t`, FORMAT that of `strftime`, perhaps `begin:` or `end:` before it, or a part of the time.
fn apache_time(format: &str) -> Variable {
    let format = format.strip_prefix("begin:").or(format.strip_prefix("end:")).unwrap_or(format);
    // What lacks the day or the time of day is a part of a time that several variables write.
    let has = |conversions: &[&str]| conversions.iter().any(|one| format.contains(one));
    let has_day = has(&["%c", "%d", "%D", "%e", "%F", "%j", "%s", "%x", "%+"]);
    let has_clock = has(&["%c", "%s", "%H", "%I", "%k", "%l", "%r", "%R", "%T", "%X", "%+"]);
    let is_whole = matches!(format, "" | "sec") || has_day && has_clock;
    let is_part = !is_whole;
    // Of the conversions two write a blank between their parts.
    let inner = format.matches("%c").count() * 4 + format.matches("%r").count();
    let blanks = u8::try_from(format.matches(' ').count() + inner).unwrap_or(u8::MAX);
    let time = Variable::new(Some(Slot::Time), order_of(format), 1);
    Variable { blanks, is_part_of_time: is_part, ..time }
}

/// Which of day and month a format of `strftime` has first in a date of three numbers, where both could be the first of such
/// a date.
fn order_of(format: &str) -> Unit {
    let either = |one: &str, other: &str| format.find(one).or_else(|| format.find(other));
    let (day, month, year) = (either("%d", "%e"), format.find("%m"), either("%y", "%Y"));
    match (day, month, year) {
        _ if format.contains("%D") => Unit::MonthFirst,
        (Some(day), Some(month), Some(year)) if day < month && month < year => Unit::DayFirst,
        (Some(day), Some(month), Some(year)) if month < day && day < year => Unit::MonthFirst,
        _ => Unit::Auto,
    }
}

pub(super) fn push_literal(tokens: &mut Vec<Token>, text: &str) {
    if text.is_empty() {
        return;
    }
    if let Some(Token::Literal(last)) = tokens.last_mut() {
        last.push_str(text);
    } else {
        tokens.push(Token::Literal(text.to_owned()));
    }
}
