//! The detector: records in, in partition order; findings out, in event-time order.

pub(crate) mod past;
mod second;
mod windows;

use schemas::limits::SUB_PANE_US;
use schemas::{Incident, RequestBatch, SourceWindow, TargetWindow};

use crate::clock::bounds::{Allowance, Bounds};
use crate::clock::merge::merge;
use crate::clock::partition::{Attendance, Partition};
use crate::clock::tally::Tally;
use crate::config::DetectConfig;
use crate::counters::Counters;
use crate::incident::target::Target;
use crate::limits::HEAL_AHEAD_US;
use crate::math::hash::Hasher;
use crate::record::columns::Columns;
use crate::record::event::flag;
use crate::record::words::Classes;
use crate::seen::source_record::Decay;
use crate::state::State;
use crate::state::checkpoint::{self, CheckpointError, RestoreError};
use crate::store::cache::Cache;
use crate::suspect::budget::Budget;

/// What the detector found, drained by the caller.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Findings {
    /// Revisions of incidents, in order of decision.
    pub incidents: Vec<Incident>,
    /// Sources that mattered, by minute.
    pub source_windows: Vec<SourceWindow>,
    /// Hosts, by minute.
    pub target_windows: Vec<TargetWindow>,
}

impl Findings {
    /// Whether there is nothing.
    pub const fn is_empty(&self) -> bool {
        self.incidents.is_empty()
            && self.source_windows.is_empty()
            && self.target_windows.is_empty()
    }
}

/// Rows in, incidents and windows out. Holds no clock and no randomness.
#[derive(Debug)]
pub struct Detector {
    config: DetectConfig,
    budget: Budget,
    hasher: Hasher,
    decay: Decay,
    classes: Classes,
    /// Hashes whose texts are in the table of names, most likely.
    remembered: Cache<()>,
    /// Nothing is decided before the past is known.
    awaits_past: bool,
    /// Nothing is decided before one of the partitions that a checkpoint knows, or another, was opened.
    awaits_partitions: bool,
    state: State,
}

impl Detector {
    /// A detector that has seen nothing.
    pub fn new(config: DetectConfig) -> Self {
        Self {
            budget: Budget::of(config.false_alarms),
            hasher: Hasher::new(config.hash_key),
            decay: Decay::default(),
            classes: Classes::new(&config.credential_paths),
            remembered: Cache::default(),
            awaits_past: false,
            awaits_partitions: false,
            state: State::default(),
            config,
        }
    }

    /// Takes up where a checkpoint left off.
    ///
    /// # Errors
    /// [`RestoreError`] when the bytes are damaged, of another version, or were written with another hash key.
    pub fn restore(config: DetectConfig, checkpoint: &[u8]) -> Result<Self, RestoreError> {
        let state = checkpoint::read(checkpoint, config.hash_key)?;
        Ok(Self { state, ..Self::new(config) })
    }

    /// The whole state, staged records included.
    ///
    /// # Errors
    /// [`CheckpointError`] when the state cannot be written: a bug.
    pub fn checkpoint(&self) -> Result<Vec<u8>, CheckpointError> {
        checkpoint::write(self.state.clone(), self.config.hash_key)
    }

    /// The whole state as it is now, to be written down by another thread: what is large of it is not copied but for
    /// what changes meanwhile.
    pub fn snapshot(&mut self) -> Snapshot {
        self.state.lend();
        Snapshot { state: self.state.clone(), hash_key: self.config.hash_key }
    }

    const fn allowance(&self) -> Allowance {
        Allowance {
            bound_us: self.config.watermark_bound_us,
            grace_us: self.config.lateness_grace_us,
        }
    }

    /// What the partition of that name is told of the others.
    fn bounds(&self, name: &str) -> Bounds {
        let mut others = self.state.partitions.iter().filter(|(other, _)| *other != name);
        Bounds {
            allowance: self.allowance(),
            floor: self.floor_us(),
            others_are_right: others.any(|(_, partition)| partition.is_right()),
        }
    }

    const fn floor_us(&self) -> i64 {
        match self.state.closed_s {
            Some(s) => s.saturating_mul(SUB_PANE_US),
            None => i64::MIN,
        }
    }

    /// Those partitions that a checkpoint knows hold nothing back until they are opened: they may be another's now, or
    /// of a topic that is gone. Before one is opened nothing is decided.
    pub fn await_partitions(&mut self) {
        self.awaits_partitions = true;
        let active = self.state.partitions.values_mut();
        for partition in active.filter(|partition| partition.attendance == Attendance::Active) {
            partition.attendance = Attendance::Idle;
        }
    }

    /// Counts a partition for the watermark, whether or not a record of it has come yet.
    pub fn open_partition(&mut self, partition: &str) {
        self.partition(partition);
    }

