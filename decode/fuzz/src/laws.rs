//! What must hold for the batches of any text.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use decode::DecoderConfig;
use schemas::PositionedBatch;

use crate::columns;
use crate::reader::Reader;

/// Inputs of which the last bits of the seed are zero are compared with a reader that has read nothing before.
const ANEW_MASK: u8 = 0x0f;

/// Values of the seed.
const SEEDS: usize = 256;

/// Lines that are records: neither blank nor a comment, numbered from 1, without their line ends.
fn records(text: &[u8]) -> Vec<(i64, &[u8])> {
    let is_record = |line: &[u8]| {
        let shown = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
        !line.trim_ascii().is_empty() && !shown.starts_with(b"#")
    };
    let lines = text.split(|byte| *byte == b'\n');
    let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    (1..).zip(lines).filter(|(_, line)| is_record(line)).collect()
}

/// Whether a line may be a part of one, which is a row or a reject where it ends: of a container's, or of JSON over many
/// lines.
pub(crate) fn may_be_part(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let has = |part: &[u8]| line.windows(part.len()).any(|window| window == part);
    let is_json = matches!(line, [b'{' | b'[' | b']' | b'}' | b'"', ..]);
    is_json || !line.contains(&b' ') || has(b" P ") || has(b" F ")
}

/// Checks every law on a text. `seed` says where it is cut, and whether `reader` is compared with a fresh one, which
/// then takes its place.
pub fn check(reader: &mut Reader, config: &DecoderConfig, text: &[u8], seed: u8) {
    let whole = reader.read([text]);
    let records = records(text);
    is_conserved(&whole, &records);
    for batch in &whole {
        columns::check(batch, &records);
    }

    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    if lines.len() > 1 {
        let cut = reader.read(lines.iter().copied());
        assert!(are_same(&whole, &cut), "rows depend on the cut into messages");

        let before = lines.iter().take(lines.len() * usize::from(seed) / SEEDS);
        let at = before.map(|line| line.len()).sum();
        let (before, after) = text.split_at(at);
        let restarted = reader.read_restarted(before, after);
        assert!(are_same(&whole, &restarted), "rows depend on a restart at byte {at}");
    }

    if seed & ANEW_MASK == 0 {
        numbers_are_consecutive(&reader.read_message(text));
        let mut fresh = Reader::new(config).expect("the configuration was good before");
        assert!(are_same(&whole, &fresh.read([text])), "rows depend on texts read before");
        *reader = fresh;
    }
}

/// Every line is a row or a reject, once, at its own position, and a reject holds its line whole. A list of records is
/// as many of them, all at the position of their line.
fn is_conserved(batches: &[PositionedBatch], records: &[(i64, &[u8])]) {
    let rows = batches.iter().flat_map(|batch| batch.requests.topic_offset().values());
    let mut rows: Vec<&i64> = rows.collect();
    rows.sort_unstable();
    let rejects = batches.iter().flat_map(|batch| {
        let raw = column(&batch.rejects, "raw").as_binary::<i32>();
        numbers(&batch.rejects).iter().zip(raw.iter().flatten())
    });
    let mut rejects: Vec<(&i64, &[u8])> = rejects.collect();
    rejects.sort_by_key(|(number, _)| **number);
    let (mut rows, mut rejects) = (rows.into_iter().peekable(), rejects.into_iter().peekable());
    for (number, line) in records {
        let mut found = 0;
        while rows.next_if_eq(&number).is_some() {
            found += 1;
        }
        while let Some((_, raw)) = rejects.next_if(|(rejected, _)| *rejected == number) {
            found += 1;
            let is_alone = found == 1 && rejects.peek().is_none_or(|(next, _)| *next != number);
            // What was waited for in vain has the place of the line that showed it, which may wait now itself.
            assert!(!is_alone || raw == *line || may_be_part(line), "a reject is its line");
        }
        assert!(found > 0 || may_be_part(line), "every line is a row or a reject");
    }
    // At the end what still waits stands in front of the line that would come next.
    let end = batches.last().map(|batch| batch.next_position);
    assert!(rows.all(|row| Some(*row) == end), "a row is a record");
    assert!(rejects.all(|(number, _)| Some(*number) == end), "a reject is a record");
}

/// The records of a message are numbered from 0 without gaps.
fn numbers_are_consecutive(batches: &[PositionedBatch]) {
    let mut found: Vec<i32> = Vec::new();
    for batch in batches {
        found.extend(batch.requests.record_index().values());
        let rejects = column(&batch.rejects, "record_index").as_primitive::<Int32Type>();
        found.extend(rejects.values());
    }
    found.sort_unstable();
    assert!(
        (0..).zip(found).all(|(expected, found)| expected == found),
        "records of a message are numbered without gaps"
    );
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> &'a dyn Array {
    &**batch.column_by_name(name).expect("the table has the column")
}

fn numbers(rejects: &RecordBatch) -> &[i64] {
    column(rejects, "topic_offset").as_primitive::<Int64Type>().values()
}

/// Whether two readings say the same, however their rows are spread over batches.
fn are_same(left: &[PositionedBatch], right: &[PositionedBatch]) -> bool {
    let end = |batches: &[PositionedBatch]| batches.last().map(|batch| batch.next_position);
    let requests = |batch: &PositionedBatch| batch.requests.record_batch().clone();
    let rejects = |batch: &PositionedBatch| batch.rejects.clone();
    end(left) == end(right)
        && are_same_rows(left.iter().map(requests), right.iter().map(requests))
        && are_same_rows(left.iter().map(rejects), right.iter().map(rejects))
}

fn are_same_rows(
    left: impl Iterator<Item = RecordBatch>,
    right: impl Iterator<Item = RecordBatch>,
) -> bool {
    let filled = |batch: &RecordBatch| batch.num_rows() > 0;
    let (mut left, mut right) = (left.filter(filled), right.filter(filled));
    let (mut one, mut other) = (left.next(), right.next());
    while let (Some(a), Some(b)) = (&one, &other) {
        let rows = a.num_rows().min(b.num_rows());
        if a.slice(0, rows) != b.slice(0, rows) {
            return false;
        }
        let rest = |batch: &RecordBatch| {
            let left = batch.num_rows() - rows;
            (left > 0).then(|| batch.slice(rows, left))
        };
        (one, other) = (rest(a).or_else(|| left.next()), rest(b).or_else(|| right.next()));
    }
    one.is_none() && other.is_none()
}
