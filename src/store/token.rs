//! Refresh tokens: each can be used once; one that is used again was stolen, and its whole family ends.
//!
//! One exception keeps tablets alive: an answer that was lost on the way leaves a device with a token that the server
//! has exchanged already. As long as nobody has used what it was exchanged for, the device may ask again; then that
//! lost successor is dead, and using it ends the family. A thief and the device still cannot both go on. People's
//! browsers may do so for a minute: they ask again at once, and two of their tabs at the same time.

use chrono::Duration;
use diesel::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::column::{Id, Instant};
use super::schema::{account, device, refresh_token};
use super::txn::SyncTxn;
use super::{Result, Store, StoreError};
use crate::model::Hash;

/// How long a refresh token of a person lives.
const PERSON_LIFE: Duration = Duration::hours(12);
/// How long a device may stay away before it must be enrolled again. Field teams are away for weeks.
const DEVICE_LIFE: Duration = Duration::days(180);

/// How long a browser may ask again.
const ASK_AGAIN: Duration = Duration::minutes(1);

/// Whose tokens they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// The account.
    pub account: Uuid,
    /// The device, where it is one.
    pub device: Option<Uuid>,
}

/// What came of asking for another token.
enum Rotation {
    Done(Holder),
    Invalid,
    Revoked,
}

impl Store {
    /// Begins a family of refresh tokens with `token`.
    pub fn insert_refresh_token(&self, token: &str, holder: Holder) -> Result<()> {
        let hash = Hash::of_bytes(token.as_bytes());
        self.write(move |txn| {
            txn.act("logged_in", holder.account, Some(holder.account), &json!({"device": holder.device}));
            insert(txn, hash, Uuid::now_v7(), holder)
        })
    }

    /// Exchanges a refresh token for `next`.
    ///
    /// # Errors
    /// `Refused` where it is unknown, too old, or was used before – then the family ends –, and with a code of its own
    /// where its device was revoked: that device hands over what it holds and wipes itself.
    pub fn rotate_refresh_token(&self, token: &str, next: &str) -> Result<Holder> {
        let (hash, next) = (Hash::of_bytes(token.as_bytes()), Hash::of_bytes(next.as_bytes()));
        let rotated = self.write(move |txn| {
            type Row = (Id, Id, Option<Id>, Instant, Option<Instant>, Option<Instant>);
            let row: Option<Row> = refresh_token::table
                .find(hash.0.to_vec())
                .select((
                    refresh_token::family,
                    refresh_token::account_id,
                    refresh_token::device_id,
                    refresh_token::expires_at,
                    refresh_token::used_at,
                    refresh_token::revoked_at,
                ))
                .first(txn.connection)
                .optional()?;
            let Some((family, account, device, expires, used, revoked)) = row else {
                return Ok(Rotation::Invalid);
            };
            if let Some(device) = device
                && cut_off(txn, device)?
            {
                return Ok(Rotation::Revoked);
            }
            let asked_again = match used {
                Some(used) => {
                    let is_in_time = may_ask_again(device.is_some(), txn.now.0 - used.0);
                    is_in_time && revoked.is_none() && is_newest_used(txn, family.0, used)?
                }
                None => false,
            };
            if used.is_some() && !asked_again || used.is_none() && replaced(txn, family.0, revoked)? {
                txn.act("refresh_token_reused", account.0, None, &json!({"family": family.0}));
                revoke_family(txn, family.0)?;
                return Ok(Rotation::Invalid);
            }
            if revoked.is_some() || expires < txn.now {
                return Ok(Rotation::Invalid);
            }
            let now = txn.now;
            if asked_again {
                revoke_unused(txn, family.0)?;
            }
            diesel::update(refresh_token::table.find(hash.0.to_vec()))
                .set(refresh_token::used_at.eq(Some(now)))
                .execute(txn.connection)?;
            let holder = Holder { account: account.0, device: device.map(|id| id.0) };
            insert(txn, next, family.0, holder)?;
            Ok(Rotation::Done(holder))
        })?;
        match rotated {
            Rotation::Done(holder) => Ok(holder),
            Rotation::Revoked => Err(StoreError::refused("revoked", "this device was revoked")),
            Rotation::Invalid => {
                Err(StoreError::refused("refresh-token", "this refresh token is not valid: log in again"))
            }
        }
    }

    /// Ends the family of a refresh token. An unknown token is no error: the aim is reached.
    pub fn end_refresh_token(&self, token: &str) -> Result<()> {
        let hash = Hash::of_bytes(token.as_bytes());
        self.write(move |txn| {
            let row: Option<(Id, Id)> = refresh_token::table
                .find(hash.0.to_vec())
                .select((refresh_token::family, refresh_token::account_id))
                .first(txn.connection)
                .optional()?;
            let Some((family, account)) = row else { return Ok(()) };
            txn.act("logged_out", account.0, Some(account.0), &json!({"family": family.0}));
            revoke_family(txn, family.0)
        })
    }
}

