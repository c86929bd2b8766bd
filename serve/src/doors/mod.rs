//! Connections of every face: taken, limited, encrypted, and let go.

pub(crate) mod access;
pub(crate) mod patient;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::answers::{Answers, Stranger};
use patient::Patient;

pub use access::Token;
pub use tls::TlsFiles;

/// How long a client may take for the head of a request, and between two.
pub(crate) const HEAD_PATIENCE: Duration = Duration::from_secs(10);

/// How long a client may take to agree on encryption.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);

/// How long a write may make no headway.
pub(crate) const WRITE_PATIENCE: Duration = Duration::from_secs(30);

/// Pause after a connection could not be taken, as when the process has no file descriptor left.
const PAUSE: Duration = Duration::from_millis(100);

/// How long answers on their way may take to end once the server stops.
const GRACE: Duration = Duration::from_secs(5);

/// How long those that did not are given to say so: it stands behind the rows that are under way, which a busy reader takes first.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Where and to whom answers are given.
#[derive(Debug, Clone, Default)]
pub struct DoorOptions {
    /// Addresses to listen at.
    pub listen: Vec<SocketAddr>,
    /// What those who ask must know.
    pub token: Option<Token>,
    /// Encryption.
    pub tls: Option<TlsFiles>,
}

/// The server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Others than this machine could ask, and too little protects the answers.
    #[error(
        "{address} can be reached by other machines, and {missing} missing: the tables hold who asked for what. Give \
         --token-file, --tls-cert and --tls-key; or listen at 127.0.0.1 and let others in through an SSH tunnel or a proxy \
         that asks who they are"
    )]
    Unprotected {
        /// The address.
        address: SocketAddr,
        /// What is missing, with its verb.
        missing: &'static str,
    },
    /// Certificate or key are wrong.
    #[error("cannot encrypt with {}: {what}", .path.display())]
    Tls {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The system has no random bytes, of which secrets are made.
    #[error("the system has no random bytes to make secrets of")]
    Random,
    /// The address cannot be listened at.
    #[error(
        "cannot listen at {address}; choose another with --listen, --postgres or --flight: {source}"
    )]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

impl DoorOptions {
    /// Checks that nothing is open to more than may see it.
    ///
    /// # Errors
    /// [`ListenError::Unprotected`] for an address beyond this machine without token and encryption.
    pub fn check(&self) -> Result<(), ListenError> {
        let missing = match (&self.token, &self.tls) {
            (Some(_), Some(_)) => return Ok(()),
            (None, None) => "a token and encryption are",
            (None, Some(_)) => "a token is",
            (Some(_), None) => "encryption is",
        };
        match self.listen.iter().find(|address| !address.ip().is_loopback()) {
            Some(&address) => Err(ListenError::Unprotected { address, missing }),
            None => Ok(()),
        }
    }
}

/// Whether the server is to stop; all have a copy.
pub(crate) type Stopping = watch::Receiver<bool>;

