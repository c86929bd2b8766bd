//! Who draws the same large things again and again: of the bytes of large answers, over ten minutes, the sources that have most
//! of them, and how much of that they had before. Who fetches a backup, an image of a disk or a mirror has each thing once.

use serde::{Deserialize, Serialize};

use crate::limits::{DRAWERS_MAX, DRAWN_PATHS_MAX};
use crate::record::event::{Event, flag};
use crate::record::source::Source;

/// Time constant of the decayed sums, seconds.
pub const MEMORY_S: f64 = 600.0;

/// Bytes of an answer from which it is large: a page and its images are smaller. As of the kind for it.
const LARGE_BYTES: u32 = 5_000_000;

/// Status of an answer that is whole: of parts it is not known whether they are the same, and programs that resume a download,
/// or fetch it in parts, ask for many of one thing.
const WHOLE: u16 = 200;

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Drawer {
    source: Source,
    megabytes: f32,
    /// Of these, whole answers that it had before, and how many.
    again: f32,
    times: f32,
    /// The last things that it drew, by their paths, and where the next goes.
    paths: [u64; DRAWN_PATHS_MAX],
    next: u8,
}

/// The heaviest of one host, and all of them together: whoever has more than one in [`DRAWERS_MAX`] of the bytes is among them
/// (Space-Saving, see [`super::holders`]; what one draws again is counted from when it is among them).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Draws {
    heaviest: Vec<Drawer>,
    all: f32,
    at_s: i64,
}

/// What one source drew, of late, in megabytes decayed over [`MEMORY_S`].
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Drawn {
    /// Of what it had before, by this source.
    pub again: f64,
    /// How many times.
    pub times: f64,
    /// Of large answers, by all.
    pub all: f64,
}

impl Draws {
    /// Takes in a record; what its source drew by now, nothing where the answer is not large.
    #[inline]
    pub fn add(&mut self, event: &Event) -> Drawn {
        let is_large = event.bytes >= LARGE_BYTES && !event.has(flag::WRITE);
        if is_large { self.add_large(event) } else { Drawn::default() }
    }

    #[cold]
    fn add_large(&mut self, event: &Event) -> Drawn {
        self.decay(event.ts.div_euclid(1_000_000));
        #[expect(clippy::cast_precision_loss, reason = "sums that carry 24 bits")]
        let megabytes = event.bytes as f32 / 1e6;
        self.all += megabytes;
        let known = self.heaviest.iter().position(|drawer| drawer.source == event.source);
        let at = known.unwrap_or_else(|| self.place_for(event.source));
        let Some(drawer) = self.heaviest.get_mut(at) else { return Drawn::default() };
        drawer.megabytes += megabytes;
        if event.status == WHOLE {
            drawer.draw(event.path, megabytes);
        }
        Drawn {
            again: f64::from(drawer.again),
            times: f64::from(drawer.times),
            all: f64::from(self.all),
        }
    }

    /// Bytes held at most, by what it counts.
    pub const fn weight(&self) -> usize {
        self.heaviest.capacity() * size_of::<Drawer>()
    }

    /// Gives a source a place, that of the lightest if there is no other.
    fn place_for(&mut self, source: Source) -> usize {
        let new = |megabytes| Drawer {
            source,
            megabytes,
            again: 0.0,
            times: 0.0,
            paths: [0; DRAWN_PATHS_MAX],
            next: 0,
        };
        if self.heaviest.len() < DRAWERS_MAX {
            self.heaviest.push(new(0.0));
            return self.heaviest.len() - 1;
        }
        let lightest = self.heaviest.iter_mut().enumerate();
        let lightest = lightest.min_by(|(_, a), (_, b)| a.megabytes.total_cmp(&b.megabytes));
        let Some((at, drawer)) = lightest else { return 0 };
        *drawer = new(drawer.megabytes);
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
        for drawer in &mut self.heaviest {
            drawer.megabytes *= left;
            drawer.again *= left;
            drawer.times *= left;
        }
    }
}

impl Drawer {
    fn draw(&mut self, path: u64, megabytes: f32) {
        if self.paths.contains(&path) {
            self.again += megabytes;
            self.times += 1.0;
            return;
        }
        let next = usize::from(self.next) % DRAWN_PATHS_MAX;
        self.paths[next] = path;
        self.next = self.next.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(at_s: i64, source: u32, path: u64) -> Event {
        Event {
            ts: at_s * 1_000_000,
            source: Source::v4(source),
            path,
            status: WHOLE,
            bytes: 100_000_000,
            ..Event::default()
        }
    }

    #[test]
    fn who_draws_one_thing_again_is_found_among_very_many() {
        let (mut draws, mut last) = (Draws::default(), Drawn::default());
        for at in 0..300 {
            for other in 0..20 {
                let source = 1_000 + u32::try_from(at).unwrap() * 20 + other;
                let small = Event { bytes: 10_000_000, ..draw(at, source, 1) };
                let once = draws.add(&small);
                assert!(once.again < 0.01, "each once: {once:?}");
            }
            last = draws.add(&draw(at, 7, 1));
        }
        let true_again = 23_500.0;
        assert!((0.9..1.01).contains(&(last.again / true_again)), "{last:?}");
        assert!((last.all / true_again - 3.0).abs() < 0.1, "{last:?}");
        assert_eq!(draws.heaviest.len(), DRAWERS_MAX);
    }

    #[test]
    fn what_is_drawn_in_parts_or_once_or_written_is_not_drawn_again() {
        let mut draws = Draws::default();
        for at in 0..100 {
            draws.add(&Event { status: 206, ..draw(at, 1, 5) });
            draws.add(&draw(at, 2, 100 + at.unsigned_abs()));
            draws.add(&Event { flags: flag::WRITE, ..draw(at, 3, 5) });
        }
        let all = [1, 2, 3].map(|source| draws.add(&draw(100, source, 6)));
        assert!(all.iter().all(|drawn| drawn.times < 0.1), "{all:?}");
    }

    #[test]
    fn things_drawn_in_turn_are_drawn_again_as_far_as_they_are_remembered() {
        let turns = |things: u64| {
            let mut draws = Draws::default();
            let times = (0..200).map(|n| draws.add(&draw(0, 1, 1 + n % things)).times);
            times.fold(0.0, f64::max)
        };
        let most = DRAWN_PATHS_MAX as u64;
        assert!(turns(most) > 190.0 && turns(most + 1) < 0.1);
    }
}
