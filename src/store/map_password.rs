//! Passwords for map programs: QGIS, GDAL, ArcGIS and spreadsheets know a name and a password and cannot renew a token.
//! Each is made for one program, does what its scope says and no more, and is ended by itself.

use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::account::Account;
use super::column::{Id, Instant};
use super::schema::map_password;
use super::txn::SyncTxn;
use super::{Result, Store, StoreError};
use crate::model::{Hash, vocabulary};

/// Passwords that one person may have at a time.
const MOST: i64 = 20;
/// How exactly it is known when a password was used last: a map asks a hundred times a minute.
const LAST_USED: Duration = Duration::hours(1);

vocabulary! {
    /// What a map password may be used for.
    pub enum MapScope {
        /// To look.
        Read = "read",
        /// To write what its person may write, too.
        ReadWrite = "read_write",
    }
}

/// A map password, without its secret, which nobody is shown twice.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct MapPassword {
    /// Names it for ever.
    pub id: Uuid,
    /// What it is for, in its person's words.
    pub name: String,
    /// What it may be used for.
    pub scope: MapScope,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was used last, to the hour.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// A map password with whose it is.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct OwnedMapPassword {
    /// It.
    #[serde(flatten)]
    pub password: MapPassword,
    /// Whose account.
    pub account: Uuid,
}

type Row = (Id, String, String, Instant, Option<Instant>);

const COLUMNS: (
    map_password::map_password_id,
    map_password::name,
    map_password::scope,
    map_password::created_at,
    map_password::last_used_at,
) = (
    map_password::map_password_id,
    map_password::name,
    map_password::scope,
    map_password::created_at,
    map_password::last_used_at,
);

impl MapPassword {
    fn of((id, name, scope, created_at, last_used_at): Row) -> Result<Self> {
        Ok(Self {
            id: id.0,
            name,
            scope: scope.parse()?,
            created_at: created_at.0,
            last_used_at: last_used_at.map(|at| at.0),
        })
    }
}

impl Store {
    /// Makes a map password of `secret`, which must be random: it is kept as a plain hash.
    ///
    /// # Errors
    /// `Refused` where the person has too many.
    pub fn insert_map_password(
        &self,
        account: Uuid,
        name: &str,
        scope: MapScope,
        secret: &str,
    ) -> Result<MapPassword> {
        let (name, hash) = (name.to_owned(), Hash::of_bytes(secret.as_bytes()));
        self.write(move |txn| {
            let alive: i64 = map_password::table
                .filter(map_password::account_id.eq(Id(account)))
                .filter(map_password::revoked_at.is_null())
                .count()
                .get_result(txn.connection)?;
            if alive >= MOST {
                let detail = format!("you have {alive} map passwords: revoke one that is not used any more");
                return Err(StoreError::refused("map-passwords", detail));
            }
            let id = Uuid::now_v7();
            let what = json!({"map_password": id, "scope": scope});
            txn.act("map_password_added", id, Some(account), &what);
            let created_at = txn.now;
            diesel::insert_into(map_password::table)
                .values((
                    map_password::map_password_id.eq(Id(id)),
                    map_password::account_id.eq(Id(account)),
                    map_password::name.eq(&name),
                    map_password::scope.eq(scope.as_str()),
                    map_password::secret_hash.eq(hash.0.to_vec()),
                    map_password::created_at.eq(created_at),
                ))
                .execute(txn.connection)?;
            Ok(MapPassword { id, name, scope, created_at: created_at.0, last_used_at: None })
        })
    }

    /// A person's map passwords that are not revoked, the oldest first.
    pub fn list_map_passwords(&self, account: Uuid) -> Result<Vec<MapPassword>> {
        let rows: Vec<Row> = self.read(|connection| {
            Ok(map_password::table
                .filter(map_password::account_id.eq(Id(account)))
                .filter(map_password::revoked_at.is_null())
                .order(map_password::map_password_id)
                .select(COLUMNS)
                .load(connection)?)
        })?;
        rows.into_iter().map(MapPassword::of).collect()
    }

