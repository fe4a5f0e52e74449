//! Files that are here whole: their rows, and who has sent them. Their bytes are [`crate::blob`]'s.

use diesel::prelude::*;
use uuid::Uuid;

use super::backend::on_backend;
use super::column::Id;
use super::schema::{blob, blob_holder, claim};
use super::{Result, Store};
use crate::model::Hash;

/// What an organisation's records claim of one file, and whether it has been sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The size that was claimed first. Where claims differ, the hash decides.
    pub size: u64,
    /// The size of the file that the organisation has sent whole.
    pub done: Option<u64>,
}

/// A file that should be here whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its name.
    pub sha256: Hash,
    /// Bytes.
    pub size: u64,
}

impl Store {
    /// What an organisation's records claim of a file; nothing where none of them does. What others claim or have
    /// sent makes no difference.
    pub fn find_expected(&self, file: Hash, organisation: Uuid) -> Result<Option<Expected>> {
        let sha256 = file.to_hex();
        self.read(|connection| {
            let size: Option<i64> = claim::table
                .filter(claim::sha256.eq(&sha256))
                .filter(claim::organisation.eq(Id(organisation)))
                .order((claim::seq, claim::place))
                .select(claim::size)
                .first(connection)
                .optional()?;
            let Some(size) = size else { return Ok(None) };
            let done: Option<i64> = blob::table
                .inner_join(blob_holder::table.on(blob_holder::sha256.eq(blob::sha256)))
                .filter(blob::sha256.eq(&sha256))
                .filter(blob_holder::organisation.eq(Id(organisation)))
                .select(blob::size)
                .first(connection)
                .optional()?;
            Ok(Some(Expected { size: size.unsigned_abs(), done: done.map(i64::unsigned_abs) }))
        })
    }

    /// Notes that an organisation has sent a file whole. Its bytes are in their place already.
    pub fn insert_blob(
        &self,
        file: Hash,
        size: u64,
        media_type: &'static str,
        organisation: Uuid,
    ) -> Result<()> {
        let sha256 = file.to_hex();
        self.write(move |txn| {
            let row = (
                blob::sha256.eq(&sha256),
                blob::size.eq(i64::try_from(size).unwrap_or(i64::MAX)),
                blob::media_type.eq(media_type),
                blob::stored_at.eq(txn.now),
            );
            let holder = (
                blob_holder::sha256.eq(&sha256),
                blob_holder::organisation.eq(Id(organisation)),
                blob_holder::stored_at.eq(txn.now),
            );
            on_backend!(&mut *txn.connection, |c| {
                diesel::insert_into(blob::table).values(row).on_conflict_do_nothing().execute(c)?;
                diesel::insert_into(blob_holder::table).values(holder).on_conflict_do_nothing().execute(c)
            })?;
            Ok(())
        })
    }

    /// Files that should be here, by name, after one of them.
    pub fn list_blobs(&self, after: Option<Hash>, limit: i64) -> Result<Vec<Stored>> {
        let after = after.map(Hash::to_hex).unwrap_or_default();
        let rows: Vec<(String, i64)> = self.read(|connection| {
            Ok(blob::table
                .filter(blob::sha256.gt(after))
                .order(blob::sha256)
                .limit(limit)
                .select((blob::sha256, blob::size))
                .load(connection)?)
        })?;
        rows.into_iter()
            .map(|(sha256, size)| {
                let sha256 = Hash::from_hex(&sha256)
                    .ok_or_else(|| super::StoreError::Unreadable(format!("{sha256} is no hash")))?;
                Ok(Stored { sha256, size: size.unsigned_abs() })
            })
            .collect()
    }

    /// How many files should be here.
    pub fn count_blobs(&self) -> Result<i64> {
        self.read(|connection| Ok(blob::table.count().get_result(connection)?))
    }

    /// How many claimed files are still to come, each counted once for every organisation that claims it.
    pub fn count_awaited(&self) -> Result<usize> {
        self.read(|connection| {
            let awaited: Vec<(String, Id)> = claim::table
                .left_join(
                    blob_holder::table.on(blob_holder::sha256
                        .eq(claim::sha256)
                        .and(blob_holder::organisation.eq(claim::organisation))),
                )
                .filter(blob_holder::sha256.nullable().is_null())
                .select((claim::sha256, claim::organisation))
                .distinct()
                .load(connection)?;
            Ok(awaited.len())
        })
    }
}
