//! Extractors: who asks, with the permission in the type; and bodies within their limits.

use std::future::Future;
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::{self, Data};
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;

use super::body::{self, Packing, Unpackable};
use super::error::{ApiError, ApiResult};
use super::state::AppState;
use crate::auth::permission::{Permission, Push};
use crate::auth::token::TokenError;
use crate::auth::{self, Principal};
use crate::store::StoreError;
use crate::sync::Standing;

/// Somebody who has the permission `P`.
pub struct Access<P> {
    principal: Principal,
    permission: PhantomData<P>,
}

impl<P> Deref for Access<P> {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.principal
    }
}

impl<P: Permission> FromRequest for Access<P> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let asker = asker(request, false);
        Box::pin(async move {
            let (principal, must_change) = asker.await?;
            if principal.standing != Standing::Good {
                return Err(ApiError::unauthorized(
                    "this device was revoked: push what it holds, then wipe it",
                ));
            }
            allow::<P>(&principal, must_change)?;
            Ok(Self { principal, permission: PhantomData })
        })
    }
}

/// A device that pushes. Expired and revoked ones are let in: what they hold must not be lost.
pub struct Pusher(pub Principal);

impl FromRequest for Pusher {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let asker = asker(request, true);
        Box::pin(async move {
            let (principal, must_change) = asker.await?;
            if principal.device.is_none() {
                return Err(ApiError::forbidden("only an enrolled device pushes: POST /v1/devices/enrol"));
            }
            allow::<Push>(&principal, must_change)?;
            Ok(Self(principal))
        })
    }
}

/// Somebody who sends files: a person, or a device in whatever standing, because its edits were taken all the same.
pub struct Uploader(pub Principal);

impl FromRequest for Uploader {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let asker = asker(request, true);
        Box::pin(async move {
            let (principal, must_change) = asker.await?;
            if principal.device.is_none() && principal.standing != Standing::Good {
                return Err(ApiError::unauthorized("this token has run out: refresh it"));
            }
            allow::<Push>(&principal, must_change)?;
            Ok(Self(principal))
        })
    }
}

/// Who asks, and whether with a one-time password; `old_too`: also by a token that has run out.
fn asker(request: &HttpRequest, old_too: bool) -> impl Future<Output = ApiResult<(Principal, bool)>> + use<> {
    let (state, token) = (state(request), bearer(request));
    async move { identify(&state?, token?, old_too).await }
}

pub(super) fn allow<P: Permission>(principal: &Principal, must_change: bool) -> ApiResult<()> {
    if must_change && !P::BEFORE_PASSWORD_CHANGE {
        let detail = "this account has a one-time password: set another with POST /v1/auth/password";
        return Err(ApiError::forbidden(detail).with("must_change", true));
    }
    if P::ROLES.contains(&principal.actor.role) {
        return Ok(());
    }
    let roles: Vec<&str> = P::ROLES.iter().map(|role| role.as_str()).collect();
    Err(ApiError::forbidden(format!("this needs the permission {}: {}", P::NAME, roles.join(", "))))
}

pub(super) fn state(request: &HttpRequest) -> ApiResult<Data<AppState>> {
    request.app_data::<Data<AppState>>().cloned().ok_or_else(|| ApiError::unavailable(1))
}

pub(super) fn bearer(request: &HttpRequest) -> ApiResult<String> {
    request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
        .map(str::to_owned)
        .ok_or_else(|| {
            ApiError::unauthorized(
                "log in first and send `Authorization: Bearer <access_token>`; for maps and figures (/ogc, /tiles, /v1/ledger) HTTP \
                 Basic does too, with the log-in and a map password (POST /v1/account/map-passwords)",
            )
        })
}

pub(super) async fn identify(
    state: &Data<AppState>,
    token: String,
    old_too: bool,
) -> ApiResult<(Principal, bool)> {
    let (claims, expired) = match state.keys.verify(&token) {
        Ok(claims) => (claims, false),
        Err(TokenError::Expired) if old_too => {
            let claims = state.keys.verify_ignoring_age(&token);
            (claims.map_err(|fault| ApiError::unauthorized(fault.to_string()))?, true)
        }
        Err(fault) => return Err(ApiError::unauthorized(fault.to_string())),
    };
    let known = state
        .store(move |store| match auth::identify(store, &claims, expired) {
            Ok(known) => Ok(Some(known)),
            Err(StoreError::NotFound(_)) => Ok(None),
            // Whom the database cannot tell from a stranger just now must not be called one: a tablet would log out.
            Err(fault) => Err(fault),
        })
        .await?;
    known.ok_or_else(|| ApiError::unauthorized("this account or device is not known (any more)"))
}

/// Reads a body and unpacks it, as far as `limit` bytes.
pub(super) async fn read_body(
    request: &HttpRequest,
    payload: web::Payload,
    limit: usize,
) -> ApiResult<Vec<u8>> {
    let packing = Packing::of(request);
    let body = body::receive(payload, limit, &state(request)?.limits).await?;
    let unpacked = move || match packing.unpack(&body, limit) {
        Ok(body) => Ok(body.into_owned()),
        Err(Unpackable::TooLarge) => Err(body::too_large(limit)),
        Err(Unpackable::Wrong(reason)) => {
            Err(ApiError::bad_request("body", format!("the body cannot be unpacked: {reason}")))
        }
    };
    web::block(unpacked).await?
}

/// A small JSON body. Who asks is settled first: what is wrong with the body is only told by [`JsonBody::read`].
pub struct JsonBody<T> {
    bytes: ApiResult<Vec<u8>>,
    content: PhantomData<T>,
}

/// Bytes of a JSON body that is not a push.
pub(super) const SMALL_BODY: usize = 4 * 1024 * 1024;

impl<T: DeserializeOwned> JsonBody<T> {
    /// The body.
    ///
    /// # Errors
    /// 413 where it was too large, 400 with the place where it cannot be read.
    pub fn read(self) -> ApiResult<T> {
        serde_json::from_slice(&self.bytes?)
            .map_err(|fault| ApiError::bad_request("json", format!("the body cannot be read: {fault}")))
    }
}

impl<T: 'static> FromRequest for JsonBody<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = web::Payload::from_request(&request, payload);
        Box::pin(async move {
            let payload = payload.await.map_err(|fault| ApiError::bad_request("body", fault.to_string()))?;
            Ok(Self { bytes: read_body(&request, payload, SMALL_BODY).await, content: PhantomData })
        })
    }
}
