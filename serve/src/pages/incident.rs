//! *Incident*: what, where, how big, since when, who, with what, by which rule, and exactly which requests.

use axum::extract::State;
use axum::response::Response;
use chrono::TimeDelta;
use maud::{Markup, html};
use schemas::kinds::KINDS;
use serde_json::Value;

use super::layout::{
    Part, count, encoded, page as send, part, percent, several, severity, shown_sql, shown_text,
    source_link, sql_link, sql_of, time, value,
};
use super::map::{self, Map};
use super::plot::{Mark, Rate};
use super::tables;
use crate::answers::Answers;
use crate::http::App;
use crate::http::failure::Failure;
use crate::http::input::PathOf;
use crate::questions::attributes::{ATTRIBUTES, compared};
use crate::questions::incidents::{condition_of, networks_of};
use crate::questions::windows::{Span, rate};
use crate::questions::{Row, of_incident, requests_of, revisions, rows, sql};

/// What is shown of the time before and after it.
const AROUND: TimeDelta = TimeDelta::minutes(30);

/// What is shown around it in a list of neighbours.
const NEIGHBOURS: TimeDelta = TimeDelta::seconds(10);

/// Requests that are shown.
const REQUESTS: usize = 20;

/// The heaviest sources that are shown.
const SOURCES: usize = 15;

/// Networks that are shown beside the map.
const NETWORKS: usize = 12;

/// The page.
pub(super) async fn page(State(app): State<App>, PathOf(id): PathOf) -> Result<Response, Failure> {
    let answers = app.answers;
    let mut found = rows(&answers, &of_incident(&id)).await?;
    let unknown =
        || Failure::not_found(format!("no incident has the id `{}`", schemas::text::escape(&id)));
    let incident = found.pop().ok_or_else(unknown)?;
    let kind = KINDS.iter().find(|row| row.kind.as_str() == incident.text("kind"));
    let title = kind.map_or_else(|| incident.text("kind").to_owned(), |row| row.title.to_owned());
    let title = match incident.maybe_text("target_host") {
        Some(host) => format!("{title} on {host}"),
        None => title,
    };
    let says = kind.map(|row| row.says).unwrap_or_default();
    let parts = vec![
        ready(facts(&incident, says)),
        size(answers.clone(), incident.clone()),
        who(answers.clone(), incident.clone()),
        from_where(answers.clone(), incident.clone()),
        with_what(answers.clone(), incident.clone()),
        ready(rule(&incident)),
        ready(evidence(&incident)),
        exactly(answers.clone(), incident.clone()),
        story(answers, incident),
    ];
    Ok(send(&title, "/", parts))
}

fn ready(markup: Markup) -> Part {
    Box::pin(std::future::ready(markup))
}

/// What it is, where, how much of it, since when.
fn facts(incident: &Row, says: &str) -> Markup {
    let fact = |name: &str, what: Markup| html! { div { dt { (name) } dd { (what) } } };
    let number = |name: &str| html! { (count(incident.count(name))) };
    html! {
        p .lead { (shown_text(incident.text("summary"))) }
        p .faint { (says) @if let Some(technique) = incident.maybe_text("technique") { " MITRE ATT&CK " (technique) "." } }
        dl .facts {
            (fact("Severity", severity(incident.count("severity"))))
            (fact("Verdict", html! { (incident.text("verdict")) ", " (percent(incident.number("confidence").unwrap_or_default())) " sure" }))
            (fact("State", html! { @if incident.text("state") == "close" { "over" } @else { strong { "open" } } }))
            (fact("Where", html! {
                @match incident.maybe_text("target_host") {
                    Some(host) => a href={ "/?host=" (encoded(host)) } { (value(host)) },
                    None => "several hosts, or unknown",
                }
                @if let Some(path) = incident.maybe_text("target_path") { " " (value(path)) }
            }))
            (fact("Since", time(incident.text("first_ts"))))
            (fact("Noticed", time(incident.text("detected_ts"))))
            (fact("Last seen", time(incident.text("last_ts"))))
            (fact("Requests", number("requests")))
            (fact("Above the forecast", number("excess_requests")))
            (fact("Sources", number("source_count")))
            @if let Some(campaign) = incident.maybe_text("campaign_id") {
                (fact("Campaign", html! { (count(incident.count("campaign_hosts"))) " hosts, with "
                    a href=(tables::incident_link(campaign)) { (value(campaign)) } }))
            }
        }
        (sql_of(&of_incident(incident.text("incident_id"))))
    }
}

/// The time of the incident and what is around it.
fn around(incident: &Row) -> Option<Span> {
    let (first, last) = (incident.time("first_ts")?, incident.time("last_ts")?);
    Some(Span { from: first - AROUND, to: last + AROUND }.whole())
}

