//! Rules: conjunctions of simple predicates that select records, as code and as SQL.

use serde::{Deserialize, Serialize};

use crate::record::event::{Event, flag};
use crate::record::names::Names;
use crate::record::source::Source;

/// One conjunct. Lists are sorted and hold at least one value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Atom {
    /// User agent is one of these; 0 is none.
    UserAgent(Vec<u64>),
    /// JA4 is one of these.
    Ja4(Vec<u64>),
    /// Path is one of these.
    Path(Vec<u64>),
    /// Query is one of these; 0 is none.
    Query(Vec<u64>),
    /// Query begins with this key and `=`; the hash of the query that shows it.
    QueryKey(u32, u64),
    /// Method, with the hash of its text.
    Method(u16, u64),
    /// Status is one of these.
    Status(Vec<u16>),
    /// Source is one of these.
    Source(Vec<Source>),
    /// Source lies in one of these /24s or /48s.
    Prefix(Vec<Source>),
    /// Autonomous system is one of these.
    Asn(Vec<u32>),
    /// No referer.
    RefererNone,
}

impl Atom {
    /// Whether the event is selected.
    pub fn matches(&self, event: &Event) -> bool {
        match self {
            Self::UserAgent(values) => values.binary_search(&event.user_agent).is_ok(),
            Self::Ja4(values) => values.binary_search(&event.ja4).is_ok(),
            Self::Path(values) => values.binary_search(&event.path).is_ok(),
            Self::Query(values) => values.binary_search(&event.query).is_ok(),
            Self::QueryKey(key, _) => event.query_key == *key,
            Self::Method(method, _) => event.method == *method,
            Self::Status(values) => values.binary_search(&event.status).is_ok(),
            Self::Source(values) => values.binary_search(&event.source).is_ok(),
            Self::Prefix(values) => values.binary_search(&event.source.prefix()).is_ok(),
            Self::Asn(values) => values.binary_search(&event.asn).is_ok(),
            Self::RefererNone => event.has(flag::REFERER_NONE),
        }
    }

    /// Column it speaks of: two atoms of one column are not combined.
    pub const fn column(&self) -> u8 {
        match self {
            Self::UserAgent(_) => 0,
            Self::Ja4(_) => 1,
            Self::Path(_) => 2,
            Self::Query(_) | Self::QueryKey(..) => 3,
            Self::Method(..) => 4,
            Self::Status(_) => 5,
            Self::Source(_) | Self::Prefix(_) => 6,
            Self::Asn(_) => 7,
            Self::RefererNone => 8,
        }
    }

    /// Number of values chosen.
    pub const fn values(&self) -> usize {
        match self {
            Self::UserAgent(v) | Self::Ja4(v) | Self::Path(v) | Self::Query(v) => v.len(),
            Self::Status(v) => v.len(),
            Self::Source(v) | Self::Prefix(v) => v.len(),
            Self::Asn(v) => v.len(),
            Self::QueryKey(..) | Self::Method(..) | Self::RefererNone => 1,
        }
    }

    /// The hashes whose texts it shows.
    pub fn names(&self) -> Vec<u64> {
        match self {
            Self::UserAgent(values)
            | Self::Ja4(values)
            | Self::Path(values)
            | Self::Query(values) => values.clone(),
            Self::QueryKey(_, example) => vec![*example],
            Self::Method(_, text) => vec![*text],
            Self::Source(values) => values.iter().map(|source| source.0).collect(),
            Self::Status(_) | Self::Prefix(_) | Self::Asn(_) | Self::RefererNone => Vec::new(),
        }
    }

    /// SQL predicate over `requests`; `None` where a text is not known by name.
    pub fn sql(&self, names: &Names) -> Option<String> {
        Some(match self {
            Self::UserAgent(values) => texts("user_agent", values, names)?,
            Self::Ja4(values) => texts("ja4", values, names)?,
            Self::Path(values) => texts("path", values, names)?,
            Self::Query(values) => texts("query", values, names)?,
            Self::QueryKey(_, example) => {
                let key = crate::record::event::query_key(names.get(*example)?);
                format!("starts_with(query, {})", quoted(key)?)
            }
            Self::Method(_, text) => format!("method = {}", quoted(names.get(*text)?)?),
            Self::Status(values) => list("status", &numbers(values)),
            Self::Source(values) => sources(values, names)?,
            Self::Prefix(values) => {
                let parts: Option<Vec<String>> =
                    values.iter().map(|prefix| network_sql(*prefix)).collect();
                any(&parts?)
            }
            Self::Asn(values) => list("client_asn", &numbers(values)),
            Self::RefererNone => "coalesce(referer, '') = ''".to_owned(),
        })
    }
}

/// A text as an SQL literal. Control characters have no place in a predicate people copy around.
fn quoted(text: &str) -> Option<String> {
    if text.chars().any(char::is_control) {
        return None;
    }
    Some(format!("'{}'", text.replace('\'', "''")))
}

