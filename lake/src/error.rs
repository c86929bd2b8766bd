//! What can go wrong in the lake: what, where, and what to do next.

use std::error::Error as StdError;
use std::io::ErrorKind;

use deltalake::DeltaTableError;

/// Any error below the lake, with its chain of causes.
pub type Cause = Box<dyn StdError + Send + Sync + 'static>;

/// What a caller may do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same call may succeed later; nothing was lost and nothing was doubled.
    WithBackoff,
    /// The same call will fail again until a person changes something.
    Never,
}

/// An operation on the tables failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LakeError {
    /// The location of the tables cannot be understood.
    #[error("cannot use `{uri}` as data location: {detail}")]
    Location {
        /// As given.
        uri: String,
        /// Why, and what to give instead.
        detail: String,
    },

    /// Nothing can be written at the location.
    #[error(
        "cannot write to `{uri}`: {}; check owner and permissions, or choose another place with --data",
        root_cause(source)
    )]
    NotWritable {
        /// Location of the tables.
        uri: String,
        /// What the system said.
        source: Cause,
    },

    /// The disk is full.
    #[error(
        "disk full while writing `{what}` to `{uri}`{}: {}; free some space; nothing is lost, writing resumes where it stopped",
        room(*available_bytes), root_cause(source)
    )]
    DiskFull {
        /// What was being written.
        what: String,
        /// Location of the tables.
        uri: String,
        /// Bytes available to this process, where the system tells.
        available_bytes: Option<u64>,
        /// What the system said.
        source: Cause,
    },

    /// The location holds something that is not a table of ours.
    #[error(
        "`{uri}` is not a Delta table: {detail}; choose an empty folder with --data, or move it away"
    )]
    NotATable {
        /// Location of the table.
        uri: String,
        /// What is there instead.
        detail: String,
    },

    /// There is nothing to maintain or to check.
    #[error("there are no tables in `{uri}`; name the folder of `run` or `scan` with --data")]
    NoTables {
        /// Location of the tables.
        uri: String,
    },

    /// The table was written by another version of this program.
    #[error(
        "table `{uri}` has schema version {found}, this program writes version {expected}; use the program that wrote it, or another folder with --data"
    )]
    SchemaVersion {
        /// Location of the table.
        uri: String,
        /// Value of `floodmark.schemaVersion`, or `none`.
        found: String,
        /// The version of this program.
        expected: u32,
    },

    /// The table needs more of its readers than is known here.
    #[error(
        "table `{uri}` cannot be read: {detail}; read it with the program that made it so, or write its rows anew"
    )]
    Unreadable {
        /// Location of the table.
        uri: String,
        /// What would be read wrongly.
        detail: String,
    },

    /// The table's columns or features are not those this program writes.
    #[error("table `{uri}` cannot be appended to: {detail}; use another folder with --data")]
    Schema {
        /// Location of the table.
        uri: String,
        /// The first difference.
        detail: String,
    },

    /// Rows do not fit their table: a bug in the caller.
    #[error("rows do not fit their table: {0}")]
    Rows(#[from] schemas::SchemaMismatch),

    /// Rows could not be encoded: a bug.
    #[error("cannot encode rows of `{table}`: {source}")]
    Encode {
        /// Table.
        table: &'static str,
        /// What the encoder said.
        source: Cause,
    },

    /// Another process moved the same input in the same table.
    #[error(
        "another process writes `{partition}` of `{lineage}` to `{uri}`: it stands at {found}, this one expected {expected}; stop one of the two, or give them different groups or folders"
    )]
    Conflict {
        /// Location of the table.
        uri: String,
        /// History that both claim.
        lineage: String,
        /// Partition that both read.
        partition: String,
        /// Position this process last committed.
        expected: i64,
        /// Position found in the table.
        found: i64,
    },

    /// Another process maintains the tables.
    #[error(
        "`{uri}` is being maintained by {owner}; wait until it is done, or stop it: its lease ends within five minutes"
    )]
    Busy {
        /// Location of the tables.
        uri: String,
        /// Who says to be at it.
        owner: String,
    },

    /// A file was deleted before it was committed, and its rows are not in memory any more.
    #[error(
        "`{path}` in `{uri}` was deleted by another program before it was committed; nothing is lost: start again, and reading goes on from the last commit; let vacuums keep files that are younger than an hour"
    )]
    Vanished {
        /// Location of the table.
        uri: String,
        /// The file.
        path: String,
    },

    /// `append` or `commit` was called for a history that was not begun.
    #[error("history `{wanted}` was not begun (begun: `{begun}`)")]
    Lineage {
        /// History of the call.
        wanted: String,
        /// History begun last.
        begun: String,
    },

    /// The store failed: network, permissions, a missing object.
    #[error("cannot {what} at `{uri}`: {}", chain(source))]
    Store {
        /// Attempted operation.
        what: String,
        /// Location.
        uri: String,
        /// What the store said.
        source: Cause,
    },
}

