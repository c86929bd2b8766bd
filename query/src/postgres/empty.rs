//! Parts of a statement that read tables without rows: there are no indexes, no constraints, no policies and so on. What
//! clients ask of those goes beyond what the engine plans, and the answer is known.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::LazyLock;

use datafusion::functions_aggregate::all_default_aggregate_functions;

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, Ident,
    JoinOperator, Query, Select, SelectItem, SetExpr, TableFactor, TableWithJoins, Value,
    Visit as _, Visitor,
};

use super::columns::name as name_of;
use super::names::{folded, is_catalogue, is_empty, last};
use super::types::no_list;
use crate::calls::{call, null};
use crate::functions;

/// Aggregates of PostgreSQL that the engine does not have.
const OTHERS: [&str; 4] = ["every", "json_agg", "json_object_agg", "jsonb_agg"];

/// Functions that give a row where there is none.
static AGGREGATES: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let known = all_default_aggregate_functions().into_iter().chain(functions::aggregates());
    let names =
        known.flat_map(|of| std::iter::once(of.name().to_owned()).chain(of.aliases().to_vec()));
    names.chain(OTHERS.map(str::to_owned)).collect()
});

/// Columns of the catalogue that hold lists elsewhere, and nothing here.
const NULLS: [&str; 12] = [
    "attacl",
    "attoptions",
    "datacl",
    "lanacl",
    "nspacl",
    "proacl",
    "proconfig",
    "relacl",
    "reloptions",
    "rolconfig",
    "spcacl",
    "typacl",
];

/// Whether a query has no rows, whatever is in the tables.
pub(super) fn reads_nothing(query: &Query) -> bool {
    query.with.is_none() && set_reads_nothing(&query.body)
}

fn set_reads_nothing(set: &SetExpr) -> bool {
    match set {
        SetExpr::Select(select) => select_reads_nothing(select),
        SetExpr::Query(query) => reads_nothing(query),
        SetExpr::SetOperation { left, right, .. } => {
            set_reads_nothing(left) && set_reads_nothing(right)
        }
        _ => false,
    }
}

fn select_reads_nothing(select: &Select) -> bool {
    select.from.iter().any(joined_reads_nothing) && (is_grouped(select) || !has_aggregate(select))
}

/// Whether a row stands for a group of rows.
pub(super) fn is_grouped(select: &Select) -> bool {
    match &select.group_by {
        GroupByExpr::All(_) => true,
        GroupByExpr::Expressions(by, _) => !by.is_empty(),
    }
}

fn joined_reads_nothing(of: &TableWithJoins) -> bool {
    let mut is_nothing = factor_reads_nothing(&of.relation);
    for join in &of.joins {
        let other = factor_reads_nothing(&join.relation);
        is_nothing = match join.join_operator {
            JoinOperator::Join(_) | JoinOperator::Inner(_) | JoinOperator::CrossJoin(_) => {
                is_nothing || other
            }
            JoinOperator::Left(_) | JoinOperator::LeftOuter(_) => is_nothing,
            JoinOperator::Right(_) | JoinOperator::RightOuter(_) => other,
            JoinOperator::FullOuter(_) => is_nothing && other,
            _ => return false,
        };
    }
    is_nothing
}

fn factor_reads_nothing(of: &TableFactor) -> bool {
    match of {
        TableFactor::Table { name, args: None, .. } => is_empty(name),
        TableFactor::Table { name, args: Some(of), .. } => {
            let is_null = |of: &FunctionArg| match of {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(of)) => {
                    NULLS.contains(&name_of(of).as_str())
                }
                _ => false,
            };
            last(name).is_some_and(|name| name == "unnest") && of.args.iter().all(is_null)
        }
        TableFactor::UNNEST { array_exprs, .. } => {
            array_exprs.iter().all(|of| NULLS.contains(&name_of(of).as_str()))
        }
        TableFactor::Derived { subquery, .. } => reads_nothing(subquery),
        TableFactor::NestedJoin { table_with_joins, .. } => joined_reads_nothing(table_with_joins),
        _ => false,
    }
}

