//! Fingerprints as SQL predicates, applied to rows: what is printed is judged, not what is meant. As much of SQL as
//! `explain/sql.rs` writes; without `NOT`, unknown is as good as false.

use std::borrow::Cow;

use crate::traffic::Row;

/// A predicate.
#[derive(Debug, Clone)]
pub enum Term {
    Any(Vec<Self>),
    All(Vec<Self>),
    /// The column, or the text that stands for none, is one of these.
    In(String, Option<String>, Vec<String>),
    IsNull(String),
    Begins(String, String),
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// A name or a number.
    Word(String),
    Text(String),
    Mark(char),
}

fn tokens(sql: &str) -> Vec<Token> {
    let mut marks = sql.chars().peekable();
    let mut found = Vec::new();
    while let Some(mark) = marks.next() {
        let is_word = |c: &char| c.is_ascii_alphanumeric() || "_-".contains(*c);
        match mark {
            ' ' => {}
            '\'' => {
                let mut text = String::new();
                loop {
                    let mark = marks.next().expect("the end of a text");
                    if mark == '\'' && marks.next_if_eq(&'\'').is_none() {
                        break;
                    }
                    text.push(mark);
                }
                found.push(Token::Text(text));
            }
            '=' | '(' | ')' | ',' => found.push(Token::Mark(mark)),
            mark if is_word(&mark) => {
                let mut word = String::from(mark);
                while let Some(mark) = marks.next_if(is_word) {
                    word.push(mark);
                }
                found.push(Token::Word(word));
            }
            mark => panic!("cannot read the predicate at `{mark}`: {sql}"),
        }
    }
    found
}

struct Parser(std::iter::Peekable<std::vec::IntoIter<Token>>);

impl Parser {
    fn is(&mut self, token: &Token) -> bool {
        self.0.next_if_eq(token).is_some()
    }

    fn mark(&mut self, mark: char) {
        assert!(self.is(&Token::Mark(mark)), "`{mark}` is missing before {:?}", self.0.peek());
    }

    fn any(&mut self) -> Term {
        let mut parts = vec![self.all()];
        while self.is(&Token::Word("OR".into())) {
            parts.push(self.all());
        }
        Term::Any(parts)
    }

    fn all(&mut self) -> Term {
        let mut parts = vec![self.one()];
        while self.is(&Token::Word("AND".into())) {
            parts.push(self.one());
        }
        Term::All(parts)
    }

    fn one(&mut self) -> Term {
        if self.is(&Token::Mark('(')) {
            let inner = self.any();
            self.mark(')');
            return inner;
        }
        let name = self.value();
        let (column, none) = match name.as_str() {
            "starts_with" | "coalesce" => {
                self.mark('(');
                let column = self.value();
                self.mark(',');
                let text = self.value();
                self.mark(')');
                if name == "starts_with" {
                    return Term::Begins(column, text);
                }
                (column, Some(text))
            }
            _ => (name, None),
        };
        match self.0.next() {
            Some(Token::Mark('=')) => Term::In(column, none, vec![self.value()]),
            Some(Token::Word(word)) if word == "IN" => {
                self.mark('(');
                let mut values = vec![self.value()];
                while self.is(&Token::Mark(',')) {
                    values.push(self.value());
                }
                self.mark(')');
                Term::In(column, none, values)
            }
            Some(Token::Word(word)) if word == "IS" => {
                assert!(self.is(&Token::Word("NULL".into())), "`NULL` is missing");
                Term::IsNull(column)
            }
            other => panic!("{other:?} after `{column}` is not among what these tests know"),
        }
    }

    fn value(&mut self) -> String {
        match self.0.next() {
            Some(Token::Word(text) | Token::Text(text)) => text,
            other => panic!("a value is wanted, not {other:?}"),
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

fn column<'a>(name: &str, row: &'a Row) -> Option<Cow<'a, str>> {
    let text = match name {
        "client_ip" => &row.ip,
        "method" => row.method,
        "path" => &row.path,
        "query" => row.query.as_deref()?,
        "user_agent" => &row.agent,
        "referer" => row.referer.as_deref()?,
        "ja4" => row.ja4?,
        "client_country" => row.country?,
        "client_asn" => return Some(row.asn?.to_string().into()),
        "status" => return (row.status != 0).then(|| row.status.to_string().into()),
        _ => panic!("column `{name}` is not among those these tests know"),
    };
    (!text.is_empty()).then_some(text.into())
}

/// Whether the predicate selects the row.
pub fn selects(term: &Term, row: &Row) -> bool {
    match term {
        Term::Any(parts) => parts.iter().any(|part| selects(part, row)),
        Term::All(parts) => parts.iter().all(|part| selects(part, row)),
        Term::In(name, none, values) => {
            let value = column(name, row).or(none.as_deref().map(Cow::Borrowed));
            value.is_some_and(|value| values.iter().any(|one| *one == value))
        }
        Term::IsNull(name) => column(name, row).is_none(),
        Term::Begins(name, text) => column(name, row).is_some_and(|value| value.starts_with(text)),
    }
}

#[test]
fn predicates_select_as_sql_does() {
    let mut row = Row::page(0.0, "192.0.2.7".into(), "/it's".into());
    row.status = 0;
    let is = |sql: &str| selects(&parse(sql), &row);
    assert!(is("path = '/it''s' AND method IN ('GET', 'HEAD')"));
    assert!(is("coalesce(referer, '') IN ('', '-') AND status IS NULL"));
    assert!(!is("status IN (0, 499)") && is("(status = 499 OR status IS NULL)"));
    assert!(is("(path = '/') OR (starts_with(client_ip, '192.0.2.'))"));
}
