//! One connection of HTTP.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::doors::{Asker, Fault, HEAD_PATIENCE, Visitor, spoken, stopped};

/// Bytes of a head from which on no more of it is read: an address with a statement in it, and a browser's headers.
const HEAD_BYTES: usize = 32 << 10;

/// Header lines of a request, at most.
const HEADERS: usize = 64;

/// Where the request came in.
#[derive(Debug, Clone, Copy)]
pub(super) struct At(pub(super) SocketAddr);

/// Converses with a client until it goes.
pub(super) async fn converse(
    router: Router,
    tls: Option<TlsAcceptor>,
    visitor: Visitor,
) -> Result<(), Fault> {
    let Visitor { client, at, asker, mut stopping } = visitor;
    let stream = spoken(client, tls.as_ref()).await?;
    let service = service_fn(move |request| respond(router.clone(), at, asker.clone(), request));
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
