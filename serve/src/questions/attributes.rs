//! What requests have in common: the share of each value in an attack, and in what is ordinary.

use chrono::TimeDelta;
use schemas::tables::REQUESTS;

use super::incidents::condition_of;
use super::row::Row;
use super::sql;

/// Columns whose values are compared, with what they are for a person.
pub(crate) const ATTRIBUTES: [(&str, &str); 9] = [
    ("path", "Path"),
    ("method", "Method"),
    ("status", "Status"),
    ("user_agent", "User agent"),
    ("referer", "Referer"),
    ("client_country", "Country"),
    ("client_asn", "Autonomous system"),
    ("ja4", "JA4"),
    ("cache_status", "Cache"),
];

/// Values of each that are shown.
const VALUES: usize = 3;

/// How long before an attack tells what is ordinary.
const BEFORE: TimeDelta = TimeDelta::hours(1);

/// Bytes of a value that are fetched: those of a page, and one more.
const VALUE_CHARS: usize = 513;

/// The statement that compares: rows of `attribute`, `value`, `attack`, `ordinary`, `all_attack`, `all_ordinary`.
///
/// Ordinary is what the same host was asked from an hour before the attack to its end and the fingerprint does not
/// select. `None` without a fingerprint.
pub(crate) fn compared(incident: &Row) -> Option<String> {
    let selected = incident.maybe_text("fingerprint").filter(|text| !text.is_empty())?;
    condition_of(incident)?;
    let (first, last) = (incident.time("first_ts")?, incident.text("last_ts"));
    let host = incident.maybe_text("target_host");
    let host = host.map(|host| format!(" AND host = {}", sql::text(host))).unwrap_or_default();
    let names: Vec<&str> = ATTRIBUTES.iter().map(|(name, _)| *name).collect();
    let scope = format!(
        "scope AS (SELECT {}, ts >= {} AND coalesce(({selected}), false) AS hit FROM {} WHERE ts >= {} AND ts <= {}{host})",
        names.join(", "),
        sql::time(first),
        REQUESTS.name,
        sql::time(first - BEFORE),
        sql::text(last),
    );
    let whole = "whole AS (SELECT count(*) FILTER (WHERE hit) AS all_attack, \
                 count(*) FILTER (WHERE NOT hit) AS all_ordinary FROM scope)";
    let each = names.iter().map(|name| {
        format!(
            "(SELECT '{name}' AS attribute, left(CAST({name} AS VARCHAR), {VALUE_CHARS}) AS value, \
             count(*) FILTER (WHERE hit) AS attack, count(*) FILTER (WHERE NOT hit) AS ordinary FROM scope \
             WHERE {name} IS NOT NULL GROUP BY 2 ORDER BY 3 DESC, 2 LIMIT {VALUES})"
        )
    });
    let each: Vec<String> = each.collect();
    Some(format!(
        "WITH {scope}, {whole} SELECT attribute, value, attack, ordinary, all_attack, all_ordinary \
         FROM ({}) CROSS JOIN whole WHERE attack > 0 ORDER BY attribute, attack DESC, value",
        each.join(" UNION ALL ")
    ))
}
