//! What is answered where there is no answer.

use axum::Json;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::answers::Fault;

/// Header with the code of a failure.
pub(super) const CODE: &str = "x-floodmark-code";

/// Why there is no answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Failure {
    #[serde(skip)]
    status: StatusCode,
    /// What went wrong.
    error: Told,
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Told {
    /// For programs, such as `syntax` or `time_limit`.
    pub(crate) code: &'static str,
    /// For people.
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, error: Told { code, message: message.into() } }
    }

    #[cfg(test)]
    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    #[cfg(test)]
    pub(crate) fn message(&self) -> &str {
        &self.error.message
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "request", message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let code = fault.code();
        let status = match code {
            "read_only" => StatusCode::FORBIDDEN,
            "statement_too_long" => StatusCode::PAYLOAD_TOO_LARGE,
            "same_id" | "cancelled" => StatusCode::CONFLICT,
            "busy" | "stopping" => StatusCode::SERVICE_UNAVAILABLE,
            "time_limit" => StatusCode::GATEWAY_TIMEOUT,
            "tables" | "internal" => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        Self::new(status, code, fault.to_string())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, code) = (self.status, self.error.code);
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(CODE, HeaderValue::from_static(code));
        match status {
            StatusCode::UNAUTHORIZED => {
                headers.append(
                    WWW_AUTHENTICATE,
                    HeaderValue::from_static("Bearer realm=\"floodmark\""),
                );
                headers.append(
                    WWW_AUTHENTICATE,
                    HeaderValue::from_static("Basic realm=\"floodmark\""),
                );
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}
