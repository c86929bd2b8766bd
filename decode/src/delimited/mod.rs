//! Lines whose values stand in columns, by a header or in an order that is known: CSV, and what content networks write with
//! blanks or tabs between.
//!
//! The columns have the names of the keys of a JSON dialect, whose table says what they feed.

mod layouts;

use std::ops::Range;

use crate::json::{Fed, FieldMap, PERCENT_SLOTS, fed_by, letters_of};
use crate::line::sound::is_address;
use crate::line::{Fit, FormatError};
use crate::record::{Escape, Record, Slot};
use crate::request::is_method;

pub(crate) use layouts::Layouts;

/// Columns of a line, at most.
const COLUMNS_MAX: usize = 512;

/// Names that a header must have at least.
const NAMES_MIN: usize = 4;

/// Longest name in a header.
const NAME_BYTES_MAX: usize = 64;

/// What may stand between columns where no header shows it, in the order in which it is tried.
const DELIMITERS: [u8; 5] = [b'\t', b',', b'|', b';', b' '];

/// Reads lines whose columns are known.
#[derive(Debug, Clone)]
pub struct Delimited {
    columns: Vec<Option<Fed>>,
    /// `None` where each line tells it.
    delimiter: Option<u8>,
    /// The values of [`PERCENT_SLOTS`] are written `%XX`.
    is_percent: bool,
}

/// A value in a line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cell {
    /// Where its text is.
    pub(crate) bytes: Range<usize>,
    /// Quotes stand around it, and each inside is written twice.
    pub(crate) is_quoted: bool,
}

impl Delimited {
    /// A plan for columns with these names, as in a header with commas, tabs, bars or semicolons between them, or with blanks
    /// where the lines tell what is between theirs. `any_spelling` takes names by their letters alone.
    ///
    /// # Errors
    /// [`FormatError::NoTime`] when none of them holds a time.
    pub fn new(names: &str, fields: &FieldMap, any_spelling: bool) -> Result<Self, FormatError> {
        let delimiter = delimiter_of(names);
        let columns = names_of(names, delimiter).map(|name| column(name, fields, any_spelling));
        let columns: Vec<Option<Fed>> = columns.take(COLUMNS_MAX).collect();
        let plan = Self { columns, delimiter, is_percent: false };
        if plan.feeds(&[Slot::Time, Slot::Start, Slot::Date]) {
            Ok(plan)
        } else {
            Err(FormatError::NoTime)
        }
    }

    /// The same plan for a dialect that writes the values of headers `%XX`.
    #[must_use]
    pub const fn with_percent(mut self, is_percent: bool) -> Self {
        self.is_percent = is_percent;
        self
    }

    fn feeds(&self, slots: &[Slot]) -> bool {
        self.columns.iter().flatten().any(|column| slots.contains(&column.target.slot))
    }

    /// How many columns feed something, if they make an access record: a time, a target, and who asked or what came of it.
    pub(crate) fn of_record(&self) -> Option<usize> {
        let target = [Slot::Uri, Slot::Path, Slot::Request];
        let is_record = self.feeds(&target) && self.feeds(&[Slot::ClientIp, Slot::Status]);
        is_record.then(|| self.columns.iter().flatten().count())
    }

    /// Fills `record` from a line that has exactly these columns.
    pub fn decode<'a>(&self, line: &'a str, record: &mut Record<'a>) -> Fit {
        record.is_text = true;
        let all = &DELIMITERS[..];
        let own = self.delimiter.as_ref().map(std::slice::from_ref);
        for delimiter in own.unwrap_or(all) {
            record.clear();
            record.is_text = true;
            if self.read(line, *delimiter, record) && is_sound(record) {
                return Fit::Whole;
            }
        }
        Fit::No
    }

    fn read<'a>(&self, line: &'a str, delimiter: u8, record: &mut Record<'a>) -> bool {
        let mut from = Some(0);
        for column in &self.columns {
            let Some(start) = from else { return false };
            let Some((cell, next)) = cell(line, start, delimiter) else { return false };
            if let Some(Fed { target, adjust }) = column {
                let text = line.get(cell.bytes).unwrap_or_default();
                let escape = if cell.is_quoted { Escape::Doubled } else { Escape::None };
                let value = target.value(text, escape);
                let value = adjust.map_or(Some(value), |adjust| adjust.apply(value));
                if let Some(value) = value {
                    record.set(target.slot, value);
                }
            }
            from = next;
        }
        if self.is_percent {
            record.escape_with(PERCENT_SLOTS, Escape::Percent);
        }
        from.is_none()
    }
}

