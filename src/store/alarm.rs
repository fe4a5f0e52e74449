//! What a supervisor should look after: edits that are missing, waiting or fought over, and devices that fall silent
//! (docs/sync.md §9).

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};
use diesel::dsl::max;
use diesel::prelude::*;
use serde::Serialize;
use uuid::Uuid;

use super::column::{Document, Id, Instant};
use super::device::Device;
use super::schema::{conflict, log, quarantine, record};
use super::{Result, Store};
use crate::model::vocabulary;
use crate::sync::memory::Problem;

/// An outbox that is older is a tablet that somebody should carry to a network.
const OLD_OUTBOX: Duration = Duration::days(3);
/// A conflict that is open longer keeps ground contested.
const OLD_CONFLICT: Duration = Duration::days(7);
/// A clock that is further off misdates what is recorded on it.
const WRONG_CLOCK: Duration = Duration::hours(12);
/// Numbers that are named of those that are missing.
const NAMED: usize = 20;

vocabulary! {
    /// What an alarm is about.
    pub enum AlarmKind {
        /// A device has sent later edits, and not these.
        MissingEdits = "missing_edits",
        /// Two devices use one device's numbers: it was cloned, or restored from a copy.
        ClonedDevice = "cloned_device",
        /// A device says that it has held edits for days.
        OldOutbox = "old_outbox",
        /// A device's clock is hours off.
        WrongClock = "wrong_clock",
        /// An edit has waited for more than a day for something that is not here.
        Parked = "parked",
        /// A conflict has been open for a week.
        OldConflict = "old_conflict",
    }
}

/// Something to look after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Alarm {
    /// What it is about.
    pub kind: AlarmKind,
    /// The device, the edit or the conflict.
    pub subject: Uuid,
    /// Whose it is.
    pub organisation: Uuid,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
    /// In words, with what to do.
    pub detail: String,
}

impl Store {
    /// Every alarm, or those of one organisation.
    pub fn list_alarms(&self, of: Option<Uuid>) -> Result<Vec<Alarm>> {
        let now = Utc::now();
        let mut alarms = self.device_alarms(now)?;
        alarms.extend(self.clone_alarms()?);
        alarms.extend(self.list_parked()?.into_iter().filter(|parked| parked.alarm).map(|parked| Alarm {
            kind: AlarmKind::Parked,
            subject: parked.mutation_id,
            organisation: parked.organisation,
            since: Some(parked.since),
            detail: format!("this edit waits for {}: find the device that holds it", parked.waiting_for),
        }));
        alarms.extend(self.conflict_alarms(now)?);
        alarms.retain(|alarm| of.is_none_or(|organisation| organisation == alarm.organisation));
        Ok(alarms)
    }

    fn device_alarms(&self, now: DateTime<Utc>) -> Result<Vec<Alarm>> {
        let missing = self.missing_edits()?;
        let mut alarms = Vec::new();
        for device in self.list_devices(None)?.into_iter().filter(|device| device.revoked_at.is_none()) {
            let mut alarm = |kind, since, detail| {
                alarms.push(Alarm {
                    kind,
                    subject: device.id,
                    organisation: device.organisation,
                    since,
                    detail,
                });
            };
            if let Some(numbers) = missing.get(&device.id) {
                let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
                let detail = format!(
                    "`{}`: edits {} are missing: let it sync again, and look into its outbox",
                    device.name,
                    numbers.join(", ")
                );
                alarm(AlarmKind::MissingEdits, device.last_contact, detail);
            }
            let held = device.outbox_pending.is_some_and(|pending| pending > 0);
            if let Some(oldest) = device.outbox_oldest.filter(|oldest| held && now - *oldest > OLD_OUTBOX) {
                let pending = device.outbox_pending.unwrap_or_default();
                let detail = format!("`{}`: {pending} edits were not sent for days", device.name);
                alarm(AlarmKind::OldOutbox, Some(oldest), detail);
            }
            if let Some(skew) = device.skew_ms.filter(|skew| skew.abs() > WRONG_CLOCK.num_milliseconds()) {
                let hours = skew / 3_600_000;
                let detail =
                    format!("`{}`: its clock is {hours} hours ahead of this server's: set it", device.name);
                alarm(AlarmKind::WrongClock, device.last_contact, detail);
            }
        }
        Ok(alarms)
    }

