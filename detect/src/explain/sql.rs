//! A rule as a predicate over the table `requests`.
//!
//! The text is an expression that `DataFusion`, `DuckDB` and `PostgreSQL` read alike, save `ip_in` (see `query`), which
//! stands where the texts of an IPv6 network have no beginning of their own.
//!
//! Literals hold printable characters other than the backslash, with `'` doubled. Everything else is written as
//! `chr(n)` and joined by `concat`: a control character would reach a terminal, and a backslash escapes the quote
//! behind it in some dialects (Spark, `MySQL`), where `\'` in a literal would end it in another place.
//!
//! A rule is written whole or not at all.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::explain::rule::{Atom, Conjunct, Rule};
use crate::limits::FINGERPRINT_VALUE_BYTES_MAX;
use crate::record::column::{Column, Test, Values};
use crate::record::names::Names;

/// The predicate of a disjunction of rules; `None` when one of them cannot be written, or there is none.
pub fn any(rules: &[Rule], names: &Names) -> Option<String> {
    let parts: Vec<String> = rules.iter().map(|rule| all(rule, names)).collect::<Option<_>>()?;
    match parts.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        _ => Some(parts.iter().map(|part| format!("({part})")).collect::<Vec<_>>().join(" OR ")),
    }
}

/// The predicate of a rule; `None` when one of its conjuncts cannot be written, or there is none.
pub fn all(rule: &Rule, names: &Names) -> Option<String> {
    let parts: Vec<String> = rule.atoms.iter().map(|a| atom(a, names)).collect::<Option<_>>()?;
    (!parts.is_empty()).then(|| parts.join(" AND "))
}

fn atom(atom: &Atom, names: &Names) -> Option<String> {
    conjunct(&atom.conjunct(names)?)
}

/// Bytes of the test of one value, where it can be written.
pub fn length(column: Column, test: Option<Test<'_>>) -> Option<usize> {
    conjunct(&Conjunct { column, tests: vec![test?] }).map(|text| text.len())
}

/// Column passes any of the tests: one list for those that compare, `OR` for the others.
fn conjunct(conjunct: &Conjunct<'_>) -> Option<String> {
    let column = conjunct.column.name();
    let (mut equal, mut parts) = (Vec::new(), Vec::new());
    for test in &conjunct.tests {
        match *test {
            Test::Absent => parts.push(absent(conjunct.column)),
            Test::Is(text) => equal.push(literal(text)?),
            Test::Number(number) => equal.push(number.to_string()),
            Test::Code([a, b]) => equal.push(format!("'{}{}'", char::from(a), char::from(b))),
            Test::V4(address, 32) => equal.push(format!("'{}'", Ipv4Addr::from(address))),
            Test::Begins(text) => parts.push(format!("starts_with({column}, {})", literal(text)?)),
            Test::V4(address, bits) => parts.push(v4(column, address, bits)),
            Test::V6(address, bits) => parts.push(v6(column, address, bits)),
        }
    }
    match equal.as_slice() {
        [] => {}
        [one] => parts.insert(0, format!("{column} = {one}")),
        _ => parts.insert(0, format!("{column} IN ({})", equal.join(", "))),
    }
    Some(match parts.as_slice() {
        [one] => one.clone(),
        _ => format!("({})", parts.join(" OR ")),
    })
}

/// Null, or a text that counts as none.
fn absent(column: Column) -> String {
    let name = column.name();
    match column.facts().kind {
        Values::Text { none: [one] } => format!("coalesce({name}, '{one}') = '{one}'"),
        Values::Text { none } => {
            let texts: Vec<String> = none.iter().map(|text| format!("'{text}'")).collect();
            format!("coalesce({name}, '') IN ({})", texts.join(", "))
        }
        Values::Number { .. } | Values::Code | Values::Source => format!("{name} IS NULL"),
    }
}

