//! Who was sent to the same path with a slash at its end, and finds there what he asked for: that was no miss.

use serde::{Deserialize, Serialize};

use crate::math::hash::with_slash;
use crate::record::event::Event;

/// Where the last request in vain that was redirected would have been right: its path with a slash at its end; 0 for none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Moved(u64);

impl Moved {
    /// Takes in a request, in vain or not; whether it shows that the last one in vain was right but for a slash.
    pub(super) fn is_arrival(&mut self, event: &Event, in_vain: bool) -> bool {
        if in_vain {
            self.0 = if event.is_redirected() { with_slash(event.path) } else { 0 };
            return false;
        }
        let arrives = self.0 != 0 && event.path == self.0 && event.is_hit();
        if arrives {
            self.0 = 0;
        }
        arrives
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(path: u64, status: u16) -> Event {
        Event { path, status, ..Event::default() }
    }

    #[test]
    fn who_arrives_behind_a_slash_was_right_once() {
        let mut moved = Moved::default();
        assert!(!moved.is_arrival(&asked(7, 301), true));
        assert!(!moved.is_arrival(&asked(9, 200), false), "something else");
        assert!(moved.is_arrival(&asked(with_slash(7), 200), false));
        assert!(!moved.is_arrival(&asked(with_slash(7), 200), false), "it was taken back");
        moved.is_arrival(&asked(7, 404), true);
        assert!(!moved.is_arrival(&asked(with_slash(7), 200), false), "it was not sent there");
    }
}
