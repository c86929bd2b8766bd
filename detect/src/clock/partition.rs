//! Event time of one partition: which records are believed, and which are late.
//!
//! Every decision here depends on the order of this partition's records and their arrivals alone, so that neither the
//! cutting of batches nor the interleaving of partitions can change it. (One exception: whether a partition whose clock
//! is steadily behind is put right waits until another is known to be right.) So a partition whose records are all in
//! the future still has a place in time, that of their arrival, while its clock may turn out to be a zone's.
//!
//! # What is believed
//! - With an arrival, a time more than [`SKEW_US_MAX`] after it is in the future: the record is judged a whole number
//!   of quarter-hours earlier where that fits ([`offset`]), or only counted. It never moves time.
//! - A step forward that makes nobody late is believed, and so is any that arrivals explain: a record at least as old
//!   on arrival as those before it (days of silence in a live log).
//! - Any other step is held back until [`JUMP_CONFIRMATIONS`] records in a row agree, or the end; see [`witness`].

use schemas::limits::SUB_PANE_US;
use serde::{Deserialize, Serialize};

use super::bounds::{Allowance, Bounds};
use super::offset::{self, Offset};
use super::staged::{Bucket, Staged};
use super::tally::Tally;
use super::witness;
use crate::limits::{HEAL_RECORDS_MIN, JUMP_CONFIRMATIONS, LIVE_LAG_US_MAX, SKEW_US_MAX};
use crate::record::event::{Event, flag};

/// How a partition takes part in the watermark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Attendance {
    /// Holds the minimum back.
    Active,
    /// At the end of its input for a while: does not hold the minimum back until its next record.
    Idle,
    /// Finished or revoked: what it staged is still due.
    Closed,
}

/// What becomes of a record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Admitted {
    tally: Tally,
    /// It is part of the sample, or held back.
    wanted: bool,
}

/// A record and when it arrived, µs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Told {
    event: Event,
    arrival: Option<i64>,
}

/// State of one partition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Partition {
    /// How it takes part in the watermark.
    pub attendance: Attendance,
    newest: Option<i64>,
    /// How old the newest record was on arrival, µs.
    lag_us: Option<i64>,
    /// Widest step of believed time lately, µs.
    pace_us: i64,
    held: Vec<Told>,
    /// Records held back were refuted: jumps are nothing special here.
    has_refuted: bool,
    /// Records from the future before the first that is believed.
    futures: u32,
    /// The latest arrival of a record from the future.
    foreseen: Option<i64>,
    offset: Offset,
    staged: Staged,
    /// Arrivals since the start of the process, and the latest of them.
    #[serde(skip)]
    arrivals: (u32, i64),
    #[serde(skip)]
    tally: Tally,
}

impl Default for Partition {
    fn default() -> Self {
        Self {
            attendance: Attendance::Active,
            newest: None,
            lag_us: None,
            pace_us: 0,
            held: Vec::new(),
            has_refuted: false,
            futures: 0,
            foreseen: None,
            offset: Offset::default(),
            staged: Staged::default(),
            arrivals: (0, i64::MIN),
            tally: Tally::default(),
        }
    }
}

impl Partition {
    /// Newest believed time.
    pub const fn newest(&self) -> Option<i64> {
        self.newest
    }

    /// Nothing at or before this time will be decided on any more.
    pub fn watermark(&self, allowance: Allowance) -> Option<i64> {
        self.newest.map(|newest| newest.saturating_sub(allowance.bound_us))
    }

    /// The watermark of others waits here while nothing of this partition is believed: it may be of another zone.
    pub fn awaited(&self, allowance: Allowance) -> Option<i64> {
        let claim = self.claim().filter(|_| self.held.is_empty() && self.offset.may_settle());
        claim.map(|claim| claim.saturating_sub(allowance.bound_us))
    }

    /// Whether all that came so far is in the future, and no zone explains it: nothing is known that others could wait
    /// for.
    pub fn is_astray(&self) -> bool {
        self.claim().is_some() && self.held.is_empty() && !self.offset.may_settle()
    }

    /// Where its time stands for others while all that came so far is in the future: none of what it brings can be later
    /// than its arrival.
    fn claim(&self) -> Option<i64> {
        let is_ahead = self.newest.is_none() && self.futures as usize >= JUMP_CONFIRMATIONS;
        self.foreseen.filter(|_| is_ahead)
    }

    /// Whether its clock is known to be right, or put right.
    pub fn is_right(&self) -> bool {
        self.offset.is_right()
    }

    /// What became of its records since the start of the process.
    pub const fn tally(&self) -> Tally {
        self.tally
    }

    /// The latest arrival since the start of the process, once there were enough to tell that it is late.
    pub const fn latest_arrival(&self) -> Option<i64> {
        if self.arrivals.0 >= HEAL_RECORDS_MIN { Some(self.arrivals.1) } else { None }
    }

