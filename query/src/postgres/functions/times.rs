//! Times in other zones, parts of times with their fractions, and times as text.

use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{
    Array as _, ArrayRef, AsArray as _, Float64Array, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, DurationMicrosecondType, IntervalMonthDayNanoType, IntervalUnit,
    Time64MicrosecondType, TimeUnit, TimestampMicrosecondType,
};
use arrow::temporal_conversions::as_datetime_with_timezone;
use chrono::{DateTime, MappedLocalTime, TimeZone as _};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use schemas::column::UTC;

const MICROS: i64 = 1_000_000;

pub(super) fn functions() -> Vec<ScalarUDF> {
    [Of::Zone, Of::Part].map(Times::function).into()
}

/// A time as PostgreSQL writes it: `2026-03-02 09:00:00.006+00`.
pub(in crate::postgres) fn as_text() -> ScalarUDF {
    Times::function(Of::Text)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Of {
    /// `timezone(zone, time)`: a time of a zone as that zone's clock shows it, and the other way round.
    Zone,
    /// `extract_exactly(field, time)`: seconds with their fraction.
    Part,
    /// `time_as_text(time)`.
    Text,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Times {
    of: Of,
    signature: Signature,
}

impl Times {
    fn function(of: Of) -> ScalarUDF {
        let signature = match of {
            Of::Zone | Of::Part => Signature::any(2, Volatility::Immutable),
            Of::Text => Signature::any(1, Volatility::Immutable),
        };
        ScalarUDF::from(Self { of, signature })
    }
}

impl ScalarUDFImpl for Times {
    fn name(&self) -> &str {
        match self.of {
            Of::Zone => "timezone",
            Of::Part => "extract_exactly",
            Of::Text => "time_as_text",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, of: &[DataType]) -> Result<DataType> {
        Ok(match self.of {
            Of::Zone => match of.last() {
                Some(DataType::Timestamp(_, None)) => {
                    DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()))
                }
                _ => DataType::Timestamp(TimeUnit::Microsecond, None),
            },
            Of::Part => DataType::Float64,
            Of::Text => DataType::Utf8,
        })
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_one = call.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let first = match call.args.first() {
            Some(ColumnarValue::Scalar(value)) => value.try_as_str().flatten().map(str::to_owned),
            _ => None,
        };
        let of = ColumnarValue::values_to_arrays(&call.args)?;
        let Some(of) = of.last() else { return exec_err!("{}() of nothing", self.name()) };
        let values: ArrayRef = match (self.of, first) {
            (Of::Text, _) => Arc::new(texts(of)?),
            (Of::Zone, Some(zone)) => Arc::new(in_zone(of, &zone)?),
            (Of::Part, Some(field)) => Arc::new(parts(of, &field)?),
            _ => {
                return exec_err!(
                    "{}() takes a text that is written in the statement",
                    self.name()
                );
            }
        };
        if is_one {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&values, 0)?));
        }
        Ok(ColumnarValue::Array(values))
    }
}

/// Microseconds of times, and whether they are of a zone.
fn micros(of: &ArrayRef) -> Result<(TimestampMicrosecondArray, bool)> {
    let zone = match of.data_type() {
        DataType::Timestamp(_, zone) => zone.clone(),
        _ => Some(UTC.into()),
    };
    let has_zone = zone.is_some();
    let of = cast(of, &DataType::Timestamp(TimeUnit::Microsecond, zone))?;
    let of = of.as_primitive::<TimestampMicrosecondType>().clone();
    Ok((of.with_timezone_opt(None::<Arc<str>>), has_zone))
}

/// As a zone's clock shows times of a zone; or when its clock shows times without one.
fn in_zone(of: &ArrayRef, name: &str) -> Result<TimestampMicrosecondArray> {
    let zone: Tz = name.parse().or_else(|_| name.to_ascii_uppercase().parse())?;
    let (times, has_zone) = micros(of)?;
    if has_zone {
        let local = |us| {
            let local = as_datetime_with_timezone::<TimestampMicrosecondType>(us, zone)?;
            Some(local.naive_local().and_utc().timestamp_micros())
        };
        return Ok(times.unary_opt(local));
    }
    let at = |us| {
        let local = DateTime::from_timestamp_micros(us)?.naive_utc();
        match zone.from_local_datetime(&local) {
            MappedLocalTime::Single(at) => Some(at.timestamp_micros()),
            // Of an hour that comes twice the one that PostgreSQL takes.
            MappedLocalTime::Ambiguous(_, later) => Some(later.timestamp_micros()),
            // An hour that is left out: as if the clock had not been set.
            MappedLocalTime::None => {
                let before = local - chrono::TimeDelta::hours(1);
                let before = zone.from_local_datetime(&before).earliest()?;
                Some(before.timestamp_micros() + 3_600 * MICROS)
            }
        }
    };
    let times: TimestampMicrosecondArray = times.unary_opt(at);
    Ok(times.with_timezone(UTC))
}

