//! What the group asks for, carried out in the source's own time.

use rdkafka::consumer::Consumer;

use super::context::{Change, give_up};
use super::{ASK_EVERY, KafkaSource, Phase};
use crate::source::{Polled, SourceError};

/// Partitions that are given up.
#[derive(Debug)]
pub(super) struct Revocation {
    pub partitions: Vec<i32>,
    /// They stay with this member, and begin anew.
    pub begin_anew: bool,
}

impl KafkaSource {
    /// Carries out what the group asked for.
    pub(super) fn apply_changes(&mut self) -> Result<(), SourceError> {
        if let Some(Revocation { partitions, begin_anew }) = self.revoking.take() {
            self.give_up(&partitions)?;
            if begin_anew {
                self.awaited.extend(partitions);
            }
        }
        while self.events.is_empty() && self.revoking.is_none() {
            match self.consumer.context().next_change() {
                Some(Change::Assign(partitions)) => {
                    self.awaited.extend(partitions);
                    // The group goes on when it is answered, with however few partitions.
                    self.assign(true)?;
                }
                Some(Change::Revoke(partitions)) => {
                    let names = self.names(&partitions);
                    if !names.is_empty() {
                        self.events.push_back(Polled::PartitionsRevoking(names));
                    }
                    self.revoking = Some(Revocation { partitions, begin_anew: false });
                }
                Some(Change::Lost(partitions)) => {
                    let names = self.names(&partitions);
                    self.give_up(&partitions)?;
                    if !names.is_empty() {
                        tracing::warn!(
                            ?names,
                            "partitions were given to another member of the group"
                        );
                        self.events.push_back(Polled::PartitionsLost(names));
                    }
                }
                None if self.is_time_to_ask() => return self.assign(false),
                None => break,
            }
        }
        Ok(())
    }

    /// Whether the brokers are to be asked for what is awaited. Where others are read meanwhile, they are not held up.
    fn is_time_to_ask(&self) -> bool {
        let is_soon = || self.awaited_since.is_some_and(|last| last.elapsed() < ASK_EVERY);
        !self.awaited.is_empty() && (self.partitions.is_empty() || !is_soon())
    }

    fn give_up(&mut self, partitions: &[i32]) -> Result<(), SourceError> {
        self.awaited.retain(|number| !partitions.contains(number));
        // One that was awaited is not known to the client.
        let held = partitions.iter().filter(|number| self.partitions.remove(number).is_some());
        let held: Vec<i32> = held.copied().collect();
        if self.partitions.is_empty() && !held.is_empty() {
            self.phase = Phase::Joining;
        }
        give_up(&self.consumer, &self.list(&held))
            .map_err(|source| SourceError::Kafka { action: "giving partitions up", source })
    }
}
