//! What a run has read and found, for the progress line and the closing summary.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::Utc;
use decode::Format;
use decode::identity::ClientCounters;
use detect::{Alarms, Counters};
use schemas::text::thousands;
use schemas::{Incident, PositionedBatch, State, Verdict};

/// How long it is known how far reading is behind.
const LAG_KNOWN: Duration = Duration::from_secs(5);

/// Counts since the start of the process.
#[derive(Debug)]
pub struct Totals {
    started: Instant,
    /// Access records.
    pub requests: u64,
    /// Lines that could not be read.
    pub rejects: u64,
    /// Requests of those who are never judged.
    pub exempt: u64,
    /// Forwarding headers that were not followed, as of the last commit.
    pub clients: ClientCounters,
    /// Requests by the format in which they were read, as of the last commit.
    pub formats: BTreeMap<Format, u64>,
    /// Partitions that are read.
    pub partitions: usize,
    /// Since when something that was read waits for its commit.
    pub waiting_since: Option<Instant>,
    /// When the tables were last committed.
    pub committed_at: Option<Instant>,
    /// How long the last record read had waited since it arrived, and when it was read.
    lag: Option<(Duration, Instant)>,
    incidents: Arc<IncidentTotals>,
    detected: Arc<DetectTotals>,
}

/// What the detector did with records and what it forgot, since the start; counted by the detection thread.
#[derive(Debug, Default)]
pub struct DetectTotals(Mutex<Counters>);

impl DetectTotals {
    /// Takes over what the detector has counted since `start`.
    pub fn set(&self, now: &Counters, start: &Counters) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = since(now, start);
    }

    /// The counts.
    pub fn counters(&self) -> Counters {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was counted after `start`.
const fn since(now: &Counters, start: &Counters) -> Counters {
    macro_rules! differences {
        ($($field:ident),*) => {
            Counters {
                $($field: now.$field.saturating_sub(start.$field),)*
                alarms: Alarms {
                    rate: now.alarms.rate.saturating_sub(start.alarms.rate),
                    votes: now.alarms.votes.saturating_sub(start.alarms.votes),
                },
            }
        };
    }
    differences!(
        records,
        late,
        delayed,
        implausible,
        corrected,
        exempt,
        held,
        evicted_sources,
        evicted_attempters,
        refused_window_sources,
        evicted_campaign_incidents,
        evicted_hosts,
        overflow_hosts,
        sub_panes,
        incidents
    )
}

/// Hosts and sources that the detector forgot for want of room, before they were silent for long.
const fn forgotten(counters: &Counters) -> u64 {
    counters.evicted_hosts + counters.evicted_sources + counters.evicted_attempters
}

/// Share of the requests, one in so many, from which those for unknown hosts are worth a word: a few are everywhere.
const STRANGERS_SHARE: u64 = 100;

/// Incidents whose latest verdict is remembered. Beyond it those closed longest ago are let go: their count stays, and
/// one that opened again after so many others would be counted twice.
const INCIDENTS_REMEMBERED_MAX: usize = 65_536;

/// Incidents by verdict as of their latest revisions, as the view `attacks` counts them; kept by the detection thread.
#[derive(Debug, Default)]
pub struct IncidentTotals {
    attack: AtomicU64,
    suspicious: AtomicU64,
    benign: AtomicU64,
    latest: Mutex<Latest>,
}

#[derive(Debug, Default)]
struct Latest {
    verdicts: HashMap<String, Known>,
    /// Ids in the order in which they were first closed, each once; some may have opened again since.
    closed: VecDeque<String>,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    verdict: Verdict,
    is_closed: bool,
    /// Its id is among the closed.
    is_queued: bool,
}

impl IncidentTotals {
    /// Counts a revision: its incident is what this one holds it to be.
    pub fn add(&self, incident: &Incident) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let before = latest.take(incident, INCIDENTS_REMEMBERED_MAX);
        if let Some(before) = before {
            self.counter(before).fetch_sub(1, Ordering::Relaxed);
        }
        self.counter(incident.verdict).fetch_add(1, Ordering::Relaxed);
    }

    /// Incidents that are held to be that now.
    pub fn count(&self, verdict: Verdict) -> u64 {
        self.counter(verdict).load(Ordering::Relaxed)
    }

    const fn counter(&self, verdict: Verdict) -> &AtomicU64 {
        match verdict {
            Verdict::Attack => &self.attack,
            Verdict::Suspicious => &self.suspicious,
            Verdict::Benign => &self.benign,
        }
    }
}

