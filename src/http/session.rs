//! Log-in, refresh, log-out, password.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, post};
use serde::Deserialize;

use super::access::{Access, JsonBody};
use super::error::{ApiError, ApiResult};
use super::state::{AppState, address_of};
use crate::auth::permission::OwnAccount;
use crate::auth::{self, Tokens, password};
use crate::store::StoreError;

/// A log-in.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogIn {
    pub(super) login: String,
    pub(super) password: String,
}

/// Log in with a password.
#[utoipa::path(tag = "session", request_body = LogIn, responses((status = 200, body = Tokens)), security(()))]
#[post("/v1/auth/login")]
pub(crate) async fn log_in(
    request: HttpRequest,
    state: Data<AppState>,
    body: JsonBody<LogIn>,
) -> ApiResult<HttpResponse> {
    let body = body.read()?;
    let address = address_of(&request);
    state.allow_log_in(&body.login, &address)?;
    let keys = state.clone();
    let tokens =
        state.store(move |store| auth::log_in(store, &keys.keys, &body.login, &body.password)).await?;
    Ok(HttpResponse::Ok().json(tokens))
}

/// A refresh token.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    refresh_token: String,
}

/// Exchange a refresh token. One whose successor is in use already was stolen, and ends its
/// whole family.
#[utoipa::path(tag = "session", request_body = Refresh, responses((status = 200, body = Tokens)), security(()))]
#[post("/v1/auth/refresh")]
pub(crate) async fn refresh(state: Data<AppState>, body: JsonBody<Refresh>) -> ApiResult<HttpResponse> {
    let body = body.read()?;
    let keys = state.clone();
    let tokens = state.store(move |store| auth::refresh(store, &keys.keys, &body.refresh_token)).await?;
    Ok(HttpResponse::Ok().json(tokens))
}

/// End a session.
#[utoipa::path(tag = "session", request_body = Refresh, responses((status = 204)), security(()))]
#[post("/v1/auth/logout")]
pub(crate) async fn log_out(state: Data<AppState>, body: JsonBody<Refresh>) -> ApiResult<HttpResponse> {
    let body = body.read()?;
    state.store(move |store| store.end_refresh_token(&body.refresh_token)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A change of password.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    old: String,
    new: String,
}

/// Set another password. Every session of the account ends: log in again. Tablets stay enrolled.
#[utoipa::path(tag = "session", request_body = PasswordChange, responses((status = 204)))]
#[post("/v1/auth/password")]
pub(crate) async fn change_password(
    access: Access<OwnAccount>,
    request: HttpRequest,
    state: Data<AppState>,
    body: JsonBody<PasswordChange>,
) -> ApiResult<HttpResponse> {
    let body = body.read()?;
    let address = address_of(&request);
    // A stolen token must not serve to try passwords.
    state.allow_log_in(&access.actor.account.to_string(), &address)?;
    password::check_strength(&body.new).map_err(|fault| ApiError::bad_request("password", fault))?;
    let account = access.actor.account;
    state
        .store(move |store| {
            let stored = store.find_account(account)?.password;
            if !password::verify(&body.old, Some(&stored)) {
                return Err(StoreError::refused("log-in", "the old password is wrong"));
            }
            store.set_password(account, password::hash(&body.new), false, account)
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
