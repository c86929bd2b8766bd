//! Kafka → tables and alerts, with the binary: `ship` fills a topic, `run --exit-at-end` reads it.

use std::cell::Cell;
use std::path::Path;

use chrono::Utc;
use sample_data::Format;

use super::{check, scan};
use crate::args::Args;
use crate::error::BenchError;
use crate::measure::{Bench, Group, Plan, Run, in_turns};
use crate::process;
use crate::{input, say};

/// Names the broker, `host:port`.
const BROKERS: &str = "FLOODMARK_BENCH_BROKERS";

/// The topic to fill; it must be there and empty.
const TOPIC: &str = "FLOODMARK_BENCH_TOPIC";

/// `ship` once, then `run` by a new consumer group each time.
pub(super) fn measure(args: &Args) -> Result<Vec<Group>, BenchError> {
    let format = Format::Cloudflare;
    if !args.wants(format.as_str()) {
        return Ok(Vec::new());
    }
    let (Ok(brokers), Ok(topic)) = (std::env::var(BROKERS), std::env::var(TOPIC)) else {
        say(&format!("no run: {BROKERS} and {TOPIC} must name a broker and an empty topic"));
        return Ok(Vec::new());
    };
    let binary = process::floodmark()?;
    let log = input::file(format, args.lines)?;
    let stamp = Utc::now().timestamp_millis();
    let kafka = Kafka { binary: &binary, brokers: &brokers, topic: &topic };
    let plan = Plan { repeat: 1, warm_up: false, records: log.lines, bytes: log.bytes };
    let ship = Bench::new(format.as_str(), || kafka.ship(&log.path));
    let ship = in_turns("ship", plan, ship, Vec::new())?;
    let number = Cell::new(0);
    let run = Bench::new(format.as_str(), || {
        number.set(number.get() + 1);
        kafka.run(&format!("{topic}-{stamp}-{}", number.get()), log.lines)
    });
    let run =
        in_turns("run", Plan { repeat: args.repeat, warm_up: true, ..plan }, run, Vec::new())?;
    Ok(vec![ship, run])
}

struct Kafka<'a> {
    binary: &'a Path,
    brokers: &'a str,
    topic: &'a str,
}

impl Kafka<'_> {
    fn ship(&self, path: &Path) -> Result<Run, BenchError> {
        let mut command = process::command(self.binary, ["ship", "--quiet"]);
        command.args(["--brokers", self.brokers, "--topic", self.topic]).arg(path);
        Ok(process::timed(&mut command)?.1)
    }

    fn run(&self, group: &str, records: u64) -> Result<Run, BenchError> {
        let folder = tempfile::tempdir().map_err(|error| BenchError::io("make a folder", error))?;
        let mut command = process::command(self.binary, ["run", "--quiet", "--exit-at-end"]);
        command.args(["--brokers", self.brokers, "--topic", self.topic, "--group", group]);
        command.args(["--alerts", "json", "--data"]).arg(folder.path());
        let (_, run) = process::timed(&mut command)?;
        check("run", records, scan::rows(self.binary, folder.path())?)?;
        Ok(Run { written_bytes: Some(process::bytes_under(folder.path())), ..run })
    }
}