impl LakeError {
    /// Whether the failed call may be repeated.
    pub const fn retry(&self) -> Retry {
        match self {
            Self::DiskFull { .. } | Self::Store { .. } | Self::NotWritable { .. } => {
                Retry::WithBackoff
            }
            Self::Location { .. }
            | Self::NotATable { .. }
            | Self::NoTables { .. }
            | Self::SchemaVersion { .. }
            | Self::Schema { .. }
            | Self::Unreadable { .. }
            | Self::Rows(_)
            | Self::Encode { .. }
            | Self::Conflict { .. }
            | Self::Vanished { .. }
            | Self::Busy { .. }
            | Self::Lineage { .. } => Retry::Never,
        }
    }
}

/// What the operating system said at the bottom of a chain of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bottom {
    DiskFull,
    Denied,
    Other,
}

/// Looks for an I/O error in the chain of `error`.
pub(crate) fn bottom(error: &(dyn StdError + 'static)) -> Bottom {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(io) = current.downcast_ref::<std::io::Error>() {
            match io.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => return Bottom::DiskFull,
                ErrorKind::PermissionDenied
                | ErrorKind::ReadOnlyFilesystem
                | ErrorKind::NotADirectory => {
                    return Bottom::Denied;
                }
                _ => {}
            }
        }
        if let Some(
            object_store::Error::PermissionDenied { .. }
            | object_store::Error::Unauthenticated { .. },
        ) = current.downcast_ref::<object_store::Error>()
        {
            return Bottom::Denied;
        }
        next = current.source();
    }
    Bottom::Other
}

/// The last error of the chain: what the system said, without the layers above it.
fn root_cause(cause: &Cause) -> String {
    let mut current: &(dyn StdError + 'static) = cause.as_ref();
    while let Some(source) = current.source() {
        current = source;
    }
    current.to_string()
}

/// The whole chain in one line, without links that only repeat the one below.
fn chain(cause: &Cause) -> String {
    let mut text = cause.to_string();
    let mut next = cause.source();
    while let Some(current) = next {
        let link = current.to_string();
        if !text.contains(&link) {
            text.push_str(": ");
            text.push_str(&link);
        }
        next = current.source();
    }
    text
}

fn room(available_bytes: Option<u64>) -> String {
    const MIB: u64 = 1 << 20;
    available_bytes.map_or_else(String::new, |bytes| format!(" ({} MiB left)", bytes / MIB))
}

impl From<DeltaTableError> for Failure {
    fn from(error: DeltaTableError) -> Self {
        Self(Box::new(error))
    }
}

impl From<object_store::Error> for Failure {
    fn from(error: object_store::Error) -> Self {
        Self(Box::new(error))
    }
}

impl From<parquet::errors::ParquetError> for Failure {
    fn from(error: parquet::errors::ParquetError) -> Self {
        Self(Box::new(error))
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self(Box::new(error))
    }
}

impl From<String> for Failure {
    fn from(error: String) -> Self {
        Self(error.into())
    }
}

/// An error of a layer below that does not know its place yet; see [`crate::location::Location::fail`].
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) Cause);

#[cfg(test)]
mod tests {
    use super::*;

    fn store_error(kind: ErrorKind) -> object_store::Error {
        object_store::Error::Generic {
            store: "test",
            source: Box::new(std::io::Error::new(kind, "said the system")),
        }
    }

    #[test]
    fn the_system_is_found_below_the_layers() {
        let error = DeltaTableError::from(store_error(ErrorKind::StorageFull));
        assert_eq!(bottom(&error), Bottom::DiskFull);
        let error = DeltaTableError::from(store_error(ErrorKind::PermissionDenied));
        assert_eq!(bottom(&error), Bottom::Denied);
        assert_eq!(bottom(&store_error(ErrorKind::TimedOut)), Bottom::Other);
    }

    #[test]
    fn messages_say_what_where_and_what_next() {
        let error = LakeError::DiskFull {
            what: "date=2026-01-01/part-1.zstd.parquet".into(),
            uri: "/data/requests".into(),
            available_bytes: Some(3 << 20),
            source: Box::new(store_error(ErrorKind::StorageFull)),
        };
        expect_test::expect!["disk full while writing `date=2026-01-01/part-1.zstd.parquet` to `/data/requests` (3 MiB left): said the system; free some space; nothing is lost, writing resumes where it stopped"]
            .assert_eq(&error.to_string());
        assert_eq!(error.retry(), Retry::WithBackoff);
    }
}
