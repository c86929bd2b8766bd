//! Tab completion: names of tables, columns, functions and commands.

use std::collections::BTreeSet;

use super::command;
use crate::functions;
use crate::session::Session;

/// Words of SQL that are worth completing.
const KEYWORDS: [&str; 43] = [
    "and",
    "as",
    "asc",
    "between",
    "by",
    "case",
    "cast",
    "count",
    "create",
    "cross",
    "desc",
    "describe",
    "distinct",
    "else",
    "end",
    "except",
    "exists",
    "explain",
    "filter",
    "from",
    "group",
    "having",
    "in",
    "inner",
    "intersect",
    "interval",
    "is",
    "join",
    "left",
    "like",
    "limit",
    "not",
    "null",
    "or",
    "order",
    "over",
    "partition",
    "select",
    "then",
    "union",
    "unnest",
    "when",
    "where",
];

/// Words that can be completed.
#[derive(Debug)]
pub(super) struct Words {
    /// Sorted.
    names: Vec<String>,
}

impl Words {
    /// Keywords, and every name that `session` knows.
    pub(super) fn of(session: &Session) -> Self {
        let state = session.state();
        let mut names: BTreeSet<String> = KEYWORDS.iter().map(|&word| word.to_owned()).collect();
        names.extend(session.names());
        for table in schemas::tables::ALL {
            names.extend(table.columns.iter().map(|column| column.name.to_owned()));
        }
        names.extend(state.scalar_functions().keys().map(|name| format!("{name}(")));
        names.extend(state.aggregate_functions().keys().map(|name| format!("{name}(")));
        names.extend(state.window_functions().keys().map(|name| format!("{name}(")));
        names.extend(functions::table_functions().into_iter().map(|(name, _)| format!("{name}(")));
        names.remove("count");
        Self { names: names.into_iter().collect() }
    }

    /// Where the word that ends at `end` starts, and what it could become.
    pub(super) fn candidates(&self, line: &str, end: usize) -> (usize, Vec<String>) {
        let Some(before) = line.get(..end) else { return (end, Vec::new()) };
        if before.starts_with('\\') && !before.contains(char::is_whitespace) {
            let found = command::NAMES.iter().filter(|name| name.starts_with(before));
            return (0, found.map(|&name| name.to_owned()).collect());
        }
        let start = before
            .char_indices()
            .rfind(|(_, c)| !c.is_alphanumeric() && *c != '_')
            .map_or(0, |(index, c)| index + c.len_utf8());
        let word = before.get(start..).unwrap_or_default();
        if word.is_empty() {
            return (start, Vec::new());
        }
        let lower = word.to_lowercase();
        let is_upper = word.chars().any(char::is_uppercase);
        let found = self.names.iter().filter(|name| name.starts_with(&lower)).map(|name| {
            let is_keyword = KEYWORDS.contains(&name.as_str());
            if is_upper && is_keyword { name.to_uppercase() } else { name.clone() }
        });
        (start, found.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_completed_where_they_stand() {
        let words =
            Words { names: ["entropy(", "fingerprint", "from"].map(str::to_owned).to_vec() };
        let at_end = |line: &str| words.candidates(line, line.len());
        assert_eq!(at_end("SELECT entr"), (7, vec!["entropy(".to_owned()]));
        assert_eq!(at_end("SELECT x F"), (9, vec!["fingerprint".to_owned(), "FROM".to_owned()]));
        assert_eq!(at_end("SELECT a.f").0, 9);
        assert_eq!(at_end("SELECT "), (7, vec![]));
        assert_eq!(at_end("\\ti"), (0, vec!["\\timing".to_owned()]));
        assert_eq!(at_end("SELECT 'é', fr"), (13, vec!["from".to_owned()]));
    }

    #[test]
    fn keywords_are_sorted() {
        assert!(KEYWORDS.is_sorted());
    }
}
