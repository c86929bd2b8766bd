//! The tables under one data folder, asked through `floodmark sql`.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::floodmark::Floodmark;

/// Every table of the contract, and the columns that order its rows beyond doubt.
pub const KEYS: [(&str, &str); 5] = [
    ("requests", "topic, topic_partition, topic_offset, record_index"),
    ("rejects", "topic, topic_partition, topic_offset, record_index"),
    ("incidents", "incident_id, revision"),
    ("source_windows", "window_start, source"),
    ("target_windows", "window_start, host"),
];

/// A data folder.
#[derive(Debug, Clone)]
pub struct Tables {
    data: PathBuf,
}

impl Tables {
    /// The tables under `data`.
    pub fn at(data: impl Into<PathBuf>) -> Self {
        Self { data: data.into() }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.data
    }

    /// The folder, as an argument.
    pub fn arg(&self) -> &str {
        self.data.to_str().expect("test folders have plain names")
    }

    /// Standard output of one query as NDJSON.
    pub fn ndjson(&self, query: &str) -> String {
        let sql = ["sql", "--data", self.arg(), "--format", "ndjson", query];
        Floodmark::new(sql).success().stdout
    }

    /// The rows of one query, an object each.
    pub fn rows(&self, query: &str) -> Vec<Value> {
        let parse = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{query}: {error}: {line}"))
        };
        self.ndjson(query).lines().map(parse).collect()
    }

    /// The one number that a query answers.
    pub fn number(&self, query: &str) -> i64 {
        let rows = self.rows(query);
        let value = match rows.as_slice() {
            [Value::Object(row)] if row.len() == 1 => row.values().next().and_then(Value::as_i64),
            _ => None,
        };
        value.unwrap_or_else(|| panic!("{query} answers {rows:?}, not one number"))
    }

    /// Rows of a table.
    pub fn count(&self, table: &str) -> i64 {
        self.number(&format!("SELECT count(*) AS n FROM {table}"))
    }

    /// Records read: requests and rejects. Law 1 says that this is the number of records fed in.
    pub fn records(&self) -> i64 {
        self.count("requests") + self.count("rejects")
    }

    /// Distinct positions of requests and rejects: with no record twice, the same as [`Self::records`].
    pub fn positions(&self) -> i64 {
        let position = "topic, topic_partition, topic_offset, record_index";
        self.number(&format!(
            "SELECT count(*) AS n FROM (SELECT {position} FROM requests UNION SELECT {position} FROM rejects)"
        ))
    }

    /// A whole table as text in the order of its key: equal for equal contents. How much of a topic was read when an incident
    /// was found is no part of them: it depends on when others of the group come, go and die.
    pub fn dump(&self, table: &str) -> String {
        let (_, key) =
            KEYS.iter().find(|(name, _)| *name == table).expect("a table of the contract");
        let columns = if table == "incidents" { WHOEVER_READ } else { "*" };
        self.ndjson(&format!("SELECT {columns} FROM {table} ORDER BY {key}"))
    }
}

/// All columns of incidents, but for the evidence `partitions_read`, which stands last.
const WHOEVER_READ: &str = r#"* REPLACE (regexp_replace(evidence, ',?\{"feature":"partitions_read"[^}]*\}', '') AS evidence)"#;

/// Passes when two data folders hold the same rows in `tables`; else shows the first row that differs.
pub fn assert_same(tables: &[&str], left: &Tables, right: &Tables) {
    for table in tables {
        let (a, b) = (left.dump(table), right.dump(table));
        if a == b {
            continue;
        }
        let (count_a, count_b) = (a.lines().count(), b.lines().count());
        let differ = a.lines().zip(b.lines()).find(|(a, b)| a != b);
        let (a, b) = differ.unwrap_or(("(the rows of one are the first of the other)", ""));
        panic!("{table} differs ({count_a} and {count_b} rows), first in\n{a}\n{b}");
    }
}
