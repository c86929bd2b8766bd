//! A selection of requests: what somebody who explores has chosen so far. All of it is in the address.
//!
//! The grammar is part of the interface, for bookmarks: `is=column:value`, `not=column:value`, `null=column`,
//! `some=column`, each any number of times; `by=column`; `from`, `to`.

use chrono::DateTime;
use schemas::tables::REQUESTS;
use schemas::{Column, ColumnType};

use super::sql::{self, Conditions};
use super::windows::{Span, binned};

/// Values of the column that are listed.
pub(crate) const VALUES: usize = 20;

/// Rows that are listed.
pub(crate) const ROWS: usize = 20;

/// Columns that are compared with the time before.
const COMPARED: [&str; 8] =
    ["host", "path", "method", "status", "user_agent", "client_asn", "client_country", "ja4"];

/// Values of each that are compared.
const COMPARED_VALUES: usize = 50;

/// Values that grew and are listed.
const GROWN: usize = 15;

/// One choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    /// The column.
    pub(crate) column: &'static str,
    /// What of it.
    pub(crate) what: What,
}

/// What a choice says of its column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// It has this value.
    Is(String),
    /// It has another, or none.
    Not(String),
    /// It has none.
    Null,
    /// It has one.
    Some,
}

/// A column that can be chosen by.
pub(crate) fn column(name: &str) -> Option<&'static Column> {
    REQUESTS.columns.iter().find(|column| column.name == name)
}

impl Choice {
    /// A choice from a part of an address; `None` for one that has another meaning.
    pub(crate) fn parse(key: &str, text: &str) -> Option<Result<Self, String>> {
        if !matches!(key, "is" | "not" | "null" | "some") {
            return None;
        }
        let (name, value) = match key {
            "is" | "not" => text.split_once(':').unwrap_or((text, "")),
            _ => (text, ""),
        };
        let Some(column) = column(name) else {
            return Some(Err(format!(
                "`requests` has no column `{}`",
                schemas::text::escape(name)
            )));
        };
        let what = match key {
            "is" => What::Is(value.to_owned()),
            "not" => What::Not(value.to_owned()),
            "null" => What::Null,
            _ => What::Some,
        };
        Some(Ok(Self { column: column.name, what }))
    }

    /// The part of an address.
    pub(crate) fn pair(&self) -> (&'static str, String) {
        match &self.what {
            What::Is(value) => ("is", format!("{}:{value}", self.column)),
            What::Not(value) => ("not", format!("{}:{value}", self.column)),
            What::Null => ("null", self.column.to_owned()),
            What::Some => ("some", self.column.to_owned()),
        }
    }

    /// In words.
    pub(crate) fn says(&self) -> String {
        match &self.what {
            What::Is(value) => format!("{} is {value}", self.column),
            What::Not(value) => format!("{} is not {value}", self.column),
            What::Null => format!("{} has no value", self.column),
            What::Some => format!("{} has a value", self.column),
        }
    }

    fn condition(&self) -> String {
        let column = self.column;
        match &self.what {
            What::Is(value) => format!("{column} = {}", literal(column, value)),
            What::Not(value) => format!("{column} IS DISTINCT FROM {}", literal(column, value)),
            What::Null => format!("{column} IS NULL"),
            What::Some => format!("{column} IS NOT NULL"),
        }
    }
}

/// A value as a literal of the type of its column, where it is one.
fn literal(name: &str, value: &str) -> String {
    let of = column(name).map(|column| column.data_type);
    let is_literal = match of {
        Some(ColumnType::Int | ColumnType::Long) => value.parse::<i64>().is_ok(),
        Some(ColumnType::Boolean) => matches!(value, "true" | "false"),
        _ => false,
    };
    if is_literal { value.to_owned() } else { sql::text(value) }
}

/// What was chosen, within a time.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    pub(crate) span: Span,
    pub(crate) choices: Vec<Choice>,
}

impl Selection {
    fn and(&self) -> String {
        let mut all = Conditions::default();
        for choice in &self.choices {
            all.and(choice.condition());
        }
        all.more()
    }

    fn selected(&self) -> String {
        format!("FROM {} WHERE {}{}", REQUESTS.name, self.span.condition("ts"), self.and())
    }

    /// Requests over time, as `at`, `requests`.
    pub(crate) fn rate(&self) -> String {
        let at = binned("ts", self.span.step());
        format!("SELECT {at} AS at, count(*) AS requests {} GROUP BY 1 ORDER BY 1", self.selected())
    }

