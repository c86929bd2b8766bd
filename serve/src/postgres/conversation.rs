//! A conversation with one client: its messages in their order, and what is answered to each.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut as _, Bytes};
use query::Dialect;
use query::statements::{Piece, split};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, WriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::Desk;
use super::cancel::Ticket;
use super::complaint::Complaint;
use super::message::{Bind, Form, Hearing, Message, Target, Unheard};
use super::phrase::{Phrase, SELECT, phrase};
use super::portal::{Open, Portal, Prepared, columns};
use super::speech::Speech;
use super::timeout::{self, Timeout};
use crate::answers::{Fault, Question};
use crate::doors;

/// How long a client may be silent: a place is held for it. Pools of connections ask sooner.
const IDLE: Duration = Duration::from_hours(1);

/// How long the other side may take to go once all is said.
const FAREWELL: Duration = Duration::from_secs(1);

/// Messages that wait for their answer. Each may have the bytes of a statement.
const AHEAD: usize = 4;

/// Bytes that are gathered before they are sent.
pub(super) const SEND_BYTES: usize = 64 << 10;

/// Bytes that a message may have beyond those of a statement: names and values.
const VALUE_BYTES: usize = 64 << 10;

/// Prepared statements and portals that a client may keep; drivers keep some hundred.
const KEPT_MAX: usize = 1_024;

/// Bytes of them, values included.
const KEPT_BYTES: usize = 8 << 20;

/// Where a transaction is, which is one in name only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transaction {
    None,
    Open,
    Failed,
}

/// Why a message is not answered.
#[derive(Debug)]
pub(super) enum Stop {
    Complaint(Complaint),
    /// The client went away.
    Gone,
    Io(io::Error),
}

impl<E: Into<Complaint>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Complaint(error.into())
    }
}

