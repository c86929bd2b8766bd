//! Batches → findings, on one core.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::hint::black_box;

use ::decode::DecoderConfig;
use arrow::array::{Array, StringArray};
use detect::{DetectConfig, Detector, Findings};
use schemas::{PositionedBatch, RequestBatch};

use super::{check, decode, plan};
use crate::args::Args;
use crate::error::BenchError;
use crate::input::{self, Log};
use crate::measure::{Bench, Group, in_turns, timed};
use crate::strangers;

/// Traffic of which nothing repeats.
const STRANGERS: &str = "strangers: all is new";

/// The whole log, attacks included, from the first record to the last second; and the dearest that can be sent.
pub(super) fn measure(args: &Args) -> Result<Vec<Group>, BenchError> {
    let mut groups = Vec::new();
    let format = sample_data::Format::Cloudflare;
    if args.wants(format.as_str()) {
        let log = input::log(format, u64::MAX, args.lines)?;
        groups.push(group(args, format.as_str(), log, &DecoderConfig::of(format.as_str()))?);
    }
    if args.wants(STRANGERS) {
        let log = strangers::log(args.lines);
        groups.push(group(args, STRANGERS, log, &DecoderConfig::of("floodmark"))?);
    }
    Ok(groups)
}

fn group(args: &Args, name: &str, log: Log, config: &DecoderConfig) -> Result<Group, BenchError> {
    let batches = decode::batches(&log, config)?;
    let plan = plan(args, &log);
    let lines = log.lines;
    drop(log);
    let bench = |name: &str, work: fn(&[PositionedBatch]) -> u64| {
        let (case, batches) = (name.to_owned(), &batches);
        Bench::new(name, move || {
            let (records, run) = timed(|| Ok(work(batches)))?;
            check(&case, lines, records)?;
            Ok(run)
        })
    };
    let baselines = vec![
        bench("SipHash: read and hash every text", hash),
        bench("HashMap: count host, client, path", count),
    ];
    in_turns("detect", plan, bench(name, detect), baselines)
}

/// Records that the detector has judged: those it did not believe cost it nothing.
fn detect(batches: &[PositionedBatch]) -> u64 {
    let mut detector = Detector::new(DetectConfig::default());
    let mut findings = Findings::default();
    for batch in batches {
        detector.on_batch(&batch.partition, &batch.requests, &mut findings);
        drop(black_box(std::mem::take(&mut findings)));
    }
    detector.finish(&mut findings);
    black_box(findings);
    let counters = detector.counters();
    counters.records - counters.implausible - counters.late
}

fn text(column: &StringArray, row: usize) -> &str {
    if column.is_null(row) { "" } else { column.value(row) }
}

/// Reads what the detector reads of every record and hashes each text, which is where it begins.
fn hash(batches: &[PositionedBatch]) -> u64 {
    let (hasher, mut sum, mut records) = (RandomState::new(), 0_u64, 0);
    for batch in batches {
        let requests: &RequestBatch = &batch.requests;
        let columns = [
            requests.host(),
            requests.client_ip(),
            requests.path(),
            requests.query(),
            requests.user_agent(),
            requests.ja4(),
            requests.method(),
            requests.referer(),
        ];
        for row in 0..requests.rows() {
            for column in columns {
                sum ^= hasher.hash_one(text(column, row));
            }
            sum ^= requests.ts().value(row).unsigned_abs();
            records += 1;
        }
    }
    black_box(sum);
    records
}

/// Counts requests by host, client and path as a script would: one table, the hasher of the standard library.
fn count(batches: &[PositionedBatch]) -> u64 {
    let mut counts: HashMap<[&str; 3], u64> = HashMap::new();
    for batch in batches {
        let requests = &batch.requests;
        for row in 0..requests.rows() {
            let columns = [requests.host(), requests.client_ip(), requests.path()];
            *counts.entry(columns.map(|column| text(column, row))).or_default() += 1;
        }
    }
    black_box(counts).into_values().sum()
}
