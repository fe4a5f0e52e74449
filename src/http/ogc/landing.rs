//! The landing page and the conformance classes, for anybody: they say nothing of the programme's ground.

use actix_web::{HttpRequest, HttpResponse, get};
use serde_json::json;

use super::reply::{Address, HTML, JSON, OPENAPI};
use crate::http::error::ApiResult;
use crate::model::STATEMENT;
use crate::ogc::CONFORMANCE;
use crate::ogc::page::Link;

/// Where everything is.
#[utoipa::path(tag = "ogc", security(()), params(("f" = Option<String>, Query)), responses((status = 200, body = Object)))]
#[get("/ogc")]
pub(crate) async fn show(request: HttpRequest) -> ApiResult<HttpResponse> {
    landing(&request)
}

/// The same: programs ask with a slash and without.
#[utoipa::path(tag = "ogc", security(()), params(("f" = Option<String>, Query)), responses((status = 200, body = Object)))]
#[get("/ogc/")]
pub(crate) async fn show_with_slash(request: HttpRequest) -> ApiResult<HttpResponse> {
    landing(&request)
}

fn landing(request: &HttpRequest) -> ApiResult<HttpResponse> {
    let address = Address::read(request, |_| false)?;
    let mut links = address.own_links(JSON);
    links.extend([
        Link::new("service-desc", address.at("/api"), OPENAPI).titled("The API's definition"),
        Link::new("service-doc", address.at("/api?f=html"), HTML).titled("The API's documentation"),
        Link::new("conformance", address.at("/conformance"), JSON).titled("Conformance classes"),
        Link::new("http://www.opengis.net/def/rel/ogc/1.0/conformance", address.at("/conformance"), JSON),
        Link::new("data", address.at("/collections"), JSON).titled("Collections"),
        Link::new("http://www.opengis.net/def/rel/ogc/1.0/data", address.at("/collections"), JSON),
        Link::new(super::tilesets::SCHEMES, address.at("/tileMatrixSets"), JSON).titled("Tile matrix sets"),
    ]);
    let title = "Cartagena: records of a mine-clearance programme";
    let document = json!({"title": title, "description": STATEMENT, "links": links});
    Ok(address.respond(JSON, &document, title))
}

/// What this API keeps to.
#[utoipa::path(tag = "ogc", security(()), params(("f" = Option<String>, Query)), responses((status = 200, body = Object)))]
#[get("/ogc/conformance")]
pub(crate) async fn conformance(request: HttpRequest) -> ApiResult<HttpResponse> {
    let address = Address::read(&request, |_| false)?;
    Ok(address.respond(JSON, &json!({"conformsTo": CONFORMANCE}), "Conformance classes"))
}
