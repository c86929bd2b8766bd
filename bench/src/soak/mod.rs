//! A run that goes on: traffic of its own through Kafka for an hour or longer, with floods in it, and how the process is
//! meanwhile.
//!
//! ```text
//! traffic: lines of now ─▶ floodmark ship ─▶ Kafka ─▶ floodmark run ─▶ tables
//!                                                        │ every ten seconds: watch
//!                                                        ▼
//!                                             page (README.md) · plot (SVG)
//! ```
//! At the end every line must be stored once, and `floodmark check` find the tables whole.

mod page;
mod plot;
mod traffic;
mod watch;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use ingest::EmbeddedBroker;

use crate::error::BenchError;
use crate::machine::Machine;
use crate::process;
use crate::say;
use crate::stages::check;
use traffic::Traffic;
use watch::{Sample, Watch};

/// Names a broker, `host:port`, and an empty topic; without them one inside this process is used.
const BROKERS: &str = "FLOODMARK_BENCH_BROKERS";
const TOPIC: &str = "FLOODMARK_BENCH_TOPIC";

/// Partitions of the topic of the broker inside.
const PARTITIONS: u16 = 4;

/// Seconds between two looks.
const LOOK_EVERY_S: u64 = 10;

/// Longest that is waited for the last lines to be stored.
const REST: Duration = Duration::from_mins(2);

