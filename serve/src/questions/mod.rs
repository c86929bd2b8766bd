//! What the API and the pages ask: statements made of parts, and their answers as small rows.
//!
//! Every statement is text that can be shown and asked again: values stand in it as literals, by [`sql::text`] alone.

pub(crate) mod attributes;
pub(crate) mod incidents;
pub(crate) mod revisions;
mod row;
pub(crate) mod selection;
pub(crate) mod sources;
pub(crate) mod sql;
pub(crate) mod windows;

pub(crate) use incidents::{Filter, LIMIT_MAX, Place, of_incident, requests_of, revisions};
pub(crate) use row::{Row, rows};
pub(crate) use sql::read_time;
