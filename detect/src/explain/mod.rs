//! Fingerprints: the predicates that select an attack, searched, measured and written down.

pub mod firm;
pub mod rule;
pub mod search;