fn size(answers: Answers, incident: Row) -> Part {
    part("How big, against the forecast", async move {
        let Some(span) = around(&incident) else {
            return Ok(html! { p { "Its times are unknown." } });
        };
        let statement = rate(incident.maybe_text("target_host"), span);
        let told = revisions(incident.text("incident_id"));
        let (points, told) = futures::try_join!(rows(&answers, &statement), rows(&answers, &told))?;
        let marks: Vec<Mark> = told.iter().filter_map(mark).collect();
        let rate = Rate::new((span.from, span.to), span.step(), &points);
        Ok(html! {
            (rate.draw(&marks))
            p .faint { "Bars: requests of the host. Dashes: the most that was forecast. O: opened, U: updated, C: closed." }
            (sql_of(&statement))
        })
    })
}

fn mark(revision: &Row) -> Option<Mark> {
    let letter = match revision.text("state") {
        "open" => "O",
        "close" => "C",
        _ => "U",
    };
    let says =
        format!("{} with {} requests", revision.text("state"), count(revision.count("requests")));
    revision.time("revision_ts").map(|at| Mark { at, letter, says })
}

fn who(answers: Answers, incident: Row) -> Part {
    part("Who", async move {
        let named = incident.texts("sources");
        let named = named.get(..SOURCES).unwrap_or(&named).to_vec();
        let statement = condition_of(&incident).map(|condition| {
            format!(
                "SELECT ip_source(client_ip) AS source, count(*) AS requests, min(ts) AS first, max(ts) AS last, \
                 count(DISTINCT path) AS paths, max(client_asn) AS system, max(client_country) AS country \
                 FROM requests WHERE {condition} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {SOURCES}"
            )
        });
        let found = match &statement {
            Some(statement) => rows(&answers, statement).await?,
            None => Vec::new(),
        };
        Ok(html! {
            p { (several(incident.count("source_count"), "source")) "; the heaviest, as it was told:"
                @for source in &named { " " a href=(source_link(source)) { (value(source)) } } }
            @if !found.is_empty() {
                div .scroll tabindex="0" { table {
                    thead { tr { th { "Source" } th .number { "Requests" } th .number { "Paths" } th { "First" } th { "Last" } th { "System" } th { "Country" } } }
                    tbody { @for row in &found { tr {
                        td { @if let Some(source) = row.maybe_text("source") { a href=(source_link(source)) { (value(source)) } } }
                        td .number { (count(row.count("requests"))) }
                        td .number { (count(row.count("paths"))) }
                        td { (time(row.text("first"))) }
                        td { (time(row.text("last"))) }
                        td { @if let Some(system) = row.number("system") { a href=(source_link(&format!("AS{system}"))) { "AS" (system) } } }
                        td { (value(row.text("country"))) }
                    } } }
                } }
            }
            @if let Some(statement) = &statement { (sql_of(statement)) }
        })
    })
}

fn from_where(answers: Answers, incident: Row) -> Part {
    part("From where", async move {
        let statement = |bits| networks_of(&incident, bits).map(|statement| (bits, statement));
        let mut shown = None;
        for (bits, statement) in map::SCALES.into_iter().filter_map(statement) {
            let found = rows(&answers, &statement).await?;
            let map = Map::new(&found, bits);
            let is_one = map.is_one();
            shown = Some((map, found, statement));
            // As near as shows all of it.
            if !is_one {
                break;
            }
        }
        let Some((map, found, statement)) = shown else {
            return Ok(html! { p { "Without a rule its requests cannot be told from others." } });
        };
        Ok(html! {
            @if found.is_empty() { p { "None of its requests has an address." } }
            div .beside {
                @if !map.is_empty() { (map.draw()) }
                div .scroll tabindex="0" { table {
                    thead { tr { th { "Network" } th .number { "Requests" } th .number { "Addresses" } } }
                    tbody { @for row in found.get(..NETWORKS).unwrap_or(&found) { tr {
                        td { @if let Some(network) = row.maybe_text("network") { a href=(source_link(network)) { (value(network)) } } }
                        td .number { (count(row.count("requests"))) }
                        td .number { (count(row.count("addresses"))) }
                    } } }
                } }
            }
            (sql_of(&statement))
        })
    })
}

fn with_what(answers: Answers, incident: Row) -> Part {
    part("With what", async move {
        let Some(statement) = compared(&incident) else {
            return Ok(html! { p { "It has no rule that selects its requests." } });
        };
        let found = rows(&answers, &statement).await?;
        let share = |row: &Row, part: &str, whole: &str| {
            let (part, whole) =
                (row.number(part).unwrap_or_default(), row.number(whole).unwrap_or_default());
            if whole > 0.0 { part / whole } else { 0.0 }
        };
        let of = |attribute: &'static str| {
            found.iter().filter(move |row| row.text("attribute") == attribute)
        };
        Ok(html! {
            p .faint { "The share of each value in the attack, and in what else the host was asked from an hour before it to its end." }
            div .scroll tabindex="0" { table {
                thead { tr { th { "Attribute" } th { "Value" } th { "In the attack" } th .number { "Requests" } th { "Ordinary" } th .number { "Requests" } } }
                tbody { @for (attribute, name) in ATTRIBUTES { @for (at, row) in of(attribute).enumerate() {
                    @let (attack, ordinary) = (share(row, "attack", "all_attack"), share(row, "ordinary", "all_ordinary"));
                    tr {
                        td { @if at == 0 { (name) } }
                        td { (value(row.text("value"))) }
                        td .share { meter value=(attack) { } " " (percent(attack)) }
                        td .number { (count(row.count("attack"))) }
                        td .share { meter value=(ordinary) { } " " (percent(ordinary)) }
                        td .number { (count(row.count("ordinary"))) }
                    }
                } } }
            } }
            (sql_of(&statement))
        })
    })
}

