//! `floodmark demo`: the whole system on sample data, with an embedded broker.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use anyhow::{Context, anyhow};
use ingest::{EmbeddedBroker, KafkaConfig, Membership, ShipConfig, ShipControl};

use super::run::{Consumed, Live};
use crate::alerts::AlertFormat;
use crate::args::DemoArgs;
use crate::config::{DEFAULT_COMMIT_INTERVAL, Decode, Output, UsageError};
use crate::operate::Board;
use crate::pipeline::{Next, Totals};
use crate::signals::StopFlag;

/// Topic of the demo.
const TOPIC: &str = "edge";

/// Partitions of the topic: enough to show that their interleaving does not matter.
const PARTITIONS: u16 = 3;

/// Lines that may be in the broker unread: it keeps a few megabytes a partition and forgets the oldest.
const LINES_AHEAD: u64 = 20_000;

/// Marks a folder that a demo made, and that the next one may replace.
const MARKER: &str = ".floodmark-demo";

/// Ships the sample into a broker in this process and runs the pipeline on it.
///
/// # Errors
/// When the folder holds something else, or a part of the pipeline fails.
pub fn demo(args: &DemoArgs, quiet: bool, stop: &StopFlag) -> anyhow::Result<()> {
    let truth = sample_data::embedded_truth_parsed().context("the sample's truth is damaged")?;
    let sample = prepare(&args.data)?;
    let broker = EmbeddedBroker::start(TOPIC, PARTITIONS)?;
    say(
        quiet,
        &format!(
            "demo: an embedded Kafka broker on {}, {} lines of made-up edge logs from {} hosts with {} planted events\n",
            broker.brokers(),
            truth.lines,
            truth.hosts.len(),
            truth.events.len(),
        ),
    );
    let consumed = Arc::new(AtomicU64::new(0));
    let failed = Arc::new(AtomicBool::new(false));
    let control = Held { consumed: Arc::clone(&consumed), stop: stop.clone() };
    let shipper = start_shipper(broker.brokers(), sample, control, Arc::clone(&failed))?;

    let mut kafka = KafkaConfig::new(broker.brokers(), TOPIC, "demo");
    kafka.membership = Membership::Alone;
    let output = Output {
        data: args.data.to_string_lossy().into_owned(),
        alerts: args.alerts.unwrap_or_else(AlertFormat::for_stdout),
        commit_interval: DEFAULT_COMMIT_INTERVAL,
    };
    let decode = Decode::default();
    let board = Arc::new(Board::new(output.commit_interval));
    let live =
        Live { kafka, decode: &decode, output: &output, again: false, upkeep: None, board, quiet };
    let read = live.consume(|totals: &Totals| {
        consumed.store(totals.records(), Ordering::Relaxed);
        let all = totals.records() >= truth.lines;
        let gave_up = failed.load(Ordering::Relaxed);
        if all || gave_up || stop.is_set() { Next::Stop } else { Next::Continue }
    })?;
    if let Consumed::Overtaken { error, .. } = read {
        return Err(error);
    }
    shipper.join().map_err(|_| anyhow!("the shipper has crashed; its message is above"))??;
    what_next(quiet, &args.data);
    Ok(())
}

/// Makes the folder anew and puts the sample into it.
fn prepare(folder: &Path) -> anyhow::Result<PathBuf> {
    let marker = folder.join(MARKER);
    if marker.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove the last demo in {}", folder.display()))?;
    } else if folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(UsageError::new(format!(
            "{} holds something that no demo made; name another folder with --data",
            folder.display()
        ))
        .into());
    }
    let failed = || format!("cannot write the sample into {}", folder.display());
    fs::create_dir_all(folder).with_context(failed)?;
    fs::write(&marker, "").with_context(failed)?;
    let sample = folder.join(sample_data::EMBEDDED_SAMPLE_FILE);
    fs::write(&sample, sample_data::embedded_sample()).with_context(failed)?;
    Ok(sample)
}

/// Holds the shipper back while the consumer has much to read.
struct Held {
    consumed: Arc<AtomicU64>,
    stop: StopFlag,
}

impl ShipControl for Held {
    fn stop(&mut self) -> bool {
        self.stop.is_set()
    }

    fn may_send(&mut self, lines: u64) -> bool {
        lines < self.consumed.load(Ordering::Relaxed) + LINES_AHEAD
    }
}

type Shipper = thread::JoinHandle<Result<ingest::ShipSummary, ingest::ShipError>>;

fn start_shipper(
    brokers: &str,
    sample: PathBuf,
    mut control: Held,
    failed: Arc<AtomicBool>,
) -> anyhow::Result<Shipper> {
    let config = ShipConfig::new(brokers, TOPIC);
    thread::Builder::new()
        .name("shipper".into())
        .spawn(move || {
            let shipped = ingest::ship(&config, &[sample], &mut control);
            failed.store(shipped.is_err(), Ordering::Relaxed);
            shipped
        })
        .context("cannot start the shipper")
}

fn say(quiet: bool, text: &str) {
    if !quiet {
        // A closed stderr does not stop the demo.
        let _ = write!(io::stderr(), "{text}");
    }
}

fn what_next(quiet: bool, data: &Path) {
    let program = std::env::args().next().unwrap_or_else(|| "floodmark".to_owned());
    let data = data.display();
    say(
        quiet,
        &format!(
            "\nWhat to try next:\n  \
         {program} sql --data {data} 'SELECT kind, target_host, severity, requests, source_count, fingerprint FROM attacks ORDER BY first_ts'\n  \
         {program} sql --data {data}\n  \
         {program} serve --data {data}    # the same in a browser, at http://127.0.0.1:8080\n"
        ),
    );
}
