//! `floodmark scan`: log files through the whole pipeline, without Kafka.

use std::time::Duration;

use anyhow::bail;
use decode::RawMessage;
use ingest::{FileSource, Polled, Source};
use lake::History;

use super::report;
use crate::alerts::{AlertQueue, AlertWriter, Overflow};
use crate::config::Scan;
use crate::pipeline::{
    self, Back, Detection, EndPolicy, Ended, Front, FrontConfig, Next, Pace, PastSource, Totals,
};
use crate::progress::Progress;
use crate::signals::StopFlag;

/// All scans share one lineage: a file is in the tables once, whoever scans it.
const LINEAGE: &str = "scan";

/// How often a failed commit is tried before the scan gives up: about half a minute.
const COMMIT_ATTEMPTS: u32 = 8;

/// Reads the files to their end, prints alerts, writes the tables.
///
/// # Errors
/// When a file cannot be read, or the tables cannot be written.
pub fn scan(config: &Scan, quiet: bool, stop: &StopFlag) -> anyhow::Result<()> {
    let mut batcher = config.decode.batcher()?;
    let mut tables = pipeline::open(&config.output.data)?;
    let mut source = FileSource::open(&config.files, tables.positions(LINEAGE)?)?;
    source.recall(tables.attempts(LINEAGE)?);
    let Some(first) = first_event(&mut source, stop)? else { return Ok(()) };
    let history = History::scoped(LINEAGE, file_set(&first));
    let restored = tables.detector(&history, &config.decode.detect, &mut batcher)?;
    let (back, commits) = Back::start(tables, history.clone(), COMMIT_ATTEMPTS)?;
    let alerts = AlertQueue::start(AlertWriter::stdout(config.output.alerts), Overflow::Wait)?;
    let past = config.warm_from.clone().map(|data| PastSource {
        data,
        topic: None,
        allow: config.decode.decoder.clients.allow.clone(),
        detect: config.decode.detect.clone(),
        required: true,
    });
    let detection = Detection::start(history, restored, Pace::each(), past, alerts.alerts(), back)?;
    let front =
        FrontConfig { commit_interval: config.output.commit_interval, at_end: EndPolicy::Close };
    let progress = Progress::bytes(quiet, source.progress().total);
    let mut front = Front::new(front, Box::new(source), batcher, detection, commits);
    front.on_polled(first)?;
    let ended = front.run(|totals: &Totals, source: &dyn Source| {
        progress.update(source.progress().read, || totals.summary());
        if stop.is_set() { Next::Stop } else { Next::Continue }
    })?;
    progress.finish();
    alerts.finish();
    report::summary(quiet, "scan", front.totals(), &config.output.data);
    match ended {
        Ended::Done(failures) if !failures.is_empty() => {
            bail!("{} of the files could not be read to the end", failures.len())
        }
        Ended::Done(_) | Ended::PartitionsLost => Ok(()),
    }
}

/// What the source says before its first message: which files it has. `None` when stopped while waiting.
fn first_event(source: &mut FileSource, stop: &StopFlag) -> anyhow::Result<Option<Polled>> {
    let mut early = |_: &RawMessage<'_>| {
        debug_assert!(false, "partitions are announced before the first message");
    };
    while !stop.is_set() {
        match source.poll(Duration::from_millis(100), &mut early)? {
            Polled::Idle => {}
            event => return Ok(Some(event)),
        }
    }
    Ok(None)
}

/// Which files are scanned, whatever their names: a scan that was interrupted, or whose files have grown, goes on with
/// the detector it had; other files get a new one.
fn file_set(first: &Polled) -> String {
    match first {
        Polled::PartitionsAssigned(files) => FileSource::set_name(files),
        _ => FileSource::set_name(&[]),
    }
}
