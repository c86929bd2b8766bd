//! How often the detector's state is kept: not with every commit, where it is large.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Bytes of states that are written in a day, by default: what a disk does not notice. A state of 22 MB, which was
/// that of 600,000 sources, is then kept once in seven minutes, and one of less than 1.5 MB with every commit.
pub const STATE_BYTES_A_DAY: u64 = 4_500_000_000;

/// Bytes of a state, compressed, that takes some milliseconds to make: so long the pipeline may wait.
const SMALL_BYTES: usize = 256 << 10;

const DAY_S: f64 = 86_400.0;

/// Says when a commit is to bring the detector's state.
#[derive(Debug)]
pub struct Pace {
    /// Bytes a day; `None` where each commit brings it.
    bytes_a_day: Option<u64>,
    /// A state of more bytes is made beside the pipeline.
    large_bytes: usize,
    /// When the last one was kept, and its bytes.
    kept: Option<(Instant, Arc<AtomicUsize>)>,
}

impl Pace {
    /// With each commit: what must be known again of files that were read stands in it.
    pub const fn each() -> Self {
        Self { bytes_a_day: None, large_bytes: SMALL_BYTES, kept: None }
    }

    /// As often as so many bytes a day allow; with 0 once, and when somebody asks for it.
    pub const fn within(bytes_a_day: u64) -> Self {
        Self { bytes_a_day: Some(bytes_a_day), large_bytes: SMALL_BYTES, kept: None }
    }

    /// As often, and each state made beside the pipeline, however small.
    pub const fn beside(bytes_a_day: u64) -> Self {
        Self { bytes_a_day: Some(bytes_a_day), large_bytes: 0, kept: None }
    }

    /// A state of so many bytes was kept then.
    pub fn keep(&mut self, at: Instant, bytes: usize) {
        self.keep_later(at).store(bytes, Ordering::Relaxed);
    }

    /// A state is kept as of then; its bytes are to be told there, and until then are held to be those of the last.
    pub fn keep_later(&mut self, at: Instant) -> Arc<AtomicUsize> {
        let bytes = Arc::new(AtomicUsize::new(self.bytes()));
        self.kept = Some((at, Arc::clone(&bytes)));
        bytes
    }

    /// Whether the next state is better made beside the pipeline than within.
    pub fn is_large(&self) -> bool {
        self.bytes_a_day.is_some() && self.bytes() > self.large_bytes
    }

    fn bytes(&self) -> usize {
        self.kept.as_ref().map_or(0, |(_, bytes)| bytes.load(Ordering::Relaxed))
    }

    /// Whether the next commit is to bring the state.
    pub fn is_due(&self, now: Instant) -> bool {
        let (Some(bytes_a_day), Some((at, _))) = (self.bytes_a_day, &self.kept) else {
            return true;
        };
        #[expect(clippy::cast_precision_loss, reason = "bytes of a state and a day")]
        let wait = self.bytes() as f64 / bytes_a_day as f64 * DAY_S;
        Duration::try_from_secs_f64(wait).is_ok_and(|wait| now.duration_since(*at) >= wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_state_is_kept_seldom_and_a_small_one_often() {
        let start = Instant::now();
        let later = |seconds| start + Duration::from_secs(seconds);
        let mut pace = Pace::within(STATE_BYTES_A_DAY);
        assert!(pace.is_due(start), "the first");
        pace.keep(start, 1_000_000);
        assert!(!pace.is_due(later(19)) && pace.is_due(later(20)));
        pace.keep(start, 150_000_000);
        assert!(!pace.is_due(later(2_879)) && pace.is_due(later(2_881)));
        let bytes = pace.keep_later(later(3_000));
        assert!(pace.is_large() && !pace.is_due(later(3_020)), "as large as the last");
        bytes.store(1_000_000, Ordering::Relaxed);
        assert!(pace.is_due(later(3_020)));
        let mut pace = Pace::within(0);
        assert!(pace.is_due(start));
        pace.keep(start, 1);
        assert!(!pace.is_due(later(1 << 30)));
        let mut pace = Pace::each();
        pace.keep(start, 1 << 30);
        assert!(pace.is_due(start));
    }
}
