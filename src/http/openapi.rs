//! The API's description, generated from the handlers.

use utoipa::Modify;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr, Response};

use super::error::ProblemDetails;

/// What the handlers do not say themselves.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Cartagena",
        description = "Records, sync, review and the ledger of a mine-clearance programme. Times are RFC 3339 UTC, \
                       areas m², coordinates lon/lat on WGS 84. No record is not evidence of no contamination; a \
                       status is not a safety certificate.",
    ),
    components(schemas(ProblemDetails)),
    security(("bearer" = [])),
    modifiers(&Bearer)
)]
pub struct Api;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        let components = api.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// Adds the problem that every operation may answer with.
pub fn with_problems(mut api: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    let schema = RefOr::Ref(Ref::from_schema_name("ProblemDetails"));
    for item in api.paths.paths.values_mut() {
        let operations = [
            &mut item.get,
            &mut item.post,
            &mut item.put,
            &mut item.patch,
            &mut item.delete,
            &mut item.head,
            &mut item.options,
        ];
        for operation in operations.into_iter().flatten() {
            let mut response = Response::new("A problem (RFC 9457): what was wrong, where, and what to do");
            response
                .content
                .insert("application/problem+json".to_owned(), RefOr::T(Content::new(Some(schema.clone()))));
            operation.responses.responses.insert("default".to_owned(), RefOr::T(response));
        }
    }
    api
}