    fn partition(&mut self, name: &str) -> &mut Partition {
        self.awaits_partitions = false;
        let partition = self.state.partitions.entry(name.to_owned()).or_default();
        partition.attendance = Attendance::Active;
        partition
    }

    /// A partition is finished or revoked: it no longer holds the others back.
    pub fn close_partition(&mut self, partition: &str, out: &mut Findings) {
        self.retire(partition, Attendance::Closed);
        self.advance(out);
    }

    /// A partition has been at the end of its input for a while: until its next record it holds nothing back.
    pub fn set_idle(&mut self, partition: &str, out: &mut Findings) {
        self.retire(partition, Attendance::Idle);
        self.advance(out);
    }

    fn retire(&mut self, name: &str, attendance: Attendance) {
        let bounds = self.bounds(name);
        let Some(partition) = self.state.partitions.get_mut(name) else { return };
        partition.attendance = attendance;
        let before = partition.tally();
        partition.release(bounds);
        let counted = partition.tally().since(&before);
        self.count(&counted);
    }

    const fn count(&mut self, tally: &Tally) {
        let counters = &mut self.state.counters;
        counters.records += tally.records;
        counters.late += tally.late;
        counters.delayed += tally.delayed;
        counters.held += tally.held;
        counters.implausible += tally.implausible;
        counters.corrected += tally.corrected;
    }

    /// Takes in the next records of a partition, in order; closes what they complete.
    pub fn on_batch(&mut self, partition: &str, batch: &RequestBatch, out: &mut Findings) {
        self.partition(partition);
        let bounds = self.bounds(partition);
        let State { partitions, names, .. } = &mut self.state;
        let Some(state) = partitions.get_mut(partition) else { return };
        let columns = Columns::of(batch);
        let before = state.tally();
        for row in 0..batch.rows() {
            let texts = columns.texts(row);
            let mut event = columns.event(row, &texts, &self.hasher, &mut self.classes);
            if batch.is_exempt(row) {
                event.flags |= flag::EXEMPT;
            }
            if state.admit(event, batch.arrival_us(row), bounds) {
                names.remember(&event, &texts, &mut self.remembered);
            }
        }
        let counted = state.tally().since(&before);
        self.count(&counted);
        self.heal();
        self.advance(out);
    }

    /// Takes event time back where it is far ahead of everything that has arrived since the start: a clock was wrong
    /// when the checkpoint was written. What is known of the hosts stays.
    fn heal(&mut self) {
        let latest = self.state.partitions.values().filter_map(Partition::latest_arrival).max();
        let Some(limit) = latest.map(|latest| latest.saturating_add(HEAL_AHEAD_US)) else { return };
        let newest = self.state.partitions.values().filter_map(Partition::newest).max();
        if newest.is_none_or(|newest| newest <= limit) && self.floor_us() <= limit {
            return;
        }
        self.state.partitions.values_mut().for_each(|partition| partition.heal(limit));
        if self.floor_us() > limit {
            (self.state.closed_s, self.state.window_end_s) = (None, None);
        }
        let limit_s = limit.div_euclid(SUB_PANE_US);
        for (_, target) in self.state.hosts.iter_mut(|_| true) {
            target.host.rewind(limit_s);
        }
    }

    /// What became of the records of a partition since the start of the process.
    pub fn tally(&self, partition: &str) -> Tally {
        self.state.partitions.get(partition).map(Partition::tally).unwrap_or_default()
    }

    /// The end of all input: closes every second that holds data. Incidents stay open.
    pub fn finish(&mut self, out: &mut Findings) {
        self.awaits_past = false;
        let names: Vec<String> = self.state.partitions.keys().cloned().collect();
        for name in names {
            self.retire(&name, Attendance::Closed);
        }
        self.close_until(None, out);
        if let Some(end) = self.state.window_end_s.take() {
            self.emit_windows(end, out);
        }
    }

    /// End of the last closed second, µs; every finding was decided at or before it, and all that end there are told. 0 before
    /// the first.
    pub fn closed_us(&self) -> i64 {
        self.state.closed_s.map_or(0, |s| s.saturating_mul(SUB_PANE_US))
    }

    /// How far the newest record of a partition is ahead of the second that is open, µs.
    pub fn ahead_us(&self, partition: &str) -> i64 {
        let newest = self.state.partitions.get(partition).and_then(Partition::newest);
        match (newest, self.state.closed_s) {
            (Some(newest), Some(closed)) => (newest - closed.saturating_mul(SUB_PANE_US)).max(0),
            (Some(newest), None) => {
                self.oldest_staged().map_or(0, |oldest| newest - oldest * SUB_PANE_US)
            }
            (None, _) => 0,
        }
    }

