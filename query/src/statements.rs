//! Text to statements.

use std::borrow::Cow;

use datafusion::sql::parser::{DFParserBuilder, Statement as ParsedStatement};
use datafusion::sql::sqlparser::ast::{Cte, Query};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use crate::bounds::{self, Bounds};
use crate::error::QueryError;

/// One parsed SQL statement.
#[derive(Debug, Clone)]
pub struct Statement {
    pub(crate) parsed: ParsedStatement,
}

impl std::fmt::Display for Statement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.parsed.fmt(f)
    }
}

/// Splits `text` at `;` into statements; comments and empty statements vanish.
///
/// # Errors
/// [`QueryError::Syntax`] names the first place that is no SQL; then nothing should run. [`QueryError::Plan`] for a
/// statement that is larger than the stack of a thread that plans.
pub fn parse(text: &str) -> Result<Vec<Statement>, QueryError> {
    within(text, &bounds::OF_THE_OWNER)
}

/// The same for a text that a stranger wrote: what would take the planner too long is refused, too.
///
/// # Errors
/// Those of [`parse`].
pub fn parse_bounded(text: &str) -> Result<Vec<Statement>, QueryError> {
    within(text, &bounds::OF_STRANGERS)
}

fn within(text: &str, bounds: &Bounds) -> Result<Vec<Statement>, QueryError> {
    bounds::check_text(text, bounds)?;
    let parsed = DFParserBuilder::new(text)
        .with_dialect(&GenericDialect {})
        .build()
        .and_then(|mut parser| parser.parse_statements())
        .map_err(|error| QueryError::from_plan(&error, &[]))?;
    parsed.iter().try_for_each(|statement| bounds::check_statement(statement, bounds))?;
    Ok(parsed.into_iter().map(|parsed| Statement { parsed }).collect())
}

/// Queries that the WITH of a query names; not those of queries within.
pub(crate) fn named(query: &Query) -> impl Iterator<Item = &Cte> {
    query.with.iter().flat_map(|with| &with.cte_tables)
}

/// A statement by its words, before it is parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// As it was written.
    pub text: String,
    /// Characters of the whole text before it.
    pub at: usize,
    /// Its words, quotes included, without comments.
    pub words: Vec<String>,
}

/// Splits `text` at `;` by its words alone: it may be no SQL, and any depth of it is safe. Empty pieces vanish.
///
/// # Errors
/// [`QueryError::Syntax`] for a quote or a comment that does not end.
pub fn split(text: &str) -> Result<Vec<Piece>, QueryError> {
    let tokens = Tokenizer::new(&GenericDialect {}, text).with_unescape(false).tokenize();
    let tokens = tokens.map_err(|error| QueryError::Syntax { message: error.to_string() })?;
    let (mut pieces, mut at) = (Vec::new(), 0);
    for of_piece in tokens.split(|token| *token == Token::SemiColon) {
        let is_word = |token: &&Token| !matches!(token, Token::Whitespace(_));
        let words: Vec<String> = of_piece.iter().filter(is_word).map(ToString::to_string).collect();
        let text: String = of_piece.iter().map(ToString::to_string).collect();
        let behind = at + text.chars().count() + 1;
        if !words.is_empty() {
            pieces.push(Piece { text, at, words });
        }
        at = behind;
    }
    if let [one] = pieces.as_mut_slice() {
        // Places of mistakes are told in it.
        text.clone_into(&mut one.text);
        one.at = 0;
    }
    Ok(pieces)
}

/// `text` with its placeholders numbered: `?` is the next of `$1`, `$2`, …, unless the text has others besides.
///
/// ```
/// assert_eq!(query::statements::numbered("SELECT ?, '?', ?"), "SELECT $1, '?', $2");
/// assert_eq!(query::statements::numbered("SELECT ?, $1"), "SELECT ?, $1");
/// ```
pub fn numbered(text: &str) -> Cow<'_, str> {
    let tokens = Tokenizer::new(&GenericDialect {}, text).with_unescape(false).tokenize();
    let mut tokens = tokens.unwrap_or_default();
    let mut next = 0;
    for token in &mut tokens {
        let Token::Placeholder(name) = token else { continue };
        if name != "?" {
            return Cow::Borrowed(text);
        }
        next += 1;
        *name = format!("${next}");
    }
    if next == 0 { Cow::Borrowed(text) } else { tokens.iter().map(ToString::to_string).collect() }
}

/// Whether `text` ends with a `;` that ends a statement: not one within quotes or a comment.
pub fn is_complete(text: &str) -> bool {
    let Ok(tokens) = Tokenizer::new(&GenericDialect {}, text).tokenize() else { return false };
    tokens
        .iter()
        .rfind(|token| !matches!(token, Token::Whitespace(_)))
        .is_some_and(|token| *token == Token::SemiColon)
}

/// Whether `text` holds nothing but white space, comments and `;`.
pub fn is_blank(text: &str) -> bool {
    Tokenizer::new(&GenericDialect {}, text).tokenize().is_ok_and(|tokens| {
        tokens.iter().all(|token| matches!(token, Token::Whitespace(_) | Token::SemiColon))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_split_outside_quotes_and_comments() {
        let text = "SELECT 1; -- one; two\n/* ; */ SELECT ';';\n;\nSELECT \"a;b\"";
        let statements: Vec<String> =
            parse(text).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(statements, ["SELECT 1", "SELECT ';'", "SELECT \"a;b\""]);
        assert!(parse("-- nothing\n").unwrap().is_empty());
    }

    #[test]
    fn the_place_of_a_mistake_is_named() {
        let error = parse("SELECT 1;\nSELEC 2").unwrap_err();
        assert_eq!(
            error.to_string(),
            "syntax error: Expected: an SQL statement, found: SELEC at line 2, column 1"
        );
    }

    #[test]
    fn pieces_are_what_was_written() {
        let pieces = split("SELECT 'it''s; \"x\"' -- ;\n; ;SHOW  \"a;\";").unwrap();
        assert_eq!(pieces[1].at, 28);
        let texts: Vec<&str> = pieces.iter().map(|piece| piece.text.trim()).collect();
        assert_eq!(texts, ["SELECT 'it''s; \"x\"' -- ;", "SHOW  \"a;\""]);
        assert_eq!(pieces[1].words, ["SHOW", "\"a;\""]);
        assert_eq!(split(" SELECT 1 ; ").unwrap()[0].text, " SELECT 1 ; ");
        assert!(split(" -- \n;").unwrap().is_empty());
        assert!(split("SELECT 'x").is_err());
        assert_eq!(split(&"(".repeat(200_000)).unwrap().len(), 1);
    }

    #[test]
    fn a_statement_is_complete_at_its_semicolon() {
        for complete in ["SELECT 1;", "SELECT 1; -- done", "SELECT ';' ;\n"] {
            assert!(is_complete(complete), "{complete}");
        }
        for open in ["", "SELECT 1", "SELECT ';", "SELECT 1 -- ;", "SELECT 1 /* ;", "SELECT 'a;"] {
            assert!(!is_complete(open), "{open}");
        }
        assert!(is_blank(" ; -- x\n"));
        assert!(!is_blank("SELECT"));
    }
}
