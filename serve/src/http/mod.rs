//! The HTTP face: SQL, incidents and their events for programs, pages for people.
//!
//! ```text
//! doors (places, TLS, patience) ─▶ visit ─▶ access (name, origin, token) ─▶ sql · incidents · events · pages ─▶ answers
//! ```

pub(crate) mod body;
mod events;
pub(crate) mod failure;
mod health;
pub(crate) mod incidents;
pub(crate) mod input;
mod openapi;
mod sql;
mod visit;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use futures::FutureExt as _;
use tokio_rustls::TlsAcceptor;

use crate::answers::Answers;
use crate::doors::access::{Origin, Refused, Token, check_name, check_token, origin};
use crate::doors::{Asker, DoorOptions, Doors, ListenError, Stopping};
use events::Events;
use failure::Failure;
use visit::{At, converse};

/// What every handler knows.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) answers: Answers,
    events: Events,
    token: Option<Arc<Token>>,
    stopping: Stopping,
}

/// A server that listens and has not answered yet.
pub struct Http {
    doors: Doors,
    tls: Option<TlsAcceptor>,
    app: App,
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http").field("at", &self.addresses()).finish_non_exhaustive()
    }
}

impl Http {
    /// Listens.
    ///
    /// # Errors
    /// [`ListenError`].
    pub async fn bind(answers: Answers, options: &DoorOptions) -> Result<Self, ListenError> {
        let doors = Doors::open(options).await?;
        let tls = options.tls.as_ref().map(|files| files.acceptor(b"http/1.1")).transpose()?;
        let (token, stopping) = (options.token.clone().map(Arc::new), doors.stopping());
        let events = Events::new(answers.clone());
        Ok(Self { doors, tls, app: App { answers, events, token, stopping } })
    }

    /// Where it listens; the ports that the system chose included.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.doors.addresses()
    }

    /// Answers until `stopped`, and then ends what is on its way.
    pub async fn serve(self, stopped: impl Future<Output = ()> + Send) {
        let Self { doors, tls, app } = self;
        let watch = tokio::spawn(app.events.clone().watch(app.stopping.clone()));
        let router = router(app.clone());
        let visit = move |visitor| converse(router.clone(), tls.clone(), visitor).boxed();
        doors.serve(&app.answers, stopped, visit).await;
        // It ends by itself.
        let _ = watch.await;
    }
}

fn router(app: App) -> Router {
    let open = Router::new().route("/healthz", get(health::alive));
    let api = Router::new()
        .route("/readyz", get(health::ready))
        .route("/api/v1/sql", post(sql::ask))
        .route("/api/v1/sql/{id}", get(sql::state).delete(sql::cancel))
        .route("/api/v1/incidents", get(incidents::list))
        .route("/api/v1/incidents/{id}", get(incidents::one))
        .route("/api/v1/events", get(events::listen))
        .route("/openapi.json", get(openapi::openapi))
        .merge(crate::pages::routes())
        .layer(middleware::from_fn_with_state(app.clone(), known));
    open.merge(api)
        .fallback(nothing)
        .method_not_allowed_fallback(not_so)
        .layer(middleware::from_fn(named))
        .layer(middleware::map_response(plain))
        .with_state(app)
}

async fn nothing() -> Failure {
    Failure::not_found("there is nothing here; /openapi.json lists what there is")
}

async fn not_so() -> Failure {
    Failure::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "request",
        "not with this method; see /openapi.json",
    )
}

/// Lets those in who name this server as it is named, whom a page of somebody else did not send.
async fn named(ConnectInfo(At(at)): ConnectInfo<At>, request: Request, next: Next) -> Response {
    let (headers, uri) = (request.headers(), request.uri());
    if let Err(refused) = check_name(headers, uri, at) {
        return refusal(refused);
    }
    let is_link =
        matches!(*request.method(), Method::GET | Method::HEAD) && !uri.path().starts_with("/api/");
    if !is_link && origin(headers) == Origin::Foreign {
        return refusal(Refused::Origin);
    }
    next.run(request).await
}

/// Lets those in who know the token.
async fn known(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    request: Request,
    next: Next,
) -> Response {
    if let Err(refused) = check_token(app.token.as_deref(), request.headers()) {
        return refusal(refused);
    }
    asker.know();
    next.run(request).await
}

fn refusal(refused: Refused) -> Response {
    let (status, code) = match refused {
        Refused::Name => (StatusCode::MISDIRECTED_REQUEST, "host"),
        Refused::Origin => (StatusCode::FORBIDDEN, "origin"),
        Refused::Token => (StatusCode::UNAUTHORIZED, "token"),
    };
    Failure::new(status, code, refused.to_string()).into_response()
}

/// What a browser may do with what it gets.
const POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

/// Adds what every response says.
async fn plain(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
