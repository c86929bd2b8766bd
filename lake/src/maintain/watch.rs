//! Who watches maintenance: holds it up, stops it, and hears what it does.

use std::time::Duration;

use super::{Stop, Undone};

/// Whether maintenance goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// It goes on.
    Go,
    /// Something else needs the machine.
    Wait,
    /// It ends; what is half done is left out.
    Stop,
}

/// Holds maintenance up and hears what it does; asked between portions of some thousand rows.
pub trait Watch {
    /// Whether to go on.
    fn pace(&self) -> Pace {
        Pace::Go
    }

    /// So many rows of so many files are about to be written anew, all in all.
    fn planned(&self, _rows: u64) {}

    /// So many rows more were written.
    fn rewrote(&self, _rows: u64) {}
}

/// Goes on without a word.
#[derive(Debug, Clone, Copy)]
pub struct Unwatched;

impl Watch for Unwatched {}

/// How often work that waits asks again.
const WAIT: Duration = Duration::from_millis(200);

/// Lets others on, for a moment where the watch says to wait; whether to go on or to ask again.
pub(crate) async fn pause(watch: &dyn Watch) -> Result<Pace, Undone> {
    match watch.pace() {
        Pace::Go => {
            tokio::task::yield_now().await;
            Ok(Pace::Go)
        }
        Pace::Wait => {
            tokio::time::sleep(WAIT).await;
            Ok(Pace::Wait)
        }
        Pace::Stop => Err(Undone::Stopped(Stop::Asked)),
    }
}
