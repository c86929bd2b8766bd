//! Lines → batches, on one core.

use std::hint::black_box;
use std::sync::Arc;

use ingest::{Batcher, DecoderConfig, Numbering, RawMessage};
use sample_data::Format;
use schemas::PositionedBatch;

use super::{check, log, plan};
use crate::args::Args;
use crate::error::BenchError;
use crate::input::Log;
use crate::measure::{Bench, Group, in_turns, timed};

/// Each format in blocks of a file; the first one also as messages of a line, as Kafka brings them.
pub(super) fn measure(args: &Args) -> Result<Vec<Group>, BenchError> {
    let mut groups = Vec::new();
    for format in Format::ALL {
        let name = format.as_str();
        let by_message = format!("{name}, a line a message");
        let of_messages = *format == Format::Cloudflare && args.wants(&by_message);
        if !args.wants(name) && !of_messages {
            continue;
        }
        let log = log(args, *format)?;
        let bench = |name: &str, decode: Decode| {
            let case = name.to_owned();
            let log = &log;
            Bench::new(name, move || {
                let (rows, run) = timed(|| decode(log, format.as_str(), drop))?;
                check(&case, log.lines, rows)?;
                Ok(run)
            })
        };
        let is_json = matches!(format, Format::Cloudflare | Format::NginxJson | Format::Floodmark);
        groups.push(in_turns(
            "decode",
            plan(args, &log),
            bench(name, blocks),
            baselines(&log, is_json),
        )?);
        if of_messages {
            let measured = bench(&by_message, messages);
            groups.push(in_turns("decode", plan(args, &log), measured, Vec::new())?);
        }
    }
    Ok(groups)
}

/// Decodes a log in a format, hands over the batches and counts their rows.
type Decode = fn(&Log, &str, fn(PositionedBatch)) -> Result<u64, BenchError>;

/// The batches of a log.
///
/// # Errors
/// When there is no such format.
pub(super) fn batches(log: &Log, format: &str) -> Result<Vec<PositionedBatch>, BenchError> {
    let mut batches = Vec::new();
    decode_blocks(log, format, |batch| batches.push(batch))?;
    Ok(batches)
}

fn blocks(log: &Log, format: &str, take: fn(PositionedBatch)) -> Result<u64, BenchError> {
    decode_blocks(log, format, take)
}

fn decode_blocks(
    log: &Log,
    format: &str,
    take: impl FnMut(PositionedBatch),
) -> Result<u64, BenchError> {
    let mut next_line = 1;
    let blocks = log.blocks.iter().map(|(range, lines)| {
        let first = next_line;
        next_line += i64::try_from(*lines).unwrap_or(i64::MAX);
        (first, log.bytes.get(range.clone()).unwrap_or_default())
    });
    decode(blocks, format, Numbering::Lines, take)
}

fn messages(log: &Log, format: &str, take: fn(PositionedBatch)) -> Result<u64, BenchError> {
    decode((0..).zip(log.iter()), format, Numbering::Records, take)
}

fn decode<'a>(
    payloads: impl Iterator<Item = (i64, &'a [u8])>,
    format: &str,
    numbering: Numbering,
    mut take: impl FnMut(PositionedBatch),
) -> Result<u64, BenchError> {
    let mut batcher = Batcher::new(&DecoderConfig::of(format))?;
    let partition: Arc<str> = Arc::from("bench/0");
    let mut rows = 0;
    let mut count = |batch: PositionedBatch| {
        rows += batch.requests.rows() as u64;
        take(batch);
    };
    for (offset, payload) in payloads {
        batcher.push(&RawMessage {
            partition: &partition,
            topic: "bench",
            kafka_partition: Some(0),
            offset,
            numbering,
            arrival_us: 0,
            payload,
        });
        while let Some(batch) = batcher.take_ready() {
            count(batch);
        }
    }
    let mut rest = Vec::new();
    batcher.flush(&mut rest);
    rest.into_iter().for_each(count);
    Ok(rows)
}

/// The least that any decoder must do, and what a JSON library does.
fn baselines(log: &Log, is_json: bool) -> Vec<Bench<'_>> {
    let split = Bench::new("memchr: split into lines", || {
        let (lines, run) = timed(|| Ok(log.iter().map(black_box).count() as u64))?;
        check("memchr", log.lines, lines)?;
        Ok(run)
    });
    let parse = Bench::new("serde_json: line to Value", || {
        let (lines, run) = timed(|| {
            let mut lines = 0;
            for line in log.iter() {
                black_box(serde_json::from_slice::<serde_json::Value>(line)?);
                lines += 1;
            }
            Ok(lines)
        })?;
        check("serde_json", log.lines, lines)?;
        Ok(run)
    });
    std::iter::once(split).chain(is_json.then_some(parse)).collect()
}
