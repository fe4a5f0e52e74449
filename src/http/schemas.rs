//! The schemas, as they are.

use actix_web::web::{Path, Query};
use actix_web::{HttpResponse, get};
use serde::{Deserialize, Serialize};

use super::error::{ApiError, ApiResult};
use crate::model::schema::Registry;

/// The schemas that this server knows.
#[derive(Serialize, utoipa::ToSchema)]
struct Schemas {
    /// Every kind with every version.
    schemas: Vec<Listed>,
}

/// One version of one kind.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SchemaEntry)]
struct Listed {
    /// The kind of record.
    kind: &'static str,
    /// The schema's version.
    version: i32,
    /// The kind as people call it.
    title: &'static str,
    /// Where the schema is.
    href: String,
}

/// Every kind with its versions.
#[utoipa::path(tag = "schemas", responses((status = 200, body = Schemas)), security(()))]
#[get("/v1/schemas")]
pub(crate) async fn list() -> HttpResponse {
    let listed = Registry::embedded().schemas().map(|schema| Listed {
        kind: schema.kind(),
        version: schema.version(),
        title: schema.title(),
        href: format!("/v1/schemas/{}?version={}", schema.kind(), schema.version()),
    });
    HttpResponse::Ok().json(Schemas { schemas: listed.collect() })
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
    responses((status = 200, body = Object, content_type = "application/schema+json")),
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
