//! Every edit that was made here: what the server has said of it, and whether it is still to be sent or shown.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sqlite::{Sqlite, SqliteConnection};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::error::Result;
use super::schema::{outbox, record, scope, session};
use super::session::{Session, meet_epoch, read_time};
use crate::model::Mutation;
use crate::model::mutation::Outcome;
use crate::planted::{Fault, is_planted};
use crate::sync::Answer;
use crate::sync::wire::PushAnswer;

/// An edit that was made here, and what became of it.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The edit, and the version that it makes.
    pub mutation_id: Uuid,
    /// The device that made it.
    pub device_id: Uuid,
    /// Its number on that device.
    pub device_seq: i64,
    /// The record.
    pub record_id: Uuid,
    /// Its kind.
    pub kind: String,
    /// When it was made, by this device's clock.
    pub made_at: DateTime<Utc>,
    /// What the server said last; nothing while it has not. A `duplicate` stands here as what it was the first time.
    pub answer: Option<Answer>,
    /// Whether the server has it, and everything of its device before it.
    pub durable: bool,
    /// Whether it is still laid on what the server tells.
    pub replayed: bool,
}

impl Sent {
    /// What became of it.
    pub fn outcome(&self) -> Option<Outcome> {
        self.answer.as_ref().map(|answer| answer.outcome)
    }
}

/// A row of the outbox.
#[derive(Debug, Clone, Queryable, Selectable, Identifiable)]
#[diesel(table_name = outbox, primary_key(place), check_for_backend(Sqlite))]
pub(super) struct Row {
    pub(super) place: i64,
    pub(super) mutation_id: String,
    pub(super) device_id: String,
    pub(super) device_seq: i64,
    pub(super) record_id: String,
    pub(super) kind: String,
    pub(super) txn: String,
    pub(super) body: String,
    pub(super) made_at: String,
    pub(super) epoch: Option<String>,
    pub(super) seq: Option<i64>,
    pub(super) answer: Option<String>,
    pub(super) settled: bool,
}

impl Row {
    /// Whether the server is known to have it and everything of its device before it, in this epoch.
    fn is_durable(&self, session: &Session) -> bool {
        let acknowledged = self.epoch.is_some() && self.epoch == session.epoch;
        if self.device_id == session.device_id {
            self.device_seq <= session.durable_through
        } else {
            acknowledged
        }
    }

    /// Whether it has to be sent, for the first time or again.
    fn is_due(&self, session: &Session) -> bool {
        let acknowledged = self.epoch.is_some() && self.epoch == session.epoch;
        !acknowledged && (!self.settled || !self.is_durable(session))
    }

    /// The edit.
    pub(super) fn mutation(&self) -> Result<Mutation> {
        Ok(serde_json::from_str(&self.body)?)
    }

    fn answer(&self) -> Result<Option<Answer>> {
        Ok(self.answer.as_deref().map(serde_json::from_str).transpose()?)
    }

    fn sent(self, session: &Session) -> Result<Sent> {
        Ok(Sent {
            mutation_id: Uuid::parse_str(&self.mutation_id)?,
            device_id: Uuid::parse_str(&self.device_id)?,
            device_seq: self.device_seq,
            record_id: Uuid::parse_str(&self.record_id)?,
            made_at: read_time(&self.made_at)?,
            answer: self.answer()?,
            durable: self.is_durable(session),
            replayed: !self.settled,
            kind: self.kind,
        })
    }
}

/// Writes an edit and counts it. Part of the caller's transaction.
pub(super) fn append(connection: &mut SqliteConnection, mutation: &Mutation, device: &str) -> Result<()> {
    let txn = mutation.txn.map_or(mutation.mutation_id, |txn| txn.id);
    diesel::insert_into(outbox::table)
        .values((
            outbox::mutation_id.eq(mutation.mutation_id.to_string()),
            outbox::device_id.eq(device),
            outbox::device_seq.eq(mutation.device_seq),
            outbox::record_id.eq(mutation.record_id.to_string()),
            outbox::kind.eq(&mutation.kind),
            outbox::txn.eq(txn.to_string()),
            outbox::body.eq(serde_json::to_string(mutation)?),
            outbox::made_at.eq(Utc::now().to_rfc3339()),
            outbox::settled.eq(false),
        ))
        .execute(connection)?;
    diesel::update(session::table).set(session::next_seq.eq(mutation.device_seq + 1)).execute(connection)?;
    Ok(())
}

