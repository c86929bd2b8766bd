//! The consumer group and the topic as one member sees them: a source that reads what it is assigned.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use decode::RawMessage;
use decode::message::Numbering;
use fastrand::Rng;
use ingest::{
    MessageSink, Polled, PositionLookup, Positions, Progress, Share, Source, SourceError,
};

use crate::topic::Message;

pub const TOPIC: &str = "logs";

pub fn name(partition: usize) -> Arc<str> {
    format!("{TOPIC}/{partition}").into()
}

fn position(offset: usize) -> i64 {
    i64::try_from(offset).expect("an offset")
}

/// What the group tells a member.
#[derive(Debug)]
pub enum Change {
    Assign(Vec<usize>),
    Revoke(Vec<usize>),
    /// It was held for dead: others have its partitions.
    Lost,
}

/// How far a member has read one partition.
#[derive(Debug, Default)]
struct Lane {
    begun: usize,
    next: usize,
    ended: bool,
    paused: bool,
}

/// Between the world and the source of one member.
#[derive(Debug, Default)]
pub struct Desk {
    pub changes: VecDeque<Change>,
    lanes: BTreeMap<usize, Lane>,
    revoking: Vec<usize>,
    events: VecDeque<Polled>,
    /// Partitions it has given up.
    pub released: Vec<usize>,
}

impl Desk {
    /// Partitions that it reads, and how far.
    pub fn held(&self) -> BTreeMap<usize, usize> {
        self.lanes.iter().map(|(partition, lane)| (*partition, lane.next)).collect()
    }

    /// The group gives everything it has to others; it will be told.
    ///
    /// - returns: what it had.
    pub fn lose(&mut self) -> Vec<usize> {
        self.changes.push_back(Change::Lost);
        self.revoking.clear();
        self.lanes.keys().copied().collect()
    }

    /// Whether it has heard of all that the group has told it, and done so.
    pub fn is_settled(&self) -> bool {
        self.changes.is_empty() && self.revoking.is_empty()
    }

    /// Whether it has nothing left to read or to be told.
    pub fn is_done(&self) -> bool {
        let is_told = self.is_settled() && self.events.is_empty();
        is_told && self.lanes.values().all(|lane| lane.ended)
    }
}

/// Reads what the desk says.
pub struct Member {
    pub desk: Rc<RefCell<Desk>>,
    pub topic: Rc<Vec<Vec<Message>>>,
    pub lookup: PositionLookup,
    pub rng: Rng,
}

impl Member {
    fn take_up(&mut self, desk: &mut Desk, partitions: Vec<usize>) -> Result<(), SourceError> {
        let names: Vec<Arc<str>> = partitions.iter().map(|partition| name(*partition)).collect();
        let held = match (self.lookup)(&names) {
            Ok(held) => held,
            Err(source) => {
                // They are still its own to give back.
                desk.changes.push_front(Change::Assign(partitions));
                return Err(SourceError::Positions { topic: TOPIC.to_owned(), source });
            }
        };
        desk.events.push_back(Polled::PartitionsAssigned(names.clone()));
        for (partition, name) in partitions.into_iter().zip(names) {
            let next = held.again.get(&name).or_else(|| held.positions.get(&name));
            let next = usize::try_from(next.copied().unwrap_or(0)).expect("a position");
            let ended = next == self.topic[partition].len();
            assert!(next <= self.topic[partition].len(), "{name} at {next}");
            desk.lanes.insert(partition, Lane { begun: next, next, ended, paused: false });
            if ended {
                desk.events.push_back(Polled::PartitionEnd(name));
            }
        }
        Ok(())
    }

    fn read(&mut self, desk: &mut Desk, sink: &mut dyn MessageSink) -> usize {
        let open = desk.lanes.iter_mut().filter(|(_, lane)| !lane.ended && !lane.paused);
        let open: Vec<_> = open.collect();
        if open.is_empty() {
            return 0;
        }
        let chosen = self.rng.usize(..open.len());
        let Some((partition, lane)) = open.into_iter().nth(chosen) else { return 0 };
        let messages = &self.topic[*partition];
        let end = (lane.next + self.rng.usize(1..60)).min(messages.len());
        let read = lane.next..end;
        for offset in read.clone() {
            let message = &messages[offset];
            sink.message(&RawMessage {
                partition: &name(*partition),
                topic: TOPIC,
                kafka_partition: i32::try_from(*partition).ok(),
                offset: position(offset),
                numbering: Numbering::Records,
                arrival_us: message.arrival_us,
                payload: &message.payload,
            });
        }
        lane.next = end;
        if end == messages.len() {
            lane.ended = true;
            desk.events.push_back(Polled::PartitionEnd(name(*partition)));
        }
        read.len()
    }
}

impl Source for Member {
    fn poll(&mut self, _: Duration, sink: &mut dyn MessageSink) -> Result<Polled, SourceError> {
        let desk = Rc::clone(&self.desk);
        let mut desk = desk.borrow_mut();
        if let Some(event) = desk.events.pop_front() {
            return Ok(event);
        }
        for partition in std::mem::take(&mut desk.revoking) {
            desk.lanes.remove(&partition);
            desk.released.push(partition);
        }
        match desk.changes.pop_front() {
            Some(Change::Assign(partitions)) => self.take_up(&mut desk, partitions)?,
            Some(Change::Revoke(partitions)) => {
                let names = partitions.iter().map(|partition| name(*partition)).collect();
                desk.revoking = partitions;
                return Ok(Polled::PartitionsRevoking(names));
            }
            Some(Change::Lost) => {
                let lost = std::mem::take(&mut desk.lanes).into_keys().map(name).collect();
                desk.events.clear();
                return Ok(Polled::PartitionsLost(lost));
            }
            None => {}
        }
        if let Some(event) = desk.events.pop_front() {
            return Ok(event);
        }
        match self.read(&mut desk, sink) {
            0 => Ok(Polled::Idle),
            messages => Ok(Polled::Messages(messages)),
        }
    }

    fn set_paused(&mut self, partition: &str, paused: bool) -> Result<(), SourceError> {
        let mut desk = self.desk.borrow_mut();
        for (number, lane) in &mut desk.lanes {
            if *name(*number) == *partition {
                lane.paused = paused;
            }
        }
        Ok(())
    }

    fn proofs(&self, _: &Positions) -> Positions {
        Positions::new()
    }

    fn begun(&self) -> Positions {
        let desk = self.desk.borrow();
        desk.lanes
            .iter()
            .map(|(partition, lane)| (name(*partition), position(lane.begun)))
            .collect()
    }

    fn commit(&mut self, _: &Positions) {}

    fn progress(&self) -> Progress {
        Progress { read: 0, total: None, reached: true }
    }

    fn share(&self) -> Option<Share> {
        let read = self.desk.borrow().lanes.len();
        (read > 0).then_some(Share { read, of: self.topic.len() })
    }
}