    /// The values of a column that are most frequent, as `value`, `requests`, `sources`, `errors`, `whole`.
    pub(crate) fn values(&self, by: &str) -> String {
        format!(
            "SELECT {by} AS value, count(*) AS requests, count(DISTINCT client_ip) AS sources, \
             count(*) FILTER (WHERE status >= 400) AS errors, sum(count(*)) OVER () AS whole {} \
             GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {VALUES}",
            self.selected()
        )
    }

    /// The values that became more frequent than in as long a time before, the most surprising first.
    ///
    /// With `p` and `q` the shares now and before, `surprise` is a value's part of the Jensen–Shannon divergence,
    /// `p·log2(p/m) + q·log2(q/m)` with `m = (p + q) / 2`, bits (Lin, 1991).
    pub(crate) fn grown(&self) -> String {
        let Span { from, to } = self.span;
        let before = (from - (to - from)).max(DateTime::UNIX_EPOCH);
        let whole = Span { from: before, to };
        let names = COMPARED.join(", ");
        let scope = format!(
            "scope AS (SELECT {names}, ts >= {} AS now FROM {} WHERE {}{})",
            sql::time(from),
            REQUESTS.name,
            whole.condition("ts"),
            self.and()
        );
        let each: Vec<String> = COMPARED
            .iter()
            .map(|name| {
                format!(
                    "(SELECT '{name}' AS attribute, CAST({name} AS VARCHAR) AS value, count(*) FILTER (WHERE now) AS n, \
                     count(*) FILTER (WHERE NOT now) AS b FROM scope WHERE {name} IS NOT NULL GROUP BY 2 \
                     ORDER BY 3 DESC, 2 LIMIT {COMPARED_VALUES})"
                )
            })
            .collect();
        format!(
            "WITH {scope}, whole AS (SELECT CAST(count(*) FILTER (WHERE now) AS DOUBLE) AS wn, \
             CAST(count(*) FILTER (WHERE NOT now) AS DOUBLE) AS wb FROM scope), \
             shares AS (SELECT attribute, value, n, b, n / greatest(wn, 1) AS p, b / greatest(wb, 1) AS q \
             FROM ({}) CROSS JOIN whole) \
             SELECT attribute, value, n AS requests, b AS before, p AS share, q AS share_before, \
             p * log2(2 * p / (p + q)) + CASE WHEN q > 0 THEN q * log2(2 * q / (p + q)) ELSE 0 END AS surprise \
             FROM shares WHERE n > 0 AND p > q ORDER BY surprise DESC, attribute, value LIMIT {GROWN}",
            each.join(" UNION ALL ")
        )
    }

    /// The last requests.
    pub(crate) fn rows(&self) -> String {
        format!(
            "SELECT ts, client_ip, method, host, left(path, 513) AS path, left(query, 513) AS query, status, \
             left(user_agent, 513) AS user_agent {} ORDER BY ts DESC LIMIT {ROWS}",
            self.selected()
        )
    }

    /// All of them, in the order of the table: so the first come at once.
    pub(crate) fn all(&self) -> String {
        format!("SELECT * {}", self.selected())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read_as_they_are_written() {
        for (key, text) in [
            ("is", "path:/a:b"),
            ("not", "status:404"),
            ("null", "ja4"),
            ("some", "referer"),
            ("is", "query:"),
        ] {
            let choice = Choice::parse(key, text).unwrap().unwrap();
            assert_eq!(choice.pair(), (key, text.to_owned()));
        }
        assert!(Choice::parse("by", "path").is_none());
        assert!(Choice::parse("is", "1=1; --:x").unwrap().is_err());
    }

    #[test]
    fn values_are_literals_of_their_columns() {
        let condition = |key, text| Choice::parse(key, text).unwrap().unwrap().condition();
        assert_eq!(condition("is", "status:404"), "status = 404");
        assert_eq!(condition("is", "status:4' OR 1=1"), "status = '4'' OR 1=1'");
        assert_eq!(condition("is", "path:404"), "path = '404'");
        assert_eq!(condition("is", "malformed:false"), "malformed = false");
        assert_eq!(condition("is", "malformed:x"), "malformed = 'x'");
        assert_eq!(condition("not", "host:x'y"), "host IS DISTINCT FROM 'x''y'");
        assert_eq!(condition("null", "ja4"), "ja4 IS NULL");
    }
}
