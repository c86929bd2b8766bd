//! Containers whose order and size do not depend on who sends the traffic.

pub mod cache;
pub mod histogram;
pub mod lendable;
pub mod table;
