//! Decodes text as a stream and shows the rows.

use std::fmt::Write;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use decode::{Batcher, DecoderConfig, Format, Numbering, RawMessage};
use schemas::PositionedBatch;

/// Position columns, which are shown as a prefix or not at all.
const POSITIONS: [&str; 5] = ["topic", "topic_partition", "topic_offset", "record_index", "format"];

/// Reads `blocks` one after the other as blocks of lines of one file.
pub fn read_blocks<'a>(
    config: &DecoderConfig,
    blocks: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<PositionedBatch>, Option<Format>) {
    let mut reader = Batcher::new(config).unwrap();
    let partition: Arc<str> = "file/test".into();
    let mut batches = Vec::new();
    let mut offset = 1;
    for payload in blocks {
        reader.push(&RawMessage {
            partition: &partition,
            topic: "test.log",
            kafka_partition: None,
            offset,
            numbering: Numbering::Lines,
            arrival_us: 7,
            payload,
        });
        offset += i64::try_from(payload.split(|byte| *byte == b'\n').count() - 1).unwrap();
        while let Some(batch) = reader.take_ready() {
            batches.push(batch);
        }
    }
    reader.close("file/test");
    reader.flush(&mut batches);
    (batches, reader.chosen_format("file/test"))
}

/// Rows and rejects by line number, one a line: `number column=value …` or `number REJECT reason`.
pub fn show(batches: &[PositionedBatch]) -> String {
    let mut lines: Vec<(i64, String)> = Vec::new();
    for batch in batches {
        for row in 0..batch.requests.rows() {
            let shown = show_row(batch.requests.record_batch(), row);
            lines.push((batch.requests.topic_offset().value(row), shown));
        }
        let column = |name| batch.rejects.column_by_name(name).unwrap();
        for row in 0..batch.rejects.num_rows() {
            let reason = column("reason").as_string::<i32>().value(row);
            let number = column("topic_offset").as_primitive::<Int64Type>().value(row);
            lines.push((number, format!(" REJECT {reason}")));
        }
    }
    lines.sort();
    lines.into_iter().fold(String::new(), |mut out, (number, line)| {
        writeln!(out, "{number}{line}").unwrap();
        out
    })
}

fn show_row(batch: &RecordBatch, row: usize) -> String {
    let mut out = String::new();
    for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        if column.is_null(row) || POSITIONS.contains(&field.name().as_str()) {
            continue;
        }
        let value = match field.data_type() {
            DataType::Utf8 => format!("{:?}", column.as_string::<i32>().value(row)),
            DataType::Int32 => column.as_primitive::<Int32Type>().value(row).to_string(),
            DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
            DataType::Boolean if !column.as_boolean().value(row) => continue,
            DataType::Boolean => "true".to_owned(),
            _ => column
                .as_primitive::<TimestampMicrosecondType>()
                .value_as_datetime(row)
                .map_or_else(|| "out of range".to_owned(), |time| format!("{time}Z")),
        };
        write!(out, " {}={value}", field.name()).unwrap();
    }
    out
}
