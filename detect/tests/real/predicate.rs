//! Fingerprints as SQL predicates, applied to rows: what is printed is judged, not what is meant.

use crate::traffic::Row;

/// A value, or a predicate; predicates are true, false or unknown as SQL has it.
#[derive(Debug, Clone)]
pub enum Term {
    Column(String),
    Text(String),
    Number(f64),
    Call(String, Vec<Term>),
    Compare(Box<Term>, &'static str, Box<Term>),
    In(Box<Term>, Vec<Term>),
    IsNull(Box<Term>),
    Not(Box<Term>),
    All(Vec<Term>),
    Any(Vec<Term>),
}

#[derive(Debug, Clone, PartialEq)]
enum Value {
    Null,
    Text(String),
    Number(f64),
    Truth(bool),
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Number(f64),
    Mark(&'static str),
}

const MARKS: [&str; 11] = ["<>", "!=", "<=", ">=", "=", "<", ">", "(", ")", ",", "~"];

fn tokens(sql: &str) -> Vec<Token> {
    let mut rest = sql.trim_start();
    let mut found = Vec::new();
    while let Some(first) = rest.chars().next() {
        let taken = if first == '\'' {
            let mut end = 1;
            while rest[end..].starts_with("''") || !rest[end..].starts_with('\'') {
                end += if rest[end..].starts_with("''") {
                    2
                } else {
                    rest[end..].chars().next().unwrap().len_utf8()
                };
            }
            found.push(Token::Text(rest[1..end].replace("''", "'")));
            end + 1
        } else if let Some(mark) = MARKS.iter().find(|mark| rest.starts_with(**mark)) {
            found.push(Token::Mark(mark));
            mark.len()
        } else {
            let end = rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || "_.-:".contains(c)))
                .unwrap_or(rest.len());
            assert!(end > 0, "cannot read the predicate at `{rest}`");
            let word = &rest[..end];
            found.push(word.parse().map_or_else(|_| Token::Word(word.to_owned()), Token::Number));
            end
        };
        rest = rest[taken..].trim_start();
    }
    found
}

struct Parser(std::iter::Peekable<std::vec::IntoIter<Token>>);

impl Parser {
    fn word(&mut self, word: &str) -> bool {
        let is = |token: &Token| matches!(token, Token::Word(w) if w.eq_ignore_ascii_case(word));
        self.0.next_if(is).is_some()
    }

    fn mark(&mut self, mark: &str) -> bool {
        self.0.next_if(|token| matches!(token, Token::Mark(m) if *m == mark)).is_some()
    }

    fn any(&mut self) -> Term {
        let mut parts = vec![self.all()];
        while self.word("or") {
            parts.push(self.all());
        }
        if parts.len() == 1 { parts.remove(0) } else { Term::Any(parts) }
    }

    fn all(&mut self) -> Term {
        let mut parts = vec![self.not()];
        while self.word("and") {
            parts.push(self.not());
        }
        if parts.len() == 1 { parts.remove(0) } else { Term::All(parts) }
    }

    fn not(&mut self) -> Term {
        if self.word("not") { Term::Not(Box::new(self.not())) } else { self.comparison() }
    }

    fn comparison(&mut self) -> Term {
        if self.mark("(") {
            let inner = self.any();
            assert!(self.mark(")"), "`)` is missing");
            return inner;
        }
        let left = Box::new(self.value());
        if self.word("is") {
            let not = self.word("not");
            assert!(self.word("null"), "`NULL` is missing");
            let term = Term::IsNull(left);
            return if not { Term::Not(Box::new(term)) } else { term };
        }
        let not = self.word("not");
        let term = if self.word("in") {
            assert!(self.mark("("), "`(` is missing");
            Term::In(left, self.list())
        } else if self.word("like") {
            Term::Compare(left, "like", Box::new(self.value()))
        } else if self.word("between") {
            let least = self.value();
            assert!(self.word("and"), "`AND` is missing");
            let most = self.value();
            Term::All(vec![
                Term::Compare(left.clone(), ">=", Box::new(least)),
                Term::Compare(left, "<=", Box::new(most)),
            ])
        } else if let Some(mark) = MARKS[..7].iter().find(|mark| self.mark(mark)) {
            Term::Compare(left, mark, Box::new(self.value()))
        } else if self.mark("~") {
            Term::Call("regexp_like".into(), vec![*left, self.value()])
        } else {
            *left
        };
        if not { Term::Not(Box::new(term)) } else { term }
    }

