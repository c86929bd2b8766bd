//! A start that is not blind: what is ordinary is learned from what the tables hold, before the first record is judged.
//!
//! Records of the last hours go through a detector of their own, as if they came now: it learns all there is to learn,
//! and leaves out what it finds attacks in. Of it the detector that waits takes what is *ordinary* on each host, with the
//! texts that stand for it, and nothing else: no incident, no evidence, no partition, no time. Minutes of the weeks before
//! tell it the hours of the week.
//!
//! Replaying was chosen over a summary stored beside the tables: what is learned is of many shapes (paths, shares,
//! visitors, endpoints, a sample) and changes with the program, while the records stay what they are; a million of them
//! take seconds.

use schemas::RequestBatch;
use schemas::limits::SUB_PANE_US;

use super::{Detector, Findings};
use crate::config::DetectConfig;
use crate::incident::target::Target;
use crate::normal::season::Mark;
use crate::state::State;
use crate::store::table::Table;
use crate::suspect::drift::PANE_S;

/// The name that the past has for its one partition.
const PAST: &str = "past";

/// Time between the end of the past and the first record, after which the rate may be another one, seconds: within an hour
/// it is that of the time of day. A choice.
const STALE_S: i64 = 3_600;

/// One minute of a host, as the table of windows has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastMinute<'a> {
    /// Host; `None` where the log names none.
    pub host: Option<&'a str>,
    /// Start of the minute, µs.
    pub start_us: i64,
    /// Requests.
    pub requests: i64,
    /// Much of it was an attack.
    pub attacked: bool,
}

/// What is learned of the past.
#[derive(Debug)]
pub struct Past {
    detector: Detector,
    /// Requests of the running five minutes of each host: which, and how many.
    panes: Table<(i64, f64)>,
}

impl Past {
    /// Nothing yet.
    pub fn new(config: DetectConfig) -> Self {
        Self { detector: Detector::new(config), panes: Table::default() }
    }

    /// Takes in a minute; in order of time, and before any request.
    #[expect(clippy::cast_precision_loss, reason = "requests of a minute")]
    pub fn minute(&mut self, minute: &PastMinute<'_>) {
        let Detector { hasher, state, .. } = &mut self.detector;
        let text = minute.host.unwrap_or_default();
        let key = if text.is_empty() { 0 } else { hasher.text(text) };
        let (at_s, requests) = (minute.start_us.div_euclid(SUB_PANE_US), minute.requests as f64);
        let Some(target) = state.hosts.await_host(key, at_s) else { return };
        state.names.insert(key, text);
        let mark = if minute.attacked { Mark::Attacked } else { Mark::Ordinary };
        let normal = &mut target.host.normal;
        normal.season.learn_minute(at_s.div_euclid(60), requests / 60.0, mark);
        let pane = at_s.div_euclid(PANE_S);
        let (running, _) = self.panes.entry(key, || (pane, 0.0));
        if running.0 != pane {
            normal.slow.learn(running.0 * PANE_S, running.1 / PANE_S as f64);
            *running = (pane, 0.0);
        }
        running.1 += if minute.attacked { 0.0 } else { requests };
    }

    /// Takes in requests; in order of time.
    pub fn requests(&mut self, batch: &RequestBatch) {
        self.detector.on_batch(PAST, batch, &mut Findings::default());
    }

    /// What is ordinary after all that, for a detector whose first second is `begin_s`.
    fn settle(mut self, begin_s: i64) -> State {
        self.detector.finish(&mut Findings::default());
        let mut state = self.detector.state;
        let ended_s = state.closed_s.unwrap_or(begin_s).min(begin_s);
        let mut targets = Vec::new();
        for (key, target) in state.hosts.iter_mut(|_| true) {
            if !target.host.is_awaited() {
                target.catch_up(ended_s);
            }
            let Target { host, suspicion, .. } = std::mem::take(target);
            let mut target = Target { host: host.resume(begin_s), suspicion, ..Target::default() };
            target.suspicion.reset();
            target.suspicion.drift.reset();
            target.host.normal.slow.held = false;
            if begin_s - ended_s > STALE_S {
                target.host.normal.rate.doubt();
            }
            targets.push((key, target));
        }
        state.hosts.resume(targets, begin_s - ended_s);
        state.sweep_names(begin_s);
        state
    }
}

impl Detector {
    /// Whether nothing was ever decided or learned: a new one, or one that only holds records back.
    pub fn is_blank(&self) -> bool {
        self.state.closed_s.is_none() && self.state.hosts.iter().next().is_none()
    }

    /// Decides on nothing until [`Detector::learn`] was called: records wait.
    pub const fn await_past(&mut self) {
        self.awaits_past = true;
    }

    /// Start of the first second that will be decided on, µs, once it is known that none comes before it: what was before
    /// is the past that it waits for. `None` as long as it is not known, or when nothing is awaited. At the end of the
    /// input it is known.
    pub fn begin_us(&self, at_end: bool) -> Option<i64> {
        let first_s = self.oldest_staged().filter(|_| self.awaits_past)?;
        let due = || self.watermark().is_some_and(|time| first_s < time.div_euclid(SUB_PANE_US));
        (at_end || due()).then(|| first_s.saturating_mul(SUB_PANE_US))
    }

    /// Learns what is ordinary from the past, or goes on without where there is none; then decides on what has waited. All
    /// of the past is before [`Detector::begin_us`].
    pub fn learn(&mut self, past: Option<Past>, out: &mut Findings) {
        if let (Some(past), Some(first_s), true) = (past, self.oldest_staged(), self.is_blank()) {
            let State { hosts, names, .. } = past.settle(first_s);
            self.state.hosts = hosts;
            self.state.names.absorb(names);
        }
        self.awaits_past = false;
        self.advance(out);
    }
}
