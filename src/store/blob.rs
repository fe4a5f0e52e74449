//! Files that are here whole: their rows, and who has sent them. Their bytes are [`crate::blob`]'s.

use diesel::dsl::exists;
use diesel::prelude::*;
use uuid::Uuid;

use super::backend::{DbConnection, on_backend};
use super::column::Id;
use super::schema::{blob, blob_holder, claim, pending, upstream};
use super::{Result, Store, StoreError};
use crate::model::Hash;

/// What an organisation's records claim of one file, and whether it has been sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The size that was claimed first. Where claims differ, the hash decides.
    pub size: u64,
    /// The file, if the organisation has sent it whole.
    pub done: Option<Done>,
}

/// A file that an organisation has sent whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// Bytes.
    pub size: u64,
    /// The national server is known to have it: this is one, or a camp that has passed it on.
    pub national: bool,
}

/// A file that a camp has and its nation is not known to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outgoing {
    /// Its name.
    pub sha256: Hash,
    /// Bytes.
    pub size: u64,
    /// The organisation that has sent it.
    pub organisation: Uuid,
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
            let done: Option<(i64, Option<Id>)> = blob::table
                .inner_join(blob_holder::table.on(blob_holder::sha256.eq(blob::sha256)))
                .filter(blob::sha256.eq(&sha256))
                .filter(blob_holder::organisation.eq(Id(organisation)))
                .select((blob::size, blob_holder::national))
                .first(connection)
                .optional()?;
            let nation = nation(connection)?;
            let done = done.map(|(size, passed)| Done {
                size: size.unsigned_abs(),
                national: nation.is_none_or(|nation| passed.is_some() && passed == nation.epoch),
            });
            Ok(Some(Expected { size: size.unsigned_abs(), done }))
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

    /// Files that the nation is not known to have and whose claims it has, the smallest first.
    pub fn outgoing_files(&self) -> Result<Vec<Outgoing>> {
        self.read(|connection| {
            let Some(Nation { epoch }) = nation(connection)? else { return Ok(Vec::new()) };
            let waiting = pending::table.select(pending::mutation_id);
            let arrived = claim::table
                .filter(claim::sha256.eq(blob_holder::sha256))
                .filter(claim::organisation.eq(blob_holder::organisation))
                .filter(claim::mutation_id.ne_all(waiting));
            let rows: Vec<(String, i64, Id)> = blob_holder::table
                .inner_join(blob::table.on(blob::sha256.eq(blob_holder::sha256)))
                .filter(blob_holder::national.is_null().or(blob_holder::national.ne(epoch)))
                .filter(exists(arrived))
                .order((blob::size, blob::sha256))
                .select((blob::sha256, blob::size, blob_holder::organisation))
                .load(connection)?;
            let outgoing = |(sha256, size, organisation): (String, i64, Id)| {
                Ok(Outgoing {
                    sha256: named(&sha256)?,
                    size: size.unsigned_abs(),
                    organisation: organisation.0,
                })
            };
            rows.into_iter().map(outgoing).collect()
        })
    }

    /// Notes that the nation has a file whole.
    pub fn note_passed_on(&self, file: Outgoing) -> Result<()> {
        self.write(move |txn| {
            let epoch = nation(txn.connection)?.and_then(|nation| nation.epoch);
            let row = blob_holder::table.find((file.sha256.to_hex(), Id(file.organisation)));
            diesel::update(row).set(blob_holder::national.eq(epoch)).execute(txn.connection)?;
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
            .map(|(sha256, size)| Ok(Stored { sha256: named(&sha256)?, size: size.unsigned_abs() }))
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

/// The nation that a camp follows.
struct Nation {
    /// Its epoch, once it was heard.
    epoch: Option<Id>,
}

/// The nation that this camp follows; nothing where this is the nation.
fn nation(connection: &mut DbConnection) -> Result<Option<Nation>> {
    let epoch = upstream::table.select(upstream::epoch).first(connection).optional()?;
    Ok(epoch.map(|epoch| Nation { epoch }))
}

fn named(sha256: &str) -> Result<Hash> {
    Hash::from_hex(sha256).ok_or_else(|| StoreError::Unreadable(format!("{sha256} is no hash")))
}
