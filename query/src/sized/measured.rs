//! A function whose results are measured before they are made.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::concat;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::{Result, exec_err, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};

use super::given::Given;
use super::growth::Bound;

/// Bytes that rows may come to, at most, that are made at once; and one value. A choice, a small part of the memory of a query.
const PIECE_BYTES: u64 = 32 << 20;

/// Bytes that all rows of a batch may come to. A choice: sixteen kilobytes in each of its rows.
const BATCH_BYTES: u64 = 128 << 20;

/// Bytes of a text that is made of values in the statement alone: it may be put beside each row of a batch, eight thousand
/// times over. A choice, half of a batch.
const CONSTANT_TEXT_BYTES: u64 = 8 << 10;

/// The same of a list: a minute each of ninety days. It is mostly taken apart again.
const CONSTANT_LIST_BYTES: u64 = 1 << 20;

/// A function of the engine, and the most that it makes of a row.
#[derive(Debug)]
pub(super) struct Measured {
    inner: Arc<ScalarUDF>,
    bound: Bound,
}

impl PartialEq for Measured {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl Eq for Measured {}

impl Hash for Measured {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

impl Measured {
    /// - `bound`: bytes that it makes of a row at most.
    pub(super) const fn new(inner: Arc<ScalarUDF>, bound: Bound) -> Self {
        Self { inner, bound }
    }

    fn refused<T>(&self, bytes: u64, of: &str, most: u64) -> Result<T> {
        let name = self.inner.name();
        let what = if name == SAME { "`||`" } else { name };
        exec_err!(
            "{what} would make {bytes} bytes of {of}, more than {most}: ask for less of it, or of fewer rows"
        )
    }

    /// Rows up to which the results come to no more than a piece, one behind the other, if they are several; and bytes of all
    /// at most.
    fn pieces(&self, given: &Given, rows: usize) -> Result<Vec<usize>> {
        let (mut ends, mut piece) = (Vec::new(), 0_u64);
        for row in 0..rows {
            let bytes = (self.bound)(given, row);
            if bytes > PIECE_BYTES {
                return self.refused(bytes, "one row", PIECE_BYTES);
            }
            if piece + bytes > PIECE_BYTES {
                ends.push(row);
                piece = 0;
            }
            piece += bytes;
        }
        ends.push(rows);
        Ok(ends)
    }

    fn piece_by_piece(&self, args: &ScalarFunctionArgs, ends: &[usize]) -> Result<ColumnarValue> {
        let (mut begin, mut bytes) = (0, 0_u64);
        let mut parts: Vec<ArrayRef> = Vec::new();
        for end in ends {
            let rows = end - begin;
            let of = args.args.iter().map(|arg| match arg {
                ColumnarValue::Array(values) => ColumnarValue::Array(values.slice(begin, rows)),
                one @ ColumnarValue::Scalar(_) => one.clone(),
            });
            let piece =
                ScalarFunctionArgs { args: of.collect(), number_rows: rows, ..args.clone() };
            let part = self.inner.invoke_with_args(piece)?.into_array(rows)?;
            bytes += Given::of(&[ColumnarValue::Array(ArrayRef::clone(&part))])?.sum(0, rows);
            if bytes > BATCH_BYTES {
                return self.refused(bytes, "a batch of rows", BATCH_BYTES);
            }
            parts.push(part);
            begin = *end;
        }
        let parts: Vec<&dyn arrow::array::Array> = parts.iter().map(AsRef::as_ref).collect();
        Ok(ColumnarValue::Array(concat(&parts)?))
    }
}

impl ScalarUDFImpl for Measured {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, of: &[DataType]) -> Result<DataType> {
        self.inner.return_type(of)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.inner.return_field_from_args(args)
    }

    fn coerce_types(&self, of: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(of)
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let inner = Arc::new(self.inner.inner().with_updated_config(config)?);
        Some(ScalarUDF::from(Self { inner, bound: self.bound }))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let given = Given::of(&args.args)?;
        if args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_))) {
            let is_text = !matches!(args.return_type(), DataType::List(_) | DataType::LargeList(_));
            let most = if is_text { CONSTANT_TEXT_BYTES } else { CONSTANT_LIST_BYTES };
            let bytes = (self.bound)(&given, 0);
            // A bound may be far beyond what comes: what may yet be right is made, and looked at.
            if bytes > PIECE_BYTES {
                return self.refused(bytes, "one row", PIECE_BYTES);
            }
            let made = self.inner.invoke_with_args(args)?;
            let made_bytes = Given::of(std::slice::from_ref(&made))?.bytes(0, 0);
            if made_bytes > most {
                return self.refused(made_bytes, "values in the statement", most);
            }
            return Ok(made);
        }
        match self.pieces(&given, args.number_rows)?.as_slice() {
            [_] => self.inner.invoke_with_args(args),
            ends => self.piece_by_piece(&args, ends),
        }
    }
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
