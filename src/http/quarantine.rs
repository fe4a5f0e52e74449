//! What waits for a human or for something that is not here yet.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::access::{Access, JsonBody};
use super::error::{ApiError, ApiResult};
use super::state::{AppState, is_full};
use crate::auth::Principal;
use crate::auth::permission::{ReadQuarantine, RepairQuarantine};
use crate::model::{Mutation, Role};
use crate::store::quarantine::{Parked, Quarantined};
use crate::sync::Answer;

/// Which rows.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// The settled ones too.
    #[serde(default)]
    settled: bool,
    /// Where the page before ended.
    after: Option<i64>,
}

/// Quarantined mutations.
#[derive(Serialize, utoipa::ToSchema)]
struct QuarantineList {
    quarantined: Vec<Quarantined>,
    /// Where the next page begins, as `after`; null on the last one.
    next: Option<i64>,
}

/// Parked mutations.
#[derive(Serialize, utoipa::ToSchema)]
struct ParkedList {
    parked: Vec<Parked>,
}

/// Quarantined mutations with every fault; operators see their own organisation's.
#[utoipa::path(tag = "quarantine", params(Which), responses((status = 200, body = QuarantineList)))]
#[get("/v1/quarantine")]
pub(crate) async fn list(
    access: Access<ReadQuarantine>,
    state: Data<AppState>,
    which: Query<Which>,
) -> ApiResult<HttpResponse> {
    let of = own_organisation(&access);
    let limit = state.limits.list_rows;
    let sight = access.actor.sight();
    let rows = state
        .store(move |store| store.list_quarantine(of, which.settled, which.after.unwrap_or(0), limit, sight))
        .await?;
    let next = rows.last().filter(|_| is_full(rows.len(), limit)).map(|row| row.seq);
    Ok(HttpResponse::Ok().json(QuarantineList { quarantined: rows, next }))
}

/// Parked mutations and what they wait for; operators see their own organisation's.
#[utoipa::path(tag = "quarantine", responses((status = 200, body = ParkedList)))]
#[get("/v1/parked")]
pub(crate) async fn parked(access: Access<ReadQuarantine>, state: Data<AppState>) -> ApiResult<HttpResponse> {
    let of = own_organisation(&access);
    let mut rows = state.store(crate::store::Store::list_parked).await?;
    rows.retain(|row| of.is_none_or(|of| row.organisation == of));
    Ok(HttpResponse::Ok().json(ParkedList { parked: rows }))
}

/// Submit a repaired form of a quarantined mutation. Fields that the repairer may not see stay as they were sent.
#[utoipa::path(tag = "quarantine", params(("id" = Uuid, Path)), request_body = Mutation, responses((status = 200, body = Answer)))]
#[post("/v1/quarantine/{id}/repair")]
pub(crate) async fn repair(
    access: Access<RepairQuarantine>,
    state: Data<AppState>,
    id: Path<Uuid>,
    body: JsonBody<Value>,
) -> ApiResult<HttpResponse> {
    let body = body.read()?;
    let id = id.into_inner();
    own_or_not_found(&access, &state, id).await?;
    let mutation: Mutation = serde_json::from_value(body)
        .map_err(|fault| ApiError::bad_request("mutation", format!("this is not a mutation: {fault}")))?;
    let actor = access.actor;
    let answer = state.store(move |store| store.repair(actor, id, mutation)).await?;
    Ok(HttpResponse::Ok().json(answer))
}

/// Why a mutation is set aside.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Dismiss {
    reason: String,
}

/// Set a quarantined mutation aside for good; it stays in the log.
#[utoipa::path(tag = "quarantine", params(("id" = Uuid, Path)), request_body = Dismiss, responses((status = 204)))]
#[post("/v1/quarantine/{id}/dismiss")]
pub(crate) async fn dismiss(
    access: Access<RepairQuarantine>,
    state: Data<AppState>,
    id: Path<Uuid>,
    body: JsonBody<Dismiss>,
) -> ApiResult<HttpResponse> {
    let body = body.read()?;
    let id = id.into_inner();
    own_or_not_found(&access, &state, id).await?;
    if body.reason.trim().is_empty() {
        return Err(ApiError::bad_request("reason", "say why it is set aside"));
    }
    let by = access.actor.account;
    state.store(move |store| store.dismiss_quarantined(id, body.reason, by)).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn own_or_not_found(principal: &Principal, state: &Data<AppState>, id: Uuid) -> ApiResult<()> {
    let row = state.store(move |store| store.find_quarantined(id)).await?;
    if own_organisation(principal).is_some_and(|organisation| organisation != row.organisation) {
        return Err(ApiError::not_found("quarantined mutation"));
    }
    Ok(())
}

/// The organisation whose affairs an operator is kept to; the authority sees all.
pub(super) fn own_organisation(principal: &Principal) -> Option<Uuid> {
    let own = matches!(principal.actor.role, Role::Supervisor | Role::ProgrammeManager);
    own.then_some(principal.actor.organisation)
}
