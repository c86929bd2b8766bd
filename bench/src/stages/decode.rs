//! Lines → batches, on one core.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use decode::json::FieldSource;
use decode::{Batcher, DecoderConfig, Format, Numbering, RawMessage};
use sample_data::Format as Generated;
use schemas::PositionedBatch;
use tempfile::NamedTempFile;

use super::{check, log, plan};
use crate::args::Args;
use crate::error::BenchError;
use crate::input::Log;
use crate::lines;
use crate::measure::{Bench, Group, in_turns, timed};
use crate::programs::{DuckDb, GoAccess};

/// nginx's `combined`, as a user would give it.
const CUSTOM: &str = r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent""#;

/// Where the values of `json` are, in lines of `floodmark`.
const JSON_FIELDS: [&str; 12] = [
    "ts",
    "client_ip",
    "method",
    "scheme",
    "host",
    "path",
    "query",
    "protocol",
    "status",
    "response_bytes",
    "user_agent",
    "referer",
];

/// Every format in blocks of a file; one also as messages of a line, as Kafka brings them.
pub(super) fn measure(args: &Args) -> Result<Vec<Group>, BenchError> {
    let mut groups = Vec::new();
    // Those of which lines in other formats are made.
    let mut requests = None;
    for format in Format::ALL.iter().copied() {
        let by_message = format!("{format}, a line a message");
        let of_messages = format == Format::Cloudflare && args.wants(&by_message);
        if !args.wants(format.name()) && !of_messages {
            continue;
        }
        let log = match generated(format) {
            Some(generated) => log(args, generated)?,
            None => lines::log(format, requests_of(args, &mut requests)?),
        };
        let config = config(format);
        let bench = |name: &str, decode: Decode| {
            let case = name.to_owned();
            let (log, config) = (&log, &config);
            Bench::new(name, move || {
                let (rows, run) = timed(|| decode(log, config, drop))?;
                check(&case, log.records, rows)?;
                Ok(run)
            })
        };
        let file = matches!(format, Format::Cloudflare | Format::Combined)
            .then(|| log.to_file())
            .transpose()?;
        let baselines = baselines(&log, format, file.as_ref().map(NamedTempFile::path));
        let measured = bench(format.name(), blocks);
        groups.push(in_turns("decode", plan(args, &log), measured, baselines)?);
        if of_messages {
            let measured = bench(&by_message, messages);
            groups.push(in_turns("decode", plan(args, &log), measured, Vec::new())?);
        }
    }
    Ok(groups)
}

/// The generated format whose lines a format reads; `None` where they are made by [`lines`].
fn generated(format: Format) -> Option<Generated> {
    match format {
        Format::Auto | Format::Custom => Some(Generated::Combined),
        Format::Json => Some(Generated::Floodmark),
        named => Generated::ALL.iter().copied().find(|of| of.as_str() == named.name()),
    }
}

fn config(format: Format) -> DecoderConfig {
    match format {
        Format::Custom => DecoderConfig::of(CUSTOM),
        Format::Json => {
            let source = |name: &str| FieldSource::Key(name.to_owned());
            let fields: BTreeMap<_, _> =
                JSON_FIELDS.map(|name| (name.to_owned(), source(name))).into();
            DecoderConfig { fields, ..DecoderConfig::of(format.name()) }
        }
        named => DecoderConfig::of(named.name()),
    }
}

/// Requests of the generated log that says most about them, decoded once.
fn requests_of<'a>(
    args: &Args,
    requests: &'a mut Option<Vec<PositionedBatch>>,
) -> Result<&'a [PositionedBatch], BenchError> {
    if requests.is_none() {
        let log = log(args, Generated::Floodmark)?;
        *requests = Some(batches(&log, &DecoderConfig::of(Generated::Floodmark.as_str()))?);
    }
    Ok(requests.as_deref().unwrap_or_default())
}

/// Decodes a log as it is configured, hands over the batches and counts their rows.
type Decode = fn(&Log, &DecoderConfig, fn(PositionedBatch)) -> Result<u64, BenchError>;

/// The batches of a log.
///
/// # Errors
/// When the configuration makes no sense.
pub fn batches(log: &Log, config: &DecoderConfig) -> Result<Vec<PositionedBatch>, BenchError> {
    let mut batches = Vec::new();
    decode_blocks(log, config, |batch| batches.push(batch))?;
    Ok(batches)
}

fn blocks(log: &Log, config: &DecoderConfig, take: fn(PositionedBatch)) -> Result<u64, BenchError> {
    decode_blocks(log, config, take)
}

fn decode_blocks(
    log: &Log,
    config: &DecoderConfig,
    take: impl FnMut(PositionedBatch),
) -> Result<u64, BenchError> {
    let mut next_line = 1;
    let blocks = log.blocks.iter().map(|(range, lines)| {
        let first = next_line;
        next_line += i64::try_from(*lines).unwrap_or(i64::MAX);
        (first, log.bytes.get(range.clone()).unwrap_or_default())
    });
    decode(blocks, config, Numbering::Lines, take)
}

fn messages(
    log: &Log,
    config: &DecoderConfig,
    take: fn(PositionedBatch),
) -> Result<u64, BenchError> {
    decode((0..).zip(log.iter()), config, Numbering::Records, take)
}

fn decode<'a>(
    payloads: impl Iterator<Item = (i64, &'a [u8])>,
    config: &DecoderConfig,
    numbering: Numbering,
    mut take: impl FnMut(PositionedBatch),
) -> Result<u64, BenchError> {
    let mut batcher = Batcher::new(config)?;
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
            // A record that came by Kafka in 1970 would be from the future.
            kafka_partition: None,
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

/// The least that any decoder must do, what a JSON library does, and programs that read the same lines, from `file`.
fn baselines<'a>(log: &'a Log, format: Format, file: Option<&'a Path>) -> Vec<Bench<'a>> {
    let mut baselines = vec![split(log)];
    if log.iter().any(|line| line.trim_ascii_start().starts_with(b"{")) {
        baselines.push(parse(log));
    }
    match (format, file) {
        (Format::Combined, Some(file)) => baselines.extend(GoAccess::bench(file, log.records)),
        (Format::Cloudflare, Some(file)) => baselines.extend(DuckDb::to_columns(file, log.records)),
        _ => {}
    }
    baselines
}

fn split(log: &Log) -> Bench<'_> {
    Bench::new("memchr: split into lines", || {
        let (lines, run) = timed(|| Ok(log.iter().map(black_box).count() as u64))?;
        check("memchr", log.lines, lines)?;
        Ok(run)
    })
}

fn parse(log: &Log) -> Bench<'_> {
    Bench::new("serde_json: line to Value", || {
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
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_lines() {
        for format in Format::ALL.iter().copied() {
            assert!(generated(format).is_some() != lines::has_layout(format), "{format}");
        }
    }
}
