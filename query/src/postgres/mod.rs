//! PostgreSQL, as far as its clients look for it beside the tables: a catalogue, functions about it, and its ways to write
//! what the engine writes otherwise.
//!
//! ```text
//! statement ─▶ rewrite (names, casts, operators; empty: what reads tables that never have rows) ─▶ engine
//!                 catalogue: the tables that it names (declared, rows), functions ─────────────────▶ ┘
//! ```
//!
//! What is here reads what is known anyway: names, columns and what they are for. Nothing of it is made for a statement
//! that names no part of it, but the functions.

mod asked;
mod casts;
mod catalogue;
mod columns;
mod declared;
mod empty;
mod functions;
mod kinds;
mod lists;
mod names;
mod placeholders;
mod relations;
mod rewrite;
mod rows;
mod settings;
mod twins;
mod types;
mod words;

pub use crate::lenient::with_seconds;
pub use kinds::{Kind, NUMERIC_PLACES, oid, plain};
pub use lists::items;
pub use relations::{Relation, SCHEMA, ours};
pub use settings::{DATABASE, Set, Setting};

pub(crate) use casts::cast_as_there;
pub(crate) use catalogue::{named_in, register};
pub(crate) use columns::renamed;
pub(crate) use placeholders::{place, told};
pub(crate) use rewrite::rewrite;
