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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_sample_is_of_all_that_came_and_slowly_of_what_comes_now() {
        let most = BASELINE_SAMPLES_MAX as u64;
        let mut sample = Reservoir::default();
        let mut share_of_new = |old: u64, new: u64| {
            let event = |path| Event { path, ..Event::default() };
            (0..old).for_each(|_| sample.offer(event(1)));
            (0..new).for_each(|_| sample.offer(event(2)));
            assert!(sample.events.len() <= BASELINE_SAMPLES_MAX);
            let new = sample.events.iter().filter(|event| event.path == 2).count();
            100 * new / sample.events.len()
        };
        assert_eq!(share_of_new(most / 2, 0), 0);
        let half = share_of_new(most * 7 / 2, 4 * most);
        assert!((40..60).contains(&half), "{half} %: half of what came");
        // an hour of something else is no more than its part
        let more = share_of_new(0, 4 * most);
        assert!((half + 5..90).contains(&more), "{more} %");
        assert!(share_of_new(0, 64 * most) > 95);
    }
}
