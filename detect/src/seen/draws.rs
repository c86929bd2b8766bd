//! Who draws the same large things again and again: of the bytes of large answers, over ten minutes, the sources that have most
//! of them, and how much of that they had before. Who fetches a backup, an image of a disk or a mirror has each thing once.

use serde::{Deserialize, Serialize};

use crate::limits::{DRAWERS_MAX, DRAWN_PATHS_MAX};
use crate::record::event::{Event, flag};
use crate::seen::heaviest::{Beside, Heaviest};

/// Bytes of an answer from which it is large: a page and its images are smaller. As of the kind for it.
const LARGE_BYTES: u32 = 5_000_000;

/// Status of an answer that is whole: of parts it is not known whether they are the same, and programs that resume a download,
/// or fetch it in parts, ask for many of one thing.
const WHOLE: u16 = 200;

/// Whole answers that a source had before, in megabytes, and how many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Again {
    megabytes: f32,
    times: f32,
    /// The last things that it drew, by their paths, and where the next goes.
    paths: [u64; DRAWN_PATHS_MAX],
    next: u8,
}

/// The sources of one host that draw most of the bytes of its large answers; what one draws again is counted from when it is among
/// them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Draws {
    megabytes: Heaviest<Again, DRAWERS_MAX>,
}

/// What one source drew, of late, in megabytes decayed over [`MEMORY_S`](super::heaviest::MEMORY_S).
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
        #[expect(clippy::cast_precision_loss, reason = "sums that carry 24 bits")]
        let megabytes = event.bytes as f32 / 1e6;
        let Some(grown) = self.megabytes.add(event, megabytes) else { return Drawn::default() };
        if event.status == WHOLE {
            grown.beside.draw(event.path, megabytes);
        }
        Drawn {
            again: f64::from(grown.beside.megabytes),
            times: f64::from(grown.beside.times),
            all: f64::from(grown.all),
        }
    }

    /// Bytes held at most, by what it counts.
    pub const fn weight(&self) -> usize {
        self.megabytes.weight()
    }
}

impl Beside for Again {
    fn begin(_inherited: f32) -> Self {
        Self::default()
    }

    fn decay(&mut self, left: f32) {
        self.megabytes *= left;
        self.times *= left;
    }
}

impl Again {
    fn draw(&mut self, path: u64, megabytes: f32) {
        if self.paths.contains(&path) {
            self.megabytes += megabytes;
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
    use crate::record::source::Source;

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
        assert_eq!(draws.megabytes.len(), DRAWERS_MAX);
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
