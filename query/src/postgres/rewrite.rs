//! A statement as it is written for PostgreSQL, in the words of the engine.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::parser::Statement as ParsedStatement;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, FunctionArguments, ObjectName, OrderByExpr, OrderByKind, Query,
    SelectItem, SetExpr, TableAlias, TableAliasColumnDef, TableFactor, Value, ValueWithSpan,
    VisitMut as _, VisitorMut,
};

use super::declared::declared;
use super::names::{folded, is, last, qualify, unqualify};
use super::relations::{INFORMATION, PUBLIC, SYSTEM};
use super::{asked, empty, twins, types, words};
use crate::calls::{call_in_order, call_with, take};
use crate::statements::named;

/// Writes a statement in the words of the engine. Nothing is added to what it reads.
pub(crate) fn rewrite(statement: &mut ParsedStatement) {
    let statement = match statement {
        ParsedStatement::Statement(statement) => statement.as_mut(),
        ParsedStatement::Explain(explain) => return rewrite(&mut explain.statement),
        _ => return,
    };
    if let Some(ParsedStatement::Statement(shorter)) = asked::shorter(statement) {
        *statement = *shorter;
    }
    let mut named = Named::default();
    let _ = statement.visit(&mut named);
    let _ = statement.visit(&mut Rewriter { named: named.0 });
}

/// Queries that WITH names, as a table of the catalogue is named: then that is meant.
#[derive(Debug, Default)]
struct Named(BTreeSet<String>);

impl VisitorMut for Named {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        self.0.extend(named(query).map(|of| folded(&of.alias.name)));
        ControlFlow::Continue(())
    }
}

struct Rewriter {
    named: BTreeSet<String>,
}

impl Rewriter {
    /// Whether names of the catalogue can mean something else.
    fn is_ambiguous(&self) -> bool {
        self.named.iter().any(|name| declared(SYSTEM, name).is_some())
    }
}

