//! Who holds a host up: of the time that its answers take, over ten minutes, the sources that want most of it.

use serde::{Deserialize, Serialize};

use crate::limits::HOLDERS_MAX;
use crate::record::event::Event;
use crate::seen::heaviest::{Beside, Heaviest};
use crate::seen::source_record::TOLD_MS_MAX;

/// Of the seconds of a source, what may have been of those who had its place before.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Inherited(f32);

impl Beside for Inherited {
    fn begin(inherited: f32) -> Self {
        Self(inherited)
    }

    fn decay(&mut self, left: f32) {
        self.0 *= left;
    }
}

/// The sources of one host that want most of the time of its answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Holders {
    seconds: Heaviest<Inherited, HOLDERS_MAX>,
}

/// What one source holds, seconds of answers decayed over [`MEMORY_S`](super::heaviest::MEMORY_S).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Held {
    /// By this source, at least.
    pub own: f64,
    /// By all.
    pub all: f64,
}

impl Holders {
    /// Takes in a record; what its source holds now.
    pub fn add(&mut self, event: &Event) -> Held {
        if event.duration_ms == 0 || event.is_sent_long() {
            return Held::default();
        }
        #[expect(clippy::cast_precision_loss, reason = "at most some hours, in milliseconds")]
        let seconds = event.duration_ms.min(TOLD_MS_MAX) as f32 / 1e3;
        let Some(grown) = self.seconds.add(event, seconds) else { return Held::default() };
        let Inherited(inherited) = *grown.beside;
        Held { own: f64::from(grown.sum - inherited), all: f64::from(grown.all) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::source::Source;

    fn event(at_s: i64, source: u32, duration_ms: u32) -> Event {
        Event { ts: at_s * 1_000_000, source: Source::v4(source), duration_ms, ..Event::default() }
    }

    #[test]
    fn who_has_a_share_of_the_time_is_found_among_very_many() {
        let (mut holders, mut held) = (Holders::default(), Held::default());
        for at in 0..300 {
            for other in 0..20 {
                holders.add(&event(at, 1_000 + u32::try_from(at).unwrap() * 20 + other, 100));
            }
            held = holders.add(&event(at, 7, 1_000));
        }
        let true_own = 236.0;
        assert!(held.own > 0.9 * true_own && held.own <= 1.01 * true_own, "{held:?}");
        assert!((held.all / true_own - 3.0).abs() < 0.1, "{held:?}");
        assert_eq!(holders.seconds.len(), HOLDERS_MAX);
        let stranger = holders.add(&event(300, 9, 100));
        assert!(stranger.own < 0.2, "what others held is not its own: {stranger:?}");
    }

    #[test]
    fn what_was_held_is_forgotten() {
        let mut holders = Holders::default();
        holders.add(&event(0, 7, 60_000));
        let later = holders.add(&event(6_000, 7, 1_000));
        assert!((later.own - 1.0).abs() < 0.01 && (later.all - 1.0).abs() < 0.01, "{later:?}");
    }
}
