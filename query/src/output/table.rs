//! `table`: aligned columns, or a block a row.
//!
//! Column widths come from the first [`SAMPLE_ROWS`] rows; later rows are written as they come, so that an answer
//! of any size needs little memory.

use std::io::Write;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::SchemaRef;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use schemas::text::escape;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::plain::{self, Nested};
use super::{Layout, OutputOptions, WriteError};

/// Rows from which the column widths are taken.
const SAMPLE_ROWS: usize = 1_000;

/// A column is not made narrower than this to fit the terminal.
const NARROW_MIN: usize = 16;

/// Between two columns: ` | `.
const GAP: usize = 3;

/// Stands where a value was cut to fit.
const CUT: char = '…';

/// Columns of the rule above a block where there is no terminal to ask.
const RULE_COLUMNS: usize = 40;

/// Writes rows for people.
pub(crate) struct TableWriter<'a> {
    out: Box<dyn Write + Send + 'a>,
    schema: SchemaRef,
    names: Vec<String>,
    terminal_columns: Option<usize>,
    layout: Layout,
    /// Rows held back until the layout is decided.
    sample: Vec<Vec<String>>,
    shape: Option<Shape>,
    rows: u64,
}

/// The layout, once decided.
enum Shape {
    /// Aligned columns; wider values are cut to fit a terminal and stick out elsewhere.
    Columns { widths: Vec<usize>, cut: bool },
    /// A block a row, with names of this width.
    Blocks(usize),
}

impl<'a> TableWriter<'a> {
    pub(crate) fn new(
        schema: &SchemaRef,
        options: &OutputOptions,
        out: Box<dyn Write + Send + 'a>,
    ) -> Self {
        let schema = plain::schema(schema, Nested::Keep);
        let names = schema.fields().iter().map(|f| escape(f.name()).into_owned()).collect();
        Self {
            out,
            schema,
            names,
            terminal_columns: options.terminal_columns,
            layout: options.layout,
            sample: Vec::new(),
            shape: None,
            rows: 0,
        }
    }

    pub(crate) fn batch(&mut self, batch: &RecordBatch) -> Result<(), WriteError> {
        let batch = plain::rows(batch, &self.schema, Nested::Keep)?;
        let options = FormatOptions::default();
        let columns: Result<Vec<ArrayFormatter<'_>>, _> =
            batch.columns().iter().map(|c| ArrayFormatter::try_new(c.as_ref(), &options)).collect();
        let columns = columns?;
        for row in 0..batch.num_rows() {
            let mut cells = Vec::with_capacity(columns.len());
            for (column, array) in columns.iter().zip(batch.columns()) {
                let value = if array.is_null(row) {
                    String::new()
                } else {
                    column.value(row).try_to_string()?
                };
                cells.push(escape(&value).into_owned());
            }
            self.row(cells)?;
        }
        Ok(())
    }

    fn row(&mut self, cells: Vec<String>) -> Result<(), WriteError> {
        self.rows += 1;
        if let Some(shape) = &self.shape {
            return write_row(&mut self.out, shape, &self.schema, &self.names, (self.rows, &cells));
        }
        self.sample.push(cells);
        if self.sample.len() == SAMPLE_ROWS { self.decide() } else { Ok(()) }
    }

    /// Decides on the layout and writes what was held back.
    fn decide(&mut self) -> Result<(), WriteError> {
        let shape = self.fitting();
        if let Shape::Columns { widths, .. } = &shape {
            write_header(&mut self.out, &self.names, widths)?;
        }
        for (row, cells) in (1..).zip(&self.sample) {
            write_row(&mut self.out, &shape, &self.schema, &self.names, (row, cells))?;
        }
        self.sample = Vec::new();
        self.shape = Some(shape);
        Ok(())
    }

    fn fitting(&self) -> Shape {
        let blocks =
            || Shape::Blocks(self.names.iter().map(|name| name.width()).max().unwrap_or_default());
        if self.layout == Layout::Expanded {
            return blocks();
        }
        let mut widths: Vec<usize> = self.names.iter().map(|name| name.width()).collect();
        for cells in &self.sample {
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = (*width).max(cell.width());
            }
        }
        let Some(terminal) = self.terminal_columns else {
            return Shape::Columns { widths, cut: false };
        };
        match (shrink(&widths, terminal), self.layout) {
            (Some(widths), _) => Shape::Columns { widths, cut: true },
            (None, Layout::Columns) => Shape::Columns { widths, cut: false },
            (None, Layout::Auto | Layout::Expanded) => blocks(),
        }
    }

    pub(crate) fn finish(mut self) -> Result<(), WriteError> {
        if self.shape.is_none() {
            if self.sample.is_empty() {
                self.layout = Layout::Columns;
            }
            self.decide()?;
        }
        let plural = if self.rows == 1 { "" } else { "s" };
        writeln!(self.out, "({} row{plural})", self.rows)?;
        Ok(self.out.flush()?)
    }
}

