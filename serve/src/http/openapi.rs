//! `/openapi.json`: the interface, written from the code.

use axum::Json;
use utoipa::OpenApi;

/// The interface.
#[derive(Debug, OpenApi)]
#[openapi(
    info(
        title = "Floodmark",
        description = "SQL over the tables, the incidents, and their events. Every statement only reads.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        super::sql::ask,
        super::sql::state,
        super::sql::cancel,
        super::incidents::list,
        super::incidents::one,
        super::events::listen,
        super::health::alive,
        super::health::ready,
    ),
    components(schemas(super::failure::Failure))
)]
pub(super) struct Api;

/// The interface, as JSON.
pub(super) async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Api::openapi())
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;

    use super::*;

    #[test]
    fn the_interface_is_as_written_down() {
        let written = Api::openapi().to_pretty_json().unwrap() + "\n";
        expect_file!["../../openapi.json"].assert_eq(&written);
    }
}
