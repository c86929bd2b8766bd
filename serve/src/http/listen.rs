//! Connections: taken, limited, encrypted, and let go.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use axum::response::Response;
use futures::future::BoxFuture;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use super::patient::Patient;
use super::{HttpOptions, ListenError};
use crate::answers::{Answers, Stranger};

/// How long a client may take for the head of a request, and between two.
pub(crate) const HEAD_PATIENCE: Duration = Duration::from_secs(10);

/// How long a client may take to agree on encryption.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);

/// How long a write may make no headway.
pub(crate) const WRITE_PATIENCE: Duration = Duration::from_secs(30);

/// Bytes of a head from which on no more of it is read: an address with a statement in it, and a browser's headers.
const HEAD_BYTES: usize = 32 << 10;

/// Header lines of a request, at most.
const HEADERS: usize = 64;

/// Pause after a connection could not be taken, as when the process has no file descriptor left.
const PAUSE: Duration = Duration::from_millis(100);

/// How long answers on their way may take to end once the server stops.
const GRACE: Duration = Duration::from_secs(5);

/// How long those that did not are given to say so.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Whether the server is to stop; all have a copy.
pub(crate) type Stopping = watch::Receiver<bool>;

/// Waits until the server is to stop.
pub(crate) async fn stopped(stopping: &mut Stopping) {
    // One that is gone has stopped.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// Where the request came in.
#[derive(Debug, Clone, Copy)]
pub(super) struct At(pub(super) SocketAddr);

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
        visit: impl Fn(TcpStream, Asker) -> BoxFuture<'static, Result<(), Fault>> + Send,
    ) {
        let mut open = JoinSet::new();
        let mut stop = stopping;
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
            let visited = visit(client, Asker(stranger));
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
    pub(crate) async fn open(options: &HttpOptions) -> Result<Self, ListenError> {
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
    /// - `visit`: what converses with each, by where it came in.
    pub(crate) async fn serve<V>(
        self,
        answers: &Answers,
        stopped: impl Future<Output = ()> + Send,
        visit: impl Fn(SocketAddr) -> V,
    ) where
        V: Fn(TcpStream, Asker) -> BoxFuture<'static, Result<(), Fault>> + Send + 'static,
    {
        let mut open = JoinSet::new();
        for door in self.doors {
            let visit = visit(door.at);
            open.spawn(door.serve(answers.clone(), self.stop.subscribe(), visit));
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

/// One connection.
pub(super) struct Visit {
    pub(super) router: Router,
    pub(super) at: SocketAddr,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) stopping: Stopping,
    pub(super) asker: Asker,
}

/// Why a connection ended badly.
pub(crate) type Fault = Box<dyn std::error::Error + Send + Sync>;

impl Visit {
    pub(super) async fn converse(self, client: TcpStream) -> Result<(), Fault> {
        let Self { router, at, tls, mut stopping, asker } = self;
        let stream = spoken(client, tls.as_ref()).await?;
        let service =
            service_fn(move |request| respond(router.clone(), at, asker.clone(), request));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_PATIENCE)
            .max_buf_size(HEAD_BYTES)
            .max_headers(HEADERS)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        tokio::select! {
            ended = connection.as_mut() => return Ok(ended?),
            () = stopped(&mut stopping) => {}
        }
        connection.as_mut().graceful_shutdown();
        Ok(connection.await?)
    }
}

async fn respond(
    router: Router,
    at: SocketAddr,
    asker: Asker,
    mut request: hyper::Request<Incoming>,
) -> Result<Response, Infallible> {
    request.extensions_mut().insert(ConnectInfo(At(at)));
    request.extensions_mut().insert(asker.clone());
    let Ok(mut response) = router.oneshot(request.map(axum::body::Body::new) as Request).await;
    if asker.is_unknown() {
        // One question for each place: whoever keeps asking lets others in between.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}
