//! Formulas, without state and without a notion of traffic.

pub mod entropy;
pub mod evalue;
pub mod hash;
pub mod interval;
