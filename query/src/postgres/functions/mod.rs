//! Functions that clients of PostgreSQL expect: about the catalogue, the connection, and how names are written.

mod format;
pub(super) mod listed;
mod names;
pub(super) mod times;
mod told;

use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature,
    Volatility,
};

/// What a function gives.
#[derive(Debug, Clone, Copy)]
enum Of {
    /// Something that depends on the values.
    By(fn(&[ScalarValue]) -> Result<ScalarValue>),
    /// Always this.
    Same(&'static str),
}

/// A function, evaluated row by row: what they are asked about is small.
#[derive(Debug)]
struct Function {
    name: &'static str,
    gives: fn(&[DataType]) -> DataType,
    of: Of,
    signature: Signature,
}

impl Function {
    fn by(
        name: &'static str,
        gives: fn(&[DataType]) -> DataType,
        of: fn(&[ScalarValue]) -> Result<ScalarValue>,
    ) -> ScalarUDF {
        Self::giving(name, gives, Of::By(of))
    }

    fn giving(name: &'static str, gives: fn(&[DataType]) -> DataType, of: Of) -> ScalarUDF {
        // Whatever they are given: unknown functions of many arguments answer as if nothing was there.
        let any = vec![TypeSignature::Nullary, TypeSignature::VariadicAny];
        let signature = Signature::one_of(any, Volatility::Immutable);
        ScalarUDF::from(Self { name, gives, of, signature })
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, of: &[DataType]) -> Result<DataType> {
        Ok((self.gives)(of))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_one = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if is_one { 1 } else { args.number_rows };
        let empty = ScalarValue::try_from(args.return_type())?;
        if rows == 0 {
            return Ok(ColumnarValue::Array(empty.to_array_of_size(0)?));
        }
        let mut values = Vec::with_capacity(rows);
        for row in 0..rows {
            let of = args.args.iter().map(|arg| match arg {
                ColumnarValue::Scalar(value) => Ok(value.clone()),
                ColumnarValue::Array(array) => ScalarValue::try_from_array(array, row),
            });
            let of: Vec<ScalarValue> = of.collect::<Result<_>>()?;
            let value = match self.of {
                Of::By(by) => by(&of)?,
                Of::Same(text) => text.into(),
            };
            values.push(value.cast_to(args.return_type())?);
        }
        match <[ScalarValue; 1]>::try_from(values) {
            Ok([one]) if is_one => Ok(ColumnarValue::Scalar(one)),
            Ok(one) => Ok(ColumnarValue::Array(ScalarValue::iter_to_array(one)?)),
            Err(values) => Ok(ColumnarValue::Array(ScalarValue::iter_to_array(values)?)),
        }
    }
}

/// Every function.
pub(super) static FUNCTIONS: LazyLock<Vec<Arc<ScalarUDF>>> = LazyLock::new(|| {
    let all = names::functions().into_iter().chain(told::functions());
    all.chain([format::function()]).chain(times::functions()).map(Arc::new).collect()
});

/// A text among values.
fn text(of: Option<&ScalarValue>) -> Option<String> {
    of?.try_as_str().flatten().map(str::to_owned)
}

/// A whole number among values, as text or as a number.
fn number(of: Option<&ScalarValue>) -> Option<i64> {
    let of = of?;
    match text(Some(of)) {
        Some(text) => text.trim().parse().ok(),
        None => match of.cast_to(&DataType::Int64).ok()? {
            ScalarValue::Int64(number) => number,
            _ => None,
        },
    }
}

fn of_text(text: Option<String>) -> ScalarValue {
    ScalarValue::Utf8(text)
}

fn gives_text(_: &[DataType]) -> DataType {
    DataType::Utf8
}

fn gives_number(_: &[DataType]) -> DataType {
    DataType::Int64
}

fn gives_bool(_: &[DataType]) -> DataType {
    DataType::Boolean
}

fn gives_texts(_: &[DataType]) -> DataType {
    DataType::new_list(DataType::Utf8, true)
}

fn of_texts(texts: &[&str]) -> ScalarValue {
    let values: Vec<ScalarValue> = texts.iter().map(|text| ScalarValue::from(*text)).collect();
    ScalarValue::List(ScalarValue::new_list_nullable(&values, &DataType::Utf8))
}
