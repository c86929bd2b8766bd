//! What was found out about the values of dictionaries, each once.

use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{Array as _, ArrayRef, AsArray as _, DictionaryArray, Int32Array};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{DataType, Int32Type};
use datafusion::common::{Result, exec_datafusion_err};

/// Dictionaries that are remembered: one for each file that is read at the same time, and some room.
const REMEMBERED: usize = 8;

/// A value of which nothing is known yet.
const UNKNOWN: u32 = u32::MAX;

/// How texts lie in a dictionary.
pub(super) fn dictionary_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// A number for each value of the dictionaries met last. The batches of a column chunk share their dictionary.
#[derive(Debug, Default)]
pub(super) struct PerValue {
    known: Mutex<Vec<(ArrayRef, Vec<u32>)>>,
}

impl PerValue {
    /// The number of each row; `of_values` finds those of values that came for the first time, `null` is that of a row
    /// without a value. `u32::MAX` is no number.
    pub(super) fn rows(
        &self,
        texts: &DictionaryArray<Int32Type>,
        null: u32,
        of_values: impl FnOnce(&ArrayRef) -> Result<Vec<u32>>,
    ) -> Result<Vec<u32>> {
        let (keys, values) = (texts.keys(), texts.values());
        let mut numbers = self.taken(values);
        let mut new = Vec::new();
        for key in keys.iter().flatten() {
            if let Some(number) = numbers.get_mut(place(key))
                && *number == UNKNOWN
            {
                // Not again; the true number follows.
                *number = null;
                new.push(key);
            }
        }
        if !new.is_empty() {
            let found = of_values(&take(values, &Int32Array::from(new.clone()), None)?)?;
            if found.len() != new.len() {
                return Err(exec_datafusion_err!("a value has one number"));
            }
            for (key, found) in new.into_iter().zip(found) {
                if let Some(number) = numbers.get_mut(place(key)) {
                    *number = found;
                }
            }
        }
        let of = |key: i32| numbers.get(place(key)).copied().unwrap_or(null);
        let rows = if keys.null_count() == 0 {
            keys.values().iter().map(|key| of(*key)).collect()
        } else {
            keys.iter().map(|key| key.map_or(null, of)).collect()
        };
        self.put_back(values, numbers);
        Ok(rows)
    }

    fn taken(&self, values: &ArrayRef) -> Vec<u32> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let at = known.iter().position(|(known, _)| are_same(known, values));
        at.map_or_else(|| vec![UNKNOWN; values.len()], |at| known.swap_remove(at).1)
    }

    fn put_back(&self, values: &ArrayRef, numbers: Vec<u32>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.remove(0);
        }
        known.push((Arc::clone(values), numbers));
    }
}

/// Whether two arrays are the same texts in memory, not only equal ones: what is remembered keeps its memory.
fn are_same(one: &ArrayRef, other: &ArrayRef) -> bool {
    let (Some(one), Some(other)) = (one.as_string_opt::<i32>(), other.as_string_opt::<i32>())
    else {
        return Arc::ptr_eq(one, other);
    };
    one.len() == other.len()
        && one.value_offsets().as_ptr() == other.value_offsets().as_ptr()
        && one.value_data().as_ptr() == other.value_data().as_ptr()
}

fn place(key: i32) -> usize {
    usize::try_from(key).unwrap_or(usize::MAX)
}
