//! The entropies of many groups at once: one histogram of (group, value) pairs.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, ListArray, UInt32Array, UInt64Array,
    new_empty_array,
};
use arrow::compute::{filter, prep_null_mask_filter, take};
use arrow::datatypes::{ArrowNativeType as _, DataType, UInt32Type, UInt64Type};
use datafusion::common::{Result, exec_datafusion_err, exec_err};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

use super::counts::Counts;
use super::histogram::{lists, mask_of_nulls, unpacked};
use crate::formula::Formula;

/// The entropies of many groups.
pub(super) struct EntropyGroups {
    formula: Formula,
    data_type: DataType,
    /// Rows are (group, value).
    pairs: Counts,
    groups: usize,
}

/// Pairs in order of their group.
struct Sorted {
    /// Distinct values, group by group.
    values: ArrayRef,
    /// How often each occurred.
    counts: Vec<u64>,
    /// Values of each group.
    lengths: Vec<usize>,
}

impl EntropyGroups {
    pub(super) fn try_new(formula: Formula, data_type: DataType) -> Result<Self> {
        let pairs = Counts::try_new(&[DataType::UInt32, data_type.clone()])?;
        Ok(Self { formula, data_type, pairs, groups: 0 })
    }

    /// Takes the groups of `emit_to` out, in order of their group.
    fn sorted(&mut self, emit_to: EmitTo) -> Result<Sorted> {
        let (columns, counts) = self.pairs.take()?;
        let [groups, values] = columns.as_slice() else {
            return exec_err!("entropy lost a column");
        };
        let groups = groups.as_primitive::<UInt32Type>().values();
        let emitted = match emit_to {
            EmitTo::All => self.groups,
            EmitTo::First(n) => n.min(self.groups),
        };

        let mut starts = vec![0_usize; self.groups + 1];
        for &group in groups {
            starts[group as usize + 1] += 1;
        }
        let lengths = starts[1..=emitted].to_vec();
        for group in 0..self.groups {
            starts[group + 1] += starts[group];
        }
        let cut = starts[emitted];
        let mut order = vec![0_u32; groups.len()];
        for (row, &group) in groups.iter().enumerate() {
            let slot = &mut starts[group as usize];
            order[*slot] = u32::try_from(row).map_err(|_| too_many())?;
            *slot += 1;
        }
        self.put_back(groups, values, &counts, &order[cut..], emitted)?;

        let order = UInt32Array::from(order[..cut].to_vec());
        Ok(Sorted {
            values: take(values, &order, None)?,
            counts: order.values().iter().map(|&row| counts[row as usize]).collect(),
            lengths,
        })
    }

    /// Counts the pairs at `rows` again, with their groups renumbered from `emitted`.
    fn put_back(
        &mut self,
        groups: &[u32],
        values: &ArrayRef,
        counts: &[u64],
        rows: &[u32],
        emitted: usize,
    ) -> Result<()> {
        self.groups -= emitted;
        if rows.is_empty() {
            return Ok(());
        }
        let shift = u32::try_from(emitted).map_err(|_| too_many())?;
        let groups: UInt32Array = rows.iter().map(|&row| groups[row as usize] - shift).collect();
        let weights: UInt64Array = rows.iter().map(|&row| counts[row as usize]).collect();
        let values = take(values, &UInt32Array::from(rows.to_vec()), None)?;
        self.pairs.add(&[Arc::new(groups), values], Some(&weights))
    }
}

fn too_many() -> datafusion::common::DataFusionError {
    exec_datafusion_err!("entropy over more than 2^32 groups or values")
}

fn group_column(indices: impl IntoIterator<Item = usize>) -> Result<UInt32Array> {
    let groups: std::result::Result<Vec<u32>, _> = indices.into_iter().map(u32::try_from).collect();
    Ok(UInt32Array::from(groups.map_err(|_| too_many())?))
}

