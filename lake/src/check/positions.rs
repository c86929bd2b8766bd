//! Each position of a Kafka partition, in exactly one row.
//!
//! Offsets are kept as compressed bitmaps: a partition without holes takes next to nothing, whatever its length. A topic
//! that was made anew has the same offsets again, up to where each topic of the name was read: an offset may be in as many
//! rows as there are topics that were read beyond it.

use std::collections::{BTreeMap, HashSet};

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use roaring::RoaringTreemap;
use schemas::tables::REQUESTS;

use super::Checked;
use crate::ids::kafka_positions;

/// The columns that say where a row came from.
pub(super) const COLUMNS: [&str; 4] = ["topic", "topic_partition", "topic_offset", "record_index"];

/// Bits of a record's index within its message beside its offset.
const INDEX_BITS: u32 = 20;

/// Whether offset and index have room beside each other.
const fn fits(offset: u64, index: u64) -> bool {
    index == 0 || (index >> INDEX_BITS == 0 && offset.leading_zeros() >= INDEX_BITS)
}

/// What was seen of one partition.
#[derive(Debug, Default)]
struct Partition {
    /// Offsets of messages with a row.
    offsets: RoaringTreemap,
    /// By how often they were met: the first time, the second, and so on; at most as often as topics had the name.
    met: Vec<Met>,
    /// The greatest offset in `requests`; `rejects` may be ahead of it after a crash.
    last: Option<i64>,
}

/// Records of a partition, each once.
#[derive(Debug, Default)]
struct Met {
    /// Offsets whose first record has a row.
    first: RoaringTreemap,
    /// Offset and index of records after the first of a message.
    further: RoaringTreemap,
    /// Those whose numbers do not fit beside each other.
    odd: HashSet<(i64, i32)>,
}

impl Met {
    /// Whether it was not met before.
    fn add(&mut self, offset: i64, index: i32) -> bool {
        match (u64::try_from(offset), u64::try_from(index)) {
            (Ok(at), Ok(0)) => self.first.insert(at),
            (Ok(at), Ok(index_at)) if fits(at, index_at) => {
                self.further.insert((at << INDEX_BITS) | index_at)
            }
            _ => self.odd.insert((offset, index)),
        }
    }

    /// How many are at `from` or beyond, and the least offset of those.
    fn beyond(&self, from: i64) -> (u64, Option<i64>) {
        let from_at = u64::try_from(from).unwrap_or_default();
        let after = |set: &RoaringTreemap, from: u64| {
            let below = from.checked_sub(1).map_or(0, |last| set.rank(last));
            (set.len() - below, set.select(below))
        };
        let (firsts, first) = after(&self.first, from_at);
        let further_from = from_at.checked_mul(1 << INDEX_BITS);
        let (others, other) = further_from.map_or((0, None), |from| after(&self.further, from));
        let odd = self.odd.iter().filter(|(offset, _)| *offset >= from || *offset < 0);
        let least = odd.clone().map(|(offset, _)| *offset).min();
        let plain = [first, other.map(|other| other >> INDEX_BITS)];
        let plain = plain.into_iter().flatten().filter_map(|at| i64::try_from(at).ok());
        (firsts + others + odd.count() as u64, plain.chain(least).min())
    }
}

/// Rows of one record that are told apart, at most: topics of one name that were read into the same tables.
const MET_MAX: usize = 64;

impl Partition {
    fn add(&mut self, offset: i64, index: i32) {
        if let (Ok(at), 0..) = (u64::try_from(offset), index) {
            self.offsets.insert(at);
        }
        if self.met.iter_mut().any(|met| met.add(offset, index)) || self.met.len() >= MET_MAX {
            return;
        }
        let mut met = Met::default();
        met.add(offset, index);
        self.met.push(met);
    }

    /// Records in more rows than the topics that were read up to `nexts` can account for, and the first offset of those.
    fn doubled(&self, mut nexts: Vec<i64>) -> (u64, Option<i64>) {
        nexts.sort_unstable_by(|a, b| b.cmp(a));
        let (mut doubled, mut example) = (0, None);
        // What was met once may be beyond what is committed: it is read again, which is said elsewhere.
        for (met, next) in
            self.met.iter().skip(1).zip(nexts.into_iter().skip(1).chain(std::iter::repeat(0)))
        {
            let (count, least) = met.beyond(next);
            doubled += count;
            example = [example, least].into_iter().flatten().min();
        }
        (doubled, example)
    }

    /// Offsets between the first and the last that have no row, and the first of them.
    fn holes(&self) -> Option<(u64, u64)> {
        let (least, greatest) = (self.offsets.min()?, self.offsets.max()?);
        let missing = greatest - least + 1 - self.offsets.len();
        if missing == 0 {
            return None;
        }
        // The first offset at which fewer were seen than there should be.
        let (mut low, mut high) = (least, greatest);
        while low < high {
            let middle = low + (high - low) / 2;
            let is_whole = self.offsets.rank(middle) == middle - least + 1;
            (low, high) = if is_whole { (middle + 1, high) } else { (low, middle) };
        }
        Some((missing, low))
    }
}

