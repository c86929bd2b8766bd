//! For the law of fingerprints, which needs a query engine and so stands in `query`: rows as the detector sees them,
//! and rules drawn from them. No part of the API.

use schemas::RequestBatch;

use crate::explain::rule::{Atom, Rule};
use crate::explain::sql;
use crate::math::hash::Hasher;
use crate::record::column::Column;
use crate::record::columns::Columns;
use crate::record::event::Event;
use crate::record::names::Names;
use crate::record::words::Classes;
use crate::store::cache::Cache;

/// Rows of a batch as the detector keeps them.
#[derive(Debug)]
pub struct Rows {
    events: Vec<Event>,
    names: Names,
}

/// A disjunction of rules: its text, where it has one, and the rows whose records it selects.
#[derive(Debug, Clone)]
pub struct Selection {
    /// SQL predicate over `requests`.
    pub sql: Option<String>,
    /// Numbers of the rows.
    pub rows: Vec<usize>,
}

impl Rows {
    /// Rows of a batch, with all of their texts.
    pub fn of(batch: &RequestBatch, hash_key: u64) -> Self {
        let (columns, hasher) = (Columns::of(batch), Hasher::new(hash_key));
        let (mut classes, mut remembered) = (Classes::default(), Cache::default());
        let mut rows = Self { events: Vec::new(), names: Names::default() };
        for row in 0..batch.rows() {
            let texts = columns.texts(row);
            let event = columns.event(row, &texts, &hasher, &mut classes);
            rows.names.remember(&event, &texts, &mut remembered);
            rows.events.push(event);
        }
        rows
    }

    /// One or two rules that select some of the rows, of up to three conjuncts with up to four values each; `draw(n)`
    /// is a number below `n`.
    pub fn draw(&self, draw: &mut dyn FnMut(usize) -> usize) -> Selection {
        let mut rules = Vec::new();
        for _ in 0..=draw(2) {
            // the first values of all conjuncts come from one record, so that it is selected
            let first = draw(self.events.len().max(1));
            let atoms = (0..=draw(3)).map(|_| self.atom(first, draw)).collect();
            rules.push(Rule { atoms });
        }
        let selects = |event: &Event| rules.iter().any(|rule| rule.matches(event));
        let rows = self.events.iter().enumerate().filter(|(_, event)| selects(event));
        Selection { sql: sql::any(&rules, &self.names), rows: rows.map(|(row, _)| row).collect() }
    }

    fn atom(&self, first: usize, draw: &mut dyn FnMut(usize) -> usize) -> Atom {
        let mut shown: Vec<Event> = self.events.get(first).copied().into_iter().collect();
        for _ in 0..draw(4) {
            shown.extend(self.events.get(draw(self.events.len().max(1))));
        }
        let of = |column: Column| {
            let values = shown.iter().map(|event| column.of(event)).collect();
            Atom::OneOf(column, sorted(values))
        };
        let kinds = Column::ALL.len();
        match draw(kinds + 4) {
            kind if kind == kinds + 3 => begins(Column::Query, &shown, draw),
            kind if kind == kinds => begins(Column::Path, &shown, draw),
            kind if kind == kinds + 1 => {
                Atom::Source(sorted(shown.iter().map(|event| event.source).collect()))
            }
            kind if kind == kinds + 2 => {
                Atom::Prefix(sorted(shown.iter().map(|event| event.source.prefix()).collect()))
            }
            kind => of(Column::ALL[kind]),
        }
    }
}

/// A beginning that the first record shows of a column; of a record without one, what cannot be written.
fn begins(column: Column, shown: &[Event], draw: &mut dyn FnMut(usize) -> usize) -> Atom {
    let all = column.facts().beginnings;
    let of = all.get(draw(all.len().max(1)));
    Atom::Begins(column, of.zip(shown.first()).map_or(0, |(of, event)| of(event)))
}

fn sorted<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values.dedup();
    values
}
