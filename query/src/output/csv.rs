//! CSV: a line a row, with what is null apart from what is empty.
//!
//! Null is nothing, an empty text is `""`. A text that a spreadsheet would run as a formula is preceded by `'`, as OWASP
//! advises ("CSV Injection"): an attacker chooses paths and user agents.

use std::io::Write;

use arrow::array::{Array as _, RecordBatch};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::WriteError;
use super::plain::{self, Nested};

/// Writes rows as CSV.
pub(crate) struct CsvWriter<'a> {
    out: Box<dyn Write + Send + 'a>,
    schema: SchemaRef,
}

impl<'a> CsvWriter<'a> {
    /// Writes the header.
    pub(crate) fn start(
        schema: &SchemaRef,
        mut out: Box<dyn Write + Send + 'a>,
    ) -> Result<Self, WriteError> {
        let schema = plain::schema(schema, Nested::AsJson);
        let mut line = String::new();
        for (index, field) in schema.fields().iter().enumerate() {
            separate(&mut line, index);
            text(&mut line, field.name());
        }
        line.push('\n');
        out.write_all(line.as_bytes())?;
        Ok(Self { out, schema })
    }

    /// Writes the rows of `batch`.
    pub(crate) fn batch(&mut self, batch: &RecordBatch) -> Result<(), WriteError> {
        let rows = plain::rows(batch, &self.schema, Nested::AsJson)?;
        let options = FormatOptions::default();
        let columns = rows.columns().iter();
        let columns = columns
            .map(|of| ArrayFormatter::try_new(of, &options))
            .collect::<Result<Vec<_>, _>>()?;
        let texts = are_texts(&self.schema);
        let mut line = String::new();
        let mut value = String::new();
        for row in 0..rows.num_rows() {
            line.clear();
            for (index, (column, shown)) in rows.columns().iter().zip(&columns).enumerate() {
                separate(&mut line, index);
                if column.is_null(row) {
                    continue;
                }
                value.clear();
                shown.value(row).write(&mut value)?;
                if texts.get(index) == Some(&true) {
                    text(&mut line, &value);
                } else {
                    line.push_str(&value);
                }
            }
            line.push('\n');
            self.out.write_all(line.as_bytes())?;
        }
        Ok(())
    }

    /// Writes what is held back.
    pub(crate) fn finish(mut self) -> Result<(), WriteError> {
        Ok(self.out.flush()?)
    }
}

fn are_texts(schema: &Schema) -> Vec<bool> {
    let is_text = |of: &DataType| of.is_string();
    schema.fields().iter().map(|field| is_text(field.data_type())).collect()
}

fn separate(line: &mut String, index: usize) {
    if index > 0 {
        line.push(',');
    }
}

/// Whether a spreadsheet would run a text. A lone `-` is how logs write nothing.
fn is_formula(text: &str) -> bool {
    text.len() > 1 && text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// Writes a text, quoted where it must be.
fn text(line: &mut String, text: &str) {
    let guard = is_formula(text);
    if !guard && !text.is_empty() && !text.contains(['"', ',', '\n', '\r']) {
        line.push_str(text);
        return;
    }
    line.push('"');
    if guard {
        line.push('\'');
    }
    line.push_str(&text.replace('"', "\"\""));
    line.push('"');
}