    /// Takes a record in, in order, with its arrival where that is known; whether its texts are wanted.
    pub fn admit(&mut self, event: Event, arrival: Option<i64>, bounds: Bounds) -> bool {
        let mut admitted = Admitted::default();
        admitted.tally.records = 1;
        match arrival {
            Some(arrival) => self.admit_arrived(event, arrival, bounds, &mut admitted),
            None => self.admit_told(Told { event, arrival }, bounds, &mut admitted),
        }
        self.tally.add(&admitted.tally);
        admitted.wanted
    }

    fn admit_arrived(
        &mut self,
        mut event: Event,
        arrival: i64,
        bounds: Bounds,
        admitted: &mut Admitted,
    ) {
        self.arrivals = (self.arrivals.0.saturating_add(1), self.arrivals.1.max(arrival));
        self.offset.see(event.ts, arrival);
        self.follow_offset(bounds);
        let limit = arrival.saturating_add(SKEW_US_MAX);
        let ahead = event.ts.saturating_sub(arrival);
        if let Some(ts) = self.offset.shifted(event.ts, limit) {
            correct(&mut event, ts, ahead, admitted);
        }
        if event.ts <= limit {
            self.admit_told(Told { event, arrival: Some(arrival) }, bounds, admitted);
            return;
        }
        self.futures = self.futures.saturating_add(1);
        self.foreseen = self.foreseen.max(Some(arrival));
        let zone = self.newest.and_then(|newest| offset::zone_ahead(event.ts, newest));
        if let Some(ts) = zone.filter(|ts| *ts <= limit) {
            correct(&mut event, ts, ahead, admitted);
            self.stage(event, bounds, admitted);
        } else {
            admitted.tally.offset_us = ahead;
            self.disbelieve(event, bounds, admitted);
        }
    }

    /// Applies what was learnt of the partition's clock.
    fn follow_offset(&mut self, bounds: Bounds) {
        let moved = self.offset.follow(bounds.others_are_right);
        if moved != 0 {
            self.newest = self.newest.map(|newest| newest.saturating_add(moved));
            self.lag_us = self.lag_us.map(|lag| lag.saturating_sub(moved));
        }
    }

    /// Takes in a record that is not known to be from the future.
    fn admit_told(&mut self, told: Told, bounds: Bounds, admitted: &mut Admitted) {
        let jump = bounds.allowance.jump_us();
        let ts = told.event.ts;
        if !self.is_believable(told, jump) {
            self.refute(ts.saturating_add(jump), bounds, admitted);
            self.held.push(told);
            admitted.tally.held += 1;
            admitted.wanted = true;
            if self.held.len() >= JUMP_CONFIRMATIONS {
                self.believe_confirmed(told, bounds, admitted);
            }
            return;
        }
        // One that comes late itself says nothing about the present.
        if !self.held.is_empty() && self.newest.is_none_or(|newest| ts >= newest - jump) {
            self.refute(ts.saturating_add(jump), bounds, admitted);
            self.believe_held(bounds, admitted);
        }
        self.believe(told, bounds, admitted);
    }

    /// Whether a record needs no witness.
    fn is_believable(&self, told: Told, jump: i64) -> bool {
        let lag = told.arrival.map(|arrival| arrival.saturating_sub(told.event.ts));
        match self.newest {
            None => self.held.is_empty() && lag.is_some_and(|lag| lag <= LIVE_LAG_US_MAX),
            Some(newest) => {
                told.event.ts <= newest.saturating_add(jump)
                    || lag.zip(self.lag_us).is_some_and(|(lag, before)| lag >= before - jump)
            }
        }
    }

    /// No further record will speak for or against those held back: they are believed if they agree with each other
    /// or with those before them.
    pub fn release(&mut self, bounds: Bounds) {
        // Silence so early tells nothing yet, and nobody waits for an idle partition.
        if self.newest.is_none() && self.attendance == Attendance::Idle {
            return;
        }
        let mut admitted = Admitted::default();
        let times: Vec<i64> = self.held.iter().map(|told| told.event.ts).collect();
        let jump = bounds.allowance.jump_us();
        let stride = witness::stride(self.pace_us, jump);
        let believed = witness::believed_at_end(&times, self.newest, stride, !self.has_refuted);
        for (told, believed) in std::mem::take(&mut self.held).into_iter().zip(believed) {
            if believed {
                self.believe(told, bounds, &mut admitted);
            } else {
                self.disbelieve_told(told, bounds, &mut admitted);
            }
        }
        self.tally.add(&admitted.tally);
    }

