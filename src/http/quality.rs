//! What the quality rules found.

use actix_web::web::{Data, Query};
use actix_web::{HttpResponse, get};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::access::Access;
use super::error::{ApiError, ApiResult};
use super::state::{AppState, is_full};
use crate::auth::permission::ReadQuality;
use crate::model::Role;
use crate::model::quality::{RULES, Severity};
use crate::store::quality::{FindingQuery, StoredFinding};

/// Which findings.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    record: Option<Uuid>,
    rule: Option<String>,
    severity: Option<String>,
    /// Where the page before ended.
    after: Option<i64>,
}

/// Findings of the quality rules.
#[derive(Serialize, utoipa::ToSchema)]
struct FindingList {
    findings: Vec<StoredFinding>,
    /// Where the next page begins, as `after`; null on the last one.
    next: Option<i64>,
}

/// Findings of the quality rules; operators see their own organisation's.
#[utoipa::path(tag = "quality", params(Which), responses((status = 200, body = FindingList)))]
#[get("/v1/quality")]
pub(crate) async fn list(
    access: Access<ReadQuality>,
    state: Data<AppState>,
    which: Query<Which>,
) -> ApiResult<HttpResponse> {
    let Which { record, rule, severity, after } = which.into_inner();
    if let Some(unknown) = rule.as_deref().filter(|rule| RULES.iter().all(|known| known.name != *rule)) {
        let why = format!("rule={unknown}: there is no such rule; GET /v1/quality/rules has them");
        return Err(ApiError::bad_request("query", why));
    }
    if let Some(severity) = &severity {
        severity
            .parse::<Severity>()
            .map_err(|fault| ApiError::bad_request("query", format!("severity: {fault}")))?;
    }
    let own = matches!(access.actor.role, Role::Supervisor | Role::ProgrammeManager);
    let query = FindingQuery {
        record,
        rule,
        severity,
        organisation: own.then_some(access.actor.organisation),
        after: after.unwrap_or(0),
        limit: state.limits.list_rows,
    };
    let findings = state.store(move |store| store.list_findings(&query)).await?;
    let next =
        findings.last().filter(|_| is_full(findings.len(), state.limits.list_rows)).map(|last| last.seq - 1);
    Ok(HttpResponse::Ok().json(FindingList { findings, next }))
}

/// Every quality rule: what it looks for and how grave it is.
#[utoipa::path(tag = "quality", responses((status = 200)), security(()))]
#[get("/v1/quality/rules")]
pub(crate) async fn rules() -> HttpResponse {
    HttpResponse::Ok().json(json!({"rules": RULES}))
}