/// A /24 as a beginning of the canonical text, another network by `ip_in`.
fn v4(column: &str, address: u32, bits: u8) -> String {
    let [a, b, c, _] = address.to_be_bytes();
    match bits {
        24 => format!("starts_with({column}, '{a}.{b}.{c}.')"),
        _ => format!("ip_in({column}, '{}/{bits}')", Ipv4Addr::from(address)),
    }
}

/// A network of whole groups as a beginning of the canonical text: `a:b:c:` also begins `a:b:c::1`.
///
/// That holds where no group is zero; with a zero among them `::` may stand for it, and `ip_in` does the work.
fn v6(column: &str, address: u64, bits: u8) -> String {
    let groups = usize::from(bits / 16).min(4);
    let all = [address >> 48, address >> 32 & 0xffff, address >> 16 & 0xffff, address & 0xffff];
    let shown = all.get(..groups).unwrap_or(&all);
    if !bits.is_multiple_of(16) || shown.contains(&0) || shown.is_empty() {
        let address = Ipv6Addr::from(u128::from(address) << 64);
        return format!("ip_in({column}, '{address}/{bits}')");
    }
    let groups: Vec<String> = shown.iter().map(|group| format!("{group:x}")).collect();
    format!("starts_with({column}, '{}:')", groups.join(":"))
}