/// The rule, and what it would cost.
fn rule(incident: &Row) -> Markup {
    let share = |name: &str| incident.number(name).map(percent);
    html! {
        section {
            h2 { "The rule that selects it" }
            @match incident.maybe_text("fingerprint") {
                None => p { "None was found." },
                Some(rule) => {
                    pre { code { (shown_sql(rule)) } }
                    div .bar { button type="button" data-copy=(rule) { "Copy the rule" } }
                    dl .facts {
                        @if let Some(recall) = share("fingerprint_recall") {
                            div { dt { "Of the attack it selects" } dd { (recall)
                                @if let Some(least) = share("fingerprint_recall_lower") { span .faint { " (at least " (least) ")" } } } }
                        }
                        @if let Some(collateral) = share("fingerprint_collateral") {
                            div { dt { "Of ordinary requests it selects" } dd { (collateral)
                                @if let Some(most) = share("fingerprint_collateral_upper") { span .faint { " (at most " (most) ")" } } } }
                        }
                        @if let Some(precision) = share("fingerprint_precision") {
                            div { dt { "Of what it selects is attack" } dd { (precision) } }
                        }
                    }
                }
            }
        }
    }
}

/// What spoke for it, test by test.
fn evidence(incident: &Row) -> Markup {
    let evidence = incident.json("evidence");
    let tests: Vec<&Value> = evidence.as_array().into_iter().flatten().collect();
    let shown = |test: &Value, name: &str| match test.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => shown_text(text),
        Some(other) => shown_text(&other.to_string()),
    };
    html! {
        section {
            h2 { "Evidence" }
            @if tests.is_empty() { p { "None is told." } } @else {
                div .scroll tabindex="0" { table {
                    thead { tr { th { "What was looked at" } th { "Expected" } th { "Observed" } th .number { "Weight, nats" } th { "By chance" } } }
                    tbody { @for test in &tests { tr {
                        td { (shown(test, "feature")) }
                        td { bdi .value { (shown(test, "expected")) } }
                        td { bdi .value { (shown(test, "observed")) } }
                        td .number { (shown(test, "score")) }
                        td { (shown(test, "p_value")) }
                    } } }
                } }
            }
        }
    }
}

fn exactly(answers: Answers, incident: Row) -> Part {
    part("Exactly these requests", async move {
        let (Some(condition), Some(all)) = (condition_of(&incident), requests_of(&incident)) else {
            return Ok(html! { p { "Without a rule they cannot be told from others." } });
        };
        let statement = format!(
            "SELECT ts, client_ip, method, host, left(path, 513) AS path, left(query, 513) AS query, status, \
             left(user_agent, 513) AS user_agent FROM requests WHERE {condition} ORDER BY ts LIMIT {REQUESTS}"
        );
        let found = rows(&answers, &statement).await?;
        Ok(html! {
            (tables::requests(&found))
            @if found.len() == REQUESTS { p .faint { "The first " (REQUESTS) " of them." } }
            p { (sql_link(&all, "All of them"))
                @if let Some(neighbours) = neighbours(&incident) {
                    " · " (sql_link(&neighbours, "The requests of everybody within ten seconds of its first"))
                } }
            (sql_of(&statement))
        })
    })
}

/// What everybody asked the host about the time of its first request.
fn neighbours(incident: &Row) -> Option<String> {
    let first = incident.time("first_ts")?;
    let span = Span { from: first - NEIGHBOURS, to: first + NEIGHBOURS };
    let host = incident.maybe_text("target_host");
    let host = host.map(|host| format!(" AND host = {}", sql::text(host))).unwrap_or_default();
    Some(format!(
        "SELECT ts, client_ip, method, host, path, query, status, user_agent FROM requests WHERE {}{host} ORDER BY ts",
        span.condition("ts")
    ))
}

fn story(answers: Answers, incident: Row) -> Part {
    part("How it came to be this", async move {
        let statement = revisions(incident.text("incident_id"));
        let found = rows(&answers, &statement).await?;
        Ok(html! {
            div .scroll tabindex="0" { table {
                thead { tr { th { "When" } th { "State" } th { "Kind" } th { "Verdict" } th { "Severity" } th .number { "Requests" } th .number { "Sources" } th { "Rule" } } }
                tbody { @for row in &found { tr {
                    td { (time(row.text("revision_ts"))) }
                    td { (row.text("state")) }
                    td { (row.text("kind").replace('_', " ")) }
                    td { (row.text("verdict")) }
                    td { (severity(row.count("severity"))) }
                    td .number { (count(row.count("requests"))) }
                    td .number { (count(row.count("source_count"))) }
                    td { (value(row.text("fingerprint"))) }
                } } }
            } }
            (sql_of(&statement))
        })
    })
}