/// Seconds, or thousandths or millionths of them, with their fraction.
#[expect(clippy::cast_precision_loss, reason = "microseconds of some centuries are exact")]
fn parts(of: &ArrayRef, field: &str) -> Result<Float64Array> {
    const MINUTE: i64 = 60 * MICROS;
    let part = |us: i64| match field {
        "epoch" => us as f64 / MICROS as f64,
        "milliseconds" => (us % MINUTE) as f64 / 1e3,
        "microseconds" => (us % MINUTE) as f64,
        _ => (us % MINUTE) as f64 / MICROS as f64,
    };
    Ok(match of.data_type() {
        DataType::Duration(_) => {
            let of = cast(of, &DataType::Duration(TimeUnit::Microsecond))?;
            of.as_primitive::<DurationMicrosecondType>().unary(part)
        }
        DataType::Interval(_) => {
            let of = cast(of, &DataType::Interval(IntervalUnit::MonthDayNano))?;
            of.as_primitive::<IntervalMonthDayNanoType>().unary(|span| {
                let us = span.nanoseconds / 1_000;
                if field != "epoch" {
                    return part(us);
                }
                // As PostgreSQL counts: a year has 365.25 days, a month 30.
                let (years, months) = (span.months / 12, span.months % 12);
                let days = f64::from(years) * 365.25 + f64::from(months * 30 + span.days);
                days * 86_400.0 + part(us)
            })
        }
        DataType::Time32(_) | DataType::Time64(_) => {
            let of = cast(of, &DataType::Time64(TimeUnit::Microsecond))?;
            of.as_primitive::<Time64MicrosecondType>().unary(part)
        }
        _ => micros(of)?
            .0
            .unary(|us| if field == "epoch" { part(us) } else { part(us.rem_euclid(MINUTE)) }),
    })
}

fn texts(of: &ArrayRef) -> Result<StringArray> {
    let (times, has_zone) = micros(of)?;
    let text = |us: i64| {
        let mut text = DateTime::from_timestamp_micros(us)?.naive_utc().to_string();
        if text.contains('.') {
            text.truncate(text.trim_end_matches('0').len());
        }
        if has_zone {
            text.push_str("+00");
        }
        Some(text)
    };
    Ok(times.iter().map(|us| us.and_then(text)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, zone: Option<&str>) -> ArrayRef {
        let text: ArrayRef = Arc::new(StringArray::from(vec![text]));
        let zone = zone.map(Into::into);
        cast(&text, &DataType::Timestamp(TimeUnit::Microsecond, zone)).unwrap()
    }

    #[test]
    fn times_are_written_and_moved_as_postgresql_does() {
        let text = |of: &ArrayRef| texts(of).unwrap().value(0).to_owned();
        assert_eq!(text(&at("2026-03-02T09:00:00.006Z", Some(UTC))), "2026-03-02 09:00:00.006+00");
        assert_eq!(text(&at("2026-03-02T09:00:00.5", None)), "2026-03-02 09:00:00.5");
        assert_eq!(text(&at("2026-03-02T09:00:00", None)), "2026-03-02 09:00:00");
        let moved = |of: ArrayRef, zone: &str| {
            let moved: ArrayRef = Arc::new(in_zone(&of, zone).unwrap());
            text(&moved)
        };
        let (time, local) = ("2026-07-02T09:00:00Z", "2026-07-02T09:00:00");
        assert_eq!(moved(at(time, Some(UTC)), "Europe/Berlin"), "2026-07-02 11:00:00");
        assert_eq!(moved(at(local, None), "Europe/Berlin"), "2026-07-02 07:00:00+00");
        // Of the hours that come twice, and of those that do not come, what PostgreSQL 15 says.
        assert_eq!(
            moved(at("2026-10-25T02:30:00", None), "Europe/Berlin"),
            "2026-10-25 01:30:00+00"
        );
        assert_eq!(
            moved(at("2026-03-29T02:30:00", None), "Europe/Berlin"),
            "2026-03-29 01:30:00+00"
        );
    }

    #[test]
    fn parts_have_fractions() {
        let time = at("2026-03-02T09:00:07.25Z", Some(UTC));
        let part = |field: &str| parts(&time, field).unwrap().value(0);
        assert!((part("second") - 7.25).abs() < 1e-9);
        assert!((part("milliseconds") - 7_250.0).abs() < 1e-9);
        assert!((part("epoch") - 1_772_442_007.25).abs() < 1e-6);
    }
}
