//! Fingerprints: the predicates that select an attack, searched, measured and written down.
//!
//! ```text
//! Evidence (now, ordinary, names) ─ search ▶ Rule ─ printed ▶ what of it can be written ─ quality ▶ Fingerprint
//!                                                                                              └─ sql ▶ text
//! ```
//! What is printed is what was measured: the search takes only values that can be written, and a conjunct without a
//! text is never left out.

mod candidates;
pub mod fingerprint;
pub mod firm;
pub mod rule;
pub mod sample;
pub mod search;
pub mod sql;
