//! A browser's session: its refresh token lies in a cookie that no script can read and that is sent to these addresses
//! only, so that whatever runs in a page can steal minutes of a session and never the session.

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HOST, HeaderName, ORIGIN};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, ResponseError as _, delete, post};
use serde::Serialize;
use uuid::Uuid;

use super::access::JsonBody;
use super::error::{ApiError, ApiResult};
use super::session::LogIn;
use super::state::{AppState, address_of};
use crate::auth::{self, Tokens, permission};
use crate::model::Role;
use crate::store::Store;

/// The cookie's name.
const COOKIE: &str = "cartagena_session";
/// Where the cookie is sent to.
const PATH: &str = "/v1/session";

/// A session as a page may hold it: everything but the refresh token.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct BrowserSession {
    /// For `Authorization: Bearer …`; to be kept in memory only.
    access_token: String,
    /// Seconds until it runs out.
    expires_in: i64,
    /// The account.
    account: Uuid,
    /// What was typed at log-in.
    login: String,
    /// The person's name.
    name: String,
    /// What the person is.
    role: Role,
    /// Whom the person works for.
    organisation: Uuid,
    /// The names of the permissions that the role has: what is worth offering.
    permissions: Vec<&'static str>,
    /// The password is a one-time password: set another before anything else.
    must_change: bool,
}

impl BrowserSession {
    fn begin(store: &Store, tokens: Tokens) -> crate::store::Result<(Self, String)> {
        let account = store.find_account(tokens.account)?;
        let permissions = permission::TABLE.iter().filter(|(_, roles)| roles.contains(&account.role));
        let session = Self {
            access_token: tokens.access_token,
            expires_in: tokens.expires_in,
            account: account.id,
            login: account.login,
            name: account.name,
            role: account.role,
            organisation: account.organisation,
            permissions: permissions.map(|(name, _)| *name).collect(),
            must_change: tokens.must_change,
        };
        Ok((session, tokens.refresh_token))
    }
}

/// Log in from a browser: the refresh token goes into a cookie that scripts cannot read.
#[utoipa::path(tag = "session", request_body = LogIn, responses((status = 200, body = BrowserSession)), security(()))]
#[post("/v1/session")]
pub(crate) async fn log_in(
    request: HttpRequest,
    state: Data<AppState>,
    body: JsonBody<LogIn>,
) -> ApiResult<HttpResponse> {
    same_origin(&request)?;
    let LogIn { login, password } = body.read()?;
    state.allow_log_in(&login, &address_of(&request))?;
    let keys = state.clone();
    let (session, secret) = state
        .store(move |store| {
            let tokens = auth::log_in(store, &keys.keys, &login, &password)?;
            BrowserSession::begin(store, tokens)
        })
        .await?;
    Ok(answer(&request, &session, secret))
}

/// Go on with a browser's session: exchanges the cookie's refresh token. One whose successor is in
/// use already was stolen, and ends the session.
#[utoipa::path(tag = "session", responses((status = 200, body = BrowserSession)), security(()))]
#[post("/v1/session/refresh")]
pub(crate) async fn refresh(request: HttpRequest, state: Data<AppState>) -> ApiResult<HttpResponse> {
    same_origin(&request)?;
    let Some(old) = request.cookie(COOKIE) else {
        let detail = "there is no session to go on with: log in";
        return Err(ApiError::new(StatusCode::UNAUTHORIZED, "refresh-token", detail));
    };
    let keys = state.clone();
    let went_on = state
        .store(move |store| {
            let tokens = auth::refresh(store, &keys.keys, old.value())?;
            BrowserSession::begin(store, tokens)
        })
        .await;
    match went_on {
        Ok((session, secret)) => Ok(answer(&request, &session, secret)),
        // A token that is of no use any more is taken back. A server that is only away leaves it where it is.
        Err(fault) if fault.status_code() == StatusCode::UNAUTHORIZED => Ok(taken_back(&request, &fault)),
        Err(fault) => Err(fault),
    }
}

/// End a browser's session.
#[utoipa::path(tag = "session", responses((status = 204)), security(()))]
#[delete("/v1/session")]
pub(crate) async fn log_out(request: HttpRequest, state: Data<AppState>) -> ApiResult<HttpResponse> {
    same_origin(&request)?;
    let Some(token) = request.cookie(COOKIE) else { return Ok(HttpResponse::NoContent().finish()) };
    // Whether or not the server can end it just now, whoever sits down at this machine next must not go on with it.
    match state.store(move |store| store.end_refresh_token(token.value())).await {
        Ok(()) => Ok(HttpResponse::NoContent().cookie(over(&request)).finish()),
        Err(fault) => Ok(taken_back(&request, &fault)),
    }
}

fn answer(request: &HttpRequest, session: &BrowserSession, secret: String) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .cookie(cookie(request, secret))
        .json(session)
}

/// It ends with the browser; the server lets it live for hours at most.
fn cookie(request: &HttpRequest, value: String) -> Cookie<'static> {
    Cookie::build(COOKIE, value)
        .path(PATH)
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(request.connection_info().scheme() == "https")
        .finish()
}

/// What went wrong, and the cookie's end.
fn taken_back(request: &HttpRequest, fault: &ApiError) -> HttpResponse {
    let mut response = fault.error_response();
    // It can only fail where the cookie is not written in ASCII.
    let _ = response.add_cookie(&over(request));
    response
}

fn over(request: &HttpRequest) -> Cookie<'static> {
    let mut cookie = cookie(request, String::new());
    cookie.set_max_age(Duration::ZERO);
    cookie
}

/// Refuses what another site made a browser send. Browsers say where a request comes from; whatever says nothing is no
/// browser, and no site's victim.
fn same_origin(request: &HttpRequest) -> ApiResult<()> {
    let header =
        |name: &HeaderName| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    let own = match (header(&HeaderName::from_static("sec-fetch-site")), header(&ORIGIN)) {
        (Some(site), _) => site == "same-origin",
        // A browser on plain HTTP to another machine says only this.
        (None, Some(origin)) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some() && host == header(&HOST)
        }
        (None, None) => true,
    };
    if own {
        Ok(())
    } else {
        Err(ApiError::forbidden("a session is begun and ended by the console's own page"))
    }
}
