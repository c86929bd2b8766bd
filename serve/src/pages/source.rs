//! *Source*: an address, a network, a system or a JA4, and what it did.

use axum::extract::State;
use axum::response::Response;
use chrono::TimeDelta;
use maud::{Markup, html};
use serde::Deserialize;

use super::layout::{Part, count, page as send, part, sql_of, time, value};
use super::plot::Rate;
use super::{Given, SpanQuery, tables};
use crate::answers::{Answers, Fault};
use crate::http::App;
use crate::http::failure::Failure;
use crate::http::input::QueryOf;
use crate::questions::sources::{Source, TIMELINE};
use crate::questions::windows::Span;
use crate::questions::{Row, rows};

/// How much of the past it shows.
const LENGTH: TimeDelta = TimeDelta::hours(24);

/// What the address says.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct SourceQuery {
    q: Option<String>,
    from: Option<String>,
    to: Option<String>,
}

/// The page.
pub(super) async fn page(
    State(app): State<App>,
    QueryOf(query): QueryOf<SourceQuery>,
) -> Result<Response, Failure> {
    let asked = query.q.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let mut parts = vec![ready(form(&query))];
    let Some(asked) = asked else { return Ok(send("Source", "/source", parts)) };
    let title = format!("Source {asked}");
    match Source::parse(asked) {
        Err(why) => parts.push(ready(html! { p .fault role="alert" { (why) } })),
        Ok(source) => {
            let given = SpanQuery { from: query.from, to: query.to }.given()?;
            let ask = Ask { answers: app.answers, given, source };
            parts.extend([
                facts(ask.clone()),
                incidents(ask.clone()),
                rate(ask.clone()),
                paths(ask.clone()),
                timeline(ask),
            ]);
        }
    }
    Ok(send(&title, "/source", parts))
}

fn ready(markup: Markup) -> Part {
    Box::pin(std::future::ready(markup))
}

fn form(query: &SourceQuery) -> Markup {
    let text = |of: &Option<String>| of.clone().unwrap_or_default();
    html! {
        form .row action="/source" method="get" {
            label { "Address, network, system or JA4" input name="q" value=(text(&query.q)) placeholder="203.0.113.0/24" size="34"; }
            label { "From" input name="from" value=(text(&query.from)) placeholder="a day before" size="18"; }
            label { "To" input name="to" value=(text(&query.to)) placeholder="the latest" size="18"; }
            button .main { "Show" }
        }
    }
}

/// What is asked of whom.
#[derive(Debug, Clone)]
struct Ask {
    answers: Answers,
    given: Given,
    source: Source,
}

impl Ask {
    async fn rows(
        &self,
        statement: impl Fn(&Source, Span) -> String,
    ) -> Result<(Span, String, Vec<Row>), Fault> {
        let span = self.given.resolve(&self.answers, LENGTH).await?.whole();
        let statement = statement(&self.source, span);
        let found = rows(&self.answers, &statement).await?;
        Ok((span, statement, found))
    }
}

fn facts(ask: Ask) -> Part {
    part("What it did", async move {
        let (span, statement, found) = ask.rows(Source::facts).await?;
        let row = found.into_iter().next().unwrap_or_default();
        let fact = |name: &str, what: Markup| html! { div { dt { (name) } dd { (what) } } };
        let number = |name: &str| html! { (count(row.count(name))) };
        Ok(html! {
            p .faint { "From " (span.from.format("%Y-%m-%d %H:%M")) " to " (span.to.format("%Y-%m-%d %H:%M")) "." }
            @if row.count("requests") == 0 { p { "It asked for nothing in this time." } } @else {
                dl .facts {
                    (fact("First", time(row.text("first"))))
                    (fact("Last", time(row.text("last"))))
                    (fact("Requests", number("requests")))
                    (fact("Addresses", number("addresses")))
                    (fact("Hosts", number("hosts")))
                    (fact("Paths", number("paths")))
                    (fact("User agents", number("agents")))
                    (fact("Of them for parts of pages (images, styles, scripts)", number("assets")))
                    (fact("Answered 4xx", number("refused")))
                    (fact("Answered 5xx", number("failed")))
                    (fact("Bytes sent to it", number("bytes")))
                }
            }
            (sql_of(&statement))
        })
    })
}

fn incidents(ask: Ask) -> Part {
    part("Incidents that name it", async move {
        let Some(statement) = ask.source.incidents() else {
            return Ok(html! { p { "Incidents name addresses and networks." } });
        };
        let found = rows(&ask.answers, &statement).await?;
        Ok(html! { (tables::incidents(&found)) (sql_of(&statement)) })
    })
}

fn rate(ask: Ask) -> Part {
    part("Its rate", async move {
        let (span, statement, found) = ask.rows(Source::rate).await?;
        let rate = Rate::new((span.from, span.to), span.step(), &found);
        Ok(html! { (rate.draw(&[])) (sql_of(&statement)) })
    })
}

fn paths(ask: Ask) -> Part {
    part("What it asks for most", async move {
        let (_, statement, found) = ask.rows(Source::paths).await?;
        Ok(html! {
            @if found.is_empty() { p { "Nothing." } } @else {
                div .scroll tabindex="0" { table {
                    thead { tr { th { "Host" } th { "Path" } th .number { "Requests" } th .number { "Errors" } } }
                    tbody { @for row in &found { tr {
                        td { (value(row.text("host"))) }
                        td { (value(row.text("path"))) }
                        td .number { (count(row.count("requests"))) }
                        td .number { (count(row.count("errors"))) }
                    } } }
                } }
            }
            (sql_of(&statement))
        })
    })
}

fn timeline(ask: Ask) -> Part {
    part("Its last requests", async move {
        let (_, statement, found) = ask.rows(Source::timeline).await?;
        Ok(html! {
            (tables::requests(&found))
            @if found.len() == TIMELINE { p .faint { "The last " (TIMELINE) " of them; the SQL without its LIMIT has all." } }
            (sql_of(&statement))
        })
    })
}
