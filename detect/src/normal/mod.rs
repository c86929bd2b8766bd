//! What is ordinary on a host.

pub mod answers;
pub mod composition;
pub mod elsewhere;
pub mod endpoints;
pub mod habits;
pub mod known;
pub mod misses;
pub mod population;
pub mod rate;
pub mod reservoir;
pub mod season;
pub mod slow;
pub mod visitors;
