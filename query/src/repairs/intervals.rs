//! Spans of time, several times over: `interval '5 minutes' * 3`, `(max(ts) - min(ts)) / 2`; and from a day on: the engine
//! makes a day of `date '2026-01-01' + interval '5 hours'`, and loses the hours.

use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayRef, AsArray as _, Float64Array, IntervalMonthDayNanoArray, PrimitiveArray,
};
use arrow::compute::{cast, kernels::arity::try_binary};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, DurationMicrosecondType, DurationMillisecondType,
    DurationNanosecondType, DurationSecondType, IntervalMonthDayNano, IntervalMonthDayNanoType,
    IntervalUnit, TimeUnit,
};
use arrow::error::ArrowError;
use datafusion::common::{DFSchema, Result, ScalarValue, plan_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable as _, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};
use datafusion::sql::sqlparser::ast::BinaryOperator;

/// Plans the operators between a span of time and a number, or a day.
#[derive(Debug)]
pub(crate) struct Intervals;

impl ExprPlanner for Intervals {
    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        let by = match expr.op {
            BinaryOperator::Multiply => By::Times,
            BinaryOperator::Divide => By::Divided,
            BinaryOperator::Plus | BinaryOperator::Minus => return from_a_day(expr, schema),
            _ => return Ok(PlannerResult::Original(expr)),
        };
        let kind = |of: &Expr| of.get_type(schema).ok();
        let (left, right) = (kind(&expr.left), kind(&expr.right));
        let is_span = |of: &Option<DataType>| of.as_ref().is_some_and(is_span);
        let is_number = |of: &Option<DataType>| of.as_ref().is_some_and(DataType::is_numeric);
        let arguments = if is_span(&left) && is_number(&right) {
            vec![expr.left, expr.right]
        } else if by == By::Times && is_number(&left) && is_span(&right) {
            vec![expr.right, expr.left]
        } else {
            return Ok(PlannerResult::Original(expr));
        };
        let signature = Signature::any(2, Volatility::Immutable);
        let function = Arc::new(ScalarUDF::from(Scaled { by, signature }));
        let call = ScalarFunction::new_udf(function, arguments);
        Ok(PlannerResult::Planned(Expr::ScalarFunction(call)))
    }
}

/// A day and a span that is no number of days, as a time. Of whole days and months the sum stays a day: files are left out
/// by it.
fn from_a_day(mut expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
    let is_part_of_a_day = |of: &Expr| match of {
        Expr::Literal(ScalarValue::IntervalYearMonth(_), _) => false,
        Expr::Literal(ScalarValue::IntervalDayTime(Some(span)), _) => span.milliseconds != 0,
        Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(span)), _) => span.nanoseconds != 0,
        of => of.get_type(schema).is_ok_and(|of| is_span(&of)),
    };
    let is_day = |of: &Expr| of.get_type(schema).is_ok_and(|of| of == DataType::Date32);
    let day = if is_day(&expr.left) && is_part_of_a_day(&expr.right) {
        &mut expr.left
    } else if is_day(&expr.right) && is_part_of_a_day(&expr.left) {
        &mut expr.right
    } else {
        return Ok(PlannerResult::Original(expr));
    };
    let midnight = DataType::Timestamp(TimeUnit::Microsecond, None);
    *day = std::mem::take(day).cast_to(&midnight, schema)?;
    Ok(PlannerResult::Original(expr))
}

const fn is_span(of: &DataType) -> bool {
    matches!(of, DataType::Interval(_) | DataType::Duration(_))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum By {
    Times,
    Divided,
}

/// A span of time, so many times.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Scaled {
    by: By,
    signature: Signature,
}

impl ScalarUDFImpl for Scaled {
    fn name(&self) -> &str {
        match self.by {
            By::Times => "interval_times",
            By::Divided => "interval_divided_by",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, of: &[DataType]) -> Result<DataType> {
        match of.first() {
            Some(span @ DataType::Duration(_)) => Ok(span.clone()),
            Some(DataType::Interval(_)) => Ok(DataType::Interval(IntervalUnit::MonthDayNano)),
            _ => plan_err!("not a span of time"),
        }
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let of = ColumnarValue::values_to_arrays(&call.args)?;
        let [spans, numbers] = of.as_slice() else { return plan_err!("a span and a number") };
        let spans = cast(spans, call.return_type())?;
        let numbers = cast(numbers, &DataType::Float64)?;
        let numbers: Float64Array = match self.by {
            By::Times => numbers.as_primitive().clone(),
            // By zero: nothing, rather than the longest of times.
            By::Divided => numbers
                .as_primitive::<arrow::datatypes::Float64Type>()
                .unary_opt(|number| (number != 0.0).then(|| number.recip())),
        };
        let scaled: ArrayRef = match spans.data_type() {
            DataType::Duration(TimeUnit::Second) => {
                durations::<DurationSecondType>(spans.as_primitive(), &numbers)?
            }
            DataType::Duration(TimeUnit::Millisecond) => {
                durations::<DurationMillisecondType>(spans.as_primitive(), &numbers)?
            }
            DataType::Duration(TimeUnit::Microsecond) => {
                durations::<DurationMicrosecondType>(spans.as_primitive(), &numbers)?
            }
            DataType::Duration(TimeUnit::Nanosecond) => {
                durations::<DurationNanosecondType>(spans.as_primitive(), &numbers)?
            }
            _ => {
                let spans = spans.as_primitive::<IntervalMonthDayNanoType>();
                let scaled: IntervalMonthDayNanoArray = try_binary(spans, &numbers, scale)?;
                Arc::new(scaled)
            }
        };
        Ok(ColumnarValue::Array(scaled))
    }
}

fn too_long() -> ArrowError {
    ArrowError::ComputeError("a span of time is out of range".to_owned())
}

fn durations<T: ArrowPrimitiveType<Native = i64>>(
    spans: &PrimitiveArray<T>,
    numbers: &Float64Array,
) -> Result<ArrayRef> {
    #[expect(clippy::cast_precision_loss, reason = "spans of centuries have as many digits")]
    let scaled: PrimitiveArray<T> =
        try_binary(spans, numbers, |span, number| whole(span as f64 * number))?;
    Ok(Arc::new(scaled))
}

/// The nearest whole number.
#[expect(clippy::cast_precision_loss, reason = "the bounds are powers of two")]
#[expect(clippy::cast_possible_truncation, reason = "it is within the bounds")]
fn whole(number: f64) -> Result<i64, ArrowError> {
    let number = number.round();
    let fits = number >= i64::MIN as f64 && number < i64::MAX as f64;
    if fits { Ok(number as i64) } else { Err(too_long()) }
}

/// Fractions of months are days of which a month has thirty, those of days are hours, as PostgreSQL has it.
fn scale(span: IntervalMonthDayNano, by: f64) -> Result<IntervalMonthDayNano, ArrowError> {
    const MONTH_DAYS: f64 = 30.0;
    const DAY_NANOS: f64 = 86_400e9;
    const MICRO_NANOS: f64 = 1e3;
    let small = |number: f64| whole(number).and_then(|n| i32::try_from(n).map_err(|_| too_long()));
    let months = f64::from(span.months) * by;
    let days = f64::from(span.days) * by + months.fract() * MONTH_DAYS;
    #[expect(clippy::cast_precision_loss, reason = "to the microsecond for centuries")]
    let nanos = span.nanoseconds as f64 * by + days.fract() * DAY_NANOS;
    let nanos = (nanos / MICRO_NANOS).round() * MICRO_NANOS;
    Ok(IntervalMonthDayNano::new(small(months.trunc())?, small(days.trunc())?, whole(nanos)?))
}
