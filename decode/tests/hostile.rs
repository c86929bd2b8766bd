//! Lines built to cost as much as they can: one piece repeated over and over, in every place that is searched, nested
//! or unescaped. They are rows or rejects like any other line, up to the longest one that is read.
//!
//! `hostile/lines` holds one a line: text, the piece that is repeated, more text, tabs between them; `⇥` is a tab. The
//! fuzz targets start from the same lines, and hold them to a time (`fuzz/README.md`).

#![cfg(test)]

mod support;

use std::collections::BTreeMap;

use decode::json::FieldSource;
use decode::{DecoderConfig, Format};
use schemas::PositionedBatch;
use schemas::limits::LINE_BYTES_MAX;
use support::{read_blocks, show};

const LINES: &str = include_str!("hostile/lines");

/// Long enough for every limit inside the decoders to be passed.
const BYTES: usize = 32 << 10;

/// Each line, of at most so many bytes.
fn lines(bytes: usize) -> impl Iterator<Item = String> {
    LINES.lines().map(move |line| {
        let mut parts = line.split('\t').map(|part| part.replace('⇥', "\t"));
        let [before, piece, after] = [(); 3].map(|()| parts.next().expect("three parts"));
        let times = (bytes - before.len() - after.len()) / piece.len();
        format!("{before}{}{after}", piece.repeat(times))
    })
}

fn is_record(line: &str) -> bool {
    !line.starts_with('#') && !line.trim_ascii().is_empty()
}

fn config(format: Format) -> DecoderConfig {
    let time = FieldSource::Keys(vec!["time".to_owned(), "ts".to_owned()]);
    let fields = match format {
        Format::Json => BTreeMap::from([("ts".to_owned(), time)]),
        _ => BTreeMap::new(),
    };
    DecoderConfig { fields, ..DecoderConfig::of(format.name()) }
}

#[test]
fn they_are_rows_or_rejects_in_every_format() {
    for format in Format::ALL.iter().filter(|format| **format != Format::Custom) {
        for line in lines(BYTES) {
            let text = format!("{line}\n{line}\r\n{line}");
            let (batches, _) = read_blocks(&config(*format), [text.as_bytes()]);
            let records: usize = batches.iter().map(PositionedBatch::records).sum();
            let start: String = line.chars().take(80).collect();
            if is_record(&line) && ["},{", "}{"].iter().any(|next| line.contains(next)) {
                // Several records, in a list or one behind the other, are as many.
                assert!(records > 0 && records.is_multiple_of(3), "{format}: {start}");
            } else {
                assert_eq!(records, if is_record(&line) { 3 } else { 0 }, "{format}: {start}");
            }
        }
    }
}

#[test]
fn so_are_the_longest_that_are_read() {
    for line in lines(LINE_BYTES_MAX).filter(|line| is_record(line)) {
        let (batches, _) = read_blocks(&DecoderConfig::default(), [line.as_bytes()]);
        assert_eq!(show(&batches).lines().count(), 1);
    }
}
