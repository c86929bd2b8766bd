//! `floodmark run`: Kafka in, tables and alerts out, until stopped.

use std::sync::Arc;

use anyhow::bail;
use ingest::{KafkaConfig, KafkaSource, Source};
use lake::{History, LakeError, Upkeep};

use super::report;
use super::serve::Beside;
use crate::alerts::{AlertQueue, AlertWriter, Overflow};
use crate::config::{Decode, Output, Run};
use crate::operate::{self, Board, Counted, Service};
use crate::pipeline::{
    self, Back, Detection, EndPolicy, Ended, Front, FrontConfig, Keeper, Next, Pace, PastSource,
    STATE_BYTES_A_DAY, Tables, Totals,
};
use crate::progress::Progress;
use crate::signals::StopFlag;

/// A live pipeline never gives up on its tables: reading pauses until they can be written again.
const COMMIT_ATTEMPTS: u32 = u32::MAX;

/// How often in a row another member may have committed what this one read, with no commit of its own between. One that
/// stood still finds out so, once; a process that is no member of the group finds out again and again.
const OVERTAKEN_MAX: u32 = 3;

/// Reads the topic until stopped, or to its end when asked to.
///
/// # Errors
/// When Kafka refuses for good (no such topic, not authorised) or the tables cannot be used.
pub fn run(config: &Run, quiet: bool, stop: &StopFlag) -> anyhow::Result<()> {
    let mut kafka = KafkaConfig::new(&config.kafka.brokers, &config.kafka.topic, &config.group);
    kafka.properties.clone_from(&config.kafka.properties);
    kafka.exit_at_end = config.exit_at_end;
    let upkeep = config.upkeep.as_ref();
    let Run { decode, output, again, .. } = config;
    let board = Arc::new(Board::new(output.commit_interval));
    if let Some(address) = config.listen {
        let address = operate::serve(address, Arc::clone(&board))?;
        tracing::info!(%address, "answering monitors: /metrics, /healthz, /readyz");
    }
    // Bound before Kafka is asked for anything; gone after the last commit, or as soon as a stop is asked for.
    let _answering = config.serve.as_ref().map(|serve| Beside::start(serve, stop)).transpose()?;
    let mut service = None;
    let watched = Arc::clone(&board);
    let live = Live { kafka, decode, output, again: *again, upkeep, board, quiet };
    let next = |_: &Totals| {
        // The tables are open and the first round is done: what may be wrong with the configuration would have shown.
        service.get_or_insert_with(|| Service::start(&watched));
        if !stop.is_set() {
            return Next::Continue;
        }
        operate::stopping();
        Next::Stop
    };
    let mut next = next;
    let mut overtaken = 0;
    loop {
        match live.consume(&mut next)? {
            Consumed::ToTheEnd => return Ok(()),
            Consumed::Lost => {
                tracing::warn!("the consumer group took partitions away; opening the tables anew");
            }
            Consumed::Overtaken { error, has_committed } => {
                overtaken = if has_committed { 1 } else { overtaken + 1 };
                if overtaken > OVERTAKEN_MAX {
                    return Err(error);
                }
                tracing::warn!(
                    %error,
                    "another member of the group went on with what this one had read; opening the tables anew"
                );
            }
        }
    }
}

/// How far a consumer came.
pub(super) enum Consumed {
    /// Until it was stopped, or to the end.
    ToTheEnd,
    /// Until the group gave partitions to another member.
    Lost,
    /// Until it had rows that another member had committed before it knew that it had lost the partition: it stood still for
    /// longer than the group waits.
    Overtaken {
        /// Which.
        error: anyhow::Error,
        /// It had committed others before.
        has_committed: bool,
    },
}

/// A consumer of a topic, with everything behind it.
pub(super) struct Live<'a> {
    /// Which topic, and how.
    pub(super) kafka: KafkaConfig,
    /// How lines are read.
    pub(super) decode: &'a Decode,
    /// Where results go.
    pub(super) output: &'a Output,
    /// Read the topic although the tables hold it, by another group.
    pub(super) again: bool,
    /// What is done to the tables meanwhile.
    pub(super) upkeep: Option<&'a Upkeep>,
    /// Where its numbers are left for monitors.
    pub(super) board: Arc<Board>,
    /// Whether to leave out progress and summary.
    pub(super) quiet: bool,
}

