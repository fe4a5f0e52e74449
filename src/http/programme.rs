//! The programme's settings.

use actix_web::http::StatusCode;
use actix_web::http::header::{ETAG, IF_MATCH};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get, put};

use super::access::{Access, JsonBody};
use super::error::{ApiError, ApiResult};
use super::state::AppState;
use crate::auth::permission::{ReadProgramme, SetProgramme};
use crate::programme::Programme;

/// The programme: country, administrative units, treaty dates, rules of counting.
#[utoipa::path(tag = "programme", responses((status = 200, body = Programme)))]
#[get("/v1/programme")]
pub(crate) async fn show(_: Access<ReadProgramme>, state: Data<AppState>) -> ApiResult<HttpResponse> {
    let (programme, revision) = state.store(crate::store::Store::programme).await?;
    Ok(HttpResponse::Ok().insert_header((ETAG, format!("\"{revision}\""))).json(programme))
}

/// Set the programme. With `If-Match`, only if nobody has changed it since.
#[utoipa::path(
    tag = "programme",
    params(("If-Match" = Option<String>, Header, description = "The ETag of the programme that was changed")),
    request_body = Programme,
    responses((status = 204))
)]
#[put("/v1/programme")]
pub(crate) async fn set(
    access: Access<SetProgramme>,
    request: HttpRequest,
    state: Data<AppState>,
    body: JsonBody<Programme>,
) -> ApiResult<HttpResponse> {
    let body = body.read()?;
    let by = access.actor.account;
    let seen = seen(&request)?;
    let revision = state.store(move |store| store.set_programme(body, seen, Some(by))).await?;
    Ok(HttpResponse::NoContent().insert_header((ETAG, format!("\"{revision}\""))).finish())
}

/// The revision that was changed, where one is named.
///
/// # Errors
/// 412 for what no programme of ours is named: whoever cannot say what they saw has not seen this one.
fn seen(request: &HttpRequest) -> ApiResult<Option<i32>> {
    let Some(tag) = request.headers().get(IF_MATCH) else { return Ok(None) };
    let tag = tag.to_str().unwrap_or_default().trim();
    if tag == "*" {
        return Ok(None);
    }
    // A proxy that packs the answer makes the tag a weak one.
    let revision = tag.trim_start_matches("W/").trim_matches('"').parse();
    revision.map(Some).map_err(|_unreadable| {
        let detail = format!("If-Match: {tag} is no ETag of the programme: read it again");
        ApiError::new(StatusCode::PRECONDITION_FAILED, "stale", detail)
    })
}
