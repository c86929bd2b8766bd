//! `floodmark run`: Kafka in, tables and alerts out, until stopped.

use ingest::{Batcher, KafkaConfig, KafkaSource, Source};

use super::report;
use crate::alerts::AlertWriter;
use crate::config::Run;
use crate::pipeline::front::Next;
use crate::pipeline::{self, Back, EndPolicy, Front, FrontConfig, Totals};
use crate::progress::Progress;
use crate::signals::StopFlag;

/// A live pipeline never gives up on its tables: reading pauses until they can be written again.
const COMMIT_ATTEMPTS: u32 = u32::MAX;

/// Reads the topic until stopped, or to its end when asked to.
///
/// # Errors
/// When Kafka refuses for good (no such topic, not authorised) or the tables cannot be used.
pub fn run(config: &Run, quiet: bool, stop: &StopFlag) -> anyhow::Result<()> {
    let batcher = Batcher::new(&config.decode.decoder)?;
    let lineage = format!("run/{}/{}", config.group, config.kafka.topic);
    let opened = pipeline::open(&config.output.data, &lineage, &config.decode.detect)?;
    let kafka = KafkaConfig {
        brokers: config.kafka.brokers.clone(),
        topic: config.kafka.topic.clone(),
        group: config.group.clone(),
        properties: config.kafka.properties.clone(),
        exit_at_end: config.exit_at_end,
    };
    let source = KafkaSource::new(&kafka, opened.positions)?;
    let progress = Progress::spinner(quiet);
    let back = Back::start(opened.lake, opened.runtime, lineage.clone(), COMMIT_ATTEMPTS)?;
    let front = FrontConfig {
        lineage,
        commit_interval: config.output.commit_interval,
        at_end: EndPolicy::Hold,
    };
    let alerts = AlertWriter::stdout(config.output.alerts);
    let mut front = Front::new(front, Box::new(source), batcher, opened.detector, alerts, back);
    let totals = front.run(|totals: &Totals, _: &dyn Source| {
        progress.update(totals.records(), || totals.summary());
        if stop.is_set() { Next::Stop } else { Next::Continue }
    })?;
    progress.finish();
    report::summary(quiet, "run", totals, &config.output.data);
    Ok(())
}
