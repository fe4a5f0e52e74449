//! Passwords for map programs, each made and revoked by its own person.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, delete, get, post};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::access::{Access, JsonBody};
use super::error::{ApiError, ApiResult};
use super::state::{AppState, address_of};
use crate::auth::permission::{HaveMapPasswords, ManageAccounts};
use crate::auth::{password, token};
use crate::store::map_password::{MapPassword, MapScope, OwnedMapPassword};

/// Characters of a map password: 130 random bits, which nobody guesses.
const LENGTH: usize = 26;
/// Characters of its name.
const LONGEST_NAME: usize = 100;

/// The asker's map passwords, without their secrets.
#[utoipa::path(tag = "session", responses((status = 200, body = Vec<MapPassword>)))]
#[get("/v1/account/map-passwords")]
pub(crate) async fn list(access: Access<HaveMapPasswords>, state: Data<AppState>) -> ApiResult<HttpResponse> {
    let account = access.actor.account;
    Ok(HttpResponse::Ok().json(state.store(move |store| store.list_map_passwords(account)).await?))
}

/// A map password to be made.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeMapPassword {
    /// What it is for, e.g. `QGIS on the office laptop`.
    name: String,
    scope: MapScope,
    /// The password of the asker's own log-in: a map password outlives the session that it is made in, and must not come
    /// of a stolen one.
    account_password: String,
}

/// The map password, which is shown this once.
#[derive(Serialize, utoipa::ToSchema)]
pub struct MadeMapPassword {
    #[serde(flatten)]
    made: MapPassword,
    /// The name to give with it.
    login: String,
    /// The password.
    password: String,
}

/// Make a password for a map program: HTTP Basic for maps and figures, with the asker's log-in. It is in the answer and nowhere
/// else, and ends when its person sets another password.
#[utoipa::path(tag = "session", request_body = MakeMapPassword, responses((status = 201, body = MadeMapPassword)))]
#[post("/v1/account/map-passwords")]
pub(crate) async fn make(
    access: Access<HaveMapPasswords>,
    request: HttpRequest,
    state: Data<AppState>,
    body: JsonBody<MakeMapPassword>,
) -> ApiResult<HttpResponse> {
    let MakeMapPassword { name, scope, account_password } = body.read()?;
    if access.device.is_some() {
        return Err(ApiError::forbidden(
            "people make map passwords, where they log in; a device has no use for one",
        ));
    }
    let name = name.trim().to_owned();
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        let detail = format!(
            "say what it is for, in 1 to {LONGEST_NAME} characters: a list of passwords is no use otherwise"
        );
        return Err(ApiError::bad_request("name", detail));
    }
    let account = access.actor.account;
    state.allow_log_in(&account.to_string(), &address_of(&request))?;
    let made = state
        .store(move |store| {
            let found = store.find_account(account)?;
            if !password::verify(&account_password, Some(&found.password)) {
                return Ok(None);
            }
            let password = token::code(LENGTH);
            let made = store.insert_map_password(account, &name, scope, &password)?;
            Ok(Some(MadeMapPassword { made, login: found.login, password }))
        })
        .await?;
    let made =
        made.ok_or_else(|| ApiError::forbidden("`account_password` is not the password of this log-in"))?;
    Ok(HttpResponse::Created().json(made))
}

/// Revoke one: at once, and for good.
#[utoipa::path(tag = "session", params(("id" = Uuid, Path)), responses((status = 204)))]
#[delete("/v1/account/map-passwords/{id}")]
pub(crate) async fn revoke(
    access: Access<HaveMapPasswords>,
    state: Data<AppState>,
    id: Path<Uuid>,
) -> ApiResult<HttpResponse> {
    let (account, id) = (access.actor.account, id.into_inner());
    state.store(move |store| store.revoke_map_password(account, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Everybody's map passwords, without their secrets.
#[utoipa::path(tag = "accounts", responses((status = 200, body = Vec<OwnedMapPassword>)))]
#[get("/v1/map-passwords")]
pub(crate) async fn list_all(_: Access<ManageAccounts>, state: Data<AppState>) -> ApiResult<HttpResponse> {
    Ok(HttpResponse::Ok().json(state.store(crate::store::Store::list_all_map_passwords).await?))
}

/// Revoke anybody's: at once, and for good.
#[utoipa::path(tag = "accounts", params(("id" = Uuid, Path)), responses((status = 204)))]
#[delete("/v1/map-passwords/{id}")]
pub(crate) async fn revoke_any(
    access: Access<ManageAccounts>,
    state: Data<AppState>,
    id: Path<Uuid>,
) -> ApiResult<HttpResponse> {
    let (by, id) = (access.actor.account, id.into_inner());
    state.store(move |store| store.revoke_any_map_password(id, by)).await?;
    Ok(HttpResponse::NoContent().finish())
}
