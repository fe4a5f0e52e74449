//! The programme's settings and its frozen years.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::backend::{DbConnection, on_backend};
use super::column::{Document, Id, Instant};
use super::schema::{freeze, programme, sync_clock};
use super::txn::SyncTxn;
use super::{Result, Store, StoreError};
use crate::model::Hash;
use crate::programme::Programme;

/// A reporting year as it was published.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Freeze {
    /// Names it.
    pub id: Uuid,
    /// The reporting year.
    pub year: i32,
    /// `official` or `provisional`.
    pub basis: String,
    /// Up to which entry of the log it counts.
    pub seq: i64,
    /// When it was taken.
    pub taken_at: DateTime<Utc>,
    /// By whom.
    pub taken_by: Uuid,
    /// What whoever took it wants remembered.
    pub note: Option<String>,
    /// SHA-256 of the canonical JSON of `document`.
    pub hash: String,
    /// The figures.
    #[schema(value_type = Object)]
    pub document: Value,
}

type FreezeRow = (Id, i32, String, i64, Instant, Id, Option<String>, String, Document);

impl Freeze {
    fn of(row: FreezeRow) -> Self {
        let (id, year, basis, seq, taken_at, taken_by, note, hash, document) = row;
        Self {
            id: id.0,
            year,
            basis,
            seq,
            taken_at: taken_at.0,
            taken_by: taken_by.0,
            note,
            hash,
            document: document.0,
        }
    }
}

/// The settings and how often they were changed.
pub(super) fn read(connection: &mut DbConnection) -> Result<(Programme, i32)> {
    let row: Option<(Document, i32)> = programme::table
        .find(1_i16)
        .select((programme::document, programme::revision))
        .first(connection)
        .optional()?;
    row.map_or_else(|| Ok((Programme::unset(), 0)), |(document, revision)| Ok((document.read()?, revision)))
}

/// Where everything stands that books and maps are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Which log: a restored database begins another.
    pub epoch: Uuid,
    /// How far it goes.
    pub seq: i64,
    /// How often the programme was set.
    pub revision: i32,
}

/// How often the settings were changed.
pub(super) fn revision(connection: &mut DbConnection) -> Result<i32> {
    let revision = programme::table.find(1_i16).select(programme::revision).first(connection).optional()?;
    Ok(revision.unwrap_or(0))
}

fn put(txn: &mut SyncTxn<'_>, new: &Programme, revision: i32, by: Option<Uuid>) -> Result<()> {
    let document = Document::of(new);
    txn.act("programme_set", Uuid::nil(), by, &json!({"revision": revision, "programme": new}));
    let row = (programme::id.eq(1_i16), programme::revision.eq(revision), programme::document.eq(&document));
    on_backend!(&mut *txn.connection, |c| {
        diesel::insert_into(programme::table)
            .values(row)
            .on_conflict(programme::id)
            .do_update()
            .set((programme::revision.eq(revision), programme::document.eq(&document)))
            .execute(c)
    })?;
    Ok(())
}

impl Store {
    /// The programme's settings and how often they were changed.
    pub fn programme(&self) -> Result<(Programme, i32)> {
        self.read(read)
    }

    /// Where the log and the programme stand: whoever holds something made of them knows from this whether it is still
    /// what it would be now. One statement, because every tile and every figure asks it.
    pub fn moment(&self) -> Result<Moment> {
        let revision = programme::table.select(programme::revision).single_value();
        let query = sync_clock::table.select((sync_clock::epoch, sync_clock::seq, revision));
        let row: (Id, i64, Option<i32>) = self.read_once(|connection| Ok(query.first(connection)?))?;
        let (Id(epoch), seq, revision) = row;
        Ok(Moment { epoch, seq, revision: revision.unwrap_or(0) })
    }

    /// Sets the programme.
    ///
    /// # Errors
    /// `Refused` where something in it cannot be right, or where it was changed since `revision`.
    pub fn set_programme(&self, new: Programme, revision: Option<i32>, by: Option<Uuid>) -> Result<i32> {
        if let Some((pointer, message)) = new.faults().first() {
            return Err(StoreError::refused("programme", format!("{pointer}: {message}")));
        }
        self.write(move |txn| {
            let (_, stands) = read(txn.connection)?;
            if revision.is_some_and(|revision| revision != stands) {
                let detail =
                    format!("the programme was changed meanwhile (revision {stands}): read it again");
                return Err(StoreError::refused("stale", detail));
            }
            txn.must_not_follow("the programme is set")?;
            put(txn, &new, stands + 1, by)?;
            Ok(stands + 1)
        })
    }

    /// Sets the programme as the nation has it, on a camp.
    pub(super) fn set_programme_of_nation(&self, new: Programme) -> Result<()> {
        self.write(move |txn| {
            let (_, stands) = read(txn.connection)?;
            put(txn, &new, stands + 1, None)
        })
    }

    /// Every frozen year, the newest first.
    pub fn list_freezes(&self) -> Result<Vec<Freeze>> {
        self.read(|connection| {
            let rows: Vec<FreezeRow> = freeze::table
                .order(freeze::taken_at.desc())
                .select((
                    freeze::freeze_id,
                    freeze::year,
                    freeze::basis,
                    freeze::seq,
                    freeze::taken_at,
                    freeze::taken_by,
                    freeze::note,
                    freeze::hash,
                    freeze::document,
                ))
                .load(connection)?;
            Ok(rows.into_iter().map(Freeze::of).collect())
        })
    }

    /// Freezes a year: keeps `document` and its hash for ever.
    ///
    /// # Errors
    /// `Refused` where these very figures are frozen already.
    pub fn insert_freeze(
        &self,
        year: i32,
        basis: &'static str,
        seq: i64,
        document: Value,
        note: Option<String>,
        by: Uuid,
    ) -> Result<Freeze> {
        let hash = Hash::of_value(&document).to_string();
        if self
            .list_freezes()?
            .iter()
            .any(|there| there.year == year && there.basis == basis && there.hash == hash)
        {
            return Err(StoreError::refused("frozen", format!("{year} is frozen with these very figures")));
        }
        self.write(move |txn| {
            let new = Freeze {
                id: Uuid::now_v7(),
                year,
                basis: basis.to_owned(),
                seq,
                taken_at: txn.now.0,
                taken_by: by,
                note,
                hash,
                document,
            };
            let what = json!({"year": year, "basis": basis, "hash": new.hash});
            txn.act("year_frozen", new.id, Some(by), &what);
            diesel::insert_into(freeze::table)
                .values((
                    freeze::freeze_id.eq(Id(new.id)),
                    freeze::year.eq(year),
                    freeze::basis.eq(basis),
                    freeze::seq.eq(seq),
                    freeze::taken_at.eq(txn.now),
                    freeze::taken_by.eq(Id(by)),
                    freeze::note.eq(new.note.as_deref()),
                    freeze::hash.eq(&new.hash),
                    freeze::document.eq(Document(new.document.clone())),
                ))
                .execute(txn.connection)?;
            Ok(new)
        })
    }
}
