//! What was seen, counted: nothing here judges.

pub mod host;
pub mod minutes;
pub mod sources;
pub mod votes;