    /// Believes those held back that others followed; the `last` of them may itself be a jump.
    fn believe_confirmed(&mut self, last: Told, bounds: Bounds, admitted: &mut Admitted) {
        self.held.pop();
        self.believe_held(bounds, admitted);
        if self.is_believable(last, bounds.allowance.jump_us()) {
            self.believe(last, bounds, admitted);
        } else {
            self.held.push(last);
        }
    }

    fn believe_held(&mut self, bounds: Bounds, admitted: &mut Admitted) {
        for told in std::mem::take(&mut self.held) {
            self.believe(told, bounds, admitted);
        }
    }

    /// Gives up the records held back that are later than `limit`.
    fn refute(&mut self, limit: i64, bounds: Bounds, admitted: &mut Admitted) {
        if self.held.iter().all(|told| told.event.ts <= limit) {
            return;
        }
        self.has_refuted = true;
        for told in std::mem::take(&mut self.held) {
            if told.event.ts <= limit {
                self.held.push(told);
            } else {
                self.disbelieve_told(told, bounds, admitted);
            }
        }
    }

    fn disbelieve_told(&mut self, told: Told, bounds: Bounds, admitted: &mut Admitted) {
        let reference = told.arrival.or(self.newest).unwrap_or(told.event.ts);
        admitted.tally.offset_us = told.event.ts.saturating_sub(reference);
        self.disbelieve(told.event, bounds, admitted);
    }

    /// Counts a record at the time that is believed, not to be judged.
    fn disbelieve(&mut self, mut event: Event, bounds: Bounds, admitted: &mut Admitted) {
        admitted.tally.implausible += 1;
        let Some(newest) = self.newest else { return };
        event.ts = newest.max(bounds.floor);
        event.flags |= flag::IMPLAUSIBLE;
        admitted.wanted = true;
        self.stage(event, bounds, admitted);
    }

    /// Moves time up to a record, though not past its arrival, and stages it.
    fn believe(&mut self, told: Told, bounds: Bounds, admitted: &mut Admitted) {
        let point = told.arrival.map_or(told.event.ts, |arrival| told.event.ts.min(arrival));
        // Others have gone on to there.
        let point = self.claim().map_or(point, |claim| claim.max(point));
        if self.newest.is_none_or(|newest| point > newest) {
            let step = self.newest.map_or(0, |newest| point.saturating_sub(newest));
            self.pace_us = step.max(self.pace_us - self.pace_us / 8);
            self.newest = Some(point);
            self.lag_us = told.arrival.map(|arrival| arrival.saturating_sub(point));
        }
        let late = admitted.tally.late;
        self.stage(told.event, bounds, admitted);
        if admitted.tally.late > late {
            let reference = told.arrival.or(self.newest).unwrap_or(told.event.ts);
            admitted.tally.offset_us = told.event.ts.saturating_sub(reference);
        }
    }

    fn stage(&mut self, mut event: Event, bounds: Bounds, admitted: &mut Admitted) {
        let Some(newest) = self.newest else { return };
        let watermark = newest.saturating_sub(bounds.allowance.bound_us);
        let earliest = (watermark - watermark.rem_euclid(SUB_PANE_US)).max(bounds.floor);
        if event.ts < earliest {
            if event.ts < earliest.saturating_sub(bounds.allowance.grace_us) {
                event.flags |= flag::LATE;
                admitted.tally.late += 1;
            } else {
                admitted.tally.delayed += 1;
            }
            event.ts = earliest;
        }
        admitted.wanted |= self.staged.push(event);
    }

    /// Takes back what is believed beyond `limit`, the latest that can be: a clock was wrong, and is right again.
    pub fn heal(&mut self, limit: i64) {
        if self.newest.is_some_and(|newest| newest > limit) {
            (self.newest, self.lag_us, self.pace_us) = (None, None, 0);
            self.tally.implausible += self.held.len() as u64;
            self.held.clear();
        }
        self.staged.drop_after(limit);
    }

    /// Start of the oldest staged second, in sub-panes.
    pub fn oldest_staged(&self) -> Option<i64> {
        self.staged.oldest()
    }

    /// Removes and returns the records of one second.
    pub fn take(&mut self, sub_pane: i64) -> Option<Bucket> {
        self.staged.take(sub_pane)
    }

    /// Whether nothing is staged or held back.
    pub fn is_drained(&self) -> bool {
        self.staged.is_empty() && self.held.is_empty()
    }

    /// Hashes of the staged texts.
    pub fn staged_events(&self) -> impl Iterator<Item = &Event> {
        let held = self.held.iter().map(|told| &told.event);
        self.staged.events().chain(held)
    }

    /// Bytes held.
    pub fn state_bytes(&self) -> usize {
        self.staged.state_bytes() + self.held.capacity() * size_of::<Told>()
    }
}

