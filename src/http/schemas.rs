//! The schemas, as they are.

use actix_web::web::{Path, Query};
use actix_web::{HttpResponse, get};
use serde::Deserialize;
use serde_json::json;

use super::error::{ApiError, ApiResult};
use crate::model::schema::Registry;

/// Every kind with its versions.
#[utoipa::path(tag = "schemas", responses((status = 200)), security(()))]
#[get("/v1/schemas")]
pub(crate) async fn list() -> HttpResponse {
    let schemas: Vec<_> = Registry::embedded()
        .schemas()
        .map(|schema| {
            json!({
                "kind": schema.kind(),
                "version": schema.version(),
                "title": schema.title(),
                "href": format!("/v1/schemas/{}?version={}", schema.kind(), schema.version()),
            })
        })
        .collect();
    HttpResponse::Ok().json(json!({"schemas": schemas}))
}

/// Which version.
#[derive(Deserialize)]
pub struct Which {
    version: Option<i32>,
}

/// One kind's schema: JSON Schema 2020-12 with our annotations.
#[utoipa::path(
    tag = "schemas",
    params(("kind" = String, Path), ("version" = Option<i32>, Query)),
    responses((status = 200, content_type = "application/schema+json")),
    security(())
)]
#[get("/v1/schemas/{kind}")]
pub(crate) async fn show(kind: Path<String>, which: Query<Which>) -> ApiResult<HttpResponse> {
    let registry = Registry::embedded();
    let schema = match which.version {
        Some(version) => registry.schema(&kind, version),
        None => registry.latest(&kind),
    };
    let schema = schema.ok_or_else(|| ApiError::not_found("schema"))?;
    Ok(HttpResponse::Ok().content_type("application/schema+json").body(schema.raw().to_owned()))
}
