//! *Explore*: requests by any column, narrowed value by value, and what grew.

use axum::extract::State;
use axum::response::Response;
use chrono::TimeDelta;
use maud::{Markup, html};

use super::layout::{
    Part, count, encoded, fits, page as send, part, percent, shown_sql, shown_text, sql_link,
    sql_of, value,
};
use super::plot::Rate;
use super::{Given, SpanQuery, tables};
use crate::answers::{Answers, Fault};
use crate::http::App;
use crate::http::failure::Failure;
use crate::http::input::QueryOf;
use crate::questions::selection::{Choice, Selection, What, column};
use crate::questions::{Row, rows};

/// How much of the past it shows.
const LENGTH: TimeDelta = TimeDelta::hours(1);

/// The column it begins with.
const BY: &str = "path";

/// Columns that are one click away.
const COLUMNS: [&str; 14] = [
    "host",
    "path",
    "query",
    "method",
    "status",
    "client_ip",
    "client_asn",
    "client_country",
    "user_agent",
    "referer",
    "ja4",
    "cache_status",
    "protocol",
    "edge",
];

/// What the address says.
#[derive(Debug, Clone)]
struct Chosen {
    written: SpanQuery,
    given: Given,
    choices: Vec<Choice>,
    by: &'static str,
}

impl Chosen {
    fn parse(pairs: Vec<(String, String)>) -> Result<Self, Failure> {
        let mut state = Self {
            written: SpanQuery::default(),
            given: Given::default(),
            choices: Vec::new(),
            by: BY,
        };
        for (key, text) in pairs {
            if let Some(choice) = Choice::parse(&key, &text) {
                state.choices.push(choice.map_err(Failure::bad_request)?);
                continue;
            }
            match key.as_str() {
                "from" if !text.is_empty() => state.written.from = Some(text),
                "to" if !text.is_empty() => state.written.to = Some(text),
                "by" => {
                    let known = column(&text).map(|column| column.name);
                    state.by = known.ok_or_else(|| {
                        Failure::bad_request("`by` names no column of `requests`")
                    })?;
                }
                _ => {}
            }
        }
        state.given = state.written.given()?;
        Ok(state)
    }

    /// The address of the same with other choices, by another column.
    fn link(&self, by: &str, choices: &[Choice]) -> String {
        let time = [("from", &self.written.from), ("to", &self.written.to)];
        let time = time.into_iter().filter_map(|(key, text)| Some((key, text.clone()?)));
        let pairs = time.chain([("by", by.to_owned())]).chain(choices.iter().map(Choice::pair));
        let pairs: Vec<String> =
            pairs.map(|(key, text)| format!("{key}={}", encoded(&text))).collect();
        format!("/explore?{}", pairs.join("&"))
    }

    /// The same with one more choice.
    fn with(&self, column: &'static str, what: What) -> String {
        let mut choices = self.choices.clone();
        choices.push(Choice { column, what });
        self.link(self.by, &choices)
    }

    async fn selection(&self, answers: &Answers) -> Result<Selection, Fault> {
        let span = self.given.resolve(answers, LENGTH).await?;
        Ok(Selection { span, choices: self.choices.clone() })
    }
}

/// The page.
pub(super) async fn page(
    State(app): State<App>,
    QueryOf(pairs): QueryOf<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let state = Chosen::parse(pairs)?;
    let answers = app.answers;
    let parts = vec![
        Box::pin(std::future::ready(choices(&state))),
        rate(answers.clone(), state.clone()),
        values(answers.clone(), state.clone()),
        grown(answers.clone(), state.clone()),
        requests(answers, state),
    ];
    Ok(send("Explore", "/explore", parts))
}

/// Columns that are one click away, the one that was chosen among them.
fn columns(state: &Chosen) -> impl Iterator<Item = &'static str> + use<> {
    let other = (!COLUMNS.contains(&state.by)).then_some(state.by);
    COLUMNS.into_iter().chain(other)
}

fn choices(state: &Chosen) -> Markup {
    let text = |of: &Option<String>| of.clone().unwrap_or_default();
    html! {
        form .row action="/explore" method="get" {
            label { "From" input name="from" value=(text(&state.written.from)) placeholder="an hour before" size="18"; }
            label { "To" input name="to" value=(text(&state.written.to)) placeholder="the latest" size="18"; }
            label { "By" select name="by" { @for name in columns(state) { option selected[name == state.by] { (name) } } } }
            @for choice in &state.choices {
                @let (key, text) = choice.pair();
                input type="hidden" name=(key) value=(text);
            }
            button .main { "Show" }
        }
        @if !state.choices.is_empty() {
            ul .bar aria-label="Chosen" { @for (at, choice) in state.choices.iter().enumerate() {
                @let others: Vec<Choice> = state.choices.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, of)| of.clone()).collect();
                li { bdi .value { (shown_text(&choice.says())) } " " a href=(state.link(state.by, &others)) { "take back" } }
            } }
        }
    }
}

