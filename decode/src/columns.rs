//! Column builders that make a missing value cost one addition: most columns of most formats are empty.

use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, PrimitiveBuilder, StringBuilder};
use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{ArrayRef, PrimitiveArray};

/// Text, possibly missing.
#[derive(Debug)]
pub struct TextColumn {
    values: StringBuilder,
    /// Missing values at the end that the builder does not know of yet.
    missing: usize,
    /// Room for rows and bytes, taken when the first value comes.
    room: (usize, usize),
}

impl TextColumn {
    /// An empty column that takes room for `rows` rows and `bytes` bytes once it gets a value.
    pub fn new(rows: usize, bytes: usize) -> Self {
        Self { values: StringBuilder::with_capacity(0, 0), missing: 0, room: (rows, bytes) }
    }

    /// Appends a value.
    #[inline]
    pub fn append(&mut self, value: Option<&str>) {
        match value {
            None => self.missing += 1,
            Some(value) => {
                if self.missing > 0 || self.room.0 > 0 {
                    self.catch_up();
                }
                self.values.append_value(value);
            }
        }
    }

    #[cold]
    fn catch_up(&mut self) {
        if self.room.0 > 0 {
            let (rows, bytes) = std::mem::take(&mut self.room);
            self.values = StringBuilder::with_capacity(rows, bytes);
        }
        // Even of no nulls the builder would note where they are, and so for every value to come.
        if self.missing > 0 {
            self.values.append_nulls(std::mem::take(&mut self.missing));
        }
    }

    /// The column, and how many bytes of text it holds.
    pub fn finish(mut self) -> (ArrayRef, usize) {
        if self.missing > 0 {
            self.catch_up();
        }
        let bytes = self.values.values_slice().len();
        (Arc::new(self.values.finish()), bytes)
    }
}

/// Truths, possibly missing.
#[derive(Debug)]
pub struct TruthColumn {
    values: BooleanBuilder,
    missing: usize,
    room: usize,
}

impl TruthColumn {
    /// An empty column that takes room for `rows` rows once it gets a value.
    pub fn new(rows: usize) -> Self {
        Self { values: BooleanBuilder::with_capacity(0), missing: 0, room: rows }
    }

    /// Appends a value.
    #[inline]
    pub fn append(&mut self, value: Option<bool>) {
        match value {
            None => self.missing += 1,
            Some(value) => {
                if self.missing > 0 || self.room > 0 {
                    self.catch_up();
                }
                self.values.append_value(value);
            }
        }
    }

    #[cold]
    fn catch_up(&mut self) {
        if self.room > 0 {
            self.values = BooleanBuilder::with_capacity(std::mem::take(&mut self.room));
        }
        if self.missing > 0 {
            self.values.append_nulls(std::mem::take(&mut self.missing));
        }
    }

    /// The column.
    pub fn finish(mut self) -> ArrayRef {
        if self.missing > 0 {
            self.catch_up();
        }
        Arc::new(self.values.finish())
    }
}

/// Numbers, possibly missing.
#[derive(Debug)]
pub struct NumberColumn<T: ArrowPrimitiveType> {
    values: PrimitiveBuilder<T>,
    missing: usize,
    room: usize,
}

impl<T: ArrowPrimitiveType> NumberColumn<T> {
    /// An empty column that takes room for `rows` rows once it gets a value.
    pub fn new(rows: usize) -> Self {
        Self { values: PrimitiveBuilder::with_capacity(0), missing: 0, room: rows }
    }

    /// Appends a value.
    #[inline]
    pub fn append(&mut self, value: Option<T::Native>) {
        match value {
            None => self.missing += 1,
            Some(value) => {
                if self.missing > 0 || self.room > 0 {
                    self.catch_up();
                }
                self.values.append_value(value);
            }
        }
    }

    #[cold]
    fn catch_up(&mut self) {
        if self.room > 0 {
            self.values = PrimitiveBuilder::with_capacity(std::mem::take(&mut self.room));
        }
        if self.missing > 0 {
            self.values.append_nulls(std::mem::take(&mut self.missing));
        }
    }

    /// The column.
    pub fn finish(mut self) -> ArrayRef {
        if self.missing > 0 {
            self.catch_up();
        }
        let values: PrimitiveArray<T> = self.values.finish();
        Arc::new(values)
    }
}
