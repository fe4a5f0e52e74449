//! Devices: enrolled by a one-time code, seen at every contact, revoked when lost.

use chrono::{DateTime, Duration, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::backend::{MultiBackend, on_backend};
use super::column::{Id, Instant};
use super::schema::{account, device, enrolment};
use super::txn::SyncTxn;
use super::{Result, Store, StoreError};
use crate::model::Hash;
use crate::sync::wire::DeviceReport;

/// How long an enrolment code can be used.
const CODE_LIFE: Duration = Duration::hours(24);

/// A tablet or a server that pushes.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Device {
    /// Names it for ever.
    pub id: Uuid,
    /// For whom it was enrolled.
    pub account: Uuid,
    /// That person's name.
    pub person: String,
    /// Whose it is.
    pub organisation: Uuid,
    /// What people call it.
    pub name: String,
    /// When it was enrolled.
    pub enrolled_at: DateTime<Utc>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Every one of its edits up to this number is stored here.
    pub seq_through: i64,
    /// When it was last heard of.
    pub last_contact: Option<DateTime<Utc>>,
    /// How many edits it said it still held.
    pub outbox_pending: Option<i64>,
    /// When the oldest of them was made.
    pub outbox_oldest: Option<DateTime<Utc>>,
    /// Its clock against the server's, ms.
    pub skew_ms: Option<i64>,
    /// Program and version.
    pub app: Option<String>,
    /// The camp that tells of it, where it was enrolled at one.
    pub via: Option<Uuid>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = device, check_for_backend(Pg, Sqlite, MultiBackend))]
struct DeviceRow {
    device_id: Id,
    account_id: Id,
    name: String,
    enrolled_at: Instant,
    revoked_at: Option<Instant>,
    seq_through: i64,
    last_contact: Option<Instant>,
    outbox_pending: Option<i64>,
    outbox_oldest: Option<Instant>,
    skew_ms: Option<i64>,
    app: Option<String>,
    via: Option<Id>,
}

impl DeviceRow {
    fn into_device(self, (organisation, person): (Id, String)) -> Device {
        Device {
            id: self.device_id.0,
            account: self.account_id.0,
            person,
            organisation: organisation.0,
            name: self.name,
            enrolled_at: self.enrolled_at.0,
            revoked_at: self.revoked_at.map(|at| at.0),
            seq_through: self.seq_through,
            last_contact: self.last_contact.map(|at| at.0),
            outbox_pending: self.outbox_pending,
            outbox_oldest: self.outbox_oldest.map(|at| at.0),
            skew_ms: self.skew_ms,
            app: self.app,
            via: self.via.map(|id| id.0),
        }
    }
}

impl Store {
    /// Every device, or those of one organisation.
    pub fn list_devices(&self, of: Option<Uuid>) -> Result<Vec<Device>> {
        self.read(|connection| {
            let mut query = device::table
                .inner_join(account::table.on(account::account_id.eq(device::account_id)))
                .order(device::enrolled_at)
                .select((DeviceRow::as_select(), (account::organisation, account::name)))
                .into_boxed();
            if let Some(organisation) = of {
                query = query.filter(account::organisation.eq(Id(organisation)));
            }
            let rows: Vec<(DeviceRow, (Id, String))> = query.load(connection)?;
            Ok(rows.into_iter().map(|(row, holder)| row.into_device(holder)).collect())
        })
    }

    /// A device.
    ///
    /// # Errors
    /// `NotFound`
    pub fn find_device(&self, id: Uuid) -> Result<Device> {
        let row: Option<(DeviceRow, (Id, String))> = self.read(|connection| {
            Ok(device::table
                .inner_join(account::table.on(account::account_id.eq(device::account_id)))
                .filter(device::device_id.eq(Id(id)))
                .select((DeviceRow::as_select(), (account::organisation, account::name)))
                .first(connection)
                .optional()?)
        })?;
        let (row, holder) = row.ok_or(StoreError::NotFound("device"))?;
        Ok(row.into_device(holder))
    }

    /// Lets a device be enrolled for an account: whoever shows `code` in time gets it.
    pub fn insert_enrolment(&self, code: &str, account: Uuid, by: Uuid) -> Result<DateTime<Utc>> {
        let hash = Hash::of_bytes(code.as_bytes());
        self.write(move |txn| {
            txn.act("enrolment_offered", account, Some(by), &json!({"account": account}));
            let expires = txn.now.0 + CODE_LIFE;
            diesel::insert_into(enrolment::table)
                .values((
                    enrolment::code_hash.eq(hash.0.to_vec()),
                    enrolment::account_id.eq(Id(account)),
                    enrolment::expires_at.eq(Instant(expires)),
                ))
                .execute(txn.connection)?;
            Ok(expires)
        })
    }