    fn list(&mut self) -> Vec<Term> {
        let mut values = Vec::new();
        while !self.mark(")") {
            values.push(self.value());
            self.mark(",");
        }
        values
    }

    fn value(&mut self) -> Term {
        match self.0.next().expect("a value") {
            Token::Text(text) => Term::Text(text),
            Token::Number(number) => Term::Number(number),
            Token::Word(word) if self.mark("(") => {
                Term::Call(word.to_ascii_lowercase(), self.list())
            }
            Token::Word(word) => Term::Column(word),
            Token::Mark(mark) => panic!("a value is wanted, not `{mark}`"),
        }
    }
}

/// Reads a predicate; panics where it is more than these tests know.
pub fn parse(sql: &str) -> Term {
    let mut parser = Parser(tokens(sql).into_iter().peekable());
    let term = parser.any();
    assert!(parser.0.next().is_none(), "more than a predicate: {sql}");
    term
}

fn column(name: &str, row: &Row) -> Value {
    let text =
        |text: &str| if text.is_empty() { Value::Null } else { Value::Text(text.to_owned()) };
    let number = |n: Option<i64>| n.map_or(Value::Null, |n| Value::Number(n as f64));
    match name {
        "client_ip" => text(&row.ip),
        "method" => text(row.method),
        "host" => text(&row.host),
        "path" => text(&row.path),
        "query" => text(row.query.as_deref().unwrap_or("")),
        "user_agent" => text(&row.agent),
        "referer" => text(row.referer.as_deref().unwrap_or("")),
        "ja4" => text(row.ja4.unwrap_or("")),
        "cache_status" => text(row.cache.unwrap_or("")),
        "client_country" => text(row.country.unwrap_or("")),
        "client_asn" => number(row.asn),
        "status" => number((row.status != 0).then_some(i64::from(row.status))),
        "response_bytes" => number(Some(row.bytes)),
        "duration_us" => number(row.duration_us),
        _ => panic!("column `{name}` is not among those these tests know"),
    }
}

/// SQL's LIKE: `%` is any text, `_` one mark, `\` takes the next as it is.
fn like(text: &[u8], pattern: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'%', rest)) => (0..=text.len()).any(|at| like(&text[at..], rest)),
        Some((b'\\', [next, rest @ ..])) => text.first() == Some(next) && like(&text[1..], rest),
        Some((mark, rest)) => {
            text.first().is_some_and(|first| *mark == b'_' || first == mark)
                && like(&text[1..], rest)
        }
    }
}

fn address(text: &str) -> Option<(u128, u32)> {
    match text.parse().ok()? {
        std::net::IpAddr::V4(ip) => Some((u128::from(u32::from(ip)), 32)),
        std::net::IpAddr::V6(ip) => Some((u128::from(ip), 128)),
    }
}

fn ip_in(ip: &str, network: &str) -> bool {
    let (base, length) = network.split_once('/').unwrap_or((network, "128"));
    let (Some((ip, bits)), Some((base, base_bits))) = (address(ip), address(base)) else {
        return false;
    };
    let shift = bits.saturating_sub(length.parse().unwrap());
    bits == base_bits && ip.checked_shr(shift) == base.checked_shr(shift)
}

