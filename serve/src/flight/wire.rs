//! A connection: HTTP/2, of which gRPC is made.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use arrow_flight::flight_service_server::FlightServiceServer;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use tonic::body::Body;
use tower::ServiceExt as _;

use super::access;
use super::service::Service;
use super::{Desk, values};
use crate::doors::{Fault, HEAD_PATIENCE, Visitor, spoken, stopped};

/// Calls at the same time on one connection: a choice; a pool of clients shares one.
const STREAMS: u32 = 64;

/// Bytes of the headers of a call, as of those of a request of HTTP/1.
const HEADER_BYTES: u32 = 32 << 10;

/// How often a peer who says nothing is asked whether it is there, and how long it may take to say so.
const PING: Duration = Duration::from_secs(20);

/// Bytes around a statement or its values in a message.
const AROUND_BYTES: usize = 64 << 10;

/// Converses with a client until it goes.
pub(super) async fn converse(
    desk: Arc<Desk>,
    tls: Option<TlsAcceptor>,
    visitor: Visitor,
) -> Result<(), Fault> {
    let Visitor { client, at, asker, mut stopping } = visitor;
    let stream = spoken(client, tls.as_ref()).await?;
    let largest = desk.answers.limits().statement_bytes + values::BYTES_MAX + AROUND_BYTES;
    let flights = FlightServiceServer::new(Service::new(Arc::clone(&desk)))
        .max_decoding_message_size(largest);
    let refused = Arc::new(Notify::new());
    let doorkeeper = (Arc::clone(&desk), asker.clone(), Arc::clone(&refused));
    let service = service_fn(move |request: Request<Incoming>| {
        let (flights, (desk, asker, refused)) = (flights.clone(), doorkeeper.clone());
        async move {
            match access::judge(desk.token.as_ref(), at, &request) {
                Ok(()) => {
                    asker.know();
                    let Ok(response) = flights.oneshot(request.map(Body::new)).await;
                    Ok::<Response<Body>, Infallible>(response)
                }
                Err(status) => {
                    refused.notify_one();
                    Ok(status.into_http())
                }
            }
        }
    });
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let is_stranger = async {
        tokio::time::sleep(HEAD_PATIENCE).await;
        if !asker.is_unknown() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        ended = connection.as_mut() => return Ok(ended?),
        () = stopped(&mut stopping) => {}
        // One wrong token for each place: whoever keeps guessing lets others in between.
        () = refused.notified() => {}
        () = is_stranger => return Err(io::Error::from(io::ErrorKind::TimedOut).into()),
    }
    connection.as_mut().graceful_shutdown();
    Ok(connection.await?)
}
