//! One real Apache Kafka broker for all tests of the process, and `kcat`.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::running::{self, Signal};
use crate::skip::Missing;
use crate::workspace;

/// Longest wait for the name of a topic that was deleted.
const REMAKE_LIMIT: Duration = Duration::from_secs(30);

/// A broker that answers, and its administration.
///
/// It lives as long as the process: the broker's own program ends, and removes its files, when its standard input
/// ends, which the operating system sees to however this process dies.
#[derive(Debug)]
pub struct Kafka {
    port: u16,
    console: Mutex<Console>,
    topics: AtomicU32,
}

#[derive(Debug)]
struct Console {
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    process: Child,
}

impl Console {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the broker's answers are text");
        line.trim_end().to_owned()
    }
}

impl Kafka {
    /// The broker of this process, started by the first test that asks.
    ///
    /// # Errors
    /// [`Missing`] when there is no Java compiler or Kafka's jars are not in the cache.
    ///
    /// # Panics
    /// When everything is there and the broker does not start all the same.
    pub fn shared() -> Result<&'static Self, Missing> {
        static KAFKA: OnceLock<Result<Kafka, Missing>> = OnceLock::new();
        KAFKA.get_or_init(Self::start).as_ref().map_err(Clone::clone)
    }

    /// A broker that no other test uses.
    ///
    /// # Errors
    /// [`Missing`], as of [`Kafka::shared`].
    ///
    /// # Panics
    /// When everything is there and the broker does not start all the same.
    pub fn start() -> Result<Self, Missing> {
        let jars = Self::jars()?;
        // A port found free can be taken before the broker binds it: then another pair is tried.
        let mut errors = Vec::new();
        for _ in 0..3 {
            match Self::launch(&jars, &new_folder(), &[]) {
                Ok(kafka) => return Ok(kafka),
                Err(error) => errors.push(error),
            }
        }
        panic!("the broker does not start: {errors:?}");
    }

    /// Kafka's jars, and that they can be run.
    pub(crate) fn jars() -> Result<PathBuf, Missing> {
        let jars = workspace::part("FLOODMARK_TEST_KAFKA", "kafka")
            .ok_or_else(|| Missing("Kafka's jars missing: start tests/run".into()))?;
        let compiler = Command::new("javac").arg("-version").output();
        if !compiler.is_ok_and(|output| output.status.success()) {
            return Err(Missing("Java compiler (JDK 17 or later) missing".into()));
        }
        Ok(jars)
    }

    /// Starts a broker whose files are in `folder`, with listeners at `further` ports.
    pub(crate) fn launch(jars: &Path, folder: &Path, further: &[u16]) -> Result<Self, String> {
        let [port, controller_port] = free_ports();
        let log = std::fs::File::create(folder.join("stderr.log")).unwrap();
        let mut process = Command::new("java")
            .args(["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"])
            .arg(jars.join("*"))
            .arg(workspace::root().join("tests/parts/Broker.java"))
            .arg(folder)
            .args([port, controller_port].iter().chain(further).map(u16::to_string))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(|error| error.to_string())?;
        let commands = process.stdin.take().expect("stdin is piped");
        let answers = BufReader::new(process.stdout.take().expect("stdout is piped"));
        let mut console = Console { commands, answers, process };
        match console.line().as_str() {
            "ready" => {
                Ok(Self { port, console: Mutex::new(console), topics: AtomicU32::default() })
            }
            said => {
                let log = std::fs::read_to_string(folder.join("stderr.log")).unwrap_or_default();
                std::fs::remove_dir_all(folder).ok();
                Err(format!("`{said}` {log}"))
            }
        }
    }

    /// `HOST:PORT` for `--brokers`.
    pub fn brokers(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Has the broker stand still, with its connections open, or go on.
    pub fn signal(&self, signal: Signal) {
        let console = self.console.lock().unwrap_or_else(PoisonError::into_inner);
        running::signal(console.process.id(), signal);
    }

    /// Gives the broker's program one command; returns its answer.
    pub(crate) fn ask(&self, command: &str) -> Result<String, String> {
        // A test that failed while asking has not left half an answer behind: answers are lines.
        let mut console = self.console.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(console.commands, "{command}").map_err(|error| error.to_string())?;
        let answer = console.line();
        match answer.split_once(' ') {
            Some(("ok", answer)) => Ok(answer.to_owned()),
            _ => Err(format!("{command}: `{answer}`")),
        }
    }

    fn count(&self, command: &str) -> u64 {
        let answer = self.ask(command).unwrap_or_else(|error| panic!("{error}"));
        answer.parse().unwrap_or_else(|_| panic!("{command}: `{answer}`"))
    }

    /// Creates a topic with a name of its own.
    pub fn topic(&self, stem: &str, partitions: u32) -> String {
        let name = format!("{stem}-{}", self.topics.fetch_add(1, Ordering::Relaxed));
        self.ask(&format!("create {name} {partitions}")).unwrap_or_else(|error| panic!("{error}"));
        name
    }

    /// Deletes a topic.
    pub fn delete(&self, topic: &str) {
        self.ask(&format!("delete {topic}")).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Deletes a topic and creates one of the same name, which the broker may take a moment to let go.
    pub fn remake(&self, topic: &str, partitions: u32) {
        self.delete(topic);
        let deadline = Instant::now() + REMAKE_LIMIT;
        while let Err(error) = self.ask(&format!("create {topic} {partitions}")) {
            assert!(error.contains("already exists") && Instant::now() < deadline, "{error}");
        }
    }

    /// Messages in a topic.
    pub fn messages(&self, topic: &str) -> u64 {
        self.count(&format!("messages {topic}"))
    }

    /// Messages of a topic that a consumer group has not committed.
    pub fn lag(&self, group: &str, topic: &str) -> u64 {
        self.count(&format!("lag {group} {topic}"))
    }

    /// Members of a consumer group that own a partition.
    pub fn members(&self, group: &str) -> u64 {
        self.count(&format!("members {group}"))
    }
}

/// A folder for a broker, removed by its program when it ends.
pub(crate) fn new_folder() -> PathBuf {
    tempfile::Builder::new().prefix("floodmark-kafka-").tempdir().unwrap().keep()
}

/// Loopback ports that are free now.
pub(crate) fn free_ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind(("127.0.0.1", 0)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// A loopback port on which nothing answers.
pub fn closed_port() -> u16 {
    free_ports::<1>()[0]
}

/// Runs `kcat ARGS` against a broker.
///
/// # Errors
/// [`Missing`] when kcat is not installed.
pub fn kcat(kafka: &Kafka, args: &[&str]) -> Result<Output, Missing> {
    let output = Command::new("kcat").args(["-b", &kafka.brokers()]).args(args).output();
    output.map_err(|error| Missing(format!("kcat missing: {error}")))
}
