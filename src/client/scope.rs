//! What a client follows, and the pages that the server sends of it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sqlite::{Sqlite, SqliteConnection};
use uuid::Uuid;

use super::error::Result;
use super::schema::{member, outbox, record, scope};
use super::session::read_time;
use crate::model::record::Feature;
use crate::planted::{Fault, is_planted};
use crate::sync::Digest;
use crate::sync::wire::ScopePage;

/// A scope that the client follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// `everything`, `content`, `organisation:<uuid>` or `task:<uuid>`.
    pub id: String,
    /// How far in the server's log it has come.
    pub cursor: i64,
    /// When it was last found to be all that the server has. Nothing: incomplete – do not rely on it.
    pub complete_as_of: Option<DateTime<Utc>>,
    /// The server no longer gives it to this client.
    pub revoked: bool,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = scope, check_for_backend(Sqlite))]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) epoch: Option<String>,
    pub(super) cursor: i64,
    verified_at: Option<String>,
    revoked: bool,
}

/// Follows a scope from now on.
pub(super) fn follow(connection: &mut SqliteConnection, id: &str) -> Result<()> {
    diesel::insert_or_ignore_into(scope::table)
        .values((scope::id.eq(id), scope::cursor.eq(0), scope::revoked.eq(false)))
        .execute(connection)?;
    Ok(())
}

/// Follows a scope no longer, and forgets what only it held.
pub(super) fn unfollow(connection: &mut SqliteConnection, id: &str) -> Result<()> {
    diesel::delete(scope::table.find(id)).execute(connection)?;
    forget(connection)
}

/// Every scope that is followed.
pub(super) fn rows(connection: &mut SqliteConnection) -> Result<Vec<Row>> {
    Ok(scope::table.order(scope::id).select(Row::as_select()).load(connection)?)
}

/// Every scope that is followed, as callers see it.
pub(super) fn list(connection: &mut SqliteConnection) -> Result<Vec<Followed>> {
    let followed = |row: Row| {
        let complete_as_of = row.verified_at.as_deref().map(read_time).transpose()?;
        Ok(Followed { id: row.id, cursor: row.cursor, complete_as_of, revoked: row.revoked })
    };
    rows(connection)?.into_iter().map(followed).collect()
}

/// What a page did.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// There is a next page.
    pub(super) has_more: bool,
    /// On the last page: whether this client now holds what the server has.
    pub(super) agrees: Option<bool>,
}

/// Takes a page of a scope. Part of the caller's transaction.
pub(super) fn apply(connection: &mut SqliteConnection, page: &ScopePage, epoch: Uuid) -> Result<Applied> {
    let of_scope = member::table.filter(member::scope.eq(&page.id));
    if page.revoked {
        diesel::delete(of_scope).execute(connection)?;
        write(connection, &page.id, (epoch, 0), None, true)?;
        forget(connection)?;
        return Ok(Applied::default());
    }
    if page.refetch {
        diesel::update(of_scope).set(member::stale.eq(true)).execute(connection)?;
    }
    for feature in &page.records {
        if is_planted(Fault::PullOverwrites) {
            let pending = outbox::table.filter(outbox::record_id.eq(feature.id.to_string()));
            diesel::delete(pending).execute(connection)?;
        }
        put(connection, &page.id, feature, epoch)?;
    }
    for id in &page.leaves {
        diesel::delete(of_scope.filter(member::record_id.eq(id.to_string()))).execute(connection)?;
    }
    let mut applied = Applied { has_more: page.has_more, agrees: None };
    let mut at = (epoch, page.cursor);
    let mut verified = None;
    if let Some(digest) = page.digest {
        diesel::delete(of_scope.filter(member::stale.eq(true))).execute(connection)?;
        let agrees = held(connection, &page.id)? == digest;
        applied.agrees = Some(agrees);
        if agrees {
            verified = Some(Utc::now());
        } else {
            diesel::update(of_scope).set(member::stale.eq(true)).execute(connection)?;
            at.1 = 0;
        }
    }
    write(connection, &page.id, at, verified, false)?;
    forget(connection)?;
    Ok(applied)
}

/// The digest of what this client holds of a scope.
pub(super) fn held(connection: &mut SqliteConnection, id: &str) -> Result<Digest> {
    let rows: Vec<(String, String)> = member::table
        .filter(member::scope.eq(id))
        .select((member::record_id, member::version))
        .load(connection)?;
    let mut digest = Digest::default();
    for (record, version) in rows {
        digest.add(Uuid::parse_str(&record)?, Uuid::parse_str(&version)?);
    }
    Ok(digest)
}

fn write(
    connection: &mut SqliteConnection,
    id: &str,
    (epoch, cursor): (Uuid, i64),
    verified: Option<DateTime<Utc>>,
    revoked: bool,
) -> Result<()> {
    diesel::update(scope::table.find(id))
        .set((
            scope::epoch.eq(epoch.to_string()),
            scope::cursor.eq(cursor),
            scope::verified_at.eq(verified.map(|time| time.to_rfc3339())),
            scope::revoked.eq(revoked),
        ))
        .execute(connection)?;
    Ok(())
}

/// Keeps a record, unless another scope has told a newer state of it already, and its membership.
fn put(connection: &mut SqliteConnection, scope_id: &str, feature: &Feature, epoch: Uuid) -> Result<()> {
    use diesel::query_dsl::methods::FilterDsl;
    use diesel::upsert::excluded;

    let row = (
        record::record_id.eq(feature.id.to_string()),
        record::kind.eq(&feature.kind),
        record::epoch.eq(epoch.to_string()),
        record::seq.eq(feature.seq),
        record::feature.eq(serde_json::to_string(feature)?),
    );
    let upsert =
        diesel::insert_into(record::table).values(row).on_conflict(record::record_id).do_update().set((
            record::kind.eq(excluded(record::kind)),
            record::epoch.eq(excluded(record::epoch)),
            record::seq.eq(excluded(record::seq)),
            record::feature.eq(excluded(record::feature)),
        ));
    let newer = record::epoch.ne(excluded(record::epoch)).or(record::seq.le(excluded(record::seq)));
    FilterDsl::filter(upsert, newer).execute(connection)?;
    diesel::replace_into(member::table)
        .values((
            member::scope.eq(scope_id),
            member::record_id.eq(feature.id.to_string()),
            member::version.eq(feature.version.to_string()),
            member::stale.eq(false),
        ))
        .execute(connection)?;
    Ok(())
}

/// Forgets records that no scope holds any more, but for those that somebody here has edited and not sent: their
/// author must go on seeing them.
fn forget(connection: &mut SqliteConnection) -> Result<()> {
    let held = member::table.filter(member::record_id.eq(record::record_id));
    let unsent = outbox::table
        .filter(outbox::record_id.eq(record::record_id))
        .filter(outbox::settled.eq(false))
        .filter(outbox::answer.is_null());
    diesel::delete(
        record::table
            .filter(diesel::dsl::not(diesel::dsl::exists(held)))
            .filter(diesel::dsl::not(diesel::dsl::exists(unsent))),
    )
    .execute(connection)?;
    Ok(())
}
