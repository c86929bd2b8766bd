//! `to_char`, `to_timestamp` and `to_date` with templates as PostgreSQL has them: `YYYY-MM-DD HH24:MI`.
//!
//! The engine's own templates have a `%` before each field (`%Y-%m-%d`); those without one were copied to every row, or
//! refused.

mod pattern;
mod read;
mod write;

use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{
    Array, ArrayRef, AsArray as _, StringArray, StringBuilder, TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use arrow::temporal_conversions::as_datetime_with_timezone;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF};
use schemas::column::UTC;

use super::over::{self, Way};
use pattern::Pattern;

/// What a template is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    /// A time as text.
    Char,
    /// A text as a time, or a day.
    Time,
}

/// The functions that take templates, for whatever the engine has under their names.
pub(super) fn over(known: impl Fn(&str) -> Option<Arc<ScalarUDF>>) -> Vec<ScalarUDF> {
    let kinds = [("to_char", Kind::Char), ("to_timestamp", Kind::Time), ("to_date", Kind::Time)];
    let functions = kinds.into_iter().filter_map(|(name, kind)| Some((known(name)?, kind)));
    functions.map(|(function, kind)| over::over(function, kind)).collect()
}

/// The one template of a call, if it is of PostgreSQL.
fn pattern(args: &[ColumnarValue]) -> Option<Pattern> {
    let [_, ColumnarValue::Scalar(template)] = args else { return None };
    let template = template.try_as_str().flatten()?;
    (!template.contains('%')).then(|| Pattern::parse(template))
}

impl Way for Kind {
    fn call(&self, function: &ScalarUDF, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(pattern) = pattern(&args.args) else { return function.invoke_with_args(args) };
        let is_one = matches!(args.args.first(), Some(ColumnarValue::Scalar(_)));
        let of = ColumnarValue::values_to_arrays(&args.args)?;
        let Some(of) = of.first() else { return function.invoke_with_args(args) };
        let values = match self {
            Self::Char => written(of, &pattern)?,
            Self::Time => read(of, &pattern)?,
        };
        let values = cast(&values, args.return_type())?;
        if is_one {
            let one = datafusion::common::ScalarValue::try_from_array(&values, 0)?;
            return Ok(ColumnarValue::Scalar(one));
        }
        Ok(ColumnarValue::Array(values))
    }
}

fn written(of: &ArrayRef, pattern: &Pattern) -> Result<ArrayRef> {
    let zone = match of.data_type() {
        DataType::Timestamp(_, zone) => zone.clone(),
        DataType::Date32 | DataType::Date64 => None,
        other => return exec_err!("a template such as 'YYYY-MM-DD' is for times, not for {other}"),
    };
    let name = zone.as_deref().unwrap_or(UTC);
    let zone: Tz = name.parse()?;
    let times = cast(of, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
    let times = times.as_primitive::<TimestampMicrosecondType>();
    let (mut texts, mut text) = (StringBuilder::new(), String::new());
    for time in times {
        let local =
            time.and_then(|us| as_datetime_with_timezone::<TimestampMicrosecondType>(us, zone));
        let Some(local) = local else {
            texts.append_null();
            continue;
        };
        text.clear();
        write::write(pattern, &local, name, &mut text);
        texts.append_value(&text);
    }
    Ok(Arc::new(texts.finish()))
}

fn read(of: &ArrayRef, pattern: &Pattern) -> Result<ArrayRef> {
    let texts = cast(of, &DataType::Utf8)?;
    let texts: &StringArray = texts.as_string();
    let mut times = TimestampMicrosecondArray::builder(texts.len());
    for text in texts {
        match text.map(|text| (text, read::read(pattern, text))) {
            None => times.append_null(),
            Some((_, Some(us))) => times.append_value(us),
            Some((text, None)) => {
                return exec_err!("'{text}' is not written as the template '{pattern}' says");
            }
        }
    }
    Ok(Arc::new(times.finish().with_timezone(UTC)))
}
