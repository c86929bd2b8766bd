//! Questions of drivers that are answered by a shorter one: they walk trees of types that have no branches here.

use datafusion::sql::parser::Statement as ParsedStatement;
use datafusion::sql::sqlparser::ast::Statement;

use crate::statements::{named, parse};

/// What `asyncpg` names in its question for types by number (`introspection.py`): domains, ranges, composites, and what
/// each is made of. Here are plain types, and lists of them.
const TYPES: &str = "typeinfo_tree";

/// The same question of plain types and lists, in which what a list is made of comes first.
const TYPES_SQL: &str = "SELECT t.oid, 'pg_catalog' AS ns, t.typname AS name, t.typtype AS kind, \
    arrow_cast(NULL, 'UInt32') AS basetype, t.typelem AS elemtype, e.typdelim AS elemdelim, \
    arrow_cast(NULL, 'UInt32') AS range_subtype, arrow_cast(NULL, 'List(UInt32)') AS attrtypoids, \
    arrow_cast(NULL, 'List(Utf8)') AS attrnames, CASE WHEN t.oid = ANY($1) THEN 0 ELSE 1 END AS depth, \
    arrow_cast(NULL, 'Utf8') AS basetype_name, format_type(t.typelem) AS elemtype_name, \
    arrow_cast(NULL, 'Utf8') AS range_subtype_name \
    FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_type e ON t.typelem = e.oid \
    WHERE t.oid = ANY($1) OR t.typarray = ANY($1) ORDER BY depth DESC, oid";

/// The shorter question, where a statement is one of those.
pub(super) fn shorter(statement: &Statement) -> Option<ParsedStatement> {
    let Statement::Query(query) = statement else { return None };
    let is_asked = named(query).any(|of| of.alias.name.value == TYPES);
    is_asked.then(|| parse(TYPES_SQL).ok()?.pop().map(|of| of.parsed)).flatten()
}
