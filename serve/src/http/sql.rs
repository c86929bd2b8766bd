//! `/api/v1/sql`: somebody's own SQL.

use axum::Json;
use axum::extract::State;
use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use query::{Format, Params};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::App;
use super::body::{content_type, respond};
use super::failure::Failure;
use super::input::{JsonBody, PathOf};
use crate::answers::{Fate, QueryId, Question};

/// A question.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SqlRequest {
    /// One SQL statement that reads.
    #[schema(example = "SELECT kind, target_host FROM attacks")]
    q: String,
    /// `json` (an array), `ndjson`, `csv`, `arrow` (a stream of IPC), `parquet` or `table`; else what `Accept` names,
    /// else `json`.
    format: Option<String>,
    /// Values for placeholders: a list for `$1`, `$2`, …, or an object for `$name`.
    #[schema(value_type = Object)]
    params: Option<Value>,
    /// Rows wanted at most; the answer ends well there.
    max_rows: Option<u64>,
    /// Name of the query, a UUID, for those who may want to cancel it before they have its first row.
    id: Option<String>,
}

impl SqlRequest {
    fn question(&self) -> Result<Question, Failure> {
        let mut question = Question::asked(self.q.as_str());
        if let Some(params) = &self.params {
            let params = Params::from_json(params);
            question = question
                .with_params(params.map_err(|error| Failure::bad_request(error.to_string()))?);
        }
        if let Some(rows) = self.max_rows {
            question = question.with_rows_max(rows);
        }
        if let Some(id) = &self.id {
            question.id = query_id(id)?;
        }
        Ok(question)
    }

    fn format(&self, headers: &HeaderMap) -> Result<Format, Failure> {
        match &self.format {
            Some(name) => name.parse().map_err(Failure::bad_request),
            None => accepted(headers),
        }
    }
}

/// The first format that `Accept` names.
fn accepted(headers: &HeaderMap) -> Result<Format, Failure> {
    let Some(accept) = headers.get(ACCEPT).and_then(|value| value.to_str().ok()) else {
        return Ok(Format::Json);
    };
    let media = |text: &str| text.split(';').next().unwrap_or_default().trim().to_lowercase();
    for wanted in accept.split(',').map(media) {
        if matches!(wanted.as_str(), "*/*" | "application/*" | "") {
            return Ok(Format::Json);
        }
        let known = Format::ALL.into_iter().find(|format| media(content_type(*format)) == wanted);
        if let Some(format) = known {
            return Ok(format);
        }
    }
    let types: Vec<_> = Format::ALL.map(|format| media(content_type(format))).into();
    Err(Failure::new(
        StatusCode::NOT_ACCEPTABLE,
        "request",
        format!("no format is named by `Accept`; there are {}", types.join(", ")),
    ))
}

fn query_id(text: &str) -> Result<QueryId, Failure> {
    text.parse().map_err(|_| {
        Failure::bad_request("the id of a query is a UUID, as in the header `x-floodmark-query-id`")
    })
}

/// Answers one statement.
#[utoipa::path(
    post, path = "/api/v1/sql", tag = "sql", request_body = SqlRequest,
    responses(
        (status = 200, description = "The rows, streamed. Headers: `x-floodmark-query-id`; `x-floodmark-summary` with rows, \
            bytes and seconds as JSON; where they are not known in time, as a trailer to those who send `TE: trailers`. An \
            answer that fails late, or goes beyond what the server hands out, is broken off, and text formats end with a \
            line `{\"error\": …}`, where the client reads on.",
            content(
                (String = "application/json"), (String = "application/x-ndjson"), (String = "text/csv"),
                (Vec<u8> = "application/vnd.apache.arrow.stream"), (Vec<u8> = "application/vnd.apache.parquet"),
                (String = "text/plain"))),
        (status = 400, description = "The request or the statement is wrong.", body = Failure),
        (status = 403, description = "The statement does more than read, or a page of somebody else sent it.", body = Failure),
        (status = 406, description = "`Accept` names no format.", body = Failure),
        (status = 408, description = "The body took too long to come.", body = Failure),
        (status = 409, description = "A query of this id runs, or it was cancelled.", body = Failure),
        (status = 413, description = "The statement is too long.", body = Failure),
        (status = 415, description = "The body is no JSON by its `Content-Type`.", body = Failure),
        (status = 500, description = "The tables cannot be read.", body = Failure),
        (status = 503, description = "Too many queries run and wait, or the server stops.", body = Failure),
        (status = 504, description = "The query took too long before its first row.", body = Failure),
    )
)]
pub(super) async fn ask(
    State(app): State<App>,
    headers: HeaderMap,
    JsonBody(request): JsonBody<SqlRequest>,
) -> Result<Response, Failure> {
    let format = request.format(&headers)?;
    let reply = app.answers.bytes(request.question()?, format).await?;
    Ok(respond(reply, format).await)
}

