//! The tables of the catalogue: their columns, as the manual of PostgreSQL 16 has them ("System Catalogs", "System
//! Views", "The Information Schema"), of those that clients ask for.
//!
//! A column is a text, unless letters behind its name say otherwise: `o` the number of an object, `l` a number of 64 bits, `i`
//! one of 32, `f` a fraction, `b` true or false, `z` a time, `T` texts, `S` numbers,
//! `c` one letter.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use schemas::column::UTC;

use super::kinds::{Kind, oid};
use super::relations::{SPACES, Space};

/// A table of the catalogue.
#[derive(Debug)]
pub(crate) struct Declared {
    /// Its number: that of PostgreSQL where it has one that never changes.
    pub(super) oid: i64,
    pub(super) space: Space,
    pub(super) name: &'static str,
    /// Whether it can have rows here: there are no indexes, no constraints, no triggers and so on.
    pub(super) has_rows: bool,
    columns: &'static str,
}

impl Declared {
    /// Its columns.
    pub(super) fn schema(&self) -> SchemaRef {
        let fields: Vec<Field> = self.columns.split(' ').map(field).collect();
        Arc::new(Schema::new(fields))
    }
}

fn field(written: &str) -> Field {
    let (name, letters) = written.split_once(':').unwrap_or((written, "t"));
    let of = match letters {
        "o" => DataType::UInt32,
        "l" => DataType::Int64,
        "i" => DataType::Int32,
        "f" => DataType::Float32,
        "b" => DataType::Boolean,
        "z" => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
        "T" => DataType::new_list(DataType::Utf8, true),
        "S" => DataType::new_list(DataType::Int64, true),
        _ => DataType::Utf8,
    };
    let field = Field::new(name, of, true);
    if letters == "c" { field.with_metadata(Kind::as_metadata(oid::CHAR)) } else { field }
}

/// The table of that name in that schema.
pub(super) fn declared(space: Space, name: &str) -> Option<&'static Declared> {
    DECLARED.iter().find(|of| of.space == space && of.name == name)
}

/// Every table.
pub(super) static DECLARED: LazyLock<Vec<Declared>> =
    LazyLock::new(|| include_str!("declared.txt").lines().filter_map(read).collect());

/// A line: number, schema, whether it can have rows, name, columns.
fn read(line: &'static str) -> Option<Declared> {
    let mut words = line.splitn(5, ' ');
    let (oid, space, rows) = (words.next()?.parse().ok()?, words.next()?, words.next()?);
    Some(Declared {
        oid,
        space: SPACES.into_iter().find(|of| of.name == space)?,
        has_rows: rows == "some",
        name: words.next()?,
        columns: words.next()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_table_of_its_own() {
        assert_eq!(DECLARED.len(), include_str!("declared.txt").lines().count());
        for one in DECLARED.iter() {
            let others = DECLARED
                .iter()
                .filter(|of| of.oid == one.oid || (of.space, of.name) == (one.space, one.name));
            assert_eq!(others.count(), 1, "{}", one.name);
            let schema = one.schema();
            let mut names: Vec<&String> =
                schema.fields().iter().map(|field| field.name()).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), schema.fields().len(), "{}", one.name);
        }
    }
}
