//! Calls of functions, written into a statement.

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArgumentList,
    FunctionArguments, Ident, ObjectName, OrderByExpr, Value,
};

pub(crate) fn null() -> Expr {
    Expr::value(Value::Null)
}

pub(crate) fn text(of: impl Into<String>) -> Expr {
    Expr::value(Value::SingleQuotedString(of.into()))
}

/// What stands at a place, which is left without a value.
pub(crate) fn take(expr: &mut Expr) -> Expr {
    std::mem::replace(expr, null())
}

/// A call of a function with one value.
pub(crate) fn call(function: &str, of: Expr) -> Expr {
    call_with(function, vec![of])
}

/// A call of a function.
pub(crate) fn call_with(function: &str, of: Vec<Expr>) -> Expr {
    called(function, of, Vec::new())
}

/// A call of a function that puts rows together, in an order.
pub(crate) fn call_in_order(function: &str, of: Expr, by: Vec<OrderByExpr>) -> Expr {
    let clauses =
        if by.is_empty() { Vec::new() } else { vec![FunctionArgumentClause::OrderBy(by)] };
    called(function, vec![of], clauses)
}

fn called(function: &str, of: Vec<Expr>, clauses: Vec<FunctionArgumentClause>) -> Expr {
    let of = of.into_iter().map(|of| FunctionArg::Unnamed(FunctionArgExpr::Expr(of)));
    let list = FunctionArgumentList { duplicate_treatment: None, args: of.collect(), clauses };
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(function)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(list),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

/// The values that a function is called with, where they are nothing but values.
pub(crate) fn arguments(function: &mut Function) -> Option<Vec<&mut Expr>> {
    let is_plain = function.over.is_none()
        && function.filter.is_none()
        && function.within_group.is_empty()
        && matches!(function.parameters, FunctionArguments::None);
    let FunctionArguments::List(list) = &mut function.args else { return None };
    if !is_plain || list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
        return None;
    }
    list.args.iter_mut().map(unnamed).collect()
}

fn unnamed(of: &mut FunctionArg) -> Option<&mut Expr> {
    match of {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(of)) => Some(of),
        _ => None,
    }
}
