//! Alerts on stdout: each revision of an incident that is not benign, once, as JSON or OCSF; as text
//! those that a person must know of.

mod campaign;
mod json;
mod ocsf;
mod printed;
mod queue;
mod shape;
mod text;

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use schemas::text::escape_json;
use schemas::{Incident, Verdict};
use serde::Deserialize;

use crate::progress::Screen;
use printed::Printed;

pub use queue::{AlertCounts, AlertQueue, Alerts, Overflow};

/// How alerts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertFormat {
    /// A block a person can read when an incident opens, a line when something that matters has changed or it closes.
    Text,
    /// One JSON object a line, an incident revision each.
    Json,
    /// One OCSF Detection Finding a line.
    Ocsf,
    /// Nothing; incidents are in the tables all the same.
    None,
}

impl AlertFormat {
    /// `text` on a terminal, `json` otherwise.
    pub fn for_stdout() -> Self {
        if io::stdout().is_terminal() { Self::Text } else { Self::Json }
    }
}

/// Writes incident revisions to a stream.
#[derive(Debug)]
pub struct AlertWriter<W: Write> {
    format: AlertFormat,
    out: W,
    printed: Printed,
    /// The stream is a terminal, where progress may be drawn.
    on_terminal: bool,
    reader_gone: bool,
}

impl AlertWriter<anstream::Stdout> {
    /// A writer to stdout; colours are stripped where they are not wanted (`NO_COLOR`, pipes).
    pub fn stdout(format: AlertFormat) -> Self {
        let on_terminal = io::stdout().is_terminal();
        Self { on_terminal, ..Self::new(format, anstream::stdout()) }
    }
}

impl<W: Write> AlertWriter<W> {
    /// A writer to any stream.
    pub fn new(format: AlertFormat, out: W) -> Self {
        Self { format, out, printed: Printed::default(), on_terminal: false, reader_gone: false }
    }

    /// Writes what there is to say of one revision and flushes; benign incidents are kept for the tables.
    ///
    /// # Errors
    /// Whatever the stream reports, except that a reader that went away is not an error: alerts end, the
    /// pipeline goes on.
    pub fn write(&mut self, incident: &Incident) -> io::Result<()> {
        if self.reader_gone {
            return Ok(());
        }
        // A pipe that is full must not keep the bars off the screen: who draws them would wait.
        let written = if self.on_terminal {
            Screen::suspend(|| self.try_write(incident))
        } else {
            self.try_write(incident)
        };
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                tracing::warn!("the reader of stdout went away; alerts go to the tables only");
                self.reader_gone = true;
                Ok(())
            }
            other => other,
        }
    }

    fn try_write(&mut self, incident: &Incident) -> io::Result<()> {
        let is_benign = incident.verdict == Verdict::Benign;
        match self.format {
            AlertFormat::None => return Ok(()),
            AlertFormat::Text => {
                let telling = self.printed.take(incident);
                text::write(&mut self.out, incident, &telling)?;
            }
            AlertFormat::Json | AlertFormat::Ocsf if is_benign => return Ok(()),
            AlertFormat::Json => write_line(&mut self.out, &json::Alert::of(incident))?,
            AlertFormat::Ocsf => write_line(&mut self.out, &ocsf::finding(incident))?,
        }
        self.out.flush()
    }
}

fn write_line(out: &mut impl Write, value: &impl serde::Serialize) -> io::Result<()> {
    let json = serde_json::to_string(value)?;
    writeln!(out, "{}", escape_json(&json))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use schemas::{Evidence, Kind, State};

    pub(crate) fn incident() -> Incident {
        Incident {
            incident_id: "a1b2".into(),
            revision: 0,
            state: State::Open,
            kind: Kind::HttpFlood,
            verdict: Verdict::Attack,
            severity: 80,
            confidence: 0.99,
            target_host: Some("shop.example".into()),
            target_path: None,
            first_ts: 1_700_000_000_000_000,
            detected_ts: 1_700_000_003_000_000,
            revision_ts: 1_700_000_003_000_000,
            last_ts: 1_700_000_002_900_000,
            closed_ts: None,
            requests: 3_000,
            excess_requests: 2_900,
            source_count: 2,
            sources: vec!["192.0.2.1".into(), "2001:db8::/64".into()],
            fingerprint: Some("path = '/'".into()),
            fingerprint_recall: Some(0.98),
            fingerprint_recall_lower: Some(0.95),
            fingerprint_precision: Some(0.97),
            fingerprint_collateral: Some(0.001),
            fingerprint_collateral_upper: Some(0.004),
            technique: Some("T1499.002".into()),
            summary: "flood of \u{1b}[31m1,000 req/s".into(),
            evidence: vec![Evidence {
                feature: "request_rate".into(),
                expected: 100.0,
                observed: 1_000.0,
                score: 55.0,
                p_value: Some(1.2e-9),
            }],
            campaign_id: None,
            campaign_hosts: None,
        }
    }

    fn written(format: AlertFormat, incident: &Incident) -> String {
        let mut out = Vec::new();
        AlertWriter::new(format, &mut out).write(incident).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json_is_one_object_a_line_and_reads_back() {
        let line = written(AlertFormat::Json, &incident());
        assert_eq!(line.matches('\n').count(), 1);
        assert!(!line.contains('\u{1b}') && !line.contains('\u{9b}'));
        assert_eq!(serde_json::from_str::<Incident>(&line).unwrap(), incident());
    }

    #[test]
    fn a_line_is_short_whatever_was_found() {
        let count = schemas::limits::INCIDENT_SOURCES_MAX;
        let fingerprint = "path = '\u{202e}'".repeat(1 << 16);
        let huge = Incident {
            sources: (0..count).map(|n| format!("2001:db8:0:{n:x}::/64")).collect(),
            source_count: 123_456,
            fingerprint: Some(fingerprint.clone()),
            ..incident()
        };
        for format in [AlertFormat::Json, AlertFormat::Ocsf] {
            let line = written(format, &huge);
            assert!(line.len() < 8_192, "{} bytes", line.len());
        }
        let alert: serde_json::Value =
            serde_json::from_str(&written(AlertFormat::Json, &huge)).unwrap();
        assert_eq!(alert["sources"].as_array().map(Vec::len), Some(json::SOURCES_MAX));
        assert_eq!(alert["source_count"], 123_456);
        // A predicate is whole or absent.
        assert_eq!(alert["fingerprint"], serde_json::Value::Null);
        assert_eq!(alert["fingerprint_bytes"], fingerprint.len());
        let most = "x".repeat(json::FINGERPRINT_BYTES_MAX);
        let whole = Incident { fingerprint: Some(most.clone()), ..huge };
        let alert: serde_json::Value =
            serde_json::from_str(&written(AlertFormat::Json, &whole)).unwrap();
        assert_eq!((&alert["fingerprint"], alert.get("fingerprint_bytes")), (&most.into(), None));
    }

    #[test]
    fn benign_incidents_raise_no_alert() {
        let benign = Incident { verdict: Verdict::Benign, ..incident() };
        for format in [AlertFormat::Text, AlertFormat::Json, AlertFormat::Ocsf] {
            assert_eq!(written(format, &benign), "");
        }
    }

    #[test]
    fn a_reader_that_went_away_is_not_an_error() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut alerts = AlertWriter::new(AlertFormat::Json, Closed);
        alerts.write(&incident()).unwrap();
        alerts.write(&incident()).unwrap();
    }
}
