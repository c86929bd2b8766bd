//! What is asked.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use query::{Dialect, Params};
use uuid::Uuid;

/// Name of a query, by which it is asked about and cancelled. Random: who does not know it cannot guess it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueryId(Uuid);

impl QueryId {
    /// A new one.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Display for QueryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for QueryId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// Whose query it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Somebody's own SQL.
    Asked,
    /// One of the console's or the API's.
    Own,
}

/// One statement to answer.
#[derive(Debug, Clone)]
pub struct Question {
    /// The statement.
    pub text: String,
    /// Values for its placeholders.
    pub params: Option<Params>,
    /// Whose it is.
    pub lane: Lane,
    /// How it is written.
    pub dialect: Dialect,
    /// Rows that are wanted, at most.
    pub rows_max: Option<u64>,
    /// How long it may run, where that is less than the limit of all.
    pub time_max: Option<Duration>,
    /// Its name.
    pub id: QueryId,
}

impl Question {
    /// Somebody's SQL.
    pub fn asked(text: impl Into<String>) -> Self {
        Self::new(text.into(), Lane::Asked)
    }

    /// One of ours.
    pub fn own(text: impl Into<String>) -> Self {
        Self::new(text.into(), Lane::Own)
    }

    fn new(text: String, lane: Lane) -> Self {
        let (dialect, id) = (Dialect::default(), QueryId::random());
        Self { text, params: None, lane, dialect, rows_max: None, time_max: None, id }
    }

    /// How long it may run, of what all may at most.
    pub(super) fn time(&self, limit: Duration) -> Duration {
        self.time_max.map_or(limit, |most| most.min(limit))
    }

    /// With values for its placeholders.
    #[must_use]
    pub fn with_params(self, params: Params) -> Self {
        Self { params: Some(params), ..self }
    }

    /// Written in `dialect`.
    #[must_use]
    pub fn in_dialect(self, dialect: Dialect) -> Self {
        Self { dialect, ..self }
    }

    /// With at most so many rows.
    #[must_use]
    pub fn with_rows_max(self, rows: u64) -> Self {
        Self { rows_max: Some(rows), ..self }
    }
}