/// Rows that are asked for and not null; `None` when all are.
fn mask(values: &ArrayRef, opt_filter: Option<&BooleanArray>) -> Result<Option<BooleanArray>> {
    let present = mask_of_nulls(values)?;
    let asked = opt_filter.map(|wanted| {
        if wanted.null_count() > 0 { prep_null_mask_filter(wanted) } else { wanted.clone() }
    });
    Ok(match (present, asked) {
        (Some(present), Some(asked)) => Some(arrow::compute::and(&present, &asked)?),
        (present, asked) => present.or(asked),
    })
}

impl GroupsAccumulator for EntropyGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        let [values] = values else { return exec_err!("entropy takes one argument") };
        self.groups = self.groups.max(total_num_groups);
        let mut groups: ArrayRef = Arc::new(group_column(group_indices.iter().copied())?);
        let mut values = Arc::clone(values);
        if let Some(mask) = mask(&values, opt_filter)? {
            groups = filter(&groups, &mask)?;
            values = filter(&values, &mask)?;
        }
        let values = unpacked(&values, &self.data_type)?;
        self.pairs.add(&[groups, values], None)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let sorted = self.sorted(emit_to)?;
        let mut rest = sorted.counts.as_slice();
        let entropies: Float64Array = sorted
            .lengths
            .iter()
            .map(|&length| {
                let (counts, after) = rest.split_at(length);
                rest = after;
                self.formula.of(counts)
            })
            .collect();
        Ok(Arc::new(entropies))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let sorted = self.sorted(emit_to)?;
        let counts: ArrayRef = Arc::new(UInt64Array::from(sorted.counts));
        Ok(vec![
            lists(sorted.values, sorted.lengths.iter().copied())?,
            lists(counts, sorted.lengths.iter().copied())?,
        ])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        let [values, counts] = values else { return exec_err!("entropy state has two columns") };
        self.groups = self.groups.max(total_num_groups);
        let values = values.as_list::<i32>();
        let counts = counts.as_list::<i32>();
        let lengths = values.offsets().lengths();
        let groups = group_column(
            lengths.zip(group_indices).flat_map(|(n, &group)| std::iter::repeat_n(group, n)),
        )?;
        let weights = flat(counts);
        self.pairs
            .add(&[Arc::new(groups), flat(values)], Some(weights.as_primitive::<UInt64Type>()))
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let [values] = values else { return exec_err!("entropy takes one argument") };
        let mask = mask(values, opt_filter)?;
        let lengths: Vec<usize> = match &mask {
            None => vec![1; values.len()],
            Some(mask) => mask.values().iter().map(usize::from).collect(),
        };
        let present = match &mask {
            None => Arc::clone(values),
            Some(mask) => filter(values, mask)?,
        };
        let present = unpacked(&present, &self.data_type)?;
        let ones: ArrayRef = if present.is_empty() {
            new_empty_array(&DataType::UInt64)
        } else {
            Arc::new(UInt64Array::from_value(1, present.len()))
        };
        Ok(vec![lists(present, lengths.iter().copied())?, lists(ones, lengths)?])
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.pairs.size()
    }
}

