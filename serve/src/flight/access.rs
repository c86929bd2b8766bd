//! Who may call: as for HTTP, in the words of gRPC.

use std::net::SocketAddr;

use axum::http::Request;
use tonic::Status;

use super::Desk;
use crate::http::access::{Origin, is_named_locally, origin};

/// Somebody who may call.
#[derive(Debug)]
pub(super) struct Known;

/// Whether a call is answered: one that names this server as it is named, that no page of somebody else sent, and that
/// comes with the token where there is one.
pub(super) fn judge<B>(desk: &Desk, at: SocketAddr, request: &Request<B>) -> Result<Known, Status> {
    let headers = request.headers();
    if at.ip().is_loopback() && !is_named_locally(headers, request.uri(), at) {
        return Err(Status::permission_denied(
            "this server is asked by the name localhost or by its address, and by no other name",
        ));
    }
    if origin(headers) == Origin::Foreign {
        return Err(Status::permission_denied("this server does not answer pages of others"));
    }
    match &desk.token {
        Some(token) if !token.is_in(headers) => Err(Status::unauthenticated(
            "send the token, as `authorization: Bearer …` or as the password of any name",
        )),
        _ => Ok(Known),
    }
}
