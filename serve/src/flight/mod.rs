//! Arrow Flight SQL: the core's answers as columns, for ADBC, for the JDBC driver of Arrow and for what is built on them.
//!
//! ```text
//! wire (TLS, HTTP/2) ─▶ access (name, token) ─▶ service ─┬─ commands ─┬─ statement ─ handle, values ─▶ answers ─▶ handed
//!                                                        │            ├─ catalogue (catalogs, schemas, tables, keys)
//!                                                        │            └─ facts, types (what the server can do)
//!                                                        └─ actions (prepare, give back, cancel)
//! ```
//!
//! Nothing is kept between two calls: what a ticket or a prepared statement stands for is in its handle, which is no more
//! than what its owner could have sent anyway.

mod access;
mod actions;
mod catalogue;
mod commands;
mod facts;
mod handed;
mod handle;
mod service;
mod statement;
mod status;
mod types;
mod values;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;

use futures::FutureExt as _;
use tokio_rustls::TlsAcceptor;

use crate::answers::Answers;
use crate::doors::access::Token;
use crate::doors::{DoorOptions, Doors, ListenError};
use wire::converse;

/// Its name in ALPN.
const PROTOCOL: &[u8] = b"h2";

/// What every call knows.
pub(super) struct Desk {
    answers: Answers,
    token: Option<Token>,
}

/// A server that listens and has not answered yet.
pub struct Flight {
    doors: Doors,
    tls: Option<TlsAcceptor>,
    desk: Arc<Desk>,
}

impl std::fmt::Debug for Flight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flight").field("at", &self.addresses()).finish_non_exhaustive()
    }
}

impl Flight {
    /// Listens. Who asks sends the token, as bearer or as password of any name, wherever there is one.
    ///
    /// # Errors
    /// [`ListenError`].
    pub async fn bind(answers: Answers, options: &DoorOptions) -> Result<Self, ListenError> {
        let doors = Doors::open(options).await?;
        let tls = options.tls.as_ref().map(|files| files.acceptor(PROTOCOL)).transpose()?;
        let desk = Desk { answers, token: options.token.clone() };
        Ok(Self { doors, tls, desk: Arc::new(desk) })
    }

    /// Where it listens; the ports that the system chose included.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.doors.addresses()
    }

    /// Answers until `stopped`, and then ends what is on its way.
    pub async fn serve(self, stopped: impl Future<Output = ()> + Send) {
        let Self { doors, tls, desk } = self;
        let answers = desk.answers.clone();
        let visit = move |visitor| converse(Arc::clone(&desk), tls.clone(), visitor).boxed();
        doors.serve(&answers, stopped, visit).await;
    }
}
