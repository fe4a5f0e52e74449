//! Accounts and organisations.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get, patch, post};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::access::{Access, JsonBody};
use super::error::{ApiError, ApiResult};
use super::state::AppState;
use crate::auth::password;
use crate::auth::permission::ManageAccounts;
use crate::model::Role;
use crate::store::account::{Account, NewAccount, Organisation};

/// Every account.
#[utoipa::path(tag = "accounts", responses((status = 200, body = Vec<Account>)))]
#[get("/v1/accounts")]
pub(crate) async fn list_accounts(
    _: Access<ManageAccounts>,
    state: Data<AppState>,
) -> ApiResult<HttpResponse> {
    Ok(HttpResponse::Ok().json(state.store(crate::store::Store::list_accounts).await?))
}

/// An account to be made.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddAccount {
    login: String,
    name: String,
    role: Role,
    organisation: Uuid,
}

/// The account with its one-time password, which is shown this once.
#[derive(Serialize, utoipa::ToSchema)]
pub struct AddedAccount {
    #[serde(flatten)]
    account: Account,
    one_time_password: String,
}

/// Make an account. Its one-time password is in the answer and nowhere else.
#[utoipa::path(tag = "accounts", request_body = AddAccount, responses((status = 201, body = AddedAccount)))]
#[post("/v1/accounts")]
pub(crate) async fn add_account(
    access: Access<ManageAccounts>,
    state: Data<AppState>,
    body: JsonBody<AddAccount>,
) -> ApiResult<HttpResponse> {
    let body = body.read()?;
    let login = body.login.trim().to_owned();
    if login.is_empty() || body.name.trim().is_empty() {
        return Err(ApiError::bad_request("account", "an account has a log-in and a name"));
    }
    let by = access.actor.account;
    let added = state
        .store(move |store| {
            let one_time_password = password::one_time();
            let new = NewAccount {
                login,
                name: body.name,
                role: body.role,
                organisation: body.organisation,
                password: password::hash(&one_time_password),
                must_change: true,
            };
            Ok(AddedAccount { account: store.insert_account(new, Some(by))?, one_time_password })
        })
        .await?;
    Ok(HttpResponse::Created().json(added))
}

/// A change of an account.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeAccount {
    /// Close it, or reopen it.
    disabled: Option<bool>,
    /// What the person is from now on.
    role: Option<Role>,
}

/// Close or reopen an account, or give its person another role: one of the two at a time.
#[utoipa::path(tag = "accounts", request_body = ChangeAccount, params(("id" = Uuid, Path)), responses((status = 204)))]
#[patch("/v1/accounts/{id}")]
pub(crate) async fn change_account(
    access: Access<ManageAccounts>,
    state: Data<AppState>,
    id: Path<Uuid>,
    body: JsonBody<ChangeAccount>,
) -> ApiResult<HttpResponse> {
    let (id, by) = (id.into_inner(), access.actor.account);
    match body.read()? {
        ChangeAccount { role: Some(role), disabled: None } => {
            state.store(move |store| store.set_role(id, role, by)).await?;
        }
        ChangeAccount { role: None, disabled: Some(disabled) } => {
            state.store(move |store| store.set_disabled(id, disabled, by)).await?;
        }
        _ => {
            return Err(ApiError::bad_request(
                "account",
                "one change at a time: either `role` or `disabled`",
            ));
        }
    }
    Ok(HttpResponse::NoContent().finish())
}

/// A one-time password, which is shown this once.
#[derive(Serialize, utoipa::ToSchema)]
pub struct OneTimePassword {
    one_time_password: String,
}

/// Give somebody who has forgotten theirs a one-time password. Their sessions and map passwords end; tablets stay.
#[utoipa::path(tag = "accounts", params(("id" = Uuid, Path)), responses((status = 201, body = OneTimePassword)))]
#[post("/v1/accounts/{id}/password")]
pub(crate) async fn reset_password(
    access: Access<ManageAccounts>,
    state: Data<AppState>,
    id: Path<Uuid>,
) -> ApiResult<HttpResponse> {
    let (id, by) = (id.into_inner(), access.actor.account);
    let given = state
        .store(move |store| {
            let one_time_password = password::one_time();
            store.set_password(id, password::hash(&one_time_password), true, by)?;
            Ok(OneTimePassword { one_time_password })
        })
        .await?;
    Ok(HttpResponse::Created().json(given))
}

/// Every organisation.
#[utoipa::path(tag = "accounts", responses((status = 200, body = Vec<Organisation>)))]
#[get("/v1/organisations")]
pub(crate) async fn list_organisations(
    _: Access<crate::auth::permission::ReadProgramme>,
    state: Data<AppState>,
) -> ApiResult<HttpResponse> {
    Ok(HttpResponse::Ok().json(state.store(crate::store::Store::list_organisations).await?))
}

/// An organisation to be made.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddOrganisation {
    name: String,
    /// `authority`, `operator` or `other`.
    kind: String,
}

/// Make an organisation.
#[utoipa::path(tag = "accounts", request_body = AddOrganisation, responses((status = 201, body = Organisation)))]
#[post("/v1/organisations")]
pub(crate) async fn add_organisation(
    access: Access<ManageAccounts>,
    state: Data<AppState>,
    body: JsonBody<AddOrganisation>,
) -> ApiResult<HttpResponse> {
    let body = body.read()?;
    if !["authority", "operator", "other"].contains(&body.kind.as_str()) {
        return Err(ApiError::bad_request("organisation", "kind is authority, operator or other"));
    }
    let by = access.actor.account;
    let made =
        state.store(move |store| store.insert_organisation(body.name.trim(), &body.kind, Some(by))).await?;
    Ok(HttpResponse::Created().json(made))
}
