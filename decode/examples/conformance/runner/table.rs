//! How many cases went how, by source and format.

use std::collections::BTreeMap;
use std::fmt;

use super::case::Case;
use super::compare::{Outcome, Verdict};
use super::read::Found;

const HEADS: [&str; 6] = ["cases", "rows", "equal", "differ", "missed", "not compared"];

/// The counts in the order of [`HEADS`].
type Counts = [usize; HEADS.len()];

/// Source, format and counts, as text.
type Line = [String; 2 + HEADS.len()];

/// Counts by source and format.
#[derive(Debug, Default)]
pub(crate) struct Table {
    groups: BTreeMap<(String, String), Counts>,
}

impl Table {
    /// Counts a case.
    pub(crate) fn count(&mut self, case: &Case, found: &Found, verdict: &Verdict) {
        let group = self.groups.entry((case.source.clone(), case.format.clone())).or_default();
        let is = |outcome| usize::from(verdict.outcome == outcome);
        let added: Counts = [
            1,
            usize::from(matches!(found, Found::Row(..))),
            is(Outcome::Equal),
            is(Outcome::Differs),
            is(Outcome::Missed),
            verdict.not_compared,
        ];
        add(group, &added);
    }
}

fn add(counts: &mut Counts, added: &Counts) {
    for (count, more) in counts.iter_mut().zip(added) {
        *count += more;
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut total = Counts::default();
        let mut lines: Vec<Line> = vec![row("source", "format", HEADS)];
        for ((source, format), counts) in &self.groups {
            add(&mut total, counts);
            lines.push(row(source, format, counts.map(|count| count.to_string())));
        }
        if self.groups.len() > 1 {
            lines.push(row("all", "", total.map(|count| count.to_string())));
        }
        let mut widths = [0; 2 + HEADS.len()];
        for line in &lines {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = cell.chars().count().max(*width);
            }
        }
        for line in &lines {
            let mut text = String::new();
            for (index, (cell, width)) in line.iter().zip(widths).enumerate() {
                let cell = if index < 2 {
                    format!("{cell:<width$}  ")
                } else {
                    format!("{cell:>width$}  ")
                };
                text.push_str(&cell);
            }
            writeln!(f, "{}", text.trim_ascii_end())?;
        }
        Ok(())
    }
}

fn row<T: Into<String>>(source: &str, format: &str, counts: [T; HEADS.len()]) -> Line {
    let mut cells =
        [source.to_owned(), format.to_owned()].into_iter().chain(counts.map(Into::into));
    std::array::from_fn(|_| cells.next().unwrap_or_default())
}
