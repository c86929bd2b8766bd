//! Values that a statement makes larger than what it reads: `repeat('x', 1000000000)`, `range(0, 1000000000)`, a text joined
//! to itself thirty times over.
//!
//! The engine asks for the memory of such a value at once and accounts for it to nobody, so that one short statement can end
//! the process whatever a query is allowed. Each call of a function that makes values grow is replaced by one that works out
//! beforehand how much it would make ([`growth`]), does a few rows at a time, and refuses what is too much ([`measured`]).

mod given;
mod growth;
mod measured;

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode as _, TreeNodeRecursion};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, LogicalPlan, Operator, ScalarUDF};
use datafusion::optimizer::AnalyzerRule;

use crate::functions::over::{Over, over};
use growth::{Bound, GROWING};
use measured::{Measured, Same};

/// Puts measured functions in the place of those that make values grow.
#[derive(Debug)]
pub(crate) struct MeasureGrowth {
    bounds: HashMap<&'static str, Bound>,
    /// Its value as it is, measured: for what is no function.
    same: Arc<ScalarUDF>,
}

impl Default for MeasureGrowth {
    fn default() -> Self {
        let same = Arc::new(ScalarUDF::from(Same::default()));
        let same = Arc::new(over(same, Measured { bound: growth::of_all }));
        Self { bounds: GROWING.into_iter().collect(), same }
    }
}

impl AnalyzerRule for MeasureGrowth {
    fn name(&self) -> &'static str {
        "measure_growth"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let mut grows = false;
        plan.apply_with_subqueries(|plan| {
            plan.apply_expressions(|expr| {
                grows = grows || expr.exists(|expr| Ok(self.grows(expr)))?;
                Ok(TreeNodeRecursion::Continue)
            })
        })?;
        if !grows {
            return Ok(plan);
        }
        let measured = plan.transform_up_with_subqueries(|plan| {
            let names = NamePreserver::new(&plan);
            let measured = plan.map_expressions(|expr| {
                let name = names.save(&expr);
                let measured = expr.transform_up(|expr| Ok(self.measured(expr)))?;
                Ok(measured.update_data(|expr| name.restore(expr)))
            })?;
            measured.map_data(LogicalPlan::recompute_schema)
        });
        measured.map(|plan| plan.data)
    }
}

impl MeasureGrowth {
    fn grows(&self, expr: &Expr) -> bool {
        match expr {
            Expr::ScalarFunction(call) => self.bounds.contains_key(call.func.name()),
            Expr::BinaryExpr(of) => of.op == Operator::StringConcat,
            _ => false,
        }
    }

    fn measured(&self, expr: Expr) -> Transformed<Expr> {
        match expr {
            Expr::ScalarFunction(mut call) => {
                match self.bounds.get(call.func.name()) {
                    Some(bound) if !call.func.inner().is::<Over<Measured>>() => {
                        call.func = Arc::new(over(call.func, Measured { bound: *bound }));
                    }
                    _ => return Transformed::no(Expr::ScalarFunction(call)),
                }
                Transformed::yes(Expr::ScalarFunction(call))
            }
            Expr::BinaryExpr(of) if of.op == Operator::StringConcat => {
                Transformed::yes(self.same.call(vec![Expr::BinaryExpr(of)]))
            }
            other => Transformed::no(other),
        }
    }
}
