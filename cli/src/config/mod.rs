//! Configuration: the file beneath the environment beneath the command line, checked before anything starts.

mod clients;
mod file;
mod resolve;
mod serve;

use std::time::Duration;

pub use clients::Anonymise;
pub use file::{File, load};
pub use resolve::{Decode, Maintain, Output, Run, Scan, Ship, data};
pub use serve::Serve;

/// The command line or the configuration is wrong: exit status 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(String);

impl UsageError {
    /// An error with what is wrong and what to do.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// Folder of the tables when none is named.
pub const DEFAULT_DATA: &str = "floodmark-data";

/// Consumer group when none is named.
pub const DEFAULT_GROUP: &str = "floodmark";

/// Longest time between commits when none is named.
pub const DEFAULT_COMMIT_INTERVAL: Duration = Duration::from_secs(30);
