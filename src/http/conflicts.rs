//! Conflicts: base, theirs and mine, and how they are settled.

use std::collections::BTreeMap;

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::access::{Access, JsonBody};
use super::error::{ApiError, ApiResult};
use super::quarantine::own_organisation;
use super::state::{AppState, is_full};
use crate::auth::permission::{ReadConflicts, ResolveConflicts};
use crate::model::{Change, Hash};
use crate::store::conflict::{ConflictQuery, ConflictView};
use crate::store::decide::Resolution;
use crate::sync::Answer;

/// Which conflicts.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    record: Option<Uuid>,
    /// The settled ones too.
    #[serde(default)]
    settled: bool,
    /// Where the page before ended.
    after: Option<i64>,
}

/// Conflicts, and where the next page begins.
#[derive(Serialize, utoipa::ToSchema)]
struct ConflictList {
    conflicts: Vec<ConflictView>,
    next: Option<i64>,
}

/// Conflicts, the oldest first; operators see those of their own records.
#[utoipa::path(tag = "conflicts", params(Which), responses((status = 200, body = ConflictList)))]
#[get("/v1/conflicts")]
pub(crate) async fn list(
    access: Access<ReadConflicts>,
    state: Data<AppState>,
    which: Query<Which>,
) -> ApiResult<HttpResponse> {
    let which = ConflictQuery {
        record: which.record,
        organisation: own_organisation(&access),
        settled: which.settled,
        after: which.after.unwrap_or(0),
        limit: state.limits.list_rows,
    };
    let sight = access.actor.sight();
    let conflicts = state.store(move |store| store.list_conflicts(which, sight)).await?;
    let next = conflicts.last().filter(|_| is_full(conflicts.len(), which.limit)).map(|last| last.seq);
    Ok(HttpResponse::Ok().json(ConflictList { conflicts, next }))
}

/// One conflict.
#[utoipa::path(tag = "conflicts", params(("id" = Uuid, Path)), responses((status = 200, body = ConflictView)))]
#[get("/v1/conflicts/{id}")]
pub(crate) async fn show(
    access: Access<ReadConflicts>,
    state: Data<AppState>,
    id: Path<Uuid>,
) -> ApiResult<HttpResponse> {
    let (id, of, sight) = (id.into_inner(), own_organisation(&access), access.actor.sight());
    let conflict = state.store(move |store| store.find_conflict(id, of, sight)).await?;
    Ok(HttpResponse::Ok().json(conflict))
}

/// How a conflict is settled.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Resolve {
    /// Further conflicts of the same record that this settles.
    #[serde(default)]
    also: Vec<Uuid>,
    /// The record's version as seen, from the conflict's `theirs.version`; left out only where the record has none.
    #[serde(default)]
    version: Option<Uuid>,
    /// The head's safety fields as seen, from the conflict's `seen`.
    #[schema(value_type = Option<String>)]
    seen: Option<Hash>,
    /// What becomes of the record: `{"field": {"to": value}}`; nothing keeps the head as it is.
    #[serde(default)]
    changes: BTreeMap<String, Change>,
    /// Why.
    reason: String,
}

/// Settle a conflict.
#[utoipa::path(tag = "conflicts", params(("id" = Uuid, Path)), request_body = Resolve, responses((status = 200, body = Answer)))]
#[post("/v1/conflicts/{id}/resolve")]
pub(crate) async fn resolve(
    access: Access<ResolveConflicts>,
    state: Data<AppState>,
    id: Path<Uuid>,
    body: JsonBody<Resolve>,
) -> ApiResult<HttpResponse> {
    let body = body.read()?;
    if body.reason.trim().is_empty() {
        return Err(ApiError::bad_request("reason", "say why it is settled so"));
    }
    let (id, actor) = (id.into_inner(), access.actor);
    let answer = state
        .store(move |store| {
            let conflict = store.find_conflict(id, None, actor.sight())?;
            let mut settles = vec![id];
            settles.extend(body.also);
            let resolution = Resolution {
                record_id: conflict.record_id,
                settles,
                version: body.version,
                seen: body.seen,
                changes: body.changes,
                reason: body.reason,
            };
            store.resolve(actor, resolution)
        })
        .await?;
    Ok(HttpResponse::Ok().json(answer))
}
