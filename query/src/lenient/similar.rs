//! `SIMILAR TO`, which the engine takes for a regular expression that may be anywhere in the text.

use datafusion::sql::sqlparser::ast::{Expr, UnaryOperator};

use super::{single, text_of};
use crate::calls::{call_with, take, text};
use crate::error::QueryError;

/// The escape character where none is given.
const ESCAPE: char = '\\';

/// Writes `SIMILAR TO` as a match of a regular expression.
///
/// # Errors
/// [`QueryError::Plan`] for a pattern that is not written in the statement.
pub(super) fn respell(expr: &mut Expr) -> Result<(), QueryError> {
    let Expr::SimilarTo { negated, expr: of, pattern, escape_char } = expr else { return Ok(()) };
    let escape = escape_char.as_ref().map(|of| text_of(&of.value));
    let escape = match escape {
        None => Some(ESCAPE),
        Some(escape) => escape.and_then(single),
    };
    let written = match pattern.as_ref() {
        Expr::Value(value) => text_of(&value.value),
        _ => None,
    };
    let Some(pattern) = written else {
        return Err(QueryError::Plan {
            message: "SIMILAR TO takes a pattern that is written in the statement".to_owned(),
            hint: Some("`~` takes any regular expression".to_owned()),
        });
    };
    let matched = call_with("regexp_like", vec![take(of), text(regular(pattern, escape))]);
    *expr = if *negated {
        Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(matched) }
    } else {
        matched
    };
    Ok(())
}

/// A pattern as a regular expression that the whole text must match.
fn regular(pattern: &str, escape: Option<char>) -> String {
    let mut out = String::from("(?s)^(?:");
    let (mut chars, mut is_inside) = (pattern.chars(), false);
    while let Some(c) = chars.next() {
        match c {
            c if Some(c) == escape => {
                if let Some(next) = chars.next() {
                    literal(next, &mut out);
                }
            }
            '%' if !is_inside => out.push_str(".*"),
            '_' if !is_inside => out.push('.'),
            '.' | '^' | '$' | '\\' if !is_inside => literal(c, &mut out),
            c => {
                is_inside = (is_inside || c == '[') && c != ']';
                out.push(c);
            }
        }
    }
    out.push_str(")$");
    out
}

fn literal(c: char, out: &mut String) {
    if !c.is_alphanumeric() {
        out.push('\\');
    }
    out.push(c);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_of_the_whole_text() {
        for (pattern, expected) in [
            ("%(log|api)%", "(?s)^(?:.*(log|api).*)$"),
            ("a_b.c", r"(?s)^(?:a.b\.c)$"),
            (r"50\%+", r"(?s)^(?:50\%+)$"),
            ("[a-c.]{2}", "(?s)^(?:[a-c.]{2})$"),
        ] {
            assert_eq!(regular(pattern, Some(ESCAPE)), expected);
        }
        assert_eq!(regular("a!%b", Some('!')), r"(?s)^(?:a\%b)$");
    }
}