fn rate(answers: Answers, state: Chosen) -> Part {
    part("Requests", async move {
        let selection = state.selection(&answers).await?;
        let statement = selection.rate();
        let found = rows(&answers, &statement).await?;
        let span = selection.span.whole();
        let rate = Rate::new((span.from, span.to), span.step(), &found);
        Ok(html! { (rate.draw(&[])) (sql_of(&statement)) })
    })
}

/// A value of an answer as the text that an address has.
fn text_of(row: &Row, name: &str) -> Option<String> {
    match row.0.get(name) {
        None | Some(serde_json::Value::Null) => None,
        Some(serde_json::Value::String(text)) => Some(text.clone()),
        Some(other) => Some(other.to_string()),
    }
}

fn values(answers: Answers, state: Chosen) -> Part {
    part("The most frequent values", async move {
        let selection = state.selection(&answers).await?;
        let statement = selection.values(state.by);
        let found = rows(&answers, &statement).await?;
        let share = |row: &Row| {
            row.number("requests").unwrap_or_default() / row.number("whole").unwrap_or(1.0).max(1.0)
        };
        Ok(html! {
            p .bar { "By" @for name in columns(&state) {
                a href=(state.link(name, &state.choices)) aria-current=[(name == state.by).then_some("true")] { (name) }
            } }
            div .scroll tabindex="0" { table {
                thead { tr { th { (state.by) } th { "Share" } th .number { "Requests" } th .number { "Addresses" } th .number { "Errors" } th { "Choose" } } }
                tbody { @for row in &found {
                    @let text = text_of(row, "value");
                    tr {
                        td { @match &text { Some(text) => (value(text)), None => span .faint { "no value" } } }
                        td .share { meter value=(share(row)) {} " " (percent(share(row))) }
                        td .number { (count(row.count("requests"))) }
                        td .number { (count(row.count("sources"))) }
                        td .number { (count(row.count("errors"))) }
                        td { (choose(&state, state.by, text.as_deref())) }
                    }
                } }
            } }
            (sql_of(&statement))
        })
    })
}

/// What can be done with a value.
fn choose(state: &Chosen, column: &'static str, text: Option<&str>) -> Markup {
    let (only, without) = match text {
        Some(text) => (What::Is(text.to_owned()), What::Not(text.to_owned())),
        None => (What::Null, What::Some),
    };
    let (only, without) = (state.with(column, only), state.with(column, without));
    html! {
        span .bar {
            @if fits(&only) && fits(&without) { a href=(only) { "only" } a href=(without) { "without" } }
            @else { span .faint { "too long for an address" } }
            @if let Some(text) = text { button type="button" data-copy=(shown_sql(text)) { "Copy" } }
        }
    }
}

fn grown(answers: Answers, state: Chosen) -> Part {
    part("What grew", async move {
        let selection = state.selection(&answers).await?;
        let statement = selection.grown();
        let found = rows(&answers, &statement).await?;
        Ok(html! {
            p .faint { "Values whose share is greater than in as long a time before, the most surprising first (their part of the Jensen–Shannon divergence)." }
            @if found.is_empty() { p { "Nothing." } }
            @else if found.iter().all(|row| row.count("before") == 0) {
                p { "There is nothing before to compare with: choose a later time." }
            } @else {
                div .scroll tabindex="0" { table {
                    thead { tr { th { "Column" } th { "Value" } th { "Share" } th { "Before" } th .number { "Requests" } th .number { "Before" } th .number { "Surprise, bits" } th { "Choose" } } }
                    tbody { @for row in &found { tr {
                        td { (row.text("attribute")) }
                        td { (value(row.text("value"))) }
                        td { (percent(row.number("share").unwrap_or_default())) }
                        td { (percent(row.number("share_before").unwrap_or_default())) }
                        td .number { (count(row.count("requests"))) }
                        td .number { (count(row.count("before"))) }
                        td .number { (format!("{:.3}", row.number("surprise").unwrap_or_default())) }
                        td { @if let Some(column) = column(row.text("attribute")) { (choose(&state, column.name, row.maybe_text("value"))) } }
                    } } }
                } }
            }
            (sql_of(&statement))
        })
    })
}

fn requests(answers: Answers, state: Chosen) -> Part {
    part("The last requests", async move {
        let selection = state.selection(&answers).await?;
        let statement = selection.rows();
        let found = rows(&answers, &statement).await?;
        Ok(html! {
            (tables::requests(&found))
            p { (sql_link(&selection.all(), "All of them")) }
            (sql_of(&statement))
        })
    })
}