impl Latest {
    /// Remembers a revision; the verdict of the one before.
    fn take(&mut self, incident: &Incident, most: usize) -> Option<Verdict> {
        let id = &incident.incident_id;
        let is_closed = incident.state == State::Close;
        let was_queued = self.verdicts.get(id).is_some_and(|known| known.is_queued);
        let is_queued = was_queued || is_closed;
        let known = Known { verdict: incident.verdict, is_closed, is_queued };
        let before = self.verdicts.insert(id.clone(), known);
        if is_queued && !was_queued {
            self.closed.push_back(id.clone());
        }
        while self.verdicts.len() > most {
            let Some(oldest) = self.closed.pop_front() else { break };
            match self.verdicts.get_mut(&oldest) {
                Some(known) if !known.is_closed => known.is_queued = false,
                _ => _ = self.verdicts.remove(&oldest),
            }
        }
        before.map(|before| before.verdict)
    }
}

impl Totals {
    /// Nothing yet; `incidents` and `detected` are counted elsewhere.
    pub fn start(incidents: Arc<IncidentTotals>, detected: Arc<DetectTotals>) -> Self {
        Self {
            started: Instant::now(),
            requests: 0,
            rejects: 0,
            exempt: 0,
            clients: ClientCounters::default(),
            formats: BTreeMap::new(),
            partitions: 0,
            waiting_since: None,
            committed_at: None,
            lag: None,
            incidents,
            detected,
        }
    }

    /// Counts one batch, but for what the tables `held` before it: all before that position.
    pub fn add_batch(&mut self, batch: &PositionedBatch, held: Option<i64>) {
        let [requests, rejects] = held.map_or([0; 2], |held| batch.rows_before(held));
        self.requests += (batch.requests.rows() - requests) as u64;
        self.exempt += batch.requests.exempt_rows() as u64;
        self.rejects += (batch.rejects.num_rows() - rejects) as u64;
        let last = batch.requests.rows().checked_sub(1);
        if let Some(arrival_us) = last.and_then(|row| batch.requests.arrival_us(row)) {
            let waited = Utc::now().timestamp_micros().saturating_sub(arrival_us);
            let waited = Duration::from_micros(u64::try_from(waited).unwrap_or_default());
            self.lag = Some((waited, Instant::now()));
        }
    }

    /// How long the last record read had waited since it arrived in Kafka; `None` where that is not known, or no record has
    /// come for seconds.
    pub fn lag(&self) -> Option<Duration> {
        self.lag.filter(|(_, read)| read.elapsed() < LAG_KNOWN).map(|(waited, _)| waited)
    }

