//! Scopes by name, and the running digests of what they hold (docs/sync.md §1, §4).

use diesel::prelude::*;
use uuid::Uuid;

use super::backend::{DbConnection, on_backend};
use super::schema::scope_digest;
use super::{Result, StoreError};
use crate::sync::digest::Digest;

/// A scope of records that a client may follow (docs/sync.md §1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Every record, the personal ones too: servers and IM officers.
    Everything,
    /// Every record that is not personal.
    Content,
    /// An organisation's records.
    Organisation(Uuid),
    /// What a task needs: its own records and what lies around its areas.
    Task(Uuid),
}

impl Scope {
    /// The scope's name on the wire and in the database.
    pub fn key(&self) -> String {
        match self {
            Self::Everything => "everything".to_owned(),
            Self::Content => "content".to_owned(),
            Self::Organisation(id) => format!("organisation:{id}"),
            Self::Task(id) => format!("task:{id}"),
        }
    }
}

impl std::str::FromStr for Scope {
    type Err = StoreError;

    fn from_str(key: &str) -> Result<Self> {
        let unknown = || {
            StoreError::refused(
                "unknown-scope",
                format!("`{key}` is not a scope: everything, content, organisation:<uuid>, task:<uuid>"),
            )
        };
        match key.split_once(':') {
            None if key == "everything" => Ok(Self::Everything),
            None if key == "content" => Ok(Self::Content),
            Some(("organisation", id)) => {
                Uuid::parse_str(id).map(Self::Organisation).map_err(|_not_a_uuid| unknown())
            }
            Some(("task", id)) => Uuid::parse_str(id).map(Self::Task).map_err(|_not_a_uuid| unknown()),
            _ => Err(unknown()),
        }
    }
}

/// The running digest of a scope.
pub(super) fn read_digest(connection: &mut DbConnection, scope: &str) -> Result<Digest> {
    let row: Option<(i64, i64)> = scope_digest::table
        .find(scope)
        .select((scope_digest::count, scope_digest::sum))
        .first(connection)
        .optional()?;
    Ok(row.map_or_else(Digest::default, |(count, sum)| Digest { count, sum }))
}

/// Stores the running digest of a scope.
pub(super) fn write_digest(connection: &mut DbConnection, scope: &str, digest: Digest) -> Result<()> {
    let row = (
        scope_digest::scope.eq(scope),
        scope_digest::count.eq(digest.count),
        scope_digest::sum.eq(digest.sum),
    );
    on_backend!(connection, |c| {
        diesel::insert_into(scope_digest::table)
            .values(row)
            .on_conflict(scope_digest::scope)
            .do_update()
            .set((scope_digest::count.eq(digest.count), scope_digest::sum.eq(digest.sum)))
            .execute(c)
    })?;
    Ok(())
}