    /// The first numbers that are missing of devices that have sent later ones.
    pub fn missing_edits(&self) -> Result<HashMap<Uuid, Vec<i64>>> {
        let through: HashMap<Uuid, i64> = self
            .list_devices(None)?
            .into_iter()
            .map(|Device { id, seq_through, .. }| (id, seq_through))
            .collect();
        self.read(|connection| {
            let highest: Vec<(Option<Id>, Option<i64>)> = log::table
                .filter(log::device_id.is_not_null())
                .group_by(log::device_id)
                .select((log::device_id, max(log::device_seq)))
                .load(connection)?;
            let mut missing = HashMap::new();
            for (device, highest) in highest {
                let (Some(Id(device)), Some(highest)) = (device, highest) else { continue };
                let Some(through) = through.get(&device).copied().filter(|through| *through < highest) else {
                    continue;
                };
                let here: Vec<Option<i64>> = log::table
                    .filter(log::device_id.eq(Id(device)))
                    .filter(log::device_seq.gt(through))
                    .select(log::device_seq)
                    .load(connection)?;
                let here: std::collections::HashSet<i64> = here.into_iter().flatten().collect();
                let gap = (through + 1..highest).filter(|number| !here.contains(number)).take(NAMED);
                missing.insert(device, gap.collect());
            }
            Ok(missing)
        })
    }

    fn clone_alarms(&self) -> Result<Vec<Alarm>> {
        let rows: Vec<(Option<Id>, Id, Document, Instant)> = self.read(|connection| {
            Ok(quarantine::table
                .inner_join(
                    log::table.on(log::subject.eq(quarantine::mutation_id).and(log::entry.eq("mutation"))),
                )
                .filter(quarantine::settled_seq.is_null())
                .order(quarantine::since_seq)
                .select((log::device_id, quarantine::organisation, quarantine::problem, quarantine::since))
                .load(connection)?)
        })?;
        let mut alarms: Vec<Alarm> = Vec::new();
        for (device, organisation, problem, since) in rows {
            let problem: Problem = problem.read()?;
            let Some(Id(subject)) = device.filter(|_| problem.code == "device_seq") else { continue };
            if alarms.iter().all(|alarm| alarm.subject != subject) {
                let detail = format!("{}: enrol it anew", problem.detail);
                alarms.push(Alarm {
                    kind: AlarmKind::ClonedDevice,
                    subject,
                    organisation: organisation.0,
                    since: Some(since.0),
                    detail,
                });
            }
        }
        Ok(alarms)
    }

    fn conflict_alarms(&self, now: DateTime<Utc>) -> Result<Vec<Alarm>> {
        let rows: Vec<(Id, Id, Id, Instant)> = self.read(|connection| {
            Ok(conflict::table
                .inner_join(record::table.on(record::record_id.eq(conflict::record_id)))
                .filter(conflict::closed_seq.is_null())
                .filter(conflict::opened_at.lt(Instant(now - OLD_CONFLICT)))
                .order(conflict::opened_seq)
                .select((
                    conflict::conflict_id,
                    conflict::record_id,
                    record::organisation,
                    conflict::opened_at,
                ))
                .load(connection)?)
        })?;
        let alarm = |(id, record, organisation, since): (Id, Id, Id, Instant)| Alarm {
            kind: AlarmKind::OldConflict,
            subject: id.0,
            organisation: organisation.0,
            since: Some(since.0),
            detail: format!("record {} has been fought over for a week: settle it", record.0),
        };
        Ok(rows.into_iter().map(alarm).collect())
    }
}
