//! Names of columns that have none of their own, as PostgreSQL has them: clients find values by them.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::sql::parser::Statement as ParsedStatement;
use datafusion::sql::sqlparser::ast::{Expr, Query, SelectItem, SetExpr, Statement};

use super::names::{folded, last};
use super::twins;

/// What is called so has no name.
const NAMELESS: &str = "?column?";

/// `schema`, which is that of the answer to `statement`, with the names of PostgreSQL.
pub(crate) fn renamed(statement: &ParsedStatement, schema: &SchemaRef) -> SchemaRef {
    let ParsedStatement::Statement(statement) = statement else { return Arc::clone(schema) };
    let Statement::Query(query) = statement.as_ref() else { return Arc::clone(schema) };
    let mut names = names(query);
    if names.len() != schema.fields().len() {
        names = vec![None; schema.fields().len()];
    }
    let rename = |(field, name): (&Arc<Field>, Option<String>)| {
        let name = name.unwrap_or_else(|| twins::shown(field.name()).to_owned());
        if name == *field.name() {
            return Arc::clone(field);
        }
        Arc::new(field.as_ref().clone().with_name(name))
    };
    let fields: Vec<Arc<Field>> = schema.fields().iter().zip(names).map(rename).collect();
    Arc::new(Schema::new(fields))
}

/// Names of columns by place; none for those that keep theirs, and no places where there is a `*`.
fn names(query: &Query) -> Vec<Option<String>> {
    let SetExpr::Select(select) = query.body.as_ref() else { return Vec::new() };
    let one = |item: &SelectItem| match item {
        SelectItem::ExprWithAlias { .. } => Some(None),
        SelectItem::UnnamedExpr(expr) => Some(Some(name(expr))),
        _ => None,
    };
    select.projection.iter().map(one).collect::<Option<_>>().unwrap_or_default()
}

/// The name of a column that is an expression.
pub(super) fn name(expr: &Expr) -> String {
    match expr {
        Expr::Identifier(name) => Some(folded(name)),
        Expr::CompoundIdentifier(parts) => parts.last().map(folded),
        Expr::Function(function) => last(&function.name),
        Expr::Cast { expr, .. } | Expr::Nested(expr) => Some(name(expr)),
        Expr::Case { .. } => Some("case".to_owned()),
        Expr::Exists { .. } => Some("exists".to_owned()),
        Expr::Array(_) => Some("array".to_owned()),
        Expr::Extract { .. } => Some("extract".to_owned()),
        Expr::Substring { .. } => Some("substring".to_owned()),
        Expr::AtTimeZone { .. } => Some("timezone".to_owned()),
        _ => None,
    }
    .unwrap_or_else(|| NAMELESS.to_owned())
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::DataType;

    use super::*;

    #[test]
    fn columns_are_called_as_clients_expect() {
        let told = |text: &str, columns: usize| {
            let statement = crate::statements::parse(text).unwrap().remove(0).parsed;
            let field = |at: usize| Field::new(format!("of {at}"), DataType::Int64, true);
            let schema = Arc::new(Schema::new((0..columns).map(field).collect::<Vec<_>>()));
            let renamed = renamed(&statement, &schema);
            let names: Vec<String> = renamed.fields().iter().map(|of| of.name().clone()).collect();
            names.join(" ")
        };
        assert_eq!(
            told("SELECT count(*), a, 1, b AS c, TS::date, pg_catalog.version() FROM t", 6),
            "count a ?column? of 3 ts version"
        );
        assert_eq!(told("SELECT max(a), max(b) FROM t", 2), "max max");
        assert_eq!(told("SELECT *, count(*) FROM t", 2), "of 0 of 1");
        assert_eq!(told("SELECT 1 UNION SELECT 2", 1), "of 0");
    }
}
