//! `/api/v1/incidents`: what was found.
#![expect(unused_qualifications, reason = "utoipa writes them")]

use axum::Json;
use axum::extract::State;
use schemas::Verdict;
use schemas::kinds::{Class, Kind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::failure::Failure;
use super::input::{PathOf, QueryOf};
use crate::questions::{
    Filter, LIMIT_MAX, Place, Row, of_incident, requests_of, revisions, rows, sql,
};

/// Incidents of a list where nobody says how many.
const LIMIT: u32 = 100;

/// Which incidents.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct IncidentsQuery {
    /// Of this host.
    pub(crate) host: Option<String>,
    /// Of this kind, such as `http_flood`.
    pub(crate) kind: Option<String>,
    /// Of this class: `volume`, `credentials`, `discovery`, `copying`, `connections`, `benign`.
    pub(crate) class: Option<String>,
    /// `attack`, `suspicious` or `benign`; without it all but those that are benign.
    pub(crate) verdict: Option<String>,
    /// `open` for those alone that are not over.
    pub(crate) state: Option<String>,
    /// Whose last request was then or later: RFC 3339, or a day.
    pub(crate) since: Option<String>,
    /// Whose first request was before: RFC 3339, or a day.
    pub(crate) until: Option<String>,
    /// Those after the last of another answer: its `next`.
    pub(crate) after: Option<String>,
    /// How many, the latest first; 100 where nobody says, 1,000 at most.
    pub(crate) limit: Option<u32>,
}

/// A value that is one of a few.
fn one_of(name: &str, given: Option<&str>, known: &[&str]) -> Result<Option<String>, Failure> {
    match given.filter(|given| !given.is_empty()) {
        Some(given) if !known.contains(&given) => Err(Failure::bad_request(format!(
            "{name} `{}` is unknown; there are {}",
            schemas::text::escape(given),
            known.join(", ")
        ))),
        given => Ok(given.map(str::to_owned)),
    }
}

impl IncidentsQuery {
    fn place(&self) -> Result<Option<Place>, Failure> {
        let Some(after) = self.after.as_deref().filter(|after| !after.is_empty()) else {
            return Ok(None);
        };
        let place = Place::parse(after).ok_or_else(|| {
            Failure::bad_request("`after` is none of the places that an answer has as `next`")
        });
        place.map(Some)
    }

    pub(crate) fn filter(&self) -> Result<Filter, Failure> {
        let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        let classes: Vec<&str> = Class::ALL.iter().map(|class| class.as_str()).collect();
        let verdicts: Vec<&str> = Verdict::ALL.iter().map(|verdict| verdict.as_str()).collect();
        let time = |given: &Option<String>| {
            let given = given.as_deref().filter(|given| !given.is_empty());
            given.map(sql::parse_time).transpose().map_err(Failure::bad_request)
        };
        Ok(Filter {
            // As they are in the tables.
            host: self.host.as_deref().map(str::to_lowercase).filter(|host| !host.is_empty()),
            kind: one_of("kind", self.kind.as_deref(), &kinds)?,
            class: one_of("class", self.class.as_deref(), &classes)?,
            verdict: one_of("verdict", self.verdict.as_deref(), &verdicts)?,
            only_open: one_of("state", self.state.as_deref(), &["open", "all"])?.as_deref()
                == Some("open"),
            since: time(&self.since)?,
            until: time(&self.until)?,
            after: self.place()?,
            limit: self.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX),
        })
    }
}

/// A list of incidents.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "it is the name in JSON")]
pub(crate) struct Incidents {
    /// The latest revision of each, with the columns of the table `incidents`; `evidence` is a list.
    #[schema(value_type = Vec<Object>)]
    incidents: Vec<Map<String, Value>>,
    /// Whether there are more.
    more: bool,
    /// Where there are more: the same question with this as `after` has those that follow.
    next: Option<String>,
    /// The statement that finds them.
    sql: String,
}

/// Finds incidents, the latest first.
#[utoipa::path(
    get, path = "/api/v1/incidents", tag = "incidents", params(IncidentsQuery),
    responses(
        (status = 200, body = Incidents), (status = 400, body = Failure),
        (status = 500, description = "The tables cannot be read.", body = Failure),
        (status = 503, description = "Too many queries run and wait, or the server stops.", body = Failure)
    )
)]
pub(super) async fn list(
    State(app): State<App>,
    QueryOf(query): QueryOf<IncidentsQuery>,
) -> Result<Json<Incidents>, Failure> {
    let filter = query.filter()?;
    let sql = filter.statement();
    let mut found = rows(&app.answers, &sql).await?;
    let limit = filter.limit as usize;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).and_then(Place::of).map(|place| place.to_string());
    Ok(Json(Incidents { incidents: found.into_iter().map(plain).collect(), more, next, sql }))
}

/// An incident, with its evidence as the list that it is.
pub(super) fn plain(mut row: Row) -> Map<String, Value> {
    let evidence = row.json("evidence");
    if evidence.is_array() {
        row.0.insert("evidence".to_owned(), evidence);
    }
    row.0
}

/// One incident.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IncidentAnswer {
    /// Its latest revision, with the columns of the table `incidents`; `evidence` is a list.
    #[schema(value_type = Object)]
    incident: Map<String, Value>,
    /// How it came to be that, revision by revision.
    #[schema(value_type = Vec<Object>)]
    revisions: Vec<Map<String, Value>>,
    /// The statement that finds its requests; null where it has no fingerprint.
    requests_sql: Option<String>,
}

/// Tells all of one incident.
#[utoipa::path(
    get, path = "/api/v1/incidents/{id}", tag = "incidents",
    params(("id" = String, Path, description = "`incident_id`.")),
    responses(
        (status = 200, body = IncidentAnswer), (status = 400, body = Failure), (status = 404, body = Failure),
        (status = 500, description = "The tables cannot be read.", body = Failure),
        (status = 503, description = "Too many queries run and wait, or the server stops.", body = Failure)
    )
)]
pub(super) async fn one(
    State(app): State<App>,
    PathOf(id): PathOf,
) -> Result<Json<IncidentAnswer>, Failure> {
    let (incident, revisions) = (of_incident(&id), revisions(&id));
    let (found, revisions) =
        futures::try_join!(rows(&app.answers, &incident), rows(&app.answers, &revisions))?;
    let incident = found.into_iter().next().ok_or_else(|| unknown(&id))?;
    let requests_sql = requests_of(&incident);
    Ok(Json(IncidentAnswer {
        incident: plain(incident),
        revisions: revisions.into_iter().map(|row| row.0).collect(),
        requests_sql,
    }))
}

pub(super) fn unknown(id: &str) -> Failure {
    Failure::not_found(format!("no incident has the id `{}`", schemas::text::escape(id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unknown_is_named_with_what_there_is() {
        let query = IncidentsQuery { kind: Some("flood".into()), ..IncidentsQuery::default() };
        let failure = query.filter().unwrap_err();
        assert!(failure.message().starts_with("kind `flood` is unknown; there are http_flood, "));
        let query = IncidentsQuery { since: Some("now".into()), ..IncidentsQuery::default() };
        assert!(query.filter().is_err());
        let query = IncidentsQuery {
            class: Some("volume".into()),
            since: Some("2026-03-01".into()),
            limit: Some(9_999),
            ..IncidentsQuery::default()
        };
        let statement = query.filter().unwrap().statement();
        assert!(statement.contains("kind IN ('http_flood', "), "{statement}");
        assert!(statement.contains("last_ts >= '2026-03-01T00:00:00Z'"), "{statement}");
        assert!(statement.ends_with("LIMIT 1001"), "{statement}");
    }
}
