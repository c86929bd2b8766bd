//! Answers to others: one guarded core over the tables, and its faces on the network.
//!
//! ```text
//! doors (connections, tokens, TLS)
//!   ├─ http (API, console) ──┐
//!   ├─ postgres (the wire) ──┼─▶ answers ─▶ query ─▶ tables
//!   └─ flight (Flight SQL) ──┘   guard · place · snapshot · memory · time · caps · cancel
//! ```
//!
//! # Invariants
//! - A face has no SQL guard, limit or safety of its own: what one refuses, all refuse.
//! - A query sees one version of each table, and nothing of another connection.
//! - Text from traffic leaves as data of an answer or as text of a page, never as markup, header or message of ours.
//! - Deliberately absent: Kafka, decoding, detection, writing to tables.
//!
//! Read [`answers::Answers`] first.

pub mod answers;
mod cast;
pub mod doors;
pub mod flight;
pub mod http;
pub mod overview;
mod pages;
pub mod postgres;
mod questions;
