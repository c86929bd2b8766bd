//! The console: pages for people, made here, that need no script to be read.
//!
//! A page is sent part by part, each when its query has answered: the first byte waits for nothing. Text from traffic
//! reaches it through [`maud`]'s escaping and [`schemas::text`] alone.

mod assets;
mod explore;
mod incident;
mod layout;
mod now;
mod plot;
mod source;
mod sql;
mod tables;

use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use crate::answers::{Answers, Fault};
use crate::http::App;
use crate::http::failure::Failure;
use crate::questions::windows::{Span, latest};
use crate::questions::{rows, sql as sql_text};

/// The pages.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/", get(now::page))
        .route("/incident/{id}", get(incident::page))
        .route("/explore", get(explore::page))
        .route("/source", get(source::page))
        .route("/sql", get(sql::page))
        .route("/sql/download", get(sql::download))
        .route("/assets/{name}", get(asset))
}

async fn asset(Path(name): Path<String>) -> Result<Response, Failure> {
    let found = assets::find(&format!("/assets/{name}"));
    found.ok_or_else(|| Failure::not_found("there is no such file"))
}

/// The span of time in an address: `from` and `to`, either of which may be left out.
#[derive(Debug, Clone, Default, Deserialize)]
struct SpanQuery {
    from: Option<String>,
    to: Option<String>,
}

impl SpanQuery {
    /// As given; else the last `length` of what is in the tables.
    async fn resolve(&self, answers: &Answers, length: TimeDelta) -> Result<Span, Fault> {
        let given = |text: &Option<String>| {
            text.as_deref().and_then(|text| sql_text::parse_time(text).ok())
        };
        let to = match given(&self.to) {
            Some(to) => to,
            None => last(answers).await?,
        };
        let from = given(&self.from).filter(|from| *from < to).unwrap_or(to - length);
        Ok(Span { from, to })
    }
}

/// The end of what is in the tables.
async fn last(answers: &Answers) -> Result<DateTime<Utc>, Fault> {
    let found = rows(answers, &latest()).await?;
    Ok(found.first().and_then(|row| row.time("latest")).unwrap_or_default())
}
