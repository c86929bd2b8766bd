//! Columns in another type, for those who were told it.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::util::display::FormatOptions;

/// A value that does not fit is an error, never a null.
const STRICT: CastOptions<'static> =
    CastOptions { safe: false, format_options: FormatOptions::new() };

/// `column` as `to`.
///
/// # Errors
/// When a value does not fit.
pub(crate) fn strict(column: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    if column.data_type() == to {
        Ok(Arc::clone(column))
    } else {
        cast_with_options(column, to, &STRICT)
    }
}