/// What was seen of all partitions.
#[derive(Debug, Default)]
pub(super) struct Positions {
    topics: BTreeMap<String, BTreeMap<i32, Partition>>,
}

impl Positions {
    /// Takes in the positions of some rows, of `requests` or of `rejects`; rows of files have none that could be compared.
    pub(super) fn add(&mut self, rows: &RecordBatch, are_requests: bool) -> Result<(), String> {
        let column = |name: &str, kind: &DataType| {
            let column = rows.column_by_name(name).ok_or_else(|| format!("it lacks `{name}`"))?;
            cast(column, kind).map_err(|error| format!("`{name}`: {error}"))
        };
        let topics = column("topic", &DataType::Utf8)?;
        let partitions = column("topic_partition", &DataType::Int32)?;
        let offsets = column("topic_offset", &DataType::Int64)?;
        let indices = column("record_index", &DataType::Int32)?;
        let topics = topics.as_string::<i32>();
        let partitions = partitions.as_primitive::<Int32Type>();
        let offsets = offsets.as_primitive::<Int64Type>();
        let indices = indices.as_primitive::<Int32Type>();
        for row in 0..rows.num_rows() {
            if topics.is_null(row) || partitions.is_null(row) || offsets.is_null(row) {
                continue;
            }
            let (topic, partition) = (topics.value(row), partitions.value(row));
            if !self.topics.contains_key(topic) {
                self.topics.insert(topic.to_owned(), BTreeMap::new());
            }
            let of_topic = self.topics.get_mut(topic);
            let Some(place) = of_topic.map(|of| of.entry(partition).or_default()) else { continue };
            place.add(offsets.value(row), indices.value(row));
            if are_requests {
                // One below zero stands in front of its offset, which may not have been read.
                let before = i64::from(indices.value(row) < 0);
                place.last = place.last.max(Some(offsets.value(row) - before));
            }
        }
        Ok(())
    }

    /// Says what is wrong with them, given the transactions of `requests`.
    pub(super) fn judge(&self, txns: &BTreeMap<String, i64>, checked: &mut Checked) {
        let all = self.topics.iter().flat_map(|(topic, of)| of.iter().map(move |one| (topic, one)));
        for (topic, (number, partition)) in all {
            let name = format!("{topic}/{number}");
            let nexts = kafka_positions(txns, &name);
            let next = nexts.iter().copied().max();
            let (doubled, example) = partition.doubled(nexts);
            if doubled > 0 {
                let example = example.unwrap_or_default();
                checked.fault(
                    &REQUESTS,
                    format!(
                        "{doubled} positions of `{name}` are in two rows, the first of them offset {example}: two consumer \
                         groups wrote here, or a topic was made anew that was read before its id was kept"
                    ),
                );
            }
            if let (Some(next), Some(last)) = (next, partition.last)
                && last >= next
            {
                checked.fault(
                    &REQUESTS,
                    format!(
                        "`{name}` has rows up to offset {last}, and reading goes on at {next}: they will be read again"
                    ),
                );
            }
            if let Some((missing, first)) = partition.holes() {
                checked.notes.push(format!(
                    "`{name}`: {missing} offsets have no row, the first of them {first}: markers of transactions, \
                     compaction, messages without a line, or rows dropped by age"
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(positions: &[(i64, i32)]) -> Partition {
        let mut partition = Partition::default();
        for (offset, index) in positions {
            partition.add(*offset, *index);
        }
        partition
    }

    #[test]
    fn holes_are_counted_and_found() {
        assert_eq!(partition(&[(5, 0), (6, 0), (7, 0)]).holes(), None);
        assert_eq!(partition(&[(5, 0), (6, 0), (9, 0), (12, 0)]).holes(), Some((4, 7)));
        assert_eq!(partition(&[(0, 0), (2, 0)]).holes(), Some((1, 1)));
        assert_eq!(partition(&[]).holes(), None);
    }

    #[test]
    fn a_position_in_two_rows_is_seen() {
        let doubled = |positions: &[(i64, i32)]| partition(positions).doubled(vec![9]).0;
        assert_eq!(doubled(&[(5, 0), (5, 1), (5, 2), (6, 0)]), 0);
        assert_eq!(doubled(&[(5, 0), (5, 1), (5, 1), (5, 0)]), 2);
        assert_eq!(doubled(&[(5, 1 << 21), (5, 1 << 21), (i64::MAX, 3), (i64::MAX, 3)]), 2);
        assert_eq!(doubled(&[(-1, 0), (-1, 0)]), 1);
    }

    #[test]
    fn a_topic_made_anew_has_the_offsets_again_up_to_where_it_was_read() {
        let twice = [(0, 0), (1, 0), (1, 1), (2, 0), (0, 0), (1, 0), (1, 1)];
        let doubled = |nexts: &[i64]| partition(&twice).doubled(nexts.to_vec());
        assert_eq!(doubled(&[3]), (3, Some(0)));
        assert_eq!(doubled(&[3, 2]), (0, None));
        assert_eq!(doubled(&[2, 3]), (0, None));
        assert_eq!(doubled(&[3, 1]), (2, Some(1)));
    }
}
