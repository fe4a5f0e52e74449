//! Devices: offered, enrolled, seen, revoked.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, get, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::access::{Access, JsonBody};
use super::error::{ApiError, ApiResult};
use super::state::{AppState, address_of};
use crate::auth::permission::{ManageDevices, ReadAlarms, ReadDevices};
use crate::auth::{self, Principal, Tokens, token};
use crate::model::Role;
use crate::model::role::Actor;
use crate::store::alarm::Alarm;
use crate::store::device::Device;
use crate::store::token::Holder;

/// Letters and digits of an enrolment code.
const CODE_LENGTH: usize = 12;

/// An enrolment by a device that has been shown a code.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Enrol {
    code: String,
    name: String,
}

/// Enrol this device with its one-time code.
#[utoipa::path(tag = "devices", request_body = Enrol, responses((status = 201, body = Tokens)), security(()))]
#[post("/v1/devices/enrol")]
pub(crate) async fn enrol(
    request: HttpRequest,
    state: Data<AppState>,
    body: JsonBody<Enrol>,
) -> ApiResult<HttpResponse> {
    let body = body.read()?;
    let address = address_of(&request);
    state.allow_log_in(&format!("enrolment from {address}"), &address)?;
    let keys = state.clone();
    let tokens = state
        .store(move |store| {
            let (device, account) = store.enrol(&body.code, body.name.trim())?;
            auth::begin(store, &keys.keys, Holder { account, device: Some(device) })
        })
        .await?;
    Ok(HttpResponse::Created().json(tokens))
}

/// For whom a device is to be enrolled.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfferEnrolment {
    account: Uuid,
}

/// A one-time code, to be typed or shown as a QR code.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub struct Enrolment {
    /// The code.
    pub code: String,
    /// Until when it can be used.
    pub expires_at: DateTime<Utc>,
}

/// Offer the enrolment of a device for an account.
#[utoipa::path(tag = "devices", request_body = OfferEnrolment, responses((status = 201, body = Enrolment)))]
#[post("/v1/devices/enrolments")]
pub(crate) async fn offer_enrolment(
    access: Access<ManageDevices>,
    state: Data<AppState>,
    body: JsonBody<OfferEnrolment>,
) -> ApiResult<HttpResponse> {
    let body = body.read()?;
    let of = own_organisation(&access);
    let by = access.actor.account;
    let account = state.store(move |store| store.find_account(body.account)).await?;
    if of.is_some_and(|organisation| organisation != account.organisation) {
        return Err(ApiError::not_found("account"));
    }
    if account.disabled {
        let detail = "this account is closed: reopen it first, or offer the device to another";
        return Err(ApiError::new(StatusCode::CONFLICT, "account-closed", detail));
    }
    let code = token::code(CODE_LENGTH);
    let offered = code.clone();
    let expires_at = state.store(move |store| store.insert_enrolment(&offered, body.account, by)).await?;
    Ok(HttpResponse::Created().json(Enrolment { code, expires_at }))
}

/// Every device with its last contact and what it has not sent yet; operators see their own organisation's.
#[utoipa::path(tag = "devices", responses((status = 200, body = Vec<Device>)))]
#[get("/v1/devices")]
pub(crate) async fn list(access: Access<ReadDevices>, state: Data<AppState>) -> ApiResult<HttpResponse> {
    let of = whose_field(&access.actor);
    Ok(HttpResponse::Ok().json(state.store(move |store| store.list_devices(of)).await?))
}

/// Revoke a lost device.
#[utoipa::path(tag = "devices", params(("id" = Uuid, Path)), responses((status = 204)))]
#[post("/v1/devices/{id}/revoke")]
pub(crate) async fn revoke(
    access: Access<ManageDevices>,
    state: Data<AppState>,
    id: Path<Uuid>,
) -> ApiResult<HttpResponse> {
    let (id, of, by) = (id.into_inner(), own_organisation(&access), access.actor.account);
    let device = state.store(move |store| store.find_device(id)).await?;
    if of.is_some_and(|organisation| organisation != device.organisation) {
        return Err(ApiError::not_found("device"));
    }
    state.store(move |store| store.revoke_device(id, by)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// An admin sees every organisation's devices, others their own's.
fn own_organisation(principal: &Principal) -> Option<Uuid> {
    (principal.actor.role != Role::Admin).then_some(principal.actor.organisation)
}

/// What should be looked after: edits that are missing or wait, conflicts that stay open, tablets that hold back.
#[utoipa::path(tag = "devices", responses((status = 200, body = Vec<Alarm>)))]
#[get("/v1/alarms")]
pub(crate) async fn list_alarms(
    access: Access<ReadAlarms>,
    state: Data<AppState>,
) -> ApiResult<HttpResponse> {
    let of = whose_field(&access.actor);
    Ok(HttpResponse::Ok().json(state.store(move |store| store.list_alarms(of)).await?))
}

/// The organisation of whose field somebody is told; the authority's people and admins are told of every one's.
pub(super) fn whose_field(actor: &Actor) -> Option<Uuid> {
    let all = matches!(actor.role, Role::QaOfficer | Role::ImOfficer | Role::Authority | Role::Admin);
    (!all).then_some(actor.organisation)
}