/// Widths that fit `terminal`, the widest columns cut first; `None` when that would leave too little.
fn shrink(widths: &[usize], terminal: usize) -> Option<Vec<usize>> {
    let total = |cap: usize| -> usize {
        widths.iter().map(|&width| width.min(cap)).sum::<usize>()
            + GAP * widths.len().saturating_sub(1)
            + 2
    };
    let widest = widths.iter().copied().max().unwrap_or_default();
    let cap = (NARROW_MIN.min(widest)..=widest).rev().find(|&cap| total(cap) <= terminal)?;
    Some(widths.iter().map(|&width| width.min(cap)).collect())
}

fn write_header(out: &mut dyn Write, names: &[String], widths: &[usize]) -> Result<(), WriteError> {
    let mut line = String::new();
    let mut rule = String::new();
    for (index, (name, &width)) in names.iter().zip(widths).enumerate() {
        if index > 0 {
            line.push('|');
            rule.push('+');
        }
        line.push(' ');
        push_cell(&mut line, name, width, false);
        line.push(' ');
        rule.push_str(&"-".repeat(width + 2));
    }
    writeln!(out, "{}\n{rule}", line.trim_end())?;
    Ok(())
}

fn write_row(
    out: &mut dyn Write,
    shape: &Shape,
    schema: &SchemaRef,
    names: &[String],
    (row, cells): (u64, &[String]),
) -> Result<(), WriteError> {
    match shape {
        Shape::Columns { widths, cut } => {
            let mut line = String::new();
            for (index, (cell, &width)) in cells.iter().zip(widths).enumerate() {
                line.push_str(if index > 0 { "| " } else { " " });
                let right = plain::is_right_aligned(schema.field(index).data_type());
                if *cut && cell.width() > width {
                    push_cut(&mut line, cell, width);
                } else {
                    push_cell(&mut line, cell, width, right);
                }
                line.push(' ');
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Shape::Blocks(width) => {
            let head = format!("-[ {row} ]");
            writeln!(out, "{head}{}", "-".repeat(RULE_COLUMNS.saturating_sub(head.len())))?;
            for (name, cell) in names.iter().zip(cells) {
                let mut line = String::new();
                push_cell(&mut line, name, *width, false);
                writeln!(out, "{}", format!("{line} | {cell}").trim_end())?;
            }
        }
    }
    Ok(())
}

/// `cell` padded to `width` terminal columns.
fn push_cell(line: &mut String, cell: &str, width: usize, right: bool) {
    let padding = " ".repeat(width.saturating_sub(cell.width()));
    let (before, after) = if right { (padding.as_str(), "") } else { ("", padding.as_str()) };
    line.push_str(before);
    line.push_str(cell);
    line.push_str(after);
}

/// The start of `cell` in `width` terminal columns, the last of which says that it was cut.
fn push_cut(line: &mut String, cell: &str, width: usize) {
    let mut used = 1;
    for c in cell.chars() {
        used += c.width().unwrap_or_default();
        if used > width {
            break;
        }
        line.push(c);
    }
    line.push(CUT);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_column_gives_way_first() {
        assert_eq!(shrink(&[10, 10], 25), Some(vec![10, 10]));
        assert_eq!(shrink(&[10, 100], 55), Some(vec![10, 40]));
        assert_eq!(shrink(&[100, 100], 30), None);
    }

    #[test]
    fn cells_are_padded_and_cut() {
        let cell = |text: &str, right| {
            let mut line = String::new();
            push_cell(&mut line, text, 4, right);
            line
        };
        assert_eq!(
            [cell("ab", false), cell("12", true), cell("日本語", false)],
            ["ab  ", "  12", "日本語"]
        );
        let cut = |text: &str, width| {
            let mut line = String::new();
            push_cut(&mut line, text, width);
            line
        };
        assert_eq!([cut("abcdef", 4), cut("日本語", 5)], ["abc…", "日本…"]);
    }
}
