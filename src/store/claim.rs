//! What records claim of files: noted as mutations arrive, before the files themselves do, and read as far as a
//! reader's sight reaches.

use diesel::prelude::*;
use uuid::Uuid;

use super::backend::{DbConnection, on_backend};
use super::column::Id;
use super::row::{RecordRow, VersionRow};
use super::schema::{blob, blob_holder, claim, record, version};
use super::txn::{ROWS_PER_STATEMENT, SyncTxn};
use super::{Result, Store, StoreError};
use crate::model::mutation::{Attachment, Outcome};
use crate::model::role::{Shown, Sight};
use crate::model::{Hash, Mutation};
use crate::sync::{Answer, memory::Received};

/// Characters of a file's name and of a media type that are kept beside the log, which has the whole.
const LONGEST_NAME: usize = 255;
const LONGEST_TYPE: usize = 100;
/// Characters of a hash; of what is none, only so many go into an index.
const HASH_DIGITS: usize = 64;
/// Claims of one file that are looked at together.
const PAGE: i64 = 200;
/// Readers below this tier are shown no names of files: they may name people and places.
const NAMES_FROM_TIER: i16 = 2;

/// A file that a version of a record claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The version, which is the mutation that claims it.
    pub version: Uuid,
    /// The organisation that is to send it.
    pub organisation: Uuid,
    /// File name as taken; nothing for readers who may not see it.
    pub name: Option<String>,
    /// What is claimed to be its hash, as it was written.
    pub sha256: String,
    /// What is claimed to be its size.
    pub size: u64,
    /// What is claimed to be its type.
    pub media_type: String,
    /// What is here, if the organisation has sent it whole.
    pub here: Option<Here>,
}

/// A file that is here whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Here {
    /// Bytes.
    pub size: u64,
    /// What its first bytes say it is.
    pub media_type: String,
}

/// A file that somebody may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readable {
    /// Under which name the record claims it.
    pub name: String,
    /// The file.
    pub here: Here,
}

/// How much of a record's claims a reader sees.
#[derive(Debug, Clone, Copy)]
enum Reach {
    /// Those of every version, the branches too.
    All,
    /// Those that the finalised version has behind it.
    Through(i64),
}

impl Reach {
    fn covers(self, seq: i64, branch: bool) -> bool {
        match self {
            Self::All => true,
            Self::Through(last) => !branch && seq <= last,
        }
    }
}

impl Store {
    /// The files that a record's versions claim, oldest first, as far as `sight` reaches.
    ///
    /// # Errors
    /// `NotFound`, as for the record.
    pub fn list_claims(&self, id: Uuid, sight: Sight) -> Result<Vec<Claim>> {
        self.read(|connection| {
            let head: Option<(RecordRow, VersionRow)> = record::table
                .inner_join(version::table.on(version::version_id.eq(record::version)))
                .filter(record::record_id.eq(Id(id)))
                .select((RecordRow::as_select(), VersionRow::as_select()))
                .first(connection)
                .optional()?;
            let (row, head) = head.ok_or(StoreError::NotFound("record"))?;
            let reach = reach(connection, row.tier, head, sight)?.ok_or(StoreError::NotFound("record"))?;
            let rows: Vec<ListedRow> = claim::table
                .inner_join(version::table.on(version::version_id.eq(claim::mutation_id)))
                .left_join(
                    blob_holder::table.on(blob_holder::sha256
                        .eq(claim::sha256)
                        .and(blob_holder::organisation.eq(claim::organisation))),
                )
                .left_join(blob::table.on(blob::sha256.nullable().eq(blob_holder::sha256.nullable())))
                .filter(claim::record_id.eq(Id(id)))
                .order((claim::seq, claim::place))
                .select((
                    (claim::mutation_id, claim::organisation, claim::name, claim::sha256),
                    (claim::size, claim::media_type, version::seq, version::branch),
                    (blob::size, blob::media_type).nullable(),
                ))
                .load(connection)?;
            let seen = rows.into_iter().filter(|(_, (_, _, seq, branch), _)| reach.covers(*seq, *branch));
            Ok(seen.map(|row| listed(row, sight)).collect())
        })
    }

    /// A file, if somebody with this `sight` sees a record that claims it and whose organisation has sent it.
    pub fn find_readable(&self, file: Hash, sight: Sight) -> Result<Option<Readable>> {
        self.read(|connection| {
            let here: Option<(i64, String)> = blob::table
                .find(file.to_hex())
                .select((blob::size, blob::media_type))
                .first(connection)
                .optional()?;
            let Some((size, media_type)) = here else { return Ok(None) };
            let name = first_seen(connection, file, sight)?;
            let here = Here { size: size.unsigned_abs(), media_type };
            Ok(name.map(|name| Readable { name, here }))
        })
    }
}

type ListedRow = ((Id, Id, String, String), (i64, String, i64, bool), Option<(i64, String)>);

fn listed(row: ListedRow, sight: Sight) -> Claim {
    let ((version, organisation, name, sha256), (size, media_type, _, _), here) = row;
    Claim {
        version: version.0,
        organisation: organisation.0,
        name: (sight.tier >= NAMES_FROM_TIER).then_some(name),
        sha256,
        size: size.unsigned_abs(),
        media_type,
        here: here.map(|(size, media_type)| Here { size: size.unsigned_abs(), media_type }),
    }
}

