//! *SQL*: a statement, its answer as a table, and as a file.

use axum::extract::State;
use axum::http::header::CONTENT_DISPOSITION;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use maud::{Markup, html};
use query::{Format, VIEWS};
use schemas::tables::ALL;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::chart::chart;
use super::layout::{Part, count, encoded, page as send, part, value};
use crate::answers::{Answers, Cut, Fault, Question};
use crate::doors::access::{Origin, origin};
use crate::http::App;
use crate::http::body::respond;
use crate::http::failure::Failure;
use crate::http::input::QueryOf;

/// Rows that a page shows.
const ROWS: u64 = 500;

/// Bytes of an answer that a page shows: rows with long values are fewer.
const BYTES: usize = 4 << 20;

/// Formats for those who want it all.
const FILES: [Format; 4] = [Format::Csv, Format::Ndjson, Format::Parquet, Format::Arrow];

/// Questions to begin with.
const EXAMPLES: [(&str, &str); 5] = [
    (
        "The worst attacks",
        "SELECT kind, target_host, severity, first_ts, requests FROM attacks ORDER BY severity DESC, requests DESC LIMIT 20",
    ),
    (
        "Busiest minutes",
        "SELECT window_start, host, requests, baseline_requests FROM target_windows ORDER BY requests DESC LIMIT 20",
    ),
    (
        "Heaviest sources",
        "SELECT source, sum(requests) AS requests, max(score) AS score FROM source_windows GROUP BY source ORDER BY requests DESC LIMIT 20",
    ),
    (
        "Who asks for what is not there",
        "SELECT ip_source(client_ip) AS source, count(*) AS requests, count(DISTINCT path) AS paths FROM requests WHERE status = 404 GROUP BY 1 ORDER BY 2 DESC LIMIT 20",
    ),
    ("What the logs can feed", "SELECT * FROM signals ORDER BY readiness, detection"),
];

/// What the address says.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct SqlQuery {
    q: Option<String>,
    format: Option<String>,
}

/// The page.
pub(super) async fn page(
    State(app): State<App>,
    headers: HeaderMap,
    QueryOf(query): QueryOf<SqlQuery>,
) -> Response {
    let text = query.q.unwrap_or_default();
    let is_ours = origin(&headers) == Origin::Own;
    let mut parts = vec![ready(editor(&text))];
    if !text.trim().is_empty() {
        parts.push(if is_ours {
            answer(app.answers, text)
        } else {
            ready(html! { p .fault role="alert" { "A page of somebody else brought this statement. Read it before you run it." } })
        });
    }
    parts.push(ready(help()));
    send("SQL", "/sql", parts)
}

fn ready(markup: Markup) -> Part {
    Box::pin(std::future::ready(markup))
}

fn editor(text: &str) -> Markup {
    html! {
        form action="/sql" method="get" {
            label for="q" { "One statement that reads" }
            div .within {
                textarea #q name="q" spellcheck="false" autocomplete="off" autocapitalize="off" { (text) }
                ul #hint .hint role="listbox" aria-label="Names" hidden {}
            }
            div .bar { button .main { "Run" } span .faint { "Ctrl-Enter runs, Tab completes a name" } }
        }
    }
}

fn answer(answers: Answers, text: String) -> Part {
    part("Answer", async move {
        let question = Question::asked(text.as_str()).with_rows_max(ROWS);
        let mut reply = answers.bytes(question, Format::Ndjson).await?;
        let names: Vec<String> =
            reply.schema().fields().iter().map(|field| field.name().clone()).collect();
        let mut bytes = Vec::new();
        let mut is_too_long = false;
        while let Some(piece) = reply.next().await {
            bytes.extend_from_slice(&piece);
            is_too_long = bytes.len() > BYTES;
            if is_too_long {
                break;
            }
        }
        let cut = if is_too_long {
            Some("cut: its values are long".to_owned())
        } else {
            told(reply.end().await?.cut)
        };
        let rows = bytes.split(|byte| *byte == b'\n');
        let cells = |line| serde_json::from_slice(line).ok().map(|Cells(cells)| cells);
        let found: Vec<Vec<Value>> = rows.filter_map(cells).collect();
        Ok(html! {
            p .bar { span { (count(found.len() as u64)) " rows" @if let Some(cut) = cut { ", " strong { (cut) } } }
                @for format in FILES {
                    a href={ "/sql/download?format=" (format.name()) "&q=" (encoded(&text)) } download { "As " (format.name()) }
                } }
            @if let Some(chart) = chart(&names, &found) { details open { summary { "Chart" } (chart) } }
            (table(&names, &found))
        })
    })
}

