//! Large states of the detector, made and written beside the commits.

use std::fmt;
use std::thread::{self, JoinHandle};

use bytes::Bytes;

use crate::checkpoint::{Checkpoint, Checkpoints, HOUSEKEEPING};
use crate::error::LakeError;
use crate::ids::History;
use crate::location::Location;

/// A state of the detector whose bytes are still to be made.
pub struct MakeState(Box<dyn FnOnce() -> Option<Bytes> + Send>);

impl MakeState {
    /// One that `make` makes; `None` where it cannot, which it has said.
    pub fn new(make: impl FnOnce() -> Option<Bytes> + Send + 'static) -> Self {
        Self(Box::new(make))
    }

    /// Makes it.
    pub fn make(self) -> Option<Bytes> {
        (self.0)()
    }
}

impl fmt::Debug for MakeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MakeState").finish_non_exhaustive()
    }
}

/// Writes one state at a time on a thread of its own; ends with what it is at.
#[derive(Debug)]
pub(crate) struct StateKeeper {
    is_waited_for: bool,
    at_it: Option<(History, Work)>,
}

#[derive(Debug)]
enum Work {
    Goes(JoinHandle<Option<i64>>),
    /// Number of the checkpoint, if it was written.
    Done(Option<i64>),
}

impl Work {
    fn is_done(&self) -> bool {
        match self {
            Self::Goes(thread) => thread.is_finished(),
            Self::Done(_) => true,
        }
    }

    fn end(self) -> Option<i64> {
        match self {
            // Its panic was reported by the thread itself.
            Self::Goes(thread) => thread.join().ok().flatten(),
            Self::Done(number) => number,
        }
    }
}

impl StateKeeper {
    /// One that is waited for, where each run must be like the other, or not.
    pub(crate) const fn new(is_waited_for: bool) -> Self {
        Self { is_waited_for, at_it: None }
    }

    /// Whether a state is being written, or was and nobody has asked yet.
    pub(crate) const fn is_at_it(&self) -> bool {
        self.at_it.is_some()
    }

    /// Begins to write the state at a place of a history; failures cost only that more must be read again.
    pub(crate) fn begin(
        &mut self,
        location: &Location,
        history: &History,
        place: Checkpoint,
        make: MakeState,
    ) {
        let (location, of) = (location.clone(), history.clone());
        let work = move || {
            let state = make.make()?;
            let written = write(&location, &of, Checkpoint { state, ..place });
            written
                .inspect_err(|error| tracing::warn!(%error, "cannot keep the detector's state"))
                .ok()
        };
        match thread::Builder::new().name("state-keeper".into()).spawn(work) {
            Ok(thread) => {
                let work = Work::Goes(thread);
                let work = if self.is_waited_for { Work::Done(work.end()) } else { work };
                self.at_it = Some((history.clone(), work));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot start the thread that keeps the detector's state");
            }
        }
    }

    /// Number of the checkpoint that was written, once it is.
    pub(crate) fn written(&mut self, history: &History) -> Option<i64> {
        let (of, work) = self.at_it.take_if(|(_, work)| work.is_done())?;
        work.end().filter(|_| of == *history)
    }
}

impl Drop for StateKeeper {
    fn drop(&mut self) {
        if let Some((_, work)) = self.at_it.take() {
            work.end();
        }
    }
}

/// Writes a checkpoint under the next free number, which is given back.
fn write(
    location: &Location,
    history: &History,
    mut checkpoint: Checkpoint,
) -> Result<i64, LakeError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        location.fail("keep the detector's state", HOUSEKEEPING, error.to_string())
    })?;
    runtime.block_on(async {
        let checkpoints = Checkpoints::of(location, history)?;
        while !checkpoints.write(&checkpoint).await? {
            checkpoint.sequence += 1;
        }
        Ok(checkpoint.sequence)
    })
}
