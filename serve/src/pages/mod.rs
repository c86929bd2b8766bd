//! The console: pages for people, made here, that need no script to be read.
//!
//! A page is sent part by part, each when its query has answered: the first byte waits for nothing. Text from traffic
//! reaches it through [`maud`]'s escaping and [`schemas::text`] alone.

mod assets;
mod chart;
mod explore;
mod incident;
mod layout;
mod map;
mod now;
mod plot;
mod source;
mod sql;
mod tables;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use tokio::sync::OnceCell;

use crate::answers::{Answers, Fault};
use crate::http::App;
use crate::http::failure::Failure;
use crate::http::input::PathOf;
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

async fn asset(PathOf(name): PathOf) -> Result<Response, Failure> {
    let found = assets::find(&format!("/assets/{name}"));
    found.ok_or_else(|| Failure::not_found("there is no such file"))
}

/// The least span that is chosen for somebody.
const LENGTH_MIN: TimeDelta = TimeDelta::minutes(10);

/// The span of time in an address, as it was written: `from` and `to`, either of which may be left out.
#[derive(Debug, Clone, Default, Deserialize)]
struct SpanQuery {
    from: Option<String>,
    to: Option<String>,
}

impl SpanQuery {
    /// Reads it.
    fn given(&self) -> Result<Given, Failure> {
        let time = |text: &Option<String>| {
            let text = text.as_deref().map(str::trim).filter(|text| !text.is_empty());
            text.map(sql_text::parse_time).transpose().map_err(Failure::bad_request)
        };
        let (from, to) = (time(&self.from)?, time(&self.to)?);
        if let (Some(from), Some(to)) = (from, to)
            && from >= to
        {
            return Err(Failure::bad_request("`from` must be before `to`"));
        }
        Ok(Given { from, to, ..Given::default() })
    }
}

/// A span of time, either end of which may be left open.
#[derive(Debug, Clone, Default)]
struct Given {
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    /// The time that the tables hold, once it was asked for: the parts of a page are of one time.
    held: Arc<OnceCell<Span>>,
}

impl Given {
    /// As given; else the last `length` of what is in the tables.
    async fn resolve(&self, answers: &Answers, length: TimeDelta) -> Result<Span, Fault> {
        if let Self { from: Some(from), to: Some(to), .. } = *self {
            return Ok(Span { from, to });
        }
        let held = self.held.get_or_try_init(|| held(answers)).await?;
        Ok(self.within(*held, length))
    }

    /// The same where the tables hold `held`.
    fn within(&self, held: Span, length: TimeDelta) -> Span {
        match (self.from, self.to) {
            // What was asked for stays what it is, and is empty where nothing is held from then on.
            (Some(from), to) => {
                let to = to.unwrap_or(held.to);
                Span { from, to: to.max(from + LENGTH_MIN) }
            }
            (None, to) => {
                let to = to.unwrap_or(held.to);
                // What is before the first row would be an empty part of a plot.
                Span { from: (to - length).max(held.from).min(to - LENGTH_MIN), to }
            }
        }
    }
}

/// The time that the tables hold.
async fn held(answers: &Answers) -> Result<Span, Fault> {
    let found = rows(answers, &bounds()).await?;
    let time = |name: &str| found.first().and_then(|row| row.time(name)).unwrap_or_default();
    Ok(Span { from: time("earliest"), to: time("latest") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(from: &str, to: &str) -> SpanQuery {
        SpanQuery { from: Some(from.to_owned()), to: Some(to.to_owned()) }
    }

    #[test]
    fn a_time_that_is_none_is_told_and_not_replaced() {
        let open = query("", " ").given().unwrap();
        assert_eq!((open.from, open.to), (None, None));
        for (from, to) in [
            ("yesterday", ""),
            ("", "2026-13-01"),
            ("2026-03-02", "2026-03-01"),
            ("+262142-01-01", ""),
        ] {
            assert!(query(from, to).given().is_err(), "{from} {to}");
        }
    }

    #[test]
    fn a_span_is_what_was_asked_for() {
        let time = |text| sql_text::parse_time(text).unwrap();
        let held = Span { from: time("2026-03-01T00:00"), to: time("2026-03-01T12:00") };
        let within = |from, to| query(from, to).given().unwrap().within(held, TimeDelta::hours(6));
        assert_eq!(within("", ""), Span { from: time("2026-03-01T06:00"), to: held.to });
        assert_eq!(within("2026-03-01T11:00", "").from, time("2026-03-01T11:00"));
        let later = within("2026-03-02", "");
        assert_eq!((later.from, later.to), (time("2026-03-02"), time("2026-03-02T00:10")));
        assert_eq!(within("", "2026-03-01T03:00").from, held.from);
        assert_eq!(within("", "2026-02-01").from, time("2026-01-31T23:50"));
    }
}