/// A conversation.
pub(super) struct Conversation<S> {
    pub(super) desk: Arc<Desk>,
    heard: mpsc::Receiver<Result<Message, Unheard>>,
    /// Closed when the client has gone.
    pub(super) gone: watch::Receiver<()>,
    out: WriteHalf<S>,
    /// Who hears; it holds the connection open until it is dropped with this.
    _hearer: JoinSet<()>,
    pub(super) speech: Speech,
    pub(super) ticket: Ticket,
    /// How long a statement may take.
    pub(super) timeout: Timeout,
    pub(super) statements: BTreeMap<String, Prepared>,
    pub(super) portals: BTreeMap<String, Portal>,
    pub(super) transaction: Transaction,
    /// Whether messages are passed over until the client says `Sync`.
    is_skipping: bool,
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Conversation<S> {
    /// - `speech`: what is to be told at first.
    /// - `timeout`: how long a statement may take, where the client says.
    pub(super) fn new(
        desk: Arc<Desk>,
        hearing: Hearing<S>,
        speech: Speech,
        (ticket, timeout): (Ticket, Timeout),
    ) -> Self {
        let bytes_max = desk.answers.limits().statement_bytes + VALUE_BYTES;
        let (mut hearing, out) = hearing.split(bytes_max);
        let (tell, heard) = mpsc::channel(AHEAD);
        let (here, gone) = watch::channel(());
        // It is heard while an answer is on its way: so it is noticed when somebody goes.
        let mut hearer = JoinSet::new();
        hearer.spawn(async move {
            loop {
                let next = hearing.next().await;
                let is_end = next.is_err();
                if is_end {
                    // Before it is taken in: whoever waits for something else is to learn it too.
                    drop(here);
                    let _ = tell.send(next).await;
                    return;
                }
                if tell.send(next).await.is_err() {
                    return;
                }
            }
        });
        Self {
            desk,
            heard,
            gone,
            out,
            _hearer: hearer,
            speech,
            ticket,
            timeout,
            statements: BTreeMap::new(),
            portals: BTreeMap::new(),
            transaction: Transaction::None,
            is_skipping: false,
        }
    }

    /// Converses until one of both goes.
    pub(super) async fn run(mut self) -> Result<(), doors::Fault> {
        self.ready();
        self.send().await?;
        let mut stopping = self.desk.stopping.clone();
        loop {
            let next = tokio::select! {
                biased;
                () = doors::stopped(&mut stopping) => return self.farewell(Fault::Stopping.into()).await,
                next = tokio::time::timeout(IDLE, self.heard.recv()) => next,
            };
            let message = match next {
                Err(_) => {
                    let told = "nothing was asked for an hour";
                    return self.farewell(Complaint::fatal("57P05", told)).await;
                }
                Ok(Some(Ok(Message::Terminate) | Err(Unheard::Io(_))) | None) => {
                    return Ok(());
                }
                Ok(Some(Err(Unheard::Broken(broken)))) => {
                    return self.farewell(broken.into()).await;
                }
                Ok(Some(Ok(message))) => message,
            };
            if self.is_skipping && message != Message::Sync {
                continue;
            }
            let is_simple = matches!(
                message,
                Message::Query(_) | Message::Call | Message::TooLong { is_extended: false, .. }
            );
            match self.answer(message).await {
                Ok(()) => {}
                Err(Stop::Gone) => return Ok(()),
                Err(Stop::Io(error)) => return Err(error.into()),
                Err(Stop::Complaint(complaint)) if complaint.is_fatal => {
                    return self.farewell(complaint).await;
                }
                Err(Stop::Complaint(complaint)) => {
                    complaint.tell(&mut self.speech);
                    self.portals.clear();
                    if self.transaction == Transaction::Open {
                        self.transaction = Transaction::Failed;
                    }
                    self.is_skipping = !is_simple;
                    // Who waits for an answer waits for this one, in step or not.
                    self.send().await?;
                }
            }
            if is_simple {
                self.ready();
                self.send().await?;
            }
        }
    }

    async fn farewell(mut self, complaint: Complaint) -> Result<(), doors::Fault> {
        complaint.tell(&mut self.speech);
        self.send().await?;
        self.out.shutdown().await?;
        // What is still on its way from there would have the last words lost.
        let _ = tokio::time::timeout(FAREWELL, self.gone.changed()).await;
        Ok(())
    }

    pub(super) async fn send(&mut self) -> io::Result<()> {
        self.out.write_all(&self.speech.bytes).await?;
        self.speech.bytes.clear();
        self.out.flush().await
    }

    pub(super) async fn send_now(&mut self) -> Result<(), Stop> {
        self.send().await.map_err(Stop::Io)
    }

    fn ready(&mut self) {
        let state = match self.transaction {
            Transaction::None => b'I',
            Transaction::Open => b'T',
            Transaction::Failed => b'E',
        };
        self.speech.say(b'Z', |body| body.put_u8(state));
    }

    async fn answer(&mut self, message: Message) -> Result<(), Stop> {
        match message {
            Message::Query(text) => return self.query(&text).await,
            Message::Parse { name, text, types } => self.parse(name, &text, types)?,
            Message::Bind(bind) => self.bind(bind).await?,
            Message::Describe(Target::Statement, name) => self.describe_statement(&name).await?,
            Message::Describe(Target::Portal, name) => self.describe_portal(&name).await?,
            Message::Execute { portal, rows } => {
                let rows =
                    if rows == 0 { usize::MAX } else { rows.try_into().unwrap_or(usize::MAX) };
                self.execute(&portal, rows).await?;
            }
            Message::Close(target, name) => {
                match target {
                    Target::Statement => drop(self.statements.remove(&name)),
                    Target::Portal => drop(self.portals.remove(&name)),
                }
                self.speech.nod(b'3');
            }
            Message::Flush => self.send_now().await?,
            Message::Sync => {
                self.is_skipping = false;
                if self.transaction == Transaction::None {
                    self.portals.clear();
                }
                self.ready();
                self.send_now().await?;
            }
            Message::TooLong { bytes, .. } => {
                let max = self.desk.answers.limits().statement_bytes;
                return Err(Fault::TooLong { bytes, max }.into());
            }
            Message::Call => {
                let told = "functions are called by SELECT here";
                return Err(Complaint::new("0A000", told).into());
            }
            // Passwords and copies that nobody asked for.
            Message::Password(_) | Message::Other | Message::Terminate => {}
        }
        if self.speech.bytes.len() >= SEND_BYTES {
            self.send_now().await?;
        }
        Ok(())
    }

    /// Statements without values.
    async fn query(&mut self, text: &str) -> Result<(), Stop> {
        self.portals.remove("");
        let pieces = split(text).map_err(|error| Complaint::from(error).placed_in(text))?;
        if pieces.is_empty() {
            self.speech.nod(b'I');
        }
        for piece in pieces {
            let mut portal = Portal::new(self.phrase(piece)?);
            self.open(&mut portal).await?;
            if let Some(open) = &portal.open {
                self.speech.columns(&open.columns());
            }
            self.advance(&mut portal, usize::MAX).await?;
        }
        Ok(())
    }

    /// What a statement is about, with the number of this conversation where it asks for that.
    fn phrase(&self, piece: Piece) -> Result<Phrase, Complaint> {
        Ok(match phrase(piece)? {
            Phrase::Number => {
                let text = format!("SELECT {}::int4 AS pg_backend_pid", self.ticket.number);
                Phrase::Ask { text, at: 0, tag: SELECT, stops: None }
            }
            Phrase::Show { name, .. } if name == timeout::NAME => {
                Phrase::Show { name, value: self.timeout.shown() }
            }
            other => other,
        })
    }

    fn parse(&mut self, name: String, text: &str, types: Vec<u32>) -> Result<(), Complaint> {
        let mut pieces = split(text).map_err(|error| Complaint::from(error).placed_in(text))?;
        let phrase = match (pieces.pop(), pieces.len()) {
            (None, _) => Phrase::Empty,
            (Some(piece), 0) => self.phrase(piece)?,
            (Some(_), _) => {
                return Err(Complaint::new("42601", "one statement is prepared at a time"));
            }
        };
        if !name.is_empty() && self.statements.contains_key(&name) {
            return Err(Complaint::new("42P05", "there is a prepared statement of this name"));
        }
        let prepared = Prepared { phrase, types, described: None };
        self.statements.remove(&name);
        self.check_room(name.len() + prepared.bytes())?;
        self.statements.insert(name, prepared);
        self.speech.nod(b'1');
        Ok(())
    }

    /// Whether there is room for a statement or a portal of so many bytes.
    fn check_room(&self, bytes: usize) -> Result<(), Complaint> {
        let statements = self.statements.iter().map(|(name, of)| name.len() + of.bytes());
        let portals = self.portals.iter().map(|(name, of)| name.len() + of.bytes());
        let kept: usize = statements.chain(portals).sum();
        if self.statements.len() + self.portals.len() >= KEPT_MAX || kept + bytes > KEPT_BYTES {
            let told = "too many statements are prepared, or portals open; close some";
            return Err(Complaint::new("53000", told));
        }
        Ok(())
    }

    pub(super) fn prepared(&mut self, name: &str) -> Result<&mut Prepared, Complaint> {
        let missing = || Complaint::new("26000", "there is no prepared statement of this name");
        self.statements.get_mut(name).ok_or_else(missing)
    }

    /// A prepared statement of which is known what it takes and gives.
    async fn described(&mut self, name: &str) -> Result<Prepared, Stop> {
        let prepared = self.prepared(name)?.clone();
        let (Phrase::Ask { text, .. }, None) = (&prepared.phrase, &prepared.described) else {
            return Ok(prepared);
        };
        self.check_transaction()?;
        let mut question = Question::asked(text).in_dialect(Dialect::Postgres);
        question.time_max = self.timeout.limit();
        let given = prepared.types.clone();
        self.ticket.runs(question.id);
        let described = tokio::select! {
            described = self.desk.answers.describe(question, given) => described,
            _ = self.gone.changed() => return Err(Stop::Gone),
        };
        let described = described.map_err(|fault| Complaint::from(fault).placed_in(text))?;
        let prepared = self.prepared(name)?;
        prepared.described = Some(Arc::new(described));
        Ok(prepared.clone())
    }

    async fn bind(&mut self, bind: Bind) -> Result<(), Stop> {
        let count = bind.values.len();
        let prepared = if self.prepared(&bind.statement)?.is_vague(count) {
            self.described(&bind.statement).await?
        } else {
            self.prepared(&bind.statement)?.clone()
        };
        if !bind.portal.is_empty() && self.portals.contains_key(&bind.portal) {
            return Err(Complaint::new("42P03", "there is a portal of this name").into());
        }
        self.portals.remove(&bind.portal);
        let value_bytes = bind.values.iter().flatten().map(Bytes::len).sum();
        self.check_room(bind.portal.len() + prepared.phrase.bytes() + value_bytes)?;
        let params = prepared.bind(&bind)?;
        let told = prepared.described.map(|of| Arc::clone(&of.schema));
        let portal = Portal {
            params,
            wanted: bind.wanted,
            told,
            value_bytes,
            ..Portal::new(prepared.phrase)
        };
        self.portals.insert(bind.portal, portal);
        self.speech.nod(b'2');
        Ok(())
    }

    async fn describe_statement(&mut self, name: &str) -> Result<(), Stop> {
        let prepared = self.described(name).await?;
        self.speech.placeholders(&prepared.types());
        match (&prepared.phrase, &prepared.described) {
            (Phrase::Show { name, value }, _) => {
                let open = Open::shown(name, value, &[Form::Text])?;
                self.speech.columns(&open.columns());
            }
            (_, Some(of)) if !of.schema.fields().is_empty() => {
                self.speech.columns(&columns(&of.schema, &[Form::Text]));
            }
            _ => self.speech.nod(b'n'),
        }
        Ok(())
    }

    fn portal(&mut self, name: &str) -> Result<Portal, Complaint> {
        let missing = || Complaint::new("34000", "there is no portal of this name");
        self.portals.remove(name).ok_or_else(missing)
    }

    async fn describe_portal(&mut self, name: &str) -> Result<(), Stop> {
        let mut portal = self.portal(name)?;
        self.open(&mut portal).await?;
        match &portal.open {
            Some(open) => self.speech.columns(&open.columns()),
            None => self.speech.nod(b'n'),
        }
        self.portals.insert(name.to_owned(), portal);
        Ok(())
    }

    async fn execute(&mut self, name: &str, rows: usize) -> Result<(), Stop> {
        let mut portal = self.portal(name)?;
        self.open(&mut portal).await?;
        self.advance(&mut portal, rows).await?;
        self.portals.insert(name.to_owned(), portal);
        Ok(())
    }
}
