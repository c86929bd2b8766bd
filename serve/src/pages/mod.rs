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
use chrono::TimeDelta;
use serde::Deserialize;

use crate::answers::{Answers, Fault};
use crate::http::App;
use crate::http::failure::Failure;
use crate::questions::windows::{Span, bounds};
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

/// The least span that is chosen for somebody.
const LENGTH_MIN: TimeDelta = TimeDelta::minutes(10);

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
        if let (Some(from), Some(to)) = (given(&self.from), given(&self.to))
            && from < to
        {
            return Ok(Span { from, to });
        }
        let held = held(answers).await?;
        let to = given(&self.to).unwrap_or(held.to);
        let from = given(&self.from).filter(|from| *from < to);
        // What is before the first row would be an empty part of a plot.
        let of_length = (to - length).max(held.from).min(to - LENGTH_MIN);
        Ok(Span { from: from.unwrap_or(of_length), to })
    }
}

/// The time that the tables hold.
async fn held(answers: &Answers) -> Result<Span, Fault> {
    let found = rows(answers, &bounds()).await?;
    let time = |name: &str| found.first().and_then(|row| row.time(name)).unwrap_or_default();
    Ok(Span { from: time("earliest"), to: time("latest") })
}
