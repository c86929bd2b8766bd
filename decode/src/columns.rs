//! Column builders that make a missing value cost one addition: most columns of most formats are empty.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{ArrayRef, BooleanArray, PrimitiveArray};
use arrow_buffer::{NullBuffer, NullBufferBuilder};

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

/// Values of one size, possibly missing.
#[derive(Debug)]
struct Column<V> {
    values: Vec<V>,
    /// Where values are missing: the first, and how many.
    gaps: Vec<(usize, usize)>,
    /// Missing values at the end that are in neither yet.
    missing: usize,
    /// Room for rows, taken when the first value comes.
    room: usize,
}

impl<V: Copy + Default> Column<V> {
    const fn new(rows: usize) -> Self {
        Self { values: Vec::new(), gaps: Vec::new(), missing: 0, room: rows }
    }

    #[inline]
    fn append(&mut self, value: Option<V>) {
        let Some(value) = value else {
            self.missing += 1;
            return;
        };
        if self.missing > 0 || self.room > 0 {
            self.catch_up();
        }
        self.values.push(value);
    }

    #[cold]
    fn catch_up(&mut self) {
        self.values.reserve(std::mem::take(&mut self.room));
        if self.missing > 0 {
            let missing = std::mem::take(&mut self.missing);
            self.gaps.push((self.values.len(), missing));
            self.values.resize(self.values.len() + missing, V::default());
        }
    }

    fn finish(mut self) -> (Vec<V>, Option<NullBuffer>) {
        if self.missing > 0 {
            self.catch_up();
        }
        if self.gaps.is_empty() {
            return (self.values, None);
        }
        let mut present = NullBufferBuilder::new(self.values.len());
        for (from, missing) in self.gaps {
            present.append_n_non_nulls(from - present.len());
            present.append_n_nulls(missing);
        }
        present.append_n_non_nulls(self.values.len() - present.len());
        (self.values, present.finish())
    }
}

/// Truths, possibly missing.
#[derive(Debug)]
pub struct TruthColumn(Column<bool>);

impl TruthColumn {
    /// An empty column that takes room for `rows` rows once it gets a value.
    pub const fn new(rows: usize) -> Self {
        Self(Column::new(rows))
    }

    /// Appends a value.
    #[inline]
    pub fn append(&mut self, value: Option<bool>) {
        self.0.append(value);
    }

    /// The column.
    pub fn finish(self) -> ArrayRef {
        let (values, nulls) = self.0.finish();
        Arc::new(BooleanArray::new(values.into(), nulls))
    }
}

/// Numbers, possibly missing.
#[derive(Debug)]
pub struct NumberColumn<T: ArrowPrimitiveType>(Column<T::Native>);

impl<T: ArrowPrimitiveType> NumberColumn<T> {
    /// An empty column that takes room for `rows` rows once it gets a value.
    pub const fn new(rows: usize) -> Self {
        Self(Column::new(rows))
    }

    /// Appends a value.
    #[inline]
    pub fn append(&mut self, value: Option<T::Native>) {
        self.0.append(value);
    }

    /// The column.
    pub fn finish(self) -> ArrayRef {
        let (values, nulls) = self.0.finish();
        Arc::new(PrimitiveArray::<T>::new(values.into(), nulls))
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::types::Int64Type;
    use arrow_array::{Int64Array, StringArray};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_column_holds_what_was_appended(
            values in prop_oneof![
                proptest::collection::vec(proptest::option::weighted(0.5, any::<i64>()), 0..200),
                proptest::collection::vec(any::<i64>().prop_map(Some), 0..200),
            ],
            room in 0usize..100,
        ) {
            let mut numbers = NumberColumn::<Int64Type>::new(room);
            let mut truths = TruthColumn::new(room);
            let mut texts = TextColumn::new(room, room);
            let truth = |value: i64| value % 2 == 0;
            for value in &values {
                numbers.append(*value);
                truths.append(value.map(truth));
                texts.append(value.map(|value| value.to_string()).as_deref());
            }
            let texts_expected = values.iter().map(|value| value.map(|value| value.to_string()));
            let truths_expected = values.iter().map(|value| value.map(truth));
            let expected: [ArrayRef; 3] = [
                Arc::new(Int64Array::from(values.clone())),
                Arc::new(truths_expected.collect::<BooleanArray>()),
                Arc::new(texts_expected.collect::<StringArray>()),
            ];
            prop_assert_eq!([numbers.finish(), truths.finish(), texts.finish().0], expected);
        }
    }
}