/// Whether one row stands for all rows.
pub(super) fn has_aggregate(select: &Select) -> bool {
    let mut found = Aggregates::default();
    select.having.is_some() || select.projection.visit(&mut found).is_break()
}

/// Looks for aggregates, and not within queries of their own.
#[derive(Debug, Default)]
struct Aggregates {
    depth: usize,
}

impl Visitor for Aggregates {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let Expr::Function(of) = expr else { return ControlFlow::Continue(()) };
        let name = last(&of.name).unwrap_or_default();
        if self.depth == 0 && of.over.is_none() && AGGREGATES.contains(&name) {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

/// Makes sure that a query about the catalogue alone, which gives one value, says so: the engine asks for an aggregate.
pub(super) fn one_value(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    let of_catalogue = |of: &TableWithJoins| {
        let all = std::iter::once(&of.relation).chain(of.joins.iter().map(|join| &join.relation));
        all.into_iter()
            .all(|of| matches!(of, TableFactor::Table { name, .. } if is_catalogue(name)))
    };
    if select.from.is_empty() || !select.from.iter().all(of_catalogue) || has_aggregate(select) {
        return;
    }
    let is_plain = !is_grouped(select);
    if let [SelectItem::UnnamedExpr(one) | SelectItem::ExprWithAlias { expr: one, .. }] =
        select.projection.as_mut_slice()
        && is_plain
        && query.limit_clause.is_none()
    {
        *one = call("first_value", std::mem::replace(one, null()));
    }
}

/// The value of an expression that asks a query without rows.
pub(super) fn value(expr: &Expr) -> Option<Expr> {
    let bool = |is: bool| Expr::value(Value::Boolean(is));
    match expr {
        Expr::Subquery(query) => reads_nothing(query).then(null),
        Expr::Exists { subquery, negated } => reads_nothing(subquery).then(|| bool(*negated)),
        Expr::InSubquery { subquery, negated, .. } => {
            reads_nothing(subquery).then(|| bool(*negated))
        }
        Expr::Function(Function { name, args: FunctionArguments::Subquery(query), .. }) => {
            let is_list = last(name).is_some_and(|name| name == "array");
            (is_list && reads_nothing(query)).then(no_list)
        }
        _ => None,
    }
}

/// Writes a query without rows as one that reads nothing.
pub(super) fn respell(query: &mut Query) {
    if query.with.is_none() && respell_set(&mut query.body) {
        // It may order by what is not there any more.
        query.order_by = None;
        query.limit_clause = None;
    }
}

/// - returns: whether it was one select, that was written anew.
fn respell_set(set: &mut SetExpr) -> bool {
    match set {
        SetExpr::Select(select) if select_reads_nothing(select) => {
            let Some(names) = names(&select.projection) else { return false };
            select.projection = names
                .into_iter()
                .map(|name| SelectItem::ExprWithAlias {
                    expr: null(),
                    alias: Ident::with_quote('"', name),
                })
                .collect();
            select.distinct = None;
            select.from.clear();
            select.group_by = GroupByExpr::Expressions(Vec::new(), Vec::new());
            select.having = None;
            select.selection = Some(Expr::value(Value::Boolean(false)));
            true
        }
        SetExpr::SetOperation { left, right, .. } => {
            respell_set(left);
            respell_set(right);
            false
        }
        _ => false,
    }
}

/// Names of columns; `None` where they depend on the tables.
fn names(items: &[SelectItem]) -> Option<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for item in items {
        let name = match item {
            SelectItem::ExprWithAlias { alias, .. } => folded(alias),
            SelectItem::UnnamedExpr(expr) => name_of(expr),
            _ => return None,
        };
        let is_taken = names.contains(&name);
        names.push(if is_taken { format!("{name}_{}", names.len()) } else { name });
    }
    Some(names)
}
