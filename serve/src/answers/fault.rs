//! Why there is no answer, or no whole one.

use std::time::Duration;

use query::QueryError;

/// A question was not answered.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The query is wrong, refused or failed.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The text is too long to be planned.
    #[error(
        "the statement has {bytes} bytes and {max} are allowed; give long lists as a file to `floodmark sql -f`, on the \
         machine of the tables"
    )]
    TooLong {
        /// Bytes of the text.
        bytes: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// A name belongs to one query.
    #[error("a query with this id runs already; choose another, or none")]
    SameId,
    /// Too many others ask.
    #[error("{running} queries run and as many as may wait are waiting; ask again later")]
    Busy {
        /// Queries that may run at the same time.
        running: usize,
    },
    /// It took too long.
    #[error(
        "the query was stopped after {}, the time a query may take; ask for fewer days or columns, or start the server \
         with a greater --query-seconds", in_seconds(*.limit)
    )]
    TooSlow {
        /// The time it may take.
        limit: Duration,
    },
    /// Somebody cancelled it by its name.
    #[error("the query was cancelled")]
    Cancelled,
    /// The server stops.
    #[error("the server is stopping; ask again when it is back")]
    Stopping,
    /// Whoever asked went away.
    #[error("the reader went away")]
    Gone,
    /// The engine failed in a way nobody foresaw.
    #[error("the query engine failed; please report it with the statement")]
    Broken,
}

fn in_seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

impl Fault {
    /// A name for programs. Part of the interface: one is renamed only with a line in the changelog.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Query(error) => match error {
                QueryError::Syntax { .. } => "syntax",
                QueryError::ReadOnly { .. } => "read_only",
                QueryError::Plan { .. }
                | QueryError::TooLarge { .. }
                | QueryError::Params { .. }
                | QueryError::OneResult { .. } => "plan",
                QueryError::Execute { .. }
                | QueryError::OutOfMemory { .. }
                | QueryError::Vanished { .. } => "execution",
                QueryError::Format { .. } => "format",
                _ => "tables",
            },
            Self::TooLong { .. } => "statement_too_long",
            Self::SameId => "same_id",
            Self::Busy { .. } => "busy",
            Self::TooSlow { .. } => "time_limit",
            Self::Cancelled => "cancelled",
            Self::Stopping => "stopping",
            Self::Gone => "reader_gone",
            Self::Broken => "internal",
        }
    }
}
