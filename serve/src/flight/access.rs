//! Who may call: as for HTTP, in the words of gRPC.

use std::net::SocketAddr;

use axum::http::Request;
use tonic::Status;

use crate::doors::access::{Origin, Refused, Token, check_name, check_token, origin};

impl From<Refused> for Status {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Name | Refused::Origin => Self::permission_denied(refused.to_string()),
            Refused::Token => Self::unauthenticated(refused.to_string()),
        }
    }
}

/// Refuses a call that does not name this server as it is named, that a page of somebody else sent, or that comes without
/// the token where there is one.
pub(super) fn judge<B>(
    token: Option<&Token>,
    at: SocketAddr,
    request: &Request<B>,
) -> Result<(), Status> {
    let headers = request.headers();
    check_name(headers, request.uri(), at)?;
    if origin(headers) == Origin::Foreign {
        return Err(Refused::Origin.into());
    }
    Ok(check_token(token, headers)?)
}
