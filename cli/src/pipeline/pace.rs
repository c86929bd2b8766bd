//! How often the detector's state is kept: not with every commit, where it is large.

use std::time::{Duration, Instant};

/// Bytes of states that are written in a day, by default: what a disk does not notice. A state of 150 MB is then kept once in
/// three quarters of an hour, and one of less than 1.7 MB with every commit.
pub const STATE_BYTES_A_DAY: u64 = 5_000_000_000;

const DAY_S: f64 = 86_400.0;

/// Says when a commit is to bring the detector's state.
#[derive(Debug)]
pub struct Pace {
    /// Bytes a day; `None` where each commit brings it.
    bytes_a_day: Option<u64>,
    /// When the last one was kept, and its bytes.
    kept: Option<(Instant, usize)>,
}

impl Pace {
    /// With each commit: what must be known again of files that were read stands in it.
    pub const fn each() -> Self {
        Self { bytes_a_day: None, kept: None }
    }

    /// As often as so many bytes a day allow; with 0 once, and when somebody asks for it.
    pub const fn within(bytes_a_day: u64) -> Self {
        Self { bytes_a_day: Some(bytes_a_day), kept: None }
    }

    /// A state of so many bytes was kept then.
    pub const fn keep(&mut self, at: Instant, bytes: usize) {
        self.kept = Some((at, bytes));
    }

    /// Whether the next commit is to bring the state.
    pub fn is_due(&self, now: Instant) -> bool {
        let (Some(bytes_a_day), Some((at, bytes))) = (self.bytes_a_day, self.kept) else {
            return true;
        };
        #[expect(clippy::cast_precision_loss, reason = "bytes of a state and a day")]
        let wait = bytes as f64 / bytes_a_day as f64 * DAY_S;
        Duration::try_from_secs_f64(wait).is_ok_and(|wait| now.duration_since(at) >= wait)
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
        assert!(!pace.is_due(later(17)) && pace.is_due(later(18)));
        pace.keep(start, 150_000_000);
        assert!(!pace.is_due(later(2_591)) && pace.is_due(later(2_593)));
        let mut pace = Pace::within(0);
        assert!(pace.is_due(start));
        pace.keep(start, 1);
        assert!(!pace.is_due(later(1 << 30)));
        let mut pace = Pace::each();
        pace.keep(start, 1 << 30);
        assert!(pace.is_due(start));
    }
}