impl VisitorMut for Rewriter {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if !self.is_ambiguous() {
            empty::respell(query);
        }
        twins::respell(query);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, of: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, args, alias, .. } = of {
            if args.is_some() {
                unqualify(name);
                if let Some(alias) = alias
                    && last(name).is_some_and(|name| ONE_COLUMN.contains(&name.as_str()))
                {
                    name_column(alias);
                }
            }
            let is_table = last(name).is_some_and(|name| declared(SYSTEM, &name).is_some());
            if is_table {
                *args = None;
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, name: &mut ObjectName) -> ControlFlow<()> {
        let is_named = name.0.len() == 1 && last(name).is_some_and(|of| self.named.contains(&of));
        if !is_named {
            qualify(name);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if !self.is_ambiguous()
            && let Some(value) = empty::value(expr)
        {
            *expr = value;
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::Function(function) => {
                unqualify(&mut function.name);
                match of_subquery(expr) {
                    Some(list) => *expr = list,
                    None => words::respell(expr),
                }
            }
            Expr::InSubquery { .. } => {
                if let Some(list) = of_search_path(expr) {
                    *expr = list;
                }
            }
            Expr::Cast { .. } => {
                types::respell(expr);
                words::respell(expr);
            }
            Expr::Identifier(_)
            | Expr::AtTimeZone { .. }
            | Expr::Extract { .. }
            | Expr::Substring { .. } => words::respell(expr),
            Expr::Subquery(query) => empty::one_value(query),
            Expr::Collate { expr: of, .. } => {
                let of = take(of);
                *expr = of;
            }
            Expr::Like { pattern, escape_char, .. } | Expr::ILike { pattern, escape_char, .. } => {
                respell_escape(pattern, escape_char);
            }
            Expr::BinaryOp { left, op, right } => {
                respell_operator(op);
                words::respell_procedures(left, right);
                words::respell_procedures(right, left);
            }
            Expr::AnyOp { right, compare_op, .. } | Expr::AllOp { right, compare_op, .. } => {
                respell_operator(compare_op);
                if let Some(list) = types::listed(right) {
                    **right = list;
                }
            }
            Expr::CompoundIdentifier(parts)
                if parts.len() > 2 && parts.first().is_some_and(|of| is(of, INFORMATION.name)) =>
            {
                parts.remove(0);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// Functions that are tables of one column.
const ONE_COLUMN: [&str; 2] = ["generate_series", "range"];

/// `generate_series(1, 3) AS n` names the column as well.
fn name_column(alias: &mut TableAlias) {
    if alias.columns.is_empty() {
        alias.columns.push(TableAliasColumnDef { name: alias.name.clone(), data_type: None });
    }
}

/// A pattern that is not known yet, with the escape character that the engine knows.
fn respell_escape(pattern: &mut Expr, escape: &mut Option<ValueWithSpan>) {
    if let Some(escape) =
        escape.take_if(|of| of.value != Value::SingleQuotedString("\\".to_owned()))
    {
        let given = take(pattern);
        *pattern = call_with("like_escape", vec![given, Expr::Value(escape)]);
    }
}

/// `OPERATOR(pg_catalog.~)` as the operator that it names.
fn respell_operator(op: &mut BinaryOperator) {
    use BinaryOperator as Op;
    let Op::PGCustomBinaryOperator(parts) = op else { return };
    let plain = match parts.last().map(String::as_str) {
        Some("=") => Op::Eq,
        Some("<>" | "!=") => Op::NotEq,
        Some("<") => Op::Lt,
        Some("<=") => Op::LtEq,
        Some(">") => Op::Gt,
        Some(">=") => Op::GtEq,
        Some("~") => Op::PGRegexMatch,
        Some("~*") => Op::PGRegexIMatch,
        Some("!~") => Op::PGRegexNotMatch,
        Some("!~*") => Op::PGRegexNotIMatch,
        Some("~~") => Op::PGLikeMatch,
        Some("!~~") => Op::PGNotLikeMatch,
        Some("~~*") => Op::PGILikeMatch,
        Some("!~~*") => Op::PGNotILikeMatch,
        Some("||") => Op::StringConcat,
        Some("+") => Op::Plus,
        Some("-") => Op::Minus,
        _ => return,
    };
    *op = plain;
}

/// Whether a schema is among those that are searched, as Grafana asks: it takes the setting apart in a query.
fn of_search_path(expr: &Expr) -> Option<Expr> {
    let Expr::InSubquery { expr, subquery, negated } = expr else { return None };
    let text = subquery.to_string().to_lowercase();
    text.contains("current_setting('search_path')").then(|| Expr::InList {
        expr: expr.clone(),
        list: vec![Expr::value(Value::SingleQuotedString(PUBLIC.name.to_owned()))],
        negated: *negated,
    })
}

/// `ARRAY(SELECT x FROM … ORDER BY y)` as a query that puts them together; one that limits or groups its rows is left to the
/// engine, which does not know how.
fn of_subquery(expr: &mut Expr) -> Option<Expr> {
    let Expr::Function(function) = expr else { return None };
    let FunctionArguments::Subquery(query) = &mut function.args else { return None };
    if last(&function.name)? != "array" {
        return None;
    }
    let SetExpr::Select(select) = query.body.as_mut() else { return None };
    if select.distinct.is_some()
        || query.limit_clause.is_some()
        || query.fetch.is_some()
        || empty::is_grouped(select)
        || empty::has_aggregate(select)
    {
        return None;
    }
    let [SelectItem::UnnamedExpr(one) | SelectItem::ExprWithAlias { expr: one, .. }] =
        select.projection.as_mut_slice()
    else {
        return None;
    };
    let of = take(one);
    let order = match query.order_by.take().map(|order| order.kind) {
        Some(OrderByKind::Expressions(by)) => by,
        Some(OrderByKind::All(_)) => return None,
        None => Vec::new(),
    };
    // A number means a column, of which there is one.
    let by = order.into_iter().map(|by| match &by.expr {
        Expr::Value(_) => OrderByExpr { expr: of.clone(), ..by },
        _ => by,
    });
    let all = call_in_order("array_agg", of.clone(), by.collect());
    select.projection = vec![SelectItem::UnnamedExpr(all)];
    Some(Expr::Subquery(query.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statements::parse;

    fn written(text: &str) -> String {
        let mut statement = parse(text).unwrap().remove(0).parsed;
        rewrite(&mut statement);
        statement.to_string()
    }

    #[test]
    fn what_the_engine_writes_otherwise_is_put_into_its_words() {
        for (text, is) in [
            ("SELECT relname FROM pg_class", "SELECT relname FROM pg_catalog.pg_class"),
            ("SELECT 1 FROM information_schema.tables t", "SELECT 1 FROM pg_information.tables t"),
            ("SELECT 1 AS n FROM floodmark.public.requests", "SELECT 1 AS n FROM public.requests"),
            (
                "SELECT a FROM t WHERE a OPERATOR(pg_catalog.~) '^x$' COLLATE pg_catalog.default",
                "SELECT a FROM t WHERE a ~ '^x$'",
            ),
            ("SELECT 'requests'::regclass AS o", "SELECT regclass('requests') AS o"),
            ("SELECT a::pg_catalog.int8 AS n FROM t", "SELECT a::BIGINT AS n FROM t"),
            ("SELECT '\\x4142'::bytea AS b", "SELECT X'4142'::BYTEA AS b"),
            ("SELECT date_part('SECOND', a) AS s", "SELECT extract_exactly('second', a) AS s"),
            (
                "SELECT n FROM pg_catalog.generate_series(1, 3) AS n",
                "SELECT n FROM generate_series(1, 3) AS n (n)",
            ),
            (
                "SELECT a FROM t WHERE b = ANY('{x,\"y,z\",NULL}')",
                "SELECT a FROM t WHERE b = ANY(['x', 'y,z', NULL])",
            ),
            ("SELECT pg_catalog.version()", "SELECT version()"),
            (
                "SELECT ARRAY(SELECT a FROM t ORDER BY 1 DESC) AS l",
                "SELECT (SELECT array_agg(a ORDER BY a DESC) FROM t) AS l",
            ),
            (
                "SELECT ARRAY(SELECT DISTINCT a FROM t) AS l",
                "SELECT ARRAY(SELECT DISTINCT a FROM t) AS l",
            ),
            (
                "SELECT 1 FROM t WHERE a IN (SELECT b FROM u WHERE s IN (SELECT current_setting('search_path')))",
                "SELECT 1 FROM t WHERE a IN (SELECT b FROM u WHERE s IN ('public'))",
            ),
            (
                "SELECT a FROM t WHERE a LIKE b ESCAPE '/'",
                "SELECT a FROM t WHERE a LIKE like_escape(b, '/')",
            ),
        ] {
            assert_eq!(written(text), is, "{text}");
        }
    }

    #[test]
    fn what_reads_tables_without_rows_is_not_planned() {
        for (text, is) in [
            (
                "SELECT conname AS a FROM pg_constraint ORDER BY conkey",
                "SELECT NULL AS \"a\" WHERE false",
            ),
            (
                "SELECT a, (SELECT adbin FROM pg_catalog.pg_attrdef d WHERE d.adrelid = t.a) AS d FROM t",
                "SELECT a, NULL AS d FROM t",
            ),
            (
                "SELECT a FROM t WHERE NOT EXISTS (SELECT 1 FROM pg_index)",
                "SELECT a FROM t WHERE true",
            ),
            ("SELECT a FROM t WHERE a IN (SELECT oid FROM pg_enum)", "SELECT a FROM t WHERE false"),
            // A row is there all the same, or there may be one.
            ("SELECT count(*) AS n FROM pg_index", "SELECT count(*) AS n FROM pg_catalog.pg_index"),
            (
                "SELECT a FROM t LEFT JOIN pg_index i ON true",
                "SELECT a FROM t LEFT JOIN pg_catalog.pg_index i ON true",
            ),
            // A query of that name is meant.
            (
                "WITH pg_index AS (SELECT 1 AS a) SELECT a FROM pg_index",
                "WITH pg_index AS (SELECT 1 AS a) SELECT a FROM pg_index",
            ),
        ] {
            assert_eq!(written(text), is, "{text}");
        }
    }
}
