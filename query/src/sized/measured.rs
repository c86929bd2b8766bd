//! A function whose results are measured before they are made.

use std::hash::{Hash, Hasher};

use arrow::array::ArrayRef;
use arrow::compute::concat;
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::given::Given;
use super::growth::Bound;
use crate::functions::over::Way;

/// Bytes that rows may come to, at most, that are made at once; and one value. A choice, a small part of the memory of a query.
const PIECE_BYTES: u64 = 32 << 20;

/// Bytes that all rows of a batch may come to. A choice: sixteen kilobytes in each of its rows.
const BATCH_BYTES: u64 = 128 << 20;

/// Bytes of a text that is made of values in the statement alone: it may be put beside each row of a batch, eight thousand
/// times over. A choice, half of a batch.
const CONSTANT_TEXT_BYTES: u64 = 8 << 10;

/// The same of a list: a minute each of ninety days. It is mostly taken apart again.
const CONSTANT_LIST_BYTES: u64 = 1 << 20;

/// Measures what a function makes.
#[derive(Debug, Clone)]
pub(super) struct Measured {
    /// The most that it makes of a row, bytes.
    pub(super) bound: Bound,
}

// It goes with the function, which is compared.
impl PartialEq for Measured {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Measured {}

impl Hash for Measured {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl Way for Measured {
    fn call(&self, function: &ScalarUDF, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let given = Given::of(&args.args)?;
        if args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_))) {
            return self.constant(function, args, &given);
        }
        match self.pieces(function, &given, args.number_rows)?.as_slice() {
            [_] => function.invoke_with_args(args),
            ends => piece_by_piece(function, &args, ends),
        }
    }
}

impl Measured {
    fn constant(
        &self,
        function: &ScalarUDF,
        args: ScalarFunctionArgs,
        given: &Given,
    ) -> Result<ColumnarValue> {
        let is_text = !matches!(args.return_type(), DataType::List(_) | DataType::LargeList(_));
        let most = if is_text { CONSTANT_TEXT_BYTES } else { CONSTANT_LIST_BYTES };
        // A bound may be far beyond what comes: what may yet be right is made, and looked at.
        allowed(function, (self.bound)(given, 0), "one row", PIECE_BYTES)?;
        let made = function.invoke_with_args(args)?;
        let bytes = Given::of(std::slice::from_ref(&made))?.bytes(0, 0);
        allowed(function, bytes, "values in the statement", most)?;
        Ok(made)
    }

    /// Rows up to which the results come to no more than a piece, one behind the other.
    fn pieces(&self, function: &ScalarUDF, given: &Given, rows: usize) -> Result<Vec<usize>> {
        let (mut ends, mut piece) = (Vec::new(), 0_u64);
        for row in 0..rows {
            let bytes = (self.bound)(given, row);
            allowed(function, bytes, "one row", PIECE_BYTES)?;
            if piece + bytes > PIECE_BYTES {
                ends.push(row);
                piece = 0;
            }
            piece += bytes;
        }
        ends.push(rows);
        Ok(ends)
    }
}

fn piece_by_piece(
    function: &ScalarUDF,
    args: &ScalarFunctionArgs,
    ends: &[usize],
) -> Result<ColumnarValue> {
    let (mut begin, mut bytes) = (0, 0_u64);
    let mut parts: Vec<ArrayRef> = Vec::new();
    for end in ends {
        let rows = end - begin;
        let of = args.args.iter().map(|arg| match arg {
            ColumnarValue::Array(values) => ColumnarValue::Array(values.slice(begin, rows)),
            one @ ColumnarValue::Scalar(_) => one.clone(),
        });
        let piece = ScalarFunctionArgs { args: of.collect(), number_rows: rows, ..args.clone() };
        let part = function.invoke_with_args(piece)?.into_array(rows)?;
        bytes += Given::of(&[ColumnarValue::Array(ArrayRef::clone(&part))])?.sum(0, rows);
        allowed(function, bytes, "a batch of rows", BATCH_BYTES)?;
        parts.push(part);
        begin = *end;
    }
    let parts: Vec<&dyn arrow::array::Array> = parts.iter().map(AsRef::as_ref).collect();
    Ok(ColumnarValue::Array(concat(&parts)?))
}

/// Refuses more than `most` bytes.
fn allowed(function: &ScalarUDF, bytes: u64, of: &str, most: u64) -> Result<()> {
    if bytes <= most {
        return Ok(());
    }
    let what = if function.name() == SAME { "`||`" } else { function.name() };
    exec_err!(
        "{what} would make {bytes} bytes of {of}, more than {most}: ask for less of it, or of fewer rows"
    )
}

/// Name of [`Same`].
const SAME: &str = "measured";

/// Its argument as it is.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Same {
    signature: Signature,
}

impl Default for Same {
    fn default() -> Self {
        Self { signature: Signature::any(1, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Same {
    fn name(&self) -> &'static str {
        SAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, of: &[DataType]) -> Result<DataType> {
        let [one] = of else { return internal_err!("one value") };
        Ok(one.clone())
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.args.pop() {
            Some(one) if args.args.is_empty() => Ok(one),
            _ => internal_err!("one value"),
        }
    }
}
