//! A sample of ordinary records that slowly forgets.

use serde::{Deserialize, Serialize};

use crate::limits::BASELINE_SAMPLES_MAX;
use crate::math::hash::mix;
use crate::record::event::Event;

/// Ordinary records: a reservoir that slowly forgets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Reservoir {
    /// The sample.
    pub events: Vec<Event>,
    offered: u64,
}

impl Reservoir {
    /// A reservoir of these records, each as good as the next.
    pub fn of(events: Vec<Event>) -> Self {
        Self { offered: events.len() as u64, events }
    }

    /// Takes a record in, in the place of another when the sample is full.
    pub fn offer(&mut self, event: Event) {
        self.offered += 1;
        if self.events.len() < BASELINE_SAMPLES_MAX {
            self.events.push(event);
            return;
        }
        // The sample reaches back about sixteen times its size, then replaces itself.
        let depth = self.offered.min(16 * BASELINE_SAMPLES_MAX as u64);
        let draw = mix(self.offered) % depth;
        if let Some(slot) = usize::try_from(draw).ok().and_then(|at| self.events.get_mut(at)) {
            *slot = event;
        }
    }
}
