//! Rows as tables.

use maud::{Markup, html};

use super::layout::{count, encoded, severity, source_link, time, value};
use crate::questions::Row;

/// Where an incident is told.
pub(super) fn incident_link(id: &str) -> String {
    format!("/incident/{}", encoded(id))
}

/// Incidents, one a line.
pub(super) fn incidents(found: &[Row]) -> Markup {
    if found.is_empty() {
        return html! { p { "None." } };
    }
    html! {
        div .scroll tabindex="0" { table {
            thead { tr { th { "Severity" } th { "What" } th { "Where" } th { "Since" } th { "Last seen" } th .number { "Requests" } th { "State" } } }
            tbody { @for row in found { tr {
                td { (severity(row.count("severity"))) }
                td { a href=(incident_link(row.text("incident_id"))) { (row.text("kind").replace('_', " ")) }
                    @if row.text("verdict") != "attack" { " " span .faint { (row.text("verdict")) } } }
                td { @match row.maybe_text("target_host") {
                    Some(host) => (value(host)),
                    None => span .faint { "several or unknown" },
                } }
                td { (time(row.text("first_ts"))) }
                td { (time(row.text("last_ts"))) }
                td .number { (count(row.count("requests"))) }
                td { @if row.text("state") == "close" { "over" } @else { strong { "open" } } }
            } } }
        } }
    }
}

/// Requests, one a line.
pub(super) fn requests(found: &[Row]) -> Markup {
    if found.is_empty() {
        return html! { p { "None." } };
    }
    html! {
        div .scroll tabindex="0" { table {
            thead { tr { th { "Time" } th { "Client" } th { "Method" } th { "Host" } th { "Path" } th { "Query" } th .number { "Status" } th { "User agent" } } }
            tbody { @for row in found { tr {
                td { (time(row.text("ts"))) }
                td { @if let Some(client) = row.maybe_text("client_ip") { a href=(source_link(client)) { (value(client)) } } }
                td { (value(row.text("method"))) }
                td { (value(row.text("host"))) }
                td { (value(row.text("path"))) }
                td { (value(row.text("query"))) }
                td .number { @if let Some(status) = row.number("status") { (status) } }
                td { (value(row.text("user_agent"))) }
            } } }
        } }
    }
}
