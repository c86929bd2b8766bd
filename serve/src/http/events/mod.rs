//! `/api/v1/events`: what happens to incidents, as it happens.
//!
//! ```text
//! commits ─ watch (one for all clients) ─ revisions that are new ─▶ recent, broadcast ─▶ each client's stream
//!                                              what a client missed: page by page from the table ┘
//! ```
//!
//! The id of an event names its revision. Who was away sends the last id it has (`Last-Event-ID`, as browsers do by
//! themselves) and gets what came since, from memory or else from the table: then a revision that was decided in the
//! same instant, or committed meanwhile, may come twice.
//!
//! Memory knows the order of the commits and misses none. It ends with the server, and with the next thousand events. The
//! table knows event time alone: a revision that was committed after the client left, and decided before the last that the
//! client has, as when one writer of several is behind, is then not told. A client that is let go, more than a thousand
//! behind, before it has had an event, has no id to come back with and begins anew. Whoever must have each asks
//! `/api/v1/incidents` after a break.

mod told;

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, StreamExt as _};
use schemas::tables::INCIDENTS;
use tokio::sync::broadcast;

use super::App;
use super::failure::Failure;
use crate::answers::{Answers, Fault};
use crate::doors::{Stopping, stopped};
use crate::questions::revisions::{Key, keys, named};
use crate::questions::rows;
use told::{Following, Missed, Told};

/// How often the log of the table is looked at while somebody listens: a commit comes every half minute.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Events that are remembered for those who come back, and that a slow client may be behind.
const RECENT_MAX: usize = 1_024;

/// Revisions that are asked for at a time, by their names: so the statement stays short.
const NAMED: usize = 200;

/// How often a silent stream says that it lives: proxies cut what is silent for a minute.
const ALIVE_EVERY: Duration = Duration::from_secs(15);

/// Follows the table for all who listen.
#[derive(Debug, Clone)]
pub(in crate::http) struct Events {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    answers: Answers,
    sender: broadcast::Sender<Told>,
    recent: Mutex<VecDeque<Told>>,
    /// Held by the one who watches.
    watching: tokio::sync::Mutex<Watch>,
}

/// What was seen of the table.
#[derive(Debug, Default)]
struct Watch {
    version: Option<u64>,
    /// Hashes of the revisions that were seen; `None` before the first look.
    seen: Option<HashSet<u64>>,
}

impl Events {
    pub(in crate::http) fn new(answers: Answers) -> Self {
        let (sender, _) = broadcast::channel(RECENT_MAX);
        let recent = Mutex::default();
        let watching = tokio::sync::Mutex::default();
        Self { shared: Arc::new(Shared { answers, sender, recent, watching }) }
    }

    /// Looks at the table as long as anybody listens.
    pub(in crate::http) async fn watch(self, mut stopping: Stopping) {
        let mut every = tokio::time::interval(LOOK_EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stopped(&mut stopping) => return,
                _ = every.tick() => {}
            }
            if self.shared.sender.receiver_count() == 0 {
                continue;
            }
            let looked = tokio::select! {
                () = stopped(&mut stopping) => return,
                looked = self.look() => looked,
            };
            if let Err(fault) = looked {
                tracing::warn!(%fault, "cannot look for new incidents; trying again");
            }
        }
    }

    /// Tells of revisions that are new since the last look; the first look tells of none.
    async fn look(&self) -> Result<(), Fault> {
        let shared = &self.shared;
        let mut watch = shared.watching.lock().await;
        let versions = shared.answers.versions().await?;
        let version = versions.iter().find(|(name, _)| *name == INCIDENTS.name).and_then(|of| of.1);
        if watch.seen.is_some() && version == watch.version {
            return Ok(());
        }
        let mut found = HashSet::new();
        let new = keys(&shared.answers, |hash| {
            found.insert(hash);
            watch.seen.as_ref().is_some_and(|seen| !seen.contains(&hash))
        })
        .await?;
        for some in new.chunks(NAMED) {
            for row in rows(&shared.answers, &named(some)).await? {
                self.tell(Told::new(row));
            }
            // So that a fault on the way tells none of them again.
            watch.seen.get_or_insert_default().extend(some.iter().map(Key::hash));
        }
        *watch = Watch { version, seen: Some(found) };
        Ok(())
    }

    fn tell(&self, told: Told) {
        let mut recent = self.shared.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() == RECENT_MAX {
            recent.pop_front();
        }
        recent.push_back(told.clone());
        // Nobody may listen just now.
        let _ = self.shared.sender.send(told);
    }

    /// What came after the event `id`, and all that comes from now on.
    async fn since(&self, id: Option<&str>) -> Result<Following, Failure> {
        if id.is_none() {
            // What happened while nobody listened is not news to one who comes for the first time.
            self.look().await?;
        }
        let (remembered, receiver) = {
            let recent = self.shared.recent.lock().unwrap_or_else(PoisonError::into_inner);
            // Under the lock, so that nothing falls between the two.
            let receiver = self.shared.sender.subscribe();
            let at = id.and_then(|id| recent.iter().position(|told| *told.id == *id));
            (at.map(|at| recent.iter().skip(at + 1).cloned().collect()), receiver)
        };
        let missed = match (&remembered, id) {
            (None, Some(id)) => Some(Missed::after(id)?),
            _ => None,
        };
        // Whatever is committed from now on is told.
        self.look().await?;
        let mut following = Following {
            answers: self.shared.answers.clone(),
            ready: remembered.unwrap_or_default(),
            missed,
            receiver,
        };
        // What is wrong with it is told before the stream begins.
        following.read().await?;
        Ok(following)
    }
}

/// Tells of each revision of an incident as it is committed.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "incidents",
    params(("Last-Event-ID" = Option<String>, Header, description = "The last event that was received: those after it come first.")),
    responses(
        (status = 200, description = "Server-sent events: `id`, `event` (`open`, `update`, `close`) and as `data` the revision, \
            with the columns of the table `incidents`.", body = String, content_type = "text/event-stream"),
        (status = 400, description = "`Last-Event-ID` is none that was told.", body = Failure),
        (status = 500, description = "The tables cannot be read.", body = Failure),
        (status = 503, description = "Too many queries run and wait, or the server stops.", body = Failure)
    )
)]
pub(in crate::http) async fn listen(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, axum::Error>>>, Failure> {
    let id = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let following = app.events.since(id).await?;
    let events = futures::stream::unfold(following, |mut following| async {
        following.next().await.map(|told| (told, following))
    });
    let mut stopping = app.stopping.clone();
    let until = async move { stopped(&mut stopping).await };
    let events = events.map(|told| Ok(told.event())).take_until(Box::pin(until));
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE_EVERY)))
}
