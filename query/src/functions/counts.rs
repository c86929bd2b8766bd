//! How often each distinct row occurred, for rows of any type.

use std::sync::{Arc, Mutex};

use arrow::array::{ArrayRef, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::logical_expr::EmitTo;
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;

/// A histogram of rows: DataFusion's own vectorised hash table of group keys, and a count a key.
pub(super) struct Counts {
    schema: SchemaRef,
    /// Behind a mutex only because the table is not `Sync`; every access is exclusive.
    table: Mutex<Box<dyn GroupValues>>,
    /// How often the row of each id occurred.
    times: Vec<u64>,
    ids: Vec<usize>,
}

impl std::fmt::Debug for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Counts").field("distinct", &self.times.len()).finish_non_exhaustive()
    }
}

impl Counts {
    /// An empty histogram of rows with these column types.
    pub(super) fn try_new(types: &[DataType]) -> Result<Self> {
        let fields: Vec<Field> = types
            .iter()
            .enumerate()
            .map(|(index, data_type)| Field::new(format!("c{index}"), data_type.clone(), true))
            .collect();
        let schema = Arc::new(Schema::new(fields));
        let table = new_table(&schema)?;
        Ok(Self { schema, table, times: Vec::new(), ids: Vec::new() })
    }

    /// Counts every row of `columns` once, or as often as `weights` says.
    pub(super) fn add(
        &mut self,
        columns: &[ArrayRef],
        weights: Option<&UInt64Array>,
    ) -> Result<()> {
        self.intern(columns)?;
        match weights {
            None => self.ids.iter().for_each(|&id| self.times[id] += 1),
            Some(weights) => self
                .ids
                .iter()
                .zip(weights.values())
                .for_each(|(&id, &weight)| self.times[id] += weight),
        }
        Ok(())
    }

    /// Takes every row of `columns` out again.
    pub(super) fn remove(&mut self, columns: &[ArrayRef]) -> Result<()> {
        self.intern(columns)?;
        for &id in &self.ids {
            self.times[id] = self.times[id].saturating_sub(1);
        }
        Ok(())
    }

    fn intern(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let table = exclusive(&mut self.table);
        table.intern(columns, &mut self.ids)?;
        self.times.resize(table.len(), 0);
        Ok(())
    }

    /// How often each distinct row occurred, in order of first appearance; zero where all were taken out.
    pub(super) fn counts(&self) -> &[u64] {
        &self.times
    }

    /// The distinct rows and their counts; leaves the histogram empty.
    pub(super) fn take(&mut self) -> Result<(Vec<ArrayRef>, Vec<u64>)> {
        let columns = if self.times.is_empty() {
            self.schema
                .fields()
                .iter()
                .map(|f| arrow::array::new_empty_array(f.data_type()))
                .collect()
        } else {
            exclusive(&mut self.table).emit(EmitTo::All)?
        };
        self.table = new_table(&self.schema)?;
        Ok((columns, std::mem::take(&mut self.times)))
    }

    /// Bytes held.
    pub(super) fn size(&self) -> usize {
        let table = self.table.lock().map_or(0, |table| table.size());
        size_of::<Self>()
            + table
            + self.times.capacity() * size_of::<u64>()
            + self.ids.capacity() * size_of::<usize>()
    }
}

fn new_table(schema: &SchemaRef) -> Result<Mutex<Box<dyn GroupValues>>> {
    Ok(Mutex::new(new_group_values(Arc::clone(schema), &GroupOrdering::None)?))
}

fn exclusive(table: &mut Mutex<Box<dyn GroupValues>>) -> &mut Box<dyn GroupValues> {
    table.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner)
}