/// Whether a character stands for itself in a literal.
///
/// Left out are the backslash and what a terminal acts on, does not show, or shows in another place: controls,
/// directions, joiners, separators, tags.
const fn is_plain(c: char) -> bool {
    !matches!(
        c,
        '\\' | '\0'..='\x1f'
            | '\x7f'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// A text as an expression; `None` when that would be longer than [`FINGERPRINT_VALUE_BYTES_MAX`].
fn literal(text: &str) -> Option<String> {
    let mut parts = 0;
    let mut out = String::with_capacity(text.len() + 2);
    let mut rest = text;
    while !rest.is_empty() || parts == 0 {
        let end = rest.find(|c| !is_plain(c)).unwrap_or(rest.len());
        let (plain, tail) = rest.split_at(end);
        if !plain.is_empty() || rest.is_empty() {
            out.push_str(if parts > 0 { ", '" } else { "'" });
            out.push_str(&plain.replace('\'', "''"));
            out.push('\'');
            parts += 1;
        }
        let mut chars = tail.chars();
        if let Some(c) = chars.next() {
            // writing to a String cannot fail
            let comma = if parts > 0 { ", " } else { "" };
            let _ = write!(out, "{comma}chr({})", u32::from(c));
            parts += 1;
        }
        rest = chars.as_str();
        if out.len() > FINGERPRINT_VALUE_BYTES_MAX {
            return None;
        }
    }
    Some(if parts > 1 { format!("concat({out})") } else { out })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::NAME_BYTES_MAX;
    use crate::record::event::country_code;
    use crate::record::source::Source;

    fn sql(names: &Names, atoms: Vec<Atom>) -> Option<String> {
        any(&[Rule { atoms }], names)
    }

    #[test]
    fn values_from_traffic_cannot_leave_their_literal() {
        assert_eq!(literal("x' OR '1'='1").unwrap(), "'x'' OR ''1''=''1'");
        assert_eq!(literal("a\\' OR 1=1 -- ").unwrap(), "concat('a', chr(92), ''' OR 1=1 -- ')");
        assert_eq!(literal("\u{1b}[2J\u{202e}").unwrap(), "concat(chr(27), '[2J', chr(8238))");
        assert_eq!(literal("\\").unwrap(), "chr(92)");
        assert_eq!(literal("").unwrap(), "''");
        assert_eq!(literal(&"\n".repeat(1_000)), None);
    }

    #[test]
    fn a_rule_is_written_whole_or_not_at_all() {
        let mut names = Names::default();
        names.insert(7, "evil/1");
        let agent = |values| Atom::OneOf(Column::UserAgent, values);
        let path = Atom::OneOf(Column::Path, vec![8]);
        assert_eq!(sql(&names, vec![agent(vec![7])]).unwrap(), "user_agent = 'evil/1'");
        assert_eq!(sql(&names, vec![agent(vec![7]), path.clone()]), None);
        assert_eq!(sql(&names, vec![agent(vec![7, 8])]), None);
        let (known, unknown) = (Rule { atoms: vec![agent(vec![7])] }, Rule { atoms: vec![path] });
        assert_eq!(any(&[known.clone(), unknown], &names), None);
        assert_eq!(any(&[known, Rule::default()], &names), None);
        assert_eq!(any(&[], &names), None);
    }

    #[test]
    fn what_is_absent_is_written_as_it_is_stored() {
        let names = Names::default();
        let of = |column, values| sql(&names, vec![Atom::OneOf(column, values)]).unwrap();
        assert_eq!(of(Column::Status, vec![0, 499]), "(status = 499 OR status IS NULL)");
        let codes = ["BR", "VN"].map(|code| u64::from(country_code(code)));
        assert_eq!(of(Column::Country, codes.to_vec()), "client_country IN ('BR', 'VN')");
        assert_eq!(sql(&names, vec![Atom::OneOf(Column::Country, vec![0])]), None);
        assert_eq!(of(Column::Query, vec![0]), "coalesce(query, '') = ''");
        assert_eq!(of(Column::Referer, vec![0]), "coalesce(referer, '') IN ('', '-')");
    }

    #[test]
    fn sources_are_addresses_and_beginnings() {
        let names = Names::default();
        let six = |text: &str| Source::v6(text.parse().unwrap()).unwrap();
        let list = Atom::Source(vec![Source::v4(0xc000_0207), six("2001:db8:1:2::9")]);
        assert_eq!(
            sql(&names, vec![list]).unwrap(),
            "(client_ip = '192.0.2.7' OR starts_with(client_ip, '2001:db8:1:2:'))"
        );
        let zero = Atom::Source(vec![six("2001:db8::9")]);
        assert_eq!(sql(&names, vec![zero]).unwrap(), "ip_in(client_ip, '2001:db8::/64')");
        let nets = Atom::Prefix(vec![Source::v4(0xc000_0200), six("2001:db8::").prefix()]);
        assert_eq!(
            sql(&names, vec![nets]).unwrap(),
            "(starts_with(client_ip, '192.0.2.') OR ip_in(client_ip, '2001:db8::/48'))"
        );
    }

    #[test]
    fn a_long_text_is_written_as_a_beginning() {
        let mut names = Names::default();
        names.insert(7, &"x".repeat(5_000));
        let text = sql(&names, vec![Atom::OneOf(Column::Path, vec![7])]).unwrap();
        assert!(text.starts_with("starts_with(path, 'xxx") && text.len() < 1_100);
    }

    #[test]
    fn a_text_that_grows_too_long_in_writing_is_not_written_and_hides_no_other() {
        let written = |n: usize| literal(&"\n".repeat(n));
        let fits = (1..1_000).take_while(|n| written(*n).is_some()).count();
        let longest = written(fits).unwrap();
        let room = FINGERPRINT_VALUE_BYTES_MAX - 9..=FINGERPRINT_VALUE_BYTES_MAX + 8;
        assert!(room.contains(&longest.len()), "{fits}: {} bytes", longest.len());
        assert_eq!(written(fits + 1), None);
        assert!(literal(&"'".repeat(NAME_BYTES_MAX)).is_some(), "quotes are doubled");
        let mut names = Names::default();
        names.insert(7, &"\n".repeat(1_000));
        names.insert(8, "evil/1");
        let agent = |value| Atom::OneOf(Column::UserAgent, vec![value]);
        assert_eq!(sql(&names, vec![agent(7)]), None);
        assert_eq!(sql(&names, vec![agent(8)]).unwrap(), "user_agent = 'evil/1'");
    }
}
