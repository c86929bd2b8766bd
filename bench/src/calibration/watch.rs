//! A log read once, by a detector for each setting.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::Arc;

use decode::{Batcher, DecoderConfig, Numbering, RawMessage};
use detect::{Alarms, DetectConfig, Detector, Findings};
use schemas::{Incident, PositionedBatch, Verdict};

use super::SETTINGS;
use crate::error::BenchError;

/// Bytes of a block of lines.
const BLOCK_BYTES: usize = 1 << 20;

/// Requests of a host's day from which it counts as watched, where nobody says how many hosts there are.
const REQUESTS_MIN: i64 = 100;

const DAY_US: i64 = 86_400_000_000;

/// One incident: what was said when it opened, and the worst that was said.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Host.
    pub host: String,
    /// When the first decision fell, µs.
    pub detected_us: i64,
    /// Confidence when it opened.
    pub confidence: f64,
    /// The worst verdict of all revisions.
    pub worst: Verdict,
    /// Strongest evidence when it opened.
    pub feature: String,
}

/// What came of one log.
#[derive(Debug, Default)]
pub struct Watched {
    /// Records read.
    pub records: u64,
    /// Hosts times days.
    pub site_days: f64,
    /// Times that the evidence against a host was an alarm, under each of [`SETTINGS`].
    pub alarms: [Alarms; SETTINGS.len()],
    /// Incidents under each of [`SETTINGS`].
    pub told: [Vec<Told>; SETTINGS.len()],
}

/// Detectors at work.
pub struct Watch {
    batcher: Batcher,
    partition: Arc<str>,
    next_line: i64,
    bytes: Vec<u8>,
    detectors: Vec<(Detector, Findings, BTreeMap<String, Told>)>,
    days: BTreeMap<(String, i64), i64>,
    records: u64,
}

impl Watch {
    /// Detectors that have seen nothing.
    ///
    /// # Errors
    /// When the format makes no sense.
    pub fn new(config: &DecoderConfig) -> Result<Self, BenchError> {
        let detector =
            |false_alarms| Detector::new(DetectConfig { false_alarms, ..DetectConfig::default() });
        Ok(Self {
            batcher: Batcher::new(config)?,
            partition: Arc::from("calibration/0"),
            next_line: 1,
            bytes: Vec::new(),
            detectors: SETTINGS
                .map(|setting| (detector(setting), Findings::default(), BTreeMap::new()))
                .into(),
            days: BTreeMap::new(),
            records: 0,
        })
    }

    /// Takes in a message.
    pub fn message(&mut self, message: &RawMessage<'_>) {
        self.batcher.push(message);
        while let Some(batch) = self.batcher.take_ready() {
            self.batch(&batch);
        }
    }

    fn batch(&mut self, batch: &PositionedBatch) {
        self.records += batch.requests.rows() as u64;
        for (detector, findings, told) in &mut self.detectors {
            detector.on_batch(&batch.partition, &batch.requests, findings);
            note(told, std::mem::take(&mut findings.incidents));
        }
        self.note_days();
    }

    fn note_days(&mut self) {
        for (at, (_, findings, _)) in self.detectors.iter_mut().enumerate() {
            findings.source_windows.clear();
            for row in std::mem::take(&mut findings.target_windows) {
                if at == 0 {
                    let day = (row.host.unwrap_or_default(), row.window_start.div_euclid(DAY_US));
                    *self.days.entry(day).or_default() += row.requests;
                }
            }
        }
    }

    fn push(&mut self, lines: &[u8]) {
        let partition = Arc::clone(&self.partition);
        let count = memchr::memchr_iter(b'\n', lines).count();
        let message = RawMessage {
            partition: &partition,
            topic: "calibration",
            kafka_partition: None,
            offset: self.next_line,
            numbering: Numbering::Lines,
            arrival_us: 0,
            payload: lines,
        };
        self.next_line += i64::try_from(count).unwrap_or(i64::MAX);
        self.message(&message);
    }

    fn push_whole_lines(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let (lines, rest) = bytes.split_at(end);
        self.bytes = rest.to_vec();
        if !lines.is_empty() {
            self.push(lines);
        }
    }

    /// The end of the log.
    pub fn finish(mut self) -> Watched {
        self.push_whole_lines();
        let mut rest = Vec::new();
        self.batcher.flush(&mut rest);
        for batch in &rest {
            self.batch(batch);
        }
        for (detector, findings, told) in &mut self.detectors {
            detector.finish(findings);
            note(told, std::mem::take(&mut findings.incidents));
        }
        self.note_days();
        let days: BTreeSet<&(String, i64)> =
            self.days.iter().filter(|(_, n)| **n >= REQUESTS_MIN).map(|(day, _)| day).collect();
        let mut watched = Watched {
            records: self.records,
            site_days: crate::measure::float(days.len() as u64),
            ..Watched::default()
        };
        let all = watched.told.iter_mut().zip(&mut watched.alarms).zip(self.detectors);
        for ((told, alarms), (detector, _, incidents)) in all {
            told.extend(incidents.into_values());
            *alarms = detector.counters().alarms;
        }
        watched
    }
}

impl Write for Watch {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() >= BLOCK_BYTES {
            self.push_whole_lines();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn note(told: &mut BTreeMap<String, Told>, incidents: Vec<Incident>) {
    for incident in incidents {
        let feature = incident.evidence.first().map(|one| one.feature.clone()).unwrap_or_default();
        let entry = told.entry(incident.incident_id).or_insert_with(|| Told {
            host: incident.target_host.unwrap_or_default(),
            detected_us: incident.detected_ts,
            confidence: incident.confidence,
            worst: incident.verdict,
            feature,
        });
        entry.worst = entry.worst.min(incident.verdict);
    }
}

#[cfg(test)]
mod tests {
    use sample_data::{EventKind, Format, GenerateConfig, Scenario, generate};

    use super::*;

    #[test]
    fn a_planted_flood_is_told_once_however_its_lines_come() {
        let config = GenerateConfig {
            duration_s: 1_200,
            scenario: Scenario::Events(vec![EventKind::HttpFloodDistributed]),
            format: Format::Cloudflare,
            ..GenerateConfig::default()
        };
        let mut whole = Watch::new(&DecoderConfig::of("cloudflare")).unwrap();
        let truth = generate(&config, &mut whole).unwrap();
        let whole = whole.finish();
        assert_eq!(whole.records, truth.lines);
        let of_host =
            |told: &&Told| told.host == truth.events[0].host && told.worst == Verdict::Attack;
        assert_eq!(whole.told[super::super::DEFAULT].iter().filter(of_host).count(), 1);

        let (mut log, mut cut) =
            (Vec::new(), Watch::new(&DecoderConfig::of("cloudflare")).unwrap());
        generate(&config, &mut log).unwrap();
        for part in log.chunks(77_777) {
            cut.write_all(part).unwrap();
        }
        assert_eq!(cut.finish().told, whole.told);
    }
}
