//! Records: the list, one of them, its history, and its way through the review.

use std::collections::BTreeMap;

use actix_web::http::header::{ETAG, IF_MATCH};
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, get, patch, post};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::access::{Access, JsonBody};
use super::attachments::Count;
use super::error::{ApiError, ApiResult};
use super::figures::members;
use super::state::AppState;
use crate::auth::permission::{CorrectRecords, ReadRecords, Review};
use crate::geometry::fault::Fault;
use crate::geometry::measure;
use crate::geometry::outline::{Limits, Outline};
use crate::geometry::shape::{read_geojson, to_geojson};
use crate::model::record::Feature;
use crate::model::{Change, ReviewAction, Stage};
use crate::store::StoreError;
use crate::store::edit::Seen;
use crate::store::history::HistoryEntry;
use crate::store::named::Named;
use crate::store::record::RecordQuery;
use crate::store::waiting::Queue;
use crate::sync::Answer;

/// Which records.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    kind: Option<String>,
    stage: Option<Stage>,
    organisation: Option<Uuid>,
    contested: Option<bool>,
    /// `min_lon,min_lat,max_lon,max_lat`
    bbox: Option<String>,
    /// Part of a reference, an operator's own reference or a name.
    named: Option<String>,
    /// Retired ones too.
    #[serde(default)]
    retired: bool,
    /// Where the page before ended.
    after: Option<i64>,
    /// Rows of a page.
    limit: Option<i64>,
}

/// Records at their latest state, as a GeoJSON `FeatureCollection`.
#[utoipa::path(tag = "records", params(Which), responses((status = 200, content_type = "application/geo+json")))]
#[get("/v1/records")]
pub(crate) async fn list(
    access: Access<ReadRecords>,
    state: Data<AppState>,
    which: Query<Which>,
) -> ApiResult<HttpResponse> {
    let which = which.into_inner();
    // A mistyped question must not read as "there is nothing".
    if let Some(kind) =
        which.kind.as_deref().filter(|kind| state.blocking_store().registry().latest(kind).is_none())
    {
        let kinds = state.blocking_store().registry().kinds().collect::<Vec<_>>().join(", ");
        return Err(ApiError::bad_request("query", format!("kind={kind}: one of {kinds}")));
    }
    if which.limit.is_some_and(|limit| limit < 1) {
        return Err(ApiError::bad_request("query", "limit is at least 1"));
    }
    let query = RecordQuery {
        kind: which.kind,
        stage: which.stage,
        organisation: which.organisation,
        author: None,
        contested: which.contested,
        bbox: which.bbox.as_deref().map(read_bbox).transpose()?,
        named: which.named.as_deref().and_then(Named::part),
        retired: which.retired,
        after: which.after.unwrap_or(0),
        limit: which.limit.unwrap_or(100).clamp(1, state.limits.list_rows),
    };
    let sight = access.actor.sight();
    let page = state.store(move |store| store.list_records(&query, sight)).await?;
    Ok(collection(&page.features, page.next))
}

fn collection(features: &[Feature], next: Option<i64>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/geo+json")
        .json(json!({"type": "FeatureCollection", "features": features, "next": next}))
}

/// Reads a box as a question names it.
pub(super) fn read_bbox(text: &str) -> ApiResult<[f64; 4]> {
    let numbers: Vec<f64> = text.split(',').filter_map(|number| number.trim().parse().ok()).collect();
    let bbox = <[f64; 4]>::try_from(numbers).ok();
    let upright = |[west, south, east, north]: &[f64; 4]| west <= east && south <= north;
    bbox.filter(upright).ok_or_else(|| {
        ApiError::bad_request(
            "bbox",
            "bbox is min_lon,min_lat,max_lon,max_lat, the smaller before the larger",
        )
    })
}

/// One record. Its `ETag` is its version; `attachments` says how many files it claims and how many are here.
#[utoipa::path(tag = "records", params(("id" = Uuid, Path)), responses((status = 200, content_type = "application/geo+json")))]
#[get("/v1/records/{id}")]
pub(crate) async fn show(
    access: Access<ReadRecords>,
    state: Data<AppState>,
    id: Path<Uuid>,
) -> ApiResult<HttpResponse> {
    let (id, sight) = (id.into_inner(), access.actor.sight());
    let (feature, files) = state
        .store(move |store| {
            let feature = store.find_record(id, sight)?;
            Ok((feature, Count::of(&store.list_claims(id, sight)?)))
        })
        .await?;
    let mut shown = members(&feature)?;
    shown.insert("attachments".to_owned(), json!(files));
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, format!("\"{}\"", feature.version)))
        .content_type("application/geo+json")
        .json(shown))
}

/// Every version of a record.
#[derive(Serialize, utoipa::ToSchema)]
struct History {
    record: Uuid,
    versions: Vec<HistoryEntry>,
}

/// Every version of a record with who, when and what changed.
#[utoipa::path(tag = "records", params(("id" = Uuid, Path)), responses((status = 200, body = History)))]
#[get("/v1/records/{id}/history")]
pub(crate) async fn history(
    access: Access<ReadRecords>,
    state: Data<AppState>,
    id: Path<Uuid>,
) -> ApiResult<HttpResponse> {
    let (id, sight) = (id.into_inner(), access.actor.sight());
    let versions = state.store(move |store| store.history(id, sight)).await?;
    Ok(HttpResponse::Ok().json(History { record: id, versions }))
}

/// A step of the review.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    action: ReviewAction,
    /// Required to return and to reject, and to finalise what a finding of severity `hold` speaks against.
    reason: Option<String>,
}