/// The elements that the rows of `list` hold, in order (lists without nulls between them).
fn flat(list: &ListArray) -> ArrayRef {
    let start = list.offsets().first().map_or(0, |offset| offset.as_usize());
    list.values().slice(start, list.offsets().lengths().sum())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use arrow::array::StringArray;
    use proptest::prelude::*;

    use super::*;

    type Rows = Vec<(usize, Option<String>)>;

    const GROUPS: usize = 5;

    fn rows() -> impl Strategy<Value = Rows> {
        let value = prop_oneof![1 => Just(None), 6 => "[a-d]{0,2}".prop_map(Some)];
        proptest::collection::vec((0..GROUPS, value), 0..60)
    }

    fn columns(rows: &[(usize, Option<String>)]) -> (ArrayRef, Vec<usize>) {
        let values: StringArray = rows.iter().map(|(_, value)| value.as_deref()).collect();
        (Arc::new(values), rows.iter().map(|(group, _)| *group).collect())
    }

    fn accumulator() -> EntropyGroups {
        EntropyGroups::try_new(Formula::MillerMadow, DataType::Utf8).unwrap()
    }

    /// Group by group, by hand.
    fn expected(rows: &Rows) -> Vec<Option<f64>> {
        (0..GROUPS)
            .map(|wanted| {
                let mut counts = BTreeMap::<&str, u64>::new();
                for (group, value) in rows {
                    if let (true, Some(value)) = (*group == wanted, value) {
                        *counts.entry(value).or_default() += 1;
                    }
                }
                Formula::MillerMadow.of(&counts.into_values().collect::<Vec<_>>())
            })
            .collect()
    }

    fn assert_close(found: &ArrayRef, expected: &[Option<f64>]) {
        let found: Vec<Option<f64>> =
            found.as_primitive::<arrow::datatypes::Float64Type>().iter().collect();
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            match (found, expected) {
                (Some(found), Some(expected)) => assert!((found - expected).abs() < 1e-9),
                (found, expected) => assert_eq!(found, expected),
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn groups_are_independent(rows in rows(), cut in 0_usize..60) {
            let mut groups = accumulator();
            let (left, right) = rows.split_at(cut.min(rows.len()));
            for part in [left, right] {
                let (values, indices) = columns(part);
                groups.update_batch(&[values], &indices, None, GROUPS).unwrap();
            }
            assert_close(&groups.evaluate(EmitTo::All).unwrap(), &expected(&rows));
        }

        #[test]
        fn states_merge_to_the_whole(rows in rows(), cut in 0_usize..60, first in 0_usize..=GROUPS) {
            let (left, right) = rows.split_at(cut.min(rows.len()));
            let mut whole = accumulator();
            // The left half as states of an accumulator that emits in two steps.
            let mut part = accumulator();
            let (values, indices) = columns(left);
            part.update_batch(&[values], &indices, None, GROUPS).unwrap();
            let head = part.state(EmitTo::First(first)).unwrap();
            let tail = part.state(EmitTo::All).unwrap();
            whole.merge_batch(&head, &(0..first).collect::<Vec<_>>(), GROUPS).unwrap();
            whole.merge_batch(&tail, &(first..GROUPS).collect::<Vec<_>>(), GROUPS).unwrap();
            // The right half as states of single rows.
            let (values, indices) = columns(right);
            let states = accumulator().convert_to_state(&[values], None).unwrap();
            whole.merge_batch(&states, &indices, GROUPS).unwrap();
            assert_close(&whole.evaluate(EmitTo::All).unwrap(), &expected(&rows));
        }

        #[test]
        fn groups_leave_in_order(rows in rows(), first in 0_usize..=GROUPS) {
            let mut groups = accumulator();
            let (values, indices) = columns(&rows);
            groups.update_batch(&[values], &indices, None, GROUPS).unwrap();
            let expected = expected(&rows);
            let (head, tail) = expected.split_at(first);
            assert_close(&groups.evaluate(EmitTo::First(first)).unwrap(), head);
            assert_close(&groups.evaluate(EmitTo::All).unwrap(), tail);
        }
    }

    #[test]
    fn a_filter_leaves_rows_out() {
        let rows: Rows =
            [(0, "a"), (0, "b"), (0, "b")].map(|(g, v)| (g, Some(v.to_owned()))).to_vec();
        let (values, indices) = columns(&rows);
        let wanted = BooleanArray::from(vec![None, Some(true), Some(true)]);
        let mut groups = accumulator();
        groups.update_batch(&[Arc::clone(&values)], &indices, Some(&wanted), 1).unwrap();
        assert_close(&groups.evaluate(EmitTo::All).unwrap(), &[Some(0.0)]);
        let states = accumulator().convert_to_state(&[values], Some(&wanted)).unwrap();
        let mut merged = accumulator();
        merged.merge_batch(&states, &indices, 1).unwrap();
        assert_close(&merged.evaluate(EmitTo::All).unwrap(), &[Some(0.0)]);
    }
}