fn call(name: &str, arguments: &[Term], row: &Row) -> Value {
    let values: Vec<Value> = arguments.iter().map(|term| value(term, row)).collect();
    if name == "coalesce" {
        return values.into_iter().find(|value| *value != Value::Null).unwrap_or(Value::Null);
    }
    let texts: Option<Vec<&str>> = values
        .iter()
        .map(|value| if let Value::Text(text) = value { Some(text.as_str()) } else { None })
        .collect();
    let Some(texts) = texts else {
        assert!(values.contains(&Value::Null), "`{name}` of something that is no text");
        return Value::Null;
    };
    match (name, texts.as_slice()) {
        ("starts_with", [text, part]) => Value::Truth(text.starts_with(part)),
        ("ends_with", [text, part]) => Value::Truth(text.ends_with(part)),
        ("contains", [text, part]) => Value::Truth(text.contains(part)),
        ("ip_in", [ip, networks @ ..]) => Value::Truth(networks.iter().any(|n| ip_in(ip, n))),
        ("regexp_like", [text, pattern]) => Value::Truth(super::regex::is_match(pattern, text)),
        ("lower", [text]) => Value::Text(text.to_lowercase()),
        ("length" | "char_length" | "character_length", [text]) => {
            Value::Number(text.chars().count() as f64)
        }
        _ => panic!("function `{name}` is not among those these tests know"),
    }
}

fn compare(left: &Value, operator: &str, right: &Value) -> Option<bool> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let order = match (left, right) {
        (Value::Null, _) | (_, Value::Null) => return None,
        (Value::Text(text), Value::Text(pattern)) if operator == "like" => {
            return Some(like(text.as_bytes(), pattern.as_bytes()));
        }
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Number(a), Value::Number(b)) => a.total_cmp(b),
        _ => panic!("{left:?} {operator} {right:?} compares unlike things"),
    };
    Some(match operator {
        "=" => order == Equal,
        "<>" | "!=" => order != Equal,
        "<" => order == Less,
        ">" => order == Greater,
        "<=" => order != Greater,
        _ => order != Less,
    })
}

fn value(term: &Term, row: &Row) -> Value {
    match term {
        Term::Column(name) => column(name, row),
        Term::Text(text) => Value::Text(text.clone()),
        Term::Number(number) => Value::Number(*number),
        Term::Call(name, arguments) => call(name, arguments, row),
        _ => truth(term, row).map_or(Value::Null, Value::Truth),
    }
}

fn truth(term: &Term, row: &Row) -> Option<bool> {
    match term {
        Term::Compare(left, operator, right) => {
            compare(&value(left, row), operator, &value(right, row))
        }
        Term::In(left, values) => {
            let left = value(left, row);
            if left == Value::Null {
                return None;
            }
            Some(values.iter().any(|one| value(one, row) == left))
        }
        Term::IsNull(inner) => Some(value(inner, row) == Value::Null),
        Term::Not(inner) => truth(inner, row).map(|is| !is),
        Term::All(parts) => {
            let mut unknown = false;
            for part in parts {
                match truth(part, row) {
                    Some(true) => {}
                    Some(false) => return Some(false),
                    None => unknown = true,
                }
            }
            (!unknown).then_some(true)
        }
        Term::Any(parts) => {
            let mut unknown = false;
            for part in parts {
                match truth(part, row) {
                    Some(true) => return Some(true),
                    Some(false) => {}
                    None => unknown = true,
                }
            }
            (!unknown).then_some(false)
        }
        _ => match value(term, row) {
            Value::Truth(is) => Some(is),
            Value::Null => None,
            other => panic!("{other:?} is no predicate"),
        },
    }
}

/// Whether the predicate selects the row.
pub fn selects(term: &Term, row: &Row) -> bool {
    truth(term, row) == Some(true)
}

#[test]
fn predicates_select_as_sql_does() {
    let mut row = Row::page(0.0, "2001:db8:1::7".into(), "/it's".into());
    row.status = 0;
    let is = |sql: &str| selects(&parse(sql), &row);
    assert!(is("path = '/it''s' AND method IN ('GET', 'HEAD')"));
    assert!(is("coalesce(referer, '') = '' AND status IS NULL"));
    assert!(!is("status IN (0, 499)") && !is("NOT (status = 200)") && is("NOT (path = '/')"));
    assert!(is("(client_ip = '1.2.3.4' OR ip_in(client_ip, '2001:db8:1::/64'))"));
    assert!(is("path LIKE '/it_s' and path not like '%x' and (starts_with(path, '/i'))"));
    assert!(is("response_bytes between 5000 and 6000 AND regexp_like(path, '^/[a-z]+.s$')"));
}
