//! The definition of a column and of a table, and what derives from it.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};

/// Time zone of every timestamp column.
pub const UTC: &str = "UTC";

/// The types a column can have: those that Delta Lake can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// Calendar day, UTC.
    Date,
    /// Microseconds since 1970-01-01T00:00:00 UTC.
    Timestamp,
    /// True or false.
    Boolean,
    /// 32-bit signed integer.
    Int,
    /// 64-bit signed integer.
    Long,
    /// 64-bit floating point.
    Double,
    /// UTF-8 text.
    String,
    /// List of UTF-8 text without nulls.
    StringList,
    /// Bytes.
    Binary,
}

impl ColumnType {
    /// The Arrow type of this column type.
    pub fn arrow(self) -> DataType {
        match self {
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
            Self::Boolean => DataType::Boolean,
            Self::Int => DataType::Int32,
            Self::Long => DataType::Int64,
            Self::Double => DataType::Float64,
            Self::String => DataType::Utf8,
            Self::StringList => {
                DataType::List(Arc::new(Field::new("element", DataType::Utf8, true)))
            }
            Self::Binary => DataType::Binary,
        }
    }

    /// The name used in the table reference.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::Boolean => "boolean",
            Self::Int => "int",
            Self::Long => "long",
            Self::Double => "double",
            Self::String => "string",
            Self::StringList => "list<string>",
            Self::Binary => "binary",
        }
    }
}

/// One column: its name, type, nullability and meaning (with the unit where there is one).
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Name in every table, batch and query.
    pub name: &'static str,
    /// Type as Delta can hold it.
    pub data_type: ColumnType,
    /// Whether a row may lack it.
    pub nullable: bool,
    /// One sentence: meaning and unit.
    pub doc: &'static str,
}

impl Column {
    /// A column that every row has.
    pub const fn required(name: &'static str, data_type: ColumnType, doc: &'static str) -> Self {
        Self { name, data_type, nullable: false, doc }
    }

    /// A column that a row may lack.
    pub const fn optional(name: &'static str, data_type: ColumnType, doc: &'static str) -> Self {
        Self { name, data_type, nullable: true, doc }
    }

    /// The Arrow field of this column.
    pub fn field(&self) -> Field {
        Field::new(self.name, self.data_type.arrow(), self.nullable)
    }
}

/// One table: its columns in order, and how its files are partitioned.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Name in SQL and folder name under the data folder.
    pub name: &'static str,
    /// One sentence: what a row is.
    pub doc: &'static str,
    /// Columns in order; partition columns come first.
    pub columns: &'static [Column],
    /// Columns that are folders rather than file contents (`date` is the UTC day of the first timestamp).
    pub partition_by: &'static [&'static str],
}

impl Table {
    /// Arrow schema of a whole row, partition columns included.
    pub fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(self.columns.iter().map(Column::field).collect::<Vec<_>>()))
    }

    /// Arrow schema of a row in flight: without the partition columns, which the lake derives from the row.
    pub fn row_schema(&self) -> SchemaRef {
        Arc::new(Schema::new(self.row_columns().map(Column::field).collect::<Vec<_>>()))
    }

    /// The columns of a row in flight, in order.
    pub fn row_columns(&self) -> impl Iterator<Item = &'static Column> + use<> {
        let partition_by = self.partition_by;
        self.columns.iter().filter(move |column| !partition_by.contains(&column.name))
    }
}
