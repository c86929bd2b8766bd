//! `floodmark scan`: log files through the whole pipeline, without Kafka.

use ingest::{Batcher, FileSource, Source};

use super::report;
use crate::alerts::AlertWriter;
use crate::config::Scan;
use crate::pipeline::front::Next;
use crate::pipeline::{self, Back, EndPolicy, Front, FrontConfig, Totals};
use crate::progress::Progress;
use crate::signals::StopFlag;

/// How often a failed commit is tried before the scan gives up: about half a minute.
const COMMIT_ATTEMPTS: u32 = 8;

/// Reads the files to their end, prints alerts, writes the tables.
///
/// # Errors
/// When a file cannot be read, or the tables cannot be written.
pub fn scan(config: &Scan, quiet: bool, stop: &StopFlag) -> anyhow::Result<()> {
    let batcher = Batcher::new(&config.decode.decoder)?;
    let files = FileSource::identify(&config.files)?;
    let lineage = format!("scan/{}", files.set_id());
    let opened = pipeline::open(&config.output.data, &lineage, &config.decode.detect)?;
    let source = files.open(&opened.positions)?;
    let progress = Progress::bytes(quiet, source.progress().total);
    let back = Back::start(opened.lake, opened.runtime, lineage.clone(), COMMIT_ATTEMPTS)?;
    let front = FrontConfig {
        lineage,
        commit_interval: config.output.commit_interval,
        at_end: EndPolicy::Close,
    };
    let alerts = AlertWriter::stdout(config.output.alerts);
    let mut front = Front::new(front, Box::new(source), batcher, opened.detector, alerts, back);
    let totals = front.run(|totals: &Totals, source: &dyn Source| {
        progress.update(source.progress().read, || totals.summary());
        if stop.is_set() { Next::Stop } else { Next::Continue }
    })?;
    progress.finish();
    report::summary(quiet, "scan", totals, &config.output.data);
    Ok(())
}
