//! Event time: what is believed of it, what is late, and which second is complete.

pub mod merge;
pub mod partition;