/// Everything that was made here, in order.
pub(super) fn list(connection: &mut SqliteConnection, session: &Session) -> Result<Vec<Sent>> {
    let rows: Vec<Row> = outbox::table.order(outbox::place).select(Row::as_select()).load(connection)?;
    rows.into_iter().map(|row| row.sent(session)).collect()
}

/// The edits that are still laid on what the server tells: of one record, or of all.
pub(super) fn replayed(connection: &mut SqliteConnection, record: Option<Uuid>) -> Result<Vec<Mutation>> {
    let mut query = outbox::table
        .filter(outbox::settled.eq(false))
        .order(outbox::place)
        .select(Row::as_select())
        .into_boxed();
    if let Some(record) = record {
        query = query.filter(outbox::record_id.eq(record.to_string()));
    }
    let rows: Vec<Row> = query.load(connection)?;
    rows.iter().map(Row::mutation).collect()
}

/// One human action, to be sent whole.
#[derive(Debug)]
pub(super) struct Action {
    /// Its mutations, as bytes that never change again.
    pub(super) bodies: Vec<Box<RawValue>>,
    /// Their ids.
    pub(super) ids: Vec<Uuid>,
    /// Bytes of all of them.
    pub(super) bytes: usize,
}

impl Action {
    /// Its mutations as they are sent.
    pub(super) fn raw(&self) -> Vec<&RawValue> {
        self.bodies.iter().map(|body| &**body).collect()
    }
}

/// What has to be sent, in order, and when the oldest of it was made.
pub(super) fn due(
    connection: &mut SqliteConnection,
    session: &Session,
) -> Result<(Vec<Action>, Option<DateTime<Utc>>)> {
    let rows: Vec<Row> = outbox::table
        .filter(outbox::epoch.is_null().or(outbox::epoch.ne(&session.epoch)))
        .order(outbox::place)
        .select(Row::as_select())
        .load(connection)?;
    let rows: Vec<Row> = rows.into_iter().filter(|row| row.is_due(session)).collect();
    let oldest = rows.first().map(|row| read_time(&row.made_at)).transpose()?;
    let mut actions: Vec<Action> = Vec::new();
    for rows in rows.chunk_by(|a, b| a.txn == b.txn) {
        let mut action = Action { bodies: Vec::new(), ids: Vec::new(), bytes: 0 };
        for row in rows {
            action.bytes += row.body.len() + 1;
            action.ids.push(Uuid::parse_str(&row.mutation_id)?);
            action.bodies.push(RawValue::from_string(row.body.clone())?);
        }
        actions.push(action);
    }
    Ok((actions, oldest))
}

/// Keeps what a server answered to a push. Gives how many edits it acknowledged and whether its epoch is new.
pub(super) fn acknowledge(connection: &mut SqliteConnection, answer: &PushAnswer) -> Result<(usize, bool)> {
    let renewed = meet_epoch(connection, answer.epoch)?;
    let epoch = answer.epoch.to_string();
    let mut acknowledged = 0;
    for result in answer.results.iter().filter(|result| result.outcome != Outcome::Retry) {
        let mut kept = result.clone();
        kept.outcome = result.first.unwrap_or(result.outcome);
        acknowledged +=
            diesel::update(outbox::table.filter(outbox::mutation_id.eq(kept.mutation_id.to_string())))
                .set((
                    outbox::epoch.eq(&epoch),
                    outbox::seq.eq(kept.seq),
                    outbox::answer.eq(serde_json::to_string(&kept)?),
                ))
                .execute(connection)?;
    }
    for revised in &answer.revised {
        let made = outbox::table
            .filter(outbox::mutation_id.eq(revised.mutation_id.to_string()))
            .filter(outbox::answer.is_not_null());
        diesel::update(made).set(outbox::answer.eq(serde_json::to_string(revised)?)).execute(connection)?;
    }
    if is_planted(Fault::DropOnAck) {
        diesel::delete(outbox::table.filter(outbox::epoch.is_not_null())).execute(connection)?;
    }
    let through = answer.durable.device_seq_through;
    let count = |limit: usize| i64::try_from(limit).unwrap_or(i64::MAX);
    diesel::update(session::table)
        .set((
            session::durable_through.eq(through),
            session::max_mutations.eq(count(answer.limits.max_mutations)),
            session::max_bytes.eq(count(answer.limits.max_bytes)),
            session::wipe.eq(answer.wipe),
        ))
        .execute(connection)?;
    if let Some(head) = &answer.head {
        Session::keep_head(connection, head)?;
        diesel::update(session::table).set(session::revised_through.eq(head.seq)).execute(connection)?;
    }
    if renewed {
        take_up_lost(connection, &epoch, through)?;
    }
    Ok((acknowledged, renewed))
}

