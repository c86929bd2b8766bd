//! How a host answers those who ask for little: whether it sends nearly all of them elsewhere, as one does that moves everybody to
//! TLS or to a log-in, and whether they ask for programs of pages and archives.
//!
//! Of each source only what it asks for while it has asked for few pages counts, so that one that asks for thousands does not
//! become what is usual.

use serde::{Deserialize, Serialize};

use crate::record::event::{Event, flag};

/// Pages of a source within ten minutes, decayed, up to which they count: a choice, more than most visitors read.
pub const FEW_PAGES_MAX: f32 = 8.0;

/// Pages that must have counted before anything is known: three sources at least.
const PAGES_MIN: u32 = 24;

/// Share of them that is sent elsewhere, from which a redirect says nothing of what was asked for: nine in ten. On a host
/// that only sends visitors on to where they log in, half of the answers are the page there. A choice.
const SENT_MIN: f64 = 0.9;

/// Share of them that asks for programs of pages or archives, from which these are a matter of course: a choice; of those who come
/// to a host that has none, passing robots, one in ten and less asks for one.
const SCRIPTS_MIN: f64 = 0.2;

/// Counts are halved at this sum: what a host did long ago does not matter.
const SUM_MAX: u32 = 512;

/// What was answered to those who ask for little.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Elsewhere {
    pages: u32,
    sent: u32,
    scripts: u32,
}

impl Elsewhere {
    /// Takes in a request of a source that has asked for few pages.
    pub fn note(&mut self, event: &Event) {
        if event.flags & (flag::ASSET | flag::WRITE) != 0 || event.status == 0 {
            return;
        }
        self.pages += 1;
        self.sent += u32::from(event.is_redirected());
        self.scripts += u32::from(event.has(flag::SCRIPT));
        if self.pages >= SUM_MAX {
            self.pages /= 2;
            self.sent /= 2;
            self.scripts /= 2;
        }
    }

    fn is_share(&self, part: u32, least: f64) -> bool {
        self.pages >= PAGES_MIN && f64::from(part) >= least * f64::from(self.pages)
    }

    /// Whether nearly all are sent elsewhere, whatever they ask for.
    pub fn is_usual(&self) -> bool {
        self.is_share(self.sent, SENT_MIN)
    }

    /// Whether programs of pages or archives are asked for as a matter of course.
    pub fn has_scripts(&self) -> bool {
        self.is_share(self.scripts, SCRIPTS_MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(status: u16, flags: u32) -> Event {
        Event { flags, status, ..Event::default() }
    }

    #[test]
    fn a_host_that_moves_everybody_is_known_and_one_with_a_log_in_is_not_one() {
        let mut moves = Elsewhere::default();
        (0..PAGES_MIN - 1).for_each(|_| moves.note(&page(301, 0)));
        assert!(!moves.is_usual(), "too few");
        (0..2_000).for_each(|n| moves.note(&page(if n % 20 == 0 { 400 } else { 301 }, 0)));
        assert!(moves.is_usual() && !moves.has_scripts());
        let mut asks = Elsewhere::default();
        (0..2_000).for_each(|n| asks.note(&page(if n % 2 == 0 { 302 } else { 200 }, flag::SCRIPT)));
        assert!(!asks.is_usual() && asks.has_scripts());
    }

    #[test]
    fn what_belongs_to_a_page_and_what_is_written_do_not_count() {
        let mut none = Elsewhere::default();
        (0..100).for_each(|_| none.note(&page(302, flag::WRITE)));
        (0..100).for_each(|_| none.note(&page(302, flag::ASSET)));
        assert_eq!(none, Elsewhere::default());
    }
}