    /// Everybody's map passwords that are not revoked, the oldest first.
    pub fn list_all_map_passwords(&self) -> Result<Vec<OwnedMapPassword>> {
        let rows: Vec<(Row, Id)> = self.read(|connection| {
            Ok(map_password::table
                .filter(map_password::revoked_at.is_null())
                .order(map_password::map_password_id)
                .select((COLUMNS, map_password::account_id))
                .load(connection)?)
        })?;
        rows.into_iter()
            .map(|(row, account)| {
                Ok(OwnedMapPassword { password: MapPassword::of(row)?, account: account.0 })
            })
            .collect()
    }

    /// Ends a map password of a person.
    ///
    /// # Errors
    /// `NotFound` where the person has no such one.
    pub fn revoke_map_password(&self, account: Uuid, id: Uuid) -> Result<()> {
        self.write(move |txn| match owner(txn, id)? {
            Some(owner) if owner == account => end(txn, id, account),
            _ => Err(StoreError::NotFound("map password")),
        })
    }

    /// Ends anybody's map password.
    ///
    /// # Errors
    /// `NotFound` where there is no such one (any more).
    pub fn revoke_any_map_password(&self, id: Uuid, by: Uuid) -> Result<()> {
        self.write(move |txn| match owner(txn, id)? {
            Some(_) => end(txn, id, by),
            None => Err(StoreError::NotFound("map password")),
        })
    }

    /// Whose map password it is, and what it may be used for; nothing where the log-in and the secret do not belong
    /// together, the password is revoked, or the account is closed or has a one-time password.
    pub fn find_by_map_password(&self, login: &str, secret: &str) -> Result<Option<(Account, MapScope)>> {
        let hash = Hash::of_bytes(secret.as_bytes());
        let found: Option<(Id, Id, String, Option<Instant>)> = self.read(|connection| {
            Ok(map_password::table
                .filter(map_password::secret_hash.eq(hash.0.to_vec()))
                .filter(map_password::revoked_at.is_null())
                .select((
                    map_password::map_password_id,
                    map_password::account_id,
                    map_password::scope,
                    map_password::last_used_at,
                ))
                .first(connection)
                .optional()?)
        })?;
        let Some((id, account, scope, last_used)) = found else { return Ok(None) };
        let account = self.find_account(account.0)?;
        if account.login != login || account.disabled || account.must_change {
            return Ok(None);
        }
        if last_used.is_none_or(|last| Utc::now() - last.0 > LAST_USED) {
            self.note_use(id);
        }
        Ok(Some((account, scope.parse()?)))
    }

    /// A map is shown all the same where the writer has no time to note it.
    fn note_use(&self, id: Id) {
        let noted = self.write(move |txn| {
            let now = txn.now;
            diesel::update(map_password::table.find(id))
                .set(map_password::last_used_at.eq(Some(now)))
                .execute(txn.connection)?;
            Ok(())
        });
        if let Err(fault) = noted {
            tracing::warn!(%fault, "the use of a map password could not be noted");
        }
    }
}

/// Whose map password it is, where it is not revoked.
fn owner(txn: &mut SyncTxn<'_>, id: Uuid) -> Result<Option<Uuid>> {
    let owner: Option<Id> = map_password::table
        .find(Id(id))
        .filter(map_password::revoked_at.is_null())
        .select(map_password::account_id)
        .first(txn.connection)
        .optional()?;
    Ok(owner.map(|owner| owner.0))
}

fn end(txn: &mut SyncTxn<'_>, id: Uuid, by: Uuid) -> Result<()> {
    let now = txn.now;
    diesel::update(map_password::table.find(Id(id)))
        .set(map_password::revoked_at.eq(Some(now)))
        .execute(txn.connection)?;
    txn.act("map_password_revoked", id, Some(by), &json!({"map_password": id}));
    Ok(())
}

/// Ends every map password of an account that is closed, or has another password.
pub(super) fn revoke_all(txn: &mut SyncTxn<'_>, account: Uuid) -> Result<()> {
    let now = txn.now;
    let alive = map_password::table
        .filter(map_password::account_id.eq(Id(account)))
        .filter(map_password::revoked_at.is_null());
    diesel::update(alive).set(map_password::revoked_at.eq(Some(now))).execute(txn.connection)?;
    Ok(())
}