/// The cell that begins at `start`, and where the next one does; `None` where a quote is not closed.
pub(crate) fn cell(line: &str, start: usize, delimiter: u8) -> Option<(Cell, Option<usize>)> {
    let bytes = line.as_bytes();
    let rest = bytes.get(start..)?;
    if rest.first() != Some(&b'"') {
        let end = memchr::memchr(delimiter, rest).map(|at| start + at);
        let bytes = start..end.unwrap_or(bytes.len());
        return Some((Cell { bytes, is_quoted: false }, end.map(|end| end + 1)));
    }
    let mut at = start + 1;
    loop {
        at += memchr::memchr(b'"', bytes.get(at..)?)?;
        match bytes.get(at + 1) {
            Some(b'"') => at += 2,
            None => return Some((Cell { bytes: start + 1..at, is_quoted: true }, None)),
            Some(byte) if *byte == delimiter => {
                return Some((Cell { bytes: start + 1..at, is_quoted: true }, Some(at + 2)));
            }
            Some(_) => return None,
        }
    }
}

/// Whether client, method and status can be such: in other columns they stand elsewhere.
fn is_sound(record: &Record<'_>) -> bool {
    let text = |slot| record.get(slot).map(|value| value.text);
    let is_status = |text: &str| text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    text(Slot::ClientIp).is_none_or(is_address)
        && text(Slot::Method).is_none_or(is_method)
        && text(Slot::Status).is_none_or(is_status)
}

/// What stands between the names of a header; `None` where blanks do.
fn delimiter_of(names: &str) -> Option<u8> {
    DELIMITERS
        .into_iter()
        .find(|byte| *byte != b' ' && memchr::memchr(*byte, names.as_bytes()).is_some())
}

fn names_of(names: &str, delimiter: Option<u8>) -> impl Iterator<Item = &str> {
    let delimiter = char::from(delimiter.unwrap_or(b' '));
    let names = names.trim_ascii().split(delimiter);
    let names = names.map(|name| name.trim_ascii().trim_matches('"'));
    names.filter(move |name| delimiter != ' ' || !name.is_empty())
}

/// What the column of that name feeds.
fn column(name: &str, fields: &FieldMap, any_spelling: bool) -> Option<Fed> {
    let letters = letters_of(name);
    fed_by(fields, |key| key == name || any_spelling && letters_of(key) == letters)
}

/// Whether a line can be the header of columns: names, and nothing else.
fn may_be_header(line: &str) -> bool {
    let Some(delimiter) = delimiter_of(line) else { return false };
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || "_-.()@: ".contains(c);
    let is_name = |name: &str| {
        (1..=NAME_BYTES_MAX).contains(&name.len())
            && name.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '@'))
            && name.chars().all(is_of_name)
    };
    let names = || names_of(line, Some(delimiter));
    (NAMES_MIN..=COLUMNS_MAX).contains(&names().count()) && names().all(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(line: &str) -> Option<Vec<&str>> {
        let (mut cells, mut from) = (Vec::new(), Some(0));
        while let Some(start) = from {
            let (found, next) = cell(line, start, b',')?;
            cells.push(&line[found.bytes]);
            from = next;
        }
        Some(cells)
    }

    #[test]
    fn cells_end_at_commas_that_are_not_in_quotes() {
        for (line, expected) in [
            ("a,b,,c", Some(vec!["a", "b", "", "c"])),
            (r#""a,b","c""d",e"#, Some(vec!["a,b", r#"c""d"#, "e"])),
            ("a,", Some(vec!["a", ""])),
            (r#""","#, Some(vec!["", ""])),
            (r#"a"b,c"#, Some(vec![r#"a"b"#, "c"])),
            (r#""a"b,c"#, None),
            (r#""a,b"#, None),
        ] {
            assert_eq!(cells(line), expected, "{line}");
        }
    }

    #[test]
    fn headers_are_names() {
        for (line, is_header) in [
            ("ClientIP,EdgeEndTimestamp,\"ClientRequestURI\",EdgeResponseStatus", true),
            ("c-ip\tcs(User-Agent)\tdate\ttime", true),
            ("192.0.2.1,a,b,c", false),
            ("a,b,c", false),
            ("a,b,,d", false),
            ("a,b,c,/d", false),
            ("a b c d e", false),
        ] {
            assert_eq!(may_be_header(line), is_header, "{line}");
        }
    }
}
