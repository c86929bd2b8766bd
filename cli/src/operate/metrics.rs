//! The metrics of a run: a row each, from which `/metrics` and the page `docs/metrics.md` are written.
//!
//! Their names are a contract. No label is there whose values traffic can choose.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use super::reading::{Board, Reading};

/// How a metric moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows; a restart begins at zero.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// A metric.
#[derive(Debug)]
pub struct Row {
    /// Its name, without prefix, unit and `_total`.
    pub name: &'static str,
    /// Its unit, behind the name.
    pub unit: Option<Unit>,
    /// How it moves.
    pub kind: Kind,
    /// A fixed label, and the value of each of its samples.
    pub label: Option<(&'static str, &'static [&'static str])>,
    /// One sentence.
    pub help: &'static str,
    /// Its samples, one for each value of the label.
    pub values: fn(&Reading) -> Vec<f64>,
}

/// What every name begins with.
const PREFIX: &str = "floodmark";

#[cfg(test)]
impl Row {
    /// The name under which Prometheus keeps it.
    pub fn full_name(&self) -> String {
        let unit = self.unit.as_ref().map(|unit| format!("_{}", unit.as_str()));
        let end = if self.kind == Kind::Counter { "_total" } else { "" };
        format!("{PREFIX}_{}{}{end}", self.name, unit.unwrap_or_default())
    }
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus keeps 64-bit floats")]
fn one(count: u64) -> Vec<f64> {
    vec![count as f64]
}

/// A time in seconds; no sample where there is none.
fn seconds(time: Option<Duration>) -> Vec<f64> {
    time.map(|time| time.as_secs_f64()).into_iter().collect()
}

macro_rules! rows {
    ($($kind:ident $name:literal $(in $unit:ident)? $(by $label:literal $labels:expr)?, $help:literal, $values:expr;)*) => {
        &[$(Row {
            name: $name,
            unit: rows!(@unit $($unit)?),
            kind: Kind::$kind,
            label: rows!(@label $($label, $labels)?),
            help: $help,
            values: $values,
        }),*]
    };
    (@unit) => { None };
    (@unit $unit:ident) => { Some(Unit::$unit) };
    (@label) => { None };
    (@label $label:literal, $labels:expr) => { Some(($label, $labels)) };
}

/// Every metric.
pub const ROWS: &[Row] = rows! {
    Counter "requests", "Access records read.", |now| one(now.requests);
    Counter "rejects", "Lines that could not be read as access records; they are in the table `rejects`.", |now| one(now.rejects);
    Counter "exempt_requests", "Requests of those on the allow-list, which are stored and never judged.", |now| one(now.exempt);
    Counter "read" in Bytes, "Bytes of messages read.", |now| one(now.bytes);
    Counter "forwarding_untrusted", "Requests whose forwarding header came from a peer that is no trusted proxy, as of the last commit.", |now| one(now.clients.untrusted);
    Counter "forwarding_unconfigured", "Requests with a forwarding header while no proxy is trusted, as of the last commit.", |now| one(now.clients.unconfigured);
    Gauge "lag" in Seconds, "How long the record read last had waited since it arrived in Kafka; absent when none was read for 5 s.", |now| seconds(now.lag);
    Gauge "partitions", "Partitions of the topic that this process reads.", |now| one(now.partitions);
    Gauge "brokers_reachable", "1 while a broker answers.", |now| one(u64::from(now.reached));
    Gauge "commit_age" in Seconds, "Time since the last commit of the tables; absent before the first.", |now| seconds(now.committed);
    Gauge "commit_waiting" in Seconds, "How long what was read has waited for its commit; absent when nothing waits.", |now| seconds(now.waiting);
    Counter "commits", "Commits of the tables.", |now| one(now.commits);
    Counter "commit_failures", "Attempts to write the tables that failed and were repeated.", |now| one(now.failures);
    Gauge "tables_failing", "1 while the tables cannot be written; reading pauses.", |now| one(u64::from(now.failing));
    Counter "table_rows", "Rows committed, of all tables.", |now| one(now.rows);
    Counter "table" in Bytes, "Bytes of Parquet committed, of all tables.", |now| one(now.table_bytes);
    Gauge "incidents" by "verdict" &["attack", "suspicious", "benign"], "Incidents since the start, by what they are held to be now.", |now| now.incidents.into_iter().flat_map(one).collect();
    Counter "alerts_told", "Revisions of incidents handed to the writer of alerts.", |now| one(now.alerts.told);
    Gauge "alerts_waiting", "Revisions that wait for the reader of stdout.", |now| one(now.alerts.waiting);
    Counter "alerts_passed_over", "Revisions that are in the tables only, since the reader of stdout was too slow.", |now| one(now.alerts.passed_over);
    Counter "detect_records", "Records the detector took in.", |now| one(now.detect.records);
    Counter "detect_late", "Records too late to be judged.", |now| one(now.detect.late);
    Counter "detect_delayed", "Records moved up to their partition's watermark.", |now| one(now.detect.delayed);
    Counter "detect_implausible", "Records not judged since nothing confirms the time they name.", |now| one(now.detect.implausible);
    Counter "detect_corrected", "Records judged at the time that their zone or clock should have named.", |now| one(now.detect.corrected);
    Counter "detect_exempt", "Records of sources that are never judged.", |now| one(now.detect.exempt);
    Counter "detect_held", "Records held back until others confirmed their time.", |now| one(now.detect.held);
    Counter "detect_evicted_sources", "Source records given up for room, before they were idle for an hour.", |now| one(now.detect.evicted_sources);
    Counter "detect_evicted_attempters", "Sources that tried something in vain and were forgotten for room.", |now| one(now.detect.evicted_attempters);
    Counter "detect_refused_window_sources", "Sources that found no room in their minute's table.", |now| one(now.detect.refused_window_sources);
    Counter "detect_evicted_campaign_incidents", "Incidents that later ones were no longer compared with, for room.", |now| one(now.detect.evicted_campaign_incidents);
    Counter "detect_evicted_hosts", "Hosts that made room for others.", |now| one(now.detect.evicted_hosts);
    Counter "detect_unknown_hosts", "Records of hosts that are not known, judged together.", |now| one(now.detect.overflow_hosts);
    Counter "detect_closed" in Seconds, "Seconds of event time that were closed.", |now| one(now.detect.sub_panes);
    Counter "detect_alarms" by "test" &["rate", "votes"], "Times that the evidence of a test of a host reached what an alarm needs; few become incidents.", |now| [now.detect.alarms.rate, now.detect.alarms.votes].into_iter().flat_map(one).collect();
    Counter "detect_incidents", "Incidents opened.", |now| one(now.detect.incidents);
    Counter "maintain_rounds", "Rounds of maintenance that came to their end.", |now| one(now.upkeep[0]);
    Counter "maintain_failures", "Rounds of maintenance that failed; they are repeated.", |now| one(now.upkeep[1]);
    Counter "maintain_rewritten_rows", "Rows that maintenance wrote anew.", |now| one(now.upkeep[2]);
    Counter "maintain_expired_rows", "Rows dropped by age.", |now| one(now.upkeep[3]);
    Counter "maintain_swept_files", "Files deleted that nobody needed any more.", |now| one(now.upkeep[4]);
};

#[derive(Debug)]
struct Rows(Arc<Board>);

impl Collector for Rows {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let now = self.0.read();
        for row in ROWS {
            let samples = (row.values)(&now);
            let kind = match row.kind {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
            };
            let mut family =
                encoder.encode_descriptor(row.name, row.help, row.unit.as_ref(), kind)?;
            for (index, sample) in samples.into_iter().enumerate() {
                let label =
                    row.label.and_then(|(label, values)| Some([(label, *values.get(index)?)]));
                let labels = label.as_slice().concat();
                let sample_encoder = family.encode_family(&labels)?;
                match row.kind {
                    Kind::Counter => ConstCounter::new(sample).encode(sample_encoder)?,
                    Kind::Gauge => ConstGauge::new(sample).encode(sample_encoder)?,
                }
            }
        }
        Ok(())
    }
}

/// What `/metrics` answers, in the text format of `OpenMetrics`.
///
/// # Errors
/// None that a string can have.
pub fn text(board: &Arc<Board>) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix(PREFIX);
    registry.register_collector(Box::new(Rows(Arc::clone(board))));
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fmt::Write as _;

    use expect_test::expect_file;

    use super::*;

    #[test]
    fn each_metric_is_told_once_under_its_name() {
        let board = Arc::new(Board::new(Duration::from_secs(30)));
        let text = text(&board).unwrap();
        assert!(text.ends_with("# EOF\n"), "{text}");
        let names: BTreeSet<String> = ROWS.iter().map(Row::full_name).collect();
        assert_eq!(names.len(), ROWS.len());
        for row in ROWS {
            let name = row.full_name();
            let family = name.strip_suffix("_total").unwrap_or(&name);
            assert_eq!(text.matches(&format!("# HELP {family} ")).count(), 1, "{name}\n{text}");
            let now = board.read();
            let samples = text.lines().filter(|line| line.split([' ', '{']).next() == Some(&*name));
            assert_eq!(samples.count(), (row.values)(&now).len(), "{name}\n{text}");
            assert_eq!(
                row.label.map_or(1, |(_, values)| values.len()).max(1),
                (row.values)(&now).len().max(1)
            );
        }
    }

    #[test]
    fn the_page_lists_them() {
        let mut page = include_str!("metrics.md").to_owned();
        for row in ROWS {
            let label = row.label.map_or(String::new(), |(label, values)| {
                format!("{{{label}=\"{}\"}}", values.join("\\|"))
            });
            let kind = format!("{:?}", row.kind).to_lowercase();
            let name = row.full_name();
            writeln!(page, "| `{name}{label}` | {kind} | {} |", row.help).unwrap();
        }
        expect_file!["../../../docs/metrics.md"].assert_eq(&page);
    }
}
