//! Expected and decoded values, side by side.

use std::fmt::Write as _;

use decode::address::{canonical_host, canonical_ip};
use decode::duration::duration_us;
use decode::record::{Escape, Unit, Value};
use decode::text::plain;
use decode::time::TimeParser;
use serde_json::Value as Json;

use super::case::Case;
use super::fields::{Field, field_of};
use super::read::{Found, Row};

/// Bytes of a raw line that are shown with a difference.
const RAW_SHOWN: usize = 400;

/// How a case went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// As expected.
    Equal,
    /// Decoded, but not as expected; or decoded where a reject was expected.
    Differs,
    /// Not decoded where a row was expected.
    Missed,
}

/// A case, judged.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    /// How it went.
    pub(crate) outcome: Outcome,
    /// Expected values under names nobody knows.
    pub(crate) not_compared: usize,
    /// What differs, a line each.
    differences: Vec<String>,
}

impl Verdict {
    /// For a reader: where, what, and the line itself.
    pub(crate) fn describe(&self, case: &Case, found: &Found) -> String {
        let mut text = format!("{} {} {}", case.place, case.source, case.format);
        if let Found::Row(format, _) = found {
            write!(text, " read as {format}").unwrap_or_default();
        }
        for difference in &self.differences {
            write!(text, "\n  {difference}").unwrap_or_default();
        }
        let end = case.raw.floor_char_boundary(RAW_SHOWN);
        let (shown, rest) = case.raw.split_at(end);
        let more = if rest.is_empty() { "" } else { "…" };
        format!("{text}\n  {shown:?}{more}\n")
    }
}

/// Compares what is expected with what was found.
pub(crate) fn judge(case: &Case, found: &Found) -> Verdict {
    let verdict =
        |outcome, not_compared, differences| Verdict { outcome, not_compared, differences };
    if let Some(reason) = case.expected_reject() {
        return match found {
            Found::Row(..) => {
                verdict(Outcome::Differs, 0, vec!["expected a reject, found a row".to_owned()])
            }
            Found::Reject(given) if !given.contains(reason) => {
                let difference = format!("expected a reject for {reason:?}, found {given:?}");
                verdict(Outcome::Differs, 0, vec![difference])
            }
            Found::Reject(_) | Found::Nothing => verdict(Outcome::Equal, 0, Vec::new()),
        };
    }
    let row = match found {
        Found::Row(_, row) => row,
        Found::Reject(reason) => {
            return verdict(Outcome::Missed, 0, vec![format!("rejected: {reason}")]);
        }
        Found::Nothing => return verdict(Outcome::Missed, 0, vec!["no record in it".to_owned()]),
    };
    let (mut not_compared, mut differences) = (0, Vec::new());
    for (name, expected) in &case.expect {
        let is_about_rejects = matches!(name.as_str(), "reject" | "log_type");
        match field_of(name).and_then(|field| compare(field, expected, row)) {
            None => not_compared += usize::from(!is_about_rejects),
            Some(Compared::Equal) => {}
            Some(Compared::Other(found)) => {
                differences.push(format!("{name}: expected {expected}, found {found}"));
            }
        }
    }
    let outcome = if differences.is_empty() { Outcome::Equal } else { Outcome::Differs };
    verdict(outcome, not_compared, differences)
}

/// An expected value beside the column.
enum Compared {
    Equal,
    /// What was found instead.
    Other(String),
}

/// `None` when the value cannot be compared.
fn compare(field: Field, expected: &Json, row: &Row) -> Option<Compared> {
    let expected = match expected {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        Json::Bool(flag) => flag.to_string(),
        Json::Array(_) | Json::Object(_) => return None,
    };
    let found = found_text(field, row);
    let equal = if means_nothing(field, &expected) {
        found.is_none()
    } else {
        equals(field, &expected, found.as_deref(), row)?
    };
    Some(if equal {
        Compared::Equal
    } else {
        Compared::Other(found.map_or_else(|| "nothing".to_owned(), |text| format!("{text:?}")))
    })
}

