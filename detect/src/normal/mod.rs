//! What is ordinary on a host.

pub mod population;
pub mod rate;
