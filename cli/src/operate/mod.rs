//! For those who watch a run: numbers over HTTP, and a word to the service manager.
//!
//! ```text
//! front, detection, tables, maintenance, alerts ─ counts ─▶ Board ─▶ http (/metrics, /healthz, /readyz)
//!                                                            └─────▶ service (READY, STATUS, WATCHDOG, STOPPING)
//! ```
//! Nothing here waits for the pipeline or is waited for by it.

mod http;
mod metrics;
mod reading;
mod service;

pub use http::serve;
pub use reading::{Board, Counted};
pub use service::{Service, stopping};
