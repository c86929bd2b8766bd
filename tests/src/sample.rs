//! Lines to feed in.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::floodmark::Floodmark;
use crate::table::Tables;
use crate::workspace;

/// A log file of a test.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    lines: i64,
    /// Removed with the log.
    _folder: Option<TempDir>,
}

impl Log {
    /// A file `access.log` with this text, removed when dropped.
    pub fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.log");
        fs::write(&path, text).unwrap();
        let lines = text.lines().count().try_into().expect("a test's log is small");
        Self { path, lines, _folder: Some(folder) }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its lines.
    pub const fn lines(&self) -> i64 {
        self.lines
    }
}

/// A file of the sample that is shipped with the project.
fn shipped(name: &str) -> PathBuf {
    workspace::root().join("sample-data").join("files").join(name)
}

/// What is known about the shipped sample.
fn truth() -> &'static Value {
    static TRUTH: OnceLock<Value> = OnceLock::new();
    TRUTH.get_or_init(|| {
        let text = fs::read_to_string(shipped("sample.truth.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    })
}

/// The shipped sample: ordinary traffic with planted attacks, as compressed Cloudflare NDJSON.
pub fn traffic() -> Log {
    let lines = truth()["lines"].as_i64().expect("the truth counts lines");
    Log { path: shipped("sample.ndjson.zst"), lines, _folder: None }
}

/// Tables in `folder` that the shipped sample was read into.
pub fn lake(folder: &Path) -> Tables {
    let tables = Tables::at(folder.join("lake"));
    let scan = ["scan", "--format", "cloudflare", "--alerts", "none", "--data", tables.arg()];
    Floodmark::new(scan).arg(traffic().path()).success();
    tables
}

/// The text of the sample, as `floodmark generate` makes it.
pub fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let generate = ["generate", "--scenario", "sample", "--format", "cloudflare"];
        Floodmark::new(generate).success().stdout
    })
}

/// The sample dealt out to `files` files by client address, as edges or partitions would have it: the order of time
/// within each.
pub fn dealt(folder: &Path, files: usize) -> Vec<PathBuf> {
    let mut texts = vec![String::new(); files];
    for line in text().lines() {
        let client = line.split("\"ClientIP\":\"").nth(1).unwrap_or_default();
        let client = client.split('"').next().unwrap_or_default();
        let hash =
            client.bytes().fold(7_usize, |hash, byte| hash * 31 % 65_521 + usize::from(byte));
        texts[hash % files].push_str(line);
        texts[hash % files].push('\n');
    }
    let write = |(index, text): (usize, &String)| {
        let path = folder.join(format!("edge-{index}.log"));
        fs::write(&path, text).unwrap();
        path
    };
    texts.iter().enumerate().map(write).collect()
}

/// One line of ordinary traffic in the `combined` format, without its line feed: request `n`, a second after `n - 1`.
pub fn combined(n: u32) -> String {
    let (minute, second) = (n / 60 % 60, n % 60);
    let hour = n / 3600 % 24;
    let client = n % 50 + 1;
    let page = n % 7;
    format!(
        "192.0.2.{client} - - [14/Nov/2025:{hour:02}:{minute:02}:{second:02} +0000] \
         \"GET /page/{page}?n={n} HTTP/1.1\" 200 {} \"-\" \"Mozilla/5.0 (X11; Linux x86_64)\"",
        512 + n % 100
    )
}

/// `lines` lines of [`combined`] traffic, each with its line feed.
pub fn combined_log(lines: u32) -> String {
    (0..lines).map(|n| combined(n) + "\n").collect()
}

/// One planted attack, from the truth of the sample.
#[derive(Debug, Clone)]
pub struct Planted {
    /// Its kind, as in `incidents`.
    pub kind: String,
    /// The attacked host.
    pub host: String,
    /// First and last of its requests, RFC 3339 in UTC.
    pub time: (String, String),
}

impl Planted {
    /// Whether an alert is about this attack: its kind, its host, a time of it.
    pub fn is_told_by(&self, alert: &Value) -> bool {
        let (start, end) = &self.time;
        // RFC 3339 in one time zone sorts as text up to the seconds.
        let second = |time: &str| time.get(..19).unwrap_or_default().to_owned();
        let [first, last] =
            ["first_ts", "last_ts"].map(|key| second(alert[key].as_str().unwrap_or_default()));
        alert["kind"] == self.kind
            && alert["target_host"] == self.host
            && first <= second(end)
            && last >= second(start)
    }
}

/// The attacks planted in the sample.
pub fn planted() -> Vec<Planted> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let events = truth()["events"].as_array().expect("the truth lists events");
    let attacks = events.iter().filter(|event| event["verdict"] == "attack");
    attacks
        .map(|event| Planted {
            kind: text(&event["kind"]),
            host: text(&event["host"]),
            time: (text(&event["start"]), text(&event["end"])),
        })
        .collect()
}
