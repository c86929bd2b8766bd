//! Batches → findings, on one core.

use std::collections::HashMap;
use std::hint::black_box;

use arrow::array::{Array, StringArray};
use detect::{DetectConfig, Detector, Findings};
use ingest::DecoderConfig;
use schemas::PositionedBatch;

use super::{check, decode, plan};
use crate::args::Args;
use crate::error::BenchError;
use crate::input;
use crate::measure::{Bench, Group, in_turns, timed};

/// The whole log, attacks included, from the first record to the last second.
pub(super) fn measure(args: &Args) -> Result<Vec<Group>, BenchError> {
    let format = sample_data::Format::Cloudflare;
    if !args.wants(format.as_str()) {
        return Ok(Vec::new());
    }
    let log = input::log(format, u64::MAX, args.lines)?;
    let batches = decode::batches(&log, &DecoderConfig::of(format.as_str()))?;
    let plan = plan(args, &log);
    let lines = log.lines;
    drop(log);
    let measured = Bench::new(format.as_str(), || {
        let (records, run) = timed(|| Ok(detect(&batches)))?;
        check("detect", lines, records)?;
        Ok(run)
    });
    let baseline = Bench::new("HashMap: count host, client, path", || {
        let (records, run) = timed(|| Ok(count(&batches)))?;
        check("count", lines, records)?;
        Ok(run)
    });
    Ok(vec![in_turns("detect", plan, measured, vec![baseline])?])
}

/// Records that the detector has counted.
fn detect(batches: &[PositionedBatch]) -> u64 {
    let mut detector = Detector::new(DetectConfig::default());
    let mut findings = Findings::default();
    for batch in batches {
        detector.on_batch(&batch.partition, &batch.requests, &mut findings);
        drop(black_box(std::mem::take(&mut findings)));
    }
    detector.finish(&mut findings);
    black_box(findings);
    detector.counters().records
}

/// Counts requests by host, client and path as a script would: one table, the hasher of the standard library.
fn count(batches: &[PositionedBatch]) -> u64 {
    fn text(column: &StringArray, row: usize) -> &str {
        if column.is_null(row) { "" } else { column.value(row) }
    }
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
