//! Looks at a running process from outside: its metrics, its memory, its files.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use crate::process;

/// How it was at one moment; what could not be told is 0.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sample {
    /// Seconds since the start.
    pub at_s: u64,
    /// Lines sent so far.
    pub sent: u64,
    /// Lines read so far.
    pub read: u64,
    /// How long the last line had waited since it arrived, seconds.
    pub lag_s: f64,
    /// Resident memory, bytes.
    pub rss_bytes: u64,
    /// Processor seconds so far.
    pub cpu_s: f64,
    /// Data files of `requests`, those that maintenance has replaced included.
    pub files: usize,
    /// Bytes under the tables' folder.
    pub bytes: u64,
    /// Bytes of states of the detector written so far, as far as their files were seen.
    pub state_bytes: u64,
}

/// A process and what was seen of it.
#[derive(Debug)]
pub struct Watch {
    address: String,
    process: u32,
    data: PathBuf,
    states: BTreeMap<PathBuf, u64>,
    samples: Vec<Sample>,
}

impl Watch {
    /// Of a process that answers monitors at `address` and keeps its tables in `data`.
    pub const fn new(address: String, process: u32, data: PathBuf) -> Self {
        Self { address, process, data, states: BTreeMap::new(), samples: Vec::new() }
    }

    /// Looks now.
    pub fn look(&mut self, at: Duration, sent: u64) {
        let metrics = self.metrics();
        self.states.extend(process::files_under(&self.data.join("_floodmark/checkpoints")));
        let is_data =
            |(path, _): &&(PathBuf, u64)| path.extension().is_some_and(|end| end == "parquet");
        self.samples.push(Sample {
            at_s: at.as_secs(),
            sent,
            read: read(&metrics),
            lag_s: metric(&metrics, "floodmark_lag_seconds").unwrap_or_default(),
            rss_bytes: process::rss_bytes(self.process).unwrap_or_default(),
            cpu_s: process::cpu(self.process).unwrap_or_default().as_secs_f64(),
            files: process::files_under(&self.data.join("requests")).iter().filter(is_data).count(),
            bytes: process::bytes_under(&self.data),
            state_bytes: self.states.values().sum(),
        });
    }

    /// Lines read so far.
    pub fn stored(&self) -> u64 {
        read(&self.metrics())
    }

    /// All that was seen.
    pub fn into_samples(self) -> Vec<Sample> {
        self.samples
    }

    /// The metrics as text; empty where the process does not answer.
    fn metrics(&self) -> String {
        let mut text = String::new();
        let ask = |text: &mut String| {
            let mut stream = TcpStream::connect(&self.address)?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            write!(
                stream,
                "GET /metrics HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
                self.address
            )?;
            stream.read_to_string(text).map(drop)
        };
        // It may not listen yet.
        let _ = ask(&mut text);
        text
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of lines")]
fn read(metrics: &str) -> u64 {
    let of = |name| metric(metrics, name).unwrap_or_default();
    (of("floodmark_requests_total") + of("floodmark_rejects_total")) as u64
}

/// The value of a metric without labels.
fn metric(metrics: &str, name: &str) -> Option<f64> {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    line.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_found_by_its_whole_name() {
        let text = "# TYPE x counter\nx_total{a=\"b\"} 9\nx_total_more 3\nx_total 4.5 17\n";
        assert_eq!(metric(text, "x_total"), Some(4.5));
        assert_eq!(metric(text, "x"), None);
    }
}