/// The text of the column, as shown with a difference.
fn found_text(field: Field, row: &Row) -> Option<String> {
    let column = match field {
        Field::Text(column) | Field::Folded(column) | Field::Number(column) => column,
        Field::Address => "client_ip",
        Field::Host => "host",
        Field::Protocol => "protocol",
        Field::Target => return target(row),
        Field::Query => "query",
        Field::Status => "status",
        Field::Time => "ts",
        Field::Duration(_) => "duration_us",
        Field::Malformed => {
            return row.get("malformed").filter(|flag| *flag == "true").cloned();
        }
    };
    row.get(column).cloned()
}

/// Path and query together.
fn target(row: &Row) -> Option<String> {
    match (row.get("path"), row.get("query")) {
        (path, Some(query)) => Some(format!("{}?{query}", path.map_or("", String::as_str))),
        (path, None) => path.cloned(),
    }
}

/// Whether the expected value says that the column is null.
fn means_nothing(field: Field, expected: &str) -> bool {
    let zero = || expected.parse::<i64>().is_ok_and(|number| number <= 0);
    match (field, expected) {
        (_, "" | "-") | (Field::Malformed, "false") => true,
        (Field::Status, _) => zero(),
        _ => false,
    }
}

fn equals(field: Field, expected: &str, found: Option<&str>, row: &Row) -> Option<bool> {
    if field == Field::Host && is_client(expected, row) {
        return Some(true);
    }
    let Some(found) = found else { return Some(false) };
    Some(match field {
        Field::Text(_) => is_text(expected, found),
        Field::Folded(_) => expected.eq_ignore_ascii_case(found),
        Field::Address => canonical_ip(expected, &mut String::new()) == Some(found),
        Field::Host => canonical_host(expected, &mut String::new()) == Some(found),
        Field::Protocol => version(expected).eq_ignore_ascii_case(version(found)),
        Field::Target => is_target(expected, found, row),
        Field::Query => is_text(expected.strip_prefix('?').unwrap_or(expected), found),
        Field::Number(_) | Field::Status => number(expected)? == number(found)?,
        Field::Time => is_time(TimeParser::default().parse(expected, Unit::Auto)?, found),
        Field::Duration(unit) => duration_us(expected, unit)? == number(found)?,
        Field::Malformed => expected == found,
    })
}

/// Whether an address is the client's: some parsers call the client host, as Apache's `%h` does.
fn is_client(expected: &str, row: &Row) -> bool {
    let client = row.get("client_ip").map(String::as_str);
    client.is_some() && canonical_ip(expected, &mut String::new()) == client
}

/// Whether `found` is `expected`, as it stands or freed of the escapes of a log format.
fn is_text(expected: &str, found: &str) -> bool {
    let resolve = |text: &str, escape| {
        plain(&Value { text, escape, ..Value::default() }, &mut String::new()).to_owned()
    };
    expected == found
        || [Escape::Backslash, Escape::Json, Escape::Percent, Escape::Plus]
            .into_iter()
            .any(|escape| resolve(expected, escape) == found)
}

fn is_target(expected: &str, found: &str, row: &Row) -> bool {
    let part = |column: &str| row.get(column).map_or("", String::as_str);
    let url = format!("{}://{}{found}", part("scheme"), part("host"));
    let request = format!("{} {found} {}", part("method"), part("protocol"));
    let is = |text: &str| is_text(expected, text);
    is(found)
        || (!expected.contains('?') && is(part("path")))
        || expected.strip_suffix('?').is_some_and(|bare| is_text(bare, found))
        || is(&url)
        || is(request.trim_ascii_end())
}

/// `HTTP/1.1` and `1.1`.
fn version(protocol: &str) -> &str {
    protocol.rsplit('/').next().unwrap_or(protocol)
}

/// Times are equal to the microsecond, or to the second where only that is expected.
fn is_time(expected_us: i64, found: &str) -> bool {
    number(found).is_some_and(|found| {
        found == expected_us
            || (expected_us % 1_000_000 == 0
                && found.div_euclid(1_000_000) == expected_us / 1_000_000)
    })
}

/// A whole number, possibly written with a fraction of zero.
fn number(text: &str) -> Option<i64> {
    text.strip_suffix(".0").unwrap_or(text).parse().ok()
}
