//! The HTTP face: SQL, incidents and their events for programs, pages for people.
//!
//! ```text
//! listen (places, TLS, patience) ─▶ access (name, origin, token) ─▶ sql · incidents · events · pages ─▶ answers
//! ```

pub(crate) mod access;
pub(crate) mod body;
mod events;
pub(crate) mod failure;
mod health;
pub(crate) mod incidents;
pub(crate) mod input;
pub(crate) mod listen;
mod openapi;
pub(crate) mod patient;
mod sql;
pub(crate) mod tls;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
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
use access::{Origin, Refused, check_name, check_token, origin};
use events::Events;
use failure::Failure;
use listen::{Asker, At, Doors, Stopping, Visit};

pub use access::Token;
pub use tls::TlsFiles;

/// Where and to whom answers are given.
#[derive(Debug, Clone, Default)]
pub struct HttpOptions {
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

impl HttpOptions {
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
    pub async fn bind(answers: Answers, options: &HttpOptions) -> Result<Self, ListenError> {
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
        let visit = |at| {
            let (router, tls, stopping) = (router.clone(), tls.clone(), app.stopping.clone());
            move |client, asker| {
                let (router, tls, stopping) = (router.clone(), tls.clone(), stopping.clone());
                Visit { router, at, tls, stopping, asker }.converse(client).boxed()
            }
        };
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
