//! Values for the placeholders of a statement: `$1`, `$2` or `$name`.

use std::collections::HashMap;

use arrow::array::ArrayRef;
use datafusion::common::{ParamValues, ScalarValue};
use serde_json::Value;

use crate::error::QueryError;

/// Values for placeholders. They never become text of a statement, so nothing in them is SQL.
#[derive(Debug, Clone)]
pub struct Params {
    pub(crate) values: ParamValues,
}

impl Params {
    /// Values by place: the first is `$1`.
    pub fn list(values: Vec<ScalarValue>) -> Self {
        Self { values: values.into() }
    }

    /// Values by place, each the one value of its array.
    ///
    /// # Errors
    /// [`QueryError::Params`] for an array without a value.
    pub fn of_arrays(values: &[ArrayRef]) -> Result<Self, QueryError> {
        let scalar = |array: &ArrayRef| {
            let found = ScalarValue::try_from_array(array, 0);
            found.map_err(|error| QueryError::Params { message: error.to_string() })
        };
        Ok(Self::list(values.iter().map(scalar).collect::<Result<_, _>>()?))
    }

    /// From a JSON list, for `$1`, `$2`, …, or a JSON object, for `$name`.
    ///
    /// # Errors
    /// [`QueryError::Params`] for another JSON, and for a value that is a list or an object.
    pub fn from_json(json: &Value) -> Result<Self, QueryError> {
        match json {
            Value::Array(values) => {
                let scalars = (1..).zip(values).map(|(at, value)| scalar(&at.to_string(), value));
                Ok(Self::list(scalars.collect::<Result<_, _>>()?))
            }
            Value::Object(values) => {
                let scalars =
                    values.iter().map(|(name, value)| Ok((name.clone(), scalar(name, value)?)));
                let scalars: HashMap<String, ScalarValue> =
                    scalars.collect::<Result<_, QueryError>>()?;
                Ok(Self { values: scalars.into() })
            }
            _ => Err(QueryError::Params {
                message: "`params` is a list, for $1, $2, …, or an object, for $name".to_owned(),
            }),
        }
    }
}

fn scalar(name: &str, value: &Value) -> Result<ScalarValue, QueryError> {
    Ok(match value {
        Value::Null => ScalarValue::Null,
        Value::Bool(value) => (*value).into(),
        Value::String(value) => value.as_str().into(),
        Value::Number(value) => {
            let whole = value.as_i64().map(ScalarValue::from);
            whole.or_else(|| value.as_f64().map(ScalarValue::from)).unwrap_or(ScalarValue::Null)
        }
        Value::Array(_) | Value::Object(_) => {
            return Err(QueryError::Params {
                message: format!(
                    "`${name}` is a list or an object; a value is a text, a number, true, false or null"
                ),
            });
        }
    })
}