fn numbers(values: &[impl ToString]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

fn list(column: &str, values: &[String]) -> String {
    match values {
        [one] => format!("{column} = {one}"),
        _ => format!("{column} IN ({})", values.join(", ")),
    }
}

fn any(parts: &[String]) -> String {
    match parts {
        [one] => one.clone(),
        _ => format!("({})", parts.join(" OR ")),
    }
}

fn texts(column: &str, values: &[u64], names: &Names) -> Option<String> {
    let mut parts = Vec::new();
    let known: Vec<String> =
        values.iter().filter_map(|value| names.get(*value).and_then(quoted)).collect();
    if !known.is_empty() {
        parts.push(list(column, &known));
    }
    if values.contains(&0) {
        parts.push(format!("coalesce({column}, '') = ''"));
    }
    if parts.is_empty() { None } else { Some(any(&parts)) }
}

fn sources(values: &[Source], names: &Names) -> Option<String> {
    let mut parts = Vec::new();
    let (mut exact, mut prefixes) = (Vec::new(), Vec::new());
    for source in values {
        match source.as_v4() {
            Some(_) => exact.extend(source.text().and_then(|text| quoted(&text))),
            None if source.is_named() => exact.extend(names.get(source.0).and_then(quoted)),
            None => prefixes.extend(prefix_sql(*source)),
        }
    }
    if !exact.is_empty() {
        parts.push(list("client_ip", &exact));
    }
    parts.extend(prefixes);
    if parts.is_empty() { None } else { Some(any(&parts)) }
}

/// An IPv4 /24 or an IPv6 /64 as a prefix of the canonical text.
///
/// The text of an IPv6 address begins with its first four groups only where none of them is zero; with a zero
/// among them `::` may stand for it, and `ip_in` does the work.
fn prefix_sql(prefix: Source) -> Option<String> {
    if let Some(bits) = prefix.as_v4() {
        let [a, b, c, _] = bits.to_be_bytes();
        return Some(format!("starts_with(client_ip, '{a}.{b}.{c}.')"));
    }
    let groups =
        [prefix.0 >> 48, prefix.0 >> 32 & 0xffff, prefix.0 >> 16 & 0xffff, prefix.0 & 0xffff];
    if groups.contains(&0) {
        return prefix.text().map(|text| format!("ip_in(client_ip, '{text}')"));
    }
    Some(format!(
        "starts_with(client_ip, '{:x}:{:x}:{:x}:{:x}:')",
        groups[0], groups[1], groups[2], groups[3]
    ))
}

/// An IPv4 /24 or an IPv6 /48 as a prefix of the canonical text; `a:b:c:` also begins `a:b:c::1`.
fn network_sql(prefix: Source) -> Option<String> {
    if prefix.as_v4().is_some() {
        return prefix_sql(prefix);
    }
    let groups = [prefix.0 >> 48, prefix.0 >> 32 & 0xffff, prefix.0 >> 16 & 0xffff];
    if prefix.is_named() || groups.contains(&0) {
        return None;
    }
    Some(format!("starts_with(client_ip, '{:x}:{:x}:{:x}:')", groups[0], groups[1], groups[2]))
}

/// A conjunction of atoms.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its conjuncts.
    pub atoms: Vec<Atom>,
}

impl Rule {
    /// Whether the event is selected; an empty rule selects nothing.
    pub fn matches(&self, event: &Event) -> bool {
        !self.atoms.is_empty() && self.atoms.iter().all(|atom| atom.matches(event))
    }

    /// SQL predicate; conjuncts without a known text are left out.
    pub fn sql(&self, names: &Names) -> Option<String> {
        let parts: Vec<String> = self.atoms.iter().filter_map(|atom| atom.sql(names)).collect();
        if parts.is_empty() { None } else { Some(parts.join(" AND ")) }
    }
}

/// SQL of a disjunction of rules.
pub fn any_sql(rules: &[Rule], names: &Names) -> Option<String> {
    let parts: Vec<String> = rules.iter().filter_map(|rule| rule.sql(names)).collect();
    match parts.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        _ => Some(parts.iter().map(|part| format!("({part})")).collect::<Vec<_>>().join(" OR ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_from_traffic_cannot_leave_their_literal() {
        let mut names = Names::default();
        names.insert(7, "x' OR '1'='1");
        names.insert(8, "a\u{1b}[2J");
        let rule = Rule { atoms: vec![Atom::UserAgent(vec![7])] };
        assert_eq!(rule.sql(&names).unwrap(), "user_agent = 'x'' OR ''1''=''1'");
        assert_eq!(Rule { atoms: vec![Atom::UserAgent(vec![8])] }.sql(&names), None);
    }

    #[test]
    fn sources_are_addresses_and_prefixes() {
        let six = Source::v6("2001:db8:1:2::9".parse().unwrap());
        let rule = Rule { atoms: vec![Atom::Source(vec![Source::v4(0xc000_0207), six])] };
        assert_eq!(
            rule.sql(&Names::default()).unwrap(),
            "(client_ip = '192.0.2.7' OR starts_with(client_ip, '2001:db8:1:2:'))"
        );
        let zero = Atom::Source(vec![Source::v6("2001:db8::9".parse().unwrap())]);
        assert_eq!(zero.sql(&Names::default()).unwrap(), "ip_in(client_ip, '2001:db8::/64')");
    }
}
