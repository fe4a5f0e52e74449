//! Who the client is, where its server is, and what it knows of the server: one row.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sqlite::{Sqlite, SqliteConnection};
use uuid::Uuid;

use super::error::{ClientError, Result};
use super::outbox;
use super::schema::{member, scope, session};
use crate::auth::Tokens;
use crate::model::role::Actor;
use crate::sync::wire::LogHead;

/// What a server takes in one push until it tells: small enough for any.
const MUTATIONS: i64 = 500;
const BYTES: i64 = 1024 * 1024;

/// The client's row.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = session, check_for_backend(Sqlite))]
pub(super) struct Session {
    pub(super) id: i32,
    pub(super) server_url: String,
    pub(super) device_id: String,
    pub(super) account: String,
    pub(super) organisation: String,
    pub(super) role: String,
    pub(super) access_token: String,
    pub(super) refresh_token: String,
    pub(super) next_seq: i64,
    pub(super) epoch: Option<String>,
    pub(super) durable_through: i64,
    pub(super) head: Option<String>,
    pub(super) max_mutations: i64,
    pub(super) max_bytes: i64,
    pub(super) wipe: bool,
    pub(super) revised_through: i64,
}

impl Session {
    /// Reads the row.
    pub(super) fn load(connection: &mut SqliteConnection) -> Result<Self> {
        let row = session::table.select(Self::as_select()).first(connection).optional()?;
        row.ok_or(ClientError::NotEnrolled)
    }

    /// Begins anew as a device that was just enrolled. Edits that wait in the outbox become its first.
    pub(super) fn begin(connection: &mut SqliteConnection, server_url: &str, tokens: &Tokens) -> Result<()> {
        let device = tokens.device.ok_or(ClientError::NotEnrolled)?;
        let mut row = Self {
            id: 1,
            server_url: server_url.trim_end_matches('/').to_owned(),
            device_id: device.to_string(),
            account: tokens.account.to_string(),
            organisation: tokens.organisation.to_string(),
            role: tokens.role.to_string(),
            access_token: tokens.access_token.clone(),
            refresh_token: tokens.refresh_token.clone(),
            next_seq: 1,
            epoch: None,
            durable_through: UNKNOWN,
            head: None,
            max_mutations: MUTATIONS,
            max_bytes: BYTES,
            wipe: false,
            revised_through: 0,
        };
        connection.immediate_transaction(|connection| {
            let before = session::table.select(Self::as_select()).first(connection).optional()?;
            if let Some(before) = before {
                outbox::forget_acknowledgements(connection, &before)?;
                // A server that was brought back from a copy may know neither the device nor that it went back.
                row.head = before.head;
            }
            diesel::delete(session::table).execute(connection)?;
            diesel::insert_into(session::table).values(row).execute(connection)?;
            outbox::renumber(connection)
        })
    }

    /// Keeps refreshed tokens, and what the server now says that the account is.
    pub(super) fn keep_tokens(connection: &mut SqliteConnection, tokens: &Tokens) -> Result<()> {
        diesel::update(session::table)
            .set((
                session::access_token.eq(&tokens.access_token),
                session::refresh_token.eq(&tokens.refresh_token),
                session::organisation.eq(tokens.organisation.to_string()),
                session::role.eq(tokens.role.as_str()),
            ))
            .execute(connection)?;
        Ok(())
    }

    /// Keeps the server's address.
    pub(super) fn keep_url(connection: &mut SqliteConnection, url: &str) -> Result<()> {
        diesel::update(session::table).set(session::server_url.eq(url)).execute(connection)?;
        Ok(())
    }

    /// Keeps what the server takes, as far as it told.
    pub(super) fn keep_limits(
        connection: &mut SqliteConnection,
        mutations: Option<i64>,
        bytes: Option<i64>,
    ) -> Result<()> {
        if let Some(mutations) = mutations {
            diesel::update(session::table).set(session::max_mutations.eq(mutations)).execute(connection)?;
        }
        if let Some(bytes) = bytes {
            diesel::update(session::table).set(session::max_bytes.eq(bytes)).execute(connection)?;
        }
        Ok(())
    }

    /// Keeps where the server's log stood. One that lies before what was told already is not kept: the next push shows
    /// the server what it has forgotten.
    pub(super) fn keep_head(connection: &mut SqliteConnection, head: &LogHead) -> Result<()> {
        let kept = Self::load(connection)?.head()?;
        if kept.is_some_and(|kept| kept.epoch == head.epoch && kept.seq > head.seq) {
            return Ok(());
        }
        let head = serde_json::to_string(head)?;
        diesel::update(session::table).set(session::head.eq(Some(head))).execute(connection)?;
        Ok(())
    }

    /// The person as somebody who acts.
    pub(super) fn actor(&self) -> Result<Actor> {
        Ok(Actor {
            account: Uuid::parse_str(&self.account)?,
            role: self.role.parse()?,
            organisation: Uuid::parse_str(&self.organisation)?,
        })
    }

    /// Where the server's log stood.
    pub(super) fn head(&self) -> Result<Option<LogHead>> {
        Ok(self.head.as_deref().map(serde_json::from_str).transpose()?)
    }
}

/// Not known in this epoch: the next push asks.
pub(super) const UNKNOWN: i64 = -1;

/// Meets an epoch. Where it is another than before, acknowledgements no longer hold and every scope is fetched again;
/// what is in the scopes stays in sight meanwhile, unverified. True where it changed.
pub(super) fn meet_epoch(connection: &mut SqliteConnection, epoch: Uuid) -> Result<bool> {
    let known: Option<String> = session::table.select(session::epoch).first(connection)?;
    let epoch = epoch.to_string();
    if known.as_ref() == Some(&epoch) {
        return Ok(false);
    }
    diesel::update(session::table)
        .set((
            session::epoch.eq(&epoch),
            session::durable_through.eq(UNKNOWN),
            session::head.eq(None::<String>),
            session::revised_through.eq(0),
        ))
        .execute(connection)?;
    diesel::update(scope::table)
        .set((scope::cursor.eq(0), scope::epoch.eq(&epoch), scope::verified_at.eq(None::<String>)))
        .execute(connection)?;
    diesel::update(member::table).set(member::stale.eq(true)).execute(connection)?;
    Ok(true)
}

/// A time as it is kept.
pub(super) fn read_time(text: &str) -> Result<DateTime<Utc>> {
    Ok(DateTime::parse_from_rfc3339(text)?.to_utc())
}
