//! Who asks with a map: by a bearer token as everywhere, or by a log-in and a map password (HTTP Basic).

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, HeaderValue};
use actix_web::{FromRequest, HttpRequest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::auth::permission::Permission;
use crate::http::access::{allow, bearer, identify, state};
use crate::http::error::{ApiError, ApiResult};
use crate::model::role::Actor;
use crate::store::map_password::MapScope;
use crate::sync::Standing;

/// Somebody at a map, or at a spreadsheet, who has the permission `P`.
pub(super) struct MapAccess<P> {
    /// Who.
    pub(super) actor: Actor,
    /// Whether what they asked with may write.
    pub(super) may_write: bool,
    permission: PhantomData<P>,
}

impl<P: Permission> FromRequest for MapAccess<P> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            // Whoever has a session is not asked for a password by their browser, which would put its own window before
            // the page's.
            let asks = !request.headers().get(AUTHORIZATION).is_some_and(is_bearer);
            let found = find::<P>(&request).await;
            found.map_err(|fault| if asks && fault.is("unauthorized") { fault.or_basic() } else { fault })
        })
    }
}

impl<P> MapAccess<P> {
    /// Refuses a password that was made for looking only.
    pub(super) fn must_write(&self) -> ApiResult<()> {
        if self.may_write {
            return Ok(());
        }
        let detail = "this map password is for reading: make one with the scope `read_write`";
        Err(ApiError::forbidden(detail))
    }

    /// Whether they could make a record of a kind.
    pub(super) fn may_make(&self, kind: &str) -> bool {
        self.may_write && self.actor.may_write(crate::model::Op::Create, kind, None).is_ok()
    }
}

async fn find<P: Permission>(request: &HttpRequest) -> ApiResult<MapAccess<P>> {
    let (actor, may_write) = if let Some((login, secret)) = basic(request) {
        by_password::<P>(request, login, secret).await?
    } else {
        let (principal, must_change) = identify(&state(request)?, bearer(request)?, false).await?;
        if principal.standing != Standing::Good {
            return Err(ApiError::unauthorized("this device was revoked: push what it holds, then wipe it"));
        }
        allow::<P>(&principal, must_change)?;
        (principal.actor, true)
    };
    Ok(MapAccess { actor, may_write, permission: PhantomData })
}

async fn by_password<P: Permission>(
    request: &HttpRequest,
    login: String,
    secret: String,
) -> ApiResult<(Actor, bool)> {
    let found = state(request)?.store(move |store| store.find_by_map_password(&login, &secret)).await?;
    let Some((account, scope)) = found else {
        let detail = "the log-in and the map password do not belong together, or it was revoked; the password of the \
                      log-in does not do here: make a map password with POST /v1/account/map-passwords";
        return Err(ApiError::unauthorized(detail));
    };
    let actor = account.actor();
    let principal = crate::auth::Principal { actor, device: None, standing: Standing::Good };
    allow::<P>(&principal, account.must_change)?;
    Ok((actor, scope == MapScope::ReadWrite))
}

fn is_bearer(value: &HeaderValue) -> bool {
    value.as_bytes().starts_with(b"Bearer ")
}

/// The name and the password of HTTP Basic.
fn basic(request: &HttpRequest) -> Option<(String, String)> {
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    // What cannot be read is nobody's.
    let decoded = STANDARD.decode(credentials.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let (login, secret) = decoded.as_deref().and_then(|text| text.split_once(':')).unwrap_or_default();
    Some((login.to_owned(), secret.to_owned()))
}
