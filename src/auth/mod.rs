//! Who somebody is and what they may do: passwords, tokens, permissions.
//!
//! Knows the store for accounts and devices; knows nothing of the web.

pub mod password;
pub mod permission;
pub mod token;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model::role::{Actor, Role};
use crate::store::account::Account;
use crate::store::token::Holder;
use crate::store::{Result, Store, StoreError};
use crate::sync::Standing;
use token::{ACCESS_LIFE, Claims, Keys};

/// Who makes a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Principal {
    /// The account with its role and organisation as they are now, not as they were when the token was made.
    pub actor: Actor,
    /// The device, where it is one.
    pub device: Option<Uuid>,
    /// Whether its writes are taken at once.
    pub standing: Standing,
}

/// What a log-in, an enrolment or a refresh gives.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Tokens {
    /// For `Authorization: Bearer …`.
    pub access_token: String,
    /// Seconds until it runs out.
    pub expires_in: i64,
    /// Good for one refresh.
    pub refresh_token: String,
    /// The account.
    pub account: Uuid,
    /// Whom the account works for: an offline client judges by it what its person may do.
    pub organisation: Uuid,
    /// What the account is.
    pub role: Role,
    /// The device, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Uuid>,
    /// The password is a one-time password: set another before anything else.
    #[serde(default)]
    pub must_change: bool,
}

/// Checks a log-in and its password and begins a session.
///
/// # Errors
/// `Refused` with the same words whatever was wrong, and after the same time.
pub fn log_in(store: &Store, keys: &Keys, login: &str, given: &str) -> Result<Tokens> {
    let account = store.find_login(login.trim())?.filter(|account| !account.disabled);
    let stored = account.as_ref().map(|account| account.password.as_str());
    if !password::verify(given, stored) {
        return Err(StoreError::refused("log-in", "log-in or password is wrong"));
    }
    let account = account.ok_or(StoreError::NotFound("account"))?;
    begin(store, keys, Holder { account: account.id, device: None })
}

/// Begins a session for an account or a device.
pub fn begin(store: &Store, keys: &Keys, holder: Holder) -> Result<Tokens> {
    let account = store.find_account(holder.account)?;
    let refresh = token::random_secret();
    store.insert_refresh_token(&refresh, holder)?;
    Ok(tokens(keys, &account, holder.device, refresh))
}

/// Exchanges a refresh token.
///
/// # Errors
/// `Refused` where it is not valid, the account is closed or the device revoked.
pub fn refresh(store: &Store, keys: &Keys, old: &str) -> Result<Tokens> {
    let next = token::random_secret();
    let holder = store.rotate_refresh_token(old, &next)?;
    let account = store.find_account(holder.account)?;
    if account.disabled {
        return Err(StoreError::refused("refresh-token", "this account is closed"));
    }
    Ok(tokens(keys, &account, holder.device, next))
}

fn tokens(keys: &Keys, account: &Account, device: Option<Uuid>, refresh_token: String) -> Tokens {
    Tokens {
        access_token: keys.issue(Holder { account: account.id, device }),
        expires_in: ACCESS_LIFE.num_seconds(),
        refresh_token,
        account: account.id,
        organisation: account.organisation,
        role: account.role,
        device,
        // A device was enrolled by a code, not by the password.
        must_change: account.must_change && device.is_none(),
    }
}

/// Who the holder of valid claims is now. An expired or revoked device is let in to push, into quarantine.
///
/// # Errors
/// `NotFound` for an account that is closed or gone.
pub fn identify(store: &Store, claims: &Claims, expired: bool) -> Result<(Principal, bool)> {
    let account = store.find_account(claims.sub)?;
    let device = claims.device.map(|id| store.find_device(id)).transpose()?;
    let standing = match &device {
        Some(device) if device.revoked_at.is_some() || account.disabled => Standing::Revoked,
        _ if expired => Standing::Expired,
        _ => Standing::Good,
    };
    if account.disabled && device.is_none() {
        return Err(StoreError::NotFound("account"));
    }
    let principal = Principal { actor: account.actor(), device: device.map(|device| device.id), standing };
    Ok((principal, account.must_change && claims.device.is_none()))
}