    /// Bytes held, capacity included.
    pub fn state_bytes(&self) -> usize {
        let state = &self.state;
        state.partitions.values().map(Partition::state_bytes).sum::<usize>()
            + state.names.state_bytes()
            + state.sources.state_bytes()
            + state.attempters.state_bytes()
            + state.minutes.state_bytes()
            + state.hosts.state_bytes()
            + state.campaigns.state_bytes()
    }

    /// What was counted.
    pub fn counters(&self) -> Counters {
        Counters {
            evicted_sources: self.state.sources.evicted,
            overflow_hosts: self.state.hosts.others,
            evicted_hosts: self.state.hosts.evicted,
            evicted_attempters: self.state.attempters.evicted,
            evicted_campaign_incidents: self.state.campaigns.evicted,
            refused_window_sources: self.state.minutes.refused,
            ..self.state.counters
        }
    }

    fn oldest_staged(&self) -> Option<i64> {
        self.state.partitions.values().filter_map(Partition::oldest_staged).min()
    }

    /// Nothing before this will be decided on: the least watermark of the active partitions, or, when none is
    /// active, the greatest of all. `None` where it is not known yet which are.
    fn watermark(&self) -> Option<i64> {
        if self.awaits_partitions {
            return None;
        }
        let allowance = self.allowance();
        let mut least: Option<i64> = None;
        let mut greatest: Option<i64> = None;
        for partition in self.state.partitions.values() {
            let watermark = partition.watermark(allowance);
            greatest = greatest.max(watermark);
            if partition.attendance == Attendance::Active && !partition.is_astray() {
                let watermark = watermark.or_else(|| partition.awaited(allowance))?;
                least = Some(least.map_or(watermark, |least| least.min(watermark)));
            }
        }
        // Who is only waited for moves nothing on.
        let greatest = greatest?;
        Some(least.map_or(greatest, |least| least.min(greatest)))
    }

    /// Closes what is complete by all that the partitions have told. What takes in records or retires a partition does so
    /// itself; a detector that was restored for other partitions than it was kept with may be behind.
    pub fn advance(&mut self, out: &mut Findings) {
        if self.awaits_past {
            return;
        }
        if let Some(watermark) = self.watermark() {
            self.close_until(Some(watermark.div_euclid(SUB_PANE_US)), out);
        }
        let floor = self.state.closed_s;
        self.state.partitions.retain(|_, partition| {
            partition.attendance != Attendance::Closed
                || !partition.is_drained()
                || partition.newest().map(|newest| newest.div_euclid(SUB_PANE_US)) >= floor
        });
    }

    /// Closes the seconds before `until_s`, or all that hold data.
    fn close_until(&mut self, until_s: Option<i64>, out: &mut Findings) {
        loop {
            let staged = self.oldest_staged();
            let next = match (self.state.closed_s, staged) {
                (Some(closed), Some(staged)) if self.is_lively(closed) => staged.min(closed),
                (Some(closed), None) if until_s.is_some() && self.is_lively(closed) => closed,
                (_, Some(staged)) => staged,
                (_, None) => break,
            };
            if until_s.is_some_and(|until| next >= until) {
                break;
            }
            self.close_second(next, out);
        }
        if let Some(until) = until_s
            && self.state.closed_s.is_some_and(|closed| closed < until)
        {
            self.roll_window(until, out);
            self.state.closed_s = Some(until);
        }
    }

    /// Whether a second without records can still change anything: an incident is open or a host was busy a moment
    /// ago.
    fn is_lively(&self, at_s: i64) -> bool {
        self.state.hosts.iter().any(|(_, target)| is_warm(target, at_s))
    }

    fn close_second(&mut self, at_s: i64, out: &mut Findings) {
        self.roll_window(at_s, out);
        let partitions = self.state.partitions.values_mut();
        let events = merge(partitions.filter_map(|partition| partition.take(at_s)));
        for event in &events {
            self.fold(event);
        }
        self.state.counters.sub_panes += 1;
        self.end_second(at_s, out);
        self.state.closed_s = Some(at_s + 1);
        // Whoever is told that the minute is closed takes its rows for told.
        self.roll_window(at_s + 1, out);
    }
}

/// The state of a detector at one moment.
#[derive(Debug)]
pub struct Snapshot {
    state: State,
    hash_key: u64,
}

impl Snapshot {
    /// The state as bytes, as [`Detector::checkpoint`] gives it.
    ///
    /// # Errors
    /// As there.
    pub fn write(self) -> Result<Vec<u8>, CheckpointError> {
        checkpoint::write(self.state, self.hash_key)
    }
}

/// Seconds after its last record in which a host is still looked at; a longer silence is caught up with at its end.
const WARM_S: i64 = 6;

fn is_warm(target: &Target, at_s: i64) -> bool {
    let host = &target.host;
    host.second.all > 0 || !target.cases.open.is_empty() || at_s - host.active_s < WARM_S
}
