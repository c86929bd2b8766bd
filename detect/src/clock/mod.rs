//! Event time: what is believed of it, what is late, and which second is complete.
//!
//! ```text
//! record, arrival ─▶ offset (wrong zones put right) ─▶ future of its arrival? ──▶ only counted
//!                                                        │ no
//!                            witness (held until others agree) ─▶ partition (late) ─▶ staged by second
//! ```

pub mod bounds;
pub mod merge;
pub mod offset;
pub mod partition;
pub mod staged;
pub mod tally;
pub mod witness;
