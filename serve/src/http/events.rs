//! `/api/v1/events`: what happens to incidents, as it happens.
//!
//! ```text
//! commits ─ watch (one for all clients) ─ revisions that are new ─▶ recent, broadcast ─▶ each client's stream
//! ```
//!
//! The id of an event names its revision. Who was away sends the last id it has (`Last-Event-ID`, as browsers do by
//! themselves) and gets what came since, from memory or else from the table: then a revision that was decided in the
//! same instant may come twice, and none is left out.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, StreamExt as _};
use schemas::tables::INCIDENTS;
use serde_json::Value;
use tokio::sync::broadcast;

use super::App;
use super::failure::Failure;
use super::incidents::plain;
use super::listen::{Stopping, stopped};
use crate::answers::{Answers, Fault};
use crate::questions::{Row, rows, sql};

/// How often the log of the table is looked at while somebody listens: a commit comes every half minute.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Events that are remembered for those who come back, and that a slow client may be behind.
const RECENT_MAX: usize = 1_024;

/// Events that one who was away gets from the table, at most.
const CATCH_UP_MAX: usize = 1_000;

/// How often a silent stream says that it lives: proxies cut what is silent for a minute.
const ALIVE_EVERY: Duration = Duration::from_secs(15);

/// A revision of an incident.
#[derive(Debug, Clone)]
struct Told {
    id: Arc<str>,
    state: Arc<str>,
    json: Arc<str>,
}

impl Told {
    fn new(row: Row) -> Self {
        let id = format!(
            "{}/{}/{}",
            row.text("revision_ts"),
            row.text("incident_id"),
            row.count("revision")
        );
        let state = row.text("state").into();
        let json = Value::Object(plain(row)).to_string().into();
        Self { id: id.into(), state, json }
    }

    fn event(&self) -> Event {
        Event::default().id(&*self.id).event(&*self.state).data(&*self.json)
    }
}

/// The time that the id of an event begins with.
fn time_of(id: &str) -> Option<&str> {
    let (time, _) = id.split_once('/')?;
    sql::parse_time(time).ok().map(|_| time)
}

/// Follows the table for all who listen.
#[derive(Debug, Clone)]
pub(super) struct Events {
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
    pub(super) fn new(answers: Answers) -> Self {
        let (sender, _) = broadcast::channel(RECENT_MAX);
        let recent = Mutex::default();
        let watching = tokio::sync::Mutex::default();
        Self { shared: Arc::new(Shared { answers, sender, recent, watching }) }
    }

    /// Looks at the table as long as anybody listens.
    pub(super) async fn watch(self, mut stopping: Stopping) {
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
            if let Err(fault) = self.look().await {
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
        let keys = format!("SELECT incident_id, revision FROM {}", INCIDENTS.name);
        let keys = rows(&shared.answers, &keys).await?;
        let all: HashSet<u64> = keys.iter().map(key).collect();
        if let Some(seen) = &watch.seen {
            let new = keys.iter().filter(|row| !seen.contains(&key(row)));
            let ids: HashSet<&str> = new.map(|row| row.text("incident_id")).collect();
            let mut ids: Vec<String> = ids.into_iter().map(sql::text).collect();
            ids.sort_unstable();
            if !ids.is_empty() {
                let ids = ids.join(", ");
                let found =
                    rows(&shared.answers, &revisions(&format!("incident_id IN ({ids})"))).await?;
                for row in found.into_iter().filter(|row| !seen.contains(&key(row))) {
                    self.tell(Told::new(row));
                }
            }
        }
        *watch = Watch { version, seen: Some(all) };
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
    async fn since(
        &self,
        id: Option<&str>,
    ) -> Result<(Vec<Told>, broadcast::Receiver<Told>), Failure> {
        if id.is_none() {
            // What happened while nobody listened is not news to one who comes for the first time.
            self.look().await?;
        }
        let (remembered, receiver) = {
            let recent = self.shared.recent.lock().unwrap_or_else(PoisonError::into_inner);
            // Under the lock, so that nothing falls between the two.
            let receiver = self.shared.sender.subscribe();
            let at = id.and_then(|id| recent.iter().position(|told| *told.id == *id));
            (at.map(|at| recent.iter().skip(at + 1).cloned().collect::<Vec<_>>()), receiver)
        };
        // Whatever is committed from now on is told.
        self.look().await?;
        if let Some(remembered) = remembered {
            return Ok((remembered, receiver));
        }
        let Some(id) = id else { return Ok((Vec::new(), receiver)) };
        let time = time_of(id).ok_or_else(|| {
            Failure::bad_request("`Last-Event-ID` is none of an event that was told here")
        })?;
        let found = revisions(&format!("revision_ts >= {}", sql::text(time)));
        let found = rows(&self.shared.answers, &found).await?;
        let missed = found.into_iter().map(Told::new).filter(|told| *told.id != *id).collect();
        Ok((missed, receiver))
    }
}

fn key(row: &Row) -> u64 {
    let mut hasher = DefaultHasher::new();
    (row.text("incident_id"), row.count("revision")).hash(&mut hasher);
    hasher.finish()
}

/// Revisions in the order in which they were decided.
fn revisions(condition: &str) -> String {
    format!(
        "SELECT * FROM {} WHERE {condition} ORDER BY revision_ts, incident_id, revision LIMIT {CATCH_UP_MAX}",
        INCIDENTS.name
    )
}

/// Tells of each revision of an incident as it is committed.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "incidents",
    params(("Last-Event-ID" = Option<String>, Header, description = "The last event that was received: those after it come first.")),
    responses((status = 200, description = "Server-sent events: `id`, `event` (`open`, `update`, `close`) and as `data` the revision, \
        with the columns of the table `incidents`.", body = String, content_type = "text/event-stream"))
)]
pub(super) async fn listen(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, axum::Error>>>, Failure> {
    let id = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let (missed, receiver) = app.events.since(id).await?;
    // What is in the table and what is told from now on may overlap.
    let sent: HashSet<Arc<str>> = missed.iter().map(|told| Arc::clone(&told.id)).collect();
    let missed = futures::stream::iter(missed);
    let coming = futures::stream::unfold(receiver, |mut receiver| async {
        // One that is too far behind is let go, and comes back with the last id it has.
        receiver.recv().await.ok().map(|told| (told, receiver))
    });
    let coming = coming.filter(move |told| std::future::ready(!sent.contains(&told.id)));
    let mut stopping = app.stopping.clone();
    let until = async move { stopped(&mut stopping).await };
    let events = missed.chain(coming).map(|told| Ok(told.event())).take_until(Box::pin(until));
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE_EVERY)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_begins_with_its_time() {
        let row = r#"{"incident_id": "a1", "revision": 3, "revision_ts": "2026-03-01T00:00:10Z", "state": "update", "evidence": "[]"}"#;
        let told = Told::new(Row(serde_json::from_str(row).unwrap()));
        assert_eq!(&*told.id, "2026-03-01T00:00:10Z/a1/3");
        assert_eq!(time_of(&told.id), Some("2026-03-01T00:00:10Z"));
        assert!(told.json.contains("\"evidence\":[]"), "{}", told.json);
        assert_eq!((time_of("x/a1/3"), time_of("")), (None, None));
    }
}