/// `bench soak`.
#[derive(Debug, Args)]
pub struct Soak {
    /// How long.
    #[arg(long, default_value_t = 60, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    minutes: u64,
    /// Lines a second of ordinary traffic.
    #[arg(long, default_value_t = 2_000, value_name = "N", value_parser = clap::value_parser!(u64).range(10..))]
    rate: u64,
    /// Folder for the page and its plot, besides the page on stdout.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// What was seen of a run.
#[derive(Debug)]
struct Soaked {
    minutes: u64,
    rate: u64,
    broker: &'static str,
    sent: u64,
    floods: usize,
    /// Attacks that the tables hold, and incidents of any kind.
    found: [u64; 2],
    samples: Vec<Sample>,
}

/// A process that does not outlive this one.
struct Kept(Child);

impl Drop for Kept {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs, watches and reports.
///
/// # Errors
/// When a process fails, a line is missing or twice there, or the tables are not whole.
pub fn soak(options: &Soak) -> Result<(), BenchError> {
    let before = Machine::now();
    let soaked = run(options)?;
    let page = page::page(&soaked, &before);
    write!(io::stdout(), "{page}").map_err(|error| BenchError::io("write to stdout", error))?;
    let Some(folder) = &options.out else { return Ok(()) };
    let fail = |error| BenchError::io(format!("write {}", folder.display()), error);
    fs::create_dir_all(folder).map_err(fail)?;
    fs::write(folder.join("README.md"), page).map_err(fail)?;
    fs::write(folder.join("soak.svg"), plot::draw(&soaked.samples)).map_err(fail)
}

fn run(options: &Soak) -> Result<Soaked, BenchError> {
    let fail = |what: &'static str| move |error| BenchError::io(what, error);
    let binary = process::floodmark()?;
    let folder = tempfile::tempdir().map_err(fail("make a folder"))?;
    let data = folder.path().join("lake");
    let (broker, brokers, topic) = broker()?;
    let to_kafka = ["--brokers", &brokers, "--topic", &topic];
    let address = free_address().map_err(fail("find a free port"))?;
    let mut reader =
        process::command(&binary, ["run", "--quiet", "--alerts", "json", "--group", "soak"]);
    reader.args(to_kafka).args(["--listen", &address, "--data"]).arg(&data);
    let mut reader = start(&mut reader, folder.path(), "run")?;
    let mut shipper = process::command(&binary, ["ship", "--quiet", "-"]);
    shipper.args(to_kafka).stdin(Stdio::piped());
    let mut shipper = start(&mut shipper, folder.path(), "ship")?;
    let stdin = shipper
        .0
        .stdin
        .take()
        .ok_or_else(|| fail("feed `ship`")(io::ErrorKind::BrokenPipe.into()))?;
    let mut watch = Watch::new(address, reader.0.id(), data.clone());
    let mut traffic = Traffic::new(options.rate, options.minutes * 60);
    let sent = feed(&mut traffic, stdin, &mut watch).map_err(fail("feed `ship`"))?;
    say("all is sent; waiting for the rest");
    shipper.0.wait().map_err(fail("wait for `ship`"))?;
    let deadline = Instant::now() + REST;
    while watch.stored() < sent && Instant::now() < deadline {
        pause(Duration::from_millis(200));
    }
    process::success(Command::new("kill").args(["-TERM", &reader.0.id().to_string()]))?;
    let status = reader.0.wait().map_err(fail("wait for `run`"))?;
    if !status.success() {
        let stderr = fs::read_to_string(folder.path().join("run.err")).unwrap_or_default();
        return Err(BenchError::Command { command: "floodmark run".to_owned(), status, stderr });
    }
    check("soak", sent, process::count(&binary, &data, "SELECT count(*) FROM requests")?)?;
    process::success(process::command(&binary, ["check", "--quiet", "--data"]).arg(&data))?;
    let count = |sql: &str| process::count(&binary, &data, sql);
    let found = [
        count("SELECT count(*) FROM attacks WHERE verdict = 'attack'")?,
        count("SELECT count(*) FROM attacks")?,
    ];
    Ok(Soaked {
        minutes: options.minutes,
        rate: options.rate,
        broker: if broker.is_some() { "the one inside" } else { "a Kafka" },
        sent,
        floods: traffic.floods(),
        found,
        samples: watch.into_samples(),
    })
}

/// Sends a second's lines each second, and looks from time to time; how many lines it sent.
fn feed(traffic: &mut Traffic, stdin: ChildStdin, watch: &mut Watch) -> io::Result<u64> {
    let mut out = BufWriter::new(stdin);
    let (start, mut sent) = (Instant::now(), 0);
    for second in 0..traffic.seconds() {
        sent += traffic.write_second(second, &mut out)?;
        out.flush()?;
        if second % LOOK_EVERY_S == LOOK_EVERY_S - 1 {
            watch.look(start.elapsed(), sent);
        }
        pause((start + Duration::from_secs(second + 1)).saturating_duration_since(Instant::now()));
    }
    Ok(sent)
}

/// A broker, if none is named, its address and the topic.
fn broker() -> Result<(Option<EmbeddedBroker>, String, String), BenchError> {
    if let (Ok(brokers), Ok(topic)) = (std::env::var(BROKERS), std::env::var(TOPIC)) {
        return Ok((None, brokers, topic));
    }
    let topic = "soak".to_owned();
    let broker = EmbeddedBroker::start(&topic, PARTITIONS)
        .map_err(|error| BenchError::io("start the broker", io::Error::other(error)))?;
    let brokers = broker.brokers().to_owned();
    Ok((Some(broker), brokers, topic))
}

/// The traffic keeps to the clock, as real traffic does.
#[expect(clippy::disallowed_methods, reason = "time that passes is what is measured")]
fn pause(time: Duration) {
    thread::sleep(time);
}

fn free_address() -> io::Result<String> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

/// Starts a process whose output goes to files in `folder`.
fn start(command: &mut Command, folder: &Path, name: &str) -> Result<Kept, BenchError> {
    let file = |end: &str| File::create(folder.join(format!("{name}.{end}")));
    let started = file("out").and_then(|out| Ok((out, file("err")?)));
    let started = started.and_then(|(out, err)| command.stdout(out).stderr(err).spawn());
    started.map(Kept).map_err(|error| BenchError::io(format!("start `{name}`"), error))
}
