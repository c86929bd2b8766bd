//! What was found out about the values of dictionaries, each once.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::num::NonZero;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use datafusion::arrow::array::{
    Array as _, ArrayRef, AsArray as _, DictionaryArray, Int32Array, RecordBatch, UInt32Array,
    new_null_array,
};
use datafusion::arrow::buffer::BooleanBuffer;
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

    /// What `of` makes of the rows of `texts`, whose numbers `numbers` gives, found once for each value; `null` is that of
    /// nothing.
    pub(super) fn rows<T>(
        &self,
        texts: &DictionaryArray<Int32Type>,
        null: u32,
        numbers: impl Fn(&ArrayRef) -> Result<Vec<u32>>,
        of: impl FnOnce(Numbered<'_>) -> T,
    ) -> Result<T> {
        let numbers = |texts: &ArrayRef| numbers(&self.made(texts)?);
        let of_null = if texts.keys().null_count() == 0 {
            null
        } else {
            let of_null = numbers(&new_null_array(&DataType::Utf8View, 1))?;
            of_null.first().copied().unwrap_or(null)
        };
        let (keys, values) = (texts.keys(), texts.values());
        let mut known = self.known.taken(values);
        known.find(keys, values, numbers)?;
        let Numbers { of_value, largest, .. } = &known;
        let made = of(Numbered { keys, of_value, of_null, largest: *largest });
        self.known.put_back(values, known);
        Ok(made)
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

/// Rows of a dictionary, each with a number.
pub(super) struct Numbered<'a> {
    keys: &'a Int32Array,
    of_value: &'a [u32],
    of_null: u32,
    /// The largest of those of values.
    largest: u32,
}

impl Numbered<'_> {
    /// The number of each row.
    pub(super) fn each(&self) -> Vec<u32> {
        let mut rows: Vec<u32> = self.keys.values().iter().map(|key| self.number(*key)).collect();
        if let Some(nulls) = self.keys.nulls() {
            for (row, is_there) in rows.iter_mut().zip(nulls) {
                if !is_there {
                    *row = self.of_null;
                }
            }
        }
        rows
    }

    /// A bit for each row: whether `is` holds of its number.
    pub(super) fn bits(&self, is: impl Fn(u32) -> bool) -> BooleanBuffer {
        let mut keys = self.keys.values().iter();
        let bits = BooleanBuffer::collect_bool(self.keys.len(), |_| {
            keys.next().is_some_and(|key| is(self.number(*key)))
        });
        match self.keys.nulls() {
            None => bits,
            Some(nulls) if is(self.of_null) => &bits | &!nulls.inner(),
            Some(nulls) => &bits & nulls.inner(),
        }
    }

    /// Whether a row may have `number` or a larger one.
    pub(super) fn may_reach(&self, number: u32) -> bool {
        self.largest >= number || (self.keys.null_count() > 0 && self.of_null >= number)
    }

    fn number(&self, key: i32) -> u32 {
        self.of_value.get(place(key.cast_unsigned())).copied().unwrap_or(self.of_null)
    }
}

/// A number for each value of the dictionaries met last. The batches of a column chunk share their dictionary.
#[derive(Debug, Default)]
struct PerValue {
    known: Mutex<Vec<(ArrayRef, Numbers)>>,
}

impl PerValue {
    fn taken(&self, values: &ArrayRef) -> Numbers {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let at = known.iter().position(|(known, _)| are_same(known, values));
        at.map_or_else(|| Numbers::unknown(values.len()), |at| known.swap_remove(at).1)
    }

    fn put_back(&self, values: &ArrayRef, numbers: Numbers) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= *REMEMBERED {
            known.remove(0);
        }
        known.push((Arc::clone(values), numbers));
    }
}

/// A number for each value of a dictionary.
#[derive(Debug)]
struct Numbers {
    of_value: Vec<u32>,
    /// The largest that was found.
    largest: u32,
    /// Values of which nothing is known yet.
    unknown: usize,
    /// Unknown values below which all of them are looked at: the rows that follow need not be searched for new ones.
    few: usize,
}

impl Numbers {
    /// Of which nothing is known. Where rows have more than half of the values they are not chosen by them, and will
    /// have the others, too.
    fn unknown(values: usize) -> Self {
        let of_value = vec![UNKNOWN; values];
        Self { of_value, largest: 0, unknown: values, few: values.div_ceil(2) }
    }

    /// Finds the numbers of the values that rows have and of which nothing is known yet.
    fn find(
        &mut self,
        keys: &Int32Array,
        values: &ArrayRef,
        of_values: impl Fn(&ArrayRef) -> Result<Vec<u32>>,
    ) -> Result<()> {
        if self.unknown == 0 {
            return Ok(());
        }
        let new = self.new_among(keys);
        self.learn(new, values, &of_values)?;
        if self.unknown > 0 && self.unknown < self.few {
            let rest = self.all_new();
            // It may fail for a value that no row has which is asked about: not again, then.
            if self.learn(rest, values, &of_values).is_err() {
                self.few = 0;
            }
        }
        Ok(())
    }

    fn learn(
        &mut self,
        new: Vec<u32>,
        values: &ArrayRef,
        of_values: impl Fn(&ArrayRef) -> Result<Vec<u32>>,
    ) -> Result<()> {
        if new.is_empty() {
            return Ok(());
        }
        let found = of_values(&take(values, &UInt32Array::from(new.clone()), None)?)?;
        if found.len() != new.len() {
            return Err(exec_datafusion_err!("a value has one number"));
        }
        self.unknown = self.unknown.saturating_sub(new.len());
        for (key, found) in new.into_iter().zip(found) {
            self.largest = self.largest.max(found);
            if let Some(number) = self.of_value.get_mut(place(key)) {
                *number = found;
            }
        }
        Ok(())
    }

    fn all_new(&self) -> Vec<u32> {
        let all = (0_u32..).zip(&self.of_value);
        all.filter(|(_, number)| **number == UNKNOWN).map(|(key, _)| key).collect()
    }

    fn new_among(&mut self, keys: &Int32Array) -> Vec<u32> {
        let mut new = Vec::new();
        for key in keys.iter().flatten().map(i32::cast_unsigned) {
            if let Some(number) = self.of_value.get_mut(place(key))
                && *number == UNKNOWN
            {
                // Not again; the true number follows.
                *number = 0;
                new.push(key);
            }
        }
        new
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

fn place(key: u32) -> usize {
    usize::try_from(key).unwrap_or(usize::MAX)
}
