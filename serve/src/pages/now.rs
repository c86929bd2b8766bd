//! *Now*: what is going on.

use axum::extract::State;
use axum::response::Response;
use chrono::TimeDelta;
use maud::{Markup, html};
use schemas::tables::REJECTS;

use super::layout::{
    Part, count, encoded, page as send, part, shown_text, sql_link, sql_of, time, value,
};
use super::plot::{Mark, Rate};
use super::{Given, SpanQuery, tables};
use crate::answers::{Answers, Fault};
use crate::http::App;
use crate::http::failure::Failure;
use crate::http::incidents::IncidentsQuery;
use crate::http::input::QueryOf;
use crate::questions::windows::{Span, busiest, rate};
use crate::questions::{Filter, Row, rows};

/// How much of the past it shows.
const LENGTH: TimeDelta = TimeDelta::hours(6);

/// Hosts that have a line.
const HOSTS: usize = 12;

/// Incidents of each list.
const INCIDENTS: u32 = 30;

/// Spans of time that are one click away.
const SPANS: [(&str, i64); 4] = [("1 h", 1), ("6 h", 6), ("24 h", 24), ("7 d", 168)];

/// What the address says.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub(super) struct NowQuery {
    from: Option<String>,
    to: Option<String>,
    /// Hours before the end.
    hours: Option<u32>,
    host: Option<String>,
    kind: Option<String>,
}

impl NowQuery {
    fn shown(&self) -> Result<Shown, Failure> {
        let hours = self.hours.map(|hours| TimeDelta::hours(i64::from(hours.clamp(1, 24 * 366))));
        let given = SpanQuery { from: self.from.clone(), to: self.to.clone() }.given()?;
        let host = self.host().map(str::to_owned);
        Ok(Shown { given, length: hours.unwrap_or(LENGTH), host })
    }

    /// What the address says besides the time, as a part of another.
    fn rest(&self) -> String {
        let kind = self.kind.as_deref().filter(|kind| !kind.is_empty());
        let rest = [("host", self.host()), ("kind", kind)].into_iter();
        let rest =
            rest.filter_map(|(key, text)| text.map(|text| format!("&{key}={}", encoded(text))));
        rest.collect()
    }

    fn host(&self) -> Option<&str> {
        self.host.as_deref().filter(|host| !host.is_empty())
    }
}

/// What is shown.
#[derive(Debug, Clone)]
struct Shown {
    given: Given,
    length: TimeDelta,
    host: Option<String>,
}

impl Shown {
    async fn span(&self, answers: &Answers) -> Result<Span, Fault> {
        Ok(self.given.resolve(answers, self.length).await?.whole())
    }
}

/// The page.
pub(super) async fn page(
    State(app): State<App>,
    QueryOf(query): QueryOf<NowQuery>,
) -> Result<Response, Failure> {
    let listed = IncidentsQuery {
        host: query.host.clone(),
        kind: query.kind.clone(),
        limit: Some(INCIDENTS),
        ..IncidentsQuery::default()
    };
    let filter = listed.filter()?;
    let shown = query.shown()?;
    let title = query.host().map_or_else(|| "Now".to_owned(), |host| format!("Now: {host}"));
    let parts = vec![
        range(&query),
        total(app.answers.clone(), shown.clone(), filter.clone()),
        open(app.answers.clone(), filter.clone()),
        hosts(app.answers.clone(), shown.clone()),
        past(app.answers.clone(), shown.clone(), filter),
        rejects(app.answers, shown),
    ];
    Ok(send(&title, "/", parts))
}

/// Choice of the span, and the switch of the live view.
fn range(query: &NowQuery) -> Part {
    let rest = query.rest();
    let (from, to) = (query.from.clone().unwrap_or_default(), query.to.clone().unwrap_or_default());
    let shown = html! {
        div .bar {
            @for (name, hours) in SPANS {
                a href={ "/?hours=" (hours) (rest) } aria-current=[(query.hours.map(i64::from) == Some(hours)).then_some("true")] { (name) }
            }
            button #live type="button" hidden { "Live" }
        }
        form .row action="/" method="get" {
            label { "From" input name="from" value=(from) placeholder="2026-03-01T10:00" size="18"; }
            label { "To" input name="to" value=(to) placeholder="the latest" size="18"; }
            label { "Host" input name="host" value=(query.host().unwrap_or_default()) size="22"; }
            @if let Some(kind) = &query.kind { input type="hidden" name="kind" value=(kind); }
            button { "Show" }
        }
    };
    Box::pin(std::future::ready(shown))
}