/// The name of the first claim of a file that a reader sees.
fn first_seen(connection: &mut DbConnection, file: Hash, sight: Sight) -> Result<Option<String>> {
    let made = diesel::alias!(version as made);
    let mut skipped = 0;
    loop {
        let rows: Vec<(RecordRow, VersionRow, (i64, bool, String))> = claim::table
            .inner_join(made.on(made.field(version::version_id).eq(claim::mutation_id)))
            .inner_join(record::table.on(record::record_id.eq(claim::record_id)))
            .inner_join(version::table.on(version::version_id.eq(record::version)))
            .inner_join(blob_holder::table.on(
                blob_holder::sha256.eq(claim::sha256).and(blob_holder::organisation.eq(claim::organisation)),
            ))
            .filter(claim::sha256.eq(file.to_hex()))
            .filter(record::tier.le(sight.tier))
            .order((claim::seq, claim::place))
            .offset(skipped)
            .limit(PAGE)
            .select((
                RecordRow::as_select(),
                VersionRow::as_select(),
                (made.field(version::seq), made.field(version::branch), claim::name),
            ))
            .load(connection)?;
        let full = rows.len() == usize::try_from(PAGE).unwrap_or_default();
        for (row, head, (seq, branch, name)) in rows {
            if reach(connection, row.tier, head, sight)?.is_some_and(|reach| reach.covers(seq, branch)) {
                return Ok(Some(name));
            }
        }
        if !full {
            return Ok(None);
        }
        skipped += PAGE;
    }
}

/// How much of a record's claims a reader sees; nothing where the record itself is not seen. The same rule as for the
/// record and its history.
fn reach(connection: &mut DbConnection, tier: i16, head: VersionRow, sight: Sight) -> Result<Option<Reach>> {
    let head = head.into_record()?;
    let official = match sight.of(&head, tier) {
        Shown::Nothing => return Ok(None),
        Shown::Head if !sight.official_only => return Ok(Some(Reach::All)),
        Shown::Head => head.version,
        Shown::Official(version) => version,
    };
    let seq = version::table.find(Id(official)).select(version::seq).first(connection)?;
    Ok(Some(Reach::Through(seq)))
}

/// Notes what freshly stored mutations claim. Whatever became of them, their files may come: what is quarantined or
/// parked today is looked at tomorrow.
pub(super) fn note(
    txn: &mut SyncTxn<'_>,
    organisation: Uuid,
    mutations: &[Received],
    answers: &[Answer],
) -> Result<()> {
    let mut rows = Vec::new();
    for Received { mutation, .. } in mutations.iter().filter(|new| !new.mutation.attachments.is_empty()) {
        let answer = answers.iter().find(|answer| answer.mutation_id == mutation.mutation_id);
        let stored = answer.filter(|answer| !matches!(answer.outcome, Outcome::Duplicate | Outcome::Retry));
        if let Some(seq) = stored.and_then(|answer| answer.seq) {
            rows.extend(rows_of(mutation, organisation, seq));
        }
    }
    insert(txn, &rows)
}

/// Notes what a mutation claims that another server has taken.
pub(super) fn note_followed(txn: &mut SyncTxn<'_>, organisation: Uuid, mutation: &Mutation) -> Result<()> {
    if mutation.attachments.is_empty() {
        return Ok(());
    }
    let seq = txn.seq();
    insert(txn, &rows_of(mutation, organisation, seq).collect::<Vec<_>>())?;
    // Whose it is was perhaps not known when a stick brought it here.
    let claims = claim::table
        .filter(claim::mutation_id.eq(Id(mutation.mutation_id)))
        .filter(claim::organisation.eq(Id(Uuid::nil())));
    diesel::update(claims).set(claim::organisation.eq(Id(organisation))).execute(txn.connection)?;
    Ok(())
}

fn insert(txn: &mut SyncTxn<'_>, rows: &[ClaimRow]) -> Result<()> {
    for rows in rows.chunks(ROWS_PER_STATEMENT) {
        on_backend!(&mut *txn.connection, |c| {
            // One push may hold a mutation twice.
            diesel::insert_into(claim::table).values(rows).on_conflict_do_nothing().execute(c)
        })?;
    }
    Ok(())
}

#[derive(Insertable)]
#[diesel(table_name = claim, treat_none_as_default_value = false)]
struct ClaimRow {
    mutation_id: Id,
    place: i32,
    record_id: Id,
    organisation: Id,
    name: String,
    sha256: String,
    size: i64,
    media_type: String,
    seq: i64,
}

fn rows_of(mutation: &Mutation, organisation: Uuid, seq: i64) -> impl Iterator<Item = ClaimRow> {
    (0..).zip(&mutation.attachments).map(move |(place, Attachment { name, sha256, size, media_type })| {
        ClaimRow {
            mutation_id: Id(mutation.mutation_id),
            place,
            record_id: Id(mutation.record_id),
            organisation: Id(organisation),
            name: cut(name, LONGEST_NAME),
            sha256: cut(sha256, HASH_DIGITS).to_ascii_lowercase(),
            size: i64::try_from(*size).unwrap_or(i64::MAX),
            media_type: cut(media_type, LONGEST_TYPE),
            seq,
        }
    })
}

/// So much of a text, without U+0000, which PostgreSQL cannot hold.
fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).map(|letter| if letter == '\0' { '\u{fffd}' } else { letter }).collect()
}