/// Take a step of a record's review. `If-Match` names the version that was reviewed.
#[utoipa::path(tag = "records", params(("id" = Uuid, Path), ("If-Match" = String, Header)), request_body = Step, responses((status = 200, body = Answer)))]
#[post("/v1/records/{id}/stage")]
pub(crate) async fn review(
    access: Access<Review>,
    request: HttpRequest,
    state: Data<AppState>,
    id: Path<Uuid>,
    step: JsonBody<Step>,
) -> ApiResult<HttpResponse> {
    let step = step.read()?;
    let seen = if_match(&request)?;
    let (id, actor) = (id.into_inner(), access.actor);
    let answer = state
        .store(move |store| {
            store.find_record(id, actor.sight())?;
            store.review(actor, id, seen, step.action, step.reason)
        })
        .await?;
    let version = answer.version.unwrap_or_default();
    Ok(HttpResponse::Ok().insert_header((ETAG, format!("\"{version}\""))).json(answer))
}

/// What is changed.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// `{"field": {"to": value}}`; `geometry` is a field too, null empties one.
    #[schema(value_type = Object)]
    changes: BTreeMap<String, Change>,
    /// Why.
    reason: Option<String>,
}

/// Correct a record in the office: an edit like a tablet's, after which its review begins anew. `If-Match` names the
/// version that was read.
#[utoipa::path(tag = "records", params(("id" = Uuid, Path), ("If-Match" = String, Header)), request_body = Correction, responses((status = 200, body = Answer)))]
#[patch("/v1/records/{id}")]
pub(crate) async fn correct(
    access: Access<CorrectRecords>,
    request: HttpRequest,
    state: Data<AppState>,
    id: Path<Uuid>,
    body: JsonBody<Correction>,
) -> ApiResult<HttpResponse> {
    let Correction { changes, reason } = body.read()?;
    if changes.is_empty() {
        return Err(ApiError::bad_request(
            "changes",
            "name at least one field: {\"name\": {\"to\": \"North\"}}",
        ));
    }
    let seen = if_match(&request)?;
    let (id, actor) = (id.into_inner(), access.actor);
    let answer =
        state.store(move |store| store.correct(actor, id, Seen::Version(seen), changes, reason)).await?;
    let version = answer.version.unwrap_or_default();
    Ok(HttpResponse::Ok().insert_header((ETAG, format!("\"{version}\""))).json(answer))
}

/// A record's outline, judged.
#[derive(Serialize, utoipa::ToSchema)]
struct Judged {
    /// Which version it is of.
    version: Uuid,
    /// Whether official figures count it.
    valid: bool,
    /// What is wrong with it, and where: member, ring and vertex, from 0.
    #[schema(value_type = Vec<Object>)]
    faults: Vec<Fault>,
    /// Geodesic area as entered, m².
    area_m2: Option<f64>,
    /// What it may have meant, as GeoJSON: what provisional figures count. To accept it is a correction of `geometry`.
    #[schema(value_type = Option<Object>)]
    proposed: Option<Value>,
    /// Geodesic area of the proposal, m².
    proposed_area_m2: Option<f64>,
}

/// A record's outline: what is wrong with it, and what repair is proposed.
#[utoipa::path(tag = "records", params(("id" = Uuid, Path)), responses((status = 200, body = Judged)))]
#[get("/v1/records/{id}/outline")]
pub(crate) async fn outline(
    access: Access<ReadRecords>,
    state: Data<AppState>,
    id: Path<Uuid>,
) -> ApiResult<HttpResponse> {
    let (id, sight) = (id.into_inner(), access.actor.sight());
    let judged = state
        .store(move |store| {
            let feature = store.find_record(id, sight)?;
            let geometry = feature.geometry.as_ref().and_then(read_geojson);
            let geometry = geometry.ok_or(StoreError::NotFound("outline"))?;
            let outline = Outline::read(&geometry, &Limits::default());
            Ok(Judged {
                version: feature.version,
                valid: outline.valid().is_some(),
                area_m2: outline.entered.as_ref().map(measure::area),
                proposed: outline.proposed.as_ref().map(to_geojson),
                proposed_area_m2: outline.proposed.as_ref().map(measure::area),
                faults: outline.faults,
            })
        })
        .await?;
    Ok(HttpResponse::Ok().json(judged))
}

fn if_match(request: &HttpRequest) -> ApiResult<Uuid> {
    let tag = request.headers().get(IF_MATCH).and_then(|tag| tag.to_str().ok());
    let tag = tag.ok_or_else(|| {
        let status = actix_web::http::StatusCode::PRECONDITION_REQUIRED;
        ApiError::new(status, "if-match", "send `If-Match: \"<version>\"`: the version that you reviewed")
    })?;
    Uuid::parse_str(tag.trim().trim_start_matches("W/").trim_matches('"'))
        .map_err(|_not_a_version| ApiError::bad_request("if-match", "If-Match holds one version's UUID"))
}

/// The records that wait for the asker's next step, the oldest first; how many there are is told by `/v1/waiting`.
#[utoipa::path(tag = "records", responses((status = 200, content_type = "application/geo+json")))]
#[get("/v1/review/queue")]
pub(crate) async fn queue(access: Access<Review>, state: Data<AppState>) -> ApiResult<HttpResponse> {
    let (actor, limit) = (access.actor, state.limits.list_rows);
    let features =
        state.store(move |store| store.list_queue(&Queue::of(&actor), limit, actor.sight())).await?;
    Ok(collection(&features, None))
}
