//! What was found out about the values of dictionaries, each once.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::num::NonZero;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use datafusion::arrow::array::{
    Array as _, ArrayRef, AsArray as _, DictionaryArray, Int32Array, RecordBatch, new_null_array,
};
use datafusion::arrow::compute::{cast, take};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int32Type, SchemaRef};
use datafusion::common::{Result, exec_datafusion_err};
use datafusion::physical_expr::PhysicalExpr;

/// Dictionaries that are remembered beside those of the files that are read at the same time: of files just done.
const ROOM: usize = 6;

/// Dictionaries that are remembered: one for each file that is read at the same time, and some room.
static REMEMBERED: LazyLock<usize> =
    LazyLock::new(|| std::thread::available_parallelism().map_or(1, NonZero::get) + ROOM);

/// A value of which nothing is known yet.
const UNKNOWN: u32 = u32::MAX;

/// How texts lie in a dictionary.
pub(super) fn dictionary_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// The text columns `names` among `fields` as dictionaries.
pub(super) fn as_read<'a>(
    fields: impl IntoIterator<Item = &'a FieldRef>,
    names: &BTreeSet<&str>,
) -> Vec<FieldRef> {
    let each = fields.into_iter().map(|field| {
        if field.data_type().is_string() && names.contains(field.name().as_str()) {
            Arc::new(Field::new(field.name(), dictionary_type(), field.is_nullable()))
        } else {
            Arc::clone(field)
        }
    });
    each.collect()
}

/// What an expression makes of the texts of a column, once for each value of its dictionaries.
#[derive(Debug)]
pub(super) struct OfValues {
    pub(super) of_value: Arc<dyn PhysicalExpr>,
    /// The one column that `of_value` is over.
    pub(super) schema: SchemaRef,
    pub(super) column: Arc<dyn PhysicalExpr>,
    known: PerValue,
}

impl OfValues {
    /// `of_value` is over `schema`, whose one column is `column` of the input.
    pub(super) fn new(
        of_value: Arc<dyn PhysicalExpr>,
        schema: SchemaRef,
        column: Arc<dyn PhysicalExpr>,
    ) -> Self {
        Self { of_value, schema, column, known: PerValue::default() }
    }

    /// The same of another column.
    pub(super) fn of(&self, column: &Arc<dyn PhysicalExpr>) -> Self {
        Self::new(Arc::clone(&self.of_value), Arc::clone(&self.schema), Arc::clone(column))
    }

    /// The texts of the column, maybe as a dictionary.
    pub(super) fn texts(&self, batch: &RecordBatch) -> Result<ArrayRef> {
        self.column.evaluate(batch)?.into_array(batch.num_rows())
    }

    /// What is made of each of `texts`.
    pub(super) fn made(&self, texts: &ArrayRef) -> Result<ArrayRef> {
        let texts = cast(texts, &DataType::Utf8View)?;
        let rows = texts.len();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), vec![texts])?;
        self.of_value.evaluate(&batch)?.into_array(rows)
    }

    /// The number that `numbers` gives what is made of each row of `texts`; `null` is that of nothing.
    pub(super) fn rows(
        &self,
        texts: &DictionaryArray<Int32Type>,
        null: u32,
        numbers: impl Fn(&ArrayRef) -> Result<Vec<u32>>,
    ) -> Result<Vec<u32>> {
        let numbers = |texts: &ArrayRef| numbers(&self.made(texts)?);
        let of_null = if texts.keys().null_count() == 0 {
            null
        } else {
            let of_null = numbers(&new_null_array(&DataType::Utf8View, 1))?;
            of_null.first().copied().unwrap_or(null)
        };
        self.known.rows(texts, of_null, numbers)
    }
}

impl PartialEq for OfValues {
    fn eq(&self, other: &Self) -> bool {
        self.of_value.eq(&other.of_value) && self.column.eq(&other.column)
    }
}

impl Eq for OfValues {}

impl Hash for OfValues {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.of_value.hash(state);
        self.column.hash(state);
    }
}

/// A number for each value of the dictionaries met last. The batches of a column chunk share their dictionary.
#[derive(Debug, Default)]
struct PerValue {
    known: Mutex<Vec<(ArrayRef, Vec<u32>)>>,
}

impl PerValue {
    /// The number of each row; `of_values` finds those of values that came for the first time, `null` is that of a row
    /// without a value. `u32::MAX` is no number.
    fn rows(
        &self,
        texts: &DictionaryArray<Int32Type>,
        null: u32,
        of_values: impl FnOnce(&ArrayRef) -> Result<Vec<u32>>,
    ) -> Result<Vec<u32>> {
        let (keys, values) = (texts.keys(), texts.values());
        let mut numbers = self.taken(values);
        let mut rows = numbers_of(keys, &numbers, null);
        if rows.contains(&UNKNOWN) {
            find(keys, values, &mut numbers, of_values)?;
            rows = numbers_of(keys, &numbers, null);
        }
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
        if known.len() >= *REMEMBERED {
            known.remove(0);
        }
        known.push((Arc::clone(values), numbers));
    }
}

/// The number of each row.
fn numbers_of(keys: &Int32Array, numbers: &[u32], null: u32) -> Vec<u32> {
    let of = |key: &i32| numbers.get(place(*key)).copied().unwrap_or(null);
    let mut rows: Vec<u32> = keys.values().iter().map(of).collect();
    if let Some(nulls) = keys.nulls() {
        for (row, is_there) in rows.iter_mut().zip(nulls) {
            if !is_there {
                *row = null;
            }
        }
    }
    rows
}

/// Finds the numbers of the values that rows have and of which nothing is known yet.
fn find(
    keys: &Int32Array,
    values: &ArrayRef,
    numbers: &mut [u32],
    of_values: impl FnOnce(&ArrayRef) -> Result<Vec<u32>>,
) -> Result<()> {
    let mut new = Vec::new();
    for key in keys.iter().flatten() {
        if let Some(number) = numbers.get_mut(place(key))
            && *number == UNKNOWN
        {
            // Not again; the true number follows.
            *number = 0;
            new.push(key);
        }
    }
    let found = of_values(&take(values, &Int32Array::from(new.clone()), None)?)?;
    if found.len() != new.len() {
        return Err(exec_datafusion_err!("a value has one number"));
    }
    for (key, found) in new.into_iter().zip(found) {
        if let Some(number) = numbers.get_mut(place(key)) {
            *number = found;
        }
    }
    Ok(())
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
    usize::try_from(key.cast_unsigned()).unwrap_or(usize::MAX)
}
