//! Who holds a host up: of the time that its answers take, over ten minutes, the sources that want most of it.

use serde::{Deserialize, Serialize};

use crate::limits::HOLDERS_MAX;
use crate::record::event::Event;
use crate::record::source::Source;
use crate::seen::source_record::TOLD_MS_MAX;

/// Time constant of the decayed sums, seconds.
pub const MEMORY_S: f64 = 600.0;

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Holder {
    source: Source,
    seconds: f32,
    /// Of these, what may have been of those who had its place before.
    inherited: f32,
}

/// The heaviest sources of one host, and all of them together: whoever has more than one in [`HOLDERS_MAX`] of the time is among
/// them.
///
/// # Source
/// Metwally, Agrawal and El Abbadi, "Efficient computation of frequent and top-k elements in data streams" (2005): Space-Saving.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Holders {
    heaviest: Vec<Holder>,
    all: f32,
    at_s: i64,
}

/// What one source holds, seconds of answers decayed over [`MEMORY_S`].
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
        self.decay(event.ts.div_euclid(1_000_000));
        #[expect(clippy::cast_precision_loss, reason = "at most some hours, in milliseconds")]
        let seconds = event.duration_ms.min(TOLD_MS_MAX) as f32 / 1e3;
        self.all += seconds;
        let known = self.heaviest.iter().position(|holder| holder.source == event.source);
        let at = known.unwrap_or_else(|| self.place_for(event.source));
        let Some(holder) = self.heaviest.get_mut(at) else { return Held::default() };
        holder.seconds += seconds;
        let own = holder.seconds - holder.inherited;
        Held { own: f64::from(own), all: f64::from(self.all) }
    }

    /// Gives a source a place, that of the lightest if there is no other.
    fn place_for(&mut self, source: Source) -> usize {
        if self.heaviest.len() < HOLDERS_MAX {
            self.heaviest.push(Holder { source, seconds: 0.0, inherited: 0.0 });
            return self.heaviest.len() - 1;
        }
        let lightest = self.heaviest.iter_mut().enumerate();
        let lightest = lightest.min_by(|(_, a), (_, b)| a.seconds.total_cmp(&b.seconds));
        let Some((at, holder)) = lightest else { return 0 };
        (holder.source, holder.inherited) = (source, holder.seconds);
        at
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "a share of sums that carry 24 bits"
    )]
    fn decay(&mut self, now_s: i64) {
        let passed = now_s - self.at_s;
        if passed <= 0 {
            return;
        }
        self.at_s = now_s;
        let left = libm::exp(-(passed as f64) / MEMORY_S) as f32;
        self.all *= left;
        for holder in &mut self.heaviest {
            holder.seconds *= left;
            holder.inherited *= left;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(holders.heaviest.len(), HOLDERS_MAX);
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
