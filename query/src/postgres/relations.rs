//! What there is to ask, with the numbers by which the catalogue knows it.

use arrow::datatypes::SchemaRef;

use super::declared::{DECLARED, Declared};
use crate::views::{VIEWS, View};

/// The schema that our tables and views are in.
pub const SCHEMA: &str = "public";

/// Schemas, with their numbers: those of PostgreSQL, and for `information_schema` one of those that it gives away.
pub(super) const PUBLIC: Space = Space { oid: 2200, name: SCHEMA };
pub(super) const SYSTEM: Space = Space { oid: 11, name: "pg_catalog" };
pub(super) const INFORMATION: Space = Space { oid: 13_000, name: "information_schema" };
pub(super) const SPACES: [Space; 3] = [SYSTEM, PUBLIC, INFORMATION];

/// The first number that PostgreSQL gives to what users make.
const FIRST_OID: i64 = 16_384;

/// From where on views are numbered: far behind the tables.
const FIRST_VIEW_OID: i64 = 16_484;

/// A schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Space {
    pub(super) oid: i64,
    pub(super) name: &'static str,
}

/// A table or a view.
#[derive(Debug, Clone)]
pub struct Relation {
    pub(super) oid: i64,
    /// Its name.
    pub name: &'static str,
    pub(super) space: Space,
    pub(super) doc: &'static str,
    /// The view that it is, if it is one of ours.
    pub(super) view: Option<&'static View>,
    /// The table whose columns it has.
    pub(super) like: Option<&'static schemas::Table>,
}

impl Relation {
    /// As `pg_class.relkind` has it.
    pub(super) const fn kind(&self) -> &'static str {
        if self.view.is_some() || self.space.oid == INFORMATION.oid { "v" } else { "r" }
    }

    /// Whether it is a view.
    pub const fn is_view(&self) -> bool {
        self.view.is_some()
    }

    /// What its column is for.
    pub fn doc_of(&self, column: &str) -> Option<&'static str> {
        let column = self.like?.columns.iter().find(|of| of.name == column)?;
        Some(column.doc)
    }
}

/// Our tables and views.
pub fn ours() -> impl Iterator<Item = Relation> {
    relations().take_while(|of| of.space == PUBLIC)
}

/// Every table and view, ours first.
pub(super) fn relations() -> impl Iterator<Item = Relation> {
    let tables = (FIRST_OID..).zip(schemas::tables::ALL).map(|(oid, table)| Relation {
        oid,
        name: table.name,
        space: PUBLIC,
        doc: table.doc,
        view: None,
        like: Some(table),
    });
    let views = (FIRST_VIEW_OID..).zip(&VIEWS).map(|(oid, view)| Relation {
        oid,
        name: view.name,
        space: PUBLIC,
        doc: view.doc,
        view: Some(view),
        like: view.like,
    });
    tables.chain(views).chain(DECLARED.iter().map(declared))
}

fn declared(of: &Declared) -> Relation {
    Relation { oid: of.oid, name: of.name, space: of.space, doc: "", view: None, like: None }
}

/// The relation of that name, with its schema or without.
pub(super) fn named(name: &str) -> Option<Relation> {
    let (space, name) = match name.split_once('.') {
        Some((space, name)) => (Some(space.trim_matches('"')), name.trim_matches('"')),
        None => (None, name.trim_matches('"')),
    };
    let fits = |of: &Relation| match space {
        Some(space) => of.space.name == space,
        None => of.space != INFORMATION,
    };
    relations().find(|of| of.name == name && fits(of))
}

/// The relation of that number.
pub(super) fn numbered(oid: i64) -> Option<Relation> {
    relations().find(|of| of.oid == oid)
}

/// A relation with its columns.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) relation: Relation,
    pub(super) schema: SchemaRef,
}
