//! What people write that the engine takes in another spelling.

mod sample;
mod similar;

use std::ops::ControlFlow;

use datafusion::sql::parser::Statement as ParsedStatement;
use datafusion::sql::sqlparser::ast::{
    self, BinaryOperator, Expr, LimitClause, ObjectNamePart, Query, TableFactor, Value,
    VisitMut as _, VisitorMut, visit_expressions_mut,
};

use crate::error::QueryError;

/// The escape character that the engine knows.
const ESCAPE: char = '\\';

/// Writes a statement in words that the engine knows: `LIKE … ESCAPE 'c'`, `SIMILAR TO`, `FETCH`, `TABLESAMPLE`, and
/// functions that are tables in whatever case.
///
/// # Errors
/// [`QueryError::Plan`] for what cannot be put into such words, and would be read past.
pub(crate) fn respell(statement: &mut ParsedStatement) -> Result<(), QueryError> {
    match statement {
        ParsedStatement::Statement(statement) => {
            let statement: &mut ast::Statement = statement;
            match statement.visit(&mut Words) {
                ControlFlow::Break(error) => Err(error),
                ControlFlow::Continue(()) => Ok(()),
            }
        }
        ParsedStatement::Explain(explain) => respell(&mut explain.statement),
        ParsedStatement::CopyTo(_)
        | ParsedStatement::CreateExternalTable(_)
        | ParsedStatement::Reset(_) => Ok(()),
    }
}

struct Words;

fn flow(done: Result<(), QueryError>) -> ControlFlow<QueryError> {
    done.map_or_else(ControlFlow::Break, ControlFlow::Continue)
}

impl VisitorMut for Words {
    type Break = QueryError;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<QueryError> {
        fetch_as_limit(query);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, of: &mut TableFactor) -> ControlFlow<QueryError> {
        if let TableFactor::Table { name, args: Some(_), .. } | TableFactor::Function { name, .. } =
            of
            && let Some(ObjectNamePart::Identifier(last)) = name.0.last_mut()
            && last.quote_style.is_none()
        {
            last.value = last.value.to_lowercase();
        }
        flow(sample::respell(of))
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<QueryError> {
        respell_escape(expr);
        flow(refuse_caret(expr).and_then(|()| similar::respell(expr)))
    }
}

/// The engine takes `a ^ b` for the bits in which two numbers differ, and most who write it mean a power.
fn refuse_caret(expr: &Expr) -> Result<(), QueryError> {
    match expr {
        Expr::BinaryOp { op: BinaryOperator::BitwiseXor, .. } => Err(QueryError::Plan {
            message: "`^` is a power to some and the bits that differ to others".to_owned(),
            hint: Some("write `power(a, b)`, or `(a | b) - (a & b)`".to_owned()),
        }),
        _ => Ok(()),
    }
}

/// `FETCH FIRST 10 ROWS ONLY` as a limit.
fn fetch_as_limit(query: &mut Query) {
    let Some(fetch) = query.fetch.take_if(|of| !of.with_ties && !of.percent) else { return };
    let rows = fetch.quantity.unwrap_or_else(|| Expr::value(Value::Number("1".into(), false)));
    match &mut query.limit_clause {
        Some(LimitClause::LimitOffset { limit: limit @ None, .. }) => *limit = Some(rows),
        Some(_) => {}
        None => {
            query.limit_clause = Some(LimitClause::LimitOffset {
                limit: Some(rows),
                offset: None,
                limit_by: Vec::new(),
            });
        }
    }
}

/// Rewrites `LIKE … ESCAPE 'c'` for an engine that knows the backslash alone.
fn respell_escape(expr: &mut Expr) {
    let (Expr::Like { pattern, escape_char, .. } | Expr::ILike { pattern, escape_char, .. }) = expr
    else {
        return;
    };
    let given = escape_char.as_ref().and_then(|of| text_of(&of.value));
    let Some(escape) = given.and_then(single).filter(|of| *of != ESCAPE) else {
        return;
    };
    if let Expr::Value(value) = pattern.as_mut()
        && let Some(text) = text_of(&value.value)
    {
        value.value = Value::SingleQuotedString(with_backslashes(text, escape));
        *escape_char = None;
    }
}

/// `2026-01-01 10:30` as a time with seconds, wherever it stands in the statement, when the engine did not understand it
/// as a time.
///
/// - returns: whether there was one.
pub(crate) fn complete_time(statement: &mut ParsedStatement, complaint: &str) -> bool {
    let Some(text) = quoted_after(complaint, "Error parsing timestamp from '") else {
        return false;
    };
    let Some(whole) = with_seconds(text) else { return false };
    let mut found = false;
    each_expression(statement, &mut |expr| {
        let value = match expr {
            Expr::Value(value) => value,
            Expr::TypedString(typed) => &mut typed.value,
            _ => return,
        };
        if text_of(&value.value) == Some(text) {
            value.value = Value::SingleQuotedString(whole.clone());
            found = true;
        }
    });
    found
}

fn each_expression(statement: &mut ParsedStatement, each: &mut dyn FnMut(&mut Expr)) {
    match statement {
        ParsedStatement::Statement(statement) => {
            let statement: &mut ast::Statement = statement;
            let _ = visit_expressions_mut(statement, |expr| {
                each(expr);
                ControlFlow::<()>::Continue(())
            });
        }
        ParsedStatement::Explain(explain) => each_expression(&mut explain.statement, each),
        ParsedStatement::CopyTo(_)
        | ParsedStatement::CreateExternalTable(_)
        | ParsedStatement::Reset(_) => {}
    }
}

fn text_of(value: &Value) -> Option<&str> {
    match value {
        Value::SingleQuotedString(text) => Some(text),
        _ => None,
    }
}

fn single(text: &str) -> Option<char> {
    let mut chars = text.chars();
    chars.next().filter(|_| chars.next().is_none())
}

/// A pattern with `escape` in one with backslashes.
pub(crate) fn with_backslashes(pattern: &str, escape: char) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c == escape {
            out.push(ESCAPE);
            out.extend(chars.next());
        } else {
            if c == ESCAPE {
                out.push(ESCAPE);
            }
            out.push(c);
        }
    }
    out
}

