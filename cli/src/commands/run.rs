//! `floodmark run`: Kafka in, tables and alerts out, until stopped.

use ingest::{Batcher, KafkaConfig, KafkaSource, Source};
use lake::{History, Upkeep};

use super::report;
use crate::alerts::AlertWriter;
use crate::config::{Decode, Output, Run};
use crate::pipeline::{
    self, Back, Detection, EndPolicy, Ended, Front, FrontConfig, Keeper, Next, PastSource, Totals,
};
use crate::progress::Progress;
use crate::signals::StopFlag;

/// A live pipeline never gives up on its tables: reading pauses until they can be written again.
const COMMIT_ATTEMPTS: u32 = u32::MAX;

/// Reads the topic until stopped, or to its end when asked to.
///
/// # Errors
/// When Kafka refuses for good (no such topic, not authorised) or the tables cannot be used.
pub fn run(config: &Run, quiet: bool, stop: &StopFlag) -> anyhow::Result<()> {
    let mut kafka = KafkaConfig::new(&config.kafka.brokers, &config.kafka.topic, &config.group);
    kafka.properties.clone_from(&config.kafka.properties);
    kafka.exit_at_end = config.exit_at_end;
    let upkeep = config.upkeep.as_ref();
    let live = Live { kafka, decode: &config.decode, output: &config.output, upkeep, quiet };
    let next = |_: &Totals| if stop.is_set() { Next::Stop } else { Next::Continue };
    while let Ended::PartitionsLost = live.consume(next)? {
        tracing::warn!("the consumer group took partitions away; opening the tables anew");
    }
    Ok(())
}

/// A consumer of a topic, with everything behind it.
pub(super) struct Live<'a> {
    /// Which topic, and how.
    pub(super) kafka: KafkaConfig,
    /// How lines are read.
    pub(super) decode: &'a Decode,
    /// Where results go.
    pub(super) output: &'a Output,
    /// What is done to the tables meanwhile.
    pub(super) upkeep: Option<&'a Upkeep>,
    /// Whether to leave out progress and summary.
    pub(super) quiet: bool,
}

impl Live<'_> {
    /// Consumes until `next` says stop or the end is reached.
    ///
    /// # Errors
    /// As [`run`].
    pub(super) fn consume(&self, mut next: impl FnMut(&Totals) -> Next) -> anyhow::Result<Ended> {
        let mut batcher = Batcher::new(&self.decode.decoder)?;
        let history = History::of(format!("run/{}/{}", self.kafka.group, self.kafka.topic));
        let tables = pipeline::open(&self.output.data)?;
        let detector = tables.detector(&history, &self.decode.detect, &mut batcher)?;
        let (back, commits) = Back::start(tables, history.clone(), COMMIT_ATTEMPTS)?;
        let source = KafkaSource::new(self.kafka.clone(), back.lookup())?;
        let alerts = AlertWriter::stdout(self.output.alerts);
        let past = PastSource {
            data: self.output.data.clone(),
            topic: Some(self.kafka.topic.clone()),
            allow: self.decode.decoder.clients.allow.clone(),
            detect: self.decode.detect.clone(),
            required: false,
        };
        let detection = Detection::start(history, detector, Some(past), alerts, back)?;
        let front =
            FrontConfig { commit_interval: self.output.commit_interval, at_end: EndPolicy::Hold };
        let progress = Progress::spinner(self.quiet);
        let upkeep = self.upkeep.cloned();
        let keeper = upkeep.map(|upkeep| {
            Keeper::start(self.output.data.clone(), self.output.commit_interval, upkeep)
        });
        let keeper = keeper.transpose()?;
        let mut front = Front::new(front, Box::new(source), batcher, detection, commits);
        let ended = front.run(|totals: &Totals, _: &dyn Source| {
            progress.update(totals.records(), || totals.summary());
            if let Some(keeper) = &keeper {
                keeper.lags(totals.lag());
            }
            next(totals)
        })?;
        progress.finish();
        report::summary(self.quiet, "run", front.totals(), &self.output.data);
        Ok(ended)
    }
}
