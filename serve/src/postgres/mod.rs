//! The Postgres wire: the core's answers for psql, drivers and dashboards (protocol 3.0 and 3.2).
//!
//! ```text
//! greet (TLS, SCRAM) ─▶ message ─▶ conversation ─┬─ phrase (SET, SHOW, BEGIN: about the connection)
//!                                                └─ values ─▶ answers ─▶ kinds, rows ─▶ speech
//! cancel: a connection of its own ─▶ answers
//! ```
//!
//! The protocol is written out here: the one library for it panics on broken messages, has a TLS of its own, takes a
//! gigabyte for a statement, and does not see a client leave while its query runs.

mod cancel;
mod complaint;
mod conversation;
mod greet;
mod kinds;
mod lists;
mod message;
mod numeric;
mod phrase;
mod portal;
mod portal_run;
mod rows;
mod scram;
mod speech;
mod timeout;
mod values;

use std::net::SocketAddr;
use std::sync::Arc;

use futures::FutureExt as _;
use tokio_rustls::TlsAcceptor;

use crate::answers::Answers;
use crate::doors::{DoorOptions, Doors, ListenError, Stopping};
use cancel::Cancels;
use scram::Verifier;

/// What every conversation knows.
pub(super) struct Desk {
    answers: Answers,
    tls: Option<TlsAcceptor>,
    verifier: Option<Verifier>,
    cancels: Cancels,
    stopping: Stopping,
}

/// A server that listens and has not answered yet.
pub struct Postgres {
    doors: Doors,
    desk: Arc<Desk>,
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Postgres").field("at", &self.addresses()).finish_non_exhaustive()
    }
}

impl Postgres {
    /// Listens. The token is the password, of any name, wherever there is one; where there is TLS, nothing else is spoken.
    ///
    /// # Errors
    /// [`ListenError`].
    pub async fn bind(answers: Answers, options: &DoorOptions) -> Result<Self, ListenError> {
        let doors = Doors::open(options).await?;
        let tls = options.tls.as_ref().map(|files| files.acceptor(b"postgresql")).transpose()?;
        let verifier =
            options.token.as_ref().map(|token| Verifier::new(token).ok_or(ListenError::Random));
        let verifier = verifier.transpose()?;
        let (cancels, stopping) = (Cancels::default(), doors.stopping());
        let desk = Desk { answers, tls, verifier, cancels, stopping };
        Ok(Self { doors, desk: Arc::new(desk) })
    }

    /// Where it listens; the ports that the system chose included.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.doors.addresses()
    }

    /// Answers until `stopped`, and then ends what is on its way.
    pub async fn serve(self, stopped: impl Future<Output = ()> + Send) {
        let Self { doors, desk } = self;
        let answers = desk.answers.clone();
        let visit = move |visitor| greet::greet(Arc::clone(&desk), visitor).boxed();
        doors.serve(&answers, stopped, visit).await;
    }
}