    /// Records read.
    pub const fn records(&self) -> u64 {
        self.requests + self.rejects
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Records a second since the start.
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    pub fn rate(&self) -> f64 {
        self.records() as f64 / self.elapsed().as_secs_f64().max(1e-9)
    }

    /// ` (combined 90.0 %, caddy 10.0 %)` where there are several formats, the commonest first.
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    fn shares(&self) -> String {
        if self.formats.len() < 2 {
            return String::new();
        }
        let all = self.formats.values().sum::<u64>().max(1) as f64;
        let mut formats: Vec<_> = self.formats.iter().collect();
        formats.sort_by_key(|(format, count)| (std::cmp::Reverse(**count), **format));
        let share = |(format, count): (&Format, &u64)| {
            format!("{format} {:.1} %", *count as f64 * 100.0 / all)
        };
        format!(" ({})", formats.into_iter().map(share).collect::<Vec<_>>().join(", "))
    }

    /// One line: what was read and found.
    pub fn summary(&self) -> String {
        let load = |total: &AtomicU64| total.load(Ordering::Relaxed);
        let detected = self.detected.counters();
        let strangers = detected.overflow_hosts;
        let strangers = if strangers * STRANGERS_SHARE >= self.requests { strangers } else { 0 };
        let asides = [
            (strangers, "for hosts that are not known, judged together"),
            (forgotten(&detected), "hosts and sources forgotten for want of room"),
            (detected.refused_window_sources, "sources without room in their minute's table"),
            (
                detected.evicted_campaign_incidents,
                "incidents that others were not compared with for want of room",
            ),
            (detected.late, "too late to be judged"),
            (detected.implausible, "not judged since nothing confirms the time they name"),
            (detected.corrected, "judged at the time that their zone or clock should have named"),
            (self.exempt, "from the allow-list"),
            (self.clients.untrusted, "with forwarding headers from peers that are not trusted"),
        ];
        let asides = asides.into_iter().filter(|(count, _)| *count > 0);
        let asides = asides.map(|(count, what)| format!("; {} {what}", thousands(count)));
        let asides = asides.collect::<Vec<_>>().concat();
        format!(
            "{} records read: {} requests{}, {} rejects{asides}; incidents: {} attack, {} suspicious, {} benign; \
             {:.1} s, {} records/s",
            thousands(self.records()),
            thousands(self.requests),
            self.shares(),
            thousands(self.rejects),
            load(&self.incidents.attack),
            load(&self.incidents.suspicious),
            load(&self.incidents.benign),
            self.elapsed().as_secs_f64(),
            thousands_f64(self.rate()),
        )
    }
}

/// A rate, rounded and grouped.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is positive and far below 2^53"
)]
pub fn thousands_f64(number: f64) -> String {
    thousands(number.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::tests::incident;

    fn revision(id: &str, state: State, verdict: Verdict) -> Incident {
        Incident { incident_id: id.to_owned(), state, verdict, ..incident() }
    }

    fn counts(totals: &IncidentTotals) -> [u64; 3] {
        [Verdict::Attack, Verdict::Suspicious, Verdict::Benign]
            .map(|verdict| totals.counter(verdict).load(Ordering::Relaxed))
    }

    #[test]
    fn an_incident_counts_once_as_what_it_is_held_to_be_last() {
        let totals = IncidentTotals::default();
        totals.add(&revision("a", State::Open, Verdict::Suspicious));
        totals.add(&revision("b", State::Open, Verdict::Benign));
        assert_eq!(counts(&totals), [0, 1, 1]);
        totals.add(&revision("a", State::Update, Verdict::Attack));
        totals.add(&revision("a", State::Close, Verdict::Attack));
        assert_eq!(counts(&totals), [1, 0, 1]);
        // It opens again; one of an earlier run goes on.
        totals.add(&revision("a", State::Update, Verdict::Attack));
        totals.add(&revision("c", State::Update, Verdict::Attack));
        assert_eq!(counts(&totals), [2, 0, 1]);
    }

    #[test]
    fn what_is_remembered_is_bounded_and_open_ones_stay() {
        let mut latest = Latest::default();
        let open = revision("open", State::Open, Verdict::Suspicious);
        assert_eq!(latest.take(&open, 10), None);
        for n in 0..100 {
            let id = format!("{n}");
            assert_eq!(latest.take(&revision(&id, State::Open, Verdict::Attack), 10), None);
            latest.take(&revision(&id, State::Close, Verdict::Attack), 10);
            latest.take(&revision(&id, State::Update, Verdict::Attack), 10);
            latest.take(&revision(&id, State::Close, Verdict::Attack), 10);
            assert!(latest.verdicts.len() <= 10 && latest.closed.len() <= 10, "{latest:?}");
        }
        assert_eq!(latest.take(&open, 10), Some(Verdict::Suspicious));
    }
}
