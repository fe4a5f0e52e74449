//! One feature.

use actix_web::http::header::ETAG;
use actix_web::web::{self, Data, Path};
use actix_web::{HttpRequest, HttpResponse, get};
use serde_json::{Value, json};
use uuid::Uuid;

use super::collections::find;
use super::html;
use super::question::Question;
use super::reply::{Format, GEOJSON, JSON, fresh, page};
use crate::auth::permission::ReadRecords;
use crate::http::error::{ApiError, ApiResult};
use crate::http::map_access::MapAccess;
use crate::http::state::AppState;
use crate::ogc::feature::{Feature, Form};
use crate::ogc::page::Link;

/// One feature. A record's `ETag` is its version, which an edit names in `If-Match`.
#[utoipa::path(tag = "ogc", params(("collection" = String, Path), ("id" = String, Path), ("crs" = Option<String>, Query), ("as_of" = Option<String>, Query), ("f" = Option<String>, Query)), responses((status = 200, body = Object, content_type = "application/geo+json")))]
#[get("/ogc/collections/{collection}/items/{id}")]
pub(crate) async fn show(
    access: MapAccess<ReadRecords>,
    request: HttpRequest,
    state: Data<AppState>,
    path: Path<(String, String)>,
) -> ApiResult<HttpResponse> {
    let (collection, id) = path.into_inner();
    let collection = find(&access, &collection)?;
    let question = Question::about_one(&request, &access, &state, collection).await?;
    let id = read_id(&id)?;
    let (question, feature) =
        web::block(move || question.find(&state, id).map(|feature| (question, feature))).await??;
    Ok(respond(&question, &feature))
}

/// An id in an address; what is none names no feature.
pub(super) fn read_id(text: &str) -> ApiResult<Uuid> {
    Uuid::parse_str(text).map_err(|_unknown| ApiError::not_found("feature"))
}

fn respond(question: &Question, feature: &Feature) -> HttpResponse {
    let Question { address, collection, crs, .. } = question;
    let form = Form::new(collection, None, *crs);
    let mut response = fresh(HttpResponse::Ok());
    if let Some(version) = feature.properties.get("version").and_then(Value::as_str) {
        response.insert_header((ETAG, format!("\"{version}\"")));
    }
    if address.format == Format::Html {
        return page(&html::feature(address, collection, &form, feature));
    }
    let mut links = address.own_links(GEOJSON);
    let up = address.at(&format!("/collections/{}", collection.id));
    links.push(Link::new("collection", up, JSON).titled(collection.title.clone()));
    let mut out = Vec::new();
    form.write_open(&mut out, feature);
    out.extend_from_slice(b",\"links\":");
    out.extend_from_slice(json!(links).to_string().as_bytes());
    out.push(b'}');
    response.insert_header(("Content-Crs", format!("<{crs}>"))).content_type(GEOJSON).body(out)
}