    /// Enrols a device by its one-time code; gives the device and its account.
    ///
    /// # Errors
    /// `Refused` where the code is unknown, used or too old – the answer does not tell which.
    pub fn enrol(&self, code: &str, name: &str) -> Result<(Uuid, Uuid)> {
        let hash = Hash::of_bytes(code.trim().to_uppercase().as_bytes());
        let name = name.replace('\0', "");
        self.write(move |txn| {
            let offer: Option<Id> = enrolment::table
                .find(hash.0.to_vec())
                .filter(enrolment::used_at.is_null())
                .filter(enrolment::expires_at.gt(txn.now))
                .select(enrolment::account_id)
                .first(txn.connection)
                .optional()?;
            let account = offer.ok_or_else(|| {
                StoreError::refused("enrolment-code", "this code is not valid (any more): ask for a new one")
            })?;
            diesel::update(enrolment::table.find(hash.0.to_vec()))
                .set(enrolment::used_at.eq(Some(txn.now)))
                .execute(txn.connection)?;
            let id = Uuid::now_v7();
            diesel::insert_into(device::table)
                .values((
                    device::device_id.eq(Id(id)),
                    device::account_id.eq(account),
                    device::name.eq(&name),
                    device::enrolled_at.eq(txn.now),
                    device::seq_through.eq(0_i64),
                ))
                .execute(txn.connection)?;
            txn.act("device_enrolled", id, Some(account.0), &json!({"device": id, "account": account.0}));
            Ok((id, account.0))
        })
    }

    /// Revokes a device: what it still holds goes into quarantine, and it is told to wipe.
    ///
    /// # Errors
    /// `NotFound`
    pub fn revoke_device(&self, id: Uuid, by: Uuid) -> Result<()> {
        self.write(move |txn| {
            let now = txn.now;
            let changed = diesel::update(device::table.find(Id(id)).filter(device::revoked_at.is_null()))
                .set(device::revoked_at.eq(Some(now)))
                .execute(txn.connection)?;
            if changed == 0 {
                return Err(StoreError::NotFound("device that is not revoked already"));
            }
            txn.act("device_revoked", id, Some(by), &json!({"device": id}));
            super::token::revoke_device(txn, id)
        })
    }
}

/// Keeps what a camp tells of a device that was enrolled at it. A device of an account that is not known here is left
/// to the next time.
pub(super) fn take_report(txn: &mut SyncTxn<'_>, camp: Uuid, report: &DeviceReport) -> Result<()> {
    let known: i64 = account::table
        .filter(account::account_id.eq(Id(report.account)))
        .count()
        .get_result(txn.connection)?;
    if known == 0 {
        return Ok(());
    }
    let row = (
        device::device_id.eq(Id(report.device_id)),
        device::account_id.eq(Id(report.account)),
        // PostgreSQL's text cannot hold every character that SQLite's can.
        device::name.eq(report.name.replace('\0', "")),
        device::enrolled_at.eq(Instant(report.enrolled_at)),
        device::seq_through.eq(0_i64),
        device::via.eq(Some(Id(camp))),
    );
    on_backend!(&mut *txn.connection, |c| {
        diesel::insert_into(device::table).values(row).on_conflict_do_nothing().execute(c)
    })?;
    // A device that was enrolled here is nobody else's to tell of.
    diesel::update(device::table.find(Id(report.device_id)).filter(device::via.eq(Some(Id(camp)))))
        .set((
            device::seq_through.eq(report.seq_through),
            device::last_contact.eq(report.last_contact.map(Instant)),
            device::outbox_pending.eq(report.outbox_pending),
            device::outbox_oldest.eq(report.outbox_oldest.map(Instant)),
            device::skew_ms.eq(report.skew_ms),
            device::app.eq(report.app.as_ref().map(|app| app.replace('\0', ""))),
        ))
        .execute(txn.connection)?;
    Ok(())
}

impl Store {
    /// What this camp tells its nation of the devices that were enrolled at it.
    pub fn device_reports(&self) -> Result<Vec<DeviceReport>> {
        let devices = self.list_devices(None)?.into_iter().filter(|device| device.via.is_none());
        let report = |device: Device| DeviceReport {
            device_id: device.id,
            account: device.account,
            name: device.name,
            enrolled_at: device.enrolled_at,
            revoked_at: device.revoked_at,
            seq_through: device.seq_through,
            last_contact: device.last_contact,
            outbox_pending: device.outbox_pending,
            outbox_oldest: device.outbox_oldest,
            skew_ms: device.skew_ms,
            app: device.app,
        };
        Ok(devices.map(report).collect())
    }
}
