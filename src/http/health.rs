//! Whether the server lives, is ready, and how it fares.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use serde::Serialize;

use super::error::ApiResult;
use super::state::AppState;

/// How the server is.
#[derive(Serialize, utoipa::ToSchema)]
struct Health {
    /// `alive` or `ready`.
    status: &'static str,
}

/// Whether the process lives.
#[utoipa::path(tag = "operation", responses((status = 200, body = Health)), security(()))]
#[get("/healthz")]
pub(crate) async fn live() -> HttpResponse {
    say_alive().await
}

/// Whether requests can be served: the database answers.
#[utoipa::path(tag = "operation", responses((status = 200, body = Health)), security(()))]
#[get("/readyz")]
pub(crate) async fn ready(state: Data<AppState>) -> ApiResult<HttpResponse> {
    say_ready(state).await
}

/// The answer of `GET /healthz`, and of `HEAD`, by which load balancers probe.
pub(super) async fn say_alive() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "alive" })
}

/// The answer of `GET /readyz` and of `HEAD`.
pub(super) async fn say_ready(state: Data<AppState>) -> ApiResult<HttpResponse> {
    state.store(crate::store::Store::ready).await?;
    Ok(HttpResponse::Ok().json(Health { status: "ready" }))
}

/// Prometheus metrics.
#[utoipa::path(
    tag = "operation",
    responses((status = 200, body = String, content_type = "text/plain")),
    security(())
)]
#[get("/metrics")]
pub(crate) async fn metrics(state: Data<AppState>) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(state.metrics.render())
}
