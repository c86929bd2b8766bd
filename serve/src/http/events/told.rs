//! Events, and what one client is told of them: first what it missed, then what comes.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use axum::response::sse::Event;
use serde_json::Value;
use tokio::sync::broadcast;

use crate::answers::{Answers, Fault};
use crate::http::failure::Failure;
use crate::http::incidents::plain;
use crate::questions::revisions::{After, Key, PAGE, page};
use crate::questions::{Row, rows};

/// A revision of an incident.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) id: Arc<str>,
    state: Arc<str>,
    json: Arc<str>,
}

impl Told {
    pub(super) fn new(row: Row) -> Self {
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

    pub(super) fn event(&self) -> Event {
        Event::default().id(&*self.id).event(&*self.state).data(&*self.json)
    }
}

/// What a client missed and is not in memory: read from the table page by page, however much it is.
#[derive(Debug)]
pub(super) struct Missed {
    after: After,
    /// The last event that the client has.
    last: Arc<str>,
    /// Of the last pages: what is in the table and what is told meanwhile may overlap.
    sent: [HashSet<Arc<str>>; 2],
    is_over: bool,
}

impl Missed {
    /// After the event `id`.
    pub(super) fn after(id: &str) -> Result<Self, Failure> {
        let instant = After::instant(id).ok_or_else(|| {
            Failure::bad_request("`Last-Event-ID` is none of an event that was told here")
        })?;
        Ok(Self { after: instant, last: id.into(), sent: Default::default(), is_over: false })
    }

    /// The next page.
    async fn read(&mut self, answers: &Answers) -> Result<Vec<Told>, Fault> {
        let found = rows(answers, &page(&self.after)).await?;
        self.is_over = found.len() < PAGE;
        if let Some(key) = found.last().and_then(Key::of) {
            self.after = After::Key(key);
        }
        let told = found.into_iter().map(Told::new).filter(|told| told.id != self.last);
        let told: Vec<Told> = told.collect();
        self.sent.swap(0, 1);
        self.sent[0] = told.iter().map(|told| Arc::clone(&told.id)).collect();
        Ok(told)
    }

    fn has_sent(&self, told: &Told) -> bool {
        self.sent.iter().any(|page| page.contains(&told.id))
    }
}

/// What one client is told.
#[derive(Debug)]
pub(super) struct Following {
    pub(super) answers: Answers,
    pub(super) ready: VecDeque<Told>,
    pub(super) missed: Option<Missed>,
    pub(super) receiver: broadcast::Receiver<Told>,
}

impl Following {
    /// Reads on in what was missed, where there is nothing at hand.
    pub(super) async fn read(&mut self) -> Result<(), Fault> {
        while let Some(missed) = self.missed.as_mut().filter(|missed| !missed.is_over)
            && self.ready.is_empty()
        {
            self.ready.extend(missed.read(&self.answers).await?);
        }
        Ok(())
    }

    /// The next event; `None` where the client should come back with the last id it has.
    pub(super) async fn next(&mut self) -> Option<Told> {
        if let Err(fault) = self.read().await {
            tracing::warn!(%fault, "cannot read what a listener missed; it has to come back");
            return None;
        }
        if let Some(told) = self.ready.pop_front() {
            return Some(told);
        }
        loop {
            // One that is too far behind is let go.
            let told = self.receiver.recv().await.ok()?;
            if !self.missed.as_ref().is_some_and(|missed| missed.has_sent(&told)) {
                return Some(told);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_begins_with_its_time() {
        let row = r#"{"incident_id": "a1", "revision": 3, "revision_ts": "2026-03-01T00:00:10Z", "state": "update", "evidence": "[]"}"#;
        let told = Told::new(Row(serde_json::from_str(row).unwrap()));
        assert_eq!(&*told.id, "2026-03-01T00:00:10Z/a1/3");
        assert!(Missed::after(&told.id).is_ok());
        assert!(told.json.contains("\"evidence\":[]"), "{}", told.json);
        assert!(Missed::after("x/a1/3").is_err() && Missed::after("").is_err());
    }
}
