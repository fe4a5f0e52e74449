//! The log as relays and auditors read it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use diesel::prelude::*;

use super::backend::DbConnection;
use super::memory::received;
use super::row::LogRow;
use super::schema::log;
use super::{Result, Store};
use crate::sync::memory::Answer;
use crate::sync::wire::LogEntry;

/// Entries of a part of the log, at the very most.
const LONGEST: usize = 20_000;
/// Bytes of edits in a part of the log, about.
const PART_BYTES: usize = 8 << 20;

impl Store {
    /// Entries of the log from `from` on, about `limit`: for relays and auditors. An action is never cut in two.
    pub fn log_entries(&self, from: i64, limit: i64) -> Result<Vec<LogEntry>> {
        self.read_feed(|connection| {
            let mut rows = whole_actions(connection, from, limit)?;
            end_by_bytes(&mut rows);
            Ok(rows.into_iter().map(entry).collect())
        })
    }
}

/// Entries from `from` on, about `limit`; the last action among them is whole.
pub(super) fn whole_actions(connection: &mut DbConnection, from: i64, limit: i64) -> Result<Vec<LogRow>> {
    let mut rows = rows_from(connection, from, limit)?;
    while let Some(last) = rows.last().filter(|_| rows.len() < LONGEST)
        && let Some(next) = rows_from(connection, last.seq + 1, 1)?.pop()
        && same_action(last, &next)
    {
        rows.push(next);
    }
    Ok(rows)
}

fn rows_from(connection: &mut DbConnection, from: i64, limit: i64) -> Result<Vec<LogRow>> {
    Ok(log::table
        .filter(log::seq.ge(from))
        .order(log::seq)
        .limit(limit)
        .select(LogRow::as_select())
        .load(connection)?)
}

/// Whether two entries that follow each other tell of one human action.
pub(super) fn same_action(a: &LogRow, b: &LogRow) -> bool {
    let action = |row: &LogRow| received(&row.body, row.device_id).ok().map(|edit| edit.action());
    let edits = a.entry == b.entry && matches!(a.entry.as_str(), "mutation" | "unparked");
    edits && a.device_id == b.device_id && action(a) == action(b)
}

/// Ends a part before it is more than a camp reads at once, at the end of an action.
fn end_by_bytes(rows: &mut Vec<LogRow>) {
    let mut bytes = 0;
    let end = (1..rows.len()).find(|place| {
        bytes += rows[place - 1].body.len();
        bytes > PART_BYTES && !same_action(&rows[place - 1], &rows[*place])
    });
    rows.truncate(end.unwrap_or(rows.len()));
}

/// An entry as it is told.
pub(super) fn entry(row: LogRow) -> LogEntry {
    let answer: Option<Answer> = row.answer.read().ok();
    let (waiting_for, problem) =
        answer.map(|answer| (answer.waiting_for, answer.problem)).unwrap_or_default();
    LogEntry {
        seq: row.seq,
        entry: row.entry,
        subject: row.subject.0,
        device_id: row.device_id.map(|id| id.0),
        device_seq: row.device_seq,
        outcome: row.outcome,
        received_at: row.received_at.0,
        body: STANDARD.encode(row.body),
        entry_hash: hex::encode(row.entry_hash),
        actor: row.actor.map(|id| id.0),
        role: row.role.and_then(|role| role.parse().ok()),
        organisation: row.organisation.map(|id| id.0),
        waiting_for,
        problem,
    }
}
