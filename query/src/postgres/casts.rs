//! Casts that give other values than those of the engine: a time to text, a number with a fraction to a whole one.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode as _};
use datafusion::functions::math::round;
use datafusion::logical_expr::expr::{Cast, ScalarFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, ExprSchemable as _, LogicalPlan};

use super::functions::times;

/// Makes the casts of a plan those of PostgreSQL. Those that the engine adds come later.
pub(crate) fn cast_as_there(plan: LogicalPlan) -> Result<LogicalPlan> {
    let text = Arc::new(times::as_text());
    let done = plan.transform_up_with_subqueries(|plan| {
        let names = NamePreserver::new(&plan);
        let mut schema = DFSchema::empty();
        for input in plan.inputs() {
            schema.merge(input.schema());
        }
        plan.map_expressions(|expr| {
            let name = names.save(&expr);
            let done = expr.transform_up(|expr| {
                let Expr::Cast(Cast { expr: of, field }) = &expr else {
                    return Ok(Transformed::no(expr));
                };
                let Ok(from) = of.get_type(&schema) else { return Ok(Transformed::no(expr)) };
                let to = field.data_type();
                if to.is_string() && matches!(from, DataType::Timestamp(..)) {
                    let call = ScalarFunction::new_udf(Arc::clone(&text), vec![*of.clone()]);
                    return Ok(Transformed::yes(Expr::ScalarFunction(call)));
                }
                if to.is_integer() && (from.is_floating() || from.is_decimal()) {
                    let call = ScalarFunction::new_udf(round(), vec![*of.clone()]);
                    let of = Box::new(Expr::ScalarFunction(call));
                    let cast = Cast { expr: of, field: Arc::clone(field) };
                    return Ok(Transformed::yes(Expr::Cast(cast)));
                }
                Ok(Transformed::no(expr))
            })?;
            Ok(done.update_data(|expr| name.restore(expr)))
        })
    });
    done.map(|plan| plan.data)
}
