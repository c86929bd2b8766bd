//! `/openapi.json`: the interface, written from the code.

use axum::Json;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{self, ContentBuilder, Ref, ResponseBuilder};
use utoipa::{Modify, OpenApi};

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
    components(schemas(super::failure::Failure)),
    modifiers(&OfAll)
)]
pub(super) struct Api;

/// What holds for every question: who may ask, and what those are told who may not.
struct OfAll;

/// Paths that need no token.
const OPEN: [&str; 1] = ["/healthz"];

impl Modify for OfAll {
    fn modify(&self, api: &mut openapi::OpenApi) {
        let components = api.components.get_or_insert_default();
        for (name, scheme) in
            [("token", HttpAuthScheme::Bearer), ("password", HttpAuthScheme::Basic)]
        {
            let scheme = SecurityScheme::Http(Http::new(scheme));
            components.add_security_scheme(name, scheme);
        }
        // A server at the loopback address may ask for none.
        let either = ["token", "password"].map(|name| SecurityRequirement::new(name, [""; 0]));
        let either: Vec<_> = either.into_iter().chain([SecurityRequirement::default()]).collect();
        for (path, item) in &mut api.paths.paths {
            let all = [&mut item.get, &mut item.post, &mut item.delete];
            for operation in all.into_iter().filter_map(Option::as_mut) {
                tell(operation, "421", "It was asked by a name that is not its own.");
                if OPEN.contains(&path.as_str()) {
                    continue;
                }
                operation.security = Some(either.clone());
                tell(operation, "401", "The token is missing or wrong.");
                tell(operation, "403", "A page of somebody else sent the request.");
            }
        }
    }
}

/// Adds a failure to what an operation may answer.
fn tell(operation: &mut Operation, status: &str, says: &str) {
    let body = ContentBuilder::new().schema(Some(Ref::from_schema_name("Failure"))).build();
    let response = ResponseBuilder::new().description(says).content("application/json", body);
    operation.responses.responses.entry(status.to_owned()).or_insert(response.into());
}

/// The interface, as JSON.
pub(super) async fn openapi() -> Json<openapi::OpenApi> {
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

    #[test]
    fn who_may_ask_and_what_all_may_be_told_is_written_down() {
        let api = serde_json::to_value(Api::openapi()).unwrap();
        for (path, item) in api["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let is_open = path == "/healthz";
                let told = |status: &str| operation["responses"].get(status).is_some();
                assert!(told("421"), "{method} {path}");
                assert_eq!((told("401"), told("403")), (!is_open, !is_open), "{method} {path}");
                assert_eq!(operation.get("security").is_some(), !is_open, "{method} {path}");
            }
        }
        assert_eq!(api["components"]["securitySchemes"]["token"]["scheme"], "bearer");
    }
}