/// What became of a query.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "state")]
pub(crate) enum QueryState {
    /// It waits or runs.
    Running,
    /// It came to its end.
    Done {
        /// Rows handed out.
        rows: u64,
        /// Bytes of them.
        bytes: u64,
        /// How long it ran.
        seconds: f64,
        /// Why there are no more rows, where there would have been.
        cut: Option<String>,
    },
    /// It failed.
    Failed {
        /// For programs.
        code: &'static str,
        /// For people.
        message: String,
    },
}

impl From<Fate> for QueryState {
    fn from(fate: Fate) -> Self {
        match fate {
            Fate::Running => Self::Running,
            Fate::Done(summary) => Self::Done {
                rows: summary.rows,
                bytes: summary.bytes,
                seconds: summary.time.as_secs_f64(),
                cut: summary.cut.map(|cut| cut.to_string()),
            },
            Fate::Failed { code, message } => Self::Failed { code, message },
        }
    }
}

fn unknown() -> Failure {
    Failure::not_found("no query of this id runs, or has ended lately")
}

/// Tells what became of a query, while it runs and for a while after.
#[utoipa::path(
    get, path = "/api/v1/sql/{id}", tag = "sql", params(("id" = String, Path, description = "Name of the query.")),
    responses((status = 200, body = QueryState), (status = 404, body = Failure))
)]
pub(super) async fn state(
    State(app): State<App>,
    PathOf(id): PathOf,
) -> Result<Json<QueryState>, Failure> {
    let fate = app.answers.fate(query_id(&id)?).ok_or_else(unknown)?;
    Ok(Json(fate.into()))
}

/// Stops a query.
#[utoipa::path(
    delete, path = "/api/v1/sql/{id}", tag = "sql", params(("id" = String, Path, description = "Name of the query.")),
    responses((status = 202, description = "It was told to stop."), (status = 404, body = Failure))
)]
pub(super) async fn cancel(
    State(app): State<App>,
    PathOf(id): PathOf,
) -> Result<Response, Failure> {
    if app.answers.cancel(query_id(&id)?) {
        Ok(StatusCode::ACCEPTED.into_response())
    } else {
        Err(unknown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(text: &str) -> Result<Format, StatusCode> {
        let headers = HeaderMap::from_iter([(ACCEPT, text.parse().unwrap())]);
        accepted(&headers).map_err(|failure| failure.status())
    }

    #[test]
    fn the_format_is_the_first_that_is_accepted() {
        assert_eq!(accepted(&HeaderMap::new()).unwrap(), Format::Json);
        assert_eq!(accept("*/*"), Ok(Format::Json));
        assert_eq!(accept("text/csv"), Ok(Format::Csv));
        assert_eq!(accept("text/html, Text/CSV;q=0.9, */*"), Ok(Format::Csv));
        assert_eq!(accept("application/vnd.apache.parquet"), Ok(Format::Parquet));
        assert_eq!(accept("image/png"), Err(StatusCode::NOT_ACCEPTABLE));
    }
}
