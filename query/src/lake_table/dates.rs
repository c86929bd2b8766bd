//! What a filter on time says of the day: `date` is the UTC day of `ts`.

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Between, BinaryExpr, Cast, Expr, Operator, col, lit};

/// The partition column.
pub(super) const DATE: &str = "date";

/// The column it is the day of.
const TIME: &str = "ts";

/// Microseconds of a day.
const DAY_US: i64 = 86_400_000_000;

/// Days since 1970 of 0002-01-01 and 9998-12-31: times beyond the years 1 to 9999 are kept under the nearest day
/// within, so that nothing is concluded there.
const DAYS: std::ops::RangeInclusive<i64> = -718_797..=2_932_531;

/// A condition on `date` that holds wherever all of `filters` do.
pub(super) fn implied(filters: &[Expr]) -> Option<Expr> {
    let each = filters.iter().flat_map(conditions);
    each.reduce(Expr::and)
}

fn conditions(filter: &Expr) -> Vec<Expr> {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            let mut both = conditions(left);
            both.extend(conditions(right));
            both
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            let (left, right) = (implied(&[(**left).clone()]), implied(&[(**right).clone()]));
            left.zip(right).map(|(left, right)| left.or(right)).into_iter().collect()
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let found = compared(left, *op, right).or_else(|| compared(right, op.swap()?, left));
            found.into_iter().collect()
        }
        Expr::Between(Between { expr, negated: false, low, high }) => {
            let low = compared(expr, Operator::GtEq, low);
            low.into_iter().chain(compared(expr, Operator::LtEq, high)).collect()
        }
        _ => Vec::new(),
    }
}

/// What `of <op> bound` says of the day, where `of` is the time, or the day or the start of a span of it.
fn compared(of: &Expr, op: Operator, bound: &Expr) -> Option<Expr> {
    let Expr::Literal(bound, _) = bound else { return None };
    let of_bound = day_of(bound)?;
    let slack = slack(of)?;
    let (first, last) = (of_bound - slack.before, of_bound + slack.after);
    if !DAYS.contains(&first) || !DAYS.contains(&last) {
        return None;
    }
    let day = |days: i64| lit(ScalarValue::Date32(i32::try_from(days).ok()));
    let date = || col(DATE);
    match op {
        Operator::Eq | Operator::IsNotDistinctFrom => {
            Some(date().gt_eq(day(first)).and(date().lt_eq(day(last))))
        }
        Operator::Gt | Operator::GtEq => Some(date().gt_eq(day(first))),
        Operator::Lt | Operator::LtEq => Some(date().lt_eq(day(last))),
        _ => None,
    }
}

/// How many days the time may be before and after the day of what is made of it.
#[derive(Debug, Clone, Copy, Default)]
struct Slack {
    before: i64,
    after: i64,
}

/// The slack of `of`; `None` where it is not about the time.
fn slack(of: &Expr) -> Option<Slack> {
    match of {
        Expr::Column(column) if column.name == TIME => Some(Slack::default()),
        Expr::Cast(Cast { expr, field }) => {
            let of = slack(expr)?;
            match field.data_type() {
                DataType::Date32 | DataType::Timestamp(_, None) => Some(of),
                DataType::Timestamp(_, Some(zone)) if is_utc(zone) => Some(of),
                // Its days begin at most 14 hours before and 12 hours after those of UTC.
                DataType::Timestamp(_, Some(_)) => {
                    Some(Slack { before: of.before + 1, after: of.after + 1 })
                }
                _ => None,
            }
        }
        Expr::ScalarFunction(call) if call.func.name() == "date_trunc" => {
            let [Expr::Literal(unit, _), time] = call.args.as_slice() else { return None };
            let unit = unit.try_as_str().flatten()?.to_ascii_lowercase();
            let longest = match unit.as_str() {
                "microsecond" | "millisecond" | "second" | "minute" | "hour" | "day" => 0,
                "week" => 6,
                "month" => 30,
                "quarter" => 91,
                "year" => 365,
                _ => return None,
            };
            let of = slack(time)?;
            Some(Slack { after: of.after + longest, ..of })
        }
        _ => None,
    }
}

/// Whether the days of a zone are those of UTC.
fn is_utc(zone: &str) -> bool {
    matches!(zone, schemas::column::UTC | "+00:00")
}

/// The day in which a bound lies, since 1970.
fn day_of(bound: &ScalarValue) -> Option<i64> {
    let micros = match bound {
        ScalarValue::Date32(Some(days)) => return Some(i64::from(*days)),
        ScalarValue::TimestampSecond(Some(value), _) => value.checked_mul(1_000_000)?,
        ScalarValue::TimestampMillisecond(Some(value), _) => value.checked_mul(1_000)?,
        ScalarValue::TimestampMicrosecond(Some(value), _) => *value,
        ScalarValue::TimestampNanosecond(Some(value), _) => value.div_euclid(1_000),
        _ => return None,
    };
    Some(micros.div_euclid(DAY_US))
}

/// Whether the type is a time.
pub(super) const fn is_time(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(TimeUnit::Microsecond, _))
}

#[cfg(test)]
mod tests {
    use datafusion::functions::expr_fn::date_trunc;
    use datafusion::logical_expr::cast;

    use super::*;

    /// Noon of a day after 1970-01-01.
    fn noon(day: i64) -> Expr {
        lit(ScalarValue::TimestampMicrosecond(Some(day * DAY_US + DAY_US / 2), Some("UTC".into())))
    }

    fn day(day: i32) -> Expr {
        lit(ScalarValue::Date32(Some(day)))
    }

    #[test]
    fn times_imply_days() {
        let (time, date) = (|| col(TIME), || col(DATE));
        let in_zone =
            |zone: &str| cast(time(), DataType::Timestamp(TimeUnit::Nanosecond, Some(zone.into())));
        for (given, expected) in [
            (time().gt_eq(noon(3)), Some(date().gt_eq(day(3)))),
            (noon(3).gt(time()), Some(date().lt_eq(day(3)))),
            (
                time().between(noon(3), noon(4)),
                Some(date().gt_eq(day(3)).and(date().lt_eq(day(4)))),
            ),
            (
                date_trunc(lit("week"), time()).eq(noon(3)),
                Some(date().gt_eq(day(3)).and(date().lt_eq(day(9)))),
            ),
            (cast(time(), DataType::Date32).lt(day(3)), Some(date().lt_eq(day(3)))),
            (
                cast(in_zone("Europe/Berlin"), DataType::Date32).eq(day(3)),
                Some(date().gt_eq(day(2)).and(date().lt_eq(day(4)))),
            ),
            (date_trunc(lit("week"), in_zone("-12:00")).gt_eq(noon(3)), Some(date().gt_eq(day(2)))),
            (in_zone("UTC").lt(noon(3)), Some(date().lt_eq(day(3)))),
            (
                time().lt(noon(1)).or(time().gt(noon(5))),
                Some(date().lt_eq(day(1)).or(date().gt_eq(day(5)))),
            ),
            (time().lt(noon(1)).or(col("host").eq(lit("x"))), None),
            (time().not_eq(noon(1)), None),
            (col("detected_ts").gt(noon(1)), None),
            (time().lt(noon(4_000_000)), None),
        ] {
            assert_eq!(implied(std::slice::from_ref(&given)), expected, "{given}");
        }
    }
}