/// Gives edits that an earlier enrolment made numbers of the present one: a device pushes only what was made on it.
/// The server knows an edit by its id, so that one whose acknowledgement was lost is still taken once.
pub(super) fn renumber(connection: &mut SqliteConnection) -> Result<()> {
    let session = Session::load(connection)?;
    let device = Uuid::parse_str(&session.device_id)?;
    let rows: Vec<Row> = outbox::table
        .filter(outbox::device_id.ne(&session.device_id))
        .filter(outbox::epoch.is_null().or(outbox::epoch.ne(&session.epoch)))
        .filter(outbox::settled.eq(false))
        .order(outbox::place)
        .select(Row::as_select())
        .load(connection)?;
    let mut next = session.next_seq;
    for row in rows {
        let mut mutation = row.mutation()?;
        mutation.device_id = Some(device);
        mutation.device_seq = next;
        diesel::update(&row)
            .set((
                outbox::device_id.eq(&session.device_id),
                outbox::device_seq.eq(next),
                outbox::body.eq(serde_json::to_string(&mutation)?),
            ))
            .execute(connection)?;
        next += 1;
    }
    diesel::update(session::table).set(session::next_seq.eq(next)).execute(connection)?;
    Ok(())
}

/// A server that went back in time may have lost edits that were settled: they take part again, and are due.
fn take_up_lost(connection: &mut SqliteConnection, epoch: &str, through: i64) -> Result<()> {
    let own: String = session::table.select(session::device_id).first(connection)?;
    let elsewhere = outbox::epoch.is_null().or(outbox::epoch.ne(epoch));
    let lost = outbox::device_id.ne(own).or(outbox::device_seq.gt(through));
    diesel::update(outbox::table.filter(elsewhere).filter(lost))
        .set(outbox::settled.eq(false))
        .execute(connection)?;
    renumber(connection)
}

/// Stops replaying what is part of what the server tells, or stands beside it for good.
///
/// `left` are records that have just left a scope: what was done to them is the server's alone now.
pub(super) fn settle(connection: &mut SqliteConnection, left: &[Uuid]) -> Result<()> {
    let session = Session::load(connection)?;
    let cursors: Vec<i64> = scope::table
        .filter(scope::revoked.eq(false))
        .filter(scope::epoch.eq(&session.epoch))
        .select(scope::cursor)
        .load(connection)?;
    let passed = cursors.into_iter().min();
    let rows: Vec<Row> =
        outbox::table.filter(outbox::settled.eq(false)).select(Row::as_select()).load(connection)?;
    for row in rows {
        let Some(seq) = row.seq.filter(|_| row.epoch == session.epoch) else {
            continue;
        };
        let held: Option<i64> = record::table
            .find(&row.record_id)
            .filter(record::epoch.nullable().eq(&session.epoch))
            .select(record::seq)
            .first(connection)
            .optional()?;
        let told = held.is_some_and(|held| held >= seq);
        let beside = match row.answer()?.map(|answer| answer.outcome) {
            // It is shown until the server tells what became of it.
            Some(Outcome::Parked) | None => false,
            // A record that no scope holds is known from here alone: nobody else would show it.
            Some(Outcome::Applied | Outcome::Merged) => held.is_some(),
            Some(_) => true,
        };
        let gone = left.iter().any(|left| row.record_id == left.to_string());
        if told || gone || beside && passed.is_some_and(|passed| passed >= seq) {
            diesel::update(&row).set(outbox::settled.eq(true)).execute(connection)?;
        }
    }
    Ok(())
}

/// Before another enrolment: what the national server is not known to have is to be sent again, under new numbers.
pub(super) fn forget_acknowledgements(connection: &mut SqliteConnection, session: &Session) -> Result<()> {
    let own = outbox::device_id.eq(&session.device_id);
    let safe = own.and(outbox::device_seq.le(session.durable_through));
    diesel::update(outbox::table.filter(outbox::epoch.is_not_null()).filter(diesel::dsl::not(safe)))
        .set((outbox::epoch.eq(None::<String>), outbox::seq.eq(None::<i64>), outbox::settled.eq(false)))
        .execute(connection)?;
    Ok(())
}