fn quoted_after<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    let after = text.get(text.find(before)? + before.len()..)?;
    after.get(..after.find('\'')?)
}

/// `2026-01-01 10:30`, with a zone or without, with the seconds it lacks.
pub fn with_seconds(text: &str) -> Option<String> {
    /// `2026-01-01 10:30`.
    const MINUTES: usize = 16;
    let (time, zone) = (text.get(..MINUTES)?, text.get(MINUTES..)?);
    let fits = time.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        10 => byte == b' ' || byte == b'T',
        13 => byte == b':',
        _ => byte.is_ascii_digit(),
    });
    let is_zone = zone.is_empty() || zone.trim_start().starts_with(['Z', 'z', '+', '-']);
    (fits && is_zone).then(|| format!("{time}:00{zone}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_get_their_seconds() {
        assert_eq!(with_seconds("2026-01-01 10:30").as_deref(), Some("2026-01-01 10:30:00"));
        assert_eq!(with_seconds("2026-01-01T10:30Z").as_deref(), Some("2026-01-01T10:30:00Z"));
        assert_eq!(
            with_seconds("2026-01-01 10:30+02:00").as_deref(),
            Some("2026-01-01 10:30:00+02:00")
        );
        for other in ["2026-01-01 10:30:15", "2026-01-01", "2026-01-01 1:30", "yesterday", ""] {
            assert_eq!(with_seconds(other), None, "{other}");
        }
    }

    #[test]
    fn patterns_change_their_escape() {
        assert_eq!(with_backslashes("a$_b$$c%", '$'), r"a\_b\$c%");
        assert_eq!(with_backslashes(r"a\b$", '$'), r"a\\b\");
    }
}