fn told(cut: Option<Cut>) -> Option<String> {
    cut.map(|cut| match cut {
        Cut::Asked(rows) => format!("cut at {} rows: a page shows no more", count(rows)),
        other => other.to_string(),
    })
}

/// The values of a row, in the order of its columns: two of them may have one name.
#[derive(Debug)]
struct Cells(Vec<Value>);

impl<'de> Deserialize<'de> for Cells {
    fn deserialize<D: Deserializer<'de>>(row: D) -> Result<Self, D::Error> {
        struct OfRow;
        impl<'de> Visitor<'de> for OfRow {
            type Value = Cells;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a row")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut row: A) -> Result<Cells, A::Error> {
                let mut cells = Vec::new();
                while let Some((_, value)) = row.next_entry::<IgnoredAny, Value>()? {
                    cells.push(value);
                }
                Ok(Cells(cells))
            }
        }
        row.deserialize_map(OfRow)
    }
}

fn table(names: &[String], found: &[Vec<Value>]) -> Markup {
    html! {
        div .scroll tabindex="0" { table {
            thead { tr { @for name in names { th { (value(name)) } } } }
            tbody { @for row in found { tr { @for value in row { (cell(value)) } } } }
        } }
    }
}

fn cell(of: &Value) -> Markup {
    match of {
        Value::Null => html! { td .faint { "null" } },
        Value::String(text) => html! { td { (value(text)) } },
        Value::Number(number) => html! { td .number { (number) } },
        other => html! { td { (value(&other.to_string())) } },
    }
}

fn help() -> Markup {
    let columns = ALL.iter().flat_map(|table| table.columns.iter().map(|column| column.name));
    let mut names: Vec<&str> = columns.chain(ALL.iter().map(|table| table.name)).collect();
    names.extend(VIEWS.iter().map(|view| view.name));
    names.extend(query::functions::NAMES);
    names.sort_unstable();
    names.dedup();
    html! {
        section #names data-names=(names.join(" ")) {
            h2 { "To begin with" }
            ul { @for (title, text) in EXAMPLES { li { (super::layout::sql_link(text, title)) } } }
        }
        details #past hidden { summary { "Asked before, in this browser" } ol {} }
        details {
            summary { "Tables and views" }
            div .columns {
                @for view in &VIEWS { section { strong { (view.name) } p { (view.doc) } } }
                @for table in ALL { section {
                    strong { (table.name) } p { (table.doc) }
                    ul { @for column in table.columns { li title=(column.doc) { (column.name) " " span .faint { (column.data_type.name()) } } } }
                } }
            }
        }
    }
}

/// The answer as a file.
pub(super) async fn download(
    State(app): State<App>,
    headers: HeaderMap,
    QueryOf(query): QueryOf<SqlQuery>,
) -> Result<Response, Failure> {
    if origin(&headers) == Origin::Foreign {
        let told = "this server does not answer pages of others";
        return Err(Failure::new(StatusCode::FORBIDDEN, "origin", told));
    }
    let format = query.format.as_deref().unwrap_or(Format::Csv.name());
    let format: Format = format.parse().map_err(Failure::bad_request)?;
    let question = Question::asked(query.q.unwrap_or_default());
    let reply =
        app.answers.bytes(question, format).await.map_err(|fault: Fault| Failure::from(fault))?;
    let mut response = respond(reply, format).await;
    let name = format!("attachment; filename=\"answer.{}\"", format.name());
    if let Ok(name) = HeaderValue::from_str(&name) {
        response.headers_mut().insert(CONTENT_DISPOSITION, name);
    }
    Ok(response)
}
