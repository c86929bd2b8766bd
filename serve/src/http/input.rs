//! What is read of a request: bounded in bytes and time, and wrong in plain words.

use std::time::Duration;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use super::App;
use super::failure::Failure;

/// Bytes around a statement in a body: the other fields, and what JSON escapes.
const BODY_BYTES_MORE: usize = 64 << 10;

/// How long a body may take to come.
const BODY_PATIENCE: Duration = Duration::from_secs(10);

/// A body of JSON. A page of somebody else cannot send one without being asked first, which nothing here allows.
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<App> for JsonBody<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            return Err(Failure::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "request",
                "send JSON with `Content-Type: application/json`",
            ));
        }
        let bytes = body(request, app).await?;
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|error| Failure::bad_request(format!("the body is not as expected: {error}")))
    }
}

/// The whole body.
async fn body(request: Request, app: &App) -> Result<bytes::Bytes, Failure> {
    let max = app.answers.limits().statement_bytes.saturating_mul(2) + BODY_BYTES_MORE;
    let body = Limited::new(request.into_body(), max).collect();
    let read = tokio::time::timeout(BODY_PATIENCE, body).await.map_err(|_| {
        Failure::new(StatusCode::REQUEST_TIMEOUT, "request", "the body took too long to come")
    })?;
    match read {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Failure::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "statement_too_long",
            format!("the body has more than {max} bytes"),
        )),
        Err(error) => Err(Failure::bad_request(format!("the body cannot be read: {error}"))),
    }
}

/// The query of an address.
pub(crate) struct QueryOf<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<App> for QueryOf<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Failure> {
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|axum::extract::Query(query)| Self(query))
            .map_err(|error| Failure::bad_request(error.body_text()))
    }
}

/// A part of the path of an address.
pub(crate) struct PathOf(pub(crate) String);

impl FromRequestParts<App> for PathOf {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        axum::extract::Path::from_request_parts(parts, app)
            .await
            .map(|axum::extract::Path(part)| Self(part))
            .map_err(|error| Failure::bad_request(error.body_text()))
    }
}
