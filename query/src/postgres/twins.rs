//! Columns of one name: PostgreSQL answers with as many as are asked for, the engine with none.
//!
//! A second one gets a name with a mark and a number, which the answer does not show.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, OrderBy, OrderByKind, Query, SelectItem, SetExpr, visit_expressions_mut,
};

use super::columns::name;
use super::names::folded;
use crate::calls::take;

/// Between the name and the number: of the characters that mean nothing.
const MARK: char = '\u{e0f1}';

/// The name of a column as it was meant.
pub(super) fn shown(name: &str) -> &str {
    name.split_once(MARK).map_or(name, |(name, _)| name)
}

/// Gives columns that would have the name of another one a name of their own.
pub(super) fn respell(query: &mut Query) {
    let is_ordered = query.order_by.is_some();
    let order = bare_names(query);
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    let is_star = |item: &SelectItem| {
        matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..))
    };
    let has_star = select.projection.iter().any(is_star);
    if select.projection.len() < 2 && !is_ordered {
        return;
    }
    let mut taken = BTreeSet::new();
    for (at, item) in select.projection.iter_mut().enumerate() {
        let (key, name, is_column) = match item {
            SelectItem::UnnamedExpr(expr @ (Expr::Identifier(_) | Expr::CompoundIdentifier(_))) => {
                (name(expr), name(expr), true)
            }
            SelectItem::UnnamedExpr(expr) => {
                // The engine calls a cast as it calls what is cast, and takes the two for one in ORDER BY.
                let is_cast = matches!(expr, Expr::Cast { .. } | Expr::AtTimeZone { .. });
                let key = if is_cast { name(expr) } else { without_casts(expr) };
                if is_cast && is_ordered && !taken.contains(&key) {
                    // Who orders by the bare name means this column, not what is cast.
                    let is_meant = order.contains(&key);
                    let alias = if is_meant { key.clone() } else { format!("{key}{MARK}{at}") };
                    taken.insert(key);
                    alias_as(item, Ident::with_quote('"', alias));
                    continue;
                }
                (key, name(expr), false)
            }
            SelectItem::ExprWithAlias { alias, .. } => (folded(alias), folded(alias), false),
            _ => continue,
        };
        if taken.insert(key) && !(has_star && is_column) {
            continue;
        }
        alias_as(item, Ident::with_quote('"', format!("{name}{MARK}{at}")));
    }
}

/// An expression as the engine names it, which leaves casts out wherever they stand.
fn without_casts(of: &Expr) -> String {
    let mut of = of.clone();
    let _: ControlFlow<()> = visit_expressions_mut(&mut of, |expr| {
        while let Expr::Cast { expr: cast, .. } | Expr::Nested(cast) = expr {
            *expr = take(cast);
        }
        ControlFlow::Continue(())
    });
    of.to_string()
}

/// The names without anything around them by which a query orders its rows.
fn bare_names(query: &Query) -> BTreeSet<String> {
    let Some(OrderBy { kind: OrderByKind::Expressions(by), .. }) = &query.order_by else {
        return BTreeSet::new();
    };
    let bare = by.iter().filter_map(|by| match &by.expr {
        Expr::Identifier(name) => Some(folded(name)),
        _ => None,
    });
    bare.collect()
}

fn alias_as(item: &mut SelectItem, alias: Ident) {
    match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
            let expr = take(expr);
            *item = SelectItem::ExprWithAlias { expr, alias };
        }
        _ => {}
    }
}
