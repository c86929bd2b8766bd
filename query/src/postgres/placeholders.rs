//! Types of placeholders that a statement tells and the engine does not find: those of a cast, and of LIMIT.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use arrow::datatypes::DataType;
use datafusion::sql::parser::Statement as ParsedStatement;
use datafusion::sql::sqlparser::ast::{Expr, LimitClause, Query, Value, Visit as _, Visitor};

use super::columns::name;
use super::kinds::{Kind, oid};
use schemas::tables;

/// Placeholders of a statement, at most: the wire counts them in 16 bits.
const PLACES_MAX: usize = u16::MAX as usize;

/// Numbers of types by place, from 1, as the statement tells them.
pub(crate) fn told(statement: &ParsedStatement) -> BTreeMap<usize, u32> {
    let mut told = Told::default();
    if let ParsedStatement::Statement(statement) = statement {
        let _ = statement.as_ref().visit(&mut told);
    }
    told.0
}

/// The place of a placeholder, from 1; `None` for one with a name.
pub(crate) fn place(name: &str) -> Option<usize> {
    let place = name.strip_prefix('$')?.parse().ok()?;
    (1..=PLACES_MAX).contains(&place).then_some(place)
}

#[derive(Debug, Default)]
struct Told(BTreeMap<usize, u32>);

impl Told {
    fn tell(&mut self, expr: &Expr, of: Option<u32>) {
        if let Expr::Value(value) = expr
            && let Value::Placeholder(name) = &value.value
            && let (Some(place), Some(of)) = (place(name), of)
        {
            self.0.entry(place).or_insert(of);
        }
    }
}

impl Visitor for Told {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let (limit, offset) = match &query.limit_clause {
            Some(LimitClause::LimitOffset { limit, offset, .. }) => {
                (limit.as_ref(), offset.as_ref().map(|offset| &offset.value))
            }
            Some(LimitClause::OffsetCommaLimit { offset, limit }) => (Some(limit), Some(offset)),
            None => (None, None),
        };
        for expr in limit.into_iter().chain(offset) {
            self.tell(expr, Some(oid::INT8));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::AnyOp { left, right, .. } | Expr::AllOp { left, right, .. } = expr {
            let list = match right.as_ref() {
                Expr::Nested(inside) => inside,
                list => list,
            };
            self.tell(list, Some(kind_of(left).list_oid));
        }
        if let Expr::Cast { expr, data_type, array: false, .. } = expr {
            let name = data_type.to_string();
            let of = match name.strip_suffix("[]") {
                Some(item) => Kind::named(item).map(|kind| kind.list_oid),
                None => Kind::named(&name).map(|kind| kind.oid),
            };
            self.tell(expr, of.filter(|number| Kind::taken(*number).is_some()));
        }
        ControlFlow::Continue(())
    }
}

/// The type of an expression where it is a column of ours; otherwise text, which most are.
fn kind_of(expr: &Expr) -> Kind {
    let name = name(expr);
    let fields = tables::ALL.iter().flat_map(|table| table.schema().fields().to_vec());
    let of = fields.into_iter().find(|field| *field.name() == name);
    Kind::of(of.as_ref().map_or(&DataType::Utf8, |field| field.data_type()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_of_what_they_are_compared_with() {
        let text = "SELECT 1 FROM requests r WHERE host = ANY($1) AND r.status <> ALL(($2)) AND x = ANY($3::int8[])";
        let told = told(&crate::statements::parse(text).unwrap().remove(0).parsed);
        assert_eq!((told[&1], told[&2], told[&3]), (1009, 1007, 1016));
    }

    #[test]
    fn casts_and_limits_tell_types() {
        let text =
            "SELECT $1::int8, $2, CAST($3 AS timestamptz), $4::text[] FROM t LIMIT $5 OFFSET $6";
        let statement = crate::statements::parse(text).unwrap().remove(0);
        let told = told(&statement.parsed);
        let places: Vec<usize> = told.keys().copied().collect();
        assert_eq!(places, [1, 3, 4, 5, 6]);
        assert_eq!((told[&1], told[&3], told[&4]), (oid::INT8, oid::TIMESTAMPTZ, 1009));
        assert_eq!(
            (place("$0"), place("$65536"), place("$x"), place("$7")),
            (None, None, None, Some(7))
        );
    }
}
