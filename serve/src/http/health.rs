//! Whether it works.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use super::failure::Failure;
use crate::answers::Fault;

/// Says that the server answers; needs no token.
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, description = "It answers.", body = String)))]
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// What the tables are.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ready {
    /// Name and version of each table.
    tables: Vec<TableVersion>,
}

/// A table.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TableVersion {
    /// Its name.
    name: &'static str,
    /// Its last commit; null while it does not exist.
    version: Option<u64>,
}

/// Says that the tables can be read, and how far they are.
#[utoipa::path(
    get, path = "/readyz", tag = "health",
    responses((status = 200, body = Ready), (status = 500, description = "The tables cannot be read.", body = Failure))
)]
pub(super) async fn ready(State(app): State<App>) -> Result<Json<Ready>, Failure> {
    let versions = app.answers.versions().await.map_err(Fault::from)?;
    let tables = versions.into_iter().map(|(name, version)| TableVersion { name, version });
    Ok(Json(Ready { tables: tables.collect() }))
}