/// Waits until the server is to stop.
pub(crate) async fn stopped(stopping: &mut Stopping) {
    // One that is gone has stopped.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// Whose connection it is; nobody needs to be known where there is no token.
#[derive(Debug, Clone)]
pub(crate) struct Asker(Option<Arc<Stranger>>);

impl Asker {
    /// Takes note that they may ask.
    pub(crate) fn know(&self) {
        if let Some(stranger) = &self.0 {
            stranger.know();
        }
    }

    /// Whether they have not shown yet that they may ask.
    pub(crate) fn is_unknown(&self) -> bool {
        self.0.as_ref().is_some_and(|stranger| !stranger.is_known())
    }
}

/// Somebody who came in.
pub(crate) struct Visitor {
    pub(crate) client: TcpStream,
    /// Where.
    pub(crate) at: SocketAddr,
    pub(crate) asker: Asker,
    pub(crate) stopping: Stopping,
}

/// One address that is listened at.
struct Door {
    listener: TcpListener,
    at: SocketAddr,
    /// Whether those who ask must be known.
    is_guarded: bool,
}

impl Door {
    /// Listens at `address`.
    ///
    /// - `is_guarded`: whether those who ask must be known.
    async fn open(address: SocketAddr, is_guarded: bool) -> Result<Self, ListenError> {
        let bind = |source| ListenError::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(bind)?;
        let at = listener.local_addr().map_err(bind)?;
        Ok(Self { listener, at, is_guarded })
    }

    /// Takes connections until the server stops, then waits for those that are open; `visit` converses with each.
    async fn serve(
        self,
        answers: Answers,
        stopping: Stopping,
        visit: impl Fn(Visitor) -> BoxFuture<'static, Result<(), Fault>> + Send,
    ) {
        let mut open = JoinSet::new();
        let mut stop = stopping.clone();
        loop {
            let (client, peer) = tokio::select! {
                biased;
                () = stopped(&mut stop) => break,
                Some(_) = open.join_next(), if !open.is_empty() => continue,
                accepted = self.listener.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        tracing::warn!(%error, "cannot take a connection");
                        tokio::time::sleep(PAUSE).await;
                        continue;
                    }
                },
            };
            // One too many is closed without a word: a word would take a place.
            let Some(place) = answers.connect() else { continue };
            let stranger = match self.is_guarded.then(|| answers.stranger(peer.ip())) {
                Some(None) => continue,
                Some(Some(stranger)) => Some(Arc::new(stranger)),
                None => None,
            };
            let asker = Asker(stranger);
            let visited = visit(Visitor { client, at: self.at, asker, stopping: stopping.clone() });
            open.spawn(async move {
                let _place = place;
                if let Err(error) = visited.await {
                    tracing::debug!(%error, "a connection ended badly");
                }
            });
        }
        drop(self.listener);
        let all = async { while open.join_next().await.is_some() {} };
        let mut all = pin!(all);
        if tokio::time::timeout(GRACE, &mut all).await.is_err() {
            answers.stop();
            // Those who do not read their last words go without.
            let _ = tokio::time::timeout(LAST_WORDS, all).await;
        }
    }
}

/// The addresses of one face.
pub(crate) struct Doors {
    doors: Vec<Door>,
    stop: watch::Sender<bool>,
}

impl Doors {
    /// Listens where `options` say.
    ///
    /// # Errors
    /// [`ListenError`].
    pub(crate) async fn open(options: &DoorOptions) -> Result<Self, ListenError> {
        options.check()?;
        let mut doors = Vec::new();
        for &address in &options.listen {
            doors.push(Door::open(address, options.token.is_some()).await?);
        }
        Ok(Self { doors, stop: watch::channel(false).0 })
    }

    /// Where it listens; the ports that the system chose included.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.doors.iter().map(|door| door.at).collect()
    }

    /// Tells when the server is to stop.
    pub(crate) fn stopping(&self) -> Stopping {
        self.stop.subscribe()
    }

    /// Takes connections until `stopped`, and then ends what is on its way.
    ///
    /// - `visit`: what converses with each.
    pub(crate) async fn serve(
        self,
        answers: &Answers,
        stopped: impl Future<Output = ()> + Send,
        visit: impl Fn(Visitor) -> BoxFuture<'static, Result<(), Fault>> + Clone + Send + 'static,
    ) {
        let mut open = JoinSet::new();
        for door in self.doors {
            open.spawn(door.serve(answers.clone(), self.stop.subscribe(), visit.clone()));
        }
        stopped.await;
        self.stop.send_replace(true);
        while open.join_next().await.is_some() {}
    }
}

/// What is spoken over.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for S {}

/// A connection as it is spoken over: encrypted where there is `tls`, and given up where nobody reads.
pub(crate) async fn spoken(
    client: TcpStream,
    tls: Option<&TlsAcceptor>,
) -> io::Result<Box<dyn Stream>> {
    // Answers are written whole: small ones need not wait for more.
    client.set_nodelay(true)?;
    let client = Patient::new(client, WRITE_PATIENCE);
    let Some(tls) = tls else { return Ok(Box::new(client)) };
    let shaken = tokio::time::timeout(HANDSHAKE_PATIENCE, tls.accept(client)).await;
    Ok(Box::new(shaken.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??))
}

/// Why a connection ended badly.
pub(crate) type Fault = Box<dyn std::error::Error + Send + Sync>;
