//! The pipeline: a front thread that reads, decodes, detects and alerts; a back thread that writes tables.
//!
//! Between them is one bounded channel of whole batches. When the tables fall behind, the channel fills, the front
//! blocks and reading pauses: back-pressure without a policy of its own.

mod alignment;
mod back;
mod checkpoint;
pub mod front;
mod opening;
pub mod totals;

pub use back::Back;
pub use front::{EndPolicy, Ended, Front, FrontConfig, Next};
pub use opening::{Tables, open};
pub use totals::Totals;