/// Whether a device was revoked, or its account closed.
fn cut_off(txn: &mut SyncTxn<'_>, id: Id) -> Result<bool> {
    let row: Option<(Option<Instant>, bool)> = device::table
        .inner_join(account::table.on(account::account_id.eq(device::account_id)))
        .filter(device::device_id.eq(id))
        .select((device::revoked_at, account::disabled))
        .first(txn.connection)
        .optional()?;
    Ok(row.is_some_and(|(revoked, disabled)| revoked.is_some() || disabled))
}

/// Whether a token that was used this long ago may still be one whose answer was lost.
fn may_ask_again(is_device: bool, since: Duration) -> bool {
    is_device || since < ASK_AGAIN
}

fn insert(txn: &mut SyncTxn<'_>, hash: Hash, family: Uuid, holder: Holder) -> Result<()> {
    let life = if holder.device.is_some() { DEVICE_LIFE } else { PERSON_LIFE };
    diesel::insert_into(refresh_token::table)
        .values((
            refresh_token::token_hash.eq(hash.0.to_vec()),
            refresh_token::family.eq(Id(family)),
            refresh_token::account_id.eq(Id(holder.account)),
            refresh_token::device_id.eq(holder.device.map(Id)),
            refresh_token::expires_at.eq(Instant(txn.now.0 + life)),
        ))
        .execute(txn.connection)?;
    Ok(())
}

/// Whether no token of the family was exchanged after this one, that is, its successor has not been used.
fn is_newest_used(txn: &mut SyncTxn<'_>, family: Uuid, used: Instant) -> Result<bool> {
    let later: i64 = refresh_token::table
        .filter(refresh_token::family.eq(Id(family)))
        .filter(refresh_token::used_at.gt(used))
        .count()
        .get_result(txn.connection)?;
    Ok(later == 0)
}

/// Whether an unused, revoked token belongs to a family that lives on: it was replaced, and both of its holders asked.
fn replaced(txn: &mut SyncTxn<'_>, family: Uuid, revoked: Option<Instant>) -> Result<bool> {
    if revoked.is_none() {
        return Ok(false);
    }
    let alive: i64 = refresh_token::table
        .filter(refresh_token::family.eq(Id(family)))
        .filter(refresh_token::revoked_at.is_null())
        .count()
        .get_result(txn.connection)?;
    Ok(alive > 0)
}

/// Ends the successor that nobody has used.
fn revoke_unused(txn: &mut SyncTxn<'_>, family: Uuid) -> Result<()> {
    let now = txn.now;
    let unused = refresh_token::table
        .filter(refresh_token::family.eq(Id(family)))
        .filter(refresh_token::used_at.is_null());
    diesel::update(unused).set(refresh_token::revoked_at.eq(Some(now))).execute(txn.connection)?;
    Ok(())
}

fn revoke_family(txn: &mut SyncTxn<'_>, family: Uuid) -> Result<()> {
    let now = txn.now;
    diesel::update(refresh_token::table.filter(refresh_token::family.eq(Id(family))))
        .set(refresh_token::revoked_at.eq(Some(now)))
        .execute(txn.connection)?;
    Ok(())
}

/// Ends what somebody is logged in with. Tablets stay: each was enrolled by a code of its own and is revoked by itself.
pub(super) fn revoke_sessions(txn: &mut SyncTxn<'_>, account: Uuid) -> Result<()> {
    let now = txn.now;
    let sessions = refresh_token::table
        .filter(refresh_token::account_id.eq(Id(account)))
        .filter(refresh_token::device_id.is_null());
    diesel::update(sessions).set(refresh_token::revoked_at.eq(Some(now))).execute(txn.connection)?;
    Ok(())
}

pub(super) fn revoke_account(txn: &mut SyncTxn<'_>, account: Uuid) -> Result<()> {
    let now = txn.now;
    diesel::update(refresh_token::table.filter(refresh_token::account_id.eq(Id(account))))
        .set(refresh_token::revoked_at.eq(Some(now)))
        .execute(txn.connection)?;
    Ok(())
}

pub(super) fn revoke_device(txn: &mut SyncTxn<'_>, device: Uuid) -> Result<()> {
    let now = txn.now;
    diesel::update(refresh_token::table.filter(refresh_token::device_id.eq(Id(device))))
        .set(refresh_token::revoked_at.eq(Some(now)))
        .execute(txn.connection)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_ask_again_at_once_and_devices_when_they_come_back() {
        let (soon, later) = (Duration::seconds(20), Duration::days(20));
        assert!(may_ask_again(false, soon) && may_ask_again(true, soon) && may_ask_again(true, later));
        assert!(!may_ask_again(false, ASK_AGAIN) && !may_ask_again(false, later));
    }
}