/// Moves a record whose clock is `ahead` of its arrival to the time it should have named.
const fn correct(event: &mut Event, ts: i64, ahead: i64, admitted: &mut Admitted) {
    event.ts = ts;
    event.flags |= flag::CORRECTED;
    admitted.tally.corrected += 1;
    admitted.tally.offset_us = ahead;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::JUMP_US_MIN;

    const BOUNDS: Bounds = Bounds {
        allowance: Allowance { bound_us: 2_000_000, grace_us: 1_000_000 },
        floor: i64::MIN,
        others_are_right: false,
    };
    const NOON: i64 = 1_700_000_000_000_000;

    fn admit(partition: &mut Partition, ts: i64, arrival: Option<i64>) {
        partition.admit(Event { ts, ..Event::default() }, arrival, BOUNDS);
        assert!(partition.held.len() < JUMP_CONFIRMATIONS, "so many are held back at most");
    }

    /// A partition that believes [`NOON`].
    fn at_noon() -> Partition {
        let mut partition = Partition::default();
        admit(&mut partition, NOON, Some(NOON));
        partition
    }

    #[test]
    fn a_step_that_makes_nobody_late_is_believed_and_a_longer_one_when_so_many_agree() {
        let mut partition = at_noon();
        admit(&mut partition, NOON + JUMP_US_MIN, None);
        assert_eq!(partition.newest(), Some(NOON + JUMP_US_MIN));
        let far = NOON + 2 * JUMP_US_MIN + 1;
        for n in 0..JUMP_CONFIRMATIONS {
            assert_eq!(partition.newest(), Some(NOON + JUMP_US_MIN), "{n} agree");
            admit(&mut partition, far, None);
        }
        assert_eq!(partition.newest(), Some(far));
        assert_eq!(partition.tally().held, JUMP_CONFIRMATIONS as u64);
        // whoever names another century each time keeps nothing back, and holds little
        let mut partition = at_noon();
        for n in 0..10_000 {
            admit(&mut partition, NOON + (1 << 50) - n * (1 << 30), None);
            admit(&mut partition, NOON + n, None);
        }
        assert_eq!(partition.newest(), Some(NOON + 9_999));
        assert_eq!(partition.tally().implausible, 10_000);
    }

    #[test]
    fn one_that_is_all_in_the_future_stands_at_its_arrivals_while_it_may_be_of_another_zone() {
        const S: i64 = 1_000_000;
        let watermark = |partition: &Partition| {
            let allowance = BOUNDS.allowance;
            partition.watermark(allowance).or_else(|| partition.awaited(allowance))
        };
        let zone = 5 * 3_600 * S;
        let mut partition = Partition::default();
        let mut arrival = NOON;
        while partition.newest().is_none() {
            admit(&mut partition, arrival + zone - 10 * S, Some(arrival));
            let enough = partition.tally().records >= JUMP_CONFIRMATIONS as u64;
            let stands_at = arrival - i64::from(partition.newest().is_some()) * S;
            let expected = enough.then_some(stands_at - BOUNDS.allowance.bound_us);
            assert_eq!((watermark(&partition), partition.is_astray()), (expected, false));
            arrival += S;
        }
        // others have gone on to its last arrival that was not understood: what it names from before then is late
        assert_eq!(partition.newest(), Some(arrival - 2 * S));
        assert_eq!((partition.tally().corrected, partition.tally().late), (1, 1));
        // no zone is a day away: nobody waits for it after a minute
        let mut partition = Partition::default();
        for n in 0..120 {
            admit(&mut partition, NOON + (n + 86_400) * S, Some(NOON + n * S));
        }
        assert!(partition.is_astray() && watermark(&partition).is_none());
    }

    #[test]
    fn what_arrives_may_be_so_far_ahead_and_so_old() {
        for (ahead, implausible) in [(SKEW_US_MAX, 0), (SKEW_US_MAX + 1, 1)] {
            let mut partition = at_noon();
            admit(&mut partition, NOON + ahead, Some(NOON));
            assert_eq!(partition.tally().implausible, implausible);
            assert_eq!(partition.newest(), Some(NOON), "time goes no further than the arrival");
        }
        for (lag, newest) in [(LIVE_LAG_US_MAX, Some(NOON)), (LIVE_LAG_US_MAX + 1, None)] {
            let mut partition = Partition::default();
            admit(&mut partition, NOON, Some(NOON + lag));
            assert_eq!(partition.newest(), newest);
        }
    }

    #[test]
    fn a_few_arrivals_tell_nothing_of_what_was_believed() {
        let mut partition = Partition::default();
        for n in 1..=HEAL_RECORDS_MIN {
            assert_eq!(partition.latest_arrival(), None, "{n}");
            admit(&mut partition, NOON + i64::from(n), Some(NOON + i64::from(n)));
        }
        assert_eq!(partition.latest_arrival(), Some(NOON + i64::from(HEAL_RECORDS_MIN)));
    }
}