fn total(answers: Answers, shown: Shown, filter: Filter) -> Part {
    part("Requests", async move {
        let span = shown.span(&answers).await?;
        let statement = rate(shown.host.as_deref(), span);
        let during = Filter { since: Some(span.from), until: Some(span.to), ..filter };
        let found = during.statement();
        let (points, found) =
            futures::try_join!(rows(&answers, &statement), rows(&answers, &found))?;
        let rate = Rate::new((span.from, span.to), span.step(), &points);
        let marks: Vec<Mark> = found.iter().filter_map(opened).collect();
        Ok(html! {
            (rate.draw(&marks))
            p .faint { "Bars: requests. Dashes: the most that was forecast. ▾: an incident opened." }
            (sql_of(&statement))
        })
    })
}

/// The mark of an incident's beginning.
fn opened(row: &Row) -> Option<Mark> {
    let says = format!("{} on {}", row.text("kind"), shown_text(row.text("target_host")));
    row.time("detected_ts").map(|at| Mark { at, letter: "▾", says })
}

fn open(answers: Answers, filter: Filter) -> Part {
    part("Open incidents", async move {
        let statement = Filter { only_open: true, ..filter }.statement();
        let found = rows(&answers, &statement).await?;
        Ok(html! { (list(&found)) (sql_of(&statement)) })
    })
}

/// As many incidents as a list has, and whether there are more.
fn list(found: &[Row]) -> Markup {
    let shown = found.get(..INCIDENTS as usize).unwrap_or(found);
    html! {
        (tables::incidents(shown))
        @if shown.len() < found.len() { p .faint { "There are more: the SQL without its LIMIT has all." } }
    }
}

fn past(answers: Answers, shown: Shown, filter: Filter) -> Part {
    part("Incidents of this time", async move {
        let span = shown.span(&answers).await?;
        let during = Filter { since: Some(span.from), until: Some(span.to), ..filter };
        let statement = during.statement();
        let found = rows(&answers, &statement).await?;
        Ok(html! { (list(&found)) (sql_of(&statement)) })
    })
}

fn hosts(answers: Answers, shown: Shown) -> Part {
    part("Hosts", async move {
        let span = shown.span(&answers).await?;
        let statement = busiest(span, HOSTS);
        let found = rows(&answers, &statement).await?;
        let mut hosts: Vec<(Option<&str>, Vec<&Row>)> = Vec::new();
        for row in &found {
            let host = row.maybe_text("host");
            match hosts.last_mut().filter(|(last, _)| *last == host) {
                Some((_, of_host)) => of_host.push(row),
                None => hosts.push((host, vec![row])),
            }
        }
        let sum = |of: &[&Row], name| of.iter().map(|row| row.count(name)).sum::<u64>();
        hosts.sort_by_key(|(_, of_host)| std::cmp::Reverse(sum(of_host, "requests")));
        Ok(html! {
            div .scroll tabindex="0" { table {
                thead { tr { th { "Host" } th { "Requests" } th .number { "All" } th .number { "Most in a minute" } th .number { "Errors 5xx" } } }
                tbody { @for (host, of_host) in &hosts { tr {
                    td { @match host {
                        Some(host) => a href={ "/?host=" (encoded(host)) } { (value(host)) },
                        None => span .faint { "none named" },
                    } }
                    td .spark { (Rate::new((span.from, span.to), span.step(), of_host.iter().copied()).draw_small()) }
                    td .number { (count(sum(of_host, "requests"))) }
                    td .number { (count(of_host.iter().map(|row| row.count("most")).max().unwrap_or_default())) }
                    td .number { (count(sum(of_host, "errors"))) }
                } } }
            } }
            (sql_of(&statement))
        })
    })
}

fn rejects(answers: Answers, shown: Shown) -> Part {
    part("Lines that could not be read", async move {
        let span = shown.span(&answers).await?;
        let statement = format!(
            "SELECT reason, count(*) AS lines, max(ts) AS last FROM {} WHERE {} GROUP BY reason ORDER BY lines DESC, reason LIMIT 5",
            REJECTS.name,
            span.condition("ts")
        );
        let found = rows(&answers, &statement).await?;
        Ok(html! {
            p .faint { "Of those that arrived in this time." }
            @if found.is_empty() { p { "None." } } @else {
                ul { @for row in &found { li { (count(row.count("lines"))) " × " (value(row.text("reason"))) ", last " (time(row.text("last"))) } } }
            }
            p { (sql_link("SELECT * FROM signals ORDER BY readiness, detection", "Which detections the logs can feed")) }
            (sql_of(&statement))
        })
    })
}
