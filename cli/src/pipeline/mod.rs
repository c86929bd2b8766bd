//! The pipeline, three threads in a row:
//!
//! ```text
//! front ─ orders ─▶ detection ─ batches, findings, commits ─▶ lake
//!   ▲ ◀── pauses ──────┘                                       │
//!   └──────────────────── positions of finished commits ◀──────┘
//! ```
//!
//! The front reads and decodes; the detection thread detects, alerts and passes everything on in order; the lake's
//! thread writes tables. Beside them a thread of the lowest priority keeps the tables fast. The channels hold a few whole
//! batches each. When the tables fall behind, the channels fill,
//! the front blocks and reading pauses: back-pressure without a policy of its own.

mod alignment;
mod back;
mod checkpoint;
mod counts;
mod detection;
mod forwarded;
pub mod front;
mod keeper;
mod opening;
mod pace;
mod past;
mod rejected;
mod share;
mod signals;
mod times;
pub mod totals;

pub use back::Back;
pub use counts::{TableTotals, UpkeepTotals};
pub use detection::{Detection, Keep};
pub use front::{EndPolicy, Ended, Front, FrontConfig, Next, Step};
pub use keeper::Keeper;
pub use opening::{Restored, Tables, open};
pub use pace::{Pace, STATE_BYTES_A_DAY};
pub use past::PastSource;
pub use totals::{DetectTotals, IncidentTotals, Totals};