impl Live<'_> {
    /// Consumes until `next` says stop or the end is reached.
    ///
    /// # Errors
    /// As [`run`].
    pub(super) fn consume(
        &self,
        mut next: impl FnMut(&Totals) -> Next,
    ) -> anyhow::Result<Consumed> {
        let mut batcher = self.decode.batcher()?;
        let history = history(&self.kafka.group, &self.kafka.topic);
        let mut tables = pipeline::open(&self.output.data)?;
        if !self.again {
            self.refuse_twice(&tables)?;
        }
        let restored = tables.detector(&history, &self.decode.detect, &mut batcher)?;
        let (back, commits) = Back::start(tables, history.clone(), COMMIT_ATTEMPTS)?;
        let source = KafkaSource::new(self.kafka.clone(), back.lookup())?;
        // What has an end can wait for its reader.
        let overflow = if self.kafka.exit_at_end { Overflow::Wait } else { Overflow::PassOver };
        let alerts = AlertQueue::start(AlertWriter::stdout(self.output.alerts), overflow)?;
        let past = PastSource {
            data: self.output.data.clone(),
            topic: Some(self.kafka.topic.clone()),
            allow: self.decode.decoder.clients.allow.clone(),
            detect: self.decode.detect.clone(),
            required: false,
        };
        let tables = Arc::clone(back.totals());
        let pace = Pace::within(STATE_BYTES_A_DAY);
        let alert = alerts.alerts();
        let detection = Detection::start(history, restored, pace, Some(past), alert, back)?;
        let front =
            FrontConfig { commit_interval: self.output.commit_interval, at_end: EndPolicy::Hold };
        let progress = Progress::spinner(self.quiet);
        let upkeep = self.upkeep.cloned();
        let keeper = upkeep.map(|upkeep| {
            Keeper::start(self.output.data.clone(), self.output.commit_interval, upkeep)
        });
        let keeper = keeper.transpose()?;
        self.board.begin(Counted {
            alerts: alerts.alerts(),
            incidents: Arc::clone(detection.incidents()),
            detected: Arc::clone(detection.counts()),
            tables,
            upkeep: keeper.as_ref().map(|keeper| Arc::clone(keeper.totals())).unwrap_or_default(),
        });
        let mut front = Front::new(front, Box::new(source), batcher, detection, commits);
        let ended = front.run(|totals: &Totals, source: &dyn Source| {
            let source = source.progress();
            self.board.beat(totals, source.read, source.reached);
            progress.update(totals.records(), || totals.summary());
            if let Some(keeper) = &keeper {
                keeper.lags(totals.lag());
            }
            next(totals)
        });
        let consumed = match ended {
            Ok(Ended::Done(_)) => Consumed::ToTheEnd,
            Ok(Ended::PartitionsLost) => Consumed::Lost,
            Err(error) if is_conflict(&error) => {
                let has_committed = front.totals().committed_at.is_some();
                Consumed::Overtaken { error, has_committed }
            }
            Err(error) => return Err(error),
        };
        progress.finish();
        alerts.finish();
        report::summary(self.quiet, "run", front.totals(), &self.output.data);
        Ok(consumed)
    }

    /// Refuses a topic whose records the tables hold, by the hands of another group, where this one has brought none.
    fn refuse_twice(&self, tables: &Tables) -> anyhow::Result<()> {
        let KafkaConfig { group, topic, .. } = &self.kafka;
        let known = tables.histories()?;
        if known.contains(&history(group, topic)) {
            return Ok(());
        }
        let of_topic = |known: &History| {
            let group = known.lineage().strip_prefix("run/")?.strip_suffix(topic)?;
            group.strip_suffix('/').map(str::to_owned)
        };
        let Some(other) = known.iter().find_map(of_topic) else { return Ok(()) };
        bail!(
            "the tables in {} hold the topic `{topic}` already, by the consumer group `{other}`: every record would be in \
             them twice; go on with --group {other}, or name another folder with --data, or say --again",
            self.output.data
        )
    }
}

fn is_conflict(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(LakeError::Conflict { .. }))
}

/// The rows that a consumer group brings of a topic.
fn history(group: &str, topic: &str) -> History {
    History::of(format!("run/{group}/{topic}"))
}
