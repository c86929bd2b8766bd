//! What a portal gives: its answer begun, its next rows handed out, or what it says done.

use futures::FutureExt as _;
use query::Dialect;
use tokio::io::{AsyncRead, AsyncWrite};

use super::complaint::Complaint;
use super::conversation::{Conversation, SEND_BYTES, Stop, Transaction};
use super::phrase::{Phrase, SELECT};
use super::portal::{Open, Portal};
use crate::answers::Question;

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Conversation<S> {
    pub(super) fn check_transaction(&self) -> Result<(), Complaint> {
        if self.transaction == Transaction::Failed {
            let told = "a statement failed before: nothing is answered until ROLLBACK";
            return Err(Complaint::new("25P02", told));
        }
        Ok(())
    }

    /// Begins the answer of a portal, where it has one and has not begun.
    pub(super) async fn open(&mut self, portal: &mut Portal) -> Result<(), Stop> {
        if portal.open.is_some() {
            return Ok(());
        }
        match &portal.phrase {
            Phrase::Ask { text, at, stops, .. } => {
                self.check_transaction()?;
                if let Some(query) = stops.and_then(|number| self.ticket.other_query(number)) {
                    self.desk.answers.cancel(query);
                }
                let mut question = Question::asked(text).in_dialect(Dialect::Postgres);
                question.params = portal.params.clone();
                question.time_max = self.timeout.limit();
                self.ticket.runs(question.id);
                let reply = tokio::select! {
                    reply = self.desk.answers.rows(question) => reply,
                    _ = self.gone.changed() => return Err(Stop::Gone),
                };
                let reply =
                    reply.map_err(|fault| Complaint::from(fault).placed_in(text).behind(*at))?;
                portal.open = Some(Open::asked(reply, &portal.wanted, portal.told.as_ref())?);
            }
            Phrase::Show { name, value } => {
                self.check_transaction()?;
                portal.open = Some(Open::shown(name, value, &portal.wanted)?);
            }
            _ => {}
        }
        Ok(())
    }

    /// Hands out the next rows of a portal, or does what it says.
    pub(super) async fn advance(&mut self, portal: &mut Portal, rows: usize) -> Result<(), Stop> {
        if let Some(open) = &mut portal.open {
            let before = open.sent;
            if !self.hand_out(open, rows).await? {
                self.speech.nod(b's');
                return Ok(());
            }
            let tag = match &portal.phrase {
                Phrase::Ask { tag: SELECT, .. } => format!("{SELECT} {}", open.sent - before),
                Phrase::Ask { tag, .. } => (*tag).to_owned(),
                _ => "SHOW".to_owned(),
            };
            self.speech.complete(&tag);
            return Ok(());
        }
        let tag = match &portal.phrase {
            Phrase::Empty => {
                self.speech.nod(b'I');
                return Ok(());
            }
            Phrase::Commit | Phrase::Rollback => {
                let is_kept =
                    portal.phrase == Phrase::Commit && self.transaction != Transaction::Failed;
                self.transaction = Transaction::None;
                self.portals.clear();
                if is_kept { "COMMIT" } else { "ROLLBACK" }
            }
            Phrase::RollbackTo => {
                if self.transaction == Transaction::Failed {
                    self.transaction = Transaction::Open;
                }
                "ROLLBACK"
            }
            other => {
                self.check_transaction()?;
                self.do_phrase(other.clone())?
            }
        };
        self.speech.complete(tag);
        Ok(())
    }

    fn do_phrase(&mut self, phrase: Phrase) -> Result<&'static str, Complaint> {
        Ok(match phrase {
            Phrase::Begin => {
                self.transaction = Transaction::Open;
                "BEGIN"
            }
            Phrase::Deallocate(None) => {
                self.statements.clear();
                "DEALLOCATE ALL"
            }
            Phrase::Deallocate(Some(name)) => {
                self.prepared(&name)?;
                self.statements.remove(&name);
                "DEALLOCATE"
            }
            Phrase::Limit(limit) => {
                self.timeout.now = limit;
                "SET"
            }
            Phrase::Unlimit(tag) => {
                self.timeout.reset();
                tag
            }
            Phrase::Discard => {
                self.timeout.reset();
                self.statements.clear();
                self.portals.clear();
                "DISCARD ALL"
            }
            Phrase::Done(tag) => tag,
            _ => "SELECT 0",
        })
    }

    /// Hands out up to `wanted` rows.
    ///
    /// - returns: whether these were the last.
    async fn hand_out(&mut self, open: &mut Open, wanted: usize) -> Result<bool, Stop> {
        let last = open.sent.saturating_add(wanted);
        loop {
            if open.has_rows() {
                if open.sent == last {
                    return Ok(false);
                }
                open.say(last - open.sent, SEND_BYTES, &mut self.speech)?;
                if self.speech.bytes.len() >= SEND_BYTES {
                    self.send_now().await?;
                }
                continue;
            }
            let Some(reply) = open.reply() else { return Ok(true) };
            // Another portal may have been asked last.
            self.ticket.runs(reply.id());
            // While nothing comes, what there is goes.
            let next = if let Some(next) = reply.next().now_or_never() {
                next
            } else {
                self.send().await.map_err(Stop::Io)?;
                tokio::select! {
                    next = reply.next() => next,
                    _ = self.gone.changed() => return Err(Stop::Gone),
                }
            };
            if let Some(batch) = next {
                open.take(&batch)?;
                continue;
            }
            let Some(reply) = open.end() else { return Ok(true) };
            let summary = reply.end().await?;
            return summary.cut.map_or(Ok(true), |cut| Err(cut.into()));
        }
    }
}
